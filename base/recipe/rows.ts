/**
 * Rows: which stretches of a token file are read, and in which order: the same as in pretrain.py, number for number. Knows
 * nothing of models.
 */
import { closeSync, openSync, readSync, statSync } from 'node:fs'

/** What a stage of training reads: rows of `length` tokens and the token after each of them. */
export type Rows = {
  readonly length: number
  /** Where rows `first` to `first + count` begin. */
  places(first: number, count: number): number[]
}

/** The share of a whole at which neighbours in an order lie farthest apart. */
const GOLDEN = 0.6180339887498949

/**
 * Rows out of tokens [start, end). Row i stands at window (i * stride + shift) mod windows, the stride near the golden section of
 * their count and prime to it: every window comes once before any comes twice, neighbours in a batch lie far apart, and where a row is
 * follows from i alone, so a resumed run reads on where it stopped. Each further pass is cut at other places.
 * @throws {RangeError} when the tokens are too few for two rows.
 */
export function rowsOf(options: { length: number; start: number; end: number; seed: number }): Rows {
  const { length, start, end, seed } = options
  const windows = Math.floor((end - start - 1) / length) - 1
  if (windows < 1) throw new RangeError(`${end - start} tokens are too few for rows of ${length}: at least ${2 * length + 1} are needed.`)
  let stride = Math.max(1, Math.round(windows * GOLDEN))
  while (commonDivisor(stride, windows) !== 1) stride++
  return {
    length,
    places: (first, count) =>
      Array.from({ length: count }, (_, index) => {
        const row = first + index
        const window = (row * stride + seed * 7919) % windows
        return start + window * length + ((Math.floor(row / windows) * 0x9e37 + seed) % length)
      }),
  }
}

/** Each stage reads its own part of the file, as long as its share: nothing is read twice before all of it was read once. */
export function stageRows(tokens: number, stages: readonly { length: number; share: number }[], seed: number): Rows[] {
  const whole = stages.reduce((sum, { share }) => sum + share, 0)
  let reached = 0
  return stages.map(({ length, share }) => {
    const start = Math.floor(tokens * reached)
    reached += share / whole
    return rowsOf({ length, start, end: Math.floor(tokens * Math.min(1, reached)), seed })
  })
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b)
}

/** A file of unsigned 16-bit little-endian numbers, or of bytes, read where it is asked for. */
export class NumberFile {
  readonly length: number
  readonly #file: number
  readonly #bytes: 1 | 2

  constructor(path: string, bytes: 1 | 2) {
    this.#file = openSync(path, 'r')
    this.#bytes = bytes
    this.length = Math.floor(statSync(path).size / bytes)
  }

  /** @throws {RangeError} for a stretch beyond the end. */
  slice(from: number, to: number): Uint16Array | Uint8Array {
    const bytes = new Uint8Array((to - from) * this.#bytes)
    for (let done = 0; done < bytes.length; ) {
      const count = readSync(this.#file, bytes, done, bytes.length - done, from * this.#bytes + done)
      if (count === 0) throw new RangeError(`The file ends before number ${to}.`)
      done += count
    }
    if (this.#bytes === 1) return bytes
    const view = new DataView(bytes.buffer)
    return Uint16Array.from({ length: to - from }, (_, index) => view.getUint16(index * 2, true))
  }

  close(): void {
    closeSync(this.#file)
  }
}
