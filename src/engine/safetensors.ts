/**
 * Safetensors: files of 32-bit float tensors, written and read (github.com/huggingface/safetensors, "Format"): a length, a JSON header,
 * the values.
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

/**
 * The tensors of a file, by name; values are copies.
 * @throws {RangeError} naming what is wrong: a file cut short, a header that cannot be read, a tensor of another type than F32.
 */
export function readSafetensors(file: Uint8Array): Map<string, { shape: number[]; values: Float32Array }> {
  const length = file.length < 8 ? Number.NaN : Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true))
  if (!(length <= file.length - 8)) throw new RangeError(`the file has ${file.length} bytes, too few for its header`)
  let header: Record<string, { dtype?: unknown; shape?: unknown; data_offsets?: unknown }>
  try {
    header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length)))
  } catch (cause) {
    throw new RangeError('its header is not JSON', { cause })
  }
  const found = new Map<string, { shape: number[]; values: Float32Array }>()
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(header)) {
    if (name === '__metadata__') continue
    if (dtype !== 'F32') throw new RangeError(`tensor "${name}" is ${String(dtype)}; read is F32`)
    const whole = (value: unknown): value is number[] => Array.isArray(value) && value.every((one) => Number.isSafeInteger(one) && one >= 0)
    if (!whole(shape) || !whole(data_offsets) || data_offsets.length !== 2) throw new RangeError(`tensor "${name}" has no shape and place`)
    const [start, end] = data_offsets as [number, number]
    const count = shape.reduce((product, extent) => product * extent, 1)
    if (end - start !== count * 4 || 8 + length + end > file.length)
      throw new RangeError(`tensor "${name}" of ${shape.join(' x ')} does not fit its bytes ${start} to ${end}: the file is cut short or damaged`)
    found.set(name, { shape, values: new Float32Array(new Uint8Array(file.subarray(8 + length + start, 8 + length + end)).buffer) })
  }
  return found
}
