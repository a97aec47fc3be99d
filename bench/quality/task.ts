/**
 * Task: a folder of train, validation and test rows read into what every arm gets and every score needs: the expert's files as they are,
 * the exam's cases with their ids, and what is wrong with the exam, by name. Knows nothing of arms or results.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join, relative, resolve, sep } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { duplicateKey, type Entity, exampleId, sentences } from '../../src/core/dataset.ts'
import { isRefusal, type Refusal, refuse } from '../../src/core/errors.ts'
import { contentId, type Id } from '../../src/core/id.ts'
import { entitiesOf } from '../../src/core/spans.ts'
import { readDelimited, readJsonLines, type Table } from '../../src/drivers/reader/tables.ts'
import { supports } from '../../src/steps/worth.ts'
import { type Described, describeTask, labelOfMetric, readmeLine } from './description.ts'
import { scriptOf } from './script.ts'

export type Case = { id: Id; input: string; label?: string; answer?: string; entities?: Entity[] }
/** Something odd about an exam that is measured all the same. `code` is a stable word, `text` a sentence with the numbers in it. */
export type Flag = { code: string; text: string }
type File = { name: string; text: string }

export type Task = Omit<Described, 'documents'> & {
  name: string
  /** What the expert hands over: the training and validation rows as they came, and the pages. */
  files: File[]
  /** The official test set; only rows that can be scored. */
  exam: File
  train: Case[]
  validation: Case[]
  cases: Case[]
  /** Every label there is, of all parts, sorted; empty where the work has none. */
  labels: string[]
  flags: Flag[]
  /** The README's line on published figures, word for word. */
  published: string | null
  /** Changes whenever sentence, examples or cases do: cells of other data are not mixed in. */
  dataId: Id
}

const PARTS = { train: ['train', 'training'], validation: ['validation', 'valid', 'dev'], test: ['test', 'exam'] } as const
const ENDINGS = ['.jsonl.gz', '.jsonl', '.csv.gz', '.csv', '.tsv.gz', '.tsv'] as const
/** With fewer cases a score says little; with a single one there is nothing to draw from. */
const FEW_CASES = 30

/** Names of the tasks in a folder: those of its folders that hold a test part, or the folder itself. */
export function taskNames(folder: string): string[] {
  if (findPart(folder, 'test')) return ['.']
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && (findPart(join(folder, entry.name), 'train') || existsSync(join(folder, entry.name, 'task.json'))))
    .map(({ name }) => name)
    .sort()
}

/** Reads a task. Refuses, by name, what cannot be an exam; what is merely odd is flagged. */
export async function readTask(root: string, name: string): Promise<Task | Refusal> {
  const folder = resolve(root, name)
  const called = basename(folder)
  const [train, validation, test] = [
    await readPart(folder, called, 'train'),
    await readPart(folder, called, 'validation'),
    await readPart(folder, called, 'test'),
  ]
  for (const part of [train, validation, test]) if (isRefusal(part)) return part
  const parts = { train: train as Part, validation: validation as Part | undefined, test: test as Part }
  const described = describeTask(folder, called, parts.test.table)
  if (isRefusal(described)) return described
  const { description } = described
  for (const part of Object.values(parts)) {
    const missing = [...description.inputs, description.target].find((column) => part && !part.table.columns.includes(column))
    if (missing !== undefined)
      return refuse(
        'task_column_missing',
        `${part!.file.name} of ${called} has no column "${missing}"; it has ${part!.table.columns.join(', ')}.`,
        'Correct inputs and target in its task.json.',
      )
  }
  const pages = described.documents === null ? [] : readPages(described.documents)
  if (described.documents !== null && !pages.length)
    return refuse(
      'task_documents_missing',
      `There are no pages in ${described.documents}, where ${called} has its documents.`,
      'Correct documents in its task.json.',
    )
  const all = Object.fromEntries(Object.entries(parts).map(([part, read]) => [part, read ? casesOf(described, read.table) : undefined]))
  const scored = scorable(called, described, all.test!, pages)
  if (isRefusal(scored)) return scored
  const learned = (read: Read[] | undefined) => (read ?? []).flatMap(({ one }) => (one ? [one] : []))
  const [training, practice, cases] = [learned(all.train), learned(all.validation), scored.kept.map(({ one }) => one!)]
  if (!training.length)
    return refuse('training_empty', `No training row of ${called} has both an input and what is right.`, 'Fill the columns that task.json names.')
  const labels = description.kind === 'classify' ? [...new Set([...training, ...practice, ...cases].map((one) => one.label!))].sort() : []
  const wrong = examFault(called, described, cases, labels)
  if (wrong) return wrong
  const whole = scored.kept.length === all.test!.length
  return {
    ...{ name: called, description, from: described.from, inferred: described.inferred },
    files: [parts.train.file, ...(parts.validation ? [parts.validation.file] : []), ...pages.map(({ name: page, text }) => ({ name: `pages/${page}`, text }))],
    exam: whole ? parts.test.file : { name: 'test.jsonl', text: `${scored.kept.map(({ row }) => JSON.stringify(row)).join('\n')}\n` },
    ...{ train: training, validation: practice, cases, labels },
    flags: [...scored.flags, ...flagsOf(described, training, practice, cases)],
    published: readmeLine(folder, 'published figures?'),
    dataId: contentId({ description, train: training.map(({ id }) => id), validation: practice.map(({ id }) => id), cases: cases.map(({ id }) => id), pages }),
  }
}

