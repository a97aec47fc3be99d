/**
 * Builds: runs the river from words to package, one build at a time, and tells what happens as it happens.
 * A build is named by its input, so the same words and files are never built twice, and a build cut short by a crash is
 * simply run again: every arrow before training is deterministic, and training continues from its checkpoint.
 */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Correction } from '../core/corrections.ts'
import { datasetId } from '../core/dataset.ts'
import { isRefusal, type Refusal, refuse } from '../core/errors.ts'
import { bytesText } from '../core/estimate.ts'
import { canonical, contentId, type Id } from '../core/id.ts'
import { parseOverride } from '../core/recipe.ts'
import { describeSearch } from '../core/search.ts'
import { describeSpec, specId } from '../core/spec.ts'
import type { BuildView, LiveEvent } from '../core/view.ts'
import { type Base, lossAt, weightsId } from '../core/weights.ts'
import type { Baseline } from '../ports/baseline.ts'
import type { Build, BuildEvent, Database } from '../ports/database.ts'
import type { Planner } from '../ports/planner.ts'
import type { Retriever } from '../ports/retriever.ts'
import type { Runtime } from '../ports/runtime.ts'
import type { Store } from '../ports/store.ts'
import type { Tagger } from '../ports/tagger.ts'
import type { Trainer, TrainingProgress } from '../ports/trainer.ts'
import { examine } from '../steps/examine.ts'
import { pack } from '../steps/pack.ts'
import type { MachineView } from '../steps/plan.ts'
import { describeServing } from '../steps/serving.ts'
import { train } from '../steps/train.ts'
import { type Bases, progressText, type ReadyBase } from './bases.ts'
import { type BuildInput, buildInput, startOf } from './build-input.ts'
import type { Exams } from './exams.ts'
import type { BuildWish, InputFile } from './factory.ts'
import { quantisationOf } from './machine.ts'
import type { openMaterial } from './material.ts'
import { journalAt, measureServing, secondsAfter } from './measuring.ts'
import type { Teaching } from './teaching.ts'
import { trainingView } from './views.ts'

export type BuildPorts = {
  planner: Planner
  trainer: Trainer
  runtime: Runtime
  retriever: Retriever
  /** `baseline` stands beside a model in its exam, `classical` may be mixed into it. */
  baseline: Baseline
  classical: Baseline
  tagger: Tagger
  store: Store
  database: Database
}

