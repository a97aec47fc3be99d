/** Logits, loss and gradients of whole models against PyTorch's (scripts/fixtures/gradients.py). */
import { describe, expect, it } from 'vitest'
import { trainableAdapter } from './adapter.ts'
import { llamaOf } from './architecture.ts'
import { trainableModel } from './full.ts'
import { type Gguf, openGguf } from './gguf.ts'
import { openGradient } from './gradient.ts'
import { buildLlama } from './llama.ts'
import { batchValues } from './packing.ts'
import type { Trainable } from './parameters.ts'
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
  /** Every token but the last is read, and its label is the token after it; each weighs the same. */
  const reads = tokens.slice(1).map((label, position) => ({ position, label, weight: 1 }))
  const extent = { rows: 1, length: tokens.length, reads: reads.length }
  const values = batchValues([[{ tokens, reads }]], extent, 0)

  /** The loss and the slopes by tensor, at the values the fixture names. */
  async function run(trainable: Trainable, start: (name: string) => Float32Array) {
    const parameters = trainable.initial(1)
    for (const { name: part, offset } of trainable.layout) parameters.set(start(part), offset)
    const gradient = await openGradient(base, extent, { trainable, vocabulary: undefined, threads: 1 })
    const { loss, slopes } = await gradient.run(parameters, values)
    await gradient.close()
    return { loss, slopes: new Map(trainable.layout.map(({ name: part }, index) => [part, slopes[index]!])) }
  }

  it('has its logits', async () => {
    const { graph, logits } = buildLlama(base, extent)
    const session = await openSession(graph, [logits], { threads: 1 })
    const { tokenCount: _, ...arrays } = values
    const [found] = await session.run(arrays)
    await session.close()
    expect(apart(found!, wanted.tensor('logits').subarray(0, found!.length))).toBeLessThan(TOLERANCE)
  })

  it('has its loss and gradients of every weight', async () => {
    const { loss, slopes } = await run(trainableModel(base), (tensor) => base.tensor(tensor))
    expect(Math.abs(loss - wanted.tensor('loss')[0]!)).toBeLessThan(1e-5)
    const named = [...wanted.tensors.keys()].filter((key) => key.startsWith('grad.') && !key.includes('lora'))
    expect([...slopes.keys()].map((key) => `grad.${key}`).sort()).toEqual(named.sort())
    for (const [tensor, slope] of slopes) expect(apart(slope, wanted.tensor(`grad.${tensor}`)), tensor).toBeLessThan(TOLERANCE)
  })

  it("has its loss and gradients of every adapter matrix under PEFT's LoRA", async () => {
    const { loss, slopes } = await run(trainableAdapter(base, lora), (tensor) => wanted.tensor(tensor))
    expect(Math.abs(loss - wanted.tensor('lora.loss')[0]!)).toBeLessThan(2e-5)
    expect(slopes.size).toBe(base.shape.layers * lora.targets.length * 2)
    for (const [tensor, slope] of slopes) expect(apart(slope, wanted.tensor(`grad.${tensor}`)), tensor).toBeLessThan(TOLERANCE)
  })
})
