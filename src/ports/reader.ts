/** Reader: the bytes of one file -> a table or a text, or a refusal that names the file and says what to do. */
import type { Refusal } from '../core/errors.ts'

export type Content =
  | { kind: 'table'; name: string; columns: string[]; rows: Record<string, string>[]; note?: string | undefined }
  | { kind: 'text'; name: string; text: string; note?: string | undefined }

export interface Reader {
  /** `name` is a path relative to the folder the builder handed over. */
  read(file: { name: string; bytes: Uint8Array }): Promise<Content | Refusal>
}
