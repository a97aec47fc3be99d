/**
 * Ours: one measurement of this engine in a process of its own. Reads the work and the model's file from the command line,
 * prints seconds a step, the peak of resident memory and the losses as JSON.
 */
import { adamw } from '../../src/engine/adamw.ts'
import { trainableAdapter } from '../../src/engine/adapter.ts'
import { openLlama } from '../../src/engine/architecture.ts'
import { runsWhole } from '../../src/engine/course.ts'
import { trainableModel } from '../../src/engine/full.ts'
import { layerPlan, openGradient } from '../../src/engine/gradient.ts'
import { batchValues } from '../../src/engine/packing.ts'
import { globalNorm } from '../../src/engine/parameters.ts'
import { generator } from '../../src/engine/random.ts'
import { openWholeGradient } from '../../src/engine/whole.ts'
import { RANK, type Work } from './work.ts'

const work: Work = JSON.parse(process.argv[2]!)
const base = openLlama(process.argv[3]!)
const { rows, length, method, threads } = work
const targets = ['attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_gate', 'ffn_up', 'ffn_down']
const trainable = method === 'full' ? trainableModel(base) : trainableAdapter(base, { rank: RANK, alpha: 2 * RANK, targets })
const reads = Math.round(length * work.share)
const extent = { rows, length, reads }
const plan = { trainable, vocabulary: undefined, threads, ...layerPlan(base, method) }
const gradient = runsWhole(base, extent, trainable, method, undefined) ? await openWholeGradient(base, extent, plan) : await openGradient(base, extent, plan)
const optimiser = adamw(trainable.layout)
const parameters = trainable.initial(1)
const moments = new Float32Array(optimiser.length)
const next = generator(1)
const token = () => Math.floor(next() * base.shape.vocabulary)
const batch = Array.from({ length: rows }, () => {
  const tokens = Array.from({ length }, token)
  const places = tokens.map((_, position) => position)
  for (let index = 0; index < reads; index++) {
    const other = index + Math.floor(next() * (length - index))
    ;[places[index], places[other]] = [places[other]!, places[index]!]
  }
  return [{ tokens, reads: places.slice(0, reads).map((position) => ({ position, label: token(), weight: 1 })) }]
})
const seconds: number[] = []
const losses: number[] = []
for (let step = 0; step <= work.steps; step++) {
  const started = performance.now()
  const { loss, slopes } = await gradient.run(parameters, batchValues(batch, extent, 0))
  const norm = globalNorm(slopes)
  optimiser.step(parameters, slopes, moments, { step: step + 1, learningRate: 1e-4, weightDecay: 0.01, scale: norm > 1 ? 1 / norm : 1 })
  if (step) seconds.push((performance.now() - started) / 1000)
  losses.push(loss)
}
await gradient.close()
console.log(JSON.stringify({ seconds, losses, peakBytes: process.resourceUsage().maxRSS * 1024 }))
