/**
 * Package: the manifest that binds everything a model is: what is served and what is sold.
 * It names each part by content hash; the bytes are in the store.
 */
import { z } from 'zod'
import { contentId, Id } from './id.ts'
import { Base } from './weights.ts'

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
  files: z.object({ spec: Id, weights: Id, adapter: Id, expert: Id.nullable(), passages: Id, report: Id }),
  /** Licences and attributions of the data, as the builder's files state them. */
  licences: z.array(z.string()),
})
export type Package = z.infer<typeof Package>

export const packageId = (manifest: Package): Id => contentId(manifest)
