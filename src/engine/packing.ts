/**
 * Packing: lays sequences of different lengths side by side into rows of one length, so that little is computed on padding.
 * A block-diagonal causal mask keeps the sequences of a row from seeing each other (Krell et al. 2021). Knows nothing of models.
 */
import type { Extent } from './llama.ts'

/**
 * A place where the model is read: after the token at `position` the class `label` is right. `labels` are the classes it
 * is told apart from (its own among them), as a task's own labels are in a set of several tasks; without it, all.
 */
export type Read = { position: number; label: number; weight: number; labels?: readonly number[] | undefined }

/** A tokenised sequence and the places where the model is read. */
export type Sequence = { tokens: readonly number[]; reads: readonly Read[] }

/** Sequences by row; what one run computes. */
export type Batch = readonly (readonly Sequence[])[]

/** Values to feed for one batch, in the shapes of `LlamaInputs`, and what is right at every read. */
export type BatchValues = {
  tokens: BigInt64Array
  positions: BigInt64Array
  mask: Float32Array
  readPlaces: BigInt64Array
  readPositions: BigInt64Array
  readMask: Float32Array
  /** [rows * reads] the right class, and what the read counts: its weight over the whole step's; 0 for padding. */
  labels: BigInt64Array
  weights: Float32Array
  /** [rows * reads, classes] 0, or a large negative number where a class is no choice; empty when all of the vocabulary is. */
  allowed: Float32Array
  /** Tokens that are not padding. */
  tokenCount: number
}

const HIDDEN = -1e9

/** Row lengths tried beside that of the longest sequence: several short sequences in one row pad less than one. */
const LENGTHS = [64, 96, 128, 160, 192, 256]
/** Attention grows with the row: at this length it costs about as much as all the rest of a small layer. */
const ATTENTION_LENGTH = 1500

/** Chooses the extents that compute a set of sequences with the least work, at most `tokensPerStep` (or one sequence) at a time. */
export function chooseExtent(sequences: readonly Sequence[], tokensPerStep: number): Extent {
  const longest = sequences.reduce((most, { tokens }) => Math.max(most, tokens.length), 1)
  const mostReads = sequences.reduce((most, { reads }) => Math.max(most, reads.length), 1)
  const tokens = sequences.reduce((total, sequence) => total + sequence.tokens.length, 0)
  const allReads = sequences.reduce((total, sequence) => total + sequence.reads.length, 0)
  // A sample is enough to see how well a length fills.
  const sample = sequences.slice(0, 500)
  let best: { extent: Extent; work: number } | undefined
  for (const wanted of [longest, ...LENGTHS]) {
    if (wanted < longest) continue
    const length = Math.ceil(wanted / 8) * 8
    const rows = Math.max(1, Math.min(Math.floor(tokensPerStep / length), Math.ceil(tokens / length)))
    // Half more than the average, but where nearly every token is read no more than there are tokens.
    const extent = { rows, length, reads: Math.max(mostReads, Math.min(length, Math.ceil((allReads / tokens) * length * 1.5)), 1) }
    const work = pack(sample, extent).length * rows * length * (1 + length / ATTENTION_LENGTH)
    if (!best || work < best.work) best = { extent, work }
  }
  return best!.extent
}

/**
 * Packs sequences, in the order given as far as it goes, into batches of `extent`. Every sequence is in exactly one batch.
 * A batch is closed when `patience` sequences in a row found no room in it.
 */
export function pack(sequences: readonly Sequence[], extent: Extent, patience = 64): Batch[] {
  const batches: Batch[] = []
  let waiting = [...sequences]
  while (waiting.length) {
    const rows = Array.from({ length: extent.rows }, () => ({ sequences: [] as Sequence[], tokens: 0, reads: 0 }))
    const left: Sequence[] = []
    let misses = 0
    let index = 0
    for (; index < waiting.length && misses < patience; index++) {
      const sequence = waiting[index]!
      let best: (typeof rows)[number] | undefined
      for (const row of rows) {
        if (row.tokens + sequence.tokens.length > extent.length || row.reads + sequence.reads.length > extent.reads) continue
        if (!best || row.tokens > best.tokens) best = row
      }
      if (!best) {
        misses++
        left.push(sequence)
        continue
      }
      best.sequences.push(sequence)
      best.tokens += sequence.tokens.length
      best.reads += sequence.reads.length
    }
    if (rows.every((row) => !row.sequences.length))
      throw new RangeError(`A sequence of ${left[0]!.tokens.length} tokens does not fit rows of ${extent.length}.`)
    batches.push(rows.map((row) => row.sequences))
    waiting = left.concat(waiting.slice(index))
  }
  return batches
}

/** Sum of the weights of all reads of some batches. */
export function readWeight(batches: readonly Batch[]): number {
  let sum = 0
  for (const sequence of batches.flat(2)) for (const { weight } of sequence.reads) sum += weight
  return sum
}

/**
 * The arrays that feed one batch. Padding looks at itself only and is read with weight zero. `classes` is how many labels
 * there are, 0 when labels are tokens of the whole vocabulary. Weights are divided by `total`, the weight of all reads of
 * the step, so that the losses and slopes of a step's batches add up to the mean over its reads, not to a mean of means.
 */
export function batchValues(batch: Batch, extent: Extent, classes: number, total: number = readWeight([batch])): BatchValues {
  const { rows, length, reads } = extent
  const values: BatchValues = {
    tokens: new BigInt64Array(rows * length),
    positions: new BigInt64Array(rows * length),
    mask: new Float32Array(rows * length * length).fill(HIDDEN),
    readPlaces: new BigInt64Array(rows * reads),
    readPositions: new BigInt64Array(rows * reads),
    readMask: new Float32Array(rows * reads * length).fill(HIDDEN),
    labels: new BigInt64Array(rows * reads),
    weights: new Float32Array(rows * reads),
    allowed: new Float32Array(rows * reads * classes),
    tokenCount: 0,
  }
  for (let row = 0; row < rows; row++) {
    let place = 0
    let read = 0
    for (const sequence of batch[row] ?? []) {
      for (const [position, token] of sequence.tokens.entries()) {
        const at = row * length + place + position
        values.tokens[at] = BigInt(token)
        values.positions[at] = BigInt(position)
        values.mask.fill(0, at * length + place, at * length + place + position + 1)
      }
      for (const { position, label, weight, labels } of sequence.reads) {
        const at = row * reads + read++
        values.readPlaces[at] = BigInt(row * length + place + position)
        values.readPositions[at] = BigInt(position)
        values.readMask.fill(0, at * length + place, at * length + place + position + 1)
        values.labels[at] = BigInt(label)
        values.weights[at] = total > 0 ? weight / total : 0
        if (!labels || !classes) continue
        values.allowed.fill(HIDDEN, at * classes, (at + 1) * classes)
        for (const one of labels) values.allowed[at * classes + one] = 0
      }
      place += sequence.tokens.length
      values.tokenCount += sequence.tokens.length
    }
    for (; place < length; place++) values.mask[(row * length + place) * length + place] = 0
    for (; read < reads; read++) {
      const at = row * reads + read
      values.readPlaces[at] = BigInt(row * length)
      values.readMask[at * length] = 0
    }
  }
  return values
}
