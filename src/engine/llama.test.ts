import { expect, it } from 'vitest'
import { type Llama, matrixShape } from './architecture.ts'
import { gradients } from './autodiff.ts'
import { size } from './graph.ts'
import { buildLlama } from './llama.ts'
import { linearCrossEntropy } from './ops.ts'
import { batchValues, type Sequence } from './packing.ts'
import { generator } from './random.ts'
import { openSession } from './session.ts'

const shape = {
  ...{ architecture: 'llama', rotary: 'interleaved' as const, width: 16, layers: 2, heads: 4, groups: 2, headWidth: 4, feedForward: 24, vocabulary: 40 },
  ...{ epsilon: 1e-5, ropeBase: 10_000, tied: false },
}

/** A random model of that shape; the same name always gives the same values. */
const base: Llama = {
  shape,
  tensor(name) {
    const next = generator([...name].reduce((sum, character) => sum * 31 + character.charCodeAt(0), 7))
    if (name.includes('norm')) return Float32Array.from({ length: shape.width }, () => 0.5 + next())
    const extent = name.startsWith('blk') ? matrixShape(shape, name.split('.')[2]!) : [shape.vocabulary, shape.width]
    return Float32Array.from({ length: size(extent) }, () => (next() - 0.5) * 0.8)
  },
}
const targets = ['attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_gate', 'ffn_up', 'ffn_down']
const extent = { rows: 2, length: 12, reads: 3 }
const vocabulary = [3, 17, 30]
const sequence = (length: number, ...reads: number[]): Sequence => ({
  tokens: Array.from({ length }, (_, index) => (index * 7 + length) % 40),
  reads: reads.map((position, index) => ({ position, label: index % 3, weight: 1 + index })),
})
const batch = [[sequence(5, 4), sequence(6, 2, 5)], [sequence(9, 8)]]

it('gradients of the whole model agree with central differences for every adapter matrix', async () => {
  const { graph, hidden, matrix } = buildLlama(base, extent, { vocabulary, lora: { rank: 3, alpha: 6, targets } })
  const { loss } = linearCrossEntropy(graph, hidden, matrix, { labels: graph.input('labels', [6], 'int64'), weights: graph.input('weights', [6]) })
  const found = gradients(graph, loss)
  expect(found.size).toBe(2 * 7 * 2)
  const session = await openSession(graph, [loss, ...found.values()], { threads: 1 })
  const { tokenCount, ...arrays } = batchValues(batch, extent, 3)
  expect(tokenCount).toBe(20)
  const next = generator(9)
  const adapter = Object.fromEntries(
    graph.parameters.map((tensor) => [tensor.name, Float32Array.from({ length: size(tensor.shape) }, () => (next() - 0.5) * 0.5)]),
  )
  const run = () => session.run({ ...adapter, ...arrays })
  const exact = (await run()).map((values) => values.slice())
  // Step 1e-2 of a 32-bit loss: truncation of order 1e-4 and rounding of order 1e-5, relative to slopes of order 0.1.
  for (const [index, name] of [...found.keys()].entries()) {
    const slopes = exact[index + 1]!
    const most = Math.max(...slopes.map(Math.abs))
    expect(most, name).toBeGreaterThan(1e-4)
    const element = slopes.findIndex((slope) => Math.abs(slope) === most)
    const kept = adapter[name]![element]!
    adapter[name]![element] = kept + 0.01
    const above = (await run())[0]![0]!
    adapter[name]![element] = kept - 0.01
    const below = (await run())[0]![0]!
    adapter[name]![element] = kept
    expect(Math.abs((above - below) / 0.02 - slopes[element]!), name).toBeLessThan(2e-3 * most + 2e-5)
  }
  await session.close()
})

it('a sequence gives the same logits alone as packed beside others', async () => {
  const run = async (rows: Sequence[][]) => {
    const { graph, logits } = buildLlama(base, extent, { vocabulary })
    const session = await openSession(graph, [logits], { threads: 1 })
    const { tokenCount: _tokens, ...arrays } = batchValues(rows, extent, 3)
    const values = (await session.run(arrays))[0]!.slice()
    await session.close()
    return values
  }
  const packed = await run(batch)
  const alone = await run([[sequence(6, 2, 5)], []])
  // In the packed row this sequence's reads are the second and third.
  for (let index = 0; index < 6; index++) expect(packed[3 + index]!).toBeCloseTo(alone[index]!, 4)
  expect(Math.abs(packed[3]! - packed[6]!)).toBeGreaterThan(1e-3)
})
