/**
 * Checkpoint: a training state in one file, replaced atomically, so that a crash leaves the one before or the new one whole.
 * Knows nothing of what the numbers mean.
 */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import type { TrainingState } from './training.ts'

const MAGIC = 0x4b43464d
const ARRAYS = ['parameters', 'moments', 'best'] as const

/** Writes the state under a temporary name, syncs it and renames it. @throws what the file system throws, e.g. when full. */
export function writeCheckpoint(path: string, id: string, state: TrainingState): void {
  const { parameters, moments, best, ...rest } = state
  const arrays = [parameters, moments, best]
  const header = new TextEncoder().encode(JSON.stringify({ id, lengths: arrays.map(({ length }) => length), state: rest }))
  const padded = Math.ceil(header.length / 4) * 4
  const bytes = new Uint8Array(12 + padded + arrays.reduce((total, { byteLength }) => total + byteLength, 0))
  const view = new DataView(bytes.buffer)
  view.setUint32(0, MAGIC, true)
  view.setUint32(4, header.length, true)
  bytes.set(header, 12)
  let offset = 12 + padded
  for (const values of arrays) {
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), offset)
    offset += values.byteLength
  }
  view.setUint32(8, checksum(bytes.subarray(12)), true)
  writeWhole(path, bytes)
}

/** Replaces a file atomically: temporary name, fsync, rename. */
export function writeWhole(path: string, bytes: Uint8Array): void {
  const temporary = `${path}.${process.pid}.tmp`
  const file = openSync(temporary, 'w')
  try {
    let done = 0
    while (done < bytes.length) done += writeSync(file, bytes, done)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(temporary, path)
}

/** The state of job `id`, or undefined when there is none, it is another job's, or it is damaged. */
export function readCheckpoint(path: string, id: string): TrainingState | undefined {
  try {
    const bytes = new Uint8Array(readFileSync(path))
    const view = new DataView(bytes.buffer)
    if (view.getUint32(0, true) !== MAGIC || view.getUint32(8, true) !== checksum(bytes.subarray(12))) return undefined
    const length = view.getUint32(4, true)
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(12, 12 + length)))
    if (header.id !== id) return undefined
    let offset = 12 + Math.ceil(length / 4) * 4
    const state = header.state
    for (const [index, name] of ARRAYS.entries()) {
      const count: number = header.lengths[index]
      state[name] = new Float32Array(bytes.buffer.slice(offset, offset + count * 4))
      offset += count * 4
    }
    return state
  } catch {
    return undefined
  }
}

/** FNV-1a over 32-bit words, enough to see a torn or rotten file. */
function checksum(bytes: Uint8Array): number {
  const words = new Uint32Array(bytes.slice(0, bytes.length - (bytes.length % 4)).buffer)
  let hash = 0x811c9dc5
  for (const word of words) hash = Math.imul(hash ^ word, 0x01000193)
  return hash >>> 0
}
