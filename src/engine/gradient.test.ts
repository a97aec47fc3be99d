import { describe, expect, it } from 'vitest'
import { trainableAdapter } from './adapter.ts'
import { type Llama, matrixShape } from './architecture.ts'
import { trainableModel } from './full.ts'
import { type Keep, openGradient, openLoss } from './gradient.ts'
import { size } from './graph.ts'
import { type BatchValues, batchValues, type Sequence } from './packing.ts'
import type { Trainable } from './parameters.ts'
import { generator } from './random.ts'
import { openWholeGradient } from './whole.ts'

const shape: Llama['shape'] = {
  ...{ architecture: 'llama', rotary: 'half-split', width: 16, layers: 3, heads: 4, groups: 2, headWidth: 4, feedForward: 24 },
  ...{ vocabulary: 40, epsilon: 1e-5, ropeBase: 10_000, tied: true },
}
const STEMS = ['attn_norm', 'attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_norm', 'ffn_gate', 'ffn_up', 'ffn_down']
const TARGETS = STEMS.filter((stem) => !stem.endsWith('norm'))
const LORA = { rank: 3, alpha: 6, targets: TARGETS }

const shapeOf = (name: string) =>
  name.includes('norm') ? [shape.width] : name.startsWith('blk') ? matrixShape(shape, name.split('.')[2]!) : [shape.vocabulary, shape.width]

/** A random model; the same name always gives the same values. */
const base: Llama = {
  shape,
  tensor(name) {
    const next = generator([...name].reduce((sum, character) => sum * 31 + character.charCodeAt(0), 7))
    return Float32Array.from({ length: size(shapeOf(name)) }, () => (name.includes('norm') ? 0.5 + next() : next() - 0.5))
  },
}

/** Rows of length 12 read at `reads` places each. */
function valuesOf(reads: number, vocabulary: number[] | undefined): { values: BatchValues; extent: { rows: number; length: number; reads: number } } {
  const classes = vocabulary?.length ?? shape.vocabulary
  const extent = { rows: 2, length: 12, reads }
  const next = generator(3)
  const sequence = (length: number, count: number): Sequence => ({
    tokens: Array.from({ length }, () => Math.floor(next() * shape.vocabulary)),
    reads: Array.from({ length: count }, (_, index) => ({ position: length - count + index, label: Math.floor(next() * classes), weight: 0.2 + next() })),
  })
  const batch = [[sequence(6, Math.floor(reads / 2)), sequence(6, Math.ceil(reads / 2))], [sequence(9, Math.min(reads, 9))]]
  return { values: batchValues(batch, extent, vocabulary?.length ?? 0), extent }
}

/** The same loss and slopes by one graph of the whole model. */
async function whole(trainable: Trainable, vocabulary: number[] | undefined, reads: number, parameters: Float32Array) {
  const { values, extent } = valuesOf(reads, vocabulary)
  const gradient = await openWholeGradient(base, extent, { trainable, vocabulary, threads: 1 })
  const found = await gradient.run(parameters, values)
  await gradient.close()
  return found
}

describe('layer by layer against one graph of the whole model', () => {
  const cases: { way: 'lora' | 'full'; keep: Keep; reads: number; vocabulary: number[] | undefined }[] = [
    { way: 'lora', keep: 'products', reads: 3, vocabulary: [3, 17, 30] },
    { way: 'lora', keep: 'boundaries', reads: 3, vocabulary: undefined },
    { way: 'lora', keep: 'everything', reads: 12, vocabulary: undefined },
    { way: 'full', keep: 'products', reads: 3, vocabulary: [3, 17, 30] },
    { way: 'full', keep: 'boundaries', reads: 12, vocabulary: undefined },
    { way: 'full', keep: 'everything', reads: 5, vocabulary: undefined },
  ]
  for (const { way, keep, reads, vocabulary } of cases)
    it(`${way}, keeping ${keep}, ${reads} places read, ${vocabulary ? 'three labels' : 'all tokens'}`, async () => {
      const trainable = way === 'lora' ? trainableAdapter(base, LORA) : trainableModel(base)
      const parameters = trainable.initial(1)
      const next = generator(9)
      for (let index = 0; index < parameters.length; index++) parameters[index]! += (next() - 0.5) * 0.2
      const { values, extent } = valuesOf(reads, vocabulary)
      // A head that takes five places at a time goes over them in pieces, the last of them not full.
      const options = { trainable, vocabulary, threads: 1, logitsAtOnce: 5 * (vocabulary?.length ?? shape.vocabulary) }
      const gradient = await openGradient(base, extent, { ...options, keep })
      const forward = await openLoss(base, extent, options)
      const expected = await whole(trainable, vocabulary, reads, parameters)
      const most = Math.max(...expected.slopes.flatMap((slope) => [...slope].map(Math.abs)))
      // The second run shows that nothing is left over from the first.
      for (let turn = 0; turn < 2; turn++) {
        const { loss, slopes } = await gradient.run(parameters, values)
        expect(loss).toBeCloseTo(expected.loss, 5)
        expect((await forward.run(parameters, values)).loss).toBeCloseTo(expected.loss, 5)
        for (const [index, slope] of slopes.entries())
          for (const [at, value] of slope.entries())
            expect(Math.abs(value - expected.slopes[index]![at]!), `${trainable.layout[index]!.name}[${at}]`).toBeLessThan(2e-5 * most)
      }
      await gradient.close()
      await forward.close()
    })
})
