/**
 * Package: the manifest that binds everything a model is: what is served and what is sold.
 * It names each part by content hash; the bytes are in the store.
 */
import { z } from 'zod'
import { DatasetFile } from './contributors.ts'
import { contentId, Id } from './id.ts'
import { Base } from './weights.ts'

const Settings = z.object({
  contextTokens: z.number().int().positive(),
  threads: z.number().int().positive(),
  sequences: z.number().int().positive(),
  promptCache: z.boolean(),
})
/** What one way of running the model measured. */
const Measured = Settings.extend({
  /** Median milliseconds of one query alone, and tokens a second with many at once. */
  medianMs: z.number().nonnegative(),
  tokensPerSecond: z.number().nonnegative(),
  /** What opening the model added to the process, where it added anything. */
  memoryBytes: z.number().nonnegative(),
})
export type Measured = z.infer<typeof Measured>

/** How a model is served, chosen by measuring on the machine that built it. */
export const Serving = z.object({
  settings: Settings,
  /** The tensor type of the file that is served, which is the one that was trained on. */
  quantisation: z.string(),
  /** Cores of the machine it was measured on; elsewhere the numbers say little. */
  cores: z.number().int().positive(),
  queries: z.number().int().positive(),
  measured: z.array(Measured).min(1),
})
export type Serving = z.infer<typeof Serving>

export const Package = z.object({
  format: z.literal('modelfactory/package@1'),
  name: z.string(),
  task: z.enum(['answer', 'classify', 'extract', 'transform']),
  specId: Id,
  datasetId: Id,
  examId: Id,
  weightsId: Id,
  reportId: Id,
  base: Base,
  /** Store hashes of the parts, canonical JSON but for the adapter (or, where the weights are of that kind, the whole model), which is GGUF. */
  files: z.object({ spec: Id, weights: Id, adapter: Id, expert: Id.nullable(), passages: Id, report: Id, card: Id.optional() }),
  /** Null where nothing was measured; the runtime then chooses. */
  serving: Serving.nullable().default(null),
  /** Licences and attributions of the data, as the builder's files state them. */
  licences: z.array(z.string()),
  /** The files it was made of, and who gave them; absent from packages of before they were named. */
  datasets: z.array(DatasetFile).optional(),
})
export type Package = z.infer<typeof Package>

export const packageId = (manifest: Package): Id => contentId(manifest)
