/**
 * Webhook: tells one address of the builder's of every payment, in the order of the chain, signed with the gateway's key, until it says yes; a crash
 * or a night offline forgets none. Only payments that stay are told. Knows nothing of how payments are made.
 */
import type { LocalAccount } from 'viem'
import { z } from 'zod'
import type { QueryPaid } from '../core/earnings.ts'
import { type Refusal, refuse } from '../core/errors.ts'
import type { Address } from '../core/listing.ts'
import { amount } from '../core/royalty.ts'
import type { WebhookView } from '../core/webhook.ts'
import type { Chain } from '../ports/chain.ts'
import type { Database } from '../ports/database.ts'
import { paidTo } from './earnings.ts'

export interface Webhook {
  view(): Promise<WebhookView>
  /** From the next payment on; null is none. Payments made before are not told. */
  set(url: string | null): Promise<WebhookView | Refusal>
  /** Sends a message of the type `test` at once; a refusal says what came back. */
  test(): Promise<{ status: number } | Refusal>
  /** A payment may be there: looks at once instead of at the next beat. */
  look(): void
  close(): Promise<void>
}

const KEY = 'webhook'
const BEAT_MS = 5000
const PATIENCE_MS = 10_000
const LONGEST_WAIT_MS = 5 * 60_000
/** Signed is `${time}.${body}` by EIP-191, so that an old message cannot be sent again as a new one. */
export const SIGNATURE = 'X-ModelFactory-Signature'
export const TIME = 'X-ModelFactory-Time'

const Kept = z.object({
  url: z.string(),
  /** All payments in blocks before this one are told, and of its own those in `nonces`. */
  block: z.number(),
  nonces: z.array(z.string()),
  told: z.number(),
})
type Kept = z.infer<typeof Kept>

export function openWebhook(
  ports: { chain: Pick<Chain, 'queriesPaid' | 'finalBlock'>; database: Pick<Database, 'settings' | 'models'> },
  options: { payees: () => readonly Address[]; gateway: Pick<LocalAccount, 'address' | 'signMessage'>; now: () => number; beat?: number },
): Webhook {
  const { chain, database } = ports
  const { payees, gateway, now, beat = BEAT_MS } = options
  const stop = new AbortController()
  let failing: { why: string; since: number; tries: number } | undefined
  let notBefore = 0
  /** Grows with every change of the address: what was begun for an old one writes nothing any more. */
  let turn = 0
  let working: Promise<void> = Promise.resolve()
  let busy = false

  const kept = async (): Promise<Kept | undefined> => Kept.safeParse(await database.settings.get(KEY)).data

  /** Payments that stay and are not told yet, oldest first. */
  async function due({ block, nonces }: Kept): Promise<QueryPaid[]> {
    const [paid, final] = await Promise.all([paidTo(chain, payees(), block), chain.finalBlock()])
    return paid.filter((one) => one.block <= final && !(one.block === block && nonces.includes(one.nonce)))
  }

  /** @returns the status, or why nothing came back */
  async function send(url: string, message: object): Promise<number | string> {
    const body = JSON.stringify(message)
    const time = String(Math.floor(now() / 1000))
    const signature = await gateway.signMessage({ message: `${time}.${body}` })
    const headers = { 'Content-Type': 'application/json', [TIME]: time, [SIGNATURE]: signature }
    try {
      // A redirect would carry payments to an address that nobody set.
      const reply = await fetch(url, {
        method: 'POST',
        body,
        headers,
        redirect: 'manual',
        signal: AbortSignal.any([stop.signal, AbortSignal.timeout(PATIENCE_MS)]),
      })
      await reply.body?.cancel()
      return reply.status
    } catch (error) {
      return error instanceof Error && error.name === 'TimeoutError' ? `nothing came back within ${PATIENCE_MS / 1000} seconds` : 'it cannot be reached'
    }
  }

  async function tell(): Promise<void> {
    const mine = turn
    const state = await kept()
    if (!state || now() < notBefore) return
    for (const paid of await due(state)) {
      if (stop.signal.aborted || turn !== mine) return
      const model = await database.models.get(paid.modelId)
      const answered = await send(state.url, {
        ...{ type: 'payment', id: `${paid.tx}:${paid.nonce}`, model: model?.name ?? null, modelId: paid.modelId, payer: paid.payer, builder: paid.builder },
        ...{ amount: amount(paid.amount), requestHash: paid.requestHash, tx: paid.tx, block: paid.block },
      })
      // Somebody set another address, or none, while this one was asked.
      if (turn !== mine) return
      if (typeof answered === 'string' || answered < 200 || answered > 299) {
        const tries = (failing?.tries ?? 0) + 1
        failing = { why: typeof answered === 'string' ? answered : `it answered ${answered}`, since: failing?.since ?? now(), tries }
        notBefore = now() + Math.min(LONGEST_WAIT_MS, beat * 2 ** Math.min(tries - 1, 10))
        return
      }
      failing = undefined
      state.nonces = paid.block === state.block ? [...state.nonces, paid.nonce] : [paid.nonce]
      Object.assign(state, { block: paid.block, told: state.told + 1 })
      await database.settings.set(KEY, state)
    }
  }

  function look(): void {
    if (busy || stop.signal.aborted) return
    busy = true
    working = tell()
      .catch((error: unknown) => console.error('Payments could not be told to the webhook:', error))
      .finally(() => {
        busy = false
      })
  }
  const beating = setInterval(look, beat)
  beating.unref()

  async function view(): Promise<WebhookView> {
    const state = await kept()
    if (!state) return { url: null, told: 0, waiting: 0, failing: null, signer: gateway.address }
    const waiting = (await due(state)).length
    return { url: state.url, told: state.told, waiting, failing: failing ? { why: failing.why, since: failing.since } : null, signer: gateway.address }
  }

  return {
    view,
    async set(url) {
      if (url !== null && !/^https?:$/.test(URL.canParse(url) ? new URL(url).protocol : ''))
        return refuse('webhook_url', `"${url.slice(0, 200)}" is no address of the web.`, 'Give one that begins with https://, or http:// on your own machine.')
      turn++
      failing = undefined
      notBefore = 0
      const state: Kept | undefined = url === null ? undefined : { url: new URL(url).href, block: (await chain.finalBlock()) + 1, nonces: [], told: 0 }
      await database.settings.set(KEY, state)
      return view()
    },
    async test() {
      const state = await kept()
      if (!state) return refuse('webhook_none', 'No webhook is set.', 'Set one: npx modelfactory webhook https://example.org/paid')
      const answered = await send(state.url, { type: 'test', id: `test:${now()}` })
      if (typeof answered === 'number' && answered >= 200 && answered <= 299) return { status: answered }
      const why = typeof answered === 'string' ? answered : `it answered ${answered}`
      return refuse('webhook_failed', `${state.url} did not take the message: ${why}.`, 'It has to answer with a status of 200 to 299 within 10 seconds.')
    },
    look,
    async close() {
      clearInterval(beating)
      stop.abort()
      await working
    },
  }
}
