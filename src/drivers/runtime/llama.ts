/**
 * The runtime by llama.cpp (node-llama-cpp): a base model loaded once, one context per adapter, label scores read from raw
 * logits. Knows nothing of tasks, packages or money.
 */
import { availableParallelism } from 'node:os'
import type { ControlledEvaluateInputItem, LlamaContext, LlamaContextSequence, LlamaModel, Token } from 'node-llama-cpp'
import { BaseError, isRefusal, type Refusal, refuse } from '../../core/errors.ts'
import type { Prompt } from '../../core/prompt.ts'
import type { Runtime, Scorer, ServingSettings, Vocabulary } from '../../ports/runtime.ts'
import { refuseOtherBase } from '../llama/fit.ts'
import { llama, openVocabulary, type VocabularyHandle, vocabularyOf } from '../llama/vocabulary.ts'

/** Prompts evaluated side by side where nothing was measured: enough to fill a small model's matrix products. */
const SEQUENCES = 4

/** Models kept loaded that no scorer uses, the latest used. Fully trained models are bases of their own, so there may be many. */
const IDLE = 2

/**
 * Opens the runtime. `threads` defaults to half the cores: llama.cpp's threads spin, and a context that wants every core
 * beside a training run is hundreds of times slower than one that leaves a core free.
 */
export function openLlamaRuntime(options: { threads?: number | undefined } = {}): Runtime {
  const threads = options.threads ?? Math.max(1, Math.floor(availableParallelism() / 2))
  const bases = new Map<string, Promise<{ model: LlamaModel; vocabulary: VocabularyHandle } | Refusal>>()
  const vocabularies = new Map<string, Promise<VocabularyHandle | Refusal>>()
  const scorers = new Set<Scorer>()
  /** Scorers by base, those being opened included. */
  const users = new Map<string, number>()

  async function release(base: string): Promise<void> {
    users.set(base, users.get(base)! - 1)
    if (users.get(base)) return
    const latest = bases.get(base)
    if (latest) {
      bases.delete(base)
      bases.set(base, latest)
    }
    const idle = [...bases.keys()].filter((path) => !users.get(path))
    for (const path of idle.slice(0, -IDLE)) {
      const loaded = await forget(path)
      if (loaded && !isRefusal(loaded)) await loaded.model.dispose()
    }
  }

  /** Whoever opens it from now on loads it anew. */
  function forget(path: string) {
    const loading = bases.get(path)
    bases.delete(path)
    users.delete(path)
    return loading
  }

  async function load(base: string): Promise<{ model: LlamaModel; vocabulary: VocabularyHandle } | Refusal> {
    const readable = await vocabulary(base)
    if (isRefusal(readable)) return readable
    let model: LlamaModel
    try {
      model = await (await llama()).loadModel({ modelPath: base })
    } catch (cause) {
      return refuse('base_unreadable', `llama.cpp cannot load "${base}": ${reason(cause)}.`, 'Give a whole GGUF file of an architecture that llama.cpp knows.')
    }
    const handle = vocabularyOf(model)
    if (!isRefusal(handle)) return { model, vocabulary: handle }
    await model.dispose()
    return handle
  }

  async function vocabulary(base: string): Promise<VocabularyHandle | Refusal> {
    const found = vocabularies.get(base) ?? openVocabulary(base)
    vocabularies.set(base, found)
    const handle = await found
    if (isRefusal(handle)) vocabularies.delete(base)
    return handle
  }

  return {
    vocabulary: (base): Promise<Vocabulary | Refusal> => vocabulary(base),

    async open({ base, adapter, labelTokens, serving }) {
      const loading = bases.get(base) ?? load(base)
      bases.set(base, loading)
      users.set(base, (users.get(base) ?? 0) + 1)
      const loaded = await loading
      if (isRefusal(loaded)) {
        forget(base)
        return loaded
      }
      const settings: ServingSettings = {
        contextTokens: Math.min(serving?.contextTokens ?? Number.POSITIVE_INFINITY, loaded.vocabulary.contextLength),
        threads: serving?.threads ?? threads,
        sequences: serving?.sequences ?? SEQUENCES,
        promptCache: serving?.promptCache ?? false,
      }
      let context: LlamaContext
      try {
        const other = adapter === null ? undefined : await refuseOtherBase(adapter, base)
        if (other) return other
        context = await loaded.model.createContext({
          contextSize: settings.contextTokens,
          sequences: settings.sequences,
          batchSize: Math.min(512, settings.contextTokens) * 2,
          threads: settings.threads,
          ...(adapter === null ? {} : { lora: adapter }),
        })
      } catch (cause) {
        await release(base)
        return refuse(
          'adapter_unreadable',
          `llama.cpp cannot use the adapter "${adapter}" with "${base}": ${reason(cause)}.`,
          'The adapter belongs to another base or is damaged; build again.',
        )
      }
      const scorer = scorerOn(context, loaded.vocabulary, loaded.vocabulary.labelIds(labelTokens) as Token[], settings, async () => {
        scorers.delete(scorer)
        await release(base)
      })
      scorers.add(scorer)
      return scorer
    },

    async close() {
      for (const scorer of [...scorers]) await scorer.close()
      for (const found of vocabularies.values()) {
        const handle = await found
        if (!isRefusal(handle)) await handle.close()
      }
      for (const loading of bases.values()) {
        const loaded = await loading
        if (!isRefusal(loaded)) await loaded.model.dispose()
      }
      bases.clear()
      vocabularies.clear()
    },
  }
}

