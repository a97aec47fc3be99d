/**
 * Exams: sealed with a random salt before the training and committed on chain where there is one, every attempt counted, the papers
 * handed to whoever checks them, and the exam run again through the model as it is served. Knows nothing of HTTP or training.
 */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { Card, type CardToday, cardOf } from '../core/card.ts'
import { type Exam, exampleId } from '../core/dataset.ts'
import { BaseError, isRefusal, type Refusal, refuse } from '../core/errors.ts'
import { examRoot, OpenedExam, openedExam } from '../core/exam.ts'
import { canonical, contentId, Id } from '../core/id.ts'
import type { Hex } from '../core/listing.ts'
import type { Verdict } from '../core/report.ts'
import { MAXIMUM_PRICE } from '../core/royalty.ts'
import { type ExamEvidence, Sheet } from '../core/sheet.ts'
import type { ExamView, TwinView } from '../core/view.ts'
import type { Chain, ExamRecord } from '../ports/chain.ts'
import type { Database, Model } from '../ports/database.ts'
import type { Account } from '../ports/keystore.ts'
import type { Store } from '../ports/store.ts'
import type { Served } from '../steps/answer.ts'
import type { Sitting } from '../steps/examine.ts'
import type { Unpacked } from '../steps/pack.ts'
import { compare, resit, sample } from '../steps/resit.ts'
import { verifyExam } from '../steps/verify-exam.ts'
import { examView, standingOf, todayLines } from './exam-views.ts'

/** Cases the twin check asks after publishing: enough to find what went wrong in export, few enough not to be noticed. */
const TWIN_CASES = 20

/** A sealed exam of this data folder: where its cases lie, and who sat it. */
const Kept = z.object({
  salt: Id,
  root: Id,
  file: Id,
  /** Oldest first: the model's name, and the weights that sat it, or that it was run again. */
  sat: z.array(z.object({ name: z.string(), what: z.string(), at: z.number() })),
})
type Kept = z.infer<typeof Kept>

const Twin = z.object({
  ...{ at: z.number(), n: z.number(), of: z.number(), expected: z.number(), served: z.number() },
  ...{ interval: z.tuple([z.number(), z.number()]).nullable(), outcome: z.enum(['verified', 'unverified']), why: z.string() },
})

const keyOf = (root: string): string => `exam:${root}`
const twinKey = (packageId: string): string => `twin:${packageId}`

export type Exams = ReturnType<typeof openExams>

