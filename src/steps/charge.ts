/**
 * Charge: one paid query. The order is: verify the authorization -> reserve it in the database -> run the model ->
 * first part ready -> settle by contract -> stream. Nothing is charged for a model that cannot start, nothing is paid
 * twice, and an outcome that is not known is never answered by asking for another payment.
 * Knows nothing of what the model does, of the payment's wire format, or of the web server; statuses are HTTP's.
 */
import type { Answer, AnswerPart } from '../core/answer.ts'
import { type Refusal, refuse } from '../core/errors.ts'
import type { Id } from '../core/id.ts'
import type { PaidPart, Receipt } from '../core/receipt.ts'
import { failedTerm, late, type TermFailed, type Terms, type TermsMet } from '../core/terms.ts'
import type { Chain, Settlement } from '../ports/chain.ts'
import type { Database, Payment } from '../ports/database.ts'
import type { Payments, Quote } from '../ports/payments.ts'
import { complete, paymentKey, readAuthorization, type Settled, writeAuthorization } from './reconcile.ts'
import { Tape } from './tape.ts'

export type ChargePorts = {
  payments: Payments
  chain: Pick<Chain, 'settle' | 'settlement'>
  database: Pick<Database, 'payments' | 'receipts'>
}

export type ChargeOptions = {
  quote: Quote
  /** The payer's header as it came, undefined when there is none. */
  payment: string | undefined
  /** Hash of the model asked and the request's body: the same payment gets the same answer to the same request only. */
  requestHash: Id
  packageId: Id
  /** What the payer asks of the answer: it is judged before it is paid for, and neither paid for nor released when it fails. */
  terms?: Terms | undefined
  /** Runs the model; the signal says that nobody will pay for the answer any more. */
  run: (signal: AbortSignal) => AsyncIterable<AnswerPart>
  /** Aborts when the client leaves. After the payment it no longer matters. */
  signal: AbortSignal
  /** Unix milliseconds. */
  now: () => number
}

/** `fault` is for the log only. `receipt` settles when answer and receipt are kept; it may be left alone. Null: nothing was charged. */
export type Charged =
  | { kind: 'reply'; status: number; headers: Record<string, string>; body: unknown; fault?: unknown }
  | { kind: 'answer'; headers: Record<string, string>; parts: AsyncIterable<PaidPart>; receipt: Promise<Receipt> | null }

/** How long an answer that has begun may take to become whole before it is paid for, so that a crash cannot lose it. */
const WHOLE_WITHIN_MS = 20

/** The longest an answer with terms may take when they say nothing of time. */
const LONGEST_SECONDS = 600

/** Runs one query through payment. @throws only faults of the database. */
export async function charge(ports: ChargePorts, options: ChargeOptions): Promise<Charged> {
  const { payments, database } = ports
  const { quote, requestHash, packageId, now } = options
  if (options.payment === undefined)
    return demand(
      ports,
      quote,
      refuse('payment_required', `A query of ${quote.model} must be paid.`, 'Sign the terms in this reply and send the request again.'),
    )
  const read = payments.read(options.payment)
  if ('refused' in read) return reply(400, read, 'invalid_request_error')
  // A payment already made is looked up before it is judged: by now it may have run out, or have emptied the wallet.
  const key = paymentKey(read.authorization)
  const earlier = await database.payments.get(key)
  if (earlier && earlier.authorization === writeAuthorization(read.authorization)) return again(ports, options, earlier)
  const verified = await payments.verify(options.payment, quote)
  if ('refused' in verified) return demand(ports, quote, verified)
  const { authorization } = verified
  const reservation: Payment = {
    key,
    modelId: quote.modelId,
    packageId,
    requestHash,
    payer: authorization.from,
    builder: quote.payTo,
    amount: quote.price,
    authorization: writeAuthorization(authorization),
    state: 'reserved',
    answer: null,
    tx: null,
    final: false,
    terms: null,
    identifier: read.identifier ?? null,
    createdAt: now(),
    updatedAt: now(),
  }
  const { created, payment } = await database.payments.reserve(reservation)
  if (!created && payment.key !== key) return named(ports, options, payment)
  if (!created) return payment.authorization === reservation.authorization ? again(ports, options, payment) : spent(ports, quote)
  return answerAndSettle(ports, options, payment, 'reserved')
}

