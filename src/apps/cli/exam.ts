/**
 * `exam`: what is known of a model's sealed exam; its papers checked here, not where they come from; the exam run again by its
 * builder; and cases of one's own asked through the paid endpoint within a budget. Knows nothing of how a check is made.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { isRefusal, type Refusal, refuse } from '../../core/errors.ts'
import { OpenedExam } from '../../core/exam.ts'
import { formatOpen, parseOpen } from '../../core/royalty.ts'
import type { ExamView, ModelView, StateView } from '../../core/view.ts'
import { type Context, withServer } from './connect.ts'
import { openBuyer } from './purchase.ts'
import { request } from './requests.ts'

const path = (name: string, rest = ''): string => `/api/models/${encodeURIComponent(name)}/exam${rest}`
/** How often a running exam is looked at. */
const LOOK_MS = 500

export async function showExam(context: Context, model: string): Promise<Refusal | undefined> {
  const view = await withServer(context, (url) => request<ExamView>(url, path(model)))
  if (isRefusal(view)) return view
  context.out.result(view, view.says.join('\n'))
  return undefined
}

/** Writes the sealed cases of one's own model: to hand to an examiner, or to publish when the exam retires. */
export async function examCases(context: Context, model: string, flags: { to: string }): Promise<Refusal | undefined> {
  const cases = await withServer(context, (url) => request<OpenedExam>(url, path(model, '/cases')))
  if (isRefusal(cases)) return cases
  const failed = await writeFile(flags.to, `${JSON.stringify(cases, null, 1)}\n`).then(
    () => undefined,
    (error: NodeJS.ErrnoException) =>
      refuse('file_not_writable', `The file "${flags.to}" cannot be written (${error.code ?? error.message}).`, 'Give another path.'),
  )
  if (failed) return failed
  context.out.result(
    { file: flags.to, n: cases.cases.length },
    `Wrote ${cases.cases.length} sealed cases to ${flags.to}. Whoever has this file knows the exam.`,
  )
  return undefined
}

/** Checks the papers of a model, a package or a file; every figure is computed again here. */
export async function verifyExamPapers(context: Context, what: string, flags: { rpc?: string; cases?: string; save?: string }): Promise<Refusal | undefined> {
  const opened = flags.cases === undefined ? undefined : await readCases(flags.cases)
  if (isRefusal(opened)) return opened
  const found = /\.json$/i.test(what)
    ? await readJson(what).then((papers) => (isRefusal(papers) ? papers : { papers, told: undefined }))
    : await fetched(context, what)
  if (isRefusal(found)) return found
  if (flags.save !== undefined) await writeFile(flags.save, `${JSON.stringify(found.papers)}\n`)
  const { checkExam } = await import('../../factory/exam-check.ts')
  const verdict = await checkExam(found.papers, { told: found.told, rpc: flags.rpc, opened })
  if (isRefusal(verdict)) return verdict
  for (const { outcome, code, says } of verdict.checks) context.out.line(`${{ holds: 'yes', fails: 'NO ', open: '?  ' }[outcome]} ${code.padEnd(10)} ${says}`)
  const failed = verdict.checks.filter(({ outcome }) => outcome === 'fails')
  if (failed.length)
    return refuse('exam_does_not_hold', `${failed.length} of ${verdict.checks.length} checks failed: ${failed[0]!.says}`, 'Do not rely on this model’s score.')
  context.out.result(verdict, 'Nothing in these papers contradicts anything. What is marked ? cannot be known from what was given.')
  return undefined
}

async function fetched(context: Context, what: string): Promise<{ papers: unknown; told: ExamView | undefined } | Refusal> {
  return withServer(context, async (url) => {
    const papers = await request<unknown>(url, path(what, '/evidence'))
    if (isRefusal(papers)) return papers
    // Of a package that is no model's present version nothing is told of the chain.
    const told = /^0x[0-9a-f]{64}$/.test(what) ? undefined : await request<ExamView>(url, path(what))
    return isRefusal(told) ? told : { papers, told }
  })
}

export type RunFlags = { budget?: string; cases?: string; wallet: string; limit?: string; url?: string }

/** Without a budget the builder's own server runs the exam again; with one, the cases are asked and paid for at the endpoint. */
export async function runExam(context: Context, model: string, flags: RunFlags): Promise<Refusal | undefined> {
  if (flags.budget !== undefined) return examinePaid(context, model, flags, flags.budget)
  if (flags.cases !== undefined)
    return refuse('budget_missing', 'Cases of your own are asked through the paid endpoint.', 'Say with --budget how much OPEN that may cost.')
  const view = await withServer(context, async (url) => {
    let now = await request<ExamView>(url, path(model, '/run'), {})
    while (!isRefusal(now) && now.running) {
      context.out.progress(`${now.running.done} of ${now.running.of} cases`)
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
      now = await request<ExamView>(url, path(model))
    }
    return now
  })
  if (isRefusal(view)) return view
  context.out.result(view, [view.twin?.why ?? 'It did not come to an end.', `${view.committed?.attempts ?? 0} attempts are counted on chain.`].join('\n'))
  return view.standing === 'unverified' ? refuse('exam_unverified', `The model "${model}" is listed as unverified.`, view.twin?.why ?? '') : undefined
}

