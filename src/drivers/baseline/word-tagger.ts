/**
 * The strong cheap tagger: multinomial logistic regression over each word, its neighbours, their beginnings, endings and shapes
 * (the features of Ratnaparkhi 1996), hashed, fitted by AdaGrad (Duchi et al. 2011). Knows nothing of specs or files.
 */
import { random } from '../../core/report.ts'
import type { FittedTagger, LoadedTagger, Tagger } from '../../ports/tagger.ts'

const MOST_PASSES = 12
const RATE = 0.25
/** Passes over the data without a better practice loss before it stops. */
const PATIENCE = 2
const MAGIC = 'modelfactory/word-tagger@1\n'

export function wordTagger(): Tagger {
  return {
    what: 'logistic regression on words, neighbours, affixes and shapes',
    async fit({ training, practice, tags, signal }) {
      const bits = tags <= 9 ? 18 : 17
      const weights = new Float32Array(tags << bits)
      const squares = new Float32Array(tags << bits)
      const rows = training.map((one) => ({ features: featuresOf(one.words, bits), tags: one.tags }))
      const held = practice.map((one) => ({ features: featuresOf(one.words, bits), tags: one.tags }))
      const order = rows.map((_, index) => index)
      const next = random(1)
      const scores = new Float64Array(tags)
      let best = { loss: Number.POSITIVE_INFINITY, weights: weights.slice() }
      for (let pass = 0, since = 0; pass < MOST_PASSES && since <= PATIENCE; pass++) {
        shuffle(order, next)
        for (const [done, index] of order.entries()) {
          if (done % 256 === 0) {
            // A breath now and then, so that a server in the same process keeps answering.
            await new Promise((resolve) => setImmediate(resolve))
            signal?.throwIfAborted()
          }
          const row = rows[index]!
          for (const [place, features] of row.features.entries()) {
            probabilities(weights, features, tags, scores)
            for (let tag = 0; tag < tags; tag++) {
              const slope = scores[tag]! - (row.tags[place] === tag ? 1 : 0)
              if (Math.abs(slope) < 1e-4) continue
              for (const feature of features) {
                const at = feature * tags + tag
                squares[at]! += slope * slope
                weights[at]! -= (RATE * slope) / Math.sqrt(squares[at]! + 1e-6)
              }
            }
          }
        }
        const loss = lossOf(weights, held.length ? held : rows, tags, scores)
        if (loss < best.loss - 1e-5) {
          best = { loss, weights: weights.slice() }
          since = 0
        } else since++
      }
      const rounded = round(best.weights)
      return { ...loaded({ tags, bits, ...rounded }), save: () => save({ tags, bits, ...rounded }) } satisfies FittedTagger
    },
    load: (bytes) => loaded(read(bytes)),
  }
}

type Model = { tags: number; bits: number; scale: number; values: Int8Array }

/** A byte a weight: what a word is was never changed by it where we looked. */
function round(weights: Float32Array): { scale: number; values: Int8Array } {
  const scale = weights.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-9) / 127
  return { scale, values: Int8Array.from(weights, (value) => Math.round(value / scale)) }
}

function loaded({ tags, bits, scale, values }: Model): LoadedTagger {
  const weights = Float32Array.from(values, (value) => value * scale)
  const scores = new Float64Array(tags)
  return {
    scores: (words) =>
      featuresOf(words, bits).map((features) => {
        probabilities(weights, features, tags, scores)
        return Array.from(scores, (value) => Math.log(Math.max(value, 1e-12)))
      }),
  }
}

/** The mark, then tags, bits and scale, then a byte a weight. */
function save({ tags, bits, scale, values }: Model): Uint8Array {
  const head = Buffer.alloc(16)
  head.writeUInt32LE(tags, 0)
  head.writeUInt32LE(bits, 4)
  head.writeDoubleLE(scale, 8)
  return Buffer.concat([Buffer.from(MAGIC), head, Buffer.from(values.buffer, values.byteOffset, values.byteLength)])
}

