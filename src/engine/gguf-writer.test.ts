/** Whole models rewritten: metadata kept to the byte, tensors in their types, nothing left behind when it fails. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { FormatError, openGguf } from './gguf.ts'
import { typeWithin, writeGguf, writeModel } from './gguf-writer.ts'
import { quantise } from './quantise.ts'

const base = new URL('../../base/modelfactory-base-xs-v2.q8_0.gguf', import.meta.url).pathname
const root = mkdtempSync(join(tmpdir(), 'gguf-writer-'))
let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(root, 'case-'))
  path = join(folder, 'model.gguf')
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

/** Entries as raw bytes. */
function rawEntries(file: string): Map<string, string> {
  const bytes = readFileSync(file)
  return new Map([...openGguf(file).entries].map(([key, { offset, bytes: length }]) => [key, bytes.toString('base64', offset, offset + length)]))
}

describe('writing a model', () => {
  it.each(['F32', 'F16', 'Q8_0', 'Q4_0'] as const)('as %s keeps the metadata to the byte and converts every tensor', async (type) => {
    const { bytes } = await writeModel({ source: base, path, type })
    expect(readdirSync(folder)).toEqual(['model.gguf'])
    expect(readFileSync(path).length).toBe(bytes)
    const [before, after] = [openGguf(base), openGguf(path)]
    expect(after.metadata.get('general.file_type')).toBe({ F32: 0, F16: 1, Q8_0: 7, Q4_0: 2 }[type])
    const changed = ['general.file_type', 'general.quantization_version']
    const [raw, rewritten] = [rawEntries(base), rawEntries(path)]
    expect(raw.has('tokenizer.ggml.tokens')).toBe(true)
    for (const [key, value] of raw) if (!changed.includes(key)) expect(rewritten.get(key), key).toBe(value)
    expect([...after.tensors.keys()]).toEqual([...before.tensors.keys()])
    const [old, fresh] = [readFileSync(base), readFileSync(path)]
    for (const { name, shape, type: was, offset, bytes: length } of before.tensors.values()) {
      const target = typeWithin(type, name, shape)
      const found = after.tensors.get(name)!
      expect(found).toMatchObject({ type: target, shape })
      const wanted = was === target ? old.subarray(offset, offset + length) : quantise(target, before.tensor(name))
      expect(fresh.subarray(found.offset, found.offset + wanted.length).equals(wanted), name).toBe(true)
    }
  })

  it('takes new values and metadata, and copies the rest of a file of the same type exactly', async () => {
    const values = openGguf(base).tensor('blk.2.attn_q.weight').fill(0.25)
    const asked: string[] = []
    await writeModel({
      ...{ source: base, path, type: 'Q8_0' },
      tensors(name) {
        asked.push(name)
        return name === 'blk.2.attn_q.weight' ? values : undefined
      },
      metadata: [
        ['general.name', 'changed', 'string'],
        ['modelfactory.label_tokens', ['<|l0|>', 'é'], 'strings'],
      ],
    })
    const [before, after] = [openGguf(base), openGguf(path)]
    expect(asked).toEqual([...before.tensors.keys()])
    expect(after.metadata.get('general.name')).toBe('changed')
    expect(after.metadata.get('modelfactory.label_tokens')).toEqual(['<|l0|>', 'é'])
    const [old, fresh] = [readFileSync(base), readFileSync(path)]
    for (const { name, offset, bytes } of before.tensors.values()) {
      const at = after.tensors.get(name)!.offset
      expect(fresh.subarray(at, at + bytes).equals(old.subarray(offset, offset + bytes)), name).toBe(name !== 'blk.2.attn_q.weight')
    }
    expect(after.tensor('blk.2.attn_q.weight').every((value) => Math.abs(value - 0.25) < 1e-4)).toBe(true)
  })

  it('keeps vectors F32 and rows that are no whole blocks F16', async () => {
    const source = join(folder, 'odd.gguf')
    writeFileSync(
      source,
      writeGguf(
        [['general.architecture', 'llama', 'string']],
        [
          { name: 'a', shape: [40], values: new Float32Array(40).fill(1.5) },
          { name: 'b', shape: [2, 40], values: new Float32Array(80).fill(-2) },
          { name: 'c', shape: [2, 64], values: new Float32Array(128).fill(3) },
        ],
      ),
    )
    await writeModel({ source, path, type: 'Q4_0' })
    expect([...openGguf(path).tensors.values()].map(({ type }) => type)).toEqual(['F32', 'F16', 'Q4_0'])
    expect(openGguf(path).tensor('b')[79]).toBe(-2)
    expect(openGguf(path).tensors.get('c')!.offset % 32).toBe(0)
  })

  it.each<[string, (name: string) => Float32Array | undefined, RegExp]>([
    ['a value that is not a number', (name) => (name === 'blk.0.attn_k.weight' ? new Float32Array(128 * 256).fill(Number.NaN) : undefined), /attn_k.*NaN/],
    ['the wrong number of values', (name) => (name === 'blk.0.attn_k.weight' ? new Float32Array(5) : undefined), /attn_k.* 5 values instead of 32768/],
  ])('leaves nothing behind after %s', async (_, tensors, message) => {
    await expect(writeModel({ source: base, path, type: 'F16', tensors })).rejects.toThrow(message)
    expect(readdirSync(folder)).toEqual([])
  })

  it('stops when told to, leaves nothing, and refuses what is no GGUF file', async () => {
    await expect(writeModel({ source: base, path, type: 'F16', signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
    expect(readdirSync(folder)).toEqual([])
    const rubbish = join(root, 'rubbish')
    writeFileSync(rubbish, 'this is not a model')
    await expect(writeModel({ source: rubbish, path, type: 'F16' })).rejects.toThrow(FormatError)
  })
})
