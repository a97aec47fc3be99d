/**
 * The commands: each connects to a server, asks it, prints. `up` stands beside, in its own file.
 * Knows nothing of how the server does it.
 */
import { writeFile } from 'node:fs/promises'
import type { Answer } from '../../core/answer.ts'
import { type EarningsExport, earningsCsv } from '../../core/earnings.ts'
import { isRefusal, type Refusal, refuse } from '../../core/errors.ts'
import { parseOpen, parsePrice } from '../../core/royalty.ts'
import type { BuildView, EarningsView, ModelView, QuotationView, Standing, StateView } from '../../core/view.ts'
import { baseReference } from '../../factory/config.ts'
import { type Context, withServer } from './connect.ts'
import { columnChoices, confirmExam, examFile, quotationLines } from './dataset.ts'
import { readPlan } from './plan.ts'
import { arrowLine, type Printer, trainingLine } from './print.ts'
import { type Bought, openBuyer } from './purchase.ts'
import { filesUnder, request } from './requests.ts'

type Published = { model: string; modelId: string; warning: string | null; standing: Standing; price: { open: string; atomic: string }; tx: string }

export type BuildFlags = {
  files: string
  plan?: string
  name?: string
  minutes?: number
  base?: string
  recipe?: unknown
  exam?: string
  column?: string[]
  mask?: boolean
  yes?: boolean
  json?: boolean
}

export async function build(context: Context, words: string, flags: BuildFlags): Promise<Refusal | undefined> {
  const found = await filesUnder(flags.files)
  if (isRefusal(found)) return found
  const examined = await examFile(found, flags.exam)
  if (isRefusal(examined)) return examined
  const { files, exam } = examined
  const columns = columnChoices(flags.column ?? [])
  if (isRefusal(columns)) return columns
  const spec = flags.plan === undefined ? undefined : await readPlan(flags.plan)
  if (isRefusal(spec)) return spec
  const began = Date.now()
  const outcome = await withServer(context, async (url) => {
    const seconds = flags.minutes === undefined ? undefined : flags.minutes * 60
    const wish = { words, files, spec, exam, columns, mask: flags.mask }
    const examId = flags.yes || flags.json ? undefined : await confirmExam(context, url, wish)
    if (isRefusal(examId)) return examId
    const started = await request<BuildView>(url, '/api/builds', {
      ...wish,
      examId,
      name: flags.name,
      seconds,
      recipe: flags.recipe,
      ...(flags.base === undefined ? {} : { base: baseReference(flags.base) }),
    })
    if (isRefusal(started)) return started
    const finished = await follow(context.out, url, started.id)
    if (isRefusal(finished)) return finished
    const models = await request<StateView>(url, '/api/state')
    if (isRefusal(models)) return models
    const model = models.models.find((one) => one.name === finished.name)
    if (!model) return refuse('build_lost', `The build ${finished.name} ended as ${finished.state}.`, 'Look at its events in the studio.')
    return { model, spec: specOf(finished) }
  })
  if (isRefusal(outcome)) return outcome
  const { model } = outcome
  const score = (name: string) => model.exam.arms.find((arm) => arm.name === name)?.score ?? null
  context.out.result(
    {
      model: model.name,
      package: model.packageId,
      spec: outcome.spec,
      exam: { n: model.exam.n, metric: model.exam.metric, tuned: score('tuned'), base: score('base'), baseline: score('baseline') },
      seconds: Math.round((Date.now() - began) / 100) / 10,
    },
    `Built ${model.name}. Ask it: npx modelfactory ask ${model.name} "..."; sell it: npx modelfactory publish ${model.name} --price 0.01`,
  )
  return undefined
}

/** The spec a model was built from, as its build told it. */
function specOf(build: BuildView): unknown {
  const told = build.events.find((event) => event.arrow === 'describe')
  return (told?.data as { spec?: unknown } | undefined)?.spec ?? null
}

