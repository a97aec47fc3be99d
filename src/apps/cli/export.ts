/**
 * `export`: has the server write a model in another software's form, fetches the files, checks each against its hash and puts
 * them into a folder, all or none. Knows nothing of the formats.
 */
import { createHash, randomBytes } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, rename, rm, rmdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream } from 'node:stream/web'
import { isRefusal, type Refusal, refuse } from '../../core/errors.ts'
import { EXPORT_KINDS, type ExportedFile, type ExportView } from '../../core/export.ts'
import { type Context, withServer } from './connect.ts'
import type { Printer } from './print.ts'
import { request } from './requests.ts'

export async function exportModel(context: Context, model: string, flags: { as: string; to: string }): Promise<Refusal | undefined> {
  if (!EXPORT_KINDS.some((kind) => kind === flags.as))
    return refuse('unknown_export', `There is no export "${flags.as}".`, `Give --as one of: ${EXPORT_KINDS.join(', ')}.`)
  const folder = resolve(flags.to)
  const outcome = await withServer(context, async (url) => {
    context.out.line(`Writing ${model} as ${flags.as}...`)
    const view = await request<ExportView>(url, `/api/models/${encodeURIComponent(model)}/export`, { kind: flags.as })
    if (isRefusal(view)) return view
    return (await fetchAll(context.out, `${url}/api/models/${encodeURIComponent(model)}/export/${flags.as}`, view.files, folder)) ?? view
  })
  if (isRefusal(outcome)) return outcome
  const lines = outcome.files.map(({ name, bytes }) => `  ${join(folder, name)} (${size(bytes)})`)
  context.out.result({ ...outcome, folder }, [`Exported ${outcome.model}: ${outcome.what}.`, ...lines, ...outcome.notes].join('\n'))
  return undefined
}

/** Fetches into a folder of its own inside `folder`, then moves everything to its place. */
async function fetchAll(out: Printer, address: string, files: readonly ExportedFile[], folder: string): Promise<Refusal | undefined> {
  for (const { name } of files)
    if (await stat(join(folder, name)).catch(() => undefined))
      return refuse('export_exists', `There is already a file "${join(folder, name)}".`, 'Move it away, or give --to another folder.')
  const fresh = !(await stat(folder).catch(() => undefined))
  const temporary = join(folder, `.export-${randomBytes(6).toString('hex')}.part`)
  try {
    await mkdir(temporary, { recursive: true })
    for (const file of files) {
      const refused = await fetchFile(out, `${address}/${encodeURIComponent(file.name)}`, file, join(temporary, file.name))
      if (refused) return refused
    }
    for (const { name } of files) await rename(join(temporary, name), join(folder, name))
    return undefined
  } catch (error) {
    return unwritable(folder, error)
  } finally {
    await rm(temporary, { recursive: true, force: true }).catch(() => {})
    // Takes the folder back when nothing came into it; one that holds something stays.
    if (fresh) await rmdir(folder).catch(() => {})
  }
}

async function fetchFile(out: Printer, address: string, file: ExportedFile, path: string): Promise<Refusal | undefined> {
  const response = await fetch(address)
  if (!response.ok || !response.body) return refuse('export_lost', `The server answered ${response.status} for "${file.name}".`, 'Ask for the export again.')
  const hash = createHash('sha256')
  let done = 0
  const counted = new Transform({
    transform(chunk: Buffer, _, next) {
      hash.update(chunk)
      done += chunk.length
      out.progress(`${file.name}: ${size(done)} of ${size(file.bytes)}`)
      next(null, chunk)
    },
  })
  await pipeline(Readable.fromWeb(response.body as ReadableStream<Uint8Array>), counted, createWriteStream(path, { flush: true }))
  if (`0x${hash.digest('hex')}` === file.sha256) return undefined
  return refuse('export_damaged', `"${file.name}" arrived with ${done} of ${file.bytes} bytes, or changed on the way.`, 'Try again.')
}

function unwritable(folder: string, error: unknown): Refusal {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return refuse('disk_full', `The disk of "${folder}" is full (${code}).`, 'Free some space, or give --to a folder on another disk.')
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS' || code === 'ENOTDIR' || code === 'EEXIST')
    return refuse('folder_unwritable', `Nothing can be written into "${folder}" (${code}).`, 'Give --to a folder that can be written.')
  throw error
}

/** Bytes as a person reads them. */
export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`
  const [unit, scale] = bytes < 1e6 ? ['kB', 1e3] : bytes < 1e9 ? ['MB', 1e6] : ['GB', 1e9]
  return `${(bytes / (scale as number)).toFixed(1)} ${unit}`
}
