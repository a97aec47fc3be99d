/**
 * Serving: packages loaded into the runtime on first use and kept, least recently used out first.
 * Knows nothing of who asks or pays.
 */
import { BaseError, isRefusal, RefusedError } from '../core/errors.ts'
import type { Id } from '../core/id.ts'
import { servedFrom } from '../core/weights.ts'
import type { Baseline } from '../ports/baseline.ts'
import type { Retriever } from '../ports/retriever.ts'
import type { Runtime } from '../ports/runtime.ts'
import type { Store } from '../ports/store.ts'
import type { Tagger } from '../ports/tagger.ts'
import { pinnedAnswers, pinnedLabels, type Served, shortened } from '../steps/answer.ts'
import { matcher } from '../steps/match.ts'
import { type Unpacked, unpack } from '../steps/pack.ts'

/** Adapters kept in memory at once; each costs a context. */
const KEPT = 8

export type Loaded = { unpacked: Unpacked; served: Served }

export function openServing(
  ports: { runtime: Runtime; retriever: Retriever; baseline: Baseline; tagger: Tagger; store: Store },
  findBase: (sha256: Id) => Promise<{ path: string; sha256: Id } | undefined>,
  mostThreads: number,
) {
  const loaded = new Map<Id, Promise<Loaded>>()
  const packages = new Map<Id, Promise<Unpacked>>()

  function open(packageId: Id): Promise<Unpacked> {
    const found = packages.get(packageId) ?? unpack(ports, packageId)
    packages.set(packageId, found)
    found.catch(() => packages.delete(packageId))
    return found
  }

  async function start(packageId: Id): Promise<Loaded> {
    const unpacked = await open(packageId)
    const { spec, weights, manifest } = unpacked
    const base = weights.kind === 'adapter' ? await findBase(manifest.base.sha256) : undefined
    if (weights.kind === 'adapter' && base?.sha256 !== manifest.base.sha256) throw new OtherBaseError(manifest.base.name, manifest.base.sha256)
    const files = servedFrom(weights.kind, { base: base?.path ?? unpacked.adapterPath, weights: unpacked.adapterPath })
    const full = await ports.runtime.vocabulary(files.base)
    if (isRefusal(full)) throw new RefusedError(full)
    const vocabulary = shortened(full, weights.recipe.maximumTokens)
    // Settings were measured on the machine that built the model; this one may have fewer cores to give.
    const measured = manifest.serving?.settings
    const settings = measured ? { ...measured, threads: Math.min(measured.threads, mostThreads) } : { contextTokens: weights.recipe.maximumTokens }
    const scorer = await ports.runtime.open({ ...files, labelTokens: weights.labelTokens, serving: settings })
    if (isRefusal(scorer)) throw new RefusedError(scorer)
    const index = spec.task === 'answer' ? ports.retriever.index(unpacked.passages, spec.language[0]!) : null
    const classical = weights.expert && { settings: weights.expert, bytes: await ports.store.get(weights.expert.file) }
    const words = spec.task === 'extract'
    const expert = classical && !words ? { settings: classical.settings, baseline: ports.baseline.load(classical.bytes) } : null
    const tagger = classical && words ? { settings: classical.settings, tagger: ports.tagger.load(classical.bytes) } : null
    return {
      unpacked,
      served: {
        spec,
        threshold: weights.threshold,
        vocabulary,
        scorer,
        index,
        match: index && matcher(unpacked.passages),
        quoting: weights.quoting,
        pinned: weights.pinned && (spec.task === 'classify' ? pinnedLabels(weights.pinned, spec.labels!) : pinnedAnswers(weights.pinned, unpacked.passages)),
        expert,
        tagger,
        mostTokens: weights.mostTokens,
      },
    }
  }

  return {
    /** Packages whose models are in memory, longest unused first; of how many at most. */
    inMemory: (): { packages: Id[]; most: number } => ({ packages: [...loaded.keys()], most: KEPT }),
    /** A package's parts, without loading the model. */
    open,
    /** The package, ready to answer. */
    async load(packageId: Id): Promise<Loaded> {
      const found = loaded.get(packageId) ?? start(packageId)
      loaded.delete(packageId)
      loaded.set(packageId, found)
      found.catch(() => loaded.delete(packageId))
      while (loaded.size > KEPT) {
        const [oldest, model] = loaded.entries().next().value!
        loaded.delete(oldest)
        model.then(({ served }) => served.scorer.close()).catch(() => {})
      }
      return found
    },
  }
}

/** A package was trained on a base that this data folder does not have, or that has changed on disk. */
export class OtherBaseError extends BaseError {
  override readonly name = 'Serving.OtherBaseError'
  constructor(name: string, sha256: string) {
    super(`This model needs the base ${name} (${sha256.slice(0, 10)}...), which is not in this data folder.`, {
      hints: ['Start with --base and that base, or build the model again.'],
    })
  }
}
