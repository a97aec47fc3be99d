/** Conformance of a {@link Tagger}. Knows nothing of how a tagger works. */
import { describe, expect, it } from 'vitest'
import type { TaggedWords, Tagger } from './tagger.ts'

const drugs = ['aspirin', 'ibuprofen', 'warfarin', 'digoxin', 'heparin', 'metoprolol']
const verbs = ['takes', 'needs', 'refused', 'got']
/** A drug is tag 1; "daily" after it is tag 2. */
const rows = (from: number, to: number): TaggedWords[] =>
  Array.from({ length: to - from }, (_, index) => {
    const number = from + index
    return { words: ['Patient', String(number), verbs[number % 4]!, drugs[number % 6]!, 'daily', '.'], tags: [0, 0, 0, 1, 2, 0] }
  })

export function taggerSuite(name: string, make: () => Tagger): void {
  const best = (row: number[]) => row.indexOf(Math.max(...row))
  describe(`tagger: ${name}`, () => {
    const fitted = make().fit({ training: rows(0, 60), practice: rows(60, 72), tags: 3 })

    it('learns which words are tagged, and generalises to a word by where it stands', async () => {
      const tagger = await fitted
      const scores = tagger.scores(['Patient', '99', 'needs', 'apixaban', 'daily', '.'])
      expect(scores.map(best)).toEqual([0, 0, 0, 1, 2, 0])
      for (const row of scores) expect(row.reduce((sum, value) => sum + Math.exp(value), 0)).toBeCloseTo(1, 3)
    })

    it('is the same after it was saved and loaded, and when fitted again', async () => {
      const tagger = await fitted
      const words = ['Patient', '7', 'got', 'heparin', 'daily', '.']
      const loaded = make().load(tagger.save())
      for (const [index, row] of loaded.scores(words).entries())
        for (const [tag, value] of row.entries()) expect(value).toBeCloseTo(tagger.scores(words)[index]![tag]!, 1)
      const again = await make().fit({ training: rows(0, 60), practice: rows(60, 72), tags: 3 })
      expect(Buffer.from(again.save()).equals(Buffer.from(tagger.save()))).toBe(true)
    })

    it('tags nothing in no words, and refuses bytes that are something else', async () => {
      expect((await fitted).scores([])).toEqual([])
      expect(() => make().load(new Uint8Array([1, 2, 3]))).toThrow(/tagger/)
    })

    it('stops when told', async () => {
      await expect(make().fit({ training: rows(0, 60), practice: rows(60, 72), tags: 3, signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow(
        'enough',
      )
    })
  })
}