/** The payer signed anew what they paid, or are paying, under the same name: they are not charged again. The new signature is not used. */
async function named(ports: ChargePorts, { quote, requestHash }: ChargeOptions, payment: Payment): Promise<Charged> {
  const hint = 'Send the same request with the payment it was first sent with, or name the payment otherwise.'
  if (payment.requestHash !== requestHash || payment.modelId !== quote.modelId)
    return reply(
      409,
      refuse('payment_identifier_used', `The payment "${payment.identifier}" is of another request.`, hint),
      'invalid_request_error',
      doNotRetry,
    )
  if (payment.state === 'settled' && payment.answer !== null) return replay(ports, payment, payment.answer)
  const refusal = refuse('payment_in_use', `The payment "${payment.identifier}" was sent before, and its answer is not there yet.`, hint)
  return reply(409, refusal, 'invalid_request_error', { 'Retry-After': '1', ...doNotRetry })
}

/** The same authorization has been here before. */
async function again(ports: ChargePorts, options: ChargeOptions, payment: Payment): Promise<Charged> {
  const { quote, now } = options
  const { database } = ports
  const sameRequest = payment.requestHash === options.requestHash && payment.modelId === quote.modelId
  switch (payment.state) {
    case 'reserved':
    case 'sending':
      return busy(sameRequest)
    case 'released':
      return demand(ports, quote, refuse('payment_released', 'The contract refused this payment before, and it was never charged.', 'Sign a new one.'))
    case 'unknown':
      if (!sameRequest) return busy(sameRequest)
      // Settling is idempotent, so the payer's second try is also ours; the state lets one of several tries through.
      if (!(await database.payments.move(payment.key, ['unknown'], { state: 'sending', updatedAt: now() }))) return busy(sameRequest)
      return payment.answer === null ? answerAndSettle(ports, options, payment, 'sending') : settle(ports, options, payment, tapeOf(payment.answer))
    case 'settled': {
      if (!sameRequest) return spent(ports, quote)
      if (payment.answer !== null) return replay(ports, payment, payment.answer)
      if (!(await database.payments.move(payment.key, ['settled'], { state: 'sending', updatedAt: now() }))) return busy(sameRequest)
      // Paid for and cut off: run again and settle "again", which the chain answers with the payment already made.
      return answerAndSettle(ports, options, payment, 'sending')
    }
  }
}

/** Runs the model until its first part, then settles. `state` is where the payment stands; only `reserved` can be freed. */
async function answerAndSettle(ports: ChargePorts, options: ChargeOptions, payment: Payment, state: 'reserved' | 'sending'): Promise<Charged> {
  const { database } = ports
  const { signal, now, quote } = options
  const working = new AbortController()
  const stop = () => working.abort(signal.reason)
  signal.addEventListener('abort', stop, { once: true })
  /** Nothing was charged in this round: a fresh reservation is freed, an older payment goes back to where it stood. */
  const back = async () => {
    working.abort()
    signal.removeEventListener('abort', stop)
    if (state === 'reserved') await database.payments.remove(payment.key, ['reserved'])
    else await database.payments.move(payment.key, ['sending'], { state: payment.state, updatedAt: now() })
  }
  // A payment that stands already was judged before it was made.
  const terms = state === 'reserved' ? options.terms : undefined
  try {
    let tape: Tape
    let answer: Answer | null
    const began = now()
    try {
      signal.throwIfAborted()
      tape = new Tape(options.run(working.signal))
      if (terms) answer = await unless(signal, Promise.race([tape.whole, later((terms.withinSeconds ?? LONGEST_SECONDS) * 1000)]))
      else {
        await unless(signal, tape.started())
        answer = await unless(signal, Promise.race([tape.whole, later(WHOLE_WITHIN_MS)]))
      }
    } catch (fault) {
      await back()
      if (signal.aborted) return reply(499, refuse('client_left', 'The client left before the answer began.', 'Nothing was charged.'), 'invalid_request_error')
      const failed = refuse('model_failed', `The model ${quote.model} failed before its answer began.`, 'Nothing was charged; try again.')
      return { ...reply(500, failed, 'server_error'), fault }
    }
    const seconds = Math.max(0, now() - began) / 1000
    const failed = terms && (answer ? failedTerm(terms, answer, seconds) : late(terms.withinSeconds ?? LONGEST_SECONDS))
    if (failed) {
      await back()
      return unmet(failed)
    }
    if (answer?.abstained && quote.abstention === 'free' && state === 'reserved') {
      await back()
      return unpaid(answer)
    }
    signal.removeEventListener('abort', stop)
    const met: TermsMet | undefined = terms && { asked: terms, judgedBy: 'gateway', seconds }
    const patch = { state: 'sending', answer: answer && JSON.stringify(answer), ...(met && { terms: JSON.stringify(met) }), updatedAt: now() } as const
    if (!(await database.payments.move(payment.key, [state], patch))) throw new LostError(payment.key)
    return await settle(ports, options, { ...payment, ...patch }, tape, () => working.abort())
  } catch (fault) {
    await back().catch(() => {})
    await database.payments.move(payment.key, ['sending'], { state: 'unknown', updatedAt: now() }).catch(() => false)
    throw fault
  }
}

