import { describe, expect, it } from 'vitest'
import { type AdapterPart, adapterLayout, initialAdapter } from './adapter.ts'
import { type Llama, matrixShape } from './architecture.ts'
import { gradients } from './autodiff.ts'
import { size } from './graph.ts'
import { expandedWeights } from './layer-weights.ts'
import { type Keep, type LayeredValues, openLayered } from './layered.ts'
import { buildLlama } from './llama.ts'
import { linearCrossEntropy } from './ops.ts'
import { batchValues, type Sequence } from './packing.ts'
import { generator } from './random.ts'
import { openSession } from './session.ts'

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

const wholeLayout = (): AdapterPart[] => {
  const layers = Array.from({ length: shape.layers }, (_, layer) => STEMS.map((stem) => `blk.${layer}.${stem}.weight`))
  let offset = 0
  return ['token_embd.weight', ...layers.flat(), 'output_norm.weight'].map((name) => {
    const part = { name, shape: shapeOf(name) as [number, number], offset, length: size(shapeOf(name)) }
    offset += part.length
    return part
  })
}

/** Rows of length 12 read at `reads` places each. */
function valuesOf(reads: number, classes: number): { values: LayeredValues; extent: { rows: number; length: number; reads: number } } {
  const extent = { rows: 2, length: 12, reads }
  const next = generator(3)
  const sequence = (length: number, count: number): Sequence => ({
    tokens: Array.from({ length }, () => Math.floor(next() * shape.vocabulary)),
    reads: Array.from({ length: count }, (_, index) => ({ position: length - count + index, label: Math.floor(next() * classes), weight: 0.2 + next() })),
  })
  const batch = [[sequence(6, Math.floor(reads / 2)), sequence(6, Math.ceil(reads / 2))], [sequence(9, Math.min(reads, 9))]]
  const { tokenCount: _tokens, weight, ...arrays } = batchValues(batch, extent, classes)
  const labels = new BigInt64Array(extent.rows * reads)
  const weights = new Float32Array(extent.rows * reads)
  for (const [row, sequences] of batch.entries())
    for (const [index, read] of sequences.flatMap((one) => one.reads).entries()) {
      labels[row * reads + index] = BigInt(read.label)
      weights[row * reads + index] = read.weight / weight
    }
  return { values: { ...arrays, labels, weights }, extent }
}

/** The same loss and slopes by one graph of the whole model. */
async function whole(way: 'lora' | 'full', vocabulary: number[] | undefined, reads: number, parameters: Float32Array, layout: AdapterPart[]) {
  const { values, extent } = valuesOf(reads, vocabulary?.length ?? shape.vocabulary)
  const known = new Map<string, ReturnType<typeof JSON.parse>>()
  const built = buildLlama(base, extent, {
    vocabulary,
    ...(way === 'lora'
      ? { lora: LORA }
      : {
          weight: (graph) => (name, extents) => {
            const found = known.get(name) ?? graph.parameter(name, extents)
            known.set(name, found)
            return found
          },
        }),
  })
  const { graph, hidden, matrix } = built
  const loss = linearCrossEntropy(graph, hidden, matrix, graph.input('labels', [extent.rows * reads], 'int64'), graph.input('weights', [extent.rows * reads]))
  const slopes = gradients(graph, loss)
  const session = await openSession(graph, [loss, ...layout.map(({ name }) => slopes.get(name)!)], { threads: 1 })
  const fed = Object.fromEntries(layout.map(({ name, offset, length }) => [name, parameters.subarray(offset, offset + length)]))
  const [value, ...found] = await session.run({ ...fed, ...values })
  await session.close()
  return { loss: value![0]!, slopes: found }
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
      const layout = way === 'lora' ? adapterLayout(base, LORA) : wholeLayout()
      const parameters = way === 'lora' ? initialAdapter(layout, 1) : new Float32Array(layout.at(-1)!.offset + layout.at(-1)!.length)
      const next = generator(9)
      if (way === 'lora') for (let index = 0; index < parameters.length; index++) parameters[index]! += (next() - 0.5) * 0.2
      else for (const { name, offset } of layout) parameters.set(base.tensor(name), offset)
      const { values, extent } = valuesOf(reads, vocabulary?.length ?? shape.vocabulary)
      const layered = await openLayered({
        ...{ base, weights: expandedWeights(base), extent, threads: 1, keep, layout, vocabulary },
        ...{ lora: way === 'lora' ? LORA : undefined, logitsAtOnce: 5 * (vocabulary?.length ?? shape.vocabulary) },
      })
      const expected = await whole(way, vocabulary, reads, parameters, layout)
      // The second run shows that nothing is left over from the first.
      for (let turn = 0; turn < 2; turn++) {
        const { loss, slopes } = await layered.run(parameters, values)
        expect(loss).toBeCloseTo(expected.loss, 5)
        expect(await layered.loss(parameters, values)).toBeCloseTo(expected.loss, 5)
        const most = Math.max(...expected.slopes.flatMap((slope) => [...slope].map(Math.abs)))
        for (const [index, slope] of slopes.entries())
          for (const [at, value] of slope.entries())
            expect(Math.abs(value - expected.slopes[index]![at]!), `${layout[index]!.name}[${at}]`).toBeLessThan(2e-5 * most)
      }
      await layered.close()
    })
})
