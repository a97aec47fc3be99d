/**
 * Exports opened by Python's gguf, transformers and PEFT, beside our own graph: the same logits. Needs an interpreter with them,
 * named by PYTHON; without it these tests are skipped and say so.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isRefusal } from '../../core/errors.ts'
import type { Exportable, ExportKind } from '../../core/export.ts'
import { adapterLayout } from '../../engine/adapter.ts'
import { openLlama } from '../../engine/architecture.ts'
import { openEvaluator } from '../../engine/evaluate.ts'
import { openAdapter } from '../../engine/merge.ts'
import { writeRandomModel } from '../../engine/random-model.ts'
import { BASE, randomModel } from './bench.suite.ts'
import { ggufExporter } from './exporter.ts'

const SCRIPT = fileURLToPath(new URL('../../../scripts/peers/transformers_logits.py', import.meta.url))
const python = process.env.PYTHON
const found = python !== undefined && runs(python)
if (!found)
  console.log(
    `Skipped: exports opened by Python (${python ? `"${python}" has not all of torch, transformers, peft, gguf, safetensors` : 'PYTHON names no interpreter'}).`,
  )

function runs(interpreter: string): boolean {
  try {
    execFileSync(interpreter, ['-c', 'import torch, transformers, peft, gguf, safetensors'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Our base, and small random models of the other architectures, with what sets each apart. */
const SHAPE = { width: 64, layers: 2, heads: 4, groups: 2, feedForward: 96, vocabulary: 512, ropeBase: 1_000_000 }
const BASES: [string, ((path: string) => void) | undefined][] = [
  ['our base (llama, tied, Q8_0)', undefined],
  ['llama, untied', (path) => writeRandomModel(path, { architecture: 'llama', ...SHAPE })],
  ['qwen2, tied', (path) => writeRandomModel(path, { architecture: 'qwen2', ...SHAPE, tied: true })],
  ['qwen3, heads wider than the model', (path) => writeRandomModel(path, { architecture: 'qwen3', ...SHAPE, headWidth: 32 })],
]

describe.skipIf(!found).each(BASES)('opened by Python: %s', { timeout: 300_000 }, (name, make) => {
  const root = mkdtempSync(join(tmpdir(), 'export-python-'))
  const base = make ? join(root, 'base.gguf') : BASE
  let tokens: number[]
  let model: Exportable
  let adapter: string
  let own: Float32Array
  let untouched: Float32Array
  beforeAll(async () => {
    make?.(base)
    const { vocabulary } = openLlama(base).shape
    tokens = Array.from({ length: 40 }, (_, index) => 20 + ((index * 977) % (vocabulary - 40)))
    ;({ model, adapter } = await randomModel(root, { base }))
    own = await ours(adapter)
    untouched = await ours(undefined)
  }, 120_000)
  afterAll(() => rmSync(root, { recursive: true, force: true }))

  /** Logits of every position by our graph on 32-bit floats. */
  async function ours(file: string | undefined): Promise<Float32Array> {
    const llama = openLlama(base)
    const layout = adapterLayout(llama, model.weights.recipe)
    const values = new Float32Array(layout.reduce((sum, { length }) => sum + length, 0))
    const pairs = file ? openAdapter(file).pairs : new Map()
    for (const { name, offset } of layout) {
      const pair = pairs.get(name.slice(0, -'.lora_a'.length))
      if (pair) values.set(name.endsWith('.lora_a') ? pair.down : pair.up, offset)
    }
    const evaluator = await openEvaluator(llama, { rows: 1, length: 64, reads: tokens.length }, { threads: 1, lora: model.weights.recipe, layout })
    const { logits } = await evaluator.run([[{ tokens, reads: tokens.map((_, position) => ({ position, label: 0, weight: 1 })) }]], values)
    await evaluator.close()
    return Float32Array.from(logits.flatMap((row) => [...row]))
  }

  async function theirs(kind: ExportKind): Promise<Float32Array> {
    const folder = join(root, kind)
    const files = await ggufExporter().write({ kind, model, base, adapter, folder })
    if (isRefusal(files)) throw new Error(files.message)
    const out = join(root, `${kind}.f32`)
    const opened = kind === 'peft' ? [base, folder] : [join(folder, files[0]!.name), '-']
    const said = execFileSync(python!, [SCRIPT, ...opened, out, ...tokens.map(String)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
    console.log(kind, said.trim())
    return new Float32Array(new Uint8Array(readFileSync(out)).buffer)
  }

  const difference = (mine: Float32Array, other: Float32Array) => {
    expect(other.length).toBe(mine.length)
    return mine.reduce((largest, value, index) => Math.max(largest, Math.abs(value - other[index]!)), 0)
  }

  /** Largest difference of logits, which lie within about 20 of zero. The adapter itself moves them by more than 2. */
  it.each<[ExportKind, number]>([
    ['peft', 1e-4],
    ['gguf-f16', 0.04],
    ...(make
      ? []
      : ([
          ['gguf-q8_0', 0.15],
          ['gguf-q4_0', 2],
        ] as [ExportKind, number][])),
  ])('%s: logits within %d of ours', async (kind, tolerance) => {
    const found = difference(own, await theirs(kind))
    const without = difference(own, untouched)
    console.log(name, kind, 'largest difference of logits', found, 'and of the base without the adapter', without)
    expect(found).toBeLessThan(tolerance)
    expect(without).toBeGreaterThan(2)
  })
})
