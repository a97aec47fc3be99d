/** What is found in material while it becomes a dataset: what repeats, leaks, is personal; exams of their own, chosen columns, corrections. */
import { describe, expect, it } from 'vitest'
import { type Correction, corrected } from '../core/corrections.ts'
import { type Example, exampleOf } from '../core/dataset.ts'
import { isRefusal } from '../core/errors.ts'
import { describeFindings } from '../core/findings.ts'
import { offlinePlanner } from '../drivers/planner/offline.ts'
import type { Content } from '../ports/reader.ts'
import { type CollectOptions, collect } from './collect.ts'
import type { ColumnChoice } from './columns.ts'
import { describe as describeWords } from './describe.ts'
import { jaccard, Likeness, Sketches, shingles } from './likeness.ts'
import { passagesOf } from './passages.ts'
import { masked, personalIn } from './personal.ts'
import { questionsFrom, supported } from './questions.ts'

const nouns = ['kettle', 'bridge', 'harbour', 'violin', 'meadow', 'ledger', 'rocket', 'candle', 'ladder', 'anchor', 'barrel']
const sentence = (index: number): string =>
  `${nouns[index % 11]} ${nouns[(index * 5 + 3) % 11]} number${index} stands ${nouns[(index * 7 + 1) % 11]} beside item${index * 7} of row${index * 3}`
const rowsOf = (count: number, from = 0) => Array.from({ length: count }, (_, index) => ({ text: sentence(from + index), label: index % 2 ? 'wet' : 'dry' }))
const table = (name: string, rows: Record<string, string>[]): Content => ({
  kind: 'table',
  name,
  columns: [...new Set(rows.flatMap((row) => Object.keys(row)))],
  rows,
})

async function made(words: string, contents: Content[], options: CollectOptions = {}, choices: ColumnChoice[] = []) {
  const spec = await describeWords({ planner: offlinePlanner() }, words, contents, choices)
  if (isRefusal(spec)) throw new Error(spec.message)
  const collected = collect(spec, contents, options)
  if (isRefusal(collected)) throw new Error(collected.message)
  return { spec, ...collected }
}
const kinds = 'Tell me which kind of sentence this is.'

describe('what the expert adds', () => {
  it('is right about its very input, however many rows say something else, and is learned', async () => {
    const contents = [table('t.csv', [...rowsOf(200), { text: sentence(3), label: 'wet' }])]
    const corrections: Correction[] = [{ kind: 'add', input: sentence(3), outcome: { label: 'dry' } }]
    const { dataset } = await made(kinds, contents, { corrections })
    const said = [...dataset.training, ...dataset.practice].filter(({ input }) => input === sentence(3))
    expect(said.map(({ label }) => label)).toEqual(['dry'])
    expect(dataset.training).toContainEqual(said[0])
  })
})

describe('an exam of its own', () => {
  it('is the named file, whole, and nothing like its cases is learned from', async () => {
    const learned = [...rowsOf(200), ...rowsOf(10, 1000).map((row) => ({ ...row, text: `${row.text}!` }))]
    const contents = [table('train.csv', learned), table('exam/test.csv', rowsOf(40, 1000))]
    const { exam, dataset, findings } = await made(kinds, contents, { exam: ['exam/test.csv'] })
    expect(exam.cases.map(({ input }) => input)).toEqual(rowsOf(40, 1000).map(({ text }) => text))
    expect(dataset.training.length + dataset.practice.length).toBe(200)
    expect(findings).toMatchObject({ givenExam: true, leakage: 10, parts: { exam: 40 } })
    expect(describeFindings(findings).join('\n')).toMatch(
      /The exam is the file you named: 40 sealed cases[\s\S]*10 examples nearly like one in the exam were left out/,
    )
  })

  it('refuses a file that is not there and one too small', async () => {
    const contents = [table('train.csv', rowsOf(200)), table('test.csv', rowsOf(5, 1000))]
    await expect(made(kinds, contents, { exam: ['other.csv'] })).rejects.toThrow(/"other.csv" is not among the files/)
    await expect(made(kinds, contents, { exam: ['test.csv'] })).rejects.toThrow(/5 exam cases/)
  })
})

