/**
 * What a paying client must remember: what it spent today, in all and per model; which nonce comes next; which payments are signed
 * and have no known outcome. Kept by a hook of the caller's, as one JSON text. Knows nothing of HTTP or signatures.
 */
import { BaseError, type Refusal, refuse } from '../../core/errors.ts'
import type { Hex } from '../../core/listing.ts'
import { formatOpen } from '../../core/royalty.ts'

/** In atomic units of OPEN; a day is a day of UTC. What is left out has no limit. */
export type Budget = { perDay?: bigint; perModelPerDay?: bigint | Readonly<Record<string, bigint>> }

/** Where the ledger is kept: localStorage, a file, a database. It must be one client's alone. */
export type Keep = { load(): Promise<string | null | undefined> | string | null | undefined; save(text: string): Promise<void> | void }

/** A payment that was signed for a request and may or may not have been made. */
export type Pending = { header: string; validBefore: number; price: string; model: string; day: string }

type Book = {
  version: 1
  day: string
  /** Atomic units by model. */
  spent: Record<string, string>
  /** The 31 bytes that nonces share, and the next of the 256 that go with them: such nonces share a word of the token's storage. */
  nonces: { prefix: string; next: number } | null
  pending: Record<string, Pending>
}

export type Ledger = {
  /** Takes `price` out of the budget of `model`, or says what stands in the way. `now` is Unix milliseconds. */
  reserve(model: string, price: bigint, now: number): Refusal | undefined
  /** Puts back what was reserved for a signature that nobody was sent. */
  release(model: string, price: bigint, day: string): void
  nonce(): Hex
  pending(key: string, now: number): Pending | undefined
  hold(key: string, pending: Pending): Promise<void>
  /** Forgets a payment, if it is still the one with this header. */
  drop(key: string, header: string): Promise<void>
  /** Atomic units spent today, in all and by model. */
  spent(now: number): { day: string; total: bigint; models: Record<string, bigint> }
}

/** @throws {LedgerError} when what the hook loads is no ledger: starting anew would forget what was spent. */
export async function openLedger(budget: Budget, keep: Keep | undefined): Promise<Ledger> {
  const book = read(await keep?.load())
  let writing: Promise<unknown> = Promise.resolve()
  const save = (): Promise<void> => {
    const done = writing.then(() => keep?.save(JSON.stringify(book)))
    writing = done.catch(() => {})
    return done
  }
  const turn = (now: number): string => {
    const day = dayOf(now)
    if (book.day !== day) Object.assign(book, { day, spent: {} })
    return day
  }
  const total = () => Object.values(book.spent).reduce((sum, amount) => sum + BigInt(amount), 0n)

  return {
    reserve(model, price, now) {
      const day = turn(now)
      const spent = BigInt(own(book.spent, model) ?? '0')
      const { perDay, perModelPerDay } = budget
      const most = typeof perModelPerDay === 'object' ? own(perModelPerDay, model) : perModelPerDay
      const reached = (code: string, limit: bigint, used: bigint, what: string) =>
        refuse(
          code,
          `The query costs ${formatOpen(price)} OPEN, and of the ${formatOpen(limit)} OPEN ${what} on ${day}, ${formatOpen(used < limit ? limit - used : 0n)} are left.`,
          'Wait until midnight UTC, or raise the budget.',
        )
      if (perDay !== undefined && total() + price > perDay) return reached('budget_of_day_reached', perDay, total(), 'to be spent')
      if (most !== undefined && spent + price > most) return reached('budget_of_model_reached', most, spent, `to be spent on ${model}`)
      Object.defineProperty(book.spent, model, { value: `${spent + price}`, enumerable: true, writable: true, configurable: true })
      return undefined
    },
    release(model, price, day) {
      if (day !== book.day) return
      const left = BigInt(own(book.spent, model) ?? '0') - price
      book.spent[model] = `${left > 0n ? left : 0n}`
    },
    nonce() {
      if (!book.nonces || book.nonces.next > 255) book.nonces = { prefix: randomHex(31), next: 0 }
      return `0x${book.nonces.prefix}${(book.nonces.next++).toString(16).padStart(2, '0')}`
    },
    pending(key, now) {
      // A signature that has run out can no longer be settled, so nothing is paid twice by forgetting it.
      for (const [other, { validBefore }] of Object.entries(book.pending)) if (validBefore * 1000 < now) delete book.pending[other]
      return own(book.pending, key)
    },
    hold(key, pending) {
      book.pending[key] = pending
      return save()
    },
    async drop(key, header) {
      if (own(book.pending, key)?.header !== header) return
      delete book.pending[key]
      await save()
    },
    spent(now) {
      const day = turn(now)
      return { day, total: total(), models: Object.fromEntries(Object.entries(book.spent).map(([model, amount]) => [model, BigInt(amount)])) }
    },
  }
}

export function dayOf(now: number): string {
  return new Date(now).toISOString().slice(0, 10)
}

function read(text: string | null | undefined): Book {
  if (text == null || text === '') return { version: 1, day: '', spent: {}, nonces: null, pending: {} }
  try {
    const book = JSON.parse(text) as Book
    const numbers = Object.values(book.spent).every((amount) => /^\d+$/.test(amount))
    const nonces = book.nonces === null || (/^[0-9a-f]{62}$/.test(book.nonces.prefix) && Number.isInteger(book.nonces.next) && book.nonces.next >= 0)
    if (book.version === 1 && typeof book.day === 'string' && numbers && nonces && typeof book.pending === 'object' && book.pending !== null) return book
  } catch {
    // Said below.
  }
  throw new LedgerError('What was kept of this client’s spending is damaged.', { hints: ['Restore it, or remove it if you know what was spent today.'] })
}

/** A value by a name that comes from outside: never one of Object's own. */
function own<Value>(record: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined
}

function randomHex(bytes: number): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** The ledger cannot be read. */
export class LedgerError extends BaseError {
  override readonly name = 'Client.LedgerError'
}
