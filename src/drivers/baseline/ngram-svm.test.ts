import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { accuracy } from '../../core/report.ts'
import { textFiles } from '../reader/text-files.ts'
import { ngramSvm } from './ngram-svm.ts'

const case_ = (input: string, label: string) => ({ input, label })

describe('n-grams and a linear SVM', () => {
  it('learns a real task in seconds: Swahili topics, 600 to learn from', async () => {
    const contents = await textFiles().read({ name: 's.csv', bytes: readFileSync(new URL('../../../examples/swahili/files/sentensi.csv', import.meta.url)) })
    const content = Array.isArray(contents) ? contents[0] : undefined
    if (content?.kind !== 'table') throw new Error('not a table')
    const rows = [...content.rows].map((row) => case_(row.sentensi!, row.mada!))
    const fitted = await ngramSvm().fit({ training: rows.slice(0, 500), practice: rows.slice(500, 600) })
    const predicted = fitted.predict(rows.slice(600).map((row) => row.input))
    const truth = rows.slice(600).map((row) => row.label)
    // The majority class is a quarter; the published linear baseline is near 0.74 with all data.
    expect(accuracy(predicted, truth)).toBeGreaterThan(0.65)
    expect(fitted.predict(rows.slice(600, 620).map((row) => row.input))).toEqual(predicted.slice(0, 20))
  })

  it('learns from a handful without practice, and answers to anything', async () => {
    const fitted = await ngramSvm().fit({
      training: [case_('red apple', 'fruit'), case_('green pear', 'fruit'), case_('fast car', 'vehicle'), case_('slow bus', 'vehicle')],
      practice: [],
    })
    expect(fitted.predict(['an apple', 'the bus'])).toEqual(['fruit', 'vehicle'])
    expect(fitted.predict(['', '漢字'])).toHaveLength(2)
    expect(fitted.predict([])).toEqual([])
  })

  it('stops when told to, and refuses nothing at all', async () => {
    await expect(ngramSvm().fit({ training: [case_('a', 'b'), case_('c', 'd')], practice: [], signal: AbortSignal.abort(new Error('stop')) })).rejects.toThrow(
      'stop',
    )
    await expect(ngramSvm().fit({ training: [], practice: [] })).rejects.toThrow('at least one')
  })
})

it('says the same after it was saved and loaded, and refuses bytes that are cut short', async () => {
  const training = Array.from({ length: 60 }, (_, index) =>
    case_(`${index % 2 ? 'the heart beats' : 'rain falls down'} ${index}`, index % 2 ? 'heart' : 'rain'),
  )
  const practice = [case_('a heart', 'heart'), case_('much rain', 'rain')]
  const fitted = await ngramSvm().fit({ training, practice })
  const bytes = fitted.save()
  const loaded = ngramSvm().load(bytes)
  const inputs = ['heart and rain', 'beats', 'falls', '']
  expect(loaded.labels).toEqual(['heart', 'rain'])
  expect(loaded.scores(inputs)).toEqual(fitted.scores(inputs))
  expect(fitted.practiceScores.map((row) => row.indexOf(Math.max(...row)))).toEqual([0, 1])
  expect(() => ngramSvm().load(bytes.subarray(0, bytes.length - 2))).toThrow(/bytes/)
  expect(() => ngramSvm().load(new TextEncoder().encode('{"format":"other"}\n'))).toThrow()
})
