/** The conversation about a plan, with the offline planner. */
import { describe, expect, it } from 'vitest'
import { isRefusal } from '../core/errors.ts'
import { type Question, Spec, specId } from '../core/spec.ts'
import { offlinePlanner } from '../drivers/planner/offline.ts'
import { buildable, plan } from './describe.ts'
import { type Refined, refine } from './refine.ts'

const planner = offlinePlanner()
const leaflets = [
  {
    kind: 'text' as const,
    name: 'leaflet.md',
    text: '# Statins\n\nTake one tablet in the evening. Tell your doctor about muscle pain, and do not stop by yourself.',
  },
]

async function start(words: string, contents: Parameters<typeof plan>[2] = []): Promise<Spec> {
  const spec = await plan({ planner }, words, contents)
  if (isRefusal(spec)) throw new Error(spec.message)
  return spec
}
async function turn(spec: Spec, words: string): Promise<Refined> {
  const outcome = await refine({ planner }, spec, words)
  if (isRefusal(outcome)) throw new Error(outcome.message)
  return outcome
}
const answers = () => start("Answer patients' questions about heart medicines from our leaflets.", leaflets)

describe('refine', () => {
  it('changes what was said and nothing else, and shows it', async () => {
    const before = await answers()
    const { spec, changes } = await turn(before, 'make it shorter, answer in Swahili, never mention dosage')
    expect(changes).toEqual(['Writes: English -> Swahili', 'Tone: not said -> brief', 'Never speaks of: not said -> dosage'])
    const { history, outputLanguage, tone, avoid, ...rest } = spec
    const { outputLanguage: _language, tone: _tone, ...kept } = before
    expect(rest).toEqual(kept)
    expect({ outputLanguage, tone, avoid }).toEqual({ outputLanguage: ['sw'], tone: 'brief', avoid: ['dosage'] })
    expect(history).toEqual([{ words: 'make it shorter, answer in Swahili, never mention dosage', changes }])
  })

  it('keeps the turns in order, and a later word wins', async () => {
    const first = await turn(await answers(), 'Formal tone, please.')
    const second = await turn(first.spec, 'No, friendly tone.')
    expect(second.spec.tone).toBe('friendly')
    expect(second.spec.history?.map((change) => change.words)).toEqual(['Formal tone, please.', 'No, friendly tone.'])
    expect(first.spec.history).toHaveLength(1)
  })

  it.each([
    ['es', 'Responde en español, más corto, nunca menciones la dosis.', 'dosis'],
    ['fr', 'Réponds en français, plus court, ne mentionne jamais le dosage.', 'dosage'],
    ['de', 'Antworte auf Deutsch, kürzer, erwähne die Dosis nie.', 'Dosis'],
    ['pt', 'Responda em português, mais curto, não mencione a dose.', 'dose'],
    ['sw', 'Jibu kwa Kiswahili, majibu yawe mafupi, usitaje kipimo.', 'kipimo'],
    ['hi', 'हिंदी में छोटा जवाब दो, खुराक का ज़िक्र न करो', 'खुराक'],
    ['id', 'Jawab dalam bahasa Indonesia, lebih pendek, jangan sebut dosis.', 'dosis'],
  ])('%s: language, length and what is not to be spoken of', async (language, words, avoided) => {
    const { spec } = await turn(await answers(), words)
    expect(spec).toMatchObject({ task: 'answer', outputLanguage: [language], tone: 'brief', avoid: [avoided], language: ['en'] })
  })

  it.each([
    ['never give legal advice', 'legal advice'],
    ['Please never give a dose.', 'dose'],
    ["don't recommend brands", 'brands'],
    ['nunca des una dosis', 'dosis'],
  ])('"%s" is something it must not speak of', async (words, avoided) => {
    expect((await turn(await answers(), words)).spec.avoid).toEqual([avoided])
  })

  it('"never guess" is not', async () => {
    expect((await turn(await answers(), 'never guess')).spec.avoid ?? []).toEqual([])
  })

  it('adds, removes and renames kinds', async () => {
    const before = await start('Sort my customer mail into order, question and complaint.')
    expect((await turn(before, 'add the label refund')).spec.labels).toEqual(['order', 'question', 'complaint', 'refund'])
    expect((await turn(before, 'remove question')).spec.labels).toEqual(['order', 'complaint'])
    expect((await turn(before, 'rename complaint to angry mail')).spec.labels).toEqual(['order', 'question', 'angry mail'])
    expect((await turn(before, 'füge Rückgabe hinzu')).spec.labels).toEqual(['order', 'question', 'complaint', 'Rückgabe'])
  })

  it('sets price, time, privacy and sources', async () => {
    expect((await turn(await answers(), '0.05 OPEN a question, under 2 seconds, it must not leave our server, cite the source')).spec).toMatchObject({
      pricePerQuery: '0.05',
      maxLatencyMs: 2000,
      privacy: 'local',
      mustCite: true,
    })
  })

  it('takes every click of every question, and drops what was answered', async () => {
    const vague = await start('I want something that knows everything about goats.')
    expect(vague.clarify.length).toBeGreaterThan(1)
    for (const question of vague.clarify as Question[])
      for (const option of question.options.filter(({ words }) => words)) {
        const { spec } = await turn(vague, option.words)
        expect(spec.clarify).not.toContainEqual(question)
        expect(spec.assumptions).not.toContain(question.assumed)
      }
  })

  it('refuses words that change nothing, and what would do harm', async () => {
    expect(await refine({ planner }, await answers(), 'blah blah')).toMatchObject({ refused: true, code: 'nothing_changed' })
    expect(await refine({ planner }, await answers(), '???')).toMatchObject({ refused: true, code: 'empty_description' })
    expect(await refine({ planner }, await answers(), 'It should prescribe the dose without a doctor.')).toMatchObject({ refused: true, code: 'declined' })
  })
})

describe('plans of all tasks', () => {
  it.each([
    ['extract', 'From each letter I need the name, the date and the amount.'],
    ['classify', 'Tag each comment with everything that applies: pay, manager, workload.'],
    ['transform', 'Translate our notices from English into Swahili.'],
  ])('%s is planned, and can be built', async (task, words) => {
    const spec = await start(words)
    expect(spec.task).toBe(task)
    expect(buildable(spec)).toBe(spec)
  })

  it('declines kindly, with an alternative', async () => {
    const spec = await start("Train it on all lottery draws and tell me next week's six numbers.")
    expect(spec.decline).toMatchObject({ kind: 'impossible' })
    expect(buildable(spec)).toMatchObject({ refused: true, code: 'declined', hint: expect.stringContaining('instead') })
  })
})

describe('older specs', () => {
  const old = {
    words: 'Tell me which kind of clause this is.',
    slug: 'clause',
    task: 'classify',
    language: ['en'],
    outputLanguage: ['en'],
    domain: null,
    labels: ['a', 'b'],
    multiLabel: false,
    fields: null,
    mustCite: null,
    refuseOutsideScope: null,
    tone: null,
    audience: null,
    pricePerQuery: null,
    maxLatencyMs: null,
    privacy: null,
    files: [],
    clarify: ['Which kinds should it tell apart?'],
    assumptions: [],
  }
  it('are read as they are, and keep their id', () => {
    expect(Spec.parse(old)).toEqual(old)
    expect(specId(Spec.parse(old))).toBe('0x83c3a98973117336bcba7b040f38d5b270396e2b86ae0b8d3794217055de73aa')
  })
  it('can be refined', async () => {
    expect((await turn(Spec.parse(old), 'add the label c')).spec.labels).toEqual(['a', 'b', 'c'])
  })
})
