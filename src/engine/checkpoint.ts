/**
 * Checkpoint: a training state in one file, replaced atomically, so that a crash leaves the one before or the new one whole.
 * Knows nothing of what the numbers mean.
 */
import { closeSync, fsyncSync, openSync, readSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import type { TrainingState } from './training.ts'

/** A state: arrays of numbers, and whatever else JSON can hold. */
type State = { parameters: Float32Array; moments: Float32Array; best: Float32Array }

const MAGIC = 0x4b43464d
const ARRAYS = ['parameters', 'moments', 'best'] as const

/** Writes the state under a temporary name, syncs it and renames it. @throws what the file system throws, e.g. when full. */
export function writeCheckpoint(path: string, id: string, state: State): void {
  const { parameters, moments, best, ...rest } = state
  const arrays = [parameters, moments, best]
  const text = new TextEncoder().encode(JSON.stringify({ id, lengths: arrays.map(({ length }) => length), state: rest }))
  const header = new Uint8Array(Math.ceil(text.length / 4) * 4)
  header.set(text)
  const body = [header, ...arrays.map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength))]
  writeWhole(path, [new Uint8Array(Uint32Array.of(MAGIC, text.length, body.reduce(checksum, START)).buffer), ...body])
}

/** Replaces a file atomically: temporary name, fsync, rename. What could not be written whole is removed. */
export function writeWhole(path: string, parts: readonly Uint8Array[]): void {
  const temporary = `${path}.${process.pid}.tmp`
  try {
    const file = openSync(temporary, 'w')
    try {
      for (const bytes of parts) for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

/** The file in memory of its own, aligned, so that arrays can be views of it. */
function readWhole(path: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(statSync(path).size)
  const file = openSync(path, 'r')
  try {
    for (let done = 0; done < bytes.length; ) {
      const read = readSync(file, bytes, done, bytes.length - done, done)
      if (read === 0) throw new RangeError(`${path} became shorter while being read.`)
      done += read
    }
  } finally {
    closeSync(file)
  }
  return bytes
}

/** The state of job `id`, or undefined when there is none, it is another job's, or it is damaged. */
export function readCheckpoint<Kept extends State = TrainingState>(path: string, id: string): Kept | undefined {
  try {
    const bytes = readWhole(path)
    const view = new DataView(bytes.buffer)
    if (view.getUint32(0, true) !== MAGIC || view.getUint32(8, true) !== checksum(START, bytes.subarray(12))) return undefined
    const length = view.getUint32(4, true)
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(12, 12 + length)))
    if (header.id !== id) return undefined
    let offset = 12 + Math.ceil(length / 4) * 4
    const state = header.state
    for (const [index, name] of ARRAYS.entries()) {
      const count: number = header.lengths[index]
      state[name] = new Float32Array(bytes.buffer, offset, count)
      offset += count * 4
    }
    return state
  } catch {
    return undefined
  }
}

const START = 0x811c9dc5

/** FNV-1a over 32-bit words, enough to see a torn or rotten file. Goes on from `hash`; the parts are whole words. */
function checksum(hash: number, bytes: Uint8Array): number {
  const words = new Uint32Array(bytes.byteOffset % 4 ? bytes.slice().buffer : bytes.buffer, bytes.byteOffset % 4 ? 0 : bytes.byteOffset, bytes.byteLength >> 2)
  let sum = hash
  for (let index = 0; index < words.length; index++) sum = Math.imul(sum ^ words[index]!, 0x01000193)
  return sum >>> 0
}
