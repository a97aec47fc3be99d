/**
 * Head: the last norm, the output matrix and the loss, forward and back in one run, over the read places in pieces, so that
 * a large vocabulary costs little memory. Knows nothing of layers.
 */
import type { Llama } from './architecture.ts'
import { pullback } from './autodiff.ts'
import { Graph } from './graph.ts'
import type { LayerWeights } from './layer-weights.ts'
import { linearCrossEntropy, rmsNorm } from './ops.ts'
import type { Part } from './parameters.ts'
import { gather, scatter } from './rows.ts'
import { openSession } from './session.ts'

export type HeadOptions = {
  base: Llama
  weights: LayerWeights
  threads: number
  /** Trained tensors by name. */
  parts: ReadonlyMap<string, Part>
  /** Places read in one run. */
  count: number
  vocabulary?: readonly number[] | undefined
  logitsAtOnce?: number | undefined
  arena?: boolean | undefined
}

/** As in `BatchValues`; `allowed` counts only when there are label tokens. */
export type Targets = { labels: BigInt64Array; weights: Float32Array; allowed: Float32Array }

export interface Head {
  /** [count, width]: room for the states at the read places. */
  readonly hidden: Float32Array
  /**
   * The loss of states [count, width], the weight of those read right, and the slope of the loss with respect to them; slopes of trained tensors are added to `into`.
   * Arrays returned are overwritten by the next run.
   */
  run(
    parameters: Float32Array,
    states: Float32Array,
    targets: Targets,
    into?: ReadonlyMap<string, Float32Array>,
  ): Promise<{ loss: number; right: number; slope: Float32Array }>
  close(): Promise<void>
}

/** Floats of logits computed at once, unless told otherwise. */
const LOGITS_AT_ONCE = 1 << 24
/** A frozen matrix of at most so many floats is laid out for the product once, which costs a copy of it. */
const PACKED_AT_MOST = 1 << 24

const GAIN = 'output_norm.weight'

export async function openHead(options: HeadOptions): Promise<Head> {
  const { base, weights, parts, count, vocabulary } = options
  const { width, tied, vocabulary: size, epsilon } = base.shape
  const name = tied ? 'token_embd.weight' : 'output.weight'
  const classes = vocabulary?.length ?? size
  for (const token of vocabulary ?? [])
    if (!Number.isInteger(token) || token < 0 || token >= size) throw new RangeError(`Token ${token} is not in a vocabulary of ${size}.`)
  const piece = Math.max(1, Math.min(count, Math.floor((options.logitsAtOnce ?? LOGITS_AT_ONCE) / classes)))
  const fixed = parts.has(name) ? undefined : frozenMatrix()
  const fixedGain = parts.has(GAIN) ? undefined : weights.tensor(GAIN)

  const graph = new Graph()
  const hidden = graph.parameter('hidden', [piece, width])
  const gain = fixedGain ? graph.constant(fixedGain, [width]) : graph.parameter(GAIN, [width])
  const shape = [classes, width]
  const matrix = !fixed ? graph.parameter(name, shape) : fixed.length <= PACKED_AT_MOST ? graph.constant(fixed, shape) : graph.input(name, shape)
  const normal = rmsNorm(graph, hidden, gain, epsilon)
  const { loss, right } = linearCrossEntropy(graph, normal, matrix, {
    labels: graph.input('labels', [piece], 'int64'),
    weights: graph.input('weights', [piece]),
    ...(vocabulary ? { offset: graph.input('allowed', [piece, classes]) } : {}),
  })
  const slopes = pullback(graph, loss, graph.scalar(1))
  const trained = [GAIN, name].filter((one) => slopes.has(one))
  const outputs = [loss, right, slopes.get('hidden')!, ...trained.map((one) => slopes.get(one)!)]
  const session = await openSession(graph, outputs, { threads: options.threads, arena: options.arena })

  const own = vocabulary ? classes : 0
  const padded = {
    ...{ hidden: new Float32Array(piece * width), labels: new BigInt64Array(piece) },
    ...{ weights: new Float32Array(piece), allowed: new Float32Array(piece * own) },
  }
  const slope = new Float32Array(count * width)
  return {
    hidden: new Float32Array(count * width),
    async run(parameters, states, targets, into) {
      const fed: Record<string, Float32Array> = {}
      if (!fixed) fed[name] = chosenRows(partOf(parameters, name))
      else fed[name] = fixed
      if (!fixedGain) fed[GAIN] = partOf(parameters, GAIN)
      let total = 0
      let rightWeight = 0
      for (let start = 0; start < count; start += piece) {
        const end = Math.min(count, start + piece)
        const values = {
          hidden: states.subarray(start * width, end * width),
          labels: targets.labels.subarray(start, end),
          weights: targets.weights.subarray(start, end),
          allowed: targets.allowed.subarray(start * own, end * own),
        }
        const [value, hit, back, ...found] = await session.run({ ...fed, ...(end - start < piece ? pad(values) : values) })
        total += value![0]!
        rightWeight += hit![0]!
        slope.set(back!.subarray(0, (end - start) * width), start * width)
        if (into) for (const [index, one] of trained.entries()) addTo(into.get(one)!, found[index]!, one === name ? vocabulary : undefined)
      }
      return { loss: total, right: rightWeight, slope }
    },
    close: () => session.close(),
  }

  function frozenMatrix(): Float32Array {
    if (!vocabulary) return weights.tensor(name)
    const rows = new Float32Array(classes * width)
    weights.rows(name, width, vocabulary, rows)
    return rows
  }

  function chosenRows(all: Float32Array): Float32Array {
    if (!vocabulary) return all
    const rows = new Float32Array(classes * width)
    gather(all, width, vocabulary, rows)
    return rows
  }

  function partOf(parameters: Float32Array, one: string): Float32Array {
    const { offset, length } = parts.get(one)!
    return parameters.subarray(offset, offset + length)
  }

  /** The last piece, filled up with places of weight zero. */
  function pad(values: Targets & { hidden: Float32Array }): typeof padded {
    padded.hidden.fill(0).set(values.hidden)
    padded.labels.fill(0n).set(values.labels)
    padded.weights.fill(0).set(values.weights)
    padded.allowed.fill(0).set(values.allowed)
    return padded
  }

  function addTo(sum: Float32Array, part: Float32Array, rows: readonly number[] | undefined): void {
    if (rows) scatter(part, width, rows, sum)
    else for (let at = 0; at < part.length; at++) sum[at]! += part[at]!
  }
}
