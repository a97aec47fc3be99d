/** Material: what is found in a builder's files, by the real planner and reader. */
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
})
