/** What every retriever promises: the passage a question is about comes first, in any script, and no more than asked for. */
import { describe, expect, it } from 'vitest'
import type { Passage } from '../core/dataset.ts'
import { contentId } from '../core/id.ts'
import type { Retriever } from './retriever.ts'

const passage = (title: string, heading: string, text: string): Passage => ({
  id: contentId({ title, heading, text }),
  title,
  heading,
  sentences: [text],
  source: { file: `${title}.md` },
})

export function retrieverSuite(what: string, make: () => Retriever): void {
  describe(`${what} is a retriever`, () => {
    const passages = [
      passage('Angina', 'Symptoms', 'Pressure or squeezing in the chest is the usual complaint.'),
      passage('Angina', 'Treatment', 'Nitrates relax blood vessels and let more blood flow to the heart.'),
      passage('Stroke', 'Symptoms', 'Sudden weakness of the face, arm or leg may occur.'),
      passage('Malaria', 'Dalili', 'Homa, kutetemeka na maumivu ya kichwa ni dalili za malaria.'),
      passage('हृदय', 'लक्षण', 'सीने में दर्द और साँस फूलना हृदय रोग के लक्षण हैं।'),
      passage('茶', '泡茶', '用八十度的热水泡绿茶。'),
    ]
    const index = make().index(passages, 'en')
    const first = (question: string) => index.search(question, 3)[0]?.passage

    it.each([
      ['What are the symptoms of angina?', 0],
      ['How do nitrates help?', 1],
      ['STROKE symptom', 2],
      ['dalili za malaria', 3],
      ['हृदय रोग के लक्षण', 4],
      ['绿茶怎么泡', 5],
    ])('finds what "%s" is about', (question, expected) => {
      expect(first(question)).toBe(passages[expected])
    })

    it('gives at most as many as asked for, best first, and none for words no passage has', () => {
      const hits = index.search('symptoms of angina and stroke', 2)
      expect(hits).toHaveLength(2)
      expect(hits[0]!.score).toBeGreaterThanOrEqual(hits[1]!.score)
      expect(index.search('zzzz qqqq', 5)).toEqual([])
      expect(index.search('', 5)).toEqual([])
    })

    it('indexes nothing without fuss', () => {
      expect(make().index([], 'sw').search('anything', 3)).toEqual([])
    })
  })
}
