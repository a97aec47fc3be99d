/**
 * GGUF writer: files from memory (LoRA adapters, small models), and whole models streamed tensor by tensor from a file that is there
 * already. Format: ggml/docs/gguf.md, version 3, little-endian. Knows nothing of what a model does with its tensors.
 */
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { FormatError, type MetadataValue, openGguf, type TensorInfo } from './gguf.ts'
import { BLOCKS, type QuantisedType, quantise, quantisedBytes } from './quantise.ts'

/** Key, value, and the type it is written as. */
export type MetadataEntry = readonly [key: string, value: MetadataValue, type: 'string' | 'float32' | 'uint32' | 'boolean' | 'strings' | 'integers']

/** One trained pair: `down` is [rank, in] (lora_a), `up` is [out, rank] (lora_b). The update is (alpha / rank) * up @ down. */
export type AdapterPair = { tensor: string; rank: number; inputs: number; outputs: number; down: Float32Array; up: Float32Array }

/**
 * Writes a GGUF LoRA adapter as llama.cpp's `llama-adapter.cpp` reads it. `tensor` names are the base's, e.g.
 * `blk.0.attn_q.weight`; `metadata` is written after what llama.cpp asks for.
 */
export function writeAdapter(options: {
  architecture: string
  alpha: number
  name?: string | undefined
  metadata?: readonly MetadataEntry[] | undefined
  pairs: readonly AdapterPair[]
}): Uint8Array {
  const metadata: MetadataEntry[] = [
    ['general.architecture', options.architecture, 'string'],
    ['general.type', 'adapter', 'string'],
    ...(options.name ? [['general.name', options.name, 'string'] as const] : []),
    ['adapter.type', 'lora', 'string'],
    ['adapter.lora.alpha', options.alpha, 'float32'],
    ...(options.metadata ?? []),
  ]
  const tensors = options.pairs.flatMap(({ tensor, rank, inputs, outputs, down, up }) => [
    { name: `${tensor}.lora_a`, shape: [rank, inputs], values: down },
    { name: `${tensor}.lora_b`, shape: [outputs, rank], values: up },
  ])
  return writeGguf(metadata, tensors)
}

/**
 * Writes a GGUF file of tensors of any type, 32-bit floats unless one says otherwise. Shapes are row-major.
 * @throws {RangeError} for values that do not fill whole blocks of their type or cannot be written in it.
 */
export function writeGguf(
  metadata: readonly MetadataEntry[],
  tensors: readonly { name: string; shape: readonly number[]; values: Float32Array; type?: QuantisedType }[],
): Uint8Array {
  let offset = 0
  const directory = tensors.map(({ name, shape, values, type = 'F32' }) => {
    const entry = directoryEntry(name, shape, type, offset)
    offset += padded(quantisedBytes(type, values.length), 32)
    return entry
  })
  const header = joined([fileStart(3, tensors.length, metadata.length), ...metadata.map(metadataEntry), ...directory])
  let at = padded(header.length, 32)
  const file = new Uint8Array(at + offset)
  file.set(header)
  for (const { values, type = 'F32' } of tensors) {
    file.set(type === 'F32' ? new Uint8Array(values.buffer, values.byteOffset, values.byteLength) : quantise(type, values), at)
    at += padded(quantisedBytes(type, values.length), 32)
  }
  return file
}

/** What a file says of itself when it is written as `type`. */
export function typeMetadata(type: QuantisedType): MetadataEntry[] {
  return [['general.file_type', FILE_TYPE[type], 'uint32'], ...(BLOCKS[type].elements > 1 ? [['general.quantization_version', 2, 'uint32'] as const] : [])]
}

/** `general.file_type` as llama.cpp's enum `llama_ftype` numbers what most of a file's tensors are. */
const FILE_TYPE: Record<QuantisedType, number> = { F32: 0, F16: 1, Q4_0: 2, Q8_0: 7 }
/** Values converted at a stretch before others get their turn; a multiple of every block. */
const STRETCH = 1 << 20

