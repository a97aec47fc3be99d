/** Logits, loss and gradients of whole models against PyTorch's (scripts/fixtures/gradients.py). */
import { describe, expect, it } from 'vitest'
import { llamaOf } from './architecture.ts'
import { gradients } from './autodiff.ts'
import { type Gguf, openGguf } from './gguf.ts'
import type { Graph, Tensor } from './graph.ts'
import { buildLlama, type LlamaGraph } from './llama.ts'
import { crossEntropy } from './ops.ts'
import { batchValues } from './packing.ts'
import { openSession } from './session.ts'

/** Of the largest value of each tensor. Both sides compute in 32 bits; what differs is the order of sums. */
const TOLERANCE = 2e-5
const lora = { rank: 3, alpha: 6, targets: ['attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_gate', 'ffn_up', 'ffn_down'] }

const fixture = (name: string): Gguf => openGguf(new URL(`./fixtures/${name}.gguf`, import.meta.url).pathname)

/** Largest difference, relative to the largest value wanted. */
function apart(found: Float32Array, wanted: Float32Array): number {
  expect(found.length).toBe(wanted.length)
  const most = wanted.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0)
  expect(most).toBeGreaterThan(0)
  return found.reduce((largest, value, index) => Math.max(largest, Math.abs(value - wanted[index]!)), 0) / most
}

describe.each(['llama', 'qwen2', 'qwen3'])('%s against PyTorch', (name) => {
  const base = llamaOf(fixture(name))
  const wanted = fixture(`${name}.expected`)
  const tokens = [...wanted.tensor('tokens')]
  const vocabulary = base.shape.vocabulary
  /** Every token but the last is read, and its label is the token after it; each weighs the same. */
  const reads = tokens.slice(1).map((label, position) => ({ position, label, weight: 1 }))
  const extent = { rows: 1, length: tokens.length, reads: reads.length }
  const { tokenCount: _tokens, weight: _weight, ...arrays } = batchValues([[{ tokens, reads }]], extent, vocabulary)

  async function run({ graph, logits }: LlamaGraph, parameters: (name: string) => Float32Array) {
    const loss = crossEntropy(graph, logits, graph.input('targets', [reads.length, vocabulary]))
    const slopes = gradients(graph, loss)
    const session = await openSession(graph, [loss, logits, ...slopes.values()], { threads: 1 })
    const values = Object.fromEntries(graph.parameters.map((tensor) => [tensor.name, parameters(tensor.name)]))
    const [lossFound, logitsFound, ...found] = await session.run({ ...values, ...arrays })
    await session.close()
    return { loss: lossFound![0]!, logits: logitsFound!, slopes: new Map([...slopes.keys()].map((key, index) => [key, found[index]!])) }
  }

  it('has its loss, logits, and gradients of every weight', async () => {
    const parameters = new Map<string, Tensor>()
    const weight = (graph: Graph) => (tensor: string, shape: readonly number[]) => {
      const known = parameters.get(tensor) ?? graph.parameter(tensor, shape)
      parameters.set(tensor, known)
      return known
    }
    const { loss, logits, slopes } = await run(buildLlama(base, extent, { weight }), (tensor) => base.tensor(tensor))
    expect(Math.abs(loss - wanted.tensor('loss')[0]!)).toBeLessThan(1e-5)
    expect(apart(logits, wanted.tensor('logits').subarray(0, logits.length))).toBeLessThan(TOLERANCE)
    const named = [...wanted.tensors.keys()].filter((key) => key.startsWith('grad.') && !key.includes('lora'))
    expect([...slopes.keys()].map((key) => `grad.${key}`).sort()).toEqual(named.sort())
    const worst = Math.max(...[...slopes].map(([tensor, slope]) => apart(slope, wanted.tensor(`grad.${tensor}`))))
    console.log(name, 'all weights, largest difference', worst)
    expect(worst).toBeLessThan(TOLERANCE)
  })

  it("has its loss and gradients of every adapter matrix under PEFT's LoRA", async () => {
    const { loss, slopes } = await run(buildLlama(base, extent, { lora }), (tensor) => wanted.tensor(tensor))
    expect(Math.abs(loss - wanted.tensor('lora.loss')[0]!)).toBeLessThan(2e-5)
    expect(slopes.size).toBe(base.shape.layers * lora.targets.length * 2)
    const worst = Math.max(...[...slopes].map(([tensor, slope]) => apart(slope, wanted.tensor(`grad.${tensor}`))))
    console.log(name, 'adapter, largest difference', worst)
    expect(worst).toBeLessThan(TOLERANCE)
  })
})
