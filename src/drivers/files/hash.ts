/** SHA-256 of a file of any size, read once as long as it does not change. Knows nothing of what the file is. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Id } from '../../core/id.ts'

/** By path, size and time of change: a base of gigabytes is hashed once a process, not at every use. */
const known = new Map<string, Promise<Id>>()

/** @throws what the file system throws, e.g. ENOENT. */
export async function fileHash(path: string): Promise<Id> {
  const { size, mtimeMs, ino } = await stat(path)
  const key = `${resolve(path)}\n${size}\n${mtimeMs}\n${ino}`
  const found = known.get(key) ?? readHash(path)
  known.set(key, found)
  found.catch(() => known.delete(key))
  return found
}

async function readHash(path: string): Promise<Id> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer)
  return `0x${hash.digest('hex')}`
}
