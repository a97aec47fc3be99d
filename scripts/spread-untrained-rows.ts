/**
 * Spreads the embedding rows of tokens a base has never seen in training, into a new GGUF file. Such rows all drift the same
 * way while the others are learned (cosine 0.997 in modelfactory-base-xs-v0), so labels that are read from them can hardly be
 * told apart. Their common part is taken out and what is left is scaled to the length of an ordinary row; all other bytes stay.
 * Usage: tsx scripts/spread-untrained-rows.ts IN.gguf OUT.gguf FIRST LAST
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { openGguf } from '../src/engine/gguf.ts'

const [input, output, firstText, lastText] = process.argv.slice(2)
const [first, last] = [Number(firstText), Number(lastText)]
if (!input || !output || !(first >= 0 && last >= first)) {
  console.error('Usage: tsx scripts/spread-untrained-rows.ts IN.gguf OUT.gguf FIRST LAST')
  process.exit(2)
}
const gguf = openGguf(input)
const info = gguf.tensors.get('token_embd.weight')
const [vocabulary, width] = info?.shape ?? []
if (info?.type !== 'Q8_0' || vocabulary === undefined || width === undefined || last >= vocabulary) {
  console.error(`${input} must hold token_embd.weight as Q8_0 with more than ${last} rows; it is ${info?.type} with ${vocabulary}.`)
  process.exit(1)
}
const values = gguf.tensor(info.name)
const rowOf = (index: number) => values.subarray(index * width, (index + 1) * width)
const lengthOf = (row: Float32Array) => Math.hypot(...row)
const trained = Array.from({ length: vocabulary }, (_, index) => index).filter((index) => index < first || index > last)
const usual = trained.map((index) => lengthOf(rowOf(index))).sort((a, b) => a - b)[trained.length >> 1]!
const common = new Float32Array(width)
for (let index = first; index <= last; index++) for (const [column, value] of rowOf(index).entries()) common[column]! += value / (last - first + 1)

const bytes = readFileSync(input)
for (let index = first; index <= last; index++) {
  const row = rowOf(index).map((value, column) => value - common[column]!)
  const scale = usual / lengthOf(row)
  for (let block = 0; block < width / 32; block++) {
    const part = row.subarray(block * 32, block * 32 + 32).map((value) => value * scale)
    const at = info.offset + ((index * width) / 32 + block) * 34
    const step = Math.max(...part.map(Math.abs)) / 127
    const stored = half(step)
    bytes.writeUInt16LE(stored.bits, at)
    for (const [place, value] of part.entries()) bytes.writeInt8(Math.max(-127, Math.min(127, Math.round(value / stored.value))), at + 2 + place)
  }
}
writeFileSync(output, bytes)
console.log(`${output}: rows ${first} to ${last} spread to length ${usual.toFixed(3)}`)

/** The nearest normal binary16 of a positive number of ordinary size. */
function half(value: number): { bits: number; value: number } {
  const exponent = Math.floor(Math.log2(value))
  const fraction = Math.round((value / 2 ** exponent - 1) * 1024)
  return { bits: ((exponent + 15) << 10) + fraction, value: 2 ** exponent * (1 + fraction / 1024) }
}
