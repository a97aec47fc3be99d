/**
 * Weights -> how they are served: runs a few practice queries under one setting after the other on this machine and keeps
 * what answers fastest with the fewest cores. Also how long an exam will take. Knows nothing of what a query means.
 */

import type { Dataset } from '../core/dataset.ts'
import { isRefusal, type Refusal } from '../core/errors.ts'
import type { Measured, Serving } from '../core/package.ts'
import { type Prompt, writePrompt } from '../core/prompt.ts'
import type { Spec } from '../core/spec.ts'
import type { Retriever } from '../ports/retriever.ts'
import type { Runtime, Scorer, ServingSettings } from '../ports/runtime.ts'
import { classify, judge, shortened, tooLong } from './answer.ts'
import { tagProbabilities } from './extract.ts'
import { kindsOf } from './kinds.ts'
import { matcher } from './match.ts'
import { tooLongToWrite, written } from './write.ts'

/** A setting must be this much better to be taken over a simpler one: less is noise. */
const MARGIN = 0.1
const SEQUENCES = [4, 1, 8]
const MOST_QUERIES = 8
/** Tokens written to time a transforming model before it is trained. */
const TIMED_TOKENS = 48

export type ServingOptions = {
  base: string
  adapter: string | null
  labelTokens: readonly string[]
  /** Practice queries, each the prompts it is answered with. */
  queries: readonly (readonly Prompt[])[]
  /** Tokens of a prompt. */
  count: (prompt: Prompt) => number
  contextTokens: number
  quantisation: string
  cores: number
  /** Most threads serving may use: fewer than the cores, because llama.cpp's threads spin and training shares the machine. */
  mostThreads: number
  /** Seconds all measuring may take. */
  seconds: number
  /** In milliseconds. */
  now: () => number
  /** Bytes this process holds. */
  residentBytes: () => number
  signal?: AbortSignal | undefined
}

/** Measures and chooses. Settings are tried one kind after the other, each with the best so far of the others. */
export async function chooseServing(ports: { runtime: Runtime }, options: ServingOptions): Promise<Serving | Refusal> {
  const { now, mostThreads } = options
  const began = now()
  const measured: Measured[] = []
  const initial: ServingSettings = { contextTokens: options.contextTokens, threads: mostThreads, sequences: SEQUENCES[0]!, promptCache: false }
  const first = await measure(ports, initial, options)
  if (isRefusal(first)) return first
  measured.push(first)
  let best = first
  /** Measures a change of the best so far and keeps it when `better` says so; nothing more is tried when the time is over. */
  const attempt = async (change: Partial<ServingSettings>, better: (tried: Measured) => boolean): Promise<Refusal | undefined> => {
    if ((now() - began) / 1000 > options.seconds) return undefined
    const tried = await measure(ports, { ...settingsOf(best), ...change }, options)
    if (isRefusal(tried)) return tried
    measured.push(tried)
    if (better(tried)) best = tried
    return undefined
  }
  const fewer = [...new Set([1, 2, 4, 8, Math.floor(mostThreads / 2)])].filter((threads) => threads >= 1 && threads < mostThreads).sort((a, b) => b - a)
  for (const threads of fewer) {
    // Fewer threads are simpler, so they win unless they are clearly slower.
    const refused = await attempt({ threads }, (tried) => tried.medianMs <= best.medianMs * (1 + MARGIN))
    if (refused) return refused
  }
  for (const sequences of SEQUENCES.slice(1)) {
    const refused = await attempt(
      { sequences },
      (tried) => tried.tokensPerSecond > best.tokensPerSecond * (1 + MARGIN) && tried.medianMs <= best.medianMs * (1 + MARGIN),
    )
    if (refused) return refused
  }
  const refused = await attempt({ promptCache: true }, (tried) => tried.medianMs < best.medianMs * (1 - MARGIN))
  if (refused) return refused
  return {
    settings: settingsOf(best),
    quantisation: options.quantisation,
    cores: options.cores,
    queries: Math.min(options.queries.length, MOST_QUERIES),
    measured,
  }
}

