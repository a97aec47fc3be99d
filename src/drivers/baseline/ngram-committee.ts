/**
 * The classical part of a trained classifier: over the same n-grams a linear SVM, and an SVM whose character grams are weighed by naive Bayes, which
 * learns more from few texts. Scores of texts that were not learned from decide whether one of them or both speak. Both fold into one hyperplane a
 * label, so that what is served is as small and as quick as one. Knows nothing of specs or files.
 * Source: Wang, Manning, "Baselines and Bigrams: Simple, Good Sentiment and Topic Classification", ACL 2012; here on TF-IDF rows of characters.
 */
import { accuracy, macroF1, random } from '../../core/report.ts'
import { fitHyperplane, type Hyperplane, height, type SparseRows, score } from '../../engine/linear.ts'
import type { Baseline, FittedBaseline, LabelledText } from '../../ports/baseline.ts'
import { loaded, read, rounded, save } from './gram-model.ts'
import { type Family, learnGrams } from './grams.ts'
import { EmptyError, ngramSvm } from './ngram-svm.ts'

type Case = LabelledText
type Choice = { bayes: boolean; penalty: number; balanced: boolean }
/** One hyperplane a label; null for a label without an example. */
type Planes = (Float64Array | null)[]
/** By case and label. */
type Scores = number[][]
/** A choice and how much it says. */
type Member = { choice: Choice; say: number }

/** In an order in which each may start where the one before ended. */
const CHOICES: readonly Choice[] = [
  ...[0.3, 1, 3].map((penalty) => ({ bayes: false, penalty, balanced: false })),
  ...[0.1, 0.3, 1].map((penalty) => ({ bayes: false, penalty, balanced: true })),
  ...[0.1, 0.3, 1].map((penalty) => ({ bayes: true, penalty, balanced: true })),
]
/** What learns where there is no practice to choose by. */
const PLAIN: Choice = { bayes: false, penalty: 1, balanced: false }
const FOLDS = 4
/** Texts, and numbers of all labels, above which one of the folds has cases enough to choose by, and all would take minutes. */
const MOST_FOLDED = { texts: 4000, numbers: 10_000_000 }
/** What a label scores of which nothing was learned. */
const UNKNOWN = -1
/** Added to how often a gram is in texts of a label, and of the others (Laplace). */
const SMOOTHING = 1

/**
 * Where several labels may hold for a text it is {@link ngramSvm}: there each hyperplane must lie between its label and all the rest.
 * @throws the signal's reason when cancelled, and {@link EmptyError} without training rows.
 */
export function ngramCommittee(): Baseline {
  return {
    what: 'TF-IDF n-grams, linear SVM and SVM weighed by naive Bayes',
    async fit({ training, practice, signal }) {
      if (!training.length) throw new EmptyError()
      const all = [...training, ...practice]
      if (all.some(({ labels }) => labels)) return ngramSvm().fit({ training, practice, signal })
      const labels = [...new Set(all.map(({ label }) => label))].sort()
      const { members, practiceScores } = await choose({ training, practice, labels, signal })
      const learned = prepare(all, labels)
      const planes: Planes[] = []
      for (const { choice } of members) planes.push(await fitAll(learned, choice, signal, []))
      const weights = labels.map((_, label) => rounded(blend(members.map(({ say }, index) => ({ say, values: planes[index]![label]! })))))
      const model = { labels, families: learned.families, weights }
      return { ...loaded(model), practiceScores, save: () => save(model) } satisfies FittedBaseline
    },
    load: (bytes) => loaded(read(bytes)),
  }
}

type Task = { training: readonly Case[]; practice: readonly Case[]; labels: readonly string[]; signal: AbortSignal | undefined }

