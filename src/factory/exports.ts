/**
 * Exports kept ready for download: each made once per package and kind, in a folder that is emptied at every start, since all
 * of it can be made again. Knows nothing of who downloads.
 */
import { rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isRefusal, type Refusal, refuse } from '../core/errors.ts'
import { EXPORT_KINDS, type ExportKind, type ExportView } from '../core/export.ts'
import type { Id } from '../core/id.ts'
import type { Exporter } from '../ports/exporter.ts'
import { exportModel } from '../steps/export.ts'
import type { Unpacked } from '../steps/pack.ts'

/** The kind of that name. */
export function exportKind(text: string): ExportKind | Refusal {
  const kind = EXPORT_KINDS.find((known) => known === text)
  return kind ?? refuse('unknown_export', `There is no export "${text}".`, `There are: ${EXPORT_KINDS.join(', ')}.`)
}

export async function openExports(
  ports: { exporter: Exporter },
  options: { folder: string; findBase: (sha256: Id) => Promise<{ path: string; sha256: Id } | undefined> },
) {
  await rm(options.folder, { recursive: true, force: true })
  const made = new Map<string, Promise<ExportView | Refusal>>()
  const place = (packageId: string, kind: ExportKind) => join(options.folder, packageId.slice(2, 18), kind)

  async function write(unpacked: Unpacked, kind: ExportKind, folder: string): Promise<ExportView | Refusal> {
    const { name, sha256 } = unpacked.weights.base
    const base = (await options.findBase(sha256)) ?? { path: name, sha256 }
    return exportModel(ports, { unpacked, base, kind, folder })
  }

  return {
    make(packageId: string, unpacked: Unpacked, kind: ExportKind): Promise<ExportView | Refusal> {
      const folder = place(packageId, kind)
      const found = made.get(folder) ?? write(unpacked, kind, folder)
      made.set(folder, found)
      // What failed may work the next time: the disk has room again, the base is there again.
      found.then(
        (view) => isRefusal(view) && made.delete(folder),
        () => made.delete(folder),
      )
      return found
    },
    /** The path of one file of an export that was made. */
    async file(packageId: string, kind: ExportKind, name: string): Promise<{ path: string; bytes: number } | Refusal> {
      const folder = place(packageId, kind)
      const view = await made.get(folder)
      const file = view && !isRefusal(view) ? view.files.find((one) => one.name === name) : undefined
      const path = join(folder, file?.name ?? '')
      if (!file || !(await stat(path).catch(() => undefined))?.isFile())
        return refuse(
          'export_not_found',
          `There is no file "${name}" of the export ${kind}.`,
          `Ask for the export first: POST .../export with {"kind": "${kind}"}.`,
        )
      return { path, bytes: file.bytes }
    },
  }
}
