/** What is predicted of a training process beside what the process then held. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { isRefusal, type Refusal } from '../../core/errors.ts'
import { peakBytes } from '../../core/estimate.ts'
import { classifyPrompt } from '../../core/prompt.ts'
import { chooseRecipe, type Recipe } from '../../core/recipe.ts'
import type { LlamaShape } from '../../engine/architecture.ts'
import { createOnnxTrainer } from './onnx.ts'
import { inspect, sizeOf } from './size.ts'

const base = fileURLToPath(new URL('../../../base/modelfactory-base-xs-v2.q8_0.gguf', import.meta.url))
const root = mkdtempSync(join(tmpdir(), 'size-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
const given = <T>(value: T | Refusal): T => {
  if (isRefusal(value)) throw new Error(value.message)
  return value
}
const recipe = (change: Partial<Recipe>): Recipe =>
  chooseRecipe({
    ...{ trainingTokens: 1e5, maximumTokens: 256, threads: 1, maximumSeconds: 600 },
    override: { steps: 3, warmupSteps: 1, validateEvery: 3, patience: 9, ...change },
  })

describe('memory', { timeout: 300_000 }, () => {
  const trainer = createOnnxTrainer()
  it.each<[string, Partial<Recipe>]>([
    ['512 tokens a step', { tokensPerStep: 512 }],
    ['2048 tokens a step', { tokensPerStep: 2048 }],
    ['2048 tokens in four parts', { tokensPerStep: 2048, accumulate: 4 }],
  ])('of a LoRA on the base in the repository, %s, is predicted within 25 %%', async (_, change) => {
    const settings = recipe(change)
    const prompts = Array.from({ length: 120 }, (_, index) => classifyPrompt(`${'the heart beats and rain falls '.repeat(12)} ${index}`, index % 2))
    const fitted = given(
      await trainer.fit({
        ...{ id: 'one', base, training: prompts, validation: prompts.slice(0, 40), labelTokens: ['<|l0|>', '<|l1|>'], recipe: settings },
        folder: mkdtempSync(join(root, 'run-')),
      }),
    )
    const size = given(await trainer.size({ base, recipe: settings, longest: 128, readsPerToken: 1 / 100 }))
    const ratio = peakBytes(size, settings) / fitted.peakBytes
    expect(ratio).toBeGreaterThan(0.75)
    expect(ratio).toBeLessThan(1.25)
  })

  it('of a made-up base of 14 M parameters is predicted within 25 %', () => {
    const shape: LlamaShape = {
      ...{ architecture: 'llama', rotary: 'interleaved', width: 384, layers: 8, heads: 6, groups: 2, headWidth: 64, feedForward: 1024 },
      ...{ vocabulary: 8192, epsilon: 1e-5, ropeBase: 10_000, tied: true },
    }
    const settings = recipe({ tokensPerStep: 2048 })
    const child = fileURLToPath(new URL('../../../bench/engine/fit.ts', import.meta.url))
    const request = JSON.stringify({ shape, settings, length: 128, reads: 1, labels: 8 })
    const output = execFileSync(process.execPath, ['--import', 'tsx', child, request], { encoding: 'utf8' })
    const measured = (JSON.parse(output) as { peakBytes: number }).peakBytes
    const ratio = peakBytes(sizeOf(shape, { recipe: settings, longest: 128, readsPerToken: 1 / 128 }), settings) / measured
    expect(ratio).toBeGreaterThan(0.75)
    expect(ratio).toBeLessThan(1.25)
  })
})

it('says what a base is like, and refuses what is none', () => {
  expect(inspect(base)).toEqual({ width: 256, parameters: 8_031_488, contextTokens: 1024 })
  const refused = inspect(join(root, 'nowhere.gguf'))
  expect(isRefusal(refused) && refused.message).toContain('nowhere.gguf')
})

it('holds less in parts and with a quantised base, and more with all weights trained', () => {
  const peak = (change: Partial<Recipe>) => {
    const settings = recipe(change)
    return peakBytes(given(sizeOfBase(settings)), settings)
  }
  const sizeOfBase = (settings: Recipe) => {
    const shape: LlamaShape = {
      ...{ architecture: 'llama', rotary: 'interleaved', width: 896, layers: 24, heads: 14, groups: 2, headWidth: 64, feedForward: 4864 },
      ...{ vocabulary: 32_000, epsilon: 1e-5, ropeBase: 10_000, tied: true },
    }
    return sizeOf(shape, { recipe: settings, longest: 128, readsPerToken: 1 / 128 })
  }
  const whole = peak({ tokensPerStep: 2048 })
  expect(peak({ tokensPerStep: 2048, accumulate: 8 })).toBeLessThan(whole)
  expect(peak({ tokensPerStep: 2048, accumulate: 16, method: 'qlora' })).toBeLessThan(0.7 * peak({ tokensPerStep: 2048, accumulate: 16 }))
  expect(peak({ tokensPerStep: 2048, method: 'full' })).toBeGreaterThan(whole)
  expect(peak({ tokensPerStep: 2048, method: 'full', optimiser: 'adafactor' })).toBeLessThan(peak({ tokensPerStep: 2048, method: 'full' }))
})