/** Settles a payment in state `sending`; then the answer is released, and kept with its receipt even if nobody listens. */
async function settle(ports: ChargePorts, options: ChargeOptions, payment: Payment, tape: Tape, stop: () => void = () => {}): Promise<Charged> {
  const { chain, payments, database } = ports
  const { quote, requestHash, now } = options
  const { key, modelId } = payment
  const settlement = await chain
    .settle({ modelId, requestHash, authorization: readAuthorization(payment) })
    .catch((fault: unknown): Settlement & { fault: unknown } => ({ status: 'unknown', message: 'the chain did not answer', fault }))
  const headers = payments.settled(settlement)
  // A payment with a transaction has been settled once: no later word of the chain takes that back.
  if (settlement.status === 'refused' && payment.tx === null) {
    stop()
    await database.payments.move(key, ['sending'], { state: 'released', answer: null, identifier: null, updatedAt: now() })
    const refusal = refuse(settlement.code, settlement.message, 'Nothing was charged; ask again without a payment for the current terms.')
    const demanded = demand(ports, quote, refusal)
    return { ...demanded, headers: { ...demanded.headers, ...headers } }
  }
  if (settlement.status !== 'settled') {
    await database.payments.move(key, ['sending'], { state: 'unknown', updatedAt: now() })
    // Kept as soon as it is whole, for the payer's next try.
    void tape.whole.then((answer) => database.payments.move(key, ['unknown'], { answer: JSON.stringify(answer) })).catch(() => {})
    const refusal = refuse(
      'payment_outcome_unknown',
      'Whether the payment went through is not known yet.',
      'Send the same request with the same PAYMENT-SIGNATURE again; do not sign a new payment.',
    )
    return { ...reply(503, refusal, 'server_error', { 'Retry-After': '2', ...doNotRetry }), ...('fault' in settlement ? { fault: settlement.fault } : {}) }
  }
  const receipt = keep(ports, options, payment, settlement, tape)
  receipt.catch(() => {})
  return { kind: 'answer', headers, parts: withReceipt(tape, receipt), receipt }
}

/** Waits for the whole answer, keeps it and its receipt. A model that fails now leaves a paid payment without an answer. */
async function keep(ports: ChargePorts, options: ChargeOptions, payment: Payment, settlement: Settled, tape: Tape): Promise<Receipt> {
  const { database } = ports
  const { now, quote } = options
  const answer = await tape.whole.catch(() => null)
  try {
    const receipt = await complete(database, { payment, settlement, model: quote.model, answer, now: now() })
    return payment.tx === null ? receipt : ((await keptReceipt(database, payment)) ?? receipt)
  } catch (fault) {
    await database.payments.move(payment.key, ['sending'], { state: 'unknown', updatedAt: now() }).catch(() => {})
    throw fault
  }
}

