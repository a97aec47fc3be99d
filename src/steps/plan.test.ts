/** Plans made with the fake trainer: what they keep, what they say, what a crash leaves. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { isRefusal, type Refusal } from '../core/errors.ts'
import { peakBytes } from '../core/estimate.ts'
import { classifyPrompt } from '../core/prompt.ts'
import { chooseRecipe, type Recipe } from '../core/recipe.ts'
import { createFakeTrainer } from '../drivers/trainer/fake.ts'
import type { Trainer, TrainingJob } from '../ports/trainer.ts'
import { fitMemory, type PlanOptions, type PlanRecord, plan } from './plan.ts'

const root = mkdtempSync(join(tmpdir(), 'plan-'))
const base = join(root, 'base.gguf')
writeFileSync(base, 'a base')
afterAll(() => rmSync(root, { recursive: true, force: true }))
const given = <T>(value: T | Refusal): T => {
  if (isRefusal(value)) throw new Error(value.message)
  return value
}

/** The fake, on a clock of its own: a step takes 0.1 s, starting 1 s; a smaller learning rate loses less. */
function timedTrainer() {
  const jobs: TrainingJob[] = []
  let clock = 0
  const fake = createFakeTrainer()
  const trainer: Trainer = {
    ...fake,
    async fit(job, options) {
      const result = await fake.fit(job, options)
      jobs.push(job)
      clock += 1000 + job.recipe.steps * 100
      if (isRefusal(result)) return result
      const share = job.recipe.learningRate / 3e-3
      const curve = result.curve.filter(({ step }) => step > 0).map((point) => ({ ...point, seconds: point.step / 10 }))
      return {
        ...result,
        seconds: job.recipe.steps / 10,
        curve: curve.map((point) => ({ ...point, validationLoss: point.validationLoss && point.validationLoss * share })),
      }
    },
  }
  return { trainer, jobs, now: () => clock }
}

const recipe = (change: Partial<Recipe> = {}) =>
  chooseRecipe({ trainingTokens: 100_000, maximumTokens: 64, threads: 1, maximumSeconds: 600, override: { steps: 90, ...change } })
const prompts = Array.from({ length: 12 }, (_, index) => classifyPrompt(`text ${index}`, index % 2))
let made = timedTrainer()
beforeEach(() => {
  made = timedTrainer()
})

async function options(change: Partial<PlanOptions> = {}): Promise<PlanOptions> {
  const question = { base, recipe: recipe(), longest: 8, readsPerToken: 0.1 }
  const size = given(await made.trainer.size(question))
  return {
    job: { base, validation: prompts, labelTokens: ['a', 'b'], folder: mkdtempSync(join(root, 'run-')), training: async () => prompts },
    ...{ subject: 'the data', recipe: recipe(), size, peak: peakBytes(size, recipe()), practiceTokens: 100, seconds: 100, varyWords: true },
    ...{ mayTry: 'candidates', machine: { availableBytes: () => 8e9, rate: async () => 1e9 }, now: made.now, ...change },
  }
}

