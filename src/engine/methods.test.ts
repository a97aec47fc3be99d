/** What the ways to train promise, on a random model of a few thousand weights. */
import { expect, it } from 'vitest'
import { trainableAdapter } from './adapter.ts'
import { type Llama, matrixShape } from './architecture.ts'
import { balance } from './balance.ts'
import { trainableModel } from './full.ts'
import { openGradient, openLoss } from './gradient.ts'
import { size } from './graph.ts'
import { batchValues, chooseExtent, pack, readWeight, type Sequence } from './packing.ts'
import { partViews, type Trainable } from './parameters.ts'
import { generator } from './random.ts'
import { DivergedError, type TrainingSettings, type TrainingState, train } from './training.ts'

const shape = {
  ...{ architecture: 'llama', rotary: 'interleaved' as const, width: 16, layers: 2, heads: 2, groups: 1, headWidth: 8, feedForward: 24, vocabulary: 40 },
  ...{ epsilon: 1e-5, ropeBase: 10_000 },
}
const model = (tied: boolean): Llama => ({
  shape: { ...shape, tied },
  tensor(name) {
    const next = generator([...name].reduce((sum, character) => sum * 31 + character.charCodeAt(0), 7))
    if (name.includes('norm')) return Float32Array.from({ length: shape.width }, () => 0.5 + next())
    const extent = name.startsWith('blk') ? matrixShape({ ...shape, tied }, name.split('.')[2]!) : [shape.vocabulary, shape.width]
    return Float32Array.from({ length: size(extent) }, () => next() - 0.5)
  },
})
/** A file's tensors could not be closer to what they are expanded to: 32-bit floats. */
const base: Llama = { ...model(false), blocks: (name) => ({ type: 'F32', bytes: new Uint8Array(model(false).tensor(name).buffer) }) }
const settings: TrainingSettings = {
  ...{ method: 'lora', optimiser: 'adamw', accumulate: 1, classWeights: 'none', rank: 4, alpha: 8, targets: ['attn_q', 'attn_v', 'ffn_up'] },
  ...{ learningRate: 0.02, weightDecay: 0, warmupSteps: 2, steps: 40, tokensPerStep: 64, clipNorm: 1, validateEvery: 5, patience: 3, seed: 1, threads: 1 },
  ...{ maximumSeconds: 600 },
}
/** The label is whether token 7 or token 8 stands in front. */
const sequences = (count: number): Sequence[] =>
  Array.from({ length: count }, (_, index) => ({
    tokens: [index % 2 ? 7 : 8, 10 + (index % 13), 25 + (index % 11), 2],
    reads: [{ position: 3, label: index % 2, weight: 1 + (index % 3) }],
  }))
const run = (change: Partial<TrainingSettings> = {}, options: Partial<Parameters<typeof train>[0]> = {}) =>
  train({ base, training: sequences(40), validation: sequences(12), vocabulary: [3, 4], settings: { ...settings, ...change }, ...options })
const losses = (state: TrainingState) => state.curve.map(({ trainingLoss, validationLoss }) => [trainingLoss, validationLoss])
const METHODS: [string, Partial<TrainingSettings>][] = [
  ['lora', { method: 'lora' }],
  ['lora with adafactor', { method: 'lora', optimiser: 'adafactor' }],
  ['qlora', { method: 'qlora' }],
  ['full', { method: 'full', learningRate: 0.005 }],
  ['full with adafactor', { method: 'full', optimiser: 'adafactor', learningRate: 0.005 }],
]

it.each(METHODS)('%s learns a rule to a loss near zero', async (_, method) => {
  const { state } = await run(method)
  expect(state.curve[0]!.validationLoss).toBeGreaterThan(0.3)
  expect(state.bestLoss).toBeLessThan(0.05)
})

