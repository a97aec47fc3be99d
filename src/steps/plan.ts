/**
 * Prompts -> the recipe they are trained with: fits it to the memory that is free, times a few real steps, fits the number
 * of steps to the time, and searches for better settings when there is time for it. Says before the training what it will
 * take. Knows nothing of tasks or of how training is done.
 */
import { isRefusal, type Refusal, refuse } from '../core/errors.ts'
import { bytesText, type Estimate, minutesText, peakBytes, RATE_SHARE, runSeconds, type StepSize, stepsWithin } from '../core/estimate.ts'
import { contentId } from '../core/id.ts'
import type { Prompt } from '../core/prompt.ts'
import { paceOf, type Recipe } from '../core/recipe.ts'
import { candidateRecipe, candidatesAround, planSearch, type Search, searchSeconds, type Trial } from '../core/search.ts'
import type { SizeQuestion, Trainer, TrainingJob } from '../ports/trainer.ts'
import { search } from './search.ts'

/** What this machine offers, asked when it is needed. */
export type MachineView = {
  /** Bytes a new process can take now. */
  availableBytes: () => number
  /** Matrix operations a second, measured; asked only when there is no time to time real steps. */
  rate: () => Promise<number>
}

/** Remembers a plan across a crash, so that a checkpoint is taken up under the very recipe it was begun with. */
export type Journal = { read(): Promise<unknown>; write(value: PlanRecord): Promise<void> }
export type PlanRecord = { key: string; trials: Trial[]; plan: Plan | null; spentSeconds: number }

export type Plan = { recipe: Recipe; estimate: Estimate; search: Search | null; notes: string[] }

export type PlanOptions = {
  /** The job but for its recipe; `training` is made anew for a recipe, because words are left out by it. */
  job: Omit<TrainingJob, 'id' | 'recipe' | 'training'> & { training: (recipe: Recipe) => Promise<readonly Prompt[]> }
  /** Names the dataset and the base. */
  subject: string
  recipe: Recipe
  override?: Partial<Recipe> | undefined
  size: StepSize
  peak: number
  practiceTokens: number
  /** Seconds for all of it: timing, search and training. */
  seconds: number
  /** Whether a search may be made: only when the user stated a budget. */
  mayTry: 'default alone' | 'candidates'
  /** Whether a text's words are left out in training, which is a setting to search over. */
  varyWords: boolean
  machine: MachineView
  journal?: Journal | undefined
  now: () => number
  signal?: AbortSignal | undefined
  onNote?: ((text: string) => void) | undefined
}

/** Share of the free memory that a run may be predicted to take; the prediction is good to a tenth. */
const MEMORY_SHARE = 0.9
/** Steps that are timed; the first is left out, because it warms up. */
const TIMED_STEPS = 4
/** Share of the seconds that timing may take, and the least for which it is worth a process. */
const TIMING_SHARE = 0.1
const LEAST_TO_TIME = 30
/** Share of the seconds planned for: training starts, validates and writes beside its steps. */
const PLANNED_SHARE = 0.92
/** A machine that was busy while it was timed may do this many times the steps that are predicted to fit. */
const HEADROOM = 1.5

/**
 * Splits a step into parts until it fits the free memory; what is learned stays the same. Settings that the user fixed stay.
 * @returns a refusal with the code `memory_short` when even one sequence at a time is too much
 */
export async function fitMemory(
  ports: { trainer: Trainer },
  question: SizeQuestion,
  options: { availableBytes: number; override?: Partial<Recipe> | undefined },
): Promise<{ recipe: Recipe; size: StepSize; peak: number; note: string | null } | Refusal> {
  const { availableBytes } = options
  let recipe = question.recipe
  for (;;) {
    const size = await ports.trainer.size({ ...question, recipe })
    if (isRefusal(size)) return size
    const peak = peakBytes(size, recipe)
    if (peak <= availableBytes * MEMORY_SHARE) {
      const note =
        recipe.accumulate === question.recipe.accumulate
          ? null
          : `A step is computed in ${recipe.accumulate} parts of ${Math.floor(recipe.tokensPerStep / recipe.accumulate)} tokens, so that it fits the ${bytesText(availableBytes)} of free memory.`
      return { recipe, size, peak, note }
    }
    const accumulate = recipe.accumulate * 2
    if (options.override?.accumulate === undefined && recipe.tokensPerStep / accumulate >= question.longest) {
      recipe = { ...recipe, accumulate }
      continue
    }
    const smaller = recipe.method === 'qlora' ? null : await ports.trainer.size({ ...question, recipe: { ...recipe, method: 'qlora' } })
    const quantised = smaller && !isRefusal(smaller) ? peakBytes(smaller, { ...recipe, method: 'qlora' }) : null
    return refuse(
      'memory_short',
      `Training needs about ${bytesText(peak)} of memory even ${Math.floor(recipe.tokensPerStep / recipe.accumulate)} tokens at a time, and ${bytesText(availableBytes)} are free.`,
      quantised !== null && quantised <= availableBytes * MEMORY_SHARE
        ? `Keep the base quantised in memory (method "qlora", about ${bytesText(quantised)}), take a smaller base, or close other programs.`
        : 'Take a smaller base, or close other programs.',
    )
  }
}

