/**
 * Tape: records an answer as it is made, so that the maker runs to the end whoever listens, and a listener may come late.
 * Knows nothing of models or payment.
 */
import type { Answer, AnswerPart } from '../core/answer.ts'

export class Tape {
  /** The whole answer; rejects with the maker's fault. */
  readonly whole: Promise<Answer>
  #parts: AnswerPart[] = []
  #ended = false
  #listeners: (() => void)[] = []

  constructor(source: AsyncIterable<AnswerPart>) {
    this.whole = this.#record(source)
    this.whole.catch(() => {})
  }

  /** Settles at the first part; rejects when the maker fails before it. */
  async started(): Promise<void> {
    if (this.#parts.length === 0) await this.#change()
    if (this.#parts.length === 0) await this.whole
  }

  /** The parts from the first on, as they come; throws the maker's fault where it happened. */
  async *play(): AsyncGenerator<AnswerPart> {
    for (let index = 0; ; ) {
      const part = this.#parts[index]
      if (part) {
        index++
        yield part
      } else if (this.#ended) {
        await this.whole
        return
      } else await this.#change()
    }
  }

  async #record(source: AsyncIterable<AnswerPart>): Promise<Answer> {
    try {
      for await (const part of source) {
        this.#parts.push(part)
        this.#tell()
        if ('answer' in part) return part.answer
      }
      throw new UnfinishedError()
    } finally {
      this.#ended = true
      this.#tell()
    }
  }

  #change(): Promise<void> {
    return this.#ended ? Promise.resolve() : new Promise((resolve) => this.#listeners.push(resolve))
  }

  #tell(): void {
    for (const resume of this.#listeners.splice(0)) resume()
  }
}

/** The maker stopped without giving the whole answer, which every run must end with. */
export class UnfinishedError extends Error {
  override readonly name = 'Tape.UnfinishedError'
  constructor() {
    super('The model stopped before its answer was whole.')
  }
}
