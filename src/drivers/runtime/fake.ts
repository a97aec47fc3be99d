/**
 * A fake runtime, named fake: probabilities are a hash of the prompt up to the place read. It has the shape of a model and
 * no sense. For tests of what stands above a runtime; passes the same suite as the real one.
 */
import { access } from 'node:fs/promises'
import { refuse } from '../../core/errors.ts'
import { hashText } from '../../core/id.ts'
import type { Prompt } from '../../core/prompt.ts'
import type { Runtime, Vocabulary } from '../../ports/runtime.ts'

const CONTEXT = 256
const LABELS = 256

export function fakeRuntime(): Runtime {
  const count = (text: string) => text.match(/\S+|\s\s+/g)?.length ?? 0
  const vocabulary: Vocabulary = {
    count,
    contextLength: CONTEXT,
    labelTokens: (wanted) =>
      wanted > LABELS
        ? refuse('too_many_labels', `The fake base has ${LABELS} label tokens, but ${wanted} were asked for.`, 'Use fewer labels.')
        : Array.from({ length: wanted }, (_, index) => `<|l${index}|>`),
  }
  const missing = async (base: string) =>
    access(base).then(
      () => undefined,
      () => refuse('base_missing', `There is no base model at "${base}".`, 'Give the path of a file.'),
    )
  const length = (prompt: Prompt) =>
    prompt.reduce((sum, segment) => sum + (segment.kind === 'text' ? count(segment.text) : segment.kind === 'special' ? 1 : 0), 0)

  return {
    vocabulary: async (base) => (await missing(base)) ?? vocabulary,
    async open({ base, adapter, labelTokens, serving }) {
      const refused = await missing(base)
      if (refused) return refused
      let open = true
      const most = Math.min(CONTEXT, serving?.contextTokens ?? CONTEXT)
      return {
        async score(prompts, { signal } = {}) {
          if (!open) throw new Error('The fake scorer is closed.')
          return prompts.map((prompt) => {
            signal?.throwIfAborted()
            if (length(prompt) > most) throw new RangeError(`A prompt has ${length(prompt)} tokens, but the fake base reads at most ${most}.`)
            let seen = adapter ?? ''
            return prompt.flatMap((segment) => {
              if (segment.kind !== 'read') seen += segment.kind === 'text' ? segment.text : `<${segment.token}>`
              return segment.kind === 'read'
                ? [normalised(labelTokens.map((token, index) => (segment.labels && !segment.labels.includes(index) ? 0 : fraction(seen + token))))]
                : []
            })
          })
        },
        // Writes the prompt's last text backwards, word by word.
        async *write(prompt, { mostTokens, signal }) {
          if (!open) throw new Error('The fake scorer is closed.')
          if (length(prompt) >= most) throw new RangeError(`A prompt has ${length(prompt)} tokens, which leaves the fake base no room to write.`)
          const said = prompt.findLast((segment) => segment.kind === 'text')
          const words = (said?.kind === 'text' ? said.text : '').split(/\s+/).filter(Boolean).reverse()
          for (const [index, word] of words.slice(0, Math.min(mostTokens, most - length(prompt))).entries()) {
            signal?.throwIfAborted()
            yield index ? ` ${word}` : word
          }
        },
        likelihood: async (prefix, continuations) => continuations.map((text) => Math.log(fraction(JSON.stringify(prefix) + text))),
        async close() {
          open = false
        },
      }
    },
    close: async () => {},
  }
}

function fraction(text: string): number {
  return (Number.parseInt(hashText(text).slice(2, 10), 16) + 1) / 2 ** 33
}

function normalised(weights: number[]): number[] {
  const sum = weights.reduce((total, weight) => total + weight, 0)
  return weights.map((weight) => weight / sum)
}