/** Chooses the recipe of a run and predicts it. Refuses what the trainer refuses. */
export async function plan(ports: { trainer: Trainer }, options: PlanOptions): Promise<(Plan & { spentSeconds: number }) | Refusal> {
  const { size, now } = options
  const began = now()
  // What the plan is for. Seconds and threads are left out: they are measured, and may differ after a crash.
  const key = contentId({
    recipe: { ...options.recipe, threads: 0, maximumSeconds: 0, accumulate: 0 },
    override: options.override ?? {},
    mayTry: options.mayTry,
    subject: options.subject,
  })
  const known = await record(options.journal, key)
  if (known?.plan) return { ...known.plan, recipe: { ...known.plan.recipe, threads: options.recipe.threads }, spentSeconds: known.spentSeconds }
  const before = known?.spentSeconds ?? 0
  const spent = () => before + (now() - began) / 1000

  const timed = options.seconds >= LEAST_TO_TIME ? await timeSteps(ports, options) : null
  if (timed && isRefusal(timed)) return timed
  const secondsPerStep = timed?.secondsPerStep ?? size.operations.step / ((await options.machine.rate()) * RATE_SHARE)
  const startSeconds = timed?.startSeconds ?? 2
  const pace = { secondsPerStep, size, practiceTokens: options.practiceTokens }
  const notes: string[] = []
  const note = (text: string) => {
    notes.push(text)
    options.onNote?.(text)
  }

  let recipe = options.recipe
  const whole = startSeconds + runSeconds(recipe, pace)
  let found: Search | null = null
  if (options.mayTry === 'candidates') {
    const candidates = candidatesAround(recipe, { varyWords: options.varyWords, fixed: options.override })
    const seconds = searchSeconds((options.seconds - spent()) * PLANNED_SHARE, whole)
    const steps = Math.min(recipe.steps, withinSteps(recipe, options.seconds - spent() - seconds, startSeconds, pace))
    const cost = (count: number) => startSeconds + runSeconds({ ...recipe, ...candidateRecipe(recipe, candidates[0]!, count) }, pace)
    const { rungs, least } = planSearch({ seconds, steps, available: candidates.length, cost })
    if (rungs) {
      const trials = known?.trials ?? []
      note(
        `Searching for better settings: ${rungs[0]!.candidates} candidates, ${rungs[0]!.steps} steps each, then the best ${rungs[1]!.candidates} for ${rungs[1]!.steps}.`,
      )
      found = await search({
        ...{ recipe, candidates, rungs, seconds, cost, trials, now },
        fit: (candidate, name) => trial(ports, options, candidate, name),
        onTrial: (all) => options.journal?.write({ key, trials: [...all], plan: null, spentSeconds: spent() }),
      })
      recipe = candidateRecipe(recipe, found.chosen)
    } else
      note(
        `${Math.round(options.seconds)} seconds are too few for a search: beside a training of ${minutesText(whole)}, ${Math.round(seconds)} seconds are left and the smallest search takes ${minutesText(least)}. The default settings are used.`,
      )
  }
  // A budget that planning used up still gets its second: the run then does what it can.
  const left = Math.max(1, options.seconds - spent() - startSeconds)
  const steps = withinSteps(recipe, left, 0, pace)
  if (steps < recipe.steps) {
    note(`${recipe.steps} steps would take ${minutesText(runSeconds(recipe, pace))}; about ${steps} fit the time.`)
    recipe = { ...recipe, ...shortPace(recipe, Math.ceil(steps * HEADROOM)), ...pick(options.override, ['warmupSteps', 'validateEvery', 'patience']) }
  }
  recipe = { ...recipe, maximumSeconds: Math.floor(left) }
  const estimate: Estimate = {
    seconds: startSeconds + Math.min(left, runSeconds(recipe, pace)),
    basis: timed ? 'steps' : 'rate',
    peakBytes: Math.round(options.peak),
    availableBytes: Math.round(options.machine.availableBytes()),
  }
  note(
    `Training will take ${minutesText(estimate.seconds)} at most (${Math.min(steps, recipe.steps)} steps of up to ${recipe.tokensPerStep} tokens) and ${bytesText(estimate.peakBytes)} of memory; ${bytesText(estimate.availableBytes)} are free.`,
  )
  const made: Plan = { recipe, estimate, search: found, notes }
  await options.journal?.write({ key, trials: found?.trials ?? [], plan: made, spentSeconds: spent() })
  return { ...made, spentSeconds: spent() }
}

