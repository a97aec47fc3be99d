/**
 * Free questions: how many a visitor may ask of a model each day before paying, set by its builder. Who asked is forgotten at the end of the day, or
 * when the server stops. Knows nothing of how a visitor is told from another.
 */
import type { AnswerPart } from '../core/answer.ts'
import type { PaidPart } from '../core/receipt.ts'
import type { Database } from '../ports/database.ts'

/** Says how many free questions are left to this visitor today. */
export const FREE_LEFT = 'X-ModelFactory-Free-Left'
/** `no` from whoever means to pay though a free question is left. */
export const FREE_WISH = 'X-ModelFactory-Free'
/** The most a builder can set. */
export const MOST_FREE = 100
/** Visitors remembered at once; beyond them nobody new asks for nothing, so that addresses without number cost no memory. */
const MOST_VISITORS = 100_000

export interface Trials {
  questions(model: string): Promise<number>
  set(model: string, questions: number): Promise<void>
  /** What this visitor may still ask of it today. */
  left(model: string, visitor: string): Promise<number>
  /** Takes one; what is left after it, or undefined where none was. */
  take(model: string, visitor: string): Promise<number | undefined>
}

export function openTrials({ settings }: Pick<Database, 'settings'>, now: () => number): Trials {
  const key = (model: string) => `free-questions:${model}`
  let day = -1
  const used = new Map<string, number>()
  /** Forgets yesterday. */
  const today = () => {
    const date = Math.floor(now() / 86_400_000)
    if (date !== day) used.clear()
    day = date
    return used
  }
  async function questions(model: string): Promise<number> {
    const kept = await settings.get(key(model))
    return typeof kept === 'number' ? kept : 0
  }
  async function left(model: string, visitor: string): Promise<number> {
    return Math.max(0, (await questions(model)) - (today().get(`${model} ${visitor}`) ?? 0))
  }
  return {
    questions,
    left,
    set: (model, count) => settings.set(key(model), count || undefined),
    async take(model, visitor) {
      const most = await questions(model)
      // Between here and the count nothing waits: two at once do not share the last one.
      const counts = today()
      const name = `${model} ${visitor}`
      const before = counts.get(name) ?? 0
      if (before >= most || (before === 0 && counts.size >= MOST_VISITORS)) return undefined
      counts.set(name, before + 1)
      return most - before - 1
    },
  }
}

/** An answer that nobody pays for, with the reason at its end. */
export async function* forNothing(parts: AsyncIterable<AnswerPart>, left: number): AsyncIterable<PaidPart> {
  yield* parts
  yield { free: `This is one of the questions its builder gives away. ${left === 0 ? 'It was the last one today; the next is paid.' : `${left} more today.`}` }
}