/** A payment already settled, and its answer: served from what was kept, not charged. */
async function replay(ports: ChargePorts, payment: Payment, answer: string): Promise<Charged> {
  const settlement = await ports.chain.settlement(readAuthorization(payment)).catch(() => undefined)
  const receipt = await keptReceipt(ports.database, payment)
  const tape = tapeOf(answer)
  if (!receipt) throw new LostError(payment.key)
  const kept = Promise.resolve(receipt)
  const headers = settlement?.status === 'settled' ? ports.payments.settled(settlement) : {}
  return { kind: 'answer', headers, parts: withReceipt(tape, kept), receipt: kept }
}

async function keptReceipt(database: Pick<Database, 'receipts'>, payment: Payment): Promise<Receipt | undefined> {
  const { tx, requestHash } = payment
  return tx === null ? undefined : database.receipts.find({ tx, requestHash, nonce: readAuthorization(payment).nonce })
}

async function* withReceipt(tape: Tape, receipt: Promise<Receipt>): AsyncGenerator<PaidPart> {
  yield* tape.play()
  yield { receipt: await receipt }
}

/** A kept answer as a tape that is whole from the start. */
function tapeOf(json: string): Tape {
  const answer = JSON.parse(json) as Answer
  return new Tape(
    (async function* (): AsyncGenerator<AnswerPart> {
      if (answer.text) yield { delta: answer.text }
      yield { answer }
    })(),
  )
}

/** The promise, unless the signal aborts first. */
function unless<Value>(signal: AbortSignal, promise: Promise<Value>): Promise<Value> {
  return new Promise<Value>((resolve, reject) => {
    const leave = () => reject(signal.reason)
    if (signal.aborted) leave()
    signal.addEventListener('abort', leave, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave))
  })
}

function later(milliseconds: number): Promise<null> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds, null))
}

// A client that retries by itself would come back without its payment, and sign a second one.
const doNotRetry = { 'x-should-retry': 'false' }

/** An answer that failed its terms is not shown: it would be an answer for nothing. */
function unmet({ term, message }: TermFailed): Reply {
  const hint = 'Nothing was charged, and the same payment can be used again.'
  const body = { error: { message: `${message} ${hint}`, type: 'invalid_request_error', code: 'terms_not_met', param: `terms.${term}` } }
  return { kind: 'reply', status: 422, headers: { ...doNotRetry, 'Cache-Control': 'private, no-store' }, body }
}

/** "Not covered" costs nothing where the builder says so. With `exact` a signature is for the whole price, so none of it is taken. */
function unpaid(answer: Answer): Charged {
  const free = 'The model has no answer to this, so nothing was charged. The payment was released and can be used for another question.'
  const parts = async function* (): AsyncGenerator<PaidPart> {
    yield { answer }
    yield { free }
  }
  return { kind: 'answer', headers: { 'Cache-Control': 'private, no-store' }, parts: parts(), receipt: null }
}

type Reply = Extract<Charged, { kind: 'reply' }>

function reply(status: number, refusal: Refusal, type: string, headers: Record<string, string> = {}): Reply {
  return { kind: 'reply', status, headers, body: { error: { message: `${refusal.message} ${refusal.hint}`, type, code: refusal.code, param: null } } }
}

/** 402: the terms, and why the query is not paid. */
function demand(ports: ChargePorts, quote: Quote, reason: Refusal): Reply {
  return { kind: 'reply', status: 402, ...ports.payments.required(quote, reason) }
}

function spent(ports: ChargePorts, quote: Quote): Reply {
  return demand(ports, quote, refuse('payment_spent', 'This payment was used for another request.', 'Sign a new one for this request.'))
}

function busy(sameRequest: boolean): Reply {
  const refusal = sameRequest
    ? refuse('payment_in_progress', 'The query of this payment is being answered right now.', 'Send the same request with the same payment in a moment.')
    : refuse('payment_in_use', 'This payment is being used for another request right now.', 'Sign another payment for this request.')
  return reply(409, refusal, 'invalid_request_error', { 'Retry-After': '1', ...doNotRetry })
}

/** A payment's record is not where this query left it, though nobody else may touch it. */
export class LostError extends Error {
  override readonly name = 'Charge.LostError'
  constructor(key: string) {
    super(`The record of the payment ${key} is not where it was left.`)
  }
}
