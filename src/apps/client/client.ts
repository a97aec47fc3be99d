/**
 * `modelfactory/client`: a fetch that pays, for browsers and Node alike; give it to an OpenAI client. Whatever goes wrong on the
 * way, one signed payment stands for one request: it is sent again as it is, and never replaced by a second one while its outcome
 * is not known. Knows nothing of models.
 */
import { BaseError, isRefusal, type Refusal, refuse } from '../../core/errors.ts'
import type { Address, Hex } from '../../core/listing.ts'
import { type Budget, dayOf, type Keep, openLedger, type Pending } from './ledger.ts'
import { type Payer, readPayment, readSettled, readTerms, signPayment } from './terms.ts'

export type { Budget, Keep, Payer }

export type ClientOptions = {
  /** The one server that may be paid, e.g. `http://127.0.0.1:4020`. */
  url: string
  /** Who pays: a viem LocalAccount, or anything that signs EIP-712 like one. */
  account: Payer
  /** CAIP-2, e.g. `eip155:31337`, and the token that pays: nothing else is ever signed for. */
  network: string
  asset: Address
  /** The most one query may cost, in atomic units. */
  maximum: bigint
  budget?: Budget
  /** Remembers spending, nonces and payments under way between runs. */
  keep?: Keep
  /** Hears of every payment as soon as the server says it is settled. */
  onPaid?: (paid: Paid) => void
  fetch?: typeof fetch
  /** Unix milliseconds. */
  now?: () => number
}

/** One payment as the server told of it. `receipt` is its signed x402 receipt, `offer` the signed terms before. */
export type Paid = { tx: Hex; model: string; modelId: string; price: bigint; at: number; request: string; offer?: unknown; receipt?: unknown }

export type Client = {
  /** Like fetch; a 402 of the server is paid and the request sent again. @throws {PayError} */
  fetch: typeof fetch
  /** Payments of this client since it was opened, oldest first. */
  paid(): readonly Paid[]
  spentToday(): { day: string; total: bigint; models: Record<string, bigint> }
  /** The passport of a payment, with the request in it and the reply's answer where it is given. */
  passport(paid: Paid, answer?: unknown): Promise<Record<string, unknown> | Refusal>
}

/** Times a paid request is sent at most: the server may be answering it still, or not yet know whether it was paid. */
const TRIES = 6
const PAUSE_MS = 1000
/** Statuses that say: the outcome is not known yet. */
const UNDECIDED = new Set([409, 425, 429, 502, 503, 504])
/** Statuses that say: this request was turned down before anything was charged. */
const TURNED_DOWN = new Set([400, 402, 403, 404, 405, 413, 415, 421, 422, 499])

