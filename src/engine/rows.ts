/**
 * Rows: picking rows of a matrix by index and adding rows back, as an embedding and its derivative do. Knows nothing of models.
 */

/** into[i, :] = from[index[i], :] */
export function gather(from: Float32Array, width: number, index: ArrayLike<number | bigint>, into: Float32Array): void {
  for (let row = 0; row < index.length; row++) {
    const at = Number(index[row]!) * width
    into.set(from.subarray(at, at + width), row * width)
  }
}

/** into[index[i], :] += from[i, :] */
export function scatter(from: Float32Array, width: number, index: ArrayLike<number | bigint>, into: Float32Array): void {
  for (let row = 0; row < index.length; row++) {
    const at = Number(index[row]!) * width
    const start = row * width
    for (let column = 0; column < width; column++) into[at + column]! += from[start + column]!
  }
}
