/**
 * Two ways things go wrong, kept apart. A Refusal is a value: the system works and says no, in one sentence and with
 * what to do. A fault is thrown: something is broken. Knows nothing of exit codes or HTTP; the apps map both.
 */

/** The system says no. `message` holds what is wrong with the value in it; `hint` says what to do. */
export type Refusal = {
  readonly refused: true
  /** Stable machine word in snake_case, e.g. `price_not_positive`. */
  readonly code: string
  readonly message: string
  readonly hint: string
}

/** Builds a {@link Refusal}. */
export function refuse(code: string, message: string, hint: string): Refusal {
  return { refused: true, code, message, hint }
}

/** True when a value is a {@link Refusal}. */
export function isRefusal(value: unknown): value is Refusal {
  return typeof value === 'object' && value !== null && (value as { refused?: unknown }).refused === true
}

/** Parent of every fault: a short sentence, hints, and the fault beneath it. */
export class BaseError extends Error {
  override readonly name: string = 'BaseError'
  readonly hints: readonly string[]
  constructor(message: string, options: { cause?: unknown; hints?: readonly string[] } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.hints = options.hints ?? []
  }

  /** The first error in the chain of causes for which `matches` holds. */
  walk(matches: (error: unknown) => boolean): unknown {
    let error: unknown = this
    while (error !== undefined) {
      if (matches(error)) return error
      error = error instanceof Error ? error.cause : undefined
    }
    return undefined
  }
}

/** A value that was promised not to be a refusal is one: used where a caller has already ruled refusals out. */
export class RefusedError extends BaseError {
  override readonly name = 'Errors.RefusedError'
  readonly refusal: Refusal
  constructor(refusal: Refusal) {
    super(`${refusal.message} ${refusal.hint}`)
    this.refusal = refusal
  }
}
