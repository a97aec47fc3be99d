import { gzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { isRefusal } from '../../core/errors.ts'
import { random } from '../../core/report.ts'
import { anyFiles } from './any-files.ts'
import { newBudget, openArchive } from './archive.ts'
import { archiveOf, bytesOf, docxOf, odsOf, odsRow, type Packed, paragraph, pdfOf, prosePage, wordTable, xlsxOf } from './samples.suite.ts'

const rows = Array.from({ length: 6 }, (_, index) => [`text ${index}`, index % 2 ? 'good' : 'bad'])
const seeds: Record<string, Uint8Array> = {
  'a.pdf': pdfOf([1, 2].map((number) => prosePage(number, (index) => `Sentence ${index} of it.`))),
  'b.docx': docxOf(paragraph('The guide', 'T') + paragraph('Words of it.') + wordTable(rows)),
  'c.xlsx': xlsxOf([{ name: 'S', rows: [['text', 'label'], ...rows] }]),
  'd.ods': odsOf(odsRow(['text', 'label']) + rows.map((row) => odsRow(row)).join('')),
  'e.html': bytesOf(
    `<html><body><h1>T</h1><p>Words.</p><table>${rows.map((row) => `<tr><td>${row.join('</td><td>')}</td></tr>`).join('')}</table></body></html>`,
  ),
  'f.zip': archiveOf([
    { path: 'a/t.csv', bytes: `text,label\n${rows.map((row) => row.join()).join('\n')}\n`, deflate: true },
    { path: 'b.md', bytes: '# T\n\nWords.' },
  ]),
  'i.csv.gz': gzipSync(`text,label\n${rows.map((row) => row.join()).join('\n')}\n`),
  'g.csv': bytesOf(`text,label\n${rows.map((row) => row.join()).join('\n')}\n`),
  'h.jsonl': bytesOf(rows.map(([text, label]) => JSON.stringify({ text, label })).join('\n')),
}
const names = Object.keys(seeds)
const places = ['PK\x01\x02', 'PK\x05\x06', 'PK\x03\x04', 'obj', 'stream', '<w:', '<c ', '</']

/** One file hurt the way transfers, disks and enemies hurt files; the same for the same numbers. */
function hurt(original: Uint8Array, next: () => number): Uint8Array {
  const at = (length: number) => Math.floor(next() * length)
  const bytes = Buffer.from(original)
  const way = at(6)
  if (way === 0) return new Uint8Array(bytes.subarray(0, at(bytes.length) + 1))
  if (way === 1) {
    // A stretch of it twice.
    const start = at(bytes.length)
    const end = start + at(bytes.length - start)
    return new Uint8Array(Buffer.concat([bytes.subarray(0, end), bytes.subarray(start)]))
  }
  if (way === 2) {
    const start = at(bytes.length)
    return new Uint8Array(Buffer.concat([bytes.subarray(0, start), bytes.subarray(start + at(200))]))
  }
  if (way === 3) {
    // Where structures begin, numbers that claim the most.
    const start = bytes.indexOf(places[at(places.length)]!, at(bytes.length))
    if (start >= 0)
      bytes
        .subarray(start + 4 + at(24))
        .subarray(0, 1 + at(4))
        .fill(next() < 0.5 ? 0xff : 0)
    return new Uint8Array(bytes)
  }
  for (let change = 0; change < 1 + next() * (way === 4 ? 3 : 60); change++) bytes[at(bytes.length)] = at(256)
  return new Uint8Array(bytes)
}

/** The parts of an archive, so that one can be hurt behind whole checksums: else few would get past the unpacking. */
async function partsOf(bytes: Uint8Array): Promise<Packed[]> {
  const archive = await openArchive('seed', bytes, newBudget())
  if (isRefusal(archive)) throw new Error(archive.message)
  return Promise.all(archive.names.map(async (path) => ({ path, bytes: (await archive.read(path)) as Uint8Array, deflate: true })))
}

it('gives content or a clear refusal for 1,000 mutated files, and reads whole ones after', async () => {
  const reader = anyFiles()
  const next = random(11)
  const packed = new Map<string, Packed[]>()
  for (const name of names) if (seeds[name]![0] === 0x50) packed.set(name, await partsOf(seeds[name]!))
  const outcomes = new Map<string, number>()
  for (let round = 0; round < 1000; round++) {
    const kind = names[round % names.length]!
    // Every tenth has the name of another kind.
    const name = round % 10 === 9 ? names[Math.floor(next() * names.length)]! : kind
    const parts = packed.get(kind)
    const chosen = Math.floor(next() * (parts?.length ?? 1))
    const bytes =
      parts && next() < 0.6
        ? archiveOf(parts.map((part, index) => (index === chosen ? { ...part, bytes: hurt(part.bytes as Uint8Array, next) } : part)))
        : hurt(seeds[kind]!, next)
    const read = await reader.read({ name, bytes })
    const outcome = isRefusal(read) ? read.code : 'read'
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    if (isRefusal(read)) {
      expect(read.message).toContain(name)
      expect(read.hint.length).toBeGreaterThan(20)
      expect(read.message).not.toMatch(/undefined|\[object|TypeError/)
      continue
    }
    expect(read.length).toBeGreaterThan(0)
    for (const content of read) {
      expect(content.name.startsWith(name)).toBe(true)
      if (content.kind === 'text') expect(content.text).toMatch(/[\p{L}\p{N}]/u)
      else {
        expect(content.columns.length).toBeGreaterThan(0)
        for (const row of content.rows) expect(Object.keys(row)).toEqual(content.columns)
      }
    }
  }
  // Both ends of it happened, and often.
  expect(outcomes.get('read')).toBeGreaterThan(200)
  expect(1000 - outcomes.get('read')!).toBeGreaterThan(200)
  expect(outcomes.get('document_too_slow')).toBeUndefined()
  for (const name of names) expect(isRefusal(await reader.read({ name, bytes: seeds[name]! }))).toBe(false)
  if (process.env.SHOW) console.log(outcomes)
}, 120_000)
