/** Material: what is found in a builder's files, by the real planner and reader. */
import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { isRefusal } from '../core/errors.ts'
import { offlinePlanner } from '../drivers/planner/offline.ts'
import { anyFiles } from '../drivers/reader/any-files.ts'
import { openMaterial } from './material.ts'

describe('material', () => {
  it('counts the languages of texts by what the plan says, where letters know no better', async () => {
    const sentence = (number: number, kind: string) => `Zientzialariek ${number} aldiz esan dute ${kind === 'kirola' ? 'partida' : 'euria'} gaur etorriko dela`
    const rows = Array.from({ length: 120 }, (_, number) => (number % 2 ? 'kirola' : 'eguraldia')).map((label, number) => ({
      text: sentence(number, label),
      label,
    }))
    const bytes = gzipSync(rows.map((row) => JSON.stringify(row)).join('\n'))
    const material = openMaterial({ planner: offlinePlanner(), reader: anyFiles() })
    const made = await material.prepare('Sort Basque sentences by topic', [{ name: 'rows.jsonl.gz', bytes }])
    if (isRefusal(made)) throw new Error(made.message)
    expect(made.spec.language).toEqual(['eu'])
    expect(made.findings.languages.map(({ language }) => language)).toEqual(['eu'])
  })

  it('takes answers that the other files do not hold as pages, and a README beside tables for what it is', async () => {
    const asked = Array.from({ length: 90 }, (_, number) => ({
      question: `What is remedy number ${number} good for in winter?`,
      answer: `Remedy ${number} warms whoever drinks ${number} cups of it before the walk to the ${number % 7 ? 'well' : 'mill'}.`,
    }))
    const table = { name: 'rows.jsonl', bytes: Buffer.from(asked.map((row) => JSON.stringify(row)).join('\n')) }
    const words = 'Answer questions about winter remedies.'
    const text = (name: string) => ({
      name,
      bytes: Buffer.from('# Winter remedies\n\nThese rows were gathered by the village school in 1931. Use them freely.\n'),
    })
    const material = openMaterial({ planner: offlinePlanner(), reader: anyFiles() })
    const beside = await material.prepare(words, [table, text('notes.md')])
    if (isRefusal(beside)) throw new Error(beside.message)
    expect(beside.dataset.passages.length).toBeGreaterThan(89)
    expect(beside.dataset.notes.join(' ')).toContain('90 answers do not stand in the other files')
    const about = await material.prepare(words, [table, text('README.md')])
    if (isRefusal(about)) throw new Error(about.message)
    expect(about.dataset.passages.every(({ source }) => source.file === 'rows.jsonl')).toBe(true)
    expect(about.licences.join(' ')).toContain('village school')
    // Alone, or beside other pages, it is a page like them.
    const pages = await material.prepare(words, [table, text('README.md'), text('notes.md')])
    expect(!isRefusal(pages) && pages.dataset.passages.some(({ source }) => source.file === 'README.md')).toBe(true)
  })
  it('names the files with their hashes and who gave them, and learns nothing from the page that says so', async () => {
    const text = (name: string, body: string) => ({ name, bytes: Buffer.from(body) })
    const page = text(
      'docs/remedies.md',
      `# Remedies\n\n${Array.from({ length: 40 }, (_, number) => `Remedy ${number} warms the hands in winter.`).join(' ')}\n`,
    )
    const given = `0x${'a'.repeat(40)}`
    const rows = Array.from({ length: 90 }, (_, number) => ({
      question: `What does remedy ${number} warm?`,
      answer: `Remedy ${number} warms the hands in winter.`,
    }))
    const table = text('rows.jsonl', rows.map((row) => JSON.stringify(row)).join('\n'))
    const material = openMaterial({ planner: offlinePlanner(), reader: anyFiles() })
    const words = 'Answer questions about winter remedies.'
    const made = await material.prepare(words, [page, table, text('docs/CONTRIBUTORS.txt', `remedies.md = The village school ${given}\n`)])
    if (isRefusal(made)) throw new Error(made.message)
    const sha256 = `0x${createHash('sha256').update(page.bytes).digest('hex')}`
    expect(made.datasets).toEqual([
      { file: 'docs/remedies.md', sha256, contributor: { name: 'The village school', recipient: given } },
      { file: 'rows.jsonl', sha256: expect.stringMatching(/^0x[0-9a-f]{64}$/) },
    ])
    expect(JSON.stringify(made.dataset)).not.toContain('village school')
    expect(await material.prepare(words, [page, table, text('contributors', 'other.md = Ada\n')])).toMatchObject({ code: 'contributor_without_file' })
    expect(await material.prepare(words, [page, table, text('contributors.md', 'nonsense\n')])).toMatchObject({ code: 'contributors_unreadable' })
  })
})
