/**
 * Anatomy: all that is known of how a model was made and is run, for whoever wants every setting. Plain data, read out of the package;
 * knows nothing of where it is kept.
 */
import { EXPORTS, type ExportKind } from './export.ts'
import type { Package } from './package.ts'
import type { Recipe } from './recipe.ts'
import type { Search } from './search.ts'
import type { CurvePoint, Weights } from './weights.ts'

export type AnatomyView = {
  name: string
  packageId: string
  task: string
  base: Weights['base']
  /** Every setting of the training run. */
  recipe: Recipe
  /** What was chosen on practice cases. */
  chosen: { bestStep: number; threshold: number | null; expert: { what: string; share: number; temperature: number } | null }
  curve: CurvePoint[]
  search: Search | null
  serving: Package['serving']
  /** Each part by its content hash. */
  hashes: Record<string, string>
  licences: string[]
  exports: { kind: ExportKind; what: string }[]
}

export function anatomyOf({ manifest, weights }: { manifest: Package; weights: Weights }, packageId: string): AnatomyView {
  const { name, task, serving, licences, specId, datasetId, examId, weightsId, reportId } = manifest
  return {
    ...{ name, packageId, task, base: weights.base, recipe: weights.recipe, curve: weights.curve, search: weights.search, serving, licences },
    chosen: {
      bestStep: weights.bestStep,
      threshold: weights.threshold,
      expert: weights.expert && { what: weights.expert.what, share: weights.expert.share, temperature: weights.expert.temperature },
    },
    hashes: { package: packageId, spec: specId, dataset: datasetId, exam: examId, weights: weightsId, report: reportId, adapter: weights.adapter },
    exports: Object.entries(EXPORTS).map(([kind, what]) => ({ kind: kind as ExportKind, what })),
  }
}
