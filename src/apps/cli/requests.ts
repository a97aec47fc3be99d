/**
 * The server's routes as the commands use them: JSON in, JSON out, refusals as values.
 * Knows nothing of printing.
 */
import { readdir, readFile, stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { z } from 'zod'
import { isRefusal, type Refusal, refuse } from '../../core/errors.ts'
import { SERVER_HEADER } from '../server/replies.ts'

/** What one upload may hold: the server takes 64 MB, and base64 makes four bytes of three. */
const MOST_MEGABYTES = 47

/** Times a question is asked before its server counts as gone. */
const ATTEMPTS = 3

export type Upload = { name: string; base64: string }

const Failure = z.object({ error: z.object({ message: z.string(), code: z.string().nullish(), hint: z.string().nullish() }) })

/** One request, by POST where there is a body unless told otherwise; a 4xx or 5xx with an error body becomes a refusal. */
export async function request<T>(url: string, path: string, body?: unknown, method?: 'PUT' | 'DELETE'): Promise<T | Refusal> {
  let response: Response
  try {
    response = await patiently(
      `${url}${path}`,
      body === undefined
        ? method
          ? { method }
          : {}
        : { method: method ?? 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) },
    )
  } catch {
    return refuse('server_unreachable', `No ModelFactory server answers at ${url}.`, 'Start one with: npm start, or correct --url.')
  }
  if (!response.headers.has(SERVER_HEADER)) {
    await response.body?.cancel()
    return refuse('not_modelfactory', `${url} answered ${response.status}, but is not a ModelFactory server.`, 'Correct --url (or MODELFACTORY_URL).')
  }
  let parsed: unknown
  try {
    parsed = await response.json()
  } catch {
    return refuse('reply_cut_off', `${url}${path} answered ${response.status} with something that is not JSON.`, 'Look at the server’s output, and try again.')
  }
  if (response.ok) return parsed as T
  const failure = Failure.safeParse(parsed)
  if (!failure.success) return refuse('request_failed', `${url}${path} answered ${response.status}.`, 'Look at the server’s output.')
  const { message, code, hint } = failure.data.error
  return refuse(code ?? 'request_failed', message, hint ?? '')
}

/**
 * A fetch that keeps knocking. A server that reads a large table on a busy machine (it may be this very process) can be longer than
 * fetch's ten seconds without taking a connection: nothing was sent yet, so trying again repeats nothing. And a kept connection may
 * be closed just as it is used again: asking twice changes nothing, posting twice might.
 */
async function patiently(url: string, init: RequestInit): Promise<Response> {
  for (let attempt = 1; ; attempt++)
    try {
      return await fetch(url, init)
    } catch (error) {
      const code = ((error as Error).cause as { code?: string } | undefined)?.code
      if (attempt === ATTEMPTS || (code !== 'UND_ERR_CONNECT_TIMEOUT' && (init.method !== undefined || code === 'ECONNREFUSED'))) throw error
      if (code !== 'UND_ERR_CONNECT_TIMEOUT') await new Promise((resolve) => setTimeout(resolve, 200))
    }
}

/** Every file under a folder (or one file), for upload; hidden files are left out. */
export async function filesUnder(path: string): Promise<Upload[] | Refusal> {
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
  const sizes = await Promise.all(
    paths.map((file) =>
      stat(file).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  )
  const megabytes = sizes.reduce((sum, size) => sum + size, 0) / 1024 / 1024
  if (megabytes > MOST_MEGABYTES)
    return refuse(
      'files_too_large',
      `The files in "${path}" are ${Math.ceil(megabytes)} MB; at most ${MOST_MEGABYTES} MB can be handed over at once.`,
      'Leave out what the model need not learn: a few thousand good rows or pages are plenty.',
    )
  const files: Upload[] = []
  for (const file of paths) {
    const read = await readFile(file).catch((error: NodeJS.ErrnoException) =>
      refuse('file_unreadable', `The file "${file}" cannot be read (${error.code ?? error.message}).`, 'Make it readable, or take it out of the folder.'),
    )
    if (isRefusal(read)) return read
    files.push({ name: found.isFile() ? file.split(sep).at(-1)! : relative(path, file).split(sep).join('/'), base64: read.toString('base64') })
  }
  return files
}