it.each(METHODS)('%s goes on bit for bit from every snapshot', async (_, method) => {
  const snapshots: TrainingState[] = []
  const { state: whole } = await run({ ...method, steps: 12, accumulate: 2 }, { onSnapshot: (state) => snapshots.push(structuredClone(state)) })
  expect(snapshots.map(({ step }) => step)).toEqual([0, 5, 10, 12, 12])
  for (const snapshot of snapshots.slice(0, 3)) {
    const { state } = await run({ ...method, steps: 12, accumulate: 2 }, { state: snapshot })
    expect(state.parameters).toEqual(whole.parameters)
    expect(state.moments).toEqual(whole.moments)
    expect(state.best).toEqual(whole.best)
    expect(losses(state)).toEqual(losses(whole))
  }
})

it.each(METHODS)('%s says when the loss is not a number, also at half the learning rate', async (_, method) => {
  const broken: Llama = { ...base, tensor: (name) => (name === 'output_norm.weight' ? base.tensor(name).fill(Number.NaN) : base.tensor(name)) }
  await expect(run(method, { base: broken })).rejects.toThrow(DivergedError)
  await expect(run(method, { base: broken })).rejects.toThrow('step 1')
})

it('a loss that is not a number rolls back to the last snapshot and goes on at half the learning rate', async () => {
  // The tenth time its weight is looked at, one read has none: a fault of that moment, as an overflow is.
  let looked = 0
  const [first, ...rest] = sequences(40)
  const faulty: Sequence = {
    ...first!,
    reads: [
      {
        ...{ position: 3, label: 0 },
        get weight() {
          return looked++ === 9 ? Number.NaN : 1
        },
      },
    ],
  }
  const steps: number[] = []
  const { state } = await run({}, { training: [faulty, ...rest], onSnapshot: ({ step }) => steps.push(step) })
  expect(state.learningRateScale).toBe(0.5)
  expect(state.step).toBe(40)
  expect(steps.filter((step) => step === 15).length).toBe(1)
  expect(state.bestLoss).toBeLessThan(0.1)
})

it('layer by layer it learns what it learns in one graph', async () => {
  // Texts of one length, so that both pack the same batches.
  const even = sequences(16).map((sequence) => ({ ...sequence, tokens: [...sequence.tokens, 5, 5, 5, 5] }))
  const short = { steps: 8, tokensPerStep: 32, validateEvery: 4, accumulate: 2 }
  const sets = { training: even, validation: even }
  const [lora, qlora] = [await run(short, sets), await run({ ...short, method: 'qlora' }, sets)]
  for (const [at, [trainingLoss, validationLoss]] of losses(lora.state).entries()) {
    expect(losses(qlora.state)[at]![0]!).toBeCloseTo(trainingLoss!, 3)
    if (validationLoss !== null) expect(losses(qlora.state)[at]![1]!).toBeCloseTo(validationLoss!, 3)
  }
})

it.each([
  ['untied', false],
  ['tied', true],
])('full: slopes of every tensor of an %s model agree with central differences', async (_, tied) => {
  const whole = model(tied)
  const trainable = trainableModel(whole)
  const names = trainable.layout.map(({ name }) => name)
  expect(names.length).toBe(2 + 9 * 2 + (tied ? 0 : 1))
  expect(new Set(names).size).toBe(names.length)
  await agreesWithDifferences(whole, trainable, [3, 17, 30])
})

it('text: slopes among all of the vocabulary agree with central differences', async () => {
  await agreesWithDifferences(base, trainableAdapter(base, settings), undefined)
})

