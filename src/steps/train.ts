/**
 * Dataset -> Weights: turns examples into prompts with labels, chooses a recipe from their size, has the trainer fit an
 * adapter, and chooses on practice when to abstain and how much say a classical part has. It gets no handle on the exam.
 * Knows nothing of how training is done; that is the trainer's business.
 */
import { ADDED } from '../core/corrections.ts'
import { type Dataset, datasetId, duplicateKey, type Example, type Passage, sentences } from '../core/dataset.ts'
import { isRefusal, type Refusal, refuse } from '../core/errors.ts'
import { contentId } from '../core/id.ts'
import { classifyPrompt, NOT_SUPPORTING, type Prompt, SUPPORTING, selectPrompt } from '../core/prompt.ts'
import { chooseRecipe, continuing, longestFor, type Recipe } from '../core/recipe.ts'
import { random } from '../core/report.ts'
import type { Spec } from '../core/spec.ts'
import { type Base, type Expert, type Quoting, servedFrom, type Weights } from '../core/weights.ts'
import type { Baseline } from '../ports/baseline.ts'
import type { PassageIndex, Retriever } from '../ports/retriever.ts'
import type { Runtime, Scorer, Vocabulary } from '../ports/runtime.ts'
import type { Store } from '../ports/store.ts'
import type { Tagger } from '../ports/tagger.ts'
import type { SizeQuestion, Trainer, TrainingProgress } from '../ports/trainer.ts'
import { classify, classifyWindows, type Judged, judge, labelCount, quote, selectPrompts, shortened, tooLong } from './answer.ts'
import { chooseQuoting } from './baseline.ts'
import { fitTagger, tagProbabilities, tagPrompts, tagsOf } from './extract.ts'
import { chooseKindMix, chooseKindThreshold, fitKinds, heldOf, type KindCase, kindsOf, kindsPrompts, mixKinds, PROBABILITIES, scoresOf } from './kinds.ts'
import { type Match, matcher } from './match.ts'
import { aligned, chooseLabelMix, chooseMix } from './mix.ts'
import { fitMemory, type Journal, type MachineView, type Plan, type PlanOptions, plan } from './plan.ts'
import { clearlyBetter, supports, worth } from './worth.ts'
import { mostWritten, writingPrompts } from './write.ts'

/** Passages a training question is shown with: those that hold its answer, then the nearest that do not. */
const HELPFUL = 3
const UNHELPFUL = 3
/** Practice texts whose every word says how much the tagger should decide. */
const MIXED_TEXTS = 150
/** Tokens below which texts are not cut to save memory: too little is left of them. */
const SHORTEST = 64
/** Times an example that the expert wrote is seen in a training that goes on from an earlier one. */
const HAND_WRITTEN_SEEN = 8

export type TrainOptions = {
  spec: Spec
  dataset: Dataset
  base: Base
  /** GGUF path of the base. */
  basePath: string
  /** The trainer's own folder, for checkpoints. */
  folder: string
  threads: number
  /** Seconds for timing, search and training; not for the exam. */
  maximumSeconds: number
  /** Whether settings may be searched for: only when the user stated a budget. */
  mayTry?: PlanOptions['mayTry']
  machine: MachineView
  /** Of the plan made for this folder. */
  journal?: Journal | undefined
  override?: Partial<Recipe> | undefined
  /** Weights of nearly the same dataset, and their file: they are trained a little further, mostly on what the expert wrote. */
  from?: { weights: Weights; path: string } | undefined
  /** In milliseconds. */
  now: () => number
  /** What was chosen and what it will take, a sentence each, before the training. */
  onNote?: ((text: string) => void) | undefined
  signal?: AbortSignal | undefined
  onProgress?: ((progress: TrainingProgress) => void) | undefined
}

export type Trained = { weights: Weights; seconds: number; peakBytes: number; resumed: boolean; notices: string[] }