/**
 * A run that the clock will end keeps its steps, because a machine that was busy while it was timed may do them all, and the
 * learning rate falls with the time anyway. It warms up and validates as one of `likely` steps, and is as patient as before.
 */
function shortPace(recipe: Recipe, likely: number): Pick<Recipe, 'warmupSteps' | 'validateEvery' | 'patience'> {
  const { warmupSteps, validateEvery } = paceOf(Math.min(recipe.steps, likely))
  return { warmupSteps, validateEvery, patience: Math.ceil((recipe.patience * recipe.validateEvery) / validateEvery) }
}

type Pace = { secondsPerStep: number; size: StepSize; practiceTokens: number }

function withinSteps(recipe: Recipe, seconds: number, startSeconds: number, pace: Pace): number {
  return Math.max(1, stepsWithin(Math.max(0, seconds * PLANNED_SHARE - startSeconds), recipe, pace))
}

/** Times a few steps of the very run in a process of its own; null when it got through none. */
async function timeSteps(ports: { trainer: Trainer }, options: PlanOptions): Promise<{ secondsPerStep: number; startSeconds: number } | Refusal | null> {
  const { job, now, signal } = options
  const recipe: Recipe = {
    ...options.recipe,
    ...{ steps: TIMED_STEPS, validateEvery: TIMED_STEPS, maximumSeconds: Math.max(2, options.seconds * TIMING_SHARE) },
  }
  const training = await job.training(recipe)
  const began = now()
  // Nothing is validated: only steps are timed. The id is never the same twice, so that nothing is taken up.
  const id = `timing-${began}`
  const fitted = await ports.trainer.fit({ ...job, id, training, validation: [], recipe, folder: `${job.folder}/timing` }, { signal })
  if (isRefusal(fitted)) return fitted
  const seconds = (now() - began) / 1000
  const ends = fitted.curve.map((point) => point.seconds)
  const steps = ends.map((end, index) => end - (ends[index - 1] ?? 0))
  if (!steps.length) return null
  const warm = steps.length > 1 ? steps.slice(1) : steps
  // The fastest is the machine's own speed; the others waited for somebody else.
  return { secondsPerStep: Math.min(...warm), startSeconds: Math.max(0, seconds - fitted.seconds) }
}

/** The practice loss of one candidate; null when it cannot be trained. */
async function trial(ports: { trainer: Trainer }, options: PlanOptions, recipe: Recipe, name: string): Promise<number | null> {
  const { job, signal } = options
  const training = await job.training(recipe)
  const id = contentId({ name, recipe: { ...recipe, threads: 0, maximumSeconds: 0 } })
  const fitted = await ports.trainer.fit({ ...job, id, training, recipe, folder: `${job.folder}/search/${name}` }, { signal })
  if (isRefusal(fitted)) return null
  return Math.min(...fitted.curve.flatMap(({ validationLoss }) => (validationLoss === null ? [] : [validationLoss])))
}

async function record(journal: Journal | undefined, key: string): Promise<PlanRecord | undefined> {
  const found = (await journal?.read()) as PlanRecord | undefined
  return found?.key === key ? found : undefined
}

function pick<T extends object, K extends keyof T>(value: T | undefined, keys: readonly K[]): Partial<Pick<T, K>> {
  return Object.fromEntries(keys.flatMap((key) => (value?.[key] === undefined ? [] : [[key, value[key]]]))) as Partial<Pick<T, K>>
}