/** For each part the slope of largest size, against the loss a little above and below. */
async function agreesWithDifferences(whole: Llama, trainable: Trainable, vocabulary: number[] | undefined): Promise<void> {
  const extent = { rows: 2, length: 12, reads: 4 }
  const sequence = (length: number, ...reads: number[]): Sequence => ({
    tokens: Array.from({ length }, (_, index) => (index * 7 + length) % 40),
    reads: reads.map((position, index) => ({ position, label: vocabulary ? index % 3 : (position * 11) % 40, weight: 1 + index })),
  })
  const values = batchValues([[sequence(5, 4), sequence(6, 2, 5)], [sequence(9, 8)]], extent, vocabulary?.length ?? 0)
  const parameters = trainable.initial(1)
  // A LoRA starts with lora_b at zero, where lora_a has no slope.
  const next = generator(5)
  for (const { name, offset, length } of trainable.layout)
    if (name.endsWith('lora_b')) for (let at = 0; at < length; at++) parameters[offset + at] = next() - 0.5
  const options = { trainable, vocabulary, threads: 1 }
  const gradient = await openGradient(whole, extent, options)
  const forward = await openLoss(whole, extent, options)
  const exact = await gradient.run(parameters, values)
  expect((await forward.run(parameters, values)).loss).toBeCloseTo(exact.loss, 5)
  for (const [index, { name, offset }] of trainable.layout.entries()) {
    const slopes = exact.slopes[index]!
    const most = slopes.reduce((largest, slope) => Math.max(largest, Math.abs(slope)), 0)
    expect(most, name).toBeGreaterThan(1e-4)
    const at = offset + slopes.findIndex((slope) => Math.abs(slope) === most)
    const kept = parameters[at]!
    parameters[at] = kept + 0.01
    const above = (await forward.run(parameters, values)).loss
    parameters[at] = kept - 0.01
    const below = (await forward.run(parameters, values)).loss
    parameters[at] = kept
    expect(Math.abs((above - below) / 0.02 - slopes[at - offset]!), name).toBeLessThan(5e-3 * most + 5e-5)
  }
  await gradient.close()
  await forward.close()
}

it('full: the embedding that is the output matrix too is one part', () => {
  const names = (tied: boolean) => trainableModel(model(tied)).layout.map(({ name }) => name)
  expect(names(true)).not.toContain('output.weight')
  expect(names(false)).toContain('output.weight')
})

it('full: starts at the base itself', () => {
  const { layout, initial } = trainableModel(base)
  for (const [name, values] of Object.entries(partViews(layout, initial(1)))) expect(values, name).toEqual(base.tensor(name))
})

it('a step in several parts is the mean over its reads, not the mean of their means', async () => {
  const trainable = trainableAdapter(base, settings)
  const parameters = trainable.initial(1)
  const next = generator(5)
  for (let at = 0; at < parameters.length; at++) parameters[at]! += (next() - 0.5) * 0.5
  const all = sequences(7)
  const one = { rows: 7, length: 4, reads: 1 }
  const few = { rows: 2, length: 4, reads: 1 }
  const options = { trainable, vocabulary: [3, 4], threads: 1 }
  const whole = await openGradient(base, one, options)
  const parts = await openGradient(base, few, options)
  const expected = await whole.run(parameters, batchValues(pack(all, one)[0]!, one, 2))
  const batches = pack(all, few)
  expect(batches.length).toBe(4)
  const sum = trainable.layout.map(({ length }) => new Float64Array(length))
  let loss = 0
  for (const batch of batches) {
    const found = await parts.run(parameters, batchValues(batch, few, 2, readWeight(batches)))
    loss += found.loss
    for (const [index, slopes] of found.slopes.entries()) for (const [at, slope] of slopes.entries()) sum[index]![at]! += slope
  }
  expect(loss).toBeCloseTo(expected.loss, 5)
  for (const [index, slopes] of expected.slopes.entries())
    for (const [at, slope] of slopes.entries()) expect(Math.abs(sum[index]![at]! - slope)).toBeLessThan(1e-5)
  await whole.close()
  await parts.close()
})

it('training in several parts a step follows the curve of training in one', async () => {
  // Rows of one sequence each, so that four parts of one row hold what one part of four rows does.
  const training = sequences(16).map((sequence) => ({ ...sequence, tokens: [...sequence.tokens, 5, 5, 5, 5] }))
  const short = { steps: 8, tokensPerStep: 32, validateEvery: 4 }
  const extent = chooseExtent(training, 32)
  const [one, four] = [await run({ ...short }, { training }), await run({ ...short, accumulate: 4 }, { training })]
  expect(extent).toMatchObject({ rows: 4, length: 8 })
  expect(four.state.tokens).toBe(one.state.tokens)
  for (const [at, [trainingLoss, validationLoss]] of losses(one.state).entries()) {
    expect(losses(four.state)[at]![0]!).toBeCloseTo(trainingLoss!, 3)
    if (validationLoss !== null) expect(losses(four.state)[at]![1]!).toBeCloseTo(validationLoss!, 3)
  }
})