export async function train(
  ports: { trainer: Trainer; runtime: Runtime; retriever: Retriever; classical: Baseline; tagger: Tagger; store: Store },
  options: TrainOptions,
): Promise<Trained | Refusal> {
  const { spec, dataset } = options
  const full = await ports.runtime.vocabulary(options.basePath)
  if (isRefusal(full)) return full
  const offered = full.labelTokens(labelCount(spec))
  if (isRefusal(offered)) return offered
  const labelTokens = offered
  // Other labels, or another base, and nothing of what was learned can be gone on from.
  const from =
    options.from?.weights.base.sha256 === options.base.sha256 && options.from.weights.labelTokens.join() === offered.join() ? options.from : undefined
  const index = spec.task === 'answer' ? ports.retriever.index(dataset.passages, spec.language[0]!) : null

  const match = matcher(dataset.passages)
  const bySentence = new Map<string, Passage[]>()
  for (const passage of dataset.passages)
    for (const sentence of passage.sentences) {
      const key = duplicateKey(sentence)
      bySentence.set(key, [...(bySentence.get(key) ?? []), passage])
    }
  const base = await ports.trainer.inspect(options.basePath)
  if (isRefusal(base)) return base
  let limit = from?.weights.recipe.maximumTokens ?? longestFor(full.contextLength, options.override)
  for (;;) {
    const vocabulary = shortened(full, limit)
    const made = async (examples: readonly Example[], versions: (example: Example) => Example[]) => {
      const all: Prompt[] = []
      for (const example of examples) {
        for (const version of versions(example)) all.push(...prompts(spec, version, vocabulary, index, match, bySentence))
        // Thousands of long texts take seconds; whoever shares the process gets a turn in between.
        await new Promise((resolve) => setTimeout(resolve))
        options.signal?.throwIfAborted()
      }
      return all
    }
    const learned = from ? [...dataset.training, ...dataset.training.filter(({ source }) => source.file === ADDED).flatMap(seenAgain)] : dataset.training
    const whole = await made(learned, (example) => [example])
    const validation = await made(dataset.practice, (example) => [example])
    if (!whole.length || !validation.length)
      return refuse('nothing_to_learn', 'No training prompt could be made from the examples.', 'Add examples whose answers are found in the pages.')
    if (spec.task === 'transform' && whole.length < dataset.training.length)
      options.onNote?.(
        `${dataset.training.length - whole.length} of ${dataset.training.length} pairs are longer than the ${vocabulary.contextLength} tokens this base reads at once, and are not learned from.`,
      )
    const counts = whole.map((prompt) => tokens(prompt, vocabulary))
    const trainingTokens = counts.reduce((sum, count) => sum + count, 0)
    const longest = counts.reduce((most, count) => Math.max(most, count), 1)
    const first = from
      ? continuing(from.weights.recipe, { trainingTokens, threads: options.threads, maximumSeconds: options.maximumSeconds })
      : chooseRecipe({
          ...{ trainingTokens, longest, width: base.width, threads: options.threads, maximumSeconds: options.maximumSeconds },
          ...(options.override ? { override: options.override } : {}),
          maximumTokens: limit,
        })
    const question: SizeQuestion = {
      ...{ base: options.basePath, recipe: first, longest },
      readsPerToken: whole.reduce((sum, prompt) => sum + places(prompt, vocabulary), 0) / trainingTokens,
    }
    const fit = await fitMemory(ports, question, { availableBytes: options.machine.availableBytes(), override: options.override })
    if (isRefusal(fit)) {
      const half = Math.floor(Math.min(limit, longest) / 2)
      if (fit.code !== 'memory_short' || options.override?.maximumTokens !== undefined || half < SHORTEST) return fit
      options.onNote?.(`Texts are read ${half} tokens at a time, because more does not fit the free memory.`)
      limit = half
      continue
    }
    if (fit.note) options.onNote?.(fit.note)
    const training = async (recipe: Recipe) => {
      const next = random(recipe.seed)
      // What the expert wrote, and of the rest an even part that keeps what was learned in mind.
      const share = (recipe.steps * recipe.tokensPerStep) / trainingTokens
      const seen = from ? learned.filter(({ source }) => source.file === ADDED || next() < share) : learned
      const shown =
        spec.task === 'classify' && recipe.wordDropout > 0
          ? await made(seen, (example) =>
              Array.from({ length: recipe.versions }, () => ({ ...example, input: leaveOut(example.input, recipe.wordDropout, next) })),
            )
          : from
            ? await made(seen, (example) => [example])
            : [...whole]
      shuffle(shown, recipe.seed)
      return shown
    }
    if (from) {
      const estimate = {
        seconds: options.maximumSeconds,
        basis: 'rate' as const,
        peakBytes: Math.round(fit.peak),
        availableBytes: Math.round(options.machine.availableBytes()),
      }
      const ready = { vocabulary, validation, training: await training(fit.recipe) }
      return fitAndChoose({ recipe: fit.recipe, estimate, search: null, notes: [] }, ready)
    }
    const planned = await plan(ports, {
      job: { base: options.basePath, validation, labelTokens, folder: options.folder, training },
      ...{ recipe: fit.recipe, size: fit.size, peak: fit.peak, subject: contentId({ dataset: datasetId(dataset), base: options.base.sha256 }) },
      ...{ practiceTokens: validation.reduce((sum, prompt) => sum + tokens(prompt, vocabulary), 0), varyWords: spec.task === 'classify' },
      ...{ seconds: options.maximumSeconds, mayTry: options.mayTry ?? 'default alone', override: options.override },
      ...{ machine: options.machine, journal: options.journal, now: options.now, signal: options.signal, onNote: options.onNote },
    })
    return isRefusal(planned) ? planned : fitAndChoose(planned, { vocabulary, validation, training: await training(planned.recipe) })
  }

  async function fitAndChoose(
    { recipe, estimate, search }: Plan,
    { vocabulary, validation, training }: { vocabulary: Vocabulary; validation: Prompt[]; training: Prompt[] },
  ): Promise<Trained | Refusal> {
    // A checkpoint goes on only under the settings it was begun with; the number of threads alone may change.
    const id = contentId({ dataset: datasetId(dataset), base: options.base.sha256, recipe: { ...recipe, threads: undefined }, from: from?.weights.adapter })
    const fitted = await ports.trainer.fit(
      { id, base: options.basePath, ...(from && { from: from.path }), training, validation, labelTokens, recipe, folder: options.folder },
      { signal: options.signal, onProgress: options.onProgress },
    )
    if (isRefusal(fitted)) return fitted

    let threshold: number | null = null
    let expert: Expert | null = null
    let quoting: Quoting | undefined
    // What is opened from now on is the stored file, whose path names its content: a runtime may keep what it once loaded.
    const adapter = await ports.store.putFile(fitted.file)
    const served = servedFrom(fitted.kind, { base: options.basePath, weights: await ports.store.path(adapter) })
    const scorer = await ports.runtime.open({ ...served, labelTokens, serving: { contextTokens: recipe.maximumTokens } })
    if (isRefusal(scorer)) return scorer
    try {
      if (spec.multiLabel && spec.task === 'classify') ({ expert, threshold } = await chooseKinds(ports, { vocabulary, scorer }, options))
      else if (spec.task === 'classify') expert = await chooseExpert(ports, { vocabulary, scorer }, options)
      else if (spec.task === 'extract') expert = await chooseTagger(ports, { vocabulary, scorer }, options)
      else if (spec.task === 'answer') {
        const chosen = await chooseThreshold({ vocabulary, scorer, index, match }, dataset.practice, spec, options.signal)
        const words = chooseQuoting(
          { index: index!, match },
          dataset.practice.filter(({ input }) => !tooLong(input, vocabulary)),
        )
        threshold = chosen.threshold
        // Who answers is decided where everything else is, on practice: a small base may choose sentences worse than plain words do.
        if (clearlyBetter(words.worths, chosen.worths)) quoting = words.quoting
      }
    } finally {
      await scorer.close()
    }
    const byHand = dataset.training.filter(({ source, answer, label }) => source.file === ADDED && (answer !== undefined || label !== undefined))
    const pinned = byHand.map(({ input, answer, label }) => ({ question: input, answer: answer ?? label ?? null }))
    const weights: Weights = {
      datasetId: datasetId(dataset),
      base: options.base,
      kind: fitted.kind,
      adapter,
      labelTokens,
      recipe,
      threshold,
      expert,
      ...(quoting ? { quoting } : {}),
      ...(pinned.length ? { pinned } : {}),
      ...(spec.task === 'transform' ? { mostTokens: mostWritten(dataset.training, vocabulary) } : {}),
      ...(from ? { from: from.weights.adapter } : {}),
      bestStep: fitted.bestStep,
      curve: fitted.curve,
      estimate,
      search,
    }
    return { weights, seconds: fitted.seconds, resumed: fitted.resumed, notices: fitted.notices, peakBytes: fitted.peakBytes }
  }
}

