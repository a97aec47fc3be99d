/** Exporter: a built model -> files in the formats of other people's software. Knows nothing of who asks for them. */
import type { Refusal } from '../core/errors.ts'
import type { Exportable, ExportedFile, ExportKind } from '../core/export.ts'

export type ExportJob = {
  kind: ExportKind
  model: Exportable
  /** GGUF files: the base, which must be the one the adapter names, and the adapter. */
  base: string
  adapter: string
  /** Made by the exporter; what stands there already is replaced. Whole or not there at all. */
  folder: string
  signal?: AbortSignal | undefined
}

export interface Exporter {
  /**
   * Refuses an adapter for another base, a model whose tensors have no place in the format, and a folder that cannot be written.
   * @throws the signal's reason when stopped.
   */
  write(job: ExportJob): Promise<ExportedFile[] | Refusal>
}
