/**
 * GGUF: reads model files safely (format: ggml/docs/gguf.md, versions 2 and 3, little-endian). `gguf-writer.ts` writes them.
 * Every count and offset is checked against the file's size before anything is allocated. Knows nothing of models.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { dequantise, TENSOR_TYPES, type TensorType } from './dequantise.ts'

export type MetadataValue = string | number | bigint | boolean | MetadataValue[]

/** One tensor as it lies in the file. `shape` is row-major (outermost first), the reverse of the file's `ne`. */
export type TensorInfo = { name: string; type: string; shape: number[]; offset: number; bytes: number }

/** Random access to bytes; `read` returns exactly `length` bytes that lie within `size`. */
export type ByteSource = { size: number; read(offset: number, length: number): Uint8Array }

export type Gguf = {
  version: number
  /** Arrays of more than {@link LONGEST_ARRAY} values (vocabularies) are walked over, not kept. */
  metadata: Map<string, MetadataValue>
  /** Where each metadata entry lies in the file, its key and type included, so that it can be copied as it is. */
  entries: Map<string, { offset: number; bytes: number }>
  /** Byte at which the tensor directory begins; the metadata lie between byte 24 and here. */
  directoryOffset: number
  tensors: Map<string, TensorInfo>
  /**
   * The values of a tensor as 32-bit floats, exactly, in `into` or a new array. @throws {FormatError} when absent or of a type
   * we cannot read.
   */
  tensor(name: string, into?: Float32Array): Float32Array
  /** A tensor's blocks as they lie in the file, to be kept small and expanded when needed. @throws {FormatError} as `tensor` does. */
  blocks(name: string): { type: TensorType; bytes: Uint8Array }
}

const NAMES = new Map<number, string>(
  Object.entries({
    ...{ F32: 0, F16: 1, Q4_0: 2, Q4_1: 3, Q5_0: 6, Q5_1: 7, Q8_0: 8, Q8_1: 9, Q2_K: 10, Q3_K: 11, Q4_K: 12, Q5_K: 13, Q6_K: 14, Q8_K: 15 },
    ...{ IQ2_XXS: 16, IQ2_XS: 17, IQ3_XXS: 18, IQ1_S: 19, IQ4_NL: 20, IQ3_S: 21, IQ2_S: 22, IQ4_XS: 23, I8: 24, I16: 25, I32: 26, I64: 27, F64: 28 },
    ...{ IQ1_M: 29, BF16: 30, TQ1_0: 34, TQ2_0: 35, MXFP4: 39 },
  }).map(([name, id]) => [id, name]),
)
const LONGEST_ARRAY = 1024
const MAXIMUM_DIMENSIONS = 4
/** Bytes of one value of a metadata type; strings (8) and arrays (9) have their own lengths. */
const SCALAR_BYTES: Record<number, number> = { 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8 }

/** Reads the header and directory of a GGUF file. The file is opened again for each tensor, so nothing has to be closed. */
export function openGguf(path: string): Gguf {
  const within = <T>(use: (file: number) => T): T => {
    const file = openSync(path, 'r')
    try {
      return use(file)
    } finally {
      closeSync(file)
    }
  }
  const size = within((file) => fstatSync(file).size)
  const read = (offset: number, length: number): Uint8Array =>
    within((file) => {
      const bytes = new Uint8Array(length)
      let done = 0
      while (done < length) {
        const count = readSync(file, bytes, done, length - done, offset + done)
        if (count === 0) throw new FormatError(`the file ended at byte ${offset + done} while being read`)
        done += count
      }
      return bytes
    })
  return parseGguf({ size, read })
}

/** Parses a GGUF header. @throws {FormatError} with one plain sentence for anything malformed or unsupported. */
export function parseGguf(source: ByteSource): Gguf {
  const cursor = new Cursor(source)
  const magic = new TextDecoder('latin1').decode(cursor.bytes(4))
  if (magic !== 'GGUF') throw new FormatError(`it begins with ${JSON.stringify(magic)} instead of "GGUF"`)
  const version = cursor.u32()
  if (version !== 2 && version !== 3) throw new FormatError(`its version is ${version}; versions 2 and 3 are read (big-endian files are not)`)
  const tensorCount = cursor.count('tensors', 24)
  const pairCount = cursor.count('metadata entries', 13)
  const metadata = new Map<string, MetadataValue>()
  const entries = new Map<string, { offset: number; bytes: number }>()
  for (let index = 0; index < pairCount; index++) {
    const offset = cursor.position
    const key = cursor.string()
    const value = cursor.value(cursor.u32(), 0)
    entries.set(key, { offset, bytes: cursor.position - offset })
    if (value !== undefined) metadata.set(key, value)
  }
  const directoryOffset = cursor.position
  const directory: { name: string; type: string; shape: number[]; relative: number }[] = []
  for (let index = 0; index < tensorCount; index++) {
    const name = cursor.string()
    const dimensions = cursor.u32()
    if (dimensions < 1 || dimensions > MAXIMUM_DIMENSIONS) throw new FormatError(`tensor "${name}" has ${dimensions} dimensions`)
    const shape = Array.from({ length: dimensions }, () => cursor.size('a dimension')).reverse()
    const id = cursor.u32()
    directory.push({ name, type: NAMES.get(id) ?? `type ${id}`, shape, relative: cursor.size('a tensor offset') })
  }
  const alignment = metadata.get('general.alignment') ?? 32
  if (typeof alignment !== 'number' || alignment < 8 || alignment % 8 !== 0 || alignment > 1 << 20)
    throw new FormatError(`its alignment is ${String(alignment)}`)
  const start = Math.ceil(cursor.position / alignment) * alignment
  const tensors = new Map<string, TensorInfo>()
  for (const { name, type, shape, relative } of directory) {
    if (tensors.has(name)) throw new FormatError(`tensor "${name}" is listed twice`)
    const elements = shape.reduce((product, length) => product * length, 1)
    if (!Number.isSafeInteger(elements) || elements <= 0) throw new FormatError(`tensor "${name}" has the impossible shape ${shape.join(' x ')}`)
    const block = isReadable(type) ? TENSOR_TYPES[type] : undefined
    // Sizes of types we cannot read are unknown, but even one bit a value must fit into the file.
    const bytes = block ? (elements / block.elements) * block.bytes : Math.ceil(elements / 8)
    if (block && shape.at(-1)! % block.elements) throw new FormatError(`tensor "${name}" has rows of ${shape.at(-1)} values, which ${type} cannot hold`)
    if (start + relative + bytes > source.size)
      throw new FormatError(`tensor "${name}" ends at byte ${start + relative + bytes}, but the file has ${source.size}: it is cut short or damaged`)
    tensors.set(name, { name, type, shape, offset: start + relative, bytes })
  }
  const blocks = (name: string) => {
    const info = tensors.get(name)
    if (!info) throw new FormatError(`it has no tensor "${name}"`)
    if (!isReadable(info.type)) throw new FormatError(`tensor "${name}" is ${info.type}; read are ${Object.keys(TENSOR_TYPES).join(', ')}`)
    return { type: info.type, bytes: source.read(info.offset, info.bytes) }
  }
  return {
    version,
    metadata,
    entries,
    directoryOffset,
    tensors,
    blocks,
    tensor(name, into) {
      const { type, bytes } = blocks(name)
      return dequantise(type, bytes, into)
    },
  }
}