/** @throws {Client.LedgerError} when what `keep` loads is damaged. */
export async function openClient(options: ClientOptions): Promise<Client> {
  const { account, network, asset, maximum } = options
  const send = options.fetch ?? ((input, init) => fetch(input, init))
  const now = options.now ?? Date.now
  const origin = new URL(options.url).origin
  const ledger = await openLedger(options.budget ?? {}, options.keep)
  const paid: Paid[] = []
  const signing = new Map<string, Promise<Pending>>()

  async function pay(body: string, key: string, required: string | null): Promise<Pending> {
    const terms = readTerms(required, { network, asset, maximum })
    if (isRefusal(terms)) throw new PayError(terms)
    const model = modelOf(body)
    const at = now()
    const refused = ledger.reserve(model, terms.price, at)
    if (refused) throw new PayError(refused)
    const day = dayOf(at)
    try {
      const { header, validBefore } = await signPayment(account, terms, ledger.nonce(), Math.floor(at / 1000))
      const pending = { header, validBefore, price: `${terms.price}`, model, day }
      // Kept before it is sent: a crash in between must not lead to a second signature.
      await ledger.hold(key, pending)
      return pending
    } catch (fault) {
      // Nobody was sent the signature, so nobody can use it. From here on the budget counts it, whatever a server says became of it.
      ledger.release(model, terms.price, day)
      throw fault
    }
  }

  async function paying(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    const request = new Request(input, init)
    const body = request.body === null ? '' : await request.clone().text()
    const key = `${request.method} ${request.url} ${await digest(body)}`
    let pending = ledger.pending(key, now()) ?? (await signing.get(key))
    if (!pending) {
      const first = await send(request.clone())
      if (first.status !== 402) return first
      if (new URL(request.url).origin !== origin)
        throw new PayError(
          refuse('server_not_yours', `${new URL(request.url).origin} asks for a payment, and only ${origin} may.`, 'Open a client for that server.'),
        )
      await first.body?.cancel()
      pending = ledger.pending(key, now()) ?? (await sign(body, key, first.headers.get('payment-required')))
    }
    const response = await insist(request, pending)
    if (response.ok) tell(response, pending, body)
    // Anything else may have been paid: the payment is kept, and the same request sends it again. So does one whose wallet was empty.
    const over = response.ok || (TURNED_DOWN.has(response.status) && (await explain(response))?.code !== 'payer_without_open')
    if (over) await ledger.drop(key, pending.header)
    return response
  }

  /** Requests that are the same and asked at once are one payment. */
  function sign(body: string, key: string, required: string | null): Promise<Pending> {
    const signed = signing.get(key) ?? pay(body, key, required).finally(() => signing.delete(key))
    signing.set(key, signed)
    return signed
  }

  /** Sends a request with its payment, the very same each time, until the outcome is known. */
  async function insist(request: Request, pending: Pending): Promise<Response> {
    for (let attempt = 1; ; attempt++) {
      const copy = request.clone()
      copy.headers.set('PAYMENT-SIGNATURE', pending.header)
      const outcome = await send(copy).catch((error: unknown) => ({ error }))
      if (request.signal.aborted) throw request.signal.reason
      if (!('error' in outcome) && !UNDECIDED.has(outcome.status)) return outcome
      if (attempt === TRIES) {
        if (!('error' in outcome)) return outcome
        throw new PayError(
          refuse(
            'server_lost',
            'The server went away while it held a signed payment.',
            'Send the same request again: it goes with the same payment, never a second one.',
          ),
          outcome.error,
        )
      }
      const wait = 'error' in outcome ? 0 : Number(outcome.headers.get('retry-after')) * 1000
      if (!('error' in outcome)) await outcome.body?.cancel()
      await new Promise((resolve) => setTimeout(resolve, Math.min(Number.isFinite(wait) && wait > 0 ? wait : PAUSE_MS, 10_000)))
    }
  }

  function tell(response: Response, pending: Pending, request: string): void {
    const settled = readSettled(response.headers.get('payment-response'))
    if (!settled) return
    if (paid.some(({ tx, request: other }) => tx === settled.tx && other === request)) return
    const { extensions, accepted } = readPayment(pending.header)
    const [offer, receipt] = [info(extensions)?.offers?.[0], info(settled.extensions)?.receipt]
    const modelId = String(accepted.extra?.modelId)
    const one: Paid = { tx: settled.tx, model: pending.model, modelId, price: BigInt(pending.price), at: now(), request, offer, receipt }
    paid.push(one)
    options.onPaid?.(one)
  }

  return {
    fetch: paying,
    paid: () => paid,
    spentToday: () => ledger.spent(now()),
    async passport({ tx, modelId, request }, answer) {
      // One transaction may have paid several queries; the request's hash tells them apart.
      const hash = globalThis.crypto?.subtle ? `?request=0x${await digest(`${modelId}\n${request}`)}` : ''
      const response = await send(`${origin}/api/receipts/${tx}/passport${hash}`)
      const refused = await explain(response)
      if (refused) return refused
      const passport = (await response.json()) as Record<string, unknown>
      return { ...passport, texts: { request, ...(answer === undefined ? {} : { answer }) } }
    },
  }
}

/** The server's own sentence about a reply that is no answer; undefined for an answer. Reads the body of the former only. */
export async function explain(response: Response): Promise<Refusal | undefined> {
  if (response.ok) return undefined
  const body = (await response
    .clone()
    .json()
    .catch(() => undefined)) as { error?: { message?: unknown; code?: unknown; hint?: unknown } } | undefined
  const { message, code, hint } = body?.error ?? {}
  if (typeof message !== 'string')
    return refuse(
      'server_unclear',
      `The server replied with status ${response.status} and no reason.`,
      'Check that the address is that of a ModelFactory server.',
    )
  return refuse(typeof code === 'string' ? code : `status_${response.status}`, message, typeof hint === 'string' ? hint : '')
}

function modelOf(body: string): string {
  try {
    const { model } = JSON.parse(body) as { model?: unknown }
    return typeof model === 'string' ? model : ''
  } catch {
    return ''
  }
}

function info(extensions: Record<string, unknown>): { offers?: unknown[]; receipt?: unknown } | undefined {
  return (extensions['offer-receipt'] as { info?: { offers?: unknown[]; receipt?: unknown } } | undefined)?.info
}

/** A short name of a text. Not for secrecy: where there is no crypto.subtle (plain http in a browser) the text names itself. */
async function digest(text: string): Promise<string> {
  if (!globalThis.crypto?.subtle) return text
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** A payment that was not made, or whose reply was lost. */
export class PayError extends BaseError {
  override readonly name = 'Client.PayError'
  readonly refusal: Refusal
  constructor(refusal: Refusal, cause?: unknown) {
    super(`${refusal.message} ${refusal.hint}`, { cause })
    this.refusal = refusal
  }
}
