/**
 * What is predicted of a training run beside what it then takes, for a few shapes and methods: peak memory, and seconds from
 * a few timed steps and from the machine's rate. Run on a quiet machine.
 *
 *   npx tsx bench/engine/estimate.ts [--memory] [--threads N] [--only TEXT] [--json FILE]
 *
 * `--memory` runs few steps and leaves the times out: memory does not depend on who else works.
 */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { peakBytes, RATE_SHARE, runSeconds } from '../../src/core/estimate.ts'
import { chooseRecipe, type Recipe } from '../../src/core/recipe.ts'
import { sizeOf } from '../../src/drivers/trainer/size.ts'
import type { LlamaShape } from '../../src/engine/architecture.ts'
import { measureRate } from '../../src/engine/machine.ts'
import type { FitRequest, FitResult } from './fit.ts'

const common = { architecture: 'llama', rotary: 'interleaved', headWidth: 64, epsilon: 1e-5, ropeBase: 10_000, tied: true } as const
const SHAPES: Record<string, LlamaShape> = {
  '6.5 M': { ...common, width: 256, layers: 6, heads: 4, groups: 2, feedForward: 704, vocabulary: 8192 },
  '14 M': { ...common, width: 384, layers: 8, heads: 6, groups: 2, feedForward: 1024, vocabulary: 8192 },
  '135 M': { ...common, width: 576, layers: 30, heads: 9, groups: 3, feedForward: 1536, vocabulary: 49152 },
}
type Case = { shape: string; length: number; recipe: Partial<Recipe> }
const CASES: Case[] = [
  { shape: '6.5 M', length: 128, recipe: { tokensPerStep: 512 } },
  { shape: '6.5 M', length: 128, recipe: { tokensPerStep: 2048 } },
  { shape: '6.5 M', length: 1024, recipe: { tokensPerStep: 2048 } },
  { shape: '6.5 M', length: 128, recipe: { tokensPerStep: 4096, rank: 64, alpha: 128 } },
  { shape: '6.5 M', length: 128, recipe: { tokensPerStep: 4096, accumulate: 4 } },
  { shape: '6.5 M', length: 128, recipe: { tokensPerStep: 2048, method: 'full' } },
  { shape: '14 M', length: 128, recipe: { tokensPerStep: 2048 } },
  { shape: '14 M', length: 256, recipe: { tokensPerStep: 8192 } },
  { shape: '14 M', length: 128, recipe: { tokensPerStep: 2048, method: 'full', optimiser: 'adafactor' } },
  { shape: '135 M', length: 128, recipe: { tokensPerStep: 256 } },
  { shape: '135 M', length: 128, recipe: { tokensPerStep: 1024 } },
]
const LABELS = 8
const STEPS = 24
const TIMED_STEPS = 4

const { values: flags } = parseArgs({
  options: { memory: { type: 'boolean' }, threads: { type: 'string' }, only: { type: 'string' }, json: { type: 'string' } },
})
const threads = Number(flags.threads ?? availableParallelism())

function run(one: Case, steps: number): { recipe: Recipe; result: FitResult } {
  const recipe = chooseRecipe({
    ...{ trainingTokens: 1e5, maximumTokens: one.length, threads, maximumSeconds: 3600 },
    override: { ...one.recipe, steps, warmupSteps: 1, validateEvery: Math.max(steps, 2), patience: 1000 },
  })
  const request: FitRequest = { shape: SHAPES[one.shape]!, settings: recipe, length: one.length, reads: 1, labels: LABELS }
  const child = fileURLToPath(new URL('./fit.ts', import.meta.url))
  const output = execFileSync(process.execPath, ['--import', 'tsx', child, JSON.stringify(request)], { encoding: 'utf8', maxBuffer: 1e6 })
  return { recipe, result: JSON.parse(output.trim().split('\n').at(-1)!) as FitResult }
}

const percent = (predicted: number, actual: number) => `${predicted >= actual ? '+' : ''}${(100 * (predicted / actual - 1)).toFixed(0)} %`.padStart(7)
const rate = flags.memory ? 0 : await measureRate({ threads })
if (rate) console.log(`${threads} threads, ${(rate / 1e9).toFixed(1)} GFLOP/s`)
console.log('shape    length tokens/step method      | MB predicted  actual        | s predicted: steps, rate   actual')
const rows: unknown[] = []
for (const one of CASES) {
  const name = `${one.shape.padEnd(8)} ${String(one.length).padStart(6)} ${String(one.recipe.tokensPerStep).padStart(11)} ${`${one.recipe.method ?? 'lora'}${one.recipe.accumulate ? ` / ${one.recipe.accumulate}` : ''}`.padEnd(11)}`
  if (flags.only && !name.includes(flags.only)) continue
  const timed = flags.memory ? undefined : run(one, TIMED_STEPS)
  const { recipe, result } = run(one, flags.memory ? 3 : STEPS)
  const question = { recipe, longest: one.length, readsPerToken: 1 / one.length }
  const size = sizeOf(SHAPES[one.shape]!, question)
  const peak = peakBytes(size, recipe)
  const practiceTokens = recipe.tokensPerStep
  const bySteps = timed && runSeconds(recipe, { secondsPerStep: timed.result.secondsPerStep, size, practiceTokens })
  const byRate = rate ? runSeconds(recipe, { secondsPerStep: size.operations.step / (rate * RATE_SHARE), size, practiceTokens }) : undefined
  rows.push({ ...one, memory: { predicted: peak, actual: result.peakBytes, ...size.memory }, seconds: { bySteps, byRate, actual: result.seconds } })
  const times =
    bySteps && byRate
      ? `${bySteps.toFixed(1).padStart(8)} ${percent(bySteps, result.seconds)} ${byRate.toFixed(1).padStart(8)} ${percent(byRate, result.seconds)} ${result.seconds.toFixed(1).padStart(8)}`
      : ''
  console.log(
    `${name} | ${(peak / 1e6).toFixed(0).padStart(12)} ${(result.peakBytes / 1e6).toFixed(0).padStart(7)} ${percent(peak, result.peakBytes)} | ${times}`,
  )
}
if (flags.json) writeFileSync(flags.json, `${JSON.stringify({ threads, rate, rows }, null, 2)}\n`)