/** The best SVM, the best weighed by naive Bayes, or both; and what they said of practice before they learned from it. */
async function choose({ training, practice, labels, signal }: Task): Promise<{ members: Member[]; practiceScores: Scores }> {
  if (!practice.length) return { members: [{ choice: PLAIN, say: 1 }], practiceScores: [] }
  const learned = prepare(training, labels)
  const few = training.length <= MOST_FOLDED.texts && learned.rows.values.length * labels.length <= MOST_FOLDED.numbers
  const held = await foldScores({ training, practice, labels, signal }, few ? FOLDS : 1)
  const truth = held.cases.map(({ label }) => label)
  // Half for each text and half for each label: which of the two will count is not known here.
  const worth = (scores: Scores): number => {
    const said = scores.map((row) => labels[row.indexOf(Math.max(...row))]!)
    return (accuracy(said, truth) + macroF1(said, truth)) / 2
  }
  const best = (bayes: boolean) =>
    CHOICES.flatMap((choice, index) => (choice.bayes === bayes ? [{ choice, scores: held.scores[index]! }] : []))
      .map((one) => ({ ...one, value: worth(one.scores) }))
      .reduce((first, one) => (one.value > first.value + 1e-9 ? one : first))
  const [svm, bayes] = [best(false), best(true)]
  // Both are brought to the spread of the SVM's scores, for which the temperatures of the mix are made.
  const even = spread(svm.scores) / spread(bayes.scores)
  const { members } = [
    [
      { ...svm, say: 0.5 },
      { ...bayes, say: 0.5 * even },
    ],
    [{ ...bayes, say: even }],
    [{ ...svm, say: 1 }],
  ]
    .map((members) => ({ members, value: worth(sum(members)) }))
    .reduce((first, one) => (one.value > first.value + 1e-9 ? one : first))
  const choices = members.map(({ choice }) => choice)
  const scores = await scoresOf(learned, practice, choices, signal)
  return { members, practiceScores: sum(members.map(({ say }, index) => ({ say, scores: scores[index]! }))) }
}

/** The texts of the first folds scored, by every choice, by what was learned from all other folds. */
async function foldScores({ training, practice, labels, signal }: Task, folds: number): Promise<{ cases: Case[]; scores: Scores[] }> {
  const next = random(1)
  const order = [...training, ...practice]
    .map((one) => ({ one, at: next() }))
    .sort((a, b) => (a.one.label < b.one.label ? -1 : a.one.label > b.one.label ? 1 : a.at - b.at))
  const cases: Case[] = []
  const scores: Scores[] = CHOICES.map(() => [])
  for (let fold = 0; fold < folds; fold++) {
    // Sorted by label and dealt out in turn: each fold holds its share of each.
    const asked = order.flatMap(({ one }, index) => (index % FOLDS === fold ? [one] : []))
    const learned = order.flatMap(({ one }, index) => (index % FOLDS === fold ? [] : [one]))
    if (!asked.length || !learned.length) continue
    cases.push(...asked)
    for (const [index, rows] of (await scoresOf(prepare(learned, labels), asked, CHOICES, signal)).entries()) scores[index]!.push(...rows)
  }
  return { cases, scores }
}

/** What each choice, learned from these rows, says of other texts. */
async function scoresOf(learned: Learned, asked: readonly Case[], choices: readonly Choice[], signal: AbortSignal | undefined): Promise<Scores[]> {
  const features = learned.encode(asked.map(({ input }) => input))
  const all: Scores[] = []
  let before: Choice | undefined
  let starts: (Hyperplane | null)[] = []
  for (const choice of choices) {
    // The solution under another penalty is near; under other class weights it is not.
    if (before?.bayes !== choice.bayes || before.balanced !== choice.balanced) starts = []
    before = choice
    const planes = await fitAll(learned, choice, signal, starts)
    all.push(asked.map((_, row) => planes.map((plane) => (plane ? score(plane, features, row) : UNKNOWN))))
  }
  return all
}

/** Texts as rows of all grams, and of characters alone in the same columns. */
type Learned = {
  families: Family[]
  encode: (inputs: readonly string[]) => SparseRows
  rows: SparseRows
  characters: SparseRows
  /** One a label: which rows are of it, and how many. */
  parts: { positive: Uint8Array; count: number }[]
}

function prepare(cases: readonly Case[], labels: readonly string[]): Learned {
  const inputs = cases.map(({ input }) => input)
  const { families, encode } = learnGrams(inputs)
  const rows = encode(inputs)
  const parts = labels.map((label) => {
    const positive = Uint8Array.from(cases, (one) => (one.label === label ? 1 : 0))
    return { positive, count: positive.reduce((all, one) => all + one, 0) }
  })
  return { families, encode, rows, characters: from(rows, families[0]!.grams.length), parts }
}