const seenAgain = (example: Example): Example[] => Array.from({ length: HAND_WRITTEN_SEEN - 1 }, () => example)

/** Fits the classical part and lets practice say how much it should decide; null when that is nothing. */
async function chooseExpert(
  ports: { classical: Baseline; store: Store },
  served: { vocabulary: Vocabulary; scorer: Scorer },
  { spec, dataset, signal }: TrainOptions,
): Promise<Expert | null> {
  const labelled = (examples: readonly Example[]) => examples.map((example) => ({ input: example.input, label: example.label! }))
  const fitted = await ports.classical.fit({ training: labelled(dataset.training), practice: labelled(dataset.practice), signal })
  const labels = spec.labels!
  const cases: { neural: number[]; scores: number[]; truth: number }[] = []
  for (const [index, example] of dataset.practice.entries())
    cases.push({
      neural: await classify(served, example.input, signal),
      scores: aligned(fitted, labels, fitted.practiceScores[index]!),
      truth: labels.indexOf(example.label!),
    })
  const settings = chooseLabelMix(cases)
  return settings.share === 0 ? null : { file: await ports.store.put(fitted.save()), what: ports.classical.what, ...settings }
}

/** {@link chooseExpert} where several kinds may hold, and above which probability one does. */
async function chooseKinds(
  ports: { classical: Baseline; store: Store },
  served: { vocabulary: Vocabulary; scorer: Scorer },
  { spec, dataset, signal }: TrainOptions,
): Promise<{ expert: Expert | null; threshold: number }> {
  const labels = spec.labels!
  const fitted = await fitKinds({ baseline: ports.classical }, { training: dataset.training, practice: dataset.practice, signal })
  const cases: KindCase[] = []
  for (const [index, example] of dataset.practice.entries())
    cases.push({
      neural: await kindsOf(served, example.input, labels, signal),
      scores: scoresOf(fitted, labels, fitted.practiceScores[index]!),
      held: heldOf(example, labels),
    })
  const settings = chooseKindMix(cases)
  const mixed = cases.map(({ neural, scores, held }) => ({ values: mixKinds(neural, scores, settings), held }))
  const expert = settings.share === 0 ? null : { file: await ports.store.put(fitted.save()), what: ports.classical.what, ...settings }
  return { expert, threshold: chooseKindThreshold(mixed, PROBABILITIES) }
}