it('a task with labels of its own is told apart among those alone', async () => {
  const trainable = trainableAdapter(base, settings)
  const extent = { rows: 1, length: 4, reads: 1 }
  const forward = await openLoss(base, extent, { trainable, vocabulary: [3, 4, 5, 6], threads: 1 })
  const pair = await openLoss(base, extent, { trainable, vocabulary: [4, 6], threads: 1 })
  const read = { position: 3, weight: 1 }
  const tokens = [7, 10, 25, 2]
  const parameters = trainable.initial(1)
  const among = async (labels: number[] | undefined) =>
    (await forward.run(parameters, batchValues([[{ tokens, reads: [{ ...read, label: 3, labels }] }]], extent, 4))).loss
  const alone = (await pair.run(parameters, batchValues([[{ tokens, reads: [{ ...read, label: 1 }] }]], extent, 2))).loss
  expect(await among([1, 3])).toBeCloseTo(alone, 5)
  expect(await among(undefined)).toBeGreaterThan(alone + 0.1)
  await forward.close()
  await pair.close()
})

it('balanced classes count the same in sum, each task by itself, none more than tenfold', () => {
  const of = (label: number, count: number, labels?: number[]): Sequence[] =>
    Array.from({ length: count }, () => ({ tokens: [1], reads: [{ position: 0, label, weight: 1, labels }] }))
  const factor = balance([...of(0, 30), ...of(1, 10), ...of(2, 99, [2, 3]), ...of(3, 1, [2, 3])])
  expect(factor({ position: 0, label: 0, weight: 1 })).toBeCloseTo(2 / 3, 9)
  expect(factor({ position: 0, label: 1, weight: 1 })).toBeCloseTo(2, 9)
  expect(factor({ position: 0, label: 2, weight: 1, labels: [2, 3] })).toBeCloseTo(100 / 198, 9)
  expect(factor({ position: 0, label: 3, weight: 1, labels: [2, 3] })).toBe(10)
  expect(factor({ position: 0, label: 5, weight: 1 })).toBe(1)
})

it('balancing lets a rare class be learned that is lost without it', async () => {
  // Nothing tells these classes apart, so the model learns how often each occurs.
  const rare: Sequence[] = Array.from({ length: 40 }, (_, index) => ({
    tokens: [7, 10, 25, 2],
    reads: [{ position: 3, label: index % 5 === 0 ? 1 : 0, weight: 1 }],
  }))
  const [plain, even] = [await run({}, { training: rare, validation: rare }), await run({ classWeights: 'balanced' }, { training: rare, validation: rare })]
  // The entropy of 4 : 1, and that of 1 : 1.
  expect(plain.state.bestLoss).toBeCloseTo(0.5004, 2)
  expect(even.state.bestLoss).toBeCloseTo(Math.LN2, 2)
})

it('learns to write a text, and the extent does not pay for more reads than tokens', async () => {
  const texts: Sequence[] = Array.from({ length: 30 }, (_, index) => {
    const tokens = [5, 10 + (index % 3), 20 + (index % 3), 30 + (index % 3), 2]
    return { tokens, reads: [1, 2, 3].map((position) => ({ position, label: tokens[position + 1]!, weight: 1 })) }
  })
  const extent = chooseExtent(texts, 64)
  expect(extent.reads).toBeLessThanOrEqual(extent.length)
  const { state } = await run({ method: 'full', learningRate: 0.01 }, { training: texts, validation: texts.slice(0, 6), vocabulary: undefined })
  expect(state.curve[0]!.validationLoss).toBeGreaterThan(2)
  expect(state.bestLoss).toBeLessThan(0.1)
})
