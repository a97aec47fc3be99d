/**
 * Package -> files for other people's software: checks that the base at hand is the package's own, and says what the files
 * leave behind. Knows nothing of the formats.
 */
import { isRefusal, type Refusal, refuse } from '../core/errors.ts'
import { EXPORTS, type ExportKind, type ExportView, exportNotes } from '../core/export.ts'
import type { Id } from '../core/id.ts'
import type { Exporter } from '../ports/exporter.ts'
import type { Unpacked } from './pack.ts'

export async function exportModel(
  ports: { exporter: Exporter },
  options: { unpacked: Unpacked; base: { path: string; sha256: Id }; kind: ExportKind; folder: string; signal?: AbortSignal | undefined },
): Promise<ExportView | Refusal> {
  const { unpacked, base, kind, folder, signal } = options
  const { manifest, weights } = unpacked
  if (weights.kind === 'adapter' && weights.base.sha256 !== base.sha256)
    return refuse(
      'base_of_another_model',
      `The model ${manifest.name} was trained on ${weights.base.name} (${weights.base.sha256.slice(0, 10)}...), but the base here is ${base.sha256.slice(0, 10)}...`,
      'Start with --base and the base it was trained on.',
    )
  const files = await ports.exporter.write({ kind, model: unpacked, base: base.path, adapter: unpacked.adapterPath, folder, signal })
  if (isRefusal(files)) return files
  return { model: manifest.name, kind, what: EXPORTS[kind], files, notes: exportNotes(unpacked) }
}