function read(bytes: Uint8Array): Model {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const start = MAGIC.length
  if (buffer.length < start + 16 || buffer.subarray(0, start).toString('latin1') !== MAGIC)
    throw new RangeError(`These ${bytes.length} bytes are no word tagger.`)
  const [tags, bits, scale] = [buffer.readUInt32LE(start), buffer.readUInt32LE(start + 4), buffer.readDoubleLE(start + 8)]
  const values = new Int8Array(buffer.subarray(start + 16))
  if (bits > 22 || values.length !== tags * 2 ** bits)
    throw new RangeError(`A word tagger of ${tags} tags has ${values.length} weights, not ${tags * 2 ** bits}.`)
  return { tags, bits, scale, values }
}

function probabilities(weights: Float32Array, features: Int32Array, tags: number, scores: Float64Array): void {
  scores.fill(0)
  for (const feature of features) for (let tag = 0; tag < tags; tag++) scores[tag]! += weights[feature * tags + tag]!
  let largest = Number.NEGATIVE_INFINITY
  for (const value of scores) if (value > largest) largest = value
  let sum = 0
  for (let tag = 0; tag < tags; tag++) sum += scores[tag] = Math.exp(scores[tag]! - largest)
  for (let tag = 0; tag < tags; tag++) scores[tag]! /= sum
}

function lossOf(weights: Float32Array, rows: readonly { features: Int32Array[]; tags: readonly number[] }[], tags: number, scores: Float64Array): number {
  let loss = 0
  let count = 0
  for (const row of rows)
    for (const [place, features] of row.features.entries()) {
      probabilities(weights, features, tags, scores)
      loss -= Math.log(Math.max(scores[row.tags[place]!]!, 1e-12))
      count++
    }
  return count ? loss / count : 0
}

/** For each word the places of its features among 2^bits. */
function featuresOf(words: readonly string[], bits: number): Int32Array[] {
  const lower = words.map((word) => word.toLowerCase())
  const shapes = words.map(shapeOf)
  const at = (list: readonly string[], place: number): string => list[place] ?? (place < 0 ? '<' : '>')
  return words.map((_, place) => {
    const word = lower[place]!
    const characters = Array.from(word)
    const features = ['bias', `w ${word}`, `s ${shapes[place]}`]
    for (let size = 1; size <= 4 && size < characters.length; size++)
      features.push(`p ${characters.slice(0, size).join('')}`, `e ${characters.slice(-size).join('')}`)
    for (const offset of [-3, -2, -1, 1, 2, 3]) features.push(`${offset} ${at(lower, place + offset)}`)
    for (const offset of [-1, 1]) {
      const other = at(lower, place + offset)
      features.push(`${offset}s ${at(shapes, place + offset)}`, `${offset}e ${other.slice(-3)}`)
    }
    features.push(`-1w ${at(lower, place - 1)} ${word}`, `w1 ${word} ${at(lower, place + 1)}`, `-11 ${at(lower, place - 1)} ${at(lower, place + 1)}`)
    return Int32Array.from(features, (feature) => hash(feature) & ((1 << bits) - 1))
  })
}

const shapeOf = (word: string): string =>
  word
    .replace(/\p{Lu}/gu, 'A')
    .replace(/\p{Ll}/gu, 'a')
    .replace(/\p{N}/gu, '0')
    .replace(/(.)\1{2,}/gu, '$1$1')

function hash(text: string): number {
  let value = 0x811c9dc5
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193)
  value ^= value >>> 16
  value = Math.imul(value, 0x85ebca6b)
  return (value ^ (value >>> 13)) >>> 0
}

function shuffle(items: number[], next: () => number): void {
  for (let index = items.length - 1; index > 0; index--) {
    const other = Math.floor(next() * (index + 1))
    ;[items[index], items[other]] = [items[other]!, items[index]!]
  }
}