describe('plan', () => {
  it('searches within its seconds, takes the best, and says what the training will take', async () => {
    const planned = given(await plan({ trainer: made.trainer }, await options()))
    const { search, estimate } = planned
    expect(search!.seconds).toBeLessThanOrEqual(search!.budgetSeconds)
    expect(planned.recipe.learningRate).toBe(Math.min(...search!.trials.map(({ learningRate }) => learningRate)))
    expect(search!.trials.some(({ rung }) => rung === 1)).toBe(true)
    // Timing, search and training keep the whole budget; a step takes 0.1 s.
    expect(planned.spentSeconds + planned.recipe.steps * 0.1).toBeLessThanOrEqual(100)
    expect(estimate.basis).toBe('steps')
    expect(estimate.seconds / (1 + planned.recipe.steps * 0.1)).toBeGreaterThan(0.75)
    expect(estimate.seconds / (1 + planned.recipe.steps * 0.1)).toBeLessThan(1.25)
    expect(planned.notes.at(-1)).toMatch(/Training will take about .* and 2\d\d MB of memory; 8.0 GB are free/)
  })

  it('uses the default and says so when the time is too short for a search, and fits the steps to the time', async () => {
    const planned = given(await plan({ trainer: made.trainer }, await options({ seconds: 31, recipe: recipe({ steps: 600 }) })))
    expect(planned.search).toBeNull()
    expect(planned.recipe.learningRate).toBe(3e-3)
    // About 250 fit. The steps stay, the clock ends them; what goes with their number follows what fits.
    expect(planned.recipe).toMatchObject({ steps: 600, validateEvery: expect.any(Number) })
    expect(planned.recipe.maximumSeconds).toBeLessThanOrEqual(31)
    expect(planned.recipe.validateEvery).toBeLessThan(250 / 6)
    expect(planned.recipe.validateEvery * planned.recipe.patience).toBeGreaterThanOrEqual(4 * 50)
    expect(planned.notes.join('\n')).toMatch(/31 seconds are too few for a search/)
  })

  it('does not search unless asked, nor time what there is no time for', async () => {
    const planned = given(await plan({ trainer: made.trainer }, await options({ mayTry: 'default alone' })))
    expect(made.jobs.map(({ folder }) => folder.split('/').at(-1))).toEqual(['timing'])
    expect(planned.search).toBeNull()
    made = timedTrainer()
    const short = given(await plan({ trainer: made.trainer }, await options({ mayTry: 'default alone', seconds: 20 })))
    expect(made.jobs).toEqual([])
    expect(short.estimate.basis).toBe('rate')
  })

  it('promises no negative time where planning has used up the budget', async () => {
    const planned = given(await plan({ trainer: made.trainer }, await options({ seconds: 0.2 })))
    expect(planned.estimate.seconds).toBeGreaterThan(0)
    expect(planned.recipe.maximumSeconds).toBe(1)
  })

  it('is kept whole across a crash, and a search goes on where it stopped', async () => {
    let kept: PlanRecord | undefined
    let writes = 0
    const journal = {
      read: async () => structuredClone(kept),
      write: async (value: PlanRecord) => {
        kept = structuredClone(value)
        if (++writes === 3) throw new Error('killed')
      },
    }
    const asked = await options({ journal })
    await expect(plan({ trainer: made.trainer }, asked)).rejects.toThrow('killed')
    const before = made.jobs.filter(({ folder }) => folder.includes('/search/')).map(({ id }) => id)
    expect(before).toHaveLength(3)
    const planned = given(await plan({ trainer: made.trainer }, asked))
    const all = made.jobs.filter(({ folder }) => folder.includes('/search/')).map(({ id }) => id)
    expect(new Set(all).size).toBe(all.length)
    expect(planned.search!.trials).toHaveLength(all.length)
    // Finished: nothing runs any more, whatever the number of threads.
    const runs = made.jobs.length
    const again = given(await plan({ trainer: made.trainer }, { ...asked, seconds: 97.3, recipe: { ...asked.recipe, threads: 3, maximumSeconds: 97.3 } }))
    expect(made.jobs).toHaveLength(runs)
    expect(again.recipe).toEqual({ ...planned.recipe, threads: 3 })
    // Another question is another plan.
    given(await plan({ trainer: made.trainer }, { ...asked, subject: 'other data' }))
    expect(made.jobs.length).toBeGreaterThan(runs)
  })
})

describe('memory', () => {
  const question = { base, recipe: recipe(), longest: 300, readsPerToken: 0.1 }
  const needs = async (accumulate: number) => peakBytes(given(await made.trainer.size({ ...question, recipe: recipe({ accumulate }) })), recipe())

  it('splits a step until it fits, and says so', async () => {
    const whole = given(await fitMemory(made, question, { availableBytes: 8e9 }))
    expect(whole.note).toBeNull()
    expect(whole.recipe).toEqual(question.recipe)
    const split = given(await fitMemory(made, question, { availableBytes: ((await needs(4)) * 1.02) / 0.9 }))
    expect(split.recipe.accumulate).toBe(4)
    expect(split.note).toMatch(/4 parts of 512 tokens/)
  })

  it('refuses with the numbers rather than run out, and leaves what the user fixed', async () => {
    const refused = await fitMemory(made, question, { availableBytes: 200e6 })
    expect(isRefusal(refused) && refused.code).toBe('memory_short')
    // Parts of 512 tokens hold a sequence of 300, parts of 256 would not.
    expect(isRefusal(refused) && refused.message).toMatch(/needs about 2\d\d MB of memory even 512 tokens at a time, and 200 MB are free\.$/)
    const fixed = await fitMemory(made, question, { availableBytes: ((await needs(4)) * 1.02) / 0.9, override: { accumulate: 1 } })
    expect(isRefusal(fixed) && fixed.message).toMatch(/even 2048 tokens at a time/)
  })
})