describe('findings', () => {
  it('say how the kinds are spread, what repeats, contradicts itself and is personal', async () => {
    const rows = [
      ...rowsOf(120),
      ...rowsOf(3),
      { text: sentence(0), label: 'wet' },
      { text: 'call me at +44 20 7946 0958 or mail jo@example.org', label: 'wet' },
    ]
    const { findings } = await made(kinds, [table('rows.csv', rows)], { languageOf: () => 'sw' })
    expect(findings.duplicates.exact).toBe(3)
    expect(findings.contradictions).toMatchObject({
      count: 1,
      shown: [{ input: sentence(0), kept: 'dry', said: [{ outcome: 'dry', rows: [1, 121] }, { outcome: 'wet' }] }],
    })
    expect(findings.classes.map(({ label }) => label).sort()).toEqual(['dry', 'wet'])
    for (const { count, training, exam } of findings.classes) expect(training + exam).toBeLessThan(count)
    expect(findings.languages).toEqual([{ language: 'sw', share: 1 }])
    expect(findings.personal.map(({ kind, count }) => [kind, count]).sort()).toEqual([
      ['mail', 1],
      ['phone', 1],
    ])
    expect(JSON.stringify(findings)).not.toContain('jo@example.org')
  })

  it('are of masked texts when asked, labels left as they are', async () => {
    const rows = rowsOf(120).map((row, index) => ({ text: `${row.text} from person${index}@example.org`, label: row.label }))
    const { dataset, exam, findings } = await made(kinds, [table('rows.csv', rows)], { mask: true })
    const all = [...dataset.training, ...dataset.practice, ...exam.cases]
    expect(all.every(({ input }) => input.endsWith('from [mail]'))).toBe(true)
    expect(new Set(all.map(({ label }) => label))).toEqual(new Set(['dry', 'wet']))
    expect(findings).toMatchObject({ masked: true, personal: [{ kind: 'mail', count: 120 }] })
  })
})

describe('personal data', () => {
  it.each([
    ['mail', 'write to jane.doe+x@clinic.example.org today', 'jane.doe+x@clinic.example.org'],
    ['iban', 'pay GB82 WEST 1234 5698 7654 32 now', 'GB82 WEST 1234 5698 7654 32'],
    ['card', 'card 4111 1111 1111 1111, please', '4111 1111 1111 1111'],
    ['patient number', 'seen with MRN: 00482913 in May', '00482913'],
    ['national id', 'SSN 536-22-8745 on file', '536-22-8745'],
    ['national id', 'DNI 12345678Z', '12345678Z'],
    ['national id', 'NHS number 943 476 5919', '943 476 5919'],
    ['phone', 'ring +1 415 555 2671 soon', '+1 415 555 2671'],
    ['phone', 'ring (415) 555-2671 soon', '(415) 555-2671'],
    ['name', 'seen by Dr. Amina Njeri today', 'Amina Njeri'],
    ['name', 'Patient name: Maria Lopez', 'Maria Lopez'],
  ])('%s is found in "%s"', (kind, text, value) => {
    expect(personalIn(text).map((found) => [found.kind, text.slice(found.start, found.end)])).toEqual([[kind, value]])
    expect(masked(text)).toBe(text.replace(value, `[${kind}]`))
  })

  it.each([
    'GB82 WEST 1234 5698 7654 33',
    'card 4111 1111 1111 1112',
    '12345678A',
    'from 2010-2012',
    'on 2020-05-17',
    'about 12,345,678 people',
    '$100.000.000',
    'section 12.3.4.5',
    'see Dr. who',
  ])('nothing is found in "%s"', (text) => expect(personalIn(text)).toEqual([]))
})

describe('near duplicates by sketches', () => {
  it('are those that comparing everything finds, and their memory stays small', () => {
    const texts = Array.from({ length: 3000 }, (_, index) => `${sentence(index)} and so it has always been in every town that anybody remembers ${index * 13}`)
    const near = texts.slice(0, 300).map((text) => `${text} indeed`)
    const exact = new Likeness()
    const sketches = new Sketches()
    for (const text of texts) {
      exact.add(text)
      sketches.add(text)
    }
    let found = 0
    for (const [index, text] of near.entries()) {
      const wanted = exact.find(text)
      expect(wanted).toContain(index)
      for (const other of sketches.find(text)) expect(jaccard(shingles(text), shingles(texts[other]!))).toBeGreaterThanOrEqual(0.8)
      if (sketches.find(text).includes(index)) found++
    }
    expect(found).toBeGreaterThanOrEqual(297)
    expect(sketches.find('nothing of the kind was ever written here before now')).toEqual([])
  })
})