type Part = { file: File; table: Table }
type Row = Record<string, string>
/** A row, and the case it gives; undefined where input or what is right is missing. */
type Read = { row: Row; one: Case | undefined }

function findPart(folder: string, part: keyof typeof PARTS): string | undefined {
  for (const name of PARTS[part]) for (const ending of ENDINGS) if (existsSync(join(folder, `${name}${ending}`))) return join(folder, `${name}${ending}`)
  return undefined
}

async function readPart(folder: string, name: string, part: keyof typeof PARTS): Promise<Part | undefined | Refusal> {
  const path = findPart(folder, part)
  if (path === undefined) {
    if (part === 'validation') return undefined
    return refuse('task_part_missing', `${name} has no ${part} part: there is no ${part}.jsonl.gz in ${folder}.`, `Put ${part}.jsonl.gz, .jsonl or .csv there.`)
  }
  const file = { name: basename(path).replace(/\.gz$/, ''), text: '' }
  try {
    const bytes = readFileSync(path)
    file.text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
  } catch (error) {
    return refuse('task_part_unreadable', `${basename(path)} of ${name} cannot be read: ${(error as Error).message}.`, 'Fetch the file again.')
  }
  const table = file.name.endsWith('.jsonl') ? readJsonLines(file.name, file.text) : await readDelimited(file.name, file.text)
  if (isRefusal(table)) return { ...table, message: `${name}: ${table.message}` }
  return { file, table }
}

function readPages(folder: string): File[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(md|txt|html?)$/i.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => ({ name: relative(folder, path).split(sep).join('/'), text: readFileSync(path, 'utf8') }))
}