/** Prints a build's events as they happen, until it ends. */
export async function follow(out: Printer, url: string, id: string): Promise<BuildView | Refusal> {
  let printed = 0
  for (;;) {
    const view = await request<BuildView>(url, `/api/builds/${id}`)
    if (isRefusal(view)) return view
    for (; printed < view.events.length; printed++) out.line(arrowLine(view.name, view.events[printed]!.arrow, view.events[printed]!.text))
    if (view.state === 'done') return view
    if (view.state !== 'queued' && view.state !== 'running')
      return refuse(`build_${view.state}`, `The build ${view.name} was ${view.state}: ${view.events.at(-1)?.text ?? 'no reason was given'}`, '')
    if (view.training && !view.events.some((event) => event.arrow === 'train')) out.progress(trainingLine(view.name, view.training))
    await new Promise((resolve) => setTimeout(resolve, 400))
  }
}

export async function ask(context: Context, model: string, text: string): Promise<Refusal | undefined> {
  const answer = await withServer(context, (url) => request<Answer>(url, `/api/models/${encodeURIComponent(model)}/ask`, { text }))
  if (isRefusal(answer)) return answer
  context.out.result(answer, answer.text)
  return undefined
}

export async function publish(
  context: Context,
  model: string,
  { price, abstention, free }: { price: string; abstention?: 'free' | 'paid'; free?: string },
): Promise<Refusal | undefined> {
  const checked = parsePrice(price)
  if (isRefusal(checked)) return checked
  if (free !== undefined && !/^\d{1,3}$/.test(free))
    return refuse('free_invalid', `"${free}" is no number of questions.`, 'Give --free a whole number from 0 to 100.')
  // Whoever publishes is told first what strangers will read.
  const told = await withCurrency(context, async (url) => {
    const quoted = await request<QuotationView>(url, `/api/models/${encodeURIComponent(model)}/quotations`)
    if (!isRefusal(quoted) && quoted.documents.length) for (const line of quotationLines(quoted)) context.out.line(line)
    return request<Published>(url, `/api/models/${encodeURIComponent(model)}/publish`, {
      price,
      abstention,
      ...(free === undefined ? {} : { free: Number(free) }),
    })
  })
  if (isRefusal(told)) return told
  const { value: published, currency } = told
  const label = published.standing === 'proven' ? null : `It is listed as ${published.standing}. Why: npx modelfactory exam show ${model}`
  const first = `Published ${model} at ${published.price.open} ${currency} a query. Model ${published.modelId}, transaction ${published.tx}`
  context.out.result(published, [first, label, published.warning].filter(Boolean).join('\n'))
  return undefined
}

export async function query(
  context: Context,
  model: string,
  text: string,
  flags: { wallet: string; maximum: string; passport?: string; letBuilderRead?: boolean },
): Promise<Refusal | undefined> {
  const maximum = parseOpen(flags.maximum)
  if (isRefusal(maximum)) return maximum
  if (!/^[a-z0-9-]{1,40}$/.test(flags.wallet))
    return refuse('bad_wallet', `"${flags.wallet}" cannot be a wallet's name.`, 'Use lower-case letters, digits and hyphens.')
  const bought = await withServer(context, async (url) => {
    const buy = await openBuyer(context.config, { url, wallet: flags.wallet, maximum, store: flags.letBuilderRead })
    const bought = isRefusal(buy) ? buy : await buy(model, text)
    if (isRefusal(bought) || flags.passport === undefined) return bought
    // The query is paid: whatever becomes of its passport, the answer is shown.
    const kept = await keepPassport(url, bought, flags.passport)
    if (isRefusal(kept)) context.out.line(`There is no passport of it: ${kept.message} ${kept.hint}`)
    return bought
  })
  if (isRefusal(bought)) return bought
  const { currency } = bought
  const { receipt, free, answer } = bought.shown
  const paid = receipt ? `Paid ${receipt.amount.open} ${currency} to ${receipt.builder}, transaction ${receipt.tx}` : free
  context.out.result(bought.shown, `${answer}\n\n${paid}`)
  return undefined
}

