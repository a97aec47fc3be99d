/** What every planner promises: a Spec that fits the schema and what the files show, the same each time, or a refusal. */
import { describe, expect, it } from 'vitest'
import { isRefusal } from '../core/errors.ts'
import { Spec } from '../core/spec.ts'
import type { FileListing, Planner } from './planner.ts'

const pages: FileListing = {
  name: 'pages/angina.md',
  kind: 'md',
  sample: '# Angina\n\nAngina is chest pain that comes when the heart gets too little blood. Rest and medicines relieve it.',
}
const labelled: FileListing = {
  name: 'table.csv',
  kind: 'csv',
  columns: ['alpha', 'beta'],
  rows: 300,
  sample: Array.from({ length: 10 }, (_, index) => ({
    alpha: `The delivery of parcel ${index} came much too late and the box was torn.`,
    beta: index % 2 ? 'complaint' : 'order',
  })),
  values: {
    beta: [
      { value: 'order', count: 160 },
      { value: 'complaint', count: 140 },
    ],
  },
  empty: { alpha: 0, beta: 0 },
  length: { alpha: 64, beta: 7 },
}

export function plannerSuite(what: string, make: () => Planner): void {
  describe(`${what} is a planner`, () => {
    const plan = async (words: string, files: FileListing[]): Promise<Spec> => {
      const spec = await make().plan({ words, files })
      if (isRefusal(spec)) throw new Error(spec.message)
      return Spec.parse(spec)
    }

    it.each(['', '   \n', '?!'])('refuses the empty description %j', async (words) => {
      const refusal = await make().plan({ words, files: [pages] })
      expect(isRefusal(refusal) && refusal.code).toBe('empty_description')
    })

    it('sees in the files which column is the text and which the kind, whatever their names', async () => {
      const spec = await plan('Tell me which kind of message this is.', [labelled])
      expect(spec).toMatchObject({ task: 'classify', labels: ['order', 'complaint'], language: ['en'] })
      expect(spec.files).toMatchObject([{ name: 'table.csv', use: 'labelled', columns: { text: 'alpha', label: 'beta' } }])
      expect(spec.files[0]!.why).toContain('beta')
    })

    it('answers from pages, and names every file once', async () => {
      const spec = await plan('Answer questions about angina from these pages and say where each answer comes from.', [pages, labelled])
      expect(spec.task === 'answer' || spec.task === 'classify').toBe(true)
      expect((await plan('Answer questions about angina from these pages and say where each answer comes from.', [pages])).files).toMatchObject([
        { use: 'passages' },
      ])
      expect(spec.files.map((file) => file.name)).toEqual(['pages/angina.md', 'table.csv'])
    })

    it('plans without files and asks for what is missing', async () => {
      const spec = await plan('I want something that knows everything about goats.', [])
      expect(spec.clarify.length).toBeGreaterThan(0)
      expect(spec.clarify.length).toBeLessThanOrEqual(3)
    })

    it('gives a name that can be typed, whatever the language', async () => {
      for (const words of ['इन शिकायतों को श्रेणी में डालो', '把评论分类', 'Soma ujumbe', 'x']) expect((await plan(words, [])).slug).toMatch(/^[a-z0-9][a-z0-9-]*$/)
    })
  })
}