/** {@link chooseExpert} for words: fits the tagger and lets practice say how much it should decide. */
async function chooseTagger(
  ports: { tagger: Tagger; store: Store },
  served: { vocabulary: Vocabulary; scorer: Scorer },
  { spec, dataset, signal }: TrainOptions,
): Promise<Expert | null> {
  const types = spec.fields!
  const fitted = await fitTagger(ports, { types, training: dataset.training, practice: dataset.practice, signal })
  const cases: { neural: number[]; scores: number[]; truth: number }[] = []
  for (const example of dataset.practice.slice(0, MIXED_TEXTS)) {
    const { words, probabilities } = await tagProbabilities(served, example.input, types, signal)
    const scores = fitted.scores(words.map((word) => word.text))
    for (const [index, tag] of tagsOf(words, example.entities ?? [], types).entries())
      cases.push({ neural: probabilities[index]!, scores: scores[index]!, truth: tag })
  }
  const settings = chooseMix(cases)
  return settings.share === 0 ? null : { file: await ports.store.put(fitted.save()), what: ports.tagger.what, ...settings }
}

/** The prompts one example teaches with. A classify text longer than the base reads becomes several windows of less weight. */
function prompts(
  spec: Spec,
  example: Example,
  vocabulary: Vocabulary,
  index: PassageIndex | null,
  match: Match,
  bySentence: ReadonlyMap<string, Passage[]>,
): Prompt[] {
  if (spec.task === 'classify' && spec.multiLabel) return kindsPrompts(example, spec.labels!, vocabulary)
  if (spec.task === 'classify') {
    const label = spec.labels!.indexOf(example.label!)
    const pieces = classifyWindows(example.input, vocabulary)
    return pieces.map((piece) => classifyPrompt(piece, label).map((segment) => (segment.kind === 'read' ? { ...segment, weight: 1 / pieces.length } : segment)))
  }
  if (spec.task === 'extract') return tagPrompts(example.input, example.entities ?? [], spec.fields!, vocabulary)
  if (spec.task === 'transform') return writingPrompts(example, vocabulary)
  if (tooLong(example.input, vocabulary)) return []
  const reference = example.answer ?? null
  const near = index!.search(example.input, 2 * (HELPFUL + UNHELPFUL)).map(({ passage }) => passage)
  const support = new Map<Passage, (0 | 1)[]>()
  const holds = reference === null ? () => false : supports(reference)
  // The passages that hold the answer may not be among the nearest; those are looked up by their sentences.
  const holding = reference === null ? [] : sentences(reference).flatMap((sentence) => bySentence.get(duplicateKey(sentence)) ?? [])
  for (const passage of [...near, ...holding])
    support.set(
      passage,
      passage.sentences.map((sentence) => (holds(sentence) ? SUPPORTING : NOT_SUPPORTING)),
    )
  const helpful = [...support].filter(([, labels]) => labels.includes(SUPPORTING)).slice(0, HELPFUL)
  const unhelpful = [...support].filter(([, labels]) => !labels.includes(SUPPORTING)).slice(0, reference === null ? HELPFUL + UNHELPFUL - 1 : UNHELPFUL)
  return [...helpful, ...unhelpful].flatMap(([passage, labels]) =>
    selectPrompts(example.input, passage, vocabulary).map((group) =>
      selectPrompt(
        example.input,
        { rank: near.indexOf(passage) < 0 ? near.length : near.indexOf(passage), match: match(example.input, passage) },
        `${passage.title}. ${passage.heading}`,
        group.sentences,
        group.positions.map((position) => labels[position]!),
      ),
    ),
  )
}

