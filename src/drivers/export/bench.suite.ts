/** A random adapter on the repository's base and the model around it, for the exporter's tests. Knows nothing of exports. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Exportable } from '../../core/export.ts'
import { hashText } from '../../core/id.ts'
import { chooseRecipe, LORA_TARGETS } from '../../core/recipe.ts'
import { adapterFile, adapterLayout, initialAdapter } from '../../engine/adapter.ts'
import { openLlama } from '../../engine/architecture.ts'
import { generator } from '../../engine/random.ts'
import { fileHash } from '../files/hash.ts'

export const BASE = new URL('../../../base/modelfactory-base-xs-v2.q8_0.gguf', import.meta.url).pathname
export const LABELS = ['rain', 'sun', '"quoted"\nline']

/** `base` need only be of our base's architecture; `size` scales what the adapter changes. */
export async function randomModel(
  folder: string,
  options: { base?: string; size?: number; seed?: number } = {},
): Promise<{ model: Exportable; adapter: string }> {
  const { base = BASE, size = 0.2, seed = 3 } = options
  const recipe = chooseRecipe({
    ...{ trainingTokens: 1000, maximumTokens: 256, threads: 1, maximumSeconds: 1 },
    override: { rank: 8, alpha: 16, targets: [...LORA_TARGETS] },
  })
  const llama = openLlama(base)
  const layout = adapterLayout(llama, recipe)
  const values = initialAdapter(layout, seed)
  const next = generator(seed + 1)
  for (const { name, offset, length } of layout)
    if (name.endsWith('lora_b')) for (let index = 0; index < length; index++) values[offset + index] = (next() - 0.5) * size
  const adapter = join(folder, `adapter-${seed}.gguf`)
  writeFileSync(adapter, adapterFile(llama, recipe, layout, values))
  const id = hashText('none')
  const identity = { name: 'modelfactory-base-xs-v2', sha256: await fileHash(base), licence: 'Apache-2.0' }
  const words = 'Say what the weather """is"""\nin a text.'
  const spec: Exportable['spec'] = {
    ...{ words, slug: 'weather', task: 'classify', language: ['en'], outputLanguage: ['en'], domain: null, labels: LABELS, multiLabel: false, fields: null },
    ...{ mustCite: null, refuseOutsideScope: null, tone: null, audience: null, pricePerQuery: null, maxLatencyMs: null, privacy: null },
    ...{ files: [], clarify: [], assumptions: [] },
  }
  const weights: Exportable['weights'] = {
    ...{ datasetId: id, base: identity, kind: 'adapter', adapter: id, labelTokens: ['<|l0|>', '<|l1|>', '<|l2|>'], recipe, threshold: null },
    ...{ expert: null, bestStep: 0, curve: [], estimate: null, search: null },
  }
  const report: Exportable['report'] = { weightsId: id, examId: id, n: 1, metric: 'accuracy', arms: [], predictions: id, latencyMs: 1 }
  const manifest: Exportable['manifest'] = {
    ...{ format: 'modelfactory/package@1', name: 'weather', task: 'classify', specId: id, datasetId: id, examId: id, weightsId: id, reportId: id },
    ...{ base: identity, files: { spec: id, weights: id, adapter: id, expert: null, passages: id, report: id }, licences: ['CC BY 4.0'], serving: null },
  }
  return { model: { manifest, spec, weights, report }, adapter }
}
