/**
 * Linear classification of sparse vectors: one-vs-rest L2-regularised squared-hinge support vector machines, solved by
 * dual coordinate descent with shrinking. Numbers only; knows nothing of text, labels' names or files.
 * Source: Hsieh, Chang, Lin, Keerthi, Sundararajan, "A Dual Coordinate Descent Method for Large-scale Linear SVM", ICML 2008.
 */

/** Rows of a sparse matrix (CSR): row i is `indices` and `values` from `starts[i]` to `starts[i + 1]`; columns < `width`. */
export type SparseRows = { width: number; starts: Int32Array; indices: Int32Array; values: Float32Array }

/** One class's solution: `weights` has `width + 1` numbers, the last is the bias; `duals` has one number a row, for warm starts. */
export type Hyperplane = { weights: Float64Array; duals: Float64Array }

export type HyperplaneSettings = {
  /** Penalty of a positive and of a negative row (C in the paper). */
  positive: number
  negative: number
  /** Stops when the projected gradients of a sweep lie within this range of each other. */
  tolerance?: number | undefined
  maximumSweeps?: number | undefined
  seed?: number | undefined
  /** A solution of the same rows under other penalties, changed in place: far fewer sweeps. */
  from?: Hyperplane | undefined
}

/** Number of rows. */
export const height = (rows: SparseRows): number => rows.starts.length - 1

/** Builds CSR from lists of [column, value]. */
export function sparse(width: number, lists: readonly { indices: Int32Array; values: Float32Array }[]): SparseRows {
  const starts = new Int32Array(lists.length + 1)
  for (const [index, list] of lists.entries()) starts[index + 1] = starts[index]! + list.indices.length
  const indices = new Int32Array(starts[lists.length]!)
  const values = new Float32Array(starts[lists.length]!)
  for (const [index, list] of lists.entries()) {
    indices.set(list.indices, starts[index]!)
    values.set(list.values, starts[index]!)
  }
  return { width, starts, indices, values }
}

/**
 * Separates the rows where `positive` is 1 from the others.
 * @returns the hyperplane; `weights . x + bias` > 0 says positive.
 */
export function fitHyperplane(rows: SparseRows, positive: Uint8Array, settings: HyperplaneSettings): Hyperplane {
  const { starts, indices, values, width } = rows
  const count = height(rows)
  const weights = settings.from?.weights ?? new Float64Array(width + 1)
  const duals = settings.from?.duals ?? new Float64Array(count)
  const tolerance = settings.tolerance ?? 0.1
  const maximumSweeps = settings.maximumSweeps ?? 200
  const next = generator(settings.seed ?? 1)
  const squares = new Float64Array(count)
  for (let row = 0; row < count; row++) {
    let sum = 1
    for (let place = starts[row]!; place < starts[row + 1]!; place++) sum += values[place]! * values[place]!
    squares[row] = sum
  }
  const active = Int32Array.from({ length: count }, (_, row) => row)
  let size = count
  let highOld = Number.POSITIVE_INFINITY
  for (let sweep = 0; sweep < maximumSweeps; sweep++) {
    let high = Number.NEGATIVE_INFINITY
    let low = Number.POSITIVE_INFINITY
    for (let place = 0; place < size; place++) {
      const other = place + Math.floor(next() * (size - place))
      const swapped = active[place]!
      active[place] = active[other]!
      active[other] = swapped
    }
    for (let place = 0; place < size; place++) {
      const row = active[place]!
      const sign = positive[row] ? 1 : -1
      const diagonal = 0.5 / (positive[row] ? settings.positive : settings.negative)
      const from = starts[row]!
      const to = starts[row + 1]!
      let product = weights[width]!
      for (let at = from; at < to; at++) product += weights[indices[at]!]! * values[at]!
      const gradient = sign * product - 1 + duals[row]! * diagonal
      let projected = gradient
      if (duals[row] === 0) {
        if (gradient > highOld) {
          size--
          active[place] = active[size]!
          active[size] = row
          place--
          continue
        }
        projected = Math.min(gradient, 0)
      }
      if (projected > high) high = projected
      if (projected < low) low = projected
      if (Math.abs(projected) < 1e-12) continue
      const before = duals[row]!
      const after = Math.max(before - gradient / (squares[row]! + diagonal), 0)
      const step = (after - before) * sign
      duals[row] = after
      for (let at = from; at < to; at++) weights[indices[at]!]! += step * values[at]!
      weights[width]! += step
    }
    if (high - low <= tolerance) {
      if (size === count) break
      // What was shrunk away may have become wrong meanwhile: look at every row once more.
      size = count
      highOld = Number.POSITIVE_INFINITY
      continue
    }
    highOld = high <= 0 ? Number.POSITIVE_INFINITY : high
  }
  return { weights, duals }
}

/** `weights . x + bias` for one row. */
export function score(weights: Float64Array | Float32Array, rows: SparseRows, row: number): number {
  let sum = weights[rows.width]!
  for (let at = rows.starts[row]!; at < rows.starts[row + 1]!; at++) sum += weights[rows.indices[at]!]! * rows.values[at]!
  return sum
}

/** mulberry32: the same order of rows on every machine. */
function generator(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