describe('columns', () => {
  const rows = rowsOf(120).map(({ text, label }, index) => ({
    note: text,
    remark: `${text.split(' ').reverse().join(' ')} again`,
    weather: label,
    place: `p${index % 3}`,
  }))

  it('are what the expert says they are', async () => {
    const chosen: ColumnChoice[] = [
      { role: 'text', column: 'remark' },
      { role: 'label', column: 'place' },
    ]
    const { spec, dataset } = await made(kinds, [table('rows.csv', rows)], {}, chosen)
    expect(spec.files[0]).toMatchObject({ use: 'labelled', columns: { text: 'remark', label: 'place' }, why: '"place" is the label, as you said' })
    expect(spec.labels!.toSorted()).toEqual(['p0', 'p1', 'p2'])
    expect(dataset.training[0]!.input).toMatch(/again$/)
  })

  it('refuses a column that is not there and a part that is none', async () => {
    await expect(made(kinds, [table('rows.csv', rows)], {}, [{ role: 'text', column: 'body' }])).rejects.toThrow('No table has a column "body".')
    await expect(made(kinds, [table('rows.csv', rows)], {}, [{ role: 'txt', column: 'note' }])).rejects.toThrow('A column cannot be "txt".')
  })
})

describe('corrections', () => {
  const one = (input: string, label: string, row: number): Example => exampleOf({ input, label }, { file: 'rows.csv', row }, undefined)
  const [first, again, second, third] = [one('it rains', 'dry', 1), one('It rains!', 'wet', 2), one('it shines', 'dry', 3), one('it snows', 'wet', 4)]

  it('replace, remove and add, and hold for repetitions and for what was corrected before', () => {
    const changes: Correction[] = [
      { kind: 'replace', id: first.id, outcome: { label: 'soaked' } },
      { kind: 'remove', id: third.id },
      { kind: 'add', input: 'it hails', outcome: { label: 'wet' } },
    ]
    const once = corrected([first, again, second, third], changes)
    expect(once.map(({ input, label }) => [input, label])).toEqual([
      ['it rains', 'soaked'],
      ['it rains', 'soaked'],
      ['it shines', 'dry'],
      ['it hails', 'wet'],
    ])
    const twice = corrected(
      [first, again, second, third],
      [...changes, { kind: 'replace', id: once[0]!.id, outcome: { label: 'drenched' } }, { kind: 'remove', id: once[3]!.id }],
    )
    expect(twice.map(({ label }) => label)).toEqual(['drenched', 'drenched', 'dry'])
  })

  it('change nothing where their example is gone', () => {
    expect(corrected([second], [{ kind: 'remove', id: first.id }])).toEqual([second])
  })
})

describe('questions from documents', () => {
  const page = [
    '# Arrhythmia',
    '## Overview',
    'Atrial fibrillation is a common kind of irregular heartbeat that starts in the upper chambers. It can come and go.',
    'What raises the risk? High blood pressure raises the risk of it more than anything else does.',
    '## Symptoms',
    'The symptoms include:\n- A pounding or fluttering heart\n- Shortness of breath\n- Feeling light-headed or faint',
    'Around 37 percent of people who had surgery last winter reported that their symptoms returned within months.',
  ].join('\n\n')

  it('take every form, and quote what stands there', () => {
    const { passages } = passagesOf([{ name: 'page.md', text: page }], 'en')
    const questions = questionsFrom(passages, { language: 'en', most: 50 })
    expect(new Set(questions.map(({ made: form }) => form))).toEqual(new Set(['heading', 'definition', 'question', 'list', 'cloze']))
    expect(questions.find(({ made: form }) => form === 'definition')).toMatchObject({ input: 'What is Atrial fibrillation?' })
    expect(questions.find(({ made: form }) => form === 'cloze')!.input).toContain('____')
    for (const { answer } of questions) expect(supported(answer!, passages)).toBe(true)
    expect(supported('Around 38 percent of people', passages)).toBe(false)
    expect(questionsFrom(passages, { language: 'en', most: 3 })).toHaveLength(3)
  })

  it('never take the place of questions that people wrote', async () => {
    const asked = Array.from({ length: 70 }, (_, index) => ({ question: `${sentence(index)}?`, answer: `Because ${sentence(index + 500)}.` }))
    const { findings } = await made('Answer questions from our pages.', [table('faq.csv', asked), { kind: 'text', name: 'page.md', text: page }])
    expect(findings.made).toBe(0)
  })
})
