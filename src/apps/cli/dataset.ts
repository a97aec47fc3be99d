/**
 * What the commands say and ask about a dataset before it is built: which column is what, which file is the exam, whether the exam
 * is fair, and what strangers will see. Knows nothing of how datasets are made.
 */
import { createInterface } from 'node:readline/promises'
import { isRefusal, type Refusal, refuse } from '../../core/errors.ts'
import type { Findings } from '../../core/findings.ts'
import type { Spec } from '../../core/spec.ts'
import type { QuotationView } from '../../core/view.ts'
import type { Context } from './connect.ts'
import { filesUnder, request, type Upload } from './requests.ts'

/** What `POST /api/dataset` answers. */
export type DatasetReply = {
  spec: Spec
  findings: Findings
  sentences: string[]
  exam: { id: string; cases: { id: string; input: string; outcome: string }[] }
}

/** A text on one line of at most so many characters. */
export const even = (text: string, most: number): string => {
  const line = text.replace(/\s+/g, ' ')
  return line.length > most ? `${line.slice(0, most - 1)}…` : line
}

/** The files with the exam's own among them, and the name it has there. */
export async function examFile(found: Upload[], exam: string | undefined): Promise<{ files: Upload[]; exam?: string[] } | Refusal> {
  if (exam === undefined) return { files: found }
  const read = await filesUnder(exam)
  if (isRefusal(read)) return read
  const named = read.map((file) => {
    const known = found.find(({ base64 }) => base64 === file.base64)
    return known ?? { ...file, name: `exam/${file.name}` }
  })
  return { files: [...found, ...named.filter((file) => !found.includes(file))], exam: named.map(({ name }) => name) }
}

export function quotationLines(view: QuotationView, changed = false): string[] {
  if (!view.documents.length) return [`${view.name} quotes nothing.`]
  return [
    `Whoever pays for an answer of ${view.name} sees sentences of these documents word for word:`,
    ...view.documents.map((one) => `  ${one.file}: ${one.withheld ? 'kept out' : `${one.passages} passages, such as "${even(one.shown[0] ?? '', 100)}"`}`),
    changed
      ? `It holds from the next build on: npx modelfactory rebuild ${view.name}`
      : `Keep one out: npx modelfactory quotations ${view.name} --keep-out FILE`,
  ]
}

/** Shows the dataset and asks whether the exam is a fair one; the id of the exam that was confirmed, or undefined where nobody can be asked. */
export async function confirmExam(context: Context, url: string, wish: object): Promise<string | undefined | Refusal> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) return undefined
  const reply = await request<DatasetReply>(url, '/api/dataset', wish)
  if (isRefusal(reply)) return reply
  for (const line of reply.sentences) context.out.line(line)
  context.out.line('Some of the cases it will be examined on:')
  for (const one of reply.exam.cases.slice(0, 5)) context.out.line(`  ${even(one.input, 90)} -> ${even(one.outcome, 60)}`)
  const ask = createInterface({ input: process.stdin, output: process.stdout })
  const said = await ask.question('Is this a fair exam? It is sealed once you say so. [Y/n] ')
  ask.close()
  if (/^\s*(n|no)\s*$/i.test(said))
    return refuse('exam_not_confirmed', 'The exam was not confirmed, so nothing was built.', 'Change the files, or give an exam of your own with --exam FILE.')
  return reply.exam.id
}

/** False where nobody can be asked. */
export async function askYes(question: string): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) return false
  const ask = createInterface({ input: process.stdin, output: process.stdout })
  const said = await ask.question(question)
  ask.close()
  return /^\s*(y|yes)\s*$/i.test(said)
}

/** `text=Body` or `table.csv:label=Kind`, as often as it is said. */
export function columnChoices(said: readonly string[]): { role: string; column: string; file?: string }[] | Refusal {
  const choices: { role: string; column: string; file?: string }[] = []
  for (const one of said) {
    const [, file, role, column] = /^(?:(.+):)?([a-z]+)=(.+)$/.exec(one) ?? []
    if (!role || !column)
      return refuse(
        'column_choice_invalid',
        `"${one}" does not say which column plays which part.`,
        'Write it like --column text=Body or --column table.csv:label=Kind.',
      )
    choices.push({ role, column, ...(file ? { file } : {}) })
  }
  return choices
}