function scorerOn(
  context: LlamaContext,
  vocabulary: VocabularyHandle,
  labels: Token[],
  { contextTokens, sequences, promptCache }: ServingSettings,
  closed: () => Promise<void>,
): Scorer {
  const free: LlamaContextSequence[] = Array.from({ length: sequences }, () => context.getSequence())
  const waiting: ((sequence: LlamaContextSequence) => void)[] = []
  let closing: Promise<void> | undefined
  let running = 0
  let idle = () => {}

  /** Runs `work` on a sequence of its own; callers beyond the number of sequences wait their turn. `work` decides what of its history stays. */
  async function withSequence<T>(work: (sequence: LlamaContextSequence) => Promise<T>): Promise<T> {
    const sequence = await take()
    try {
      return await work(sequence)
    } finally {
      give(sequence)
    }
  }

  async function take(): Promise<LlamaContextSequence> {
    if (closing) throw new ClosedError()
    running++
    return free.pop() ?? (await new Promise<LlamaContextSequence>((resolve) => waiting.push(resolve)))
  }

  function give(sequence: LlamaContextSequence): void {
    const next = waiting.shift()
    if (next) next(sequence)
    else free.push(sequence)
    if (--running === 0) idle()
  }

  async function scoreOne(prompt: Prompt): Promise<number[][]> {
    const { tokens, reads } = vocabulary.tokenize(prompt)
    if (tokens.length > contextTokens)
      throw new RangeError(`A prompt has ${tokens.length} tokens, but the base reads at most ${contextTokens}; cut it into windows.`)
    const last = reads.at(-1)
    if (!last) return []
    const wanted = new Set(reads.map((read) => read.position))
    const items: ControlledEvaluateInputItem[] = tokens
      .slice(0, last.position + 1)
      .map((token, position) => (wanted.has(position) ? [token as Token, { generateNext: { logits: { filter: { tokens: labels } } } }] : (token as Token)))
    const { results, kept } = await withSequence(async (sequence) => {
      const same = promptCache ? await keepCommon(sequence, tokens as Token[], reads[0]!.position) : await clear(sequence)
      return { results: await sequence.controlledEvaluate(items.slice(same)), kept: same }
    })
    return reads.map(({ position, labels: choices }) => {
      const logits = results[position - kept]?.next.logits
      if (!logits) throw new NoLogitsError(position)
      return softmax(labels.map((label, index) => (choices && !choices.includes(index) ? Number.NEGATIVE_INFINITY : logits.get(label)!)))
    })
  }

  return {
    async score(prompts, { signal } = {}) {
      const results: number[][][] = new Array(prompts.length)
      let next = 0
      const worker = async () => {
        while (next < prompts.length) {
          signal?.throwIfAborted()
          const index = next++
          results[index] = await scoreOne(prompts[index]!)
        }
      }
      await Promise.all(Array.from({ length: Math.min(sequences, prompts.length) }, worker))
      return results
    },

    async *write(prompt, { mostTokens, signal }) {
      const tokens = vocabulary.tokenize(prompt).tokens as Token[]
      const room = Math.min(mostTokens, contextTokens - tokens.length)
      if (room < 1) throw new RangeError(`A prompt has ${tokens.length} tokens, and of ${contextTokens} none are left to write in; cut it.`)
      const sequence = await take()
      try {
        await clear(sequence)
        const written: Token[] = []
        let said = ''
        for await (const token of sequence.evaluate(tokens, { temperature: 0 })) {
          signal?.throwIfAborted()
          if (vocabulary.ends(token)) break
          written.push(token)
          // A character may need several tokens: what is not whole yet waits.
          const text = vocabulary.text(written)
          if (!text.endsWith('\uFFFD') && text.length > said.length) {
            yield text.slice(said.length)
            said = text
          }
          if (written.length >= room) break
        }
      } finally {
        give(sequence)
      }
    },

    async likelihood(prefix, continuations, { best = false } = {}) {
      const prefixTokens = vocabulary.tokenize(prefix).tokens as Token[]
      const options = continuations.map((text) => vocabulary.tokenize([{ kind: 'text', text }]).tokens as Token[])
      const longest = Math.max(0, ...options.map((tokens) => tokens.length))
      if (prefixTokens.length + longest > contextTokens)
        throw new RangeError(`A prompt has ${prefixTokens.length + longest} tokens, but the base reads at most ${contextTokens}.`)
      const ask = (token: Token, wanted: Token[]): ControlledEvaluateInputItem => [
        token,
        { generateNext: { totalLogitWeight: true, logits: { filter: { tokens: wanted, includeMax: true } } } },
      ]
      return withSequence(async (sequence) => {
        await clear(sequence)
        const firsts = [...new Set(options.map((tokens) => tokens[0]!))]
        const head = await sequence.controlledEvaluate([...prefixTokens.slice(0, -1), ask(prefixTokens.at(-1)!, firsts)])
        const first = head[prefixTokens.length - 1]!.next
        const likelihoods: number[] = options.map(() => Number.NEGATIVE_INFINITY)
        // Further tokens only take away, so that the first alone bounds what a continuation can reach: the most promising first.
        const heads = options.map((tokens) => logProbability(first, tokens[0]!))
        const order = options.map((_, index) => index).sort((a, b) => heads[b]! / options[b]!.length - heads[a]! / options[a]!.length)
        let most = Number.NEGATIVE_INFINITY
        for (const index of order) {
          const tokens = options[index]!
          let sum = heads[index]!
          if (best && sum / tokens.length < most) break
          if (tokens.length > 1) {
            await sequence.eraseContextTokenRanges([{ start: prefixTokens.length, end: sequence.nextTokenIndex }])
            const tail = await sequence.controlledEvaluate(tokens.slice(0, -1).map((token, index) => ask(token, [tokens[index + 1]!])))
            for (let place = 1; place < tokens.length; place++) sum += logProbability(tail[place - 1]!.next, tokens[place]!)
          }
          likelihoods[index] = sum / tokens.length
          most = Math.max(most, likelihoods[index]!)
        }
        return likelihoods
      })
    },

    close: () => (closing ??= close()),
  }

  async function close(): Promise<void> {
    // Disposing a context that is evaluating takes the process down, so the last evaluation is waited for.
    if (running) await new Promise<void>((resolve) => (idle = resolve))
    await context.dispose()
    await closed()
  }
}

