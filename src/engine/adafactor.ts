/**
 * Adafactor (Shazeer and Stern 2018) over typed arrays: of a matrix's squared slopes only the means by row and by column
 * are kept, of a vector's all. No momentum; the step's length is given, not relative. Knows nothing of graphs or models.
 */
import type { Optimiser, Part } from './parameters.ts'

/** The second moment's decay at step t is 1 - t^-0.8. */
const DECAY = 0.8
/** Added to every squared slope. */
const EPSILON = 1e-30
/** An update whose root mean square is above this is scaled down to it. */
const CLIP = 1

/** A few numbers more than rows + columns a matrix are kept, against twice rows x columns for AdamW. */
export function adafactor(layout: readonly Part[]): Optimiser {
  let length = 0
  const places = layout.map((part) => {
    const columns = part.shape.length > 1 ? part.shape.at(-1)! : 0
    const kept = columns ? part.length / columns + columns : part.length
    const start = length
    length += kept
    return { ...part, columns, start, kept }
  })
  return {
    length,
    step(parameters, slopes, moments, { step, learningRate, weightDecay, scale }) {
      const decay = 1 - step ** -DECAY
      for (const [index, { offset, length: count, columns, start, kept }] of places.entries()) {
        const part = parameters.subarray(offset, offset + count)
        const state = moments.subarray(start, start + kept)
        if (columns) {
          const rows = count / columns
          updateMatrix(part, slopes[index]!, state.subarray(0, rows), state.subarray(rows), {
            decay,
            scale,
            learningRate,
            keep: 1 - learningRate * weightDecay,
          })
        } else updateVector(part, slopes[index]!, state, { decay, scale, learningRate })
      }
    },
  }
}

type Step = { decay: number; scale: number; learningRate: number }

/** The squared slope at row i, column j is taken to be rows[i] columns[j] / mean(rows). */
function updateMatrix(parameters: Float32Array, slopes: Float32Array, rows: Float32Array, columns: Float32Array, options: Step & { keep: number }): void {
  const { decay, scale, learningRate, keep } = options
  const height = rows.length
  const width = columns.length
  const square = scale * scale
  const sums = new Float64Array(width)
  let mean = 0
  for (let row = 0; row < height; row++) {
    const from = row * width
    let sum = 0
    for (let column = 0; column < width; column++) {
      const slope = slopes[from + column]!
      const value = slope * slope * square + EPSILON
      sum += value
      sums[column]! += value
    }
    rows[row] = decay * rows[row]! + (1 - decay) * (sum / width)
    mean += rows[row]!
  }
  mean /= height
  const columnFactors = sums
  for (let column = 0; column < width; column++) {
    columns[column] = decay * columns[column]! + (1 - decay) * (sums[column]! / height)
    columnFactors[column] = 1 / Math.sqrt(columns[column]!)
  }
  let squares = 0
  for (let row = 0; row < height; row++) {
    const from = row * width
    const factor = scale / Math.sqrt(rows[row]! / mean)
    let sum = 0
    for (let column = 0; column < width; column++) {
      const value = slopes[from + column]! * columnFactors[column]!
      sum += value * value
    }
    squares += sum * factor * factor
  }
  const size = learningRate / Math.max(1, Math.sqrt(squares / (height * width)) / CLIP)
  for (let row = 0; row < height; row++) {
    const from = row * width
    const factor = (size * scale) / Math.sqrt(rows[row]! / mean)
    for (let column = 0; column < width; column++)
      parameters[from + column] = parameters[from + column]! * keep - factor * slopes[from + column]! * columnFactors[column]!
  }
}

function updateVector(parameters: Float32Array, slopes: Float32Array, squares: Float32Array, { decay, scale, learningRate }: Step): void {
  let sum = 0
  for (let index = 0; index < parameters.length; index++) {
    const slope = slopes[index]! * scale
    squares[index] = decay * squares[index]! + (1 - decay) * (slope * slope + EPSILON)
    sum += (slope * slope) / squares[index]!
  }
  const size = (learningRate * scale) / Math.max(1, Math.sqrt(sum / parameters.length) / CLIP)
  for (let index = 0; index < parameters.length; index++) parameters[index]! -= (size * slopes[index]!) / Math.sqrt(squares[index]!)
}
