/**
 * The exam sheet: what every arm said to every sealed case, beside what is right, and the scores that follow from it. Whoever has a
 * sheet recomputes every figure of a report. Pure; knows nothing of models, and of how an answer's worth is judged.
 */
import { z } from 'zod'
import { Entity } from './dataset.ts'
import { SealedCase, type Truth } from './exam.ts'
import { Id } from './id.ts'
import { calibrationError, exactMatch, pairedDifference, rougeL, weightedF1 } from './metrics.ts'
import { CharacterTally, characterTally, chrF } from './overlap.ts'
import { type Arm, accuracy, bootstrap, type Difference, entityTally, labelTally, macroF1, type Tally, tallied } from './report.ts'

/** How a text that was quoted does beside the right answer. */
export const AnswerFigures = z.object({
  /** 0 to 1: see `steps/worth.ts`. */
  worth: z.number(),
  rougeL: z.number(),
  exact: z.boolean(),
  /** Quotes that the right answer bears out, of how many; and sentences of the right answer that were quoted, of how many. */
  right: z.number().int(),
  quotes: z.number().int(),
  found: z.number().int(),
  wanted: z.number().int(),
})
export type AnswerFigures = z.infer<typeof AnswerFigures>

/** How a text that was written does beside the right one. */
export const TextFigures = z.object({ characters: CharacterTally, rougeL: z.number(), exact: z.boolean() })
export type TextFigures = z.infer<typeof TextFigures>

export function textFigures(text: string, reference: string): TextFigures {
  return { characters: characterTally(text, reference), rougeL: rougeL(text, reference), exact: exactMatch(text, reference) }
}

/** What one arm said to one case. Probabilities where the arm gives any. */
export const Said = z.object({
  label: z.string().optional(),
  confidence: z.number().optional(),
  labels: z.array(z.string()).optional(),
  /** Of each of the sheet's labels that it holds. */
  probabilities: z.array(z.number()).optional(),
  entities: z.array(Entity.extend({ probability: z.number().optional() })).optional(),
  /** The quotes; null when it abstained. */
  quotes: z.array(z.string()).nullable().optional(),
  figures: AnswerFigures.optional(),
  /** What was written, and how near it comes to what is right. */
  text: z.string().optional(),
  overlap: TextFigures.optional(),
})
export type Said = z.infer<typeof Said>

/** What the cases ask for. */
export const Kind = z.enum(['label', 'labels', 'entities', 'answer', 'text'])
export type Kind = z.infer<typeof Kind>

export const Sheet = z.object({
  format: z.literal('modelfactory/sheet@1'),
  kind: Kind,
  /** The labels of `labels`, in the order of probabilities. */
  labels: z.array(z.string()).optional(),
  examId: Id,
  weightsId: Id,
  root: Id,
  cases: z.array(SealedCase).min(1),
  /** By arm, in the order of the cases. */
  arms: z.record(z.string(), z.array(Said)),
})
export type Sheet = z.infer<typeof Sheet>

/** The published papers of one version's exam, as JSON before any schema touched it: hashes are of these very values. */
export const ExamEvidence = z.object({
  format: z.literal('modelfactory/exam-evidence@1'),
  packageId: Id,
  /** The model's id on chain; null before it is registered. */
  modelId: Id.nullable(),
  package: z.unknown(),
  report: z.unknown(),
  sheet: z.unknown(),
})
export type ExamEvidence = z.infer<typeof ExamEvidence>

export const METRICS: Record<Kind, string> = {
  label: 'macro-F1',
  labels: 'F1 of the kinds',
  entities: 'entity-F1, exact',
  answer: 'token-F1 with refusals',
  text: 'chrF',
}

/** A probability as a sheet holds it. */
export const rounded = (probability: number): number => Math.round(probability * 1e4) / 1e4

/** Scores of one arm: of any draw of cases, of each case, and further figures. */
export type Scores = { of: (drawn: readonly number[]) => number; each: number[]; figures: Record<string, number> }

/** The scores of what was said beside what is right. @throws RangeError when a case has no answer of the kind. */
export function scores(kind: Kind, said: readonly Said[], truth: readonly Truth[], labels: readonly string[] = []): Scores {
  if (said.length !== truth.length) throw new RangeError(`There are ${said.length} answers to ${truth.length} cases.`)
  if (kind === 'label') return labelScores(said, truth)
  if (kind === 'answer') return answerScores(said, truth)
  if (kind === 'text') return textScores(said)
  return kind === 'labels' ? kindScores(said, truth, labels) : entityScores(said, truth)
}

/** An arm of a report, as it follows from the sheet. */
export function armOf(name: Arm['name'], what: string, { of, each, figures }: Scores): Arm {
  return { name, what, score: of([...each.keys()]), interval: bootstrap(each.length, of), figures }
}

/** The model as served beside another arm. */
export function differenceOf(against: Arm['name'], tuned: Scores, other: Scores): Difference {
  const count = (moved: (change: number) => boolean) => tuned.each.filter((worth, index) => moved(worth - other.each[index]!)).length
  const better = count((change) => change > 1e-9)
  const worse = count((change) => change < -1e-9)
  return { against, ...pairedDifference(tuned.each.length, tuned.of, other.of), better, worse }
}

function labelScores(said: readonly Said[], truth: readonly Truth[]): Scores {
  const [predicted, right] = [said.map((one) => need(one.label)), truth.map((one) => need(one.label))]
  const confidences = said.map(({ confidence }) => confidence)
  const sure = confidences.every((one) => one !== undefined)
  const each = predicted.map((label, index) => (label === right[index] ? 1 : 0))
  return {
    of: drawnMacroF1(predicted, right),
    each,
    figures: {
      accuracy: accuracy(predicted, right),
      macroF1: macroF1(predicted, right),
      weightedF1: weightedF1(predicted, right),
      ...(sure
        ? {
            calibrationError: calibrationError(
              confidences,
              each.map((one) => one === 1),
            ),
          }
        : {}),
    },
  }
}

