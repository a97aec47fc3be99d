/**
 * `data`, `rebuild` and `quotations`: the examples of a model printed, changed and built anew, and what of the documents strangers
 * will see. Knows nothing of how examples are made or kept.
 */
import type { Change } from '../../core/corrections.ts'
import { isRefusal, type Refusal, refuse } from '../../core/errors.ts'
import type { BuildView, ExamplesView, FixView, QuotationView } from '../../core/view.ts'
import { follow } from './commands.ts'
import { type Context, withServer } from './connect.ts'
import { askYes, columnChoices, even, quotationLines } from './dataset.ts'
import { request } from './requests.ts'

export type DataFlags = {
  part?: string
  find?: string
  limit?: string
  offset?: string
  correct?: string
  remove?: string
  add?: string
  to?: string
}

export type FixFlags = { question?: string; answer?: string; accept?: boolean; drop?: boolean; json?: boolean }

const path = (name: string, rest: string): string => `/api/models/${encodeURIComponent(name)}/${rest}`
/** Lists a part of a model's examples, or changes one. */
export async function data(context: Context, name: string, flags: DataFlags): Promise<Refusal | undefined> {
  const changes: Change[] = []
  if (flags.correct !== undefined && flags.to !== undefined) changes.push({ replace: flags.correct, to: flags.to })
  if (flags.remove !== undefined) changes.push({ remove: flags.remove })
  if (flags.add !== undefined && flags.to !== undefined) changes.push({ add: flags.add, to: flags.to })
  if ((flags.correct ?? flags.add) !== undefined && flags.to === undefined)
    return refuse('to_missing', 'It was not said what would be right.', 'Add --to "the right label or answer"; --to "" means that the pages do not cover it.')
  const query = new URLSearchParams()
  for (const one of ['part', 'find', 'limit', 'offset'] as const) if (flags[one] !== undefined) query.set(one, flags[one])
  const view = await withServer(context, (url) =>
    changes.length ? request<ExamplesView>(url, path(name, 'data'), { changes }) : request<ExamplesView>(url, path(name, `data?${query}`)),
  )
  if (isRefusal(view)) return view
  const changed = changes.length ? [`Kept. It holds from the next build on: npx modelfactory rebuild ${view.name}`] : []
  const examples = view.examples.map((one) => {
    const where = `${one.source.file}${one.source.page ? `, page ${one.source.page}` : ''}${one.source.row ? `, row ${one.source.row}` : ''}${one.source.heading ? `, ${one.source.heading}` : ''}`
    return `${one.id.slice(0, 12)}  ${even(one.input, 90)}\n              -> ${even(one.outcome, 90)}   [${where}${one.made ? `; made from it: ${one.made}` : ''}]`
  })
  const last = `${view.part}: ${view.examples.length ? `${view.offset + 1} to ${view.offset + view.examples.length} of ${view.total}` : `none of ${view.total}`}; ${view.corrections} changes kept.`
  context.out.result(view, [...changed, ...(changes.length ? [] : [...view.sentences, '', ...examples, '', last])].join('\n'))
  return undefined
}

/** Puts one answer right: a quick build, then what it would change; accepted with `accept` or when asked for on a terminal. */
export async function fix(context: Context, name: string, flags: FixFlags): Promise<Refusal | undefined> {
  if (flags.drop) return dropFix(context, name)
  const { question, answer } = flags
  if (question === undefined || answer === undefined)
    return refuse('fix_incomplete', 'A fix needs the question and the right answer.', `Say both: npx modelfactory fix ${name} --question "..." --answer "..."`)
  const outcome = await withServer(context, async (url) => {
    const started = await request<BuildView>(url, path(name, 'fix'), { question, answer })
    if (isRefusal(started)) return started
    const finished = await follow(context.out, url, started.id)
    if (isRefusal(finished)) return finished
    const view = await request<FixView>(url, path(name, 'fix'))
    if (isRefusal(view)) return view
    for (const line of fixLines(view)) context.out.line(line)
    if (!(flags.accept ?? (!flags.json && (await askYes('Put it in place of the model? [y/N] '))))) return { ...view, accepted: false }
    const accepted = await request<FixView>(url, path(name, 'fix/accept'), {})
    return isRefusal(accepted) ? accepted : { ...accepted, accepted: true }
  })
  if (isRefusal(outcome)) return outcome
  const next = `The model stays as it is. To take the fixed one: npx modelfactory fix ${name} --question ... --answer ... --accept; to give it up: --drop`
  context.out.result(outcome, outcome.accepted ? `${name} is the fixed model now, and the correction is kept.` : next)
  return undefined
}

async function dropFix(context: Context, name: string): Promise<Refusal | undefined> {
  const dropped = await withServer(context, (url) => request<BuildView>(url, path(name, 'fix/drop'), {}))
  if (isRefusal(dropped)) return dropped
  context.out.result({ model: name, build: dropped.id, state: dropped.state }, `The fix of ${name} is given up; the model stays as it is.`)
  return undefined
}

function fixLines(view: FixView): string[] {
  const [better, worse] = (['better', 'worse'] as const).map((kind) => view.flips.filter(({ change }) => change === kind).length)
  return [
    `"${even(view.question, 80)}"`,
    `  before: ${even(view.before, 160)}`,
    `  after:  ${even(view.after, 160)}`,
    `Of ${view.practice} practice cases ${view.flips.length} come out otherwise: ${better} better, ${worse} worse.`,
    ...view.flips
      .slice(0, 12)
      .map((one) => `  ${one.change.padEnd(6)} "${even(one.input, 60)}": ${even(one.before, 50)} -> ${even(one.after, 50)}   (right: ${even(one.right, 50)})`),
  ]
}

/** `column`: which column plays which part from now on, as `build --column` takes it. */
export async function rebuild(context: Context, name: string, column: readonly string[] = []): Promise<Refusal | undefined> {
  const columns = columnChoices(column)
  if (isRefusal(columns)) return columns
  const finished = await withServer(context, async (url) => {
    const started = await request<BuildView>(url, path(name, 'rebuild'), { columns })
    return isRefusal(started) ? started : follow(context.out, url, started.id)
  })
  if (isRefusal(finished)) return finished
  context.out.result({ model: finished.name, build: finished.id }, `Built ${finished.name} again.`)
  return undefined
}

/** What strangers would see quoted; with `keepOut`, which documents they may not see from the next build on. */
export async function quotations(context: Context, name: string, flags: { keepOut?: string[] }): Promise<Refusal | undefined> {
  const view = await withServer(context, (url) =>
    request<QuotationView>(url, path(name, 'quotations'), flags.keepOut === undefined ? undefined : { withhold: flags.keepOut.filter(Boolean) }),
  )
  if (isRefusal(view)) return view
  context.out.result(view, quotationLines(view, flags.keepOut !== undefined).join('\n'))
  return undefined
}
