/** The choice of how a model is served, on a runtime whose speeds are made up, so that the right choice is known. */
import { describe, expect, it } from 'vitest'
import { isRefusal, refuse } from '../core/errors.ts'
import { classifyPrompt } from '../core/prompt.ts'
import type { Runtime, ServingSettings } from '../ports/runtime.ts'
import { chooseServing, describeServing, type ServingOptions } from './serving.ts'

/** A runtime that takes `milliseconds(settings, prompts)` of a clock of its own for a call and remembers what was opened. */
function timed(milliseconds: (settings: ServingSettings, prompts: number) => number) {
  let clock = 0
  let resident = 1000
  const opened: ServingSettings[] = []
  let open = 0
  const runtime: Runtime = {
    vocabulary: async () => refuse('none', 'There is none.', ''),
    async open({ serving }) {
      const settings = serving as ServingSettings
      opened.push(settings)
      open++
      resident += 100 * settings.sequences
      return {
        async score(prompts) {
          clock += milliseconds(settings, prompts.length)
          return prompts.map(() => [[1]])
        },
        likelihood: async () => [],
        async *write() {},
        async close() {
          open--
          resident -= 100 * settings.sequences
        },
      }
    },
    close: async () => {},
  }
  return { runtime, opened, now: () => clock, residentBytes: () => resident, left: () => open }
}

const choose = async (made: ReturnType<typeof timed>, change: Partial<ServingOptions> = {}) => {
  const chosen = await chooseServing(made, {
    ...{ base: 'base', adapter: null, labelTokens: ['a', 'b'], queries: Array.from({ length: 6 }, (_, index) => [classifyPrompt(`text ${index}`)]) },
    ...{ count: () => 10, contextTokens: 256, quantisation: 'Q8_0', cores: 8, mostThreads: 4, seconds: 60, now: made.now, residentBytes: made.residentBytes },
    ...change,
  })
  if (isRefusal(chosen)) throw new Error(chosen.message)
  expect(made.left()).toBe(0)
  return chosen
}

describe('serving', () => {
  it('takes more threads only when they are clearly faster, and more at once when that gives more', async () => {
    const slowAlone = timed(({ threads, sequences }, prompts) => (100 / threads) * Math.ceil(prompts / sequences))
    const chosen = await choose(slowAlone)
    expect(chosen.settings).toEqual({ contextTokens: 256, threads: 4, sequences: 8, promptCache: false })
    expect(chosen.measured.find(({ threads, sequences }) => threads === 4 && sequences === 4)).toMatchObject({
      medianMs: 25,
      tokensPerSecond: 1200,
      memoryBytes: 400,
    })
    expect(describeServing(chosen)).toMatch(/^Served as Q8_0 with 4 threads, 8 prompts at once, .* prompt cache off: 25 ms a query/)
    const nothingGained = timed(({ threads }, prompts) => (threads > 1 ? 98 : 100) * prompts)
    expect((await choose(nothingGained)).settings).toEqual({ contextTokens: 256, threads: 1, sequences: 4, promptCache: false })
  })

  it('keeps the prompt cache when it saves time, and never more threads than allowed', async () => {
    const cached = timed(({ promptCache }, prompts) => (promptCache ? 50 : 100) * prompts)
    const chosen = await choose(cached, { mostThreads: 2 })
    expect(chosen.settings.promptCache).toBe(true)
    expect(Math.max(...cached.opened.map(({ threads }) => threads))).toBe(2)
  })

  it('stops when its time is over', async () => {
    const slow = timed((_, prompts) => 1000 * prompts)
    const chosen = await choose(slow, { seconds: 2 })
    expect(chosen.measured).toHaveLength(1)
    expect(slow.now()).toBeLessThan(10_000)
  })

  it('says what the runtime refuses', async () => {
    const made = timed(() => 1)
    made.runtime.open = async () => refuse('base_unreadable', 'It cannot be read.', '')
    await expect(choose(made)).rejects.toThrow('It cannot be read.')
  })
})
