/**
 * Measuring: what a build asks of this machine besides training: how long the rest of it will take, how its model is best
 * served, and the plan that a crash must not lose. Knows nothing of the river.
 */
import { readFile } from 'node:fs/promises'
import type { Dataset } from '../core/dataset.ts'
import { isRefusal, type Refusal } from '../core/errors.ts'
import type { Serving } from '../core/package.ts'
import { longestFor } from '../core/recipe.ts'
import type { Spec } from '../core/spec.ts'
import { servedFrom, type Weights } from '../core/weights.ts'
import { writeDurably } from '../drivers/files/durable.ts'
import type { Retriever } from '../ports/retriever.ts'
import type { Runtime } from '../ports/runtime.ts'
import type { Store } from '../ports/store.ts'
import { labelCount } from '../steps/answer.ts'
import type { Journal } from '../steps/plan.ts'
import { chooseServing, practiceQueries } from '../steps/serving.ts'

/** Seconds the serving check may take, and those set aside for what is not timed before: the classical part, files. */
const SERVING_SECONDS = 6
const UNTIMED_SECONDS = 8

/** Seconds that everything after the training will take: choosing on practice, the serving check, the exam. */
export async function secondsAfter(
  ports: { runtime: Runtime; retriever: Retriever },
  options: { spec: Spec; dataset: Dataset; basePath: string; cases: number; signal: AbortSignal },
): Promise<number | Refusal> {
  const { spec, dataset, cases, signal } = options
  const vocabulary = await ports.runtime.vocabulary(options.basePath)
  if (isRefusal(vocabulary)) return vocabulary
  const labelTokens = vocabulary.labelTokens(labelCount(spec))
  if (isRefusal(labelTokens)) return labelTokens
  const contextTokens = longestFor(vocabulary.contextLength)
  const timed = await practiceQueries(ports, { spec, dataset, basePath: options.basePath, labelTokens, contextTokens, now: () => performance.now(), signal })
  if (isRefusal(timed)) return timed
  // Practice is read once or twice, every exam case by the trained model and by the base; the classical parts come on top.
  const queries = 2 * (dataset.practice.length + cases)
  return SERVING_SECONDS + UNTIMED_SECONDS + (queries * timed.milliseconds) / 1000
}

/** How the model will be served, measured on practice; null when practice asks nothing. */
export async function measureServing(
  ports: { runtime: Runtime; retriever: Retriever; store: Store },
  options: {
    spec: Spec
    dataset: Dataset
    weights: Weights
    basePath: string
    quantisation: string
    cores: number
    servingThreads: number
    signal: AbortSignal
  },
): Promise<Serving | Refusal | null> {
  const { spec, dataset, weights, signal } = options
  const { labelTokens, recipe } = weights
  const common = { labelTokens, contextTokens: recipe.maximumTokens, now: () => performance.now(), signal }
  const practice = await practiceQueries(ports, { spec, dataset, basePath: options.basePath, ...common })
  if (isRefusal(practice)) return practice
  if (!practice.queries.length) return null
  return chooseServing(ports, {
    ...servedFrom(weights.kind, { base: options.basePath, weights: await ports.store.path(weights.adapter) }),
    ...common,
    queries: practice.queries,
    count: practice.count,
    quantisation: weights.kind === 'model' ? 'F16' : options.quantisation,
    cores: options.cores,
    mostThreads: options.servingThreads,
    seconds: SERVING_SECONDS,
    residentBytes: () => process.memoryUsage().rss,
  })
}

/** The plan of a build, in a file of its folder. What cannot be read is made anew. */
export function journalAt(path: string): Journal {
  return {
    async read() {
      const text = await readFile(path, 'utf8').catch(() => undefined)
      try {
        return text === undefined ? undefined : JSON.parse(text)
      } catch {
        return undefined
      }
    },
    write: (value) => writeDurably(path, JSON.stringify(value)),
  }
}
