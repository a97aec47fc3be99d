/**
 * Material: a builder's files read, planned and collected into a dataset, the same way whenever the same is asked: before a build,
 * in it, and when its examples are looked at later. Knows nothing of training or of who asks.
 */

import { createHash } from 'node:crypto'
import { CONTRIBUTORS_FILE, type Contribution, type DatasetFile, parseContributors, withContributors } from '../core/contributors.ts'
import type { Correction } from '../core/corrections.ts'
import { isRefusal, type Refusal, refuse } from '../core/errors.ts'
import type { Id } from '../core/id.ts'
import type { Spec } from '../core/spec.ts'
import { languageOf } from '../drivers/planner/languages.ts'
import type { Planner } from '../ports/planner.ts'
import type { Content, Reader } from '../ports/reader.ts'
import { type Collected, collect } from '../steps/collect.ts'
import { type ColumnChoice, fill } from '../steps/columns.ts'
import { buildable, describe, plan as planOf } from '../steps/describe.ts'

type InputFile = Parameters<Reader['read']>[0]

/** How files become a dataset, beyond what the words say. */
export type MaterialWish = {
  /** A plan that was refined; without it one is made. */
  spec?: Spec | undefined
  /** Which column plays which part. */
  columns?: readonly ColumnChoice[] | undefined
  /** Personal data is replaced by its kind. */
  mask?: boolean | undefined
  /** Names of files that are the exam. */
  exam?: readonly string[] | undefined
  corrections?: readonly Correction[] | undefined
  /** Files whose passages strangers may not see. */
  withhold?: readonly string[] | undefined
  /** The exam the expert confirmed: another one is refused. */
  examId?: Id | undefined
}

/** A table as it was found: its columns, and its first rows for whoever looks whether they were understood. */
export type TableView = { name: string; columns: string[]; rows: number; first: Record<string, string>[] }
export type Material = Collected & { spec: Spec; licences: string[]; datasets: DatasetFile[]; tables: TableView[] }

const ROWS_SHOWN = 3
const CELL_SHOWN = 200

/** Files that state where data comes from and under which licence; they are carried into the package, not trained on. */
const LICENCE_FILE = /(^|\/)(sources?|licen[cs]es?|attributions?|notices?)(-[^/]*)?(\.(txt|md|html?))?$/i

const README = /(^|\/)readme(\.(txt|md|html?))?$/i

export function openMaterial(ports: { planner: Planner; reader: Reader }) {
  async function read(files: readonly InputFile[]): Promise<{ contents: Content[]; licences: string[]; contributions: Contribution[] } | Refusal> {
    if (!files.length) return refuse('no_files', 'No files were handed over.', 'Give a folder with documents (.md, .txt) or a table (.csv, .tsv, .jsonl).')
    const contents: Content[] = []
    const licences: string[] = []
    const contributions: Contribution[] = []
    for (const file of files) {
      const found = await ports.reader.read(file)
      if (isRefusal(found)) return found
      for (const content of found) {
        if (content.kind === 'text' && CONTRIBUTORS_FILE.test(content.name)) {
          const said = parseContributors(content.text)
          if (isRefusal(said)) return said
          contributions.push(...said)
        } else if (content.kind === 'text' && LICENCE_FILE.test(content.name)) licences.push(content.text.trim())
        else contents.push(content)
      }
    }
    // Beside tables alone a README is about them: it is carried along, and neither learned from nor quoted.
    const about = contents.filter((content) => content.kind === 'text' && README.test(content.name))
    if (!about.length || contents.some((content) => content.kind === 'text' && !README.test(content.name)) || contents.length === about.length)
      return { contents, licences, contributions }
    for (const content of about) if (content.kind === 'text') licences.push(content.text.trim())
    return { contents: contents.filter((content) => !about.includes(content)), licences, contributions }
  }

  return {
    async plan(words: string, files: readonly InputFile[], columns: readonly ColumnChoice[] = []): Promise<Spec | Refusal> {
      const found = files.length ? await read(files) : { contents: [] }
      return isRefusal(found) ? found : planOf(ports, words, found.contents, columns)
    },

    async prepare(words: string, files: readonly InputFile[], wish: MaterialWish = {}): Promise<Material | Refusal> {
      const found = await read(files)
      if (isRefusal(found)) return found
      const { contents, licences, contributions } = found
      const datasets = withContributors(
        files.filter(({ name }) => !CONTRIBUTORS_FILE.test(name)).map(({ name, bytes }) => ({ file: name, sha256: sha256(bytes) })),
        contributions,
      )
      if (isRefusal(datasets)) return datasets
      const given = wish.spec && buildable(wish.spec)
      if (isRefusal(given)) return given
      const spec = given ? (wish.columns?.length ? fill(given, contents, wish.columns) : given) : await describe(ports, words, contents, wish.columns)
      if (isRefusal(spec)) return spec
      const collected = collect(spec, contents, {
        ...{ mask: wish.mask === true, exam: wish.exam ?? [], corrections: wish.corrections ?? [], withhold: wish.withhold ?? [] },
        // What the plan says decides where letters alone would guess, and where letter statistics do not know the language at all.
        languageOf: (text) => languageOf(text, spec.language),
      })
      if (isRefusal(collected)) return collected
      if (wish.examId !== undefined && wish.examId !== collected.findings.examId)
        return refuse(
          'exam_changed',
          `The exam would be ${collected.findings.examId.slice(0, 12)}…, not the confirmed ${wish.examId.slice(0, 12)}…: the files or the plan changed.`,
          'Look at the exam again and confirm it.',
        )
      return { ...collected, spec, licences, datasets, tables: contents.flatMap((content) => (content.kind === 'table' ? viewOf(content) : [])) }
    },
  }
}

function viewOf({ name, columns, rows }: Extract<Content, { kind: 'table' }>): TableView {
  const short = (row: Record<string, string>) => Object.fromEntries(columns.map((column) => [column, (row[column] ?? '').slice(0, CELL_SHOWN)]))
  const first: Record<string, string>[] = []
  for (const row of rows) {
    if (first.length === ROWS_SHOWN) break
    first.push(short(row))
  }
  return { name, columns, rows: rows.length, first }
}

function sha256(bytes: Uint8Array): Id {
  return `0x${createHash('sha256').update(bytes).digest('hex')}`
}