async function clear(sequence: LlamaContextSequence): Promise<number> {
  await sequence.clearHistory()
  return 0
}

/** Forgets all of a sequence's history but what `tokens` begin with, at most `most` of them; returns how many stay. */
async function keepCommon(sequence: LlamaContextSequence, tokens: readonly Token[], most: number): Promise<number> {
  const history = sequence.contextTokens
  let same = 0
  while (same < most && same < history.length && history[same] === tokens[same]) same++
  if (same === 0) return clear(sequence)
  if (history.length > same) await sequence.eraseContextTokenRanges([{ start: same, end: history.length }])
  return same
}

/** log p of a token from raw logits: logit - max - log(sum of exp(logit - max)). */
function logProbability(next: { logits?: Map<Token, number>; totalLogitWeight?: number }, token: Token): number {
  const logits = next.logits
  if (!logits || next.totalLogitWeight === undefined) throw new NoLogitsError(-1)
  return logits.get(token)! - Math.max(...logits.values()) - Math.log(next.totalLogitWeight)
}

function softmax(logits: number[]): number[] {
  const largest = Math.max(...logits)
  const weights = logits.map((logit) => Math.exp(logit - largest))
  const sum = weights.reduce((total, weight) => total + weight, 0)
  return weights.map((weight) => weight / sum)
}

function reason(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).replace(/\.+$/, '')
}

/** llama.cpp evaluated a prompt but gave no logits where they were asked for. */
export class NoLogitsError extends BaseError {
  override readonly name = 'LlamaRuntime.NoLogitsError'
  constructor(position: number) {
    super(`llama.cpp gave no logits at position ${position}.`)
  }
}

/** A scorer is used after it was closed. */
export class ClosedError extends BaseError {
  override readonly name = 'LlamaRuntime.ClosedError'
  constructor() {
    super('This model was closed and cannot score any more.')
  }
}