export type ModelToWrite = {
  /** GGUF file whose metadata and tensors are the start. */
  source: string
  /** Where the model goes: written beside it under a temporary name ending in `.tmp`, synced, renamed. */
  path: string
  type: QuantisedType
  /** New values of a tensor, row-major in the source's shape; undefined keeps the source's. Asked once per tensor, in the file's order. */
  tensors?: ((name: string, shape: readonly number[]) => Float32Array | undefined) | undefined
  /** Tensors the source has not, written after all others, in a type of their own. */
  added?: readonly { name: string; shape: number[]; type: QuantisedType; values: () => Float32Array }[] | undefined
  /** Entries that replace those of the same key or come after all others. */
  metadata?: readonly MetadataEntry[] | undefined
  signal?: AbortSignal | undefined
}

/**
 * What a tensor is written as when the model is written as `type`. Vectors (norms, biases) stay F32. Rows that are no whole number of
 * blocks become F16. In a Q4_0 model the embedding and the output matrix stay Q8_0, as llama.cpp's own quantiser keeps them at more bits
 * than the rest (it takes Q6_K). Nothing else is treated differently.
 */
export function typeWithin(type: QuantisedType, name: string, shape: readonly number[]): QuantisedType {
  if (shape.length < 2) return 'F32'
  const wanted = type === 'Q4_0' && (name === 'token_embd.weight' || name === 'output.weight') ? 'Q8_0' : type
  return shape.at(-1)! % BLOCKS[wanted].elements ? 'F16' : wanted
}

/**
 * Writes a model as large as the disk: one tensor at a time is in memory. Metadata are the source's, byte for byte, but for
 * `general.file_type`, `general.quantization_version` and `metadata`. A tensor that is kept and already of its type is copied as it is.
 * Other work of the process gets its turn every million values.
 * @returns the file's size. @throws {FormatError} for a source that cannot be read or a value that cannot be written, naming the
 * tensor; what the file system throws, e.g. ENOSPC; the signal's reason. In every case nothing is left behind.
 */
export async function writeModel(model: ModelToWrite): Promise<{ bytes: number }> {
  const { source, path, type } = model
  const gguf = openGguf(source)
  if (gguf.metadata.has('split.count') && gguf.metadata.get('split.count') !== 1)
    throw new FormatError('it is one part of a model split over several files; join them first (llama-gguf-split --merge)')
  const alignment = Number(gguf.metadata.get('general.alignment') ?? 32)
  const replaced = new Map<string, MetadataEntry>()
  for (const entry of [...typeMetadata(type), ...(model.metadata ?? [])]) replaced.set(entry[0], entry)

  const added = new Map(model.added?.map((tensor) => [tensor.name, tensor]))
  for (const name of added.keys()) if (gguf.tensors.has(name)) throw new RangeError(`tensor "${name}" is in the source already`)
  let offset = 0
  const plan = [...gguf.tensors.values(), ...added.values()].map((info) => {
    const target = added.get(info.name)?.type ?? typeWithin(type, info.name, info.shape)
    const bytes = quantisedBytes(target, elements(info))
    const entry = directoryEntry(info.name, info.shape, target, offset)
    offset += padded(bytes, alignment)
    return { info, target, bytes, entry }
  })

  const temporary = `${path}.${process.pid}.tmp`
  const from = await open(source, 'r')
  let to: FileHandle | undefined
  try {
    to = await open(temporary, 'w')
    const sink = new Sink(to)
    const kept = [...gguf.entries].filter(([key]) => !replaced.has(key))
    await sink.write(fileStart(gguf.version, plan.length, kept.length + replaced.size))
    for (const [, { offset, bytes }] of kept) await copy(from, offset, bytes, sink)
    for (const entry of replaced.values()) await sink.write(metadataEntry(entry))
    for (const { entry } of plan) await sink.write(entry)
    await sink.align(alignment)
    for (const { info, target, bytes } of plan) {
      model.signal?.throwIfAborted()
      const values = 'values' in info ? info.values() : model.tensors?.(info.name, info.shape)
      if (values && values.length !== elements(info))
        throw new RangeError(`tensor "${info.name}" was given ${values.length} values instead of ${elements(info)}`)
      if (!values && 'offset' in info && info.type === target) await copy(from, info.offset, bytes, sink)
      else await convert(values ?? gguf.tensor(info.name), info.name, target, sink, model.signal)
      await sink.align(alignment)
    }
    await to.sync()
    await to.close()
    to = undefined
    await rename(temporary, path)
    return { bytes: sink.position }
  } catch (error) {
    await to?.close().catch(() => {})
    await rm(temporary, { force: true }).catch(() => {})
    throw error
  } finally {
    await from.close()
  }
}

