/**
 * Spec, Dataset, Weights, Report -> Package: puts every part into the store and binds them in one manifest, written last,
 * so that a manifest's existence means the package is whole. Also the way back: a manifest read and checked.
 * Knows nothing of chains.
 */
import { cardOf } from '../core/card.ts'
import type { DatasetFile } from '../core/contributors.ts'
import { type Dataset, datasetId, Passage } from '../core/dataset.ts'
import { canonical, type Id } from '../core/id.ts'
import { Package, type Serving } from '../core/package.ts'
import { Report, reportId } from '../core/report.ts'
import { Spec, specId } from '../core/spec.ts'
import { Weights, weightsId } from '../core/weights.ts'
import type { Store } from '../ports/store.ts'

export async function pack(
  ports: { store: Store },
  options: {
    name: string
    spec: Spec
    dataset: Dataset
    weights: Weights
    report: Report
    serving: Serving | null
    licences: readonly string[]
    datasets?: readonly DatasetFile[]
  },
): Promise<{ id: Id; manifest: Package }> {
  const { spec, dataset, weights, report } = options
  const put = (value: unknown) => ports.store.put(new TextEncoder().encode(canonical(value)))
  const manifest: Package = {
    format: 'modelfactory/package@1',
    name: options.name,
    task: spec.task,
    specId: specId(spec),
    datasetId: datasetId(dataset),
    examId: dataset.examId,
    weightsId: weightsId(weights),
    reportId: reportId(report),
    base: weights.base,
    files: {
      spec: await put(spec),
      weights: await put(weights),
      adapter: weights.adapter,
      expert: weights.expert?.file ?? null,
      passages: await put(dataset.passages),
      report: await put(report),
      card: await put(cardOf({ ...options, examples: { training: dataset.training.length, practice: dataset.practice.length } })),
    },
    serving: options.serving,
    licences: [...options.licences],
    ...(options.datasets && { datasets: [...options.datasets] }),
  }
  // The store names bytes by their hash, so the manifest's place in it is the package's id.
  return { id: await put(manifest), manifest }
}

export type Unpacked = { manifest: Package; spec: Spec; weights: Weights; report: Report; passages: Passage[]; adapterPath: string }

/** Reads a package back. @throws when a part is missing, damaged, or not what the manifest says. */
export async function unpack(ports: { store: Store }, id: Id): Promise<Unpacked> {
  const read = async (part: Id) => JSON.parse(new TextDecoder().decode(await ports.store.get(part))) as unknown
  const manifest = Package.parse(await read(id))
  return {
    manifest,
    spec: Spec.parse(await read(manifest.files.spec)),
    weights: Weights.parse(await read(manifest.files.weights)),
    report: Report.parse(await read(manifest.files.report)),
    passages: Passage.array().parse(await read(manifest.files.passages)),
    adapterPath: await ports.store.path(manifest.files.adapter),
  }
}
