/**
 * Conformance of a {@link Trainer}: what every trainer must do, the embedded one and the fake alike. Knows nothing of how
 * a trainer works; the maker gives it one and a base it can train.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isRefusal } from '../core/errors.ts'
import { classifyPrompt, type Prompt } from '../core/prompt.ts'
import { chooseRecipe, type Recipe } from '../core/recipe.ts'
import type { Trainer, TrainingJob, TrainingProgress, TrainingResult } from './trainer.ts'

/** `base` is a GGUF file the trainer accepts, `labelTokens` two of its label tokens. */
export function trainerSuite(name: string, make: () => Promise<{ trainer: Trainer; base: string; labelTokens: string[] }>): void {
  // Real training runs as a process of low priority: on a busy machine it waits.
  describe(`trainer: ${name}`, { timeout: 300_000 }, () => {
    let made: Awaited<ReturnType<typeof make>>
    let root: string
    let runs = 0
    beforeAll(async () => {
      made = await make()
      root = mkdtempSync(join(tmpdir(), 'trainer-'))
    })
    afterAll(() => rmSync(root, { recursive: true, force: true }))

    const rows = (from: number, to: number): Prompt[] =>
      Array.from({ length: to - from }, (_, index) => {
        const number = from + index
        return classifyPrompt(number % 2 ? `the heart beats ${number}` : `rain falls at ${number}`, number % 2)
      })
    const recipe = (override: Partial<Recipe> = {}): Recipe =>
      chooseRecipe({
        ...{ trainingTokens: 1000, maximumTokens: 64, threads: 1, maximumSeconds: 600, seed: 3 },
        override: { rank: 2, alpha: 4, targets: ['attn_q', 'ffn_down'], steps: 12, warmupSteps: 2, tokensPerStep: 128, validateEvery: 4, ...override },
      })
    const job = (change: Partial<TrainingJob> = {}): TrainingJob => ({
      ...{ id: 'job', base: made.base, training: rows(0, 24), validation: rows(24, 32), labelTokens: made.labelTokens, recipe: recipe() },
      ...{ folder: join(root, `run-${runs++}`), ...change },
    })
    const losses = (result: TrainingResult) => result.curve.map(({ step, trainingLoss, validationLoss }) => ({ step, trainingLoss, validationLoss }))
    const fitted = async (which: TrainingJob, onProgress?: (progress: TrainingProgress) => void): Promise<TrainingResult> => {
      const result = await made.trainer.fit(which, { onProgress })
      if (isRefusal(result)) throw new Error(result.message)
      return result
    }
    /** Cancels at the first progress at or after `step`. */
    const cancelAt = async (which: TrainingJob, step: number): Promise<unknown> => {
      const controller = new AbortController()
      return await made.trainer
        .fit(which, { signal: controller.signal, onProgress: (progress) => progress.step >= step && controller.abort(new Error('enough')) })
        .then(
          () => 'not cancelled',
          (error: unknown) => error,
        )
    }

    /** One run to the end, shared by the tests that compare with it. */
    const seen: TrainingProgress[] = []
    let uninterrupted: Promise<TrainingResult> | undefined
    const whole = () => (uninterrupted ??= fitted(job(), (progress) => seen.push(progress)))

    it('learns, reports progress and leaves its weights', async () => {
      const result = await whole()
      expect(result.resumed).toBe(false)
      expect(readFileSync(result.file).subarray(0, 4).toString()).toBe('GGUF')
      const validations = result.curve.filter(({ validationLoss }) => validationLoss !== null)
      const best = validations.reduce((a, b) => (b.validationLoss! < a.validationLoss! ? b : a))
      expect(result.bestStep).toBe(best.step)
      expect(best.validationLoss!).toBeLessThan(validations[0]!.validationLoss!)
      expect(seen.at(-1)).toMatchObject({ step: result.curve.at(-1)!.step, steps: 12 })
      expect(seen.every(({ secondsLeft, tokensPerSecond }) => secondsLeft >= 0 && tokensPerSecond >= 0)).toBe(true)
    })

    it('gives the same curve and weights for the same seed, and another for another', async () => {
      const [first, second, other] = [await whole(), await fitted(job()), await fitted(job({ recipe: recipe({ seed: 4 }) }))]
      expect(losses(second)).toEqual(losses(first))
      expect(readFileSync(second.file).equals(readFileSync(first.file))).toBe(true)
      expect(losses(other)).not.toEqual(losses(first))
    })

    it('goes on from a checkpoint to the very curve of an uninterrupted run', async () => {
      const straight = await whole()
      const broken = job()
      expect(await cancelAt(broken, 8)).toMatchObject({ message: 'enough' })
      const resumed = await fitted(broken)
      expect(resumed.resumed).toBe(true)
      expect(losses(resumed)).toEqual(losses(straight))
      expect(readFileSync(resumed.file).equals(readFileSync(straight.file))).toBe(true)
    })

    it('throws a checkpoint of another job away', async () => {
      const broken = job()
      await cancelAt(broken, 4)
      const result = await fitted({ ...broken, id: 'another' })
      expect(result.resumed).toBe(false)
      expect(result.curve[0]!.step).toBe(0)
    })

    it('gives an adapter or, where all weights are trained, a whole model', async () => {
      expect((await whole()).kind).toBe('adapter')
      const result = await fitted(job({ recipe: recipe({ method: 'full', optimiser: 'adafactor', learningRate: 1e-3, steps: 4, accumulate: 2 }) }))
      expect(result.kind).toBe('model')
      expect(result.notices).toEqual([])
      expect(readFileSync(result.file).subarray(0, 4).toString()).toBe('GGUF')
    })

    it('goes on from weights it gave before, and keeps what it reaches, not where it began', async () => {
      const before = await whole()
      const shorter = recipe({ steps: 6, validateEvery: 6, warmupSteps: 1 })
      const result = await fitted(job({ from: before.file, recipe: shorter }))
      const [first, last] = [result.curve[0]!, result.curve.at(-1)!]
      expect(first.step).toBe(0)
      // It begins where the other ended at its best, but for how exactly a file keeps weights.
      const reached = Math.min(...before.curve.flatMap(({ validationLoss }) => (validationLoss === null ? [] : [validationLoss])))
      expect(first.validationLoss!).toBeCloseTo(reached, 2)
      expect(result.bestStep).toBe(last.step)
      expect(last.step).toBe(6)
      expect(readFileSync(result.file).equals(readFileSync(before.file))).toBe(false)
    })

    it('goes on from a whole model as well, and refuses weights of another kind', async () => {
      const full = { method: 'full', optimiser: 'adafactor', learningRate: 1e-3, steps: 4, validateEvery: 4 } as const
      const model = await fitted(job({ recipe: recipe(full) }))
      const result = await fitted(job({ from: model.file, recipe: recipe(full) }))
      expect(result.kind).toBe('model')
      expect(result.curve[0]!.validationLoss!).toBeCloseTo(model.curve.find(({ step }) => step === model.bestStep)!.validationLoss!, 2)
      expect(await made.trainer.fit(job({ from: model.file }))).toMatchObject({ refused: true, code: 'start_unfit' })
      expect(await made.trainer.fit(job({ from: join(root, 'nowhere.gguf') }))).toMatchObject({ refused: true, code: 'start_unfit' })
    })

    it('does not start when already cancelled', async () => {
      const which = job()
      await expect(made.trainer.fit(which, { signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow('before')
      expect(existsSync(join(which.folder, 'adapter.gguf'))).toBe(false)
    })

    it.each<[string, (good: TrainingJob) => Partial<TrainingJob>, string, RegExp]>([
      ['no examples', () => ({ training: [] }), 'training_empty', /0 training examples/],
      ['one label only', (good) => ({ training: good.training.filter((_, index) => index % 2) }), 'training_one_label', /12 .*label \(number 1\)/],
      [
        'a prompt that does not fit',
        (good) => ({ training: [...good.training, classifyPrompt('word '.repeat(100), 1)] }),
        'prompt_too_long',
        /25 is \d+ tokens.* 64/,
      ],
      ['a base that is not there', () => ({ base: '/nowhere/base.gguf' }), 'base_missing', /nowhere/],
    ])('refuses %s', async (_, change, code, message) => {
      const good = job()
      const result = await made.trainer.fit({ ...good, ...change(good) })
      expect(result).toMatchObject({ refused: true, code })
      expect(isRefusal(result) && result.message).toMatch(message)
    })
  })
}