/** {@link macroF1} of any draw of cases, fast enough for thousands of draws. */
function drawnMacroF1(predicted: readonly string[], right: readonly string[]): Scores['of'] {
  const labels = [...new Set([...predicted, ...right])]
  const places = new Map(labels.map((label, place) => [label, place]))
  const [guesses, truths] = [predicted, right].map((list) => Uint32Array.from(list, (label) => places.get(label)!)) as [Uint32Array, Uint32Array]
  return (drawn) => {
    const hit = new Uint32Array(labels.length)
    const seen = new Uint32Array(labels.length)
    for (const index of drawn) {
      const [guess, truth] = [guesses[index]!, truths[index]!]
      if (guess === truth) hit[guess]!++
      seen[guess]!++
      seen[truth]!++
    }
    let [sum, present] = [0, 0]
    for (let place = 0; place < labels.length; place++) {
      if (!seen[place]) continue
      sum += (2 * hit[place]!) / seen[place]!
      present++
    }
    return present ? sum / present : 0
  }
}

function fromTallies(tallies: readonly Tally[], figures: (all: ReturnType<typeof tallied>) => Record<string, number>): Scores {
  return {
    of: (drawn) => tallied(drawn.map((index) => tallies[index]!)).f1,
    each: tallies.map((one) => tallied([one]).f1),
    figures: figures(tallied(tallies)),
  }
}

function kindScores(said: readonly Said[], truth: readonly Truth[], labels: readonly string[]): Scores {
  const tallies = truth.map((one, index) => labelTally(need(said[index]!.labels), need(one.labels)))
  const calibrated = said.every(({ probabilities }) => probabilities?.length === labels.length)
  const held = truth.flatMap((one) => labels.map((label) => need(one.labels).includes(label)))
  const probabilities = said.flatMap((one) => one.probabilities ?? [])
  return fromTallies(tallies, ({ exact, precision, recall }) => ({
    ...{ allRight: exact, precision, recall },
    ...(calibrated && labels.length ? { calibrationError: calibrationError(probabilities, held) } : {}),
  }))
}

function entityScores(said: readonly Said[], truth: readonly Truth[]): Scores {
  const found = said.map((one) => need(one.entities))
  const tallies = truth.map((one, index) => entityTally(found[index]!, need(one.entities)))
  const judged = found.flatMap((entities, index) =>
    entities.map((one) => ({ probability: one.probability, right: entityTally([one], need(truth[index]!.entities)).hit === 1 })),
  )
  const probabilities = judged.map(({ probability }) => probability)
  const sure = judged.length > 0 && probabilities.every((one) => one !== undefined)
  return fromTallies(tallies, ({ precision, recall, exact }) => ({
    ...{ precision, recall, allRight: exact },
    ...(sure
      ? {
          calibrationError: calibrationError(
            probabilities,
            judged.map(({ right }) => right),
          ),
        }
      : {}),
  }))
}

/** Coverage, refusals and citations of an answering arm; each a share of the cases or quotes it is about. */
function answerScores(said: readonly Said[], truth: readonly Truth[]): Scores {
  const each = said.map((one) => need(one.figures).worth)
  const covered = truth.map((one) => need(one.covered))
  const refused = said.map((one) => one.quotes === null)
  const share = (part: number, whole: number) => (whole ? part / whole : 0)
  const count = (matches: (place: number) => boolean) => said.filter((_, place) => matches(place)).length
  const sum = (value: (figures: AnswerFigures, place: number) => number) => said.reduce((total, one, place) => total + value(one.figures!, place), 0)
  const ofCovered = (value: (figures: AnswerFigures) => number) =>
    share(
      sum((figures, place) => (covered[place] ? value(figures) : 0)),
      count((place) => covered[place]!),
    )
  const both = count((place) => refused[place]! && !covered[place]!)
  return {
    of: (drawn) => drawn.reduce((total, index) => total + each[index]!, 0) / drawn.length,
    each,
    figures: {
      tokenF1: ofCovered(({ worth }) => worth),
      rougeL: ofCovered(({ rougeL }) => rougeL),
      exactMatch: ofCovered(({ exact }) => (exact ? 1 : 0)),
      coverage: share(
        count((place) => covered[place]! && !refused[place]!),
        count((place) => covered[place]!),
      ),
      refusalPrecision: share(
        both,
        count((place) => refused[place]!),
      ),
      refusalRecall: share(
        both,
        count((place) => !covered[place]!),
      ),
      citationPrecision: share(
        sum(({ right }) => right),
        sum(({ quotes }) => quotes),
      ),
      citationRecall: share(
        sum(({ found }) => found),
        sum(({ wanted }) => wanted),
      ),
    },
  }
}

/** chrF of all texts together; of a case alone, of that case. */
function textScores(said: readonly Said[]): Scores {
  const figures = said.map((one) => need(one.overlap))
  const mean = (value: (one: TextFigures) => number) => figures.reduce((sum, one) => sum + value(one), 0) / Math.max(1, figures.length)
  return {
    of: (drawn) => chrF(drawn.map((index) => figures[index]!.characters)),
    each: figures.map(({ characters }) => chrF([characters])),
    figures: { rougeL: mean((one) => one.rougeL), exactMatch: mean(({ exact }) => (exact ? 1 : 0)) },
  }
}

function need<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new RangeError('A case of the sheet lacks what it is scored by.')
  return value
}
