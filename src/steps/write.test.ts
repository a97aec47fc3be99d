import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Example } from '../core/dataset.ts'
import { isRefusal } from '../core/errors.ts'
import { hashText } from '../core/id.ts'
import { miniSearchRetriever } from '../drivers/retriever/minisearch.ts'
import { fakeRuntime } from '../drivers/runtime/fake.ts'
import type { Scorer, Vocabulary } from '../ports/runtime.ts'
import { cheapWriter, mostWritten, tooLongToWrite, writing, writingPrompts, written } from './write.ts'

const pair = (input: string, output: string): Example => ({ id: hashText(input), input, output, source: { file: 'pairs.csv' }, group: input })
const runtime = fakeRuntime()
let folder: string
let vocabulary: Vocabulary
let scorer: Scorer
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'write-'))
  const base = join(folder, 'base.gguf')
  writeFileSync(base, 'x')
  const [words, opened] = [await runtime.vocabulary(base), await runtime.open({ base, adapter: null, labelTokens: ['a', 'b'] })]
  if (isRefusal(words) || isRefusal(opened)) throw new Error('The fake refused.')
  vocabulary = words
  scorer = opened
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

it('learns what is written and the marker that ends it, and nothing of what is read', () => {
  const [prompt] = writingPrompts(pair('one two', 'three'), vocabulary)
  const learned = prompt!.filter((segment) => segment.kind !== 'read' && segment.learned)
  expect(learned).toEqual([
    { kind: 'text', text: 'three', learned: true },
    { kind: 'special', token: 'end', learned: true },
  ])
})

it('does not learn from pairs that the base cannot read whole', () => {
  const long = 'word '.repeat(200)
  expect(writingPrompts(pair(long, long), vocabulary)).toEqual([])
  expect(writingPrompts(pair(long, 'short'), vocabulary)).toHaveLength(1)
})

it('may write half as much again as the longest text learned from, and no more', async () => {
  const most = mostWritten([pair('a', 'x '.repeat(40)), pair('b', 'y')], vocabulary)
  expect(most).toBe(60)
  expect((await written({ scorer, vocabulary, mostTokens: 3 }, 'one two three four five')).split(' ')).toHaveLength(3)
})

it('writes piece by piece and stops when nobody listens any more', async () => {
  const stop = new AbortController()
  const pieces: string[] = []
  const run = async () => {
    for await (const piece of writing({ scorer, vocabulary, mostTokens: 50 }, 'one two three', stop.signal)) {
      pieces.push(piece)
      stop.abort(new Error('gone'))
    }
  }
  await expect(run()).rejects.toThrow('gone')
  expect(pieces).toEqual(['three'])
})

it('refuses a text that leaves no room to write in, with its length', () => {
  expect(tooLongToWrite('word '.repeat(100), vocabulary)).toBeUndefined()
  expect(tooLongToWrite('word '.repeat(200), vocabulary)).toMatchObject({ code: 'text_too_long', message: expect.stringContaining('200 tokens') })
})

it('takes the likest example for a cheap writer where that helps on practice, and the text itself where it does not', () => {
  const ports = { retriever: miniSearchRetriever() }
  const training = [pair('good morning everybody', 'habari za asubuhi'), pair('good night everybody', 'usiku mwema')]
  const recalled = cheapWriter(ports, { training, practice: [pair('good morning friends', 'habari za asubuhi')], language: 'en' })
  expect(recalled.write('good night friends')).toBe('usiku mwema')
  const copied = cheapWriter(ports, { training, practice: [pair('Good Evening', 'good evening')], language: 'en' })
  expect(copied.write('Another Text')).toBe('Another Text')
})
