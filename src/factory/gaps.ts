/**
 * Gaps: keeps a question that a model had no answer to, where its caller allows the builder to read it, and shows the builder what to improve next.
 * Knows nothing of HTTP, nor of who asked.
 */
import type { AnswerPart } from '../core/answer.ts'
import { type GapsView, gapsView } from '../core/gaps.ts'
import { plainText } from '../core/market.ts'
import { tagsOf, termsIn } from '../drivers/planner/concepts.ts'
import type { MarketRecords } from '../ports/market.ts'

const LONGEST = 1000

export interface Gaps {
  /** The same parts; when the answer at their end is none, the question is kept. */
  watch(model: string, question: string, parts: AsyncIterable<AnswerPart>): AsyncGenerator<AnswerPart>
  view(): Promise<GapsView>
  /** Forgets those of one model, e.g. after it was built anew with their answers. */
  forget(model: string): Promise<GapsView>
}

export function openGaps(records: Pick<MarketRecords, 'gap' | 'gaps' | 'forgetGaps'>, now: () => number): Gaps {
  const view = async () => gapsView(await records.gaps())
  return {
    view,
    async *watch(model, question, parts) {
      for await (const part of parts) {
        // Before the part is given: whoever has the whole answer asks for no more.
        if ('answer' in part && part.answer.abstained) {
          const text = plainText(question, LONGEST)
          // What the caller gets does not depend on whether it could be kept.
          await records
            .gap({ model, question: text, tags: tagsOf(termsIn(text)), at: Math.floor(now() / 1000) })
            .catch((error: unknown) => console.error(`A question that ${model} had no answer to could not be kept:`, error))
        }
        yield part
      }
    },
    async forget(model) {
      await records.forgetGaps(model)
      return view()
    },
  }
}