export function openExams(
  ports: { chain: Chain; database: Pick<Database, 'settings' | 'models'>; store: Store },
  options: {
    builder: Account
    open: (packageId: Id) => Promise<Unpacked>
    load: (packageId: Id) => Promise<{ served: Served }>
    changed: () => Promise<void>
    report?: (fault: unknown) => void
  },
) {
  const { chain, database, store } = ports
  const { builder } = options
  const report = options.report ?? ((fault: unknown) => console.error('An exam could not be run again:', fault))
  const running = new Map<string, { done: number; of: number }>()
  const closing = new AbortController()
  const jobs = new Set<Promise<void>>()
  let queue: Promise<unknown> = Promise.resolve()

  /** One after the other, so that no record is read and written by two at once. */
  function alone<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = queue.then(work)
    queue = result.catch(() => {})
    return result
  }

  async function keptOf(root: string | undefined): Promise<Kept | undefined> {
    const found = root === undefined ? undefined : Kept.safeParse(await database.settings.get(keyOf(root)))
    return found?.success ? found.data : undefined
  }

  /** The same cases in the same order have one salt and one root, however often they are built from: their attempts add up. */
  function seal(exam: Exam): Promise<Kept> {
    return alone(async () => {
      const key = `exam of ${contentId(exam.cases.map(exampleId))}`
      const known = await keptOf((await database.settings.get(key)) as string | undefined)
      if (known) return known
      const opened = openedExam(exam.cases, `0x${randomBytes(32).toString('hex')}`)
      const root = examRoot(opened)
      const kept: Kept = { salt: opened.salt, root, file: await store.put(new TextEncoder().encode(canonical(opened))), sat: [] }
      await database.settings.set(keyOf(root), kept)
      await database.settings.set(key, root)
      return kept
    })
  }

  /** A quick fix of a model is a version of it, so its attempts are the model's. */
  async function family(name: string): Promise<string> {
    const stem = /^(.+)-fix$/.exec(name)?.[1]
    if (stem === undefined) return name
    return (await database.models.list()).find((model) => model.name.slice(0, 44) === stem)?.name ?? name
  }

  /** Roots that were committed for a model. */
  async function committedFor(modelId: Hex | null): Promise<string[]> {
    const found = z.array(z.string()).safeParse(modelId && (await database.settings.get(`exams of ${modelId}`)))
    return found.success ? found.data : []
  }

  /** Registers the model, at a price that nobody pays where it is not for sale yet, and fixes the exam's root. */
  async function commit(name: string, root: Id): Promise<{ modelId: Hex; exam: ExamRecord } | Refusal> {
    const registered = await chain.register({ owner: builder, slug: name, payout: builder.address, price: MAXIMUM_PRICE })
    if (isRefusal(registered)) return registered
    const { modelId } = registered
    const done = await chain.commitExam({ owner: builder, modelId, examRoot: root })
    if (isRefusal(done)) return done
    const exam = await chain.exam(modelId, root)
    if (!exam) return refuse('exam_unknown', `The chain does not know the exam ${root} that was just committed.`, 'Try again.')
    await database.settings.set(`registered ${name}`, modelId)
    if (done.tx) await database.settings.set(`exams of ${modelId}`, [...(await committedFor(modelId)), root])
    return { modelId, exam }
  }

  /** Brings the chain's count of attempts up to what was sat here. The chain's own count says how many are missing. */
  function count(name: string, root: Id): Promise<{ modelId: Hex; exam: ExamRecord } | Refusal> {
    return reaching(() =>
      alone(async () => {
        const committed = await commit(name, root)
        if (isRefusal(committed)) return committed
        const sat = (await keptOf(root))?.sat.filter((one) => one.name === name).length ?? 0
        let { attempts } = committed.exam
        while (attempts < sat) {
          const counted = await chain.recordAttempt({ owner: builder, modelId: committed.modelId, examRoot: root })
          if (isRefusal(counted)) return counted
          attempts = counted.attempts
        }
        return { ...committed, exam: { ...committed.exam, attempts } }
      }),
    )
  }

  /** Keeps that somebody sits an exam, before they do: a result that is not liked cannot be forgotten. */
  async function attempt(name: string, root: Id, what: string): Promise<number> {
    const place = await alone(async () => {
      const kept = (await keptOf(root))!
      // The same weights after a crash are not another try.
      if (!kept.sat.some((one) => one.name === name && one.what === what)) kept.sat.push({ name, what, at: Date.now() })
      await database.settings.set(keyOf(root), kept)
      return kept.sat.filter((one) => one.name === name).findIndex((one) => one.what === what)
    })
    await count(name, root)
    return place + 1
  }

  async function modelOf(name: string): Promise<Model | Refusal> {
    return (await database.models.get(name)) ?? refuse('unknown_model', `There is no model "${name}" here.`, 'Build one first.')
  }

  async function evidence(nameOrPackage: string): Promise<ExamEvidence | Refusal> {
    const model = await database.models.get(nameOrPackage)
    const packageId = model?.packageId ?? nameOrPackage
    if (!/^0x[0-9a-f]{64}$/.test(packageId) || !(await store.has(packageId as Id)))
      return refuse('unknown_model', `There is no model or package "${nameOrPackage}" here.`, 'See modelfactory list.')
    const read = async (id: Id) => ((await store.has(id)) ? (JSON.parse(new TextDecoder().decode(await store.get(id))) as unknown) : null)
    const { manifest, report } = await options.open(packageId as Id)
    const modelId = model ? ((model.modelId ?? (await registeredId(model.name))) as Id | null) : null
    const papers = { package: await read(packageId as Id), report: await read(manifest.files.report), sheet: await read(report.predictions) }
    return { format: 'modelfactory/exam-evidence@1', packageId: packageId as Id, modelId, ...papers }
  }

  async function opened(root: string | undefined): Promise<OpenedExam | undefined> {
    const kept = await keptOf(root)
    return kept && OpenedExam.parse(JSON.parse(new TextDecoder().decode(await store.get(kept.file))))
  }

  async function twinOf(packageId: string): Promise<TwinView | null> {
    const found = Twin.safeParse(await database.settings.get(twinKey(packageId)))
    return found.success ? found.data : null
  }

  async function show(name: string): Promise<ExamView | Refusal> {
    const model = await modelOf(name)
    if (isRefusal(model)) return model
    const { report: results } = await options.open(model.packageId)
    const modelId = model.modelId ?? (await registeredId(model.name))
    const { root } = results
    const exam = modelId && root ? await reaching(() => chain.exam(modelId, root)) : undefined
    if (isRefusal(exam)) return exam
    const listing = modelId ? await reaching(() => chain.listing(modelId)) : undefined
    if (isRefusal(listing)) return listing
    const listed = listing?.version ? { packageId: listing.packageId, reportId: listing.reportId } : null
    const kept = await keptOf(root)
    return examView({
      ...{ model, modelId, report: results, exam, listed, twin: await twinOf(model.packageId), running: running.get(model.name) ?? null },
      sat: kept?.sat.filter((one) => one.name === model.name).length ?? 0,
      others: (await committedFor(modelId)).filter((one) => one !== root).length,
    })
  }

  /** A model has its id from its exam's commitment on, before it is published. */
  async function registeredId(name: string): Promise<Hex | null> {
    return ((await database.settings.get(`registered ${name}`)) as Hex | undefined) ?? null
  }

  /** Asks the cases again, and keeps what came of it as the model's standing. */
  async function again(model: Model, most: number, paused: boolean): Promise<void> {
    const { report: results } = await options.open(model.packageId)
    const exam = await opened(results.root)
    if (!exam) return
    const places = sample(exam.cases.length, most)
    const { signal } = closing
    try {
      const sheet = Sheet.parse(JSON.parse(new TextDecoder().decode(await store.get(results.predictions))))
      const { served } = await options.load(model.packageId)
      const said = await resit(served, {
        ...{ exam, places, now: () => performance.now(), signal },
        onCase: (done) => running.set(model.name, { done, of: places.length }),
        // As long idle as busy: whoever pays meanwhile goes first.
        pause: paused ? (milliseconds) => sleep(milliseconds, undefined, { signal }) : undefined,
      })
      const { outcome, ...compared } = compare(sheet, places, said)
      const dropped = outcome === 'loss'
      const figures = `${compared.served.toFixed(3)} as it is served, ${compared.expected.toFixed(3)} in its exam, on the same ${compared.n} of ${compared.of} cases`
      await keep({
        at: Date.now(),
        ...compared,
        outcome: dropped ? 'unverified' : 'verified',
        why: `${figures}${dropped ? ': worse by more than chance' : ''}.`,
      })
    } catch (fault) {
      if (signal.aborted) return
      report(fault)
      const why = `It could not be asked again: ${fault instanceof BaseError ? fault.message : 'something broke'}.`
      await keep({ at: Date.now(), n: 0, of: exam.cases.length, expected: 0, served: 0, interval: null, outcome: 'unverified', why })
    }
    async function keep(twin: TwinView): Promise<void> {
      await database.settings.set(twinKey(model.packageId), twin)
      await options.changed()
    }
  }

  function start(model: Model, most: number, paused: boolean): void {
    running.set(model.name, { done: 0, of: most })
    const job: Promise<void> = again(model, most, paused)
      .catch(report)
      .finally(() => {
        running.delete(model.name)
        jobs.delete(job)
      })
    jobs.add(job)
  }

  return {
    /** Before the training: the exam is sealed, and committed where a chain answers; the sentence says which. */
    async before(build: string, exam: Exam): Promise<{ committedAt: number | null; says: string }> {
      const kept = await seal(exam)
      const name = await family(build)
      const committed = await reaching(() => alone(() => commit(name, kept.root)))
      if (isRefusal(committed))
        return {
          committedAt: null,
          says: `The exam is sealed (${kept.root}), but not committed on chain before the training: ${committed.message}`,
        }
      const { committedAt } = committed.exam
      return { committedAt, says: `The exam of ${exam.cases.length} cases is sealed, and committed on chain since ${date(committedAt)}: ${kept.root}` }
    },

    /** Before the exam: counts the attempt. */
    async sit(build: string, exam: Exam, weights: Id, committedAt: number | null): Promise<Sitting> {
      const kept = await seal(exam)
      return { salt: kept.salt, committedAt, attempt: await attempt(await family(build), kept.root, weights) }
    },

    /** Before publishing: what the papers say is checked again, attempts are counted on chain, and the verdict is given. */
    async gate(model: Model): Promise<Verdict | undefined | Refusal> {
      const papers = await evidence(model.name)
      if (isRefusal(papers)) return papers
      const { report: results } = await options.open(model.packageId)
      if (!results.root) return undefined
      const checked = verifyExam(papers, { facts: null, opened: await opened(results.root) })
      const failed = checked.checks.find(({ outcome }) => outcome === 'fails')
      if (failed) return refuse('exam_does_not_hold', `The exam of "${model.name}" does not hold, so it cannot be published: ${failed.says}`, 'Build it again.')
      if (results.verdict?.outcome === 'worse') return results.verdict
      const counted = await count(model.name, results.root)
      return isRefusal(counted) ? counted : results.verdict
    },

    /** After publishing: the exam is run again as the model is served, a sample of it, in the background. */
    twin: (model: Model): void => start(model, TWIN_CASES, true),

    /** Runs what a stop cut short. */
    async resume(): Promise<void> {
      for (const model of await database.models.list()) if (model.modelId && !(await twinOf(model.packageId))) start(model, TWIN_CASES, true)
    },

    /** The whole exam through the model as it is served; it counts as an attempt. Returns as soon as it has begun. */
    async run(name: string): Promise<ExamView | Refusal> {
      const model = await modelOf(name)
      if (isRefusal(model)) return model
      if (running.has(model.name)) return refuse('exam_in_progress', `The exam of "${name}" is being run already.`, 'Wait for it.')
      const { report: results } = await options.open(model.packageId)
      if (!(await keptOf(results.root)))
        return refuse('exam_not_here', `The cases of the exam of "${name}" are not in this data folder.`, 'Build the model again.')
      await attempt(model.name, results.root!, `run again at ${new Date().toISOString()}`)
      start(model, results.n, false)
      return show(name)
    },

    show,
    evidence,
    /** The sealed cases with their salt, for their owner. */
    async opened(name: string): Promise<OpenedExam | Refusal> {
      const model = await modelOf(name)
      if (isRefusal(model)) return model
      const found = await opened((await options.open(model.packageId)).report.root)
      return found ?? refuse('exam_not_here', `The cases of the exam of "${name}" are not in this data folder.`, 'Build the model again.')
    },
    /** The quality card of the model's present version, with what is known of it today. */
    async card(name: string): Promise<{ card: Card; today: CardToday } | Refusal> {
      const model = await modelOf(name)
      if (isRefusal(model)) return model
      const { manifest, ...parts } = await options.open(model.packageId)
      const cardId = manifest.files.card ?? null
      const card = cardId
        ? Card.parse(JSON.parse(new TextDecoder().decode(await store.get(cardId))))
        : cardOf({ ...parts, name: manifest.name, licences: manifest.licences, examples: null })
      const view = await show(name)
      const lines = isRefusal(view) ? [view.message] : [`Listed as ${view.standing}.`, ...todayLines(view)]
      return { card, today: { cardId, lines } }
    },

    standing: async (packageId: Id): Promise<ReturnType<typeof standingOf>> => standingOf((await options.open(packageId)).report, await twinOf(packageId)),

    async close(): Promise<void> {
      closing.abort(new Error('the server is stopping'))
      await Promise.all(jobs)
    },
  }
}

/** A chain that does not answer is a reason, not a fault: whatever is built is built without it. */
async function reaching<Value>(work: () => Promise<Value | Refusal>): Promise<Value | Refusal> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof BaseError) return refuse('chain_unreachable', error.message, error.hints.join(' '))
    throw error
  }
}

function date(seconds: number): string {
  return new Date(seconds * 1000).toISOString()
}