/** Whether the values of a tensor type, by its name in {@link TensorInfo}, can be read. */
export function isReadable(type: string): type is TensorType {
  return Object.hasOwn(TENSOR_TYPES, type)
}

/** Walks the header through a small window, refusing to step outside the file. */
class Cursor {
  position = 0
  readonly #source: ByteSource
  #window: Uint8Array = new Uint8Array(0)
  #start = 0
  constructor(source: ByteSource) {
    this.#source = source
  }

  bytes(length: number): Uint8Array {
    if (length > this.#source.size - this.position)
      throw new FormatError(`its header asks for ${length} bytes at byte ${this.position}, but the file has ${this.#source.size}`)
    if (this.position < this.#start || this.position + length > this.#start + this.#window.length) {
      this.#start = this.position
      this.#window = this.#source.read(this.position, Math.min(Math.max(length, 1 << 18), this.#source.size - this.position))
    }
    const from = this.position - this.#start
    this.position += length
    return this.#window.subarray(from, from + length)
  }

  #view(length: number): DataView {
    const bytes = this.bytes(length)
    return new DataView(bytes.buffer, bytes.byteOffset, length)
  }

  u32(): number {
    return this.#view(4).getUint32(0, true)
  }

  /** An unsigned 64-bit number that must be a safe integer. */
  size(what: string): number {
    const value = this.#view(8).getBigUint64(0, true)
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new FormatError(`${what} is ${value}`)
    return Number(value)
  }

  /** A count of things of at least `bytes` bytes each, which must fit into the rest of the file. */
  count(what: string, bytes: number): number {
    const value = this.size(`its count of ${what}`)
    if (value > (this.#source.size - this.position) / bytes)
      throw new FormatError(`it claims ${value} ${what}, more than a file of ${this.#source.size} bytes can hold`)
    return value
  }

  string(): string {
    return new TextDecoder().decode(this.bytes(this.count('characters', 1)))
  }

  /** A metadata value; undefined for arrays too long to keep. */
  value(type: number, depth: number): MetadataValue | undefined {
    if (type === 8) return this.string()
    if (type === 9) return this.#array(depth)
    const bytes = SCALAR_BYTES[type]
    if (bytes === undefined) throw new FormatError(`a metadata value has the unknown type ${type}`)
    const view = this.#view(bytes)
    switch (type) {
      case 0:
        return view.getUint8(0)
      case 1:
        return view.getInt8(0)
      case 2:
        return view.getUint16(0, true)
      case 3:
        return view.getInt16(0, true)
      case 4:
        return view.getUint32(0, true)
      case 5:
        return view.getInt32(0, true)
      case 6:
        return view.getFloat32(0, true)
      case 7:
        return view.getUint8(0) !== 0
      case 10:
        return view.getBigUint64(0, true)
      case 11:
        return view.getBigInt64(0, true)
      default:
        return view.getFloat64(0, true)
    }
  }

  #array(depth: number): MetadataValue[] | undefined {
    if (depth > 2) throw new FormatError('its metadata nests arrays more than three deep')
    const type = this.u32()
    const bytes = SCALAR_BYTES[type]
    const length = this.count('array values', bytes ?? (type === 8 ? 8 : 12))
    if (bytes !== undefined && length > LONGEST_ARRAY) {
      this.position += length * bytes
      return undefined
    }
    if (type === 8 && length > LONGEST_ARRAY) {
      for (let index = 0; index < length; index++) this.bytes(this.count('characters', 1))
      return undefined
    }
    const values: MetadataValue[] = []
    for (let index = 0; index < length; index++) {
      const value = this.value(type, depth + 1)
      if (value !== undefined && length <= LONGEST_ARRAY) values.push(value)
    }
    return length <= LONGEST_ARRAY ? values : undefined
  }
}

/** The file is not a GGUF file we can use; the message is the end of a sentence that begins with the file's name. */
export class FormatError extends Error {
  override readonly name = 'Gguf.FormatError'
}