/** The same rows without the columns before `first`. */
function from({ width, starts, indices, values }: SparseRows, first: number): SparseRows {
  const kept = indices.reduce((all, column) => all + (column >= first ? 1 : 0), 0)
  const fewer = { width, starts: new Int32Array(starts.length), indices: new Int32Array(kept), values: new Float32Array(kept) }
  let place = 0
  for (let row = 0; row + 1 < starts.length; row++) {
    for (let at = starts[row]!; at < starts[row + 1]!; at++) {
      if (indices[at]! < first) continue
      fewer.indices[place] = indices[at]!
      fewer.values[place++] = values[at]!
    }
    fewer.starts[row + 1] = place
  }
  return fewer
}

/** Fits every label and folds what naive Bayes weighs into the weights: `weights . x + bias` over all grams, whatever the choice. */
async function fitAll(learned: Learned, choice: Choice, signal: AbortSignal | undefined, starts: (Hyperplane | null)[]): Promise<Planes> {
  const planes: Planes = []
  const { rows, characters, parts } = learned
  const count = height(rows)
  for (const [label, part] of parts.entries()) {
    // A breath between labels, so that a server in the same process keeps answering.
    await new Promise((resolve) => setImmediate(resolve))
    signal?.throwIfAborted()
    if (!part.count) {
      planes.push(null)
      continue
    }
    const { positive, negative } = balance(choice, { count, positive: part.count, labels: parts.length })
    const penalties = { positive: choice.penalty * positive, negative: choice.penalty * negative, from: starts[label] ?? undefined }
    const ratios = choice.bayes ? logCountRatios(characters, part.positive) : null
    const seen = ratios ? { ...characters, values: characters.values.map((value, at) => value * ratios[characters.indices[at]!]!) } : rows
    const plane = fitHyperplane(seen, part.positive, penalties)
    starts[label] = plane
    planes.push(plane.weights.map((weight, column) => (ratios && column < rows.width ? weight * ratios[column]! : weight)))
  }
  return planes
}

/** What a row of the label and another weigh. The SVM balances labels among each other; naive Bayes asks one question a label, whose two answers weigh the same. */
function balance({ bayes, balanced }: Choice, { count, positive, labels }: { count: number; positive: number; labels: number }) {
  if (!balanced) return { positive: 1, negative: 1 }
  if (!bayes) return { positive: count / (labels * positive), negative: 1 }
  return { positive: count / (2 * positive), negative: count / (2 * Math.max(1, count - positive)) }
}

/** log of how much likelier each column is in rows of the label than in others, by the number of rows that have it. */
function logCountRatios({ width, starts, indices }: SparseRows, positive: Uint8Array): Float64Array {
  const counts = [new Float64Array(width).fill(SMOOTHING), new Float64Array(width).fill(SMOOTHING)] as const
  for (let row = 0; row + 1 < starts.length; row++) {
    const side = counts[positive[row] ? 1 : 0]
    for (let at = starts[row]!; at < starts[row + 1]!; at++) side[indices[at]!]!++
  }
  const [others, own] = counts.map((side) => side.reduce((all, one) => all + one, 0)) as [number, number]
  return counts[1].map((value, column) => Math.log(value / own / (counts[0][column]! / others)))
}

/** Standard deviation of all scores together. */
function spread(scores: Scores): number {
  const values = scores.flat()
  const mean = values.reduce((all, one) => all + one, 0) / values.length
  return Math.sqrt(values.reduce((all, one) => all + (one - mean) ** 2, 0) / values.length) || 1
}

function sum(members: readonly { scores: Scores; say: number }[]): Scores {
  return members[0]!.scores.map((row, index) => row.map((_, label) => members.reduce((all, { scores, say }) => all + say * scores[index]![label]!, 0)))
}

function blend(members: readonly { values: Float64Array; say: number }[]): Float64Array {
  return members[0]!.values.map((_, column) => members.reduce((all, { values, say }) => all + say * values[column]!, 0))
}
