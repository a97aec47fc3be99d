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

describe.skipIf(!found)('opened by Python', { timeout: 300_000 }, () => {
  const root = mkdtempSync(join(tmpdir(), 'export-python-'))
  const tokens = Array.from({ length: 40 }, (_, index) => 300 + ((index * 977) % 7000))
  let model: Exportable
  let adapter: string
  let own: Float32Array
  let untouched: Float32Array
  beforeAll(async () => {
    ;({ model, adapter } = await randomModel(root))
    own = await ours(adapter)
    untouched = await ours(undefined)
  }, 120_000)
  afterAll(() => rmSync(root, { recursive: true, force: true }))

  /** Logits of every position by our graph on 32-bit floats. */
  async function ours(file: string | undefined): Promise<Float32Array> {
    const base = openLlama(BASE)
    const layout = adapterLayout(base, model.weights.recipe)
    const values = new Float32Array(layout.reduce((sum, { length }) => sum + length, 0))
    const pairs = file ? openAdapter(file).pairs : new Map()
    for (const { name, offset } of layout) {
      const pair = pairs.get(name.slice(0, -'.lora_a'.length))
      if (pair) values.set(name.endsWith('.lora_a') ? pair.down : pair.up, offset)
    }
    const evaluator = await openEvaluator(base, { rows: 1, length: 64, reads: tokens.length }, { threads: 1, lora: model.weights.recipe, layout })
    const { logits } = await evaluator.run([[{ tokens, reads: tokens.map((_, position) => ({ position, label: 0, weight: 1 })) }]], values)
    await evaluator.close()
    return Float32Array.from(logits.flatMap((row) => [...row]))
  }

  async function theirs(kind: ExportKind): Promise<Float32Array> {
    const folder = join(root, kind)
    const files = await ggufExporter().write({ kind, model, base: BASE, adapter, folder })
    if (isRefusal(files)) throw new Error(files.message)
    const out = join(root, `${kind}.f32`)
    const opened = kind === 'peft' ? [BASE, folder] : [join(folder, files[0]!.name), '-']
    console.log(kind, execFileSync(python!, [SCRIPT, ...opened, out, ...tokens.map(String)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim())
    return new Float32Array(new Uint8Array(readFileSync(out)).buffer)
  }

  const difference = (mine: Float32Array, other: Float32Array) => {
    expect(other.length).toBe(mine.length)
    return mine.reduce((largest, value, index) => Math.max(largest, Math.abs(value - other[index]!)), 0)
  }

  /** Largest difference of logits, which lie within about 20 of zero. The adapter itself moves them by more than 2. */
  it.each<[ExportKind, number]>([
    ['peft', 1e-4],
    ['gguf-f16', 0.02],
    ['gguf-q8_0', 0.15],
    ['gguf-q4_0', 2],
  ])('%s: logits within %d of ours', async (kind, tolerance) => {
    const found = difference(own, await theirs(kind))
    const without = difference(own, untouched)
    console.log(kind, 'largest difference of logits', found, 'and of the base without the adapter', without)
    expect(found).toBeLessThan(tolerance)
    expect(without).toBeGreaterThan(2)
  })
})