async function convert(values: Float32Array, name: string, type: QuantisedType, sink: Sink, signal: AbortSignal | undefined): Promise<void> {
  for (let start = 0; start < values.length; start += STRETCH) {
    signal?.throwIfAborted()
    let bytes: Uint8Array
    try {
      bytes = quantise(type, values.subarray(start, start + STRETCH))
    } catch (error) {
      if (error instanceof RangeError) throw new FormatError(`tensor "${name}" cannot be written as ${type}: ${error.message}`)
      throw error
    }
    await sink.write(bytes)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Copies bytes from one file to the other through a small window. */
async function copy(from: FileHandle, offset: number, length: number, sink: Sink): Promise<void> {
  const window = new Uint8Array(Math.min(length, 1 << 22))
  for (let done = 0; done < length; ) {
    const { bytesRead } = await from.read(window, 0, Math.min(window.length, length - done), offset + done)
    if (bytesRead === 0) throw new FormatError(`the file ended at byte ${offset + done} while being copied`)
    await sink.write(window.subarray(0, bytesRead))
    done += bytesRead
  }
}

/** Appends to a file and knows how far it is. */
class Sink {
  position = 0
  readonly #file: FileHandle
  constructor(file: FileHandle) {
    this.#file = file
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await this.#file.write(bytes, done, bytes.length - done, this.position)
      done += bytesWritten
      this.position += bytesWritten
    }
  }

  align(alignment: number): Promise<void> {
    return this.write(new Uint8Array(padded(this.position, alignment) - this.position))
  }
}

const padded = (length: number, alignment: number): number => Math.ceil(length / alignment) * alignment
const elements = (info: Pick<TensorInfo, 'shape'>): number => info.shape.reduce((product, length) => product * length, 1)

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value, true)
  return bytes
}

function u64(value: number): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true)
  return bytes
}

function string(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text)
  return joined([u64(bytes.length), bytes])
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((total, { length }) => total + length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

function fileStart(version: number, tensors: number, entries: number): Uint8Array {
  return joined([new TextEncoder().encode('GGUF'), u32(version), u64(tensors), u64(entries)])
}

function metadataEntry([key, value, type]: MetadataEntry): Uint8Array {
  if (type === 'string') return joined([string(key), u32(8), string(String(value))])
  if (type === 'uint32') return joined([string(key), u32(4), u32(Number(value))])
  if (type === 'boolean') return joined([string(key), u32(7), Uint8Array.of(value ? 1 : 0)])
  if (type === 'integers') {
    const values = value as number[]
    return joined([string(key), u32(9), u32(5), u64(values.length), new Uint8Array(Int32Array.from(values).buffer)])
  }
  if (type === 'strings') {
    const values = value as MetadataValue[]
    return joined([string(key), u32(9), u32(8), u64(values.length), ...values.map((one) => string(String(one)))])
  }
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setFloat32(0, Number(value), true)
  return joined([string(key), u32(6), bytes])
}

function directoryEntry(name: string, shape: readonly number[], type: QuantisedType, offset: number): Uint8Array {
  return joined([string(name), u32(shape.length), ...[...shape].reverse().map(u64), u32(BLOCKS[type].id), u64(offset)])
}
