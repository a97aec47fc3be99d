import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { type Llama, matrixShape } from './architecture.ts'
import { readCheckpoint, writeCheckpoint } from './checkpoint.ts'
import { size } from './graph.ts'
import type { Sequence } from './packing.ts'
import { generator } from './random.ts'
import { type TrainingSettings, type TrainingState, train } from './training.ts'

const shape = {
  ...{ architecture: 'llama', rotary: 'interleaved' as const, width: 16, layers: 2, heads: 2, groups: 1, headWidth: 8, feedForward: 24, vocabulary: 40 },
  ...{ epsilon: 1e-5, ropeBase: 10_000, tied: false },
}
const base: Llama = {
  shape,
  tensor(name) {
    const next = generator([...name].reduce((sum, character) => sum * 31 + character.charCodeAt(0), 7))
    if (name.includes('norm')) return new Float32Array(shape.width).fill(1)
    const extent = name.startsWith('blk') ? matrixShape(shape, name.split('.')[2]!) : [shape.vocabulary, shape.width]
    return Float32Array.from({ length: size(extent) }, () => next() - 0.5)
  },
}
/** The label is whether token 7 or token 8 stands in front; `turned` swaps the labels. */
const sequences = (count: number, turned = false): Sequence[] =>
  Array.from({ length: count }, (_, index) => ({
    tokens: [index % 2 ? 7 : 8, 10 + (index % 13), 25 + (index % 11), 2],
    reads: [{ position: 3, label: (index % 2) ^ (turned ? 1 : 0), weight: 1 }],
  }))
const settings: TrainingSettings = {
  ...{ method: 'lora', optimiser: 'adamw', accumulate: 1, classWeights: 'none' },
  ...{ rank: 4, alpha: 8, targets: ['attn_q', 'attn_v', 'ffn_up'], learningRate: 0.02, weightDecay: 0, warmupSteps: 2, steps: 40, tokensPerStep: 64 },
  ...{ clipNorm: 1, validateEvery: 5, patience: 3, seed: 1, threads: 1, maximumSeconds: 600 },
}
const run = (change: Partial<Parameters<typeof train>[0]> = {}) =>
  train({ base, training: sequences(40), validation: sequences(12), vocabulary: [3, 4], settings, ...change })

it('learns a rule to a loss near zero', async () => {
  const { state } = await run()
  expect(state.curve[0]!.validationLoss).toBeGreaterThan(0.3)
  expect(state.bestLoss).toBeLessThan(0.05)
  // What it gets right is counted with every validation: some by chance at first, all of them in the end, and nothing between validations.
  expect(state.curve[0]!.validationRight).toBeLessThan(0.9)
  expect(state.curve.at(-1)!.validationRight).toBeCloseTo(1, 5)
  for (const { validationLoss, validationRight } of state.curve) expect(validationRight === undefined).toBe(validationLoss === null)
  expect(state.step).toBe(40)
})

it('stops when validation no longer improves, and keeps the adapter of the best', async () => {
  const { state } = await run({ validation: sequences(12, true), settings: { ...settings, steps: 1000 } })
  expect(state.step).toBeLessThan(200)
  expect(state.misses).toBe(3)
  expect(state.bestStep).toBe(state.step - 3 * settings.validateEvery)
  expect(state.best).not.toEqual(state.parameters)
})

it('ends at its time limit', async () => {
  const { state } = await run({ settings: { ...settings, steps: 1_000_000, patience: 1_000_000, maximumSeconds: 0.5 } })
  expect(state.step).toBeGreaterThan(5)
  expect(state.seconds).toBeLessThan(5)
})

it('goes on bit for bit from every snapshot', async () => {
  const snapshots: TrainingState[] = []
  const { state: whole } = await run({ onSnapshot: (state) => snapshots.push(structuredClone(state)) })
  const middle = snapshots.find(({ step }) => step === 15)!
  const { state: resumed } = await run({ state: middle })
  expect(resumed.parameters).toEqual(whole.parameters)
  expect(resumed.best).toEqual(whole.best)
  expect(resumed.curve.map(({ trainingLoss, validationLoss }) => [trainingLoss, validationLoss])).toEqual(
    whole.curve.map(({ trainingLoss, validationLoss }) => [trainingLoss, validationLoss]),
  )
})

it('keeps a checkpoint whole, and throws away one that is torn, rotten or of another job', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'checkpoint-'))
  const path = join(folder, 'checkpoint.bin')
  const { state } = await run({ settings: { ...settings, steps: 2 } })
  writeCheckpoint(path, 'job', state)
  expect(readdirSync(folder)).toEqual(['checkpoint.bin'])
  expect(readCheckpoint(path, 'job')).toEqual(state)
  expect(readCheckpoint(path, 'another')).toBeUndefined()
  expect(readCheckpoint(join(folder, 'none'), 'job')).toBeUndefined()
  const bytes = readFileSync(path)
  for (const at of [0, 6, 40, bytes.length - 3]) {
    const rotten = Buffer.from(bytes)
    rotten[at]! ^= 1
    writeFileSync(path, rotten)
    expect(readCheckpoint(path, 'job'), `byte ${at}`).toBeUndefined()
  }
  for (const length of [0, 5, 30, bytes.length - 8]) {
    writeFileSync(path, bytes)
    truncateSync(path, length)
    expect(readCheckpoint(path, 'job'), `${length} bytes`).toBeUndefined()
  }
  rmSync(folder, { recursive: true })
})
