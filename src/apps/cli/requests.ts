/**
 * The server's routes as the commands use them: JSON in, JSON out, refusals as values.
 * Knows nothing of printing.
 */
import { readdir, readFile, stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { z } from 'zod'
import { type Refusal, refuse } from '../../core/errors.ts'

const Failure = z.object({ error: z.object({ message: z.string(), code: z.string().nullish(), hint: z.string().nullish() }) })

/** One request; a 4xx or 5xx with an error body becomes a refusal. */
export async function request<T>(url: string, path: string, body?: unknown): Promise<T | Refusal> {
  let response: Response
  try {
    response = await fetch(
      `${url}${path}`,
      body === undefined ? {} : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) },
    )
  } catch {
    return refuse('server_unreachable', `No ModelFactory server answers at ${url}.`, 'Start one with: npm start, or correct --url.')
  }
  const text = await response.text()
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return refuse(
      'not_modelfactory',
      `${url}${path} answered ${response.status} with something that is not JSON.`,
      'Is it a ModelFactory server? Correct --url.',
    )
  }
  if (response.ok) return parsed as T
  const failure = Failure.safeParse(parsed)
  if (!failure.success) return refuse('request_failed', `${url}${path} answered ${response.status}.`, 'Look at the server’s output.')
  const { message, code, hint } = failure.data.error
  return refuse(code ?? 'request_failed', message, hint ?? '')
}

/** Every file under a folder (or one file), for upload; hidden files are left out. */
export async function filesUnder(path: string): Promise<{ name: string; base64: string }[] | Refusal> {
  const found = await stat(path).catch(() => undefined)
  if (!found) return refuse('no_such_folder', `There is no file or folder "${path}".`, 'Give --files the folder that holds your documents or table.')
  const paths = found.isFile()
    ? [path]
    : (await readdir(path, { recursive: true, withFileTypes: true }))
        .filter(
          (entry) =>
            entry.isFile() &&
            !relative(path, join(entry.parentPath, entry.name))
              .split(sep)
              .some((part) => part.startsWith('.')),
        )
        .map((entry) => join(entry.parentPath, entry.name))
        .sort()
  if (!paths.length) return refuse('empty_folder', `The folder "${path}" holds no files.`, 'Put your documents or table into it.')
  return Promise.all(
    paths.map(async (file) => ({
      name: found.isFile() ? file.split(sep).at(-1)! : relative(path, file).split(sep).join('/'),
      base64: (await readFile(file)).toString('base64'),
    })),
  )
}