type Training = NonNullable<BuildView['training']>
type Tell = (arrow: BuildEvent['arrow'], text: string, data?: unknown) => Promise<void>
export function openBuilds(
  ports: BuildPorts,
  options: {
    folder: string
    /** The base of builds that name none, and all that can be named. */
    base: Base
    bases: Bases
    material: ReturnType<typeof openMaterial>
    /** What the expert changed for models of a name. */
    kept: (name: string) => Promise<{ corrections: readonly Correction[]; withhold: readonly string[] }>
    threads: number
    /** Most threads serving may use. */
    servingThreads: number
    machine: MachineView & { cores: number }
    seconds: number
    emit: (event: LiveEvent) => void
    built: (build: Build) => Promise<void>
    /** The dataset with what a teacher adds, where one is configured. */
    teach: Teaching['teach']
    exams: Pick<Exams, 'before' | 'sit'>
  },
) {
  const training = new Map<string, Training>()
  const controllers = new Map<string, AbortController>()
  /** Builds whose turn has not come. */
  const queued = new Map<string, Build>()
  const waiting = new Map<string, ((view: BuildView) => void)[]>()
  let queue: Promise<void> = Promise.resolve()
  let admitting: Promise<unknown> = Promise.resolve()
  let closing = false

  const view = (build: Build): BuildView => ({
    id: build.id,
    name: build.name,
    words: build.words,
    state: build.state,
    events: build.events,
    training: training.get(build.id) ?? (build.events.findLast((event) => event.arrow === 'train' && event.data)?.data as Training | undefined) ?? null,
    createdAt: build.createdAt,
  })

  async function save(build: Build): Promise<void> {
    build.updatedAt = Date.now()
    await ports.database.builds.put(build)
    options.emit({ type: 'build', build: view(build) })
  }

  async function start(words: string, files: readonly InputFile[], wish: BuildWish & { baseId?: Id; from?: Id } = {}): Promise<BuildView | Refusal> {
    if (wish.name !== undefined && !/^[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?$/.test(wish.name))
      return refuse('bad_name', `"${wish.name}" cannot be a model's name.`, 'Use lower-case letters, digits and hyphens, at most 48.')
    const recipe = parseOverride(wish.recipe ?? {})
    if (isRefusal(recipe)) return recipe
    let material = await options.material.prepare(words, files, wish)
    if (isRefusal(material)) return material
    const { spec } = material
    const named = wish.name ?? (await freeName(spec.slug, words))
    // What the expert changed in an earlier build of this name holds in this one.
    const kept = { ...(await options.kept(named)), ...given({ corrections: wish.corrections, withhold: wish.withhold }) }
    if (kept.corrections.length || kept.withhold.length) material = await options.material.prepare(words, files, { ...wish, ...kept })
    if (isRefusal(material)) return material
    const base = wish.baseId ? { sha256: wish.baseId } : wish.base === undefined ? options.base : await options.bases.identify(wish.base)
    if (isRefusal(base)) return base
    const stored = await Promise.all(files.map(async (file) => ({ name: file.name, hash: await ports.store.put(file.bytes) })))
    const input: BuildInput = {
      words,
      name: wish.name ?? null,
      seconds: wish.seconds ?? options.seconds,
      ...(wish.seconds === undefined ? {} : { budget: 'build' as const }),
      base: base.sha256,
      ...(wish.from === undefined ? {} : { from: wish.from }),
      files: stored.sort((a, b) => (a.name < b.name ? -1 : 1)),
      ...(Object.keys(recipe).length ? { recipe } : {}),
      // Rules plan the same words the same way each time; what was refined or came from a language model is kept.
      ...(wish.spec || ports.planner.name !== 'offline' ? { spec } : {}),
      // What is not wished for is not there, so that the ids of older builds stay what they are.
      ...(wish.columns?.length ? { columns: wish.columns } : {}),
      ...(wish.mask ? { mask: true } : {}),
      ...(wish.exam?.length ? { exam: wish.exam } : {}),
      ...(kept.corrections.length ? { corrections: kept.corrections } : {}),
      ...(kept.withhold.length ? { withhold: kept.withhold } : {}),
    }
    const id = contentId(input)
    // One at a time: the same request sent twice at once is one build, and no two builds get the same free name.
    const admitted = admitting.then(() => admit(id, input, spec.slug))
    admitting = admitted.catch(() => {})
    return admitted
  }

  async function admit(id: Id, input: BuildInput, slug: string): Promise<BuildView> {
    const { words, name } = input
    const known = await ports.database.builds.get(id)
    if (known && ['queued', 'running', 'done'].includes(known.state)) return view(known)
    await ports.store.put(new TextEncoder().encode(canonical(input)))
    const build: Build = {
      id,
      name: name ?? (await freeName(slug, words)),
      words,
      folder: join(options.folder, id.slice(2, 18)),
      state: 'queued',
      events: [],
      packageId: null,
      createdAt: known?.createdAt ?? Date.now(),
      updatedAt: Date.now(),
    }
    await save(build)
    enqueue(build)
    return view(build)
  }

  /** The slug, or the slug with a number when other words already made a model of that name. */
  async function freeName(slug: string, words: string): Promise<string> {
    const builds = await ports.database.builds.list()
    for (let number = 1; ; number++) {
      const name = number === 1 ? slug : `${slug.slice(0, 44)}-${number}`
      if (!builds.some((build) => build.name === name && build.words !== words)) return name
    }
  }

  function enqueue(build: Build): void {
    const controller = new AbortController()
    controllers.set(build.id, controller)
    queued.set(build.id, build)
    // A build whose record cannot be written must not keep the next from running, nor bring the server down.
    queue = queue
      .then(() => run(build, controller.signal))
      .catch((error: unknown) => console.error(`The build ${build.name} ended, but its record could not be written:`, error))
  }

  async function run(build: Build, signal: AbortSignal): Promise<void> {
    const tell = async (arrow: BuildEvent['arrow'], text: string, data?: unknown) => {
      build.events.push({ at: Date.now(), arrow, text, ...(data === undefined ? {} : { data }) })
      await save(build)
    }
    // Cancelled while it waited, and perhaps queued anew since.
    if (queued.get(build.id) !== build) return
    queued.delete(build.id)
    try {
      signal.throwIfAborted()
      build.state = 'running'
      build.events = []
      await save(build)
      const refused = await river(build, tell, signal)
      if (refused) {
        await tell('note', `${refused.message} ${refused.hint}`, refused)
        build.state = 'refused'
      } else build.state = 'done'
    } catch (error) {
      if (closing) return
      build.state = signal.aborted ? 'cancelled' : 'failed'
      build.events.push({
        at: Date.now(),
        arrow: 'note',
        text: signal.aborted ? 'Cancelled; what was trained so far is kept.' : `It broke: ${error instanceof Error ? error.message : String(error)}`,
      })
    }
    await end(build)
  }

  /** Keeps how a build ended and tells whoever waits for it. */
  async function end(build: Build): Promise<void> {
    controllers.delete(build.id)
    await save(build)
    if (build.state === 'done') await options.built(build)
    training.delete(build.id)
    for (const resolve of waiting.get(build.id) ?? []) resolve(view(build))
    waiting.delete(build.id)
  }

  const inputOf = (id: Id) => buildInput(ports.store, id)

  async function river(build: Build, tell: Tell, signal: AbortSignal): Promise<Refusal | undefined> {
    const { input, files } = await inputOf(build.id as Id)
    const material = await options.material.prepare(build.words, files, input)
    if (isRefusal(material)) return material
    const { spec, exam, findings, licences, datasets } = material
    const dataset = await options.teach(material, input.corrections ?? [], tell, signal)
    await tell('describe', describeSpec(spec).join('\n'), { specId: specId(spec), spec })
    await tell('collect', dataset.notes.join('\n'), {
      findings,
      datasetId: datasetId(dataset),
      examId: dataset.examId,
      training: dataset.training.length,
      practice: dataset.practice.length,
      exam: exam.cases.length,
      passages: dataset.passages.length,
    })
    const base = await ready(input.base, tell, signal)
    if (isRefusal(base)) return base
    const { path: basePath, ...identity } = base
    const { committedAt, says } = await options.exams.before(build.name, exam)
    await tell('note', says)
    const now = () => performance.now()
    const began = now()
    const after = input.budget === 'build' ? await secondsAfter(ports, { spec, dataset, basePath, cases: exam.cases.length, signal }) : 0
    if (typeof after !== 'number') return after
    let telling = Promise.resolve()
    const trained = await train(ports, {
      spec,
      dataset,
      base: identity,
      basePath,
      folder: build.folder,
      threads: options.threads,
      maximumSeconds: input.budget === 'build' ? Math.max(input.seconds / 4, input.seconds - after - (now() - began) / 1000) : input.seconds,
      mayTry: input.budget === 'build' ? 'candidates' : 'default alone',
      override: input.recipe,
      from: await startOf(ports.store, input, identity),
      machine: options.machine,
      journal: journalAt(join(build.folder, 'plan.json')),
      now,
      signal,
      onNote: (text) => {
        telling = telling.then(() => tell('note', text))
        telling.catch(() => {})
      },
      onProgress: (progress) => progressed(build.id, progress),
    })
    await telling
    if (isRefusal(trained)) return trained
    for (const notice of trained.notices) await tell('note', notice)
    if (trained.weights.search) await tell('note', describeSearch(trained.weights.search).join('\n'), trained.weights.search)
    const curve = trained.weights.curve
    await tell(
      'train',
      `Trained ${curve.at(-1)?.step ?? 0} steps in ${Math.round(trained.seconds)} s${trained.resumed ? ', continued from a checkpoint' : ''}, ${trained.peakBytes ? `at most ${bytesText(trained.peakBytes)} of memory, ` : ''}best practice loss ${lossAt(curve, trained.weights.bestStep).toFixed(3)} at step ${trained.weights.bestStep}.`,
      training.get(build.id) ?? { points: curve, step: curve.at(-1)?.step ?? 0, steps: trained.weights.recipe.steps, secondsLeft: 0, tokensPerSecond: 0 },
    )
    const serving = await measureServing(ports, {
      ...{ ...options, quantisation: quantisationOf(basePath), basePath, spec, dataset, weights: trained.weights, cores: options.machine.cores, signal },
    })
    if (isRefusal(serving)) return serving
    if (serving) await tell('note', describeServing(serving), serving)
    const sitting = await options.exams.sit(build.name, exam, weightsId(trained.weights), committedAt)
    const report = await examine(ports, { spec, dataset, exam, weights: trained.weights, serving, sitting, basePath, now: () => performance.now(), signal })
    if (isRefusal(report)) return report
    const line = report.arms.map((arm) => `${arm.name} ${arm.score.toFixed(3)} [${arm.interval.map((bound) => bound.toFixed(3)).join(', ')}]`).join(', ')
    await tell('examine', `Exam, ${report.n} sealed cases, ${report.metric}: ${line}. ${report.verdict?.outcome}: ${report.verdict?.why}`, report)
    const { id } = await pack(ports, { name: build.name, spec, dataset, weights: trained.weights, report, serving, licences, datasets })
    await rm(join(build.folder, 'search'), { recursive: true, force: true })
    build.packageId = id
    await tell('pack', `Package ${id}`, { packageId: id })
    return undefined
  }

  /** The build's base, fetched first where it is not here yet; every tenth of the way is told. */
  async function ready(sha256: Id, tell: Tell, signal: AbortSignal): Promise<ReadyBase | Refusal> {
    let told = 0
    let telling = Promise.resolve()
    const base = await options.bases.ensure(sha256, {
      signal,
      onProgress(progress) {
        const tenth = Math.floor((10 * progress.done) / progress.bytes)
        if (tenth <= told) return
        told = tenth
        telling = telling.then(() => tell('note', progressText('the base', progress))).catch(() => {})
      },
    })
    await telling
    return base
  }

  function progressed(id: string, progress: TrainingProgress): void {
    const now = trainingView(training.get(id), progress)
    training.set(id, now)
    options.emit({ type: 'training', buildId: id, training: now })
  }

  return {
    start,
    inputOf,
    view,
    async cancel(id: string): Promise<BuildView | Refusal> {
      const build = await known(id)
      if (isRefusal(build)) return build
      const controller = controllers.get(id)
      if (!controller)
        return refuse('build_not_running', `The build ${build.name} is ${build.state}, so there is nothing to cancel.`, 'Go on with it, or start another.')
      controller.abort(new Error('cancelled'))
      const unstarted = queued.get(id)
      if (!unstarted) return finished(id)
      queued.delete(id)
      unstarted.state = 'cancelled'
      unstarted.events.push({ at: Date.now(), arrow: 'note', text: 'Cancelled before it began.' })
      await end(unstarted)
      return view(unstarted)
    },
    /** Goes on with a build that was stopped or broke, from what was trained so far; one that is under way or done stays as it is. */
    async goOn(id: string): Promise<BuildView | Refusal> {
      const build = await known(id)
      if (isRefusal(build) || controllers.has(id) || build.state === 'done') return isRefusal(build) ? build : view(build)
      build.state = 'queued'
      await save(build)
      enqueue(build)
      return view(build)
    },
    finished,
    /** Appends a line to a finished build: its publishing, its first royalty. */
    async append(build: Build, event: BuildEvent): Promise<void> {
      build.events.push(event)
      await save(build)
    },
    /** Runs again what a crash or a stop interrupted. */
    async resume(): Promise<void> {
      for (const build of await ports.database.builds.list()) if (build.state === 'queued' || build.state === 'running') enqueue(build)
    },
    async close(): Promise<void> {
      closing = true
      for (const controller of controllers.values()) controller.abort(new Error('the server is stopping'))
      await queue
    },
  }

  async function known(id: string): Promise<Build | Refusal> {
    return (await ports.database.builds.get(id)) ?? refuse('unknown_build', `There is no build "${id}".`, 'List the builds to see their ids.')
  }

  async function finished(id: string): Promise<BuildView> {
    const build = await ports.database.builds.get(id)
    if (!build) throw new Error(`There is no build ${id}.`)
    if (!controllers.has(id)) return view(build)
    return new Promise((resolve) => waiting.set(id, [...(waiting.get(id) ?? []), resolve]))
  }
}

/** Without what is undefined. */
function given<T extends object>(value: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as { [K in keyof T]?: NonNullable<T[K]> }
}