/** Asks for the passport of a query just paid, adds the texts to it, and writes it. */
async function keepPassport(url: string, bought: Bought, path: string): Promise<Refusal | undefined> {
  const { receipt } = bought.shown
  if (!receipt) return refuse('nothing_paid', 'Nothing was charged for this answer, so there is no payment to prove.', 'Passports are of paid answers.')
  const passport = await request<object>(url, `/api/receipts/${receipt.tx}/passport?request=${bought.requestHash}`)
  if (isRefusal(passport)) return passport
  return writeFile(path, `${JSON.stringify({ ...passport, texts: bought.texts }, null, 2)}\n`).then(
    () => undefined,
    (error: NodeJS.ErrnoException) =>
      refuse('file_not_writable', `The file "${path}" cannot be written (${error.code ?? error.message}).`, 'Give another path.'),
  )
}

export async function earnings(context: Context, flags: { export?: string } = {}): Promise<Refusal | undefined> {
  if (flags.export !== undefined) return exportEarnings(context, flags.export)
  const told = await withCurrency(context, (url) => request<EarningsView>(url, '/api/earnings'))
  if (isRefusal(told)) return told
  const { value: view, currency } = told
  const lines = view.models.map(
    (model) => `  ${model.name}: ${model.earned.open} ${currency} from ${model.queries} ${model.queries === 1 ? 'query' : 'queries'}`,
  )
  context.out.result(view, [`Builder ${view.builder} was paid ${view.total.open} ${currency} in all and holds ${view.balance.open}.`, ...lines].join('\n'))
  return undefined
}

/** Writes every payment as CSV, or with the sums of each day as JSON; the name of the file says which. */
async function exportEarnings(context: Context, path: string): Promise<Refusal | undefined> {
  const kind = /\.(csv|json)$/i.exec(path)?.[1]?.toLowerCase()
  if (kind === undefined) return refuse('export_kind_unknown', `"${path}" ends neither in .csv nor in .json.`, 'Name a file such as earnings.csv.')
  const told = await withCurrency(context, (url) => request<EarningsExport>(url, '/api/earnings/export.json'))
  if (isRefusal(told)) return told
  const { value: made, currency } = told
  const written = await writeFile(path, kind === 'csv' ? earningsCsv(made) : `${JSON.stringify(made, null, 2)}\n`).catch((error: NodeJS.ErrnoException) =>
    refuse('file_not_writable', `The file "${path}" cannot be written (${error.code ?? error.message}).`, 'Give another path.'),
  )
  if (isRefusal(written)) return written
  const payments = made.queries === 1 ? '1 payment' : `${made.queries} payments`
  context.out.result({ file: path, queries: made.queries, total: made.total }, `${payments}, ${made.total.open} ${currency} in all, in ${path}.`)
  return undefined
}

export async function list(context: Context): Promise<Refusal | undefined> {
  const state = await withServer(context, (url) => request<StateView>(url, '/api/state'))
  if (isRefusal(state)) return state
  const line = (model: ModelView) => {
    const tuned = model.exam.arms.find((arm) => arm.name === 'tuned')
    return `${model.name}: ${model.task}, exam ${tuned?.score.toFixed(3) ?? '-'} ${model.exam.metric} (n ${model.exam.n}), ${standing(model)}, ${model.price ? `${model.price.open} ${state.network.currency} a query, ${model.queries} paid` : 'not published'}`
  }
  context.out.result(
    { models: state.models },
    state.models.length ? state.models.map(line).join('\n') : 'No models yet. Build one: npx modelfactory build "what it should do" --files FOLDER',
  )
  return undefined
}

/** Loud where a buyer should look twice. */
function standing({ standing = 'unproven' }: ModelView): string {
  return standing === 'proven' ? standing : standing.toUpperCase()
}

/** What a server answers, and what money is called on its chain: test OPEN where it is worth nothing. */
export async function withCurrency<T>(context: Context, work: (url: string) => Promise<T | Refusal>): Promise<{ value: T; currency: string } | Refusal> {
  return withServer(context, async (url) => {
    const value = await work(url)
    if (isRefusal(value)) return value
    const state = await request<StateView>(url, '/api/state')
    return { value, currency: isRefusal(state) ? 'OPEN' : state.network.currency }
  })
}