/** Rows as the factory reads them, so that a case has the same id here and there. */
function casesOf({ description }: Described, { rows }: Table): Read[] {
  const { kind, inputs, target } = description
  return [...rows].map((row) => {
    const right = row[target]?.trim() ?? ''
    if (kind === 'extract') {
      const input = row[inputs[0]!] ?? ''
      const entities = entitiesOf(input, row, /^(\{|\[\s*[{\]])/.test(right) ? { entities: target } : { tags: target })
      return { row, one: entities && duplicateKey(input) ? { id: exampleId({ input, entities }), input, entities } : undefined }
    }
    const input = inputs
      .map((column) => row[column]?.trim() ?? '')
      .filter(Boolean)
      .join('\n\n')
    if (!duplicateKey(input) || !right) return { row, one: undefined }
    const said = kind === 'classify' ? { input, label: right } : { input, answer: right }
    return { row, one: { id: exampleId(said), ...said } }
  })
}

/** Rows of the exam that can be scored, each once; those that cannot are counted and named. */
function scorable(name: string, { description }: Described, read: readonly Read[], pages: readonly File[]): { kept: Read[]; flags: Flag[] } | Refusal {
  const flags: Flag[] = []
  const flag = (code: string, count: number, of: string) => {
    if (count) flags.push({ code, text: `${count} of ${read.length} exam rows ${of}` })
  }
  const filled = read.filter(({ one }) => one !== undefined)
  if (!filled.length)
    return refuse(
      'exam_references_empty',
      `None of the ${read.length} exam rows of ${name} has both an input and a "${description.target}".`,
      'An exam needs to say what is right.',
    )
  flag('references_empty', read.length - filled.length, 'do not say what is right, or hold no input, and are left out.')
  const seen = new Set<string>()
  const once = filled.filter(({ one }) => !seen.has(one!.id) && seen.add(one!.id))
  flag('exam_repeats', filled.length - once.length, 'say again what another row says, and count once.')
  if (description.kind !== 'answer' || !pages.length) return { kept: once, flags }
  const said = pages.flatMap(({ text }) => sentences(text))
  const kept = once.filter(({ one }) => said.some(supports(one!.answer!)))
  flag('not_answerable', once.length - kept.length, 'have an answer no page holds, and are left out: only answerable ones are scored.')
  if (!kept.length) return refuse('exam_not_answerable', `No exam question of ${name} has an answer in its pages.`, 'Give pages that hold the answers.')
  return { kept, flags }
}

function examFault(name: string, { description }: Described, cases: readonly Case[], labels: readonly string[]): Refusal | undefined {
  if (cases.length === 1) return refuse('exam_one_case', `The exam of ${name} is a single case, which proves nothing.`, `Give at least ${FEW_CASES} cases.`)
  const examined = new Set(cases.map(({ label }) => label))
  if (description.kind === 'classify' && examined.size === 1)
    return refuse(
      'exam_one_class',
      `Every exam case of ${name} has the label "${cases[0]!.label}".`,
      'An exam with one class is passed by always saying it: add others.',
    )
  const label = labelOfMetric(description.metric)
  if (label !== undefined && !labels.includes(label))
    return refuse(
      'metric_label_missing',
      `The metric of ${name} is of the label "${label}", which no row has.`,
      `Its labels are ${labels.slice(0, 12).join(', ')}.`,
    )
  const outcomes = outcomesOf(cases)
  if ([...outcomes.values()].every((said) => said.size > 1))
    return refuse('exam_contradicts_itself', `Every exam input of ${name} stands there with several right outcomes.`, 'Say once what is right for each.')
  return undefined
}

/** What is right, by input. */
function outcomesOf(cases: readonly Case[]): Map<string, Set<string>> {
  const outcomes = new Map<string, Set<string>>()
  for (const one of cases) {
    const key = duplicateKey(one.input)
    const right = one.label ?? one.answer ?? JSON.stringify(one.entities)
    const known = outcomes.get(key)
    if (known) known.add(right)
    else outcomes.set(key, new Set([right]))
  }
  return outcomes
}

function flagsOf({ description }: Described, train: readonly Case[], validation: readonly Case[], cases: readonly Case[]): Flag[] {
  const flags: Flag[] = []
  const learned = [...train, ...validation]
  const flag = (code: string, count: number, text: string) => {
    if (count) flags.push({ code, text: `${count} of ${cases.length} exam cases ${text}` })
  }
  if (cases.length < FEW_CASES) flags.push({ code: 'exam_small', text: `The exam has only ${cases.length} cases: intervals are wide.` })
  if (!validation.length) flags.push({ code: 'no_validation', text: 'There is no validation part: every arm sets some training rows aside itself.' })
  const outcomes = outcomesOf(cases)
  // Questions may have several right answers; a text has one label and one reading.
  if (description.kind !== 'answer')
    flag(
      'contradictory_references',
      cases.filter((one) => outcomes.get(duplicateKey(one.input))!.size > 1).length,
      'have an input that stands there with another right outcome too: one of each is always scored wrong.',
    )
  const known = new Set(learned.map((one) => duplicateKey(one.input)))
  flag(
    'exam_seen',
    cases.filter((one) => known.has(duplicateKey(one.input))).length,
    'stand in the training part too; ModelFactory drops what is nearly like an exam case, the engineer learns from it.',
  )
  const taught = new Set(learned.map(({ label }) => label))
  if (description.kind === 'classify')
    flag('exam_unknown_kind', cases.filter(({ label }) => !taught.has(label)).length, 'are of a kind that no training row shows.')
  const scripts = new Set(learned.map(({ input }) => scriptOf(input)))
  const foreign = cases.map(({ input }) => scriptOf(input)).filter((script) => script !== undefined && !scripts.has(script))
  flag('exam_other_script', foreign.length, `are written in a script no training row is written in (${[...new Set(foreign)].join(', ')}).`)
  return flags
}
