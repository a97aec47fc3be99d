/**
 * Safetensors: writes files of 32-bit float tensors (github.com/huggingface/safetensors, "Format"): a length, a JSON header, the values.
 * Knows nothing of what the tensors are.
 */

/** The bytes of a file. Tensors stand in the order given; shapes are row-major; `metadata` becomes the header's `__metadata__`. */
export function writeSafetensors(
  tensors: readonly { name: string; shape: readonly number[]; values: Float32Array }[],
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  let offset = 0
  const header: Record<string, unknown> = { __metadata__: { format: 'pt', ...metadata } }
  for (const { name, shape, values } of tensors) {
    if (shape.reduce((product, length) => product * length, 1) !== values.length)
      throw new RangeError(`tensor "${name}" has ${values.length} values, but its shape is ${shape.join(' x ')}`)
    if (name in header) throw new RangeError(`tensor "${name}" is given twice`)
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + values.byteLength] }
    offset += values.byteLength
  }
  // Spaces after the header keep the values aligned.
  const json = new TextEncoder().encode(JSON.stringify(header))
  const length = Math.ceil(json.length / 8) * 8
  const file = new Uint8Array(8 + length + offset).fill(0x20, 8, 8 + length)
  new DataView(file.buffer).setBigUint64(0, BigInt(length), true)
  file.set(json, 8)
  let at = 8 + length
  for (const { values } of tensors) {
    file.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at)
    at += values.byteLength
  }
  return file
}
