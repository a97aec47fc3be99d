/**
 * Durable files: what is written here is whole or not there at all, and survives the machine as far as the disk does.
 * Knows nothing of what the bytes mean.
 */
import { randomBytes } from 'node:crypto'
import { link, mkdir, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { BaseError } from '../../core/errors.ts'

/**
 * Writes a temporary file beside `path`, syncs it, renames it over `path` and syncs the folder, which is made when missing.
 * With `exclusive` it fails (EEXIST) instead of replacing what stands at `path`.
 * @throws {WriteError} with a sentence a person can act on.
 */
export async function writeDurably(
  path: string,
  bytes: Uint8Array | string,
  options: { mode?: number; temporaryFolder?: string; exclusive?: boolean } = {},
): Promise<void> {
  const folder = dirname(path)
  const temporaryFolder = options.temporaryFolder ?? folder
  const temporary = join(temporaryFolder, `.${basename(path)}.${randomBytes(6).toString('hex')}.part`)
  try {
    await mkdir(folder, { recursive: true })
    await mkdir(temporaryFolder, { recursive: true })
    const file = await open(temporary, 'wx', options.mode ?? 0o644)
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    if (options.exclusive) {
      await link(temporary, path)
      await rm(temporary)
    } else await rename(temporary, path)
    await syncFolder(folder)
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {})
    throw new WriteError(path, error)
  }
}

/** Makes a rename in `folder` durable. Windows cannot open folders and needs no such thing. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Why a path could not be written, and what to do, as two sentences. */
export function writeFailure(path: string, error: unknown): { message: string; hint: string } {
  const code = (error as NodeJS.ErrnoException | undefined)?.code ?? 'unknown error'
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return { message: `Cannot write to ${path}: it is read-only for this user (${code}).`, hint: 'Make the folder writable or choose another with --data.' }
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return { message: `Cannot write to ${path}: the disk is full (${code}).`, hint: 'Free some space and try again; what was stored before is unharmed.' }
  if (code === 'ENOTDIR' || code === 'EEXIST' || code === 'EISDIR')
    return {
      message: `Cannot write to ${path}: a file stands where a folder is needed, or the reverse (${code}).`,
      hint: 'Move it away or choose another folder with --data.',
    }
  return { message: `Cannot write to ${path} (${code}).`, hint: 'Check the folder and the disk, or choose another folder with --data.' }
}

/** A path cannot be written: read-only, full, or not a folder. */
export class WriteError extends BaseError {
  override readonly name = 'Files.WriteError'
  constructor(path: string, cause: unknown) {
    const failure = writeFailure(path, cause)
    super(`${failure.message} ${failure.hint}`, { cause, hints: [failure.hint] })
  }
}
