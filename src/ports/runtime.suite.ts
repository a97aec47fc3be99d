/** What every Runtime must do. Knows nothing of how a model is run; `base` is a file the runtime can open. */
import { afterAll, describe, expect, it } from 'vitest'
import { isRefusal, type Refusal } from '../core/errors.ts'
import { classifyPrompt, type Prompt, selectPrompt, windows, writePrompt } from '../core/prompt.ts'
import type { Runtime } from './runtime.ts'

const given = <T>(value: T | Refusal): T => {
  if (isRefusal(value)) throw new Error(value.message)
  return value
}

export function runtimeSuite(name: string, open: () => Runtime, base: string): void {
  describe(`runtime: ${name}`, () => {
    const runtime = open()
    afterAll(() => runtime.close())

    it('counts tokens, and windows built on the count lose nothing', async () => {
      const vocabulary = given(await runtime.vocabulary(base))
      expect(vocabulary.count('')).toBe(0)
      const long = 'The heart pumps blood through the body. '.repeat(300)
      expect(vocabulary.count(long)).toBeGreaterThan(vocabulary.contextLength)
      const pieces = windows(long, vocabulary.contextLength, (piece) => vocabulary.count(piece))
      expect(pieces.length).toBeGreaterThan(1)
      expect(pieces.join('')).toBe(long)
      for (const piece of pieces) expect(vocabulary.count(piece)).toBeLessThanOrEqual(vocabulary.contextLength)
    })

    it('offers distinct label tokens, and refuses more than there are', async () => {
      const vocabulary = given(await runtime.vocabulary(base))
      expect(new Set(given(vocabulary.labelTokens(40))).size).toBe(40)
      expect(isRefusal(vocabulary.labelTokens(1_000_000))).toBe(true)
    })

    it('gives one distribution per read, each summing to 1, the same every time and in the order asked', async () => {
      const labelTokens = given(given(await runtime.vocabulary(base)).labelTokens(3))
      const scorer = given(await runtime.open({ base, adapter: null, labelTokens }))
      const prompts = Array.from({ length: 9 }, (_, index) => classifyPrompt(`Text number ${index} about the heart`))
      const together = await scorer.score([...prompts, selectPrompt('Why?', { rank: 0, match: 1 }, 'Hearts', ['One.', 'Two.', 'Three.'])])
      expect(together.map((reads) => reads.length)).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1, 3])
      for (const reads of together)
        for (const read of reads) {
          expect(read).toHaveLength(3)
          expect(read.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5)
        }
      for (const [index, prompt] of prompts.entries()) {
        const alone = (await scorer.score([prompt]))[0]![0]!
        for (const [label, value] of alone.entries()) expect(value).toBeCloseTo(together[index]![0]![label]!, 3)
      }
      await scorer.close()
    })

    it('tells a read of one task apart among its own labels', async () => {
      const labelTokens = given(given(await runtime.vocabulary(base)).labelTokens(4))
      const scorer = given(await runtime.open({ base, adapter: null, labelTokens }))
      const [open, own] = await scorer.score([
        classifyPrompt('heart'),
        classifyPrompt('heart').map((segment) => (segment.kind === 'read' ? { ...segment, labels: [1, 3] } : segment)),
      ])
      const [all, some] = [open![0]!, own![0]!]
      expect([some[0], some[2]]).toEqual([0, 0])
      expect(some[1]! + some[3]!).toBeCloseTo(1, 5)
      expect(some[1]! / some[3]!).toBeCloseTo(all[1]! / all[3]!, 3)
      await scorer.close()
    })

    it('judges a sentence by the question and what stands before it, not by what follows', async () => {
      const labelTokens = given(given(await runtime.vocabulary(base)).labelTokens(2))
      const scorer = given(await runtime.open({ base, adapter: null, labelTokens }))
      const [short, long, other] = await scorer.score([
        selectPrompt('Why?', { rank: 0, match: 1 }, 'Hearts', ['One is here.']),
        selectPrompt('Why?', { rank: 0, match: 1 }, 'Hearts', ['One is here.', 'Two follows it.']),
        selectPrompt('What colour are the walls of the castle?', { rank: 0, match: 1 }, 'Hearts', ['One is here.']),
      ])
      expect(short![0]![0]).toBeCloseTo(long![0]![0]!, 3)
      expect(Math.abs(short![0]![0]! - other![0]![0]!)).toBeGreaterThan(1e-6)
      await scorer.close()
    })

    it('scores the same however it is set to run, and reads no more than it is set to', async () => {
      const labelTokens = given(given(await runtime.vocabulary(base)).labelTokens(2))
      const plain = given(await runtime.open({ base, adapter: null, labelTokens }))
      const serving = { contextTokens: 64, threads: 1, sequences: 2, promptCache: true }
      const set = given(await runtime.open({ base, adapter: null, labelTokens, serving }))
      const prompts = ['One is here.', 'Two is here.', 'Three is there.'].map((text, rank) =>
        selectPrompt('Why is it so?', { rank, match: 1 }, 'Hearts', [text]),
      )
      const wanted = await plain.score(prompts)
      // Twice, because a prompt meets its own beginning the second time.
      for (const scored of [await set.score(prompts), await set.score(prompts)])
        for (const [index, reads] of scored.entries())
          for (const [label, value] of reads[0]!.entries()) expect(value).toBeCloseTo(wanted[index]![0]![label]!, 3)
      await expect(set.score([classifyPrompt('word '.repeat(100))])).rejects.toThrow(RangeError)
      expect(await plain.score([classifyPrompt('word '.repeat(100))])).toHaveLength(1)
      await plain.close()
      await set.close()
    })

    it('gives finite likelihoods of continuations, whatever their number of tokens', async () => {
      const labelTokens = given(given(await runtime.vocabulary(base)).labelTokens(2))
      const scorer = given(await runtime.open({ base, adapter: null, labelTokens }))
      const likelihoods = await scorer.likelihood([{ kind: 'text', text: 'The heart pumps' }], [' blood', ' the United States of America', ' blood'])
      for (const value of likelihoods) expect(value).toBeLessThan(0)
      expect(likelihoods.every(Number.isFinite)).toBe(true)
      expect(likelihoods[0]).toBeCloseTo(likelihoods[2]!, 4)
      await scorer.close()
    })

    it('finds the same likeliest continuation where it may leave out those that cannot be', async () => {
      const labelTokens = given(given(await runtime.vocabulary(base)).labelTokens(2))
      const scorer = given(await runtime.open({ base, adapter: null, labelTokens }))
      const words = ['blood', 'the blood of the body', 'a president', 'red', 'with money', 'slowly in the night', 'not', 'it was a queen who', 'in and out']
      for (const text of ['The heart pumps', 'Once upon a time there', 'My card was']) {
        const continuations = words.map((word) => ` ${word}`)
        const all = await scorer.likelihood([{ kind: 'text', text }], continuations)
        const some = await scorer.likelihood([{ kind: 'text', text }], continuations, { best: true })
        const most = Math.max(...all)
        expect(Math.max(...some)).toBeCloseTo(most, 4)
        expect(some.indexOf(Math.max(...some))).toBe(all.indexOf(most))
        for (const [index, value] of some.entries()) if (value > Number.NEGATIVE_INFINITY) expect(value).toBeCloseTo(all[index]!, 4)
      }
      await scorer.close()
    })

    it('writes the same each time, at most as much as it may, and stops when it is told to', async () => {
      const labelTokens = given(given(await runtime.vocabulary(base)).labelTokens(2))
      const scorer = given(await runtime.open({ base, adapter: null, labelTokens }))
      // Without markers, after which a base without an adapter may well end its turn at once.
      const prompt: Prompt = [{ kind: 'text', text: 'Once upon a time there was a king who had three daughters and no sons at all' }]
      const write = async (mostTokens: number, signal?: AbortSignal) => {
        const pieces: string[] = []
        for await (const piece of scorer.write(prompt, { mostTokens, signal })) pieces.push(piece)
        return pieces
      }
      const whole = (await write(12)).join('')
      expect(whole.length).toBeGreaterThan(0)
      expect((await write(12)).join('')).toBe(whole)
      const some = (await write(3)).join('')
      expect(whole.startsWith(some)).toBe(true)
      expect(some.length).toBeLessThan(whole.length)
      const stop = new AbortController()
      const stopped = (async () => {
        for await (const _ of scorer.write(prompt, { mostTokens: 12, signal: stop.signal })) stop.abort(new Error('enough'))
      })()
      await expect(stopped).rejects.toThrow('enough')
      // What was stopped gives its place back, and several at once do not meet.
      const many = await Promise.all(Array.from({ length: 9 }, () => write(12)))
      for (const pieces of many) expect(pieces.join('')).toBe(whole)
      await expect(async () => {
        for await (const _ of scorer.write(writePrompt('word '.repeat(5000)), { mostTokens: 5 }));
      }).rejects.toThrow(RangeError)
      await scorer.close()
    })

    it('throws for a prompt that does not fit, and stays usable', async () => {
      const labelTokens = given(given(await runtime.vocabulary(base)).labelTokens(2))
      const scorer = given(await runtime.open({ base, adapter: null, labelTokens }))
      await expect(scorer.score([classifyPrompt('word '.repeat(5000))])).rejects.toThrow(RangeError)
      expect((await scorer.score([classifyPrompt('short')]))[0]).toHaveLength(1)
      await scorer.close()
      await expect(scorer.score([classifyPrompt('short')])).rejects.toThrow()
    })

    it('refuses a base that is not there', async () => {
      const refused = await runtime.vocabulary(`${base}.nowhere`)
      expect(isRefusal(refused) && refused.message).toContain('.nowhere')
      expect(isRefusal(await runtime.open({ base: `${base}.nowhere`, adapter: null, labelTokens: ['a', 'b'] }))).toBe(true)
    })

    it('stops when told to', async () => {
      const labelTokens = given(given(await runtime.vocabulary(base)).labelTokens(2))
      const scorer = given(await runtime.open({ base, adapter: null, labelTokens }))
      const stop = AbortSignal.abort(new Error('enough'))
      await expect(scorer.score([classifyPrompt('a'), classifyPrompt('b')], { signal: stop })).rejects.toThrow('enough')
      await scorer.close()
    })
  })
}
