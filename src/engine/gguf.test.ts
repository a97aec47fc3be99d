import { describe, expect, it } from 'vitest'
import { type ByteSource, FormatError, openGguf, parseGguf } from './gguf.ts'
import { writeAdapter, writeGguf } from './gguf-writer.ts'

const path = new URL('../../base/modelfactory-base-xs-v2.q8_0.gguf', import.meta.url).pathname
const memory = (bytes: Uint8Array): ByteSource => ({
  size: bytes.length,
  read(offset, length) {
    if (offset < 0 || length < 0 || offset + length > bytes.length) throw new Error(`read of ${length} at ${offset} outside the file`)
    return bytes.slice(offset, offset + length)
  },
})

describe('reading', () => {
  it('reads the base: header, directory, values', () => {
    const gguf = openGguf(path)
    expect(gguf.metadata.get('general.architecture')).toBe('llama')
    expect(gguf.metadata.get('llama.block_count')).toBe(6)
    expect(gguf.metadata.has('tokenizer.ggml.tokens')).toBe(false)
    expect(gguf.tensors.get('blk.5.ffn_down.weight')).toMatchObject({ type: 'Q8_0', shape: [256, 576] })
    const norm = gguf.tensor('output_norm.weight')
    expect(norm.length).toBe(256)
    expect(norm.every((value) => Number.isFinite(value) && Math.abs(value) < 100)).toBe(true)
  })

  it('reads back what it writes', () => {
    const pair = {
      tensor: 'blk.0.attn_q.weight',
      rank: 2,
      inputs: 3,
      outputs: 4,
      down: Float32Array.from([1, 2, 3, 4, 5, 6]),
      up: new Float32Array(8).fill(0.5),
    }
    const gguf = parseGguf(memory(writeAdapter({ architecture: 'llama', alpha: 32, pairs: [pair] })))
    expect(Object.fromEntries(gguf.metadata)).toEqual({
      'general.architecture': 'llama',
      'general.type': 'adapter',
      'adapter.type': 'lora',
      'adapter.lora.alpha': 32,
    })
    expect(gguf.tensors.get('blk.0.attn_q.weight.lora_a')?.shape).toEqual([2, 3])
    expect([...gguf.tensor('blk.0.attn_q.weight.lora_a')]).toEqual([1, 2, 3, 4, 5, 6])
    expect(gguf.tensors.get('blk.0.attn_q.weight.lora_b')?.shape).toEqual([4, 2])
  })
})

describe('refusing', () => {
  const good = writeGguf([['general.architecture', 'llama', 'string']], [{ name: 'x', shape: [2, 2], values: Float32Array.of(1, 2, 3, 4) }])
  const changed = (change: (bytes: Uint8Array, view: DataView) => void): Uint8Array => {
    const bytes = good.slice()
    change(bytes, new DataView(bytes.buffer))
    return bytes
  }
  it.each<[string, Uint8Array, RegExp]>([
    ['another kind of file', changed((bytes) => bytes.set([80, 75, 3, 4])), /begins with "PK/],
    ['an empty file', new Uint8Array(0), /4 bytes at byte 0.*has 0/],
    ['an unknown version', changed((_, view) => view.setUint32(4, 9, true)), /version is 9/],
    ['a big-endian file', changed((_, view) => view.setUint32(4, 3, false)), /version is 50331648/],
    ['a hostile count of tensors', changed((_, view) => view.setBigUint64(8, 1n << 40n, true)), /claims 1099511627776 tensors/],
    ['a count beyond safe integers', changed((_, view) => view.setBigUint64(16, 1n << 63n, true)), /metadata entries is 9223372036854775808/],
    ['a hostile string length', changed((_, view) => view.setBigUint64(24, 1n << 33n, true)), /8589934592 characters/],
    ['a truncated file', good.slice(0, good.length - 24), /tensor "x" ends at byte \d+, but the file has \d+: it is cut short/],
  ])('%s', (_, bytes, message) => {
    expect(() => parseGguf(memory(bytes))).toThrow(FormatError)
    expect(() => parseGguf(memory(bytes))).toThrow(message)
  })

  it('an unsupported tensor type, by name, when it is read', () => {
    // The type is the 32-bit number before the last 64-bit offset of the directory.
    const end = parseGguf(memory(good)).directoryOffset + 8 + 1 + 4 + 2 * 8
    const gguf = parseGguf(memory(changed((_, view) => view.setUint32(end, 10, true))))
    expect(() => gguf.tensor('x')).toThrow(/tensor "x" is Q2_K; read are F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K, Q6_K$/)
    expect(() => gguf.tensor('y')).toThrow(/no tensor "y"/)
  })
})
