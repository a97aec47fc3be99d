/**
 * Rows of a long delimited table, read from the file's bytes as often as somebody goes over them, a thousand at a time, so that a million rows are
 * never held at once. Knows nothing of how the table was understood.
 */
import type { Options } from 'csv-parse'
import { parse } from 'csv-parse/sync'
import type { Rows } from '../../ports/reader.ts'

/** Records between two places that are remembered. */
export const BLOCK = 1000

export type LongTable = {
  /** UTF-8. */
  bytes: Uint8Array
  /** Where records 0, {@link BLOCK}, 2 {@link BLOCK}, ... begin. */
  starts: readonly number[]
  records: number
  columns: readonly string[]
  /** Whether the first record names the columns. */
  header: boolean
  /** As the records were counted with: among them the one line end that there is. */
  options: Options
}

export function longRows({ bytes, starts, records, columns, header, options }: LongTable): Rows {
  return {
    length: records - Number(header),
    *[Symbol.iterator]() {
      for (const [block, start] of starts.entries()) {
        // A mark of the byte order can stand at the beginning alone; elsewhere it is part of a cell.
        const cells = parse(bytes.subarray(start, starts[block + 1] ?? bytes.length), { ...options, bom: block === 0 }) as string[][]
        for (let at = header && block === 0 ? 1 : 0; at < cells.length; at++) yield rowOf(columns, cells[at]!)
      }
    },
  }
}

/** Cells under the names of their columns; those that are not there are empty. */
export function rowOf(columns: readonly string[], cells: readonly string[]): Record<string, string> {
  return Object.fromEntries(columns.map((column, index) => [column, cells[index] ?? '']))
}
