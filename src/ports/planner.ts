/** Planner: words and a listing of files -> Spec. A planner sees what readers found in the files, never the files. */
import type { Refusal } from '../core/errors.ts'
import type { Spec } from '../core/spec.ts'

/** What a reader found in one file, without its content. */
export type FileListing = {
  name: string
  kind: string
  columns?: string[] | undefined
  rows?: number | undefined
  note?: string | undefined
  /** A few rows (tables) or the first characters (text), for a planner that looks at content. */
  sample?: Record<string, string>[] | string | undefined
  /** Distinct values of columns that hold at most 200 of them, by column, most frequent first. */
  values?: Record<string, { value: string; count: number }[]> | undefined
  /** Rows whose cell is empty, by column. */
  empty?: Record<string, number> | undefined
  /** Mean characters of a non-empty cell, by column. */
  length?: Record<string, number> | undefined
}

export interface Planner {
  readonly name: string
  plan(input: { words: string; files: readonly FileListing[] }): Promise<Spec | Refusal>
  /** The spec with what the words change and nothing else; history and differences are the step's business. Refuses words it cannot place. */
  refine(input: { spec: Spec; words: string }): Promise<Spec | Refusal>
}
