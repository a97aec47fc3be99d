import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { accuracy, random } from '../../core/report.ts'
import { textFiles } from '../reader/text-files.ts'
import { ngramCommittee } from './ngram-committee.ts'
import { ngramSvm } from './ngram-svm.ts'

const case_ = (input: string, label: string) => ({ input, label })
const topLabel = (labels: readonly string[], row: readonly number[]) => labels[row.indexOf(Math.max(...row))]!

it('learns more of a real task than the SVM alone, in a file no larger', async () => {
  const contents = await textFiles().read({ name: 's.csv', bytes: readFileSync(new URL('../../../examples/swahili/files/sentensi.csv', import.meta.url)) })
  const content = Array.isArray(contents) ? contents[0] : undefined
  if (content?.kind !== 'table') throw new Error('not a table')
  const rows = [...content.rows].map((row) => case_(row.sentensi!, row.mada!))
  const [training, practice, exam] = [rows.slice(0, 300), rows.slice(300, 400), rows.slice(400)]
  const truth = exam.map(({ label }) => label)
  const right = { svm: 0, committee: 0 }
  const bytes = { svm: 0, committee: 0 }
  for (const [name, baseline] of [['svm', ngramSvm()] as const, ['committee', ngramCommittee()] as const]) {
    const fitted = await baseline.fit({ training, practice })
    const predicted = fitted.predict(exam.map(({ input }) => input))
    right[name] = accuracy(predicted, truth)
    bytes[name] = fitted.save().length
    const loaded = baseline.load(fitted.save())
    expect(loaded.predict(exam.map(({ input }) => input))).toEqual(predicted)
  }
  expect(right.committee).toBeGreaterThan(right.svm + 0.02)
  expect(bytes.committee).toBeLessThan(bytes.svm * 1.01)
})

it('never says of practice what it learned from practice: labels thrown by chance stay chance', async () => {
  const next = random(5)
  const texts = Array.from({ length: 240 }, (_, index) => {
    const words = Array.from({ length: 12 }, () => `w${Math.floor(next() * 4000)}`)
    return case_(`${words.join(' ')} ${index}`, next() < 0.5 ? 'heads' : 'tails')
  })
  const practice = texts.slice(120)
  const fitted = await ngramCommittee().fit({ training: texts.slice(0, 120), practice })
  const truth = practice.map(({ label }) => label)
  const held = accuracy(
    fitted.practiceScores.map((row) => topLabel(fitted.labels, row)),
    truth,
  )
  expect(held).toBeLessThan(0.68)
  // The model that is served has learned from them too.
  expect(accuracy(fitted.predict(practice.map(({ input }) => input)), truth)).toBeGreaterThan(0.9)
})

it('is the plain SVM where several labels may hold', async () => {
  const training = Array.from({ length: 80 }, (_, index) => {
    const labels = [...(index % 2 ? ['heart'] : []), ...(index % 3 ? [] : ['rain'])]
    return { input: `${index % 2 ? 'the heart beats' : 'the road'} ${index % 3 ? 'dry' : 'rain falls'} ${index}`, label: labels[0] ?? 'none', labels }
  })
  const options = { training: training.slice(0, 60), practice: training.slice(60) }
  const [committee, svm] = [await ngramCommittee().fit(options), await ngramSvm().fit(options)]
  expect(committee.labels).toEqual(svm.labels)
  expect(committee.scores(['rain on the heart'])).toEqual(svm.scores(['rain on the heart']))
})

it('knows a label that only practice has, without having had a score for it', async () => {
  const training = Array.from({ length: 40 }, (_, index) => case_(`${index % 2 ? 'red apple' : 'fast car'} ${index}`, index % 2 ? 'fruit' : 'vehicle'))
  const fitted = await ngramCommittee().fit({
    training,
    practice: [case_('a red apple', 'fruit'), case_('loud trumpet', 'music'), case_('soft violin', 'music')],
  })
  expect(fitted.labels).toEqual(['fruit', 'music', 'vehicle'])
  expect(fitted.practiceScores[1]!.indexOf(Math.max(...fitted.practiceScores[1]!))).not.toBe(1)
  expect(fitted.predict(['loud trumpet'])).toEqual(['music'])
})

it('learns from a handful without practice, answers to anything, stops when told to, and refuses nothing at all', async () => {
  const training = [case_('red apple', 'fruit'), case_('green pear', 'fruit'), case_('fast car', 'vehicle'), case_('slow bus', 'vehicle')]
  const fitted = await ngramCommittee().fit({ training, practice: [] })
  expect(fitted.predict(['an apple', 'the bus'])).toEqual(['fruit', 'vehicle'])
  expect(fitted.predict(['', '漢字'])).toHaveLength(2)
  expect(fitted.practiceScores).toEqual([])
  const stop = AbortSignal.abort(new Error('stop'))
  await expect(ngramCommittee().fit({ training, practice: training, signal: stop })).rejects.toThrow('stop')
  await expect(ngramCommittee().fit({ training: [], practice: [] })).rejects.toThrow('at least one')
  const one = await ngramCommittee().fit({ training: [case_('a', 'only')], practice: [case_('b', 'only')] })
  expect(one.predict(['c'])).toEqual(['only'])
})
