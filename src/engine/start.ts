/**
 * Start: the weights of an earlier training as the values a new one begins with. Knows nothing of how either was trained.
 */
import { FormatError, openGguf, quoted } from './gguf.ts'
import { type Part, totalLength } from './parameters.ts'

/**
 * The trained numbers of a LoRA or of a whole model, in the order of `layout`.
 * @throws {FormatError} when the file lacks one of the parts, or has it in another shape.
 */
export function weightsIn(path: string, layout: readonly Part[]): Float32Array {
  const file = openGguf(path)
  const values = new Float32Array(totalLength(layout))
  for (const { name, shape, offset, length } of layout) {
    const found = file.tensors.get(name)
    if (found?.shape.join() !== shape.join())
      throw new FormatError(`tensor ${quoted(name)} is ${found?.shape.join(' x ') ?? 'absent'} instead of ${shape.join(' x ')}`)
    file.tensor(name, values.subarray(offset, offset + length))
  }
  return values
}
