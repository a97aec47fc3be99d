import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import { clean, linesOf, readCorpus } from './corpus.ts'

const folder = mkdtempSync(join(tmpdir(), 'corpus-'))
afterAll(() => rmSync(folder, { recursive: true }))

const long = (seed: string, count = 60) => Array.from({ length: count }, (_, index) => `${seed}${index}`).join(' ')
const row = (text: string) => `${JSON.stringify({ text, licence: 'CC0-1.0', lang: 'en' })}\n`
/** `{"text": "packed"}` and a line feed, by zstd 1.5. */
const ZSTD = Buffer.from('KLUv/QRYmQAAeyJ0ZXh0IjogInBhY2tlZCJ9CsPEpO0=', 'base64')

describe('readCorpus', () => {
  it('keeps each document once and says what became of the others', async () => {
    const paragraph = long('licence', 80)
    writeFileSync(
      join(folder, 'first.jsonl.gz'),
      gzipSync(
        [
          row(long('alpha')),
          row(long('alpha')),
          row('short'),
          row('1 | 2 | 3 | '.repeat(40)),
          row(`${paragraph}\n\n${long('beta')}`),
          row(long('secret')),
        ].join(''),
      ),
    )
    writeFileSync(join(folder, 'second.jsonl'), row(`${long('gamma')}\n\n${paragraph}`))
    const lines: string[] = []
    const { documents, report } = await readCorpus(folder, ['first', 'second'], {
      contaminated: (text) => text.includes('secret'),
      tell: (line) => lines.push(line),
    })
    expect(documents.map(({ source, text }) => [source, text.slice(0, 6)])).toEqual([
      ['first', 'alpha0'],
      ['first', 'licenc'],
      ['second', 'gamma0'],
    ])
    expect(documents[2]!.text).not.toContain('licence')
    expect(report.first).toMatchObject({ documents: 6, kept: 2, duplicates: 0, repeatedParagraphs: 1, tooShort: 2, notProse: 1, contaminated: 1 })
    expect(report.second).toMatchObject({ kept: 1, repeatedParagraphs: 1, licences: { 'CC0-1.0': documents[2]!.text.length } })
    expect(lines).toHaveLength(2)
  })

  it('says which source is missing', async () => {
    await expect(readCorpus(folder, ['third'], { contaminated: () => false, tell: () => {} })).rejects.toThrow('has no third.jsonl.zst')
  })

  it('reads what zstd has packed', async () => {
    writeFileSync(join(folder, 'packed.jsonl.zst'), ZSTD)
    const lines: string[] = []
    for await (const line of linesOf(join(folder, 'packed.jsonl.zst'))) lines.push(line)
    expect(lines).toEqual(['{"text": "packed"}'])
  })
})

describe('clean', () => {
  it('gives one form of each character and no control characters', () => {
    expect(clean('e\u0301a\u0000\r\n\r\n\r\n\r\nb \t\nc\ufeff')).toBe('éa\n\nb\nc')
  })
})