/** The threshold with the highest {@link worth} on practice, and what each case's answer is worth with it. */
export async function chooseThreshold(
  served: Parameters<typeof judge>[0],
  practice: readonly Example[],
  spec: Spec,
  signal?: AbortSignal,
): Promise<{ threshold: number; worths: number[] }> {
  const cases: { judged: Judged[]; reference: string | null }[] = []
  for (const example of practice)
    if (!tooLong(example.input, served.vocabulary)) cases.push({ judged: await judge(served, example.input, signal), reference: example.answer ?? null })
  const language = spec.outputLanguage[0] ?? 'en'
  let best = { threshold: 0.5, score: -1, worths: [] as number[] }
  for (let threshold = 0.02; threshold < 1; threshold += 0.02) {
    const worths = cases.map(({ judged, reference }) => {
      const answered = quote(judged, threshold, language)
      return worth(answered.abstained ? null : answered.citations.map((citation) => citation.quote).join(' '), reference)
    })
    const score = worths.reduce((sum, one) => sum + one, 0)
    if (score > best.score) best = { threshold: Math.round(threshold * 100) / 100, score, worths }
  }
  return best
}

/** A text with a share of its words left out: a weak base learns a small set of texts by heart, but not by these. */
function leaveOut(text: string, share: number, next: () => number): string {
  const kept = text.split(/(?<=\s)/).filter(() => next() >= share)
  return kept.join('').trim() || text
}

function tokens(prompt: Prompt, vocabulary: Vocabulary): number {
  return prompt.reduce((sum, segment) => sum + (segment.kind === 'text' ? vocabulary.count(segment.text) : segment.kind === 'special' ? 1 : 0), 0)
}

/** Places of a prompt at which something is learned. */
function places(prompt: Prompt, vocabulary: Vocabulary): number {
  return prompt.reduce((sum, segment) => {
    if (segment.kind === 'read') return sum + 1
    return sum + (segment.learned ? (segment.kind === 'text' ? vocabulary.count(segment.text) : 1) : 0)
  }, 0)
}

function shuffle<T>(items: T[], seed: number): void {
  const next = random(seed)
  for (let index = items.length - 1; index > 0; index--) {
    const other = Math.floor(next() * (index + 1))
    ;[items[index], items[other]] = [items[other]!, items[index]!]
  }
}
