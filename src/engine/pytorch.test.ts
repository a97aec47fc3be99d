/** Logits, loss and gradients of whole models against PyTorch's (scripts/fixtures/gradients.py). */
import { describe, expect, it } from 'vitest'
import { trainableAdapter } from './adapter.ts'
import { llamaOf } from './architecture.ts'
import { openEvaluator } from './evaluate.ts'
import { trainableModel } from './full.ts'
import { type Gguf, openGguf } from './gguf.ts'
import { type Keep, openGradient } from './gradient.ts'
import { batchValues } from './packing.ts'
import type { Trainable } from './parameters.ts'

/** Of the largest value of each tensor. Both sides compute in 32 bits; what differs is the order of sums. */
const TOLERANCE = 2e-5
const LORA = { rank: 3, alpha: 6, targets: ['attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_gate', 'ffn_up', 'ffn_down'] }

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
  const batch = [[{ tokens, reads }]]

  /** Loss and the gradients' largest difference. The parameters are the fixture's own of the same names. */
  async function run(trainable: Trainable, keep: Keep, values: (tensor: string) => Float32Array) {
    const parameters = trainable.initial(1)
    for (const { name, offset } of trainable.layout) parameters.set(values(name), offset)
    const gradient = await openGradient(base, extent, { trainable, keep, threads: 1, vocabulary: undefined })
    const { loss, slopes } = await gradient.run(parameters, batchValues(batch, extent, 0))
    const worst = Math.max(...trainable.layout.map(({ name }, index) => apart(slopes[index]!, wanted.tensor(`grad.${name}`))))
    await gradient.close()
    console.log(name, keep, 'loss', loss, 'largest difference of', slopes.length, 'gradients', worst)
    return { loss, worst }
  }

  it('has its logits', async () => {
    const evaluator = await openEvaluator(base, extent, { threads: 1 })
    const { logits, loss } = await evaluator.run(batch)
    await evaluator.close()
    const found = Float32Array.from(logits.flatMap((row) => [...row]))
    expect(apart(found, wanted.tensor('logits').subarray(0, found.length))).toBeLessThan(TOLERANCE)
    expect(Math.abs(loss - wanted.tensor('loss')[0]!)).toBeLessThan(1e-5)
  })

  it.each<Keep>(['products', 'boundaries', 'everything'])('has its loss and gradients of every weight, keeping %s', async (keep) => {
    const trainable = trainableModel(base)
    const named = [...wanted.tensors.keys()].filter((key) => key.startsWith('grad.') && !key.includes('lora'))
    expect(trainable.layout.map((part) => `grad.${part.name}`).sort()).toEqual(named.sort())
    const { loss, worst } = await run(trainable, keep, (tensor) => base.tensor(tensor))
    expect(Math.abs(loss - wanted.tensor('loss')[0]!)).toBeLessThan(1e-5)
    expect(worst).toBeLessThan(TOLERANCE)
  })

  it("has its loss and gradients of every adapter matrix under PEFT's LoRA", async () => {
    const trainable = trainableAdapter(base, LORA)
    expect(trainable.layout.length).toBe(base.shape.layers * LORA.targets.length * 2)
    const { loss, worst } = await run(trainable, 'products', (tensor) => wanted.tensor(tensor))
    expect(Math.abs(loss - wanted.tensor('lora.loss')[0]!)).toBeLessThan(2e-5)
    expect(worst).toBeLessThan(TOLERANCE)
  })
})