async function examinePaid(context: Context, model: string, flags: RunFlags, budgetText: string): Promise<Refusal | undefined> {
  const budget = parseOpen(budgetText)
  if (isRefusal(budget)) return budget
  if (flags.limit !== undefined && !/^[1-9]\d{0,3}$/.test(flags.limit))
    return refuse('limit_invalid', `The limit "${flags.limit}" is not a number of cases.`, 'Give a whole number, or leave it out.')
  // Without a file the cases are those of this data folder, whatever endpoint is asked.
  const own = { ...context, url: undefined }
  const opened = flags.cases === undefined ? await withServer(own, (url) => request<OpenedExam>(url, path(model, '/cases'))) : await readCases(flags.cases)
  if (isRefusal(opened)) return opened
  const outcome = await withServer(context, async (url) => {
    const state = await request<StateView>(url, '/api/state')
    if (isRefusal(state)) return state
    const listed: ModelView | undefined = state.models.find((one) => one.name === model)
    if (!listed?.price) return refuse('not_published', `The model "${model}" is not for sale at ${url}.`, 'Choose another model or --url.')
    const price = BigInt(listed.price.atomic)
    const most = Math.min(Number(flags.limit ?? opened.cases.length), opened.cases.length)
    if (price * BigInt(most) > budget)
      return refuse(
        'budget_exceeded',
        `${most} cases at ${listed.price.open} OPEN are ${formatOpen(price * BigInt(most))} OPEN, more than the budget of ${formatOpen(budget)}.`,
        `Raise --budget, or ask ${budget / price} cases with --limit.`,
      )
    // A price that rises meanwhile is not paid: no query may cost more than what was reckoned with.
    const buy = await openBuyer(context.config, { url, wallet: flags.wallet, maximum: price })
    if (isRefusal(buy)) return buy
    const papers = await request<unknown>(url, path(model, '/evidence'))
    if (isRefusal(papers)) return papers
    let paid = 0n
    const { examineFrom } = await import('../../factory/exam-check.ts')
    const found = await examineFrom({
      ...{ papers, opened, most },
      async ask(input) {
        const bought = await buy(model, input)
        if (isRefusal(bought)) return bought
        paid += BigInt(bought.shown.receipt?.amount.atomic ?? 0)
        return bought.texts.answer ?? refuse('answer_unreadable', 'The endpoint did not answer as a ModelFactory model does.', 'Check --url.')
      },
      onCase: (done, of) => context.out.progress(`${done} of ${of} cases, ${formatOpen(paid)} OPEN paid`),
    })
    return isRefusal(found) ? found : { ...found, paid: formatOpen(paid) }
  })
  if (isRefusal(outcome)) return outcome
  const { published, drop, n, metric, score, said: _, paid } = outcome
  const lines = [
    `${metric} ${score.toFixed(3)} on ${n} of ${opened.cases.length} cases, asked through the paid endpoint for ${paid} OPEN.`,
    published
      ? `The report says ${published.score.toFixed(3)} [${published.interval.map((bound) => bound.toFixed(3)).join(', ')}].`
      : 'The report names no score.',
    drop
      ? `On these same cases it was ${drop.expected.toFixed(3)}; the difference lies between ${drop.interval.map((bound) => bound.toFixed(3)).join(' and ')}.`
      : 'These are other cases than the sealed ones, so the scores compare only as scores do.',
  ]
  context.out.result({ model, n, metric, score, published, drop, paid }, lines.join('\n'))
  return drop?.beyondChance
    ? refuse('exam_unverified', `The model "${model}" does worse at the endpoint than its exam says, by more than chance.`, '')
    : undefined
}

async function readCases(file: string): Promise<OpenedExam | Refusal> {
  const json = await readJson(file)
  if (isRefusal(json)) return json
  const cases = OpenedExam.safeParse(json)
  return cases.success
    ? cases.data
    : refuse('cases_invalid', `The file "${file}" does not hold the cases of an exam.`, 'Give a file as modelfactory exam cases writes it.')
}

async function readJson(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) =>
    refuse('file_unreadable', `The file "${file}" cannot be read (${error.code ?? error.message}).`, 'Check the path.'),
  )
  if (isRefusal(text)) return text
  try {
    return JSON.parse(text) as unknown
  } catch {
    return refuse('file_not_json', `The file "${file}" is not JSON.`, 'Give the file as it was written.')
  }
}