/** One way of running: each query alone, three at most of a time limit, then all prompts at once. */
async function measure(ports: { runtime: Runtime }, serving: ServingSettings, options: ServingOptions): Promise<Measured | Refusal> {
  const { now, signal } = options
  const queries = options.queries.slice(0, MOST_QUERIES)
  const share = (options.seconds * 1000) / 8
  const before = options.residentBytes()
  const scorer = await ports.runtime.open({ base: options.base, adapter: options.adapter, labelTokens: options.labelTokens, serving })
  if (isRefusal(scorer)) return scorer
  try {
    // The first query touches every page of the weights; it is not what a user waits for.
    await scorer.score(queries[0]!, { signal })
    const began = now()
    const times: number[] = []
    for (const query of queries) {
      const start = now()
      await scorer.score(query, { signal })
      times.push(now() - start)
      if (now() - began > share && times.length >= 3) break
    }
    const prompts = queries.slice(0, times.length).flat()
    const start = now()
    await scorer.score(prompts, { signal })
    const seconds = Math.max(1e-6, (now() - start) / 1000)
    const tokens = prompts.reduce((sum, prompt) => sum + options.count(prompt), 0)
    times.sort((a, b) => a - b)
    return {
      ...serving,
      medianMs: Math.round(times[times.length >> 1]! * 100) / 100,
      tokensPerSecond: Math.round(tokens / seconds),
      memoryBytes: Math.max(0, options.residentBytes() - before),
    }
  } finally {
    await scorer.close()
  }
}

function settingsOf({ contextTokens, threads, sequences, promptCache }: ServingSettings): ServingSettings {
  return { contextTokens, threads, sequences, promptCache }
}

/** One line: what was chosen and what it measured. */
export function describeServing({ settings, measured, quantisation }: Serving): string {
  const { threads, sequences, promptCache, contextTokens } = settings
  const figures = measured.find((one) => one.threads === threads && one.sequences === sequences && one.promptCache === promptCache)!
  return `Served as ${quantisation} with ${threads} ${threads === 1 ? 'thread' : 'threads'}, ${sequences} prompts at once, ${contextTokens} tokens of context, prompt cache ${promptCache ? 'on' : 'off'}: ${figures.medianMs} ms a query (median), ${figures.tokensPerSecond} tokens a second; ${measured.length} ways tried.`
}

export type QueryOptions = {
  spec: Spec
  dataset: Dataset
  basePath: string
  labelTokens: readonly string[]
  contextTokens: number
  now: () => number
  signal?: AbortSignal | undefined
}

/**
 * The prompts that a few practice inputs are answered with, and the milliseconds such a query takes on the base alone: what
 * serving is measured by, and an exam's length before there is anything to examine.
 */
export async function practiceQueries(
  ports: { runtime: Runtime; retriever: Retriever },
  options: QueryOptions,
): Promise<{ queries: Prompt[][]; milliseconds: number; count: (prompt: Prompt) => number } | Refusal> {
  const { spec, dataset, now, signal, contextTokens } = options
  const full = await ports.runtime.vocabulary(options.basePath)
  if (isRefusal(full)) return full
  const vocabulary = shortened(full, contextTokens)
  const scorer = await ports.runtime.open({ base: options.basePath, adapter: null, labelTokens: options.labelTokens, serving: { contextTokens } })
  if (isRefusal(scorer)) return scorer
  const queries: Prompt[][] = []
  const recorder: Scorer = {
    ...scorer,
    score(prompts, settings) {
      queries.push([...prompts])
      return scorer.score(prompts, settings)
    },
  }
  const times: number[] = []
  try {
    const index = spec.task === 'answer' ? ports.retriever.index(dataset.passages, spec.language[0]!) : null
    const match = index && matcher(dataset.passages)
    for (const { input } of dataset.practice.slice(0, MOST_QUERIES)) {
      const began = now()
      if (spec.task === 'classify' && spec.multiLabel) await kindsOf({ vocabulary, scorer: recorder }, input, spec.labels ?? [], signal)
      else if (spec.task === 'classify') await classify({ vocabulary, scorer: recorder }, input, signal)
      else if (spec.task === 'extract') await tagProbabilities({ vocabulary, scorer: recorder }, input, spec.fields ?? [], signal)
      else if (spec.task === 'transform') {
        if (tooLongToWrite(input, vocabulary)) continue
        // What is timed side by side is how texts are read; a text is written one token after the other in any case.
        queries.push([[...writePrompt(input), { kind: 'read' }]])
        await written({ vocabulary, scorer, mostTokens: TIMED_TOKENS }, input, signal)
      } else if (!tooLong(input, vocabulary)) await judge({ vocabulary, scorer: recorder, index, match }, input, signal)
      times.push(now() - began)
    }
  } finally {
    await scorer.close()
  }
  const count = (prompt: Prompt) =>
    prompt.reduce((sum, segment) => sum + (segment.kind === 'text' ? vocabulary.count(segment.text) : segment.kind === 'special' ? 1 : 0), 0)
  times.sort((a, b) => a - b)
  return { queries: queries.filter((prompts) => prompts.length), milliseconds: times[times.length >> 1] ?? 0, count }
}
