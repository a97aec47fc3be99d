/**
 * The owner's budget wallet over HTTP: what it holds, its limits, what it spent, and one paid question. It pays this same server like anybody
 * else would, by our own client, so a question of the owner's to a model of theirs is settled on the chain too. Knows nothing of signatures.
 */
import { type Context, Hono } from 'hono'
import { z } from 'zod'
import { isRefusal, type Refusal, refuse } from '../../core/errors.ts'
import type { Address } from '../../core/listing.ts'
import { ReviewPost } from '../../core/market.ts'
import { amount, parseOpen } from '../../core/royalty.ts'
import type { Limits } from '../../factory/budget.ts'
import type { ModelFactory } from '../../factory/factory.ts'
import { FREE_WISH } from '../../factory/trial.ts'
import { type Client, explain, openClient, PayError } from '../client/client.ts'
import { readAudition, readPick } from './audition.ts'
import { readJson } from './chat.ts'
import { limit } from './guard.ts'
import { isOwner } from './operate.ts'
import { refusal, wrongField } from './replies.ts'
import type { SessionVariables } from './session.ts'

const LimitsRequest = z.object({ perQuery: z.string(), perDay: z.string(), perModelPerDay: z.string().nullable() })
const AskRequest = z.object({ model: z.string().min(1).max(200), text: z.string().trim().min(1).max(1_000_000), store: z.boolean().default(false) })
const UnwrapRequest = z.object({ amount: z.string().max(80) })
const WalletReview = ReviewPost.extend({ modelId: z.string().min(1).max(100) })
const PAID_SHOWN = 20

/** Below `/api/wallet`. `ask` sends a request to this very server. */
export function walletRoutes(
  factory: Pick<ModelFactory, 'auditions' | 'budget' | 'market' | 'owner' | 'state' | 'receipts' | 'unwrap'>,
  ask: (request: Request) => Promise<Response>,
): Hono<SessionVariables> {
  const { budget } = factory
  const routes = new Hono<SessionVariables>()
  let client: { url: string; client: Client } | undefined
  /** One at a time: two clients must not keep one ledger, and limits must not change under a question. */
  let turn: Promise<unknown> = Promise.resolve()
  const inTurn = <Value>(work: () => Promise<Value>): Promise<Value> => {
    const done = turn.then(work, work)
    turn = done.catch(() => {})
    return done
  }

  async function opened(url: string): Promise<Client> {
    if (client?.url === url) return client.client
    const [{ network, contracts }, { perQuery, perDay, perModelPerDay }] = await Promise.all([factory.state(), budget.limits()])
    const made = await openClient({
      ...{ url, account: budget.account as Parameters<typeof openClient>[0]['account'], network: network.caip2, asset: contracts.token as Address },
      ...{ maximum: perQuery, keep: budget.keep },
      budget: { perDay, ...(perModelPerDay === null ? {} : { perModelPerDay }) },
      fetch: (input, init) => ask(named(new Request(input, init), url)),
    })
    client = { url, client: made }
    return made
  }

  routes.use(async (context, next) => {
    context.header('Cache-Control', 'no-store')
    if (isOwner(context, factory.owner)) return next()
    const hint = `Pay from a wallet of your own, or open the studio on the machine itself.`
    return refusal(context, refuse('not_the_owner', 'This wallet is for the owner of the machine alone.', hint), 403)
  })

  routes.get('/', async (context) => {
    const [held, limits, { network }, receipts, spent] = await Promise.all([
      budget.balance(),
      budget.limits(),
      factory.state(),
      factory.receipts(1000),
      inTurn(async () => (await opened(urlOf(context))).spentToday()),
    ])
    const own = receipts.filter(({ payer }) => payer.toLowerCase() === budget.account.address.toLowerCase())
    return context.json({
      address: budget.account.address,
      ...{ balance: amount(held), currency: network.currency, test: network.test, limits: shown(limits) },
      today: {
        day: spent.day,
        total: amount(spent.total),
        models: Object.fromEntries(Object.entries(spent.models).map(([name, value]) => [name, amount(value)])),
      },
      paid: own.slice(0, PAID_SHOWN),
    })
  })

  routes.put('/limits', limit(1), async (context) => {
    const request = LimitsRequest.safeParse(readJson(await context.req.text()), { reportInput: true })
    if (!request.success) {
      const wrong = wrongField(request.error.issues[0], 'The body is not a JSON object.')
      return refusal(context, refuse('invalid_request', wrong, 'Send {"perQuery": "0.1", "perDay": "1", "perModelPerDay": null}.'), 400)
    }
    const { perQuery, perDay, perModelPerDay } = request.data
    const parsed = [perQuery, perDay, perModelPerDay ?? '0'].map(parseOpen)
    const wrong = parsed.find((one): one is Refusal => isRefusal(one))
    if (wrong) return refusal(context, wrong, 422)
    const [query, day, model] = parsed as [bigint, bigint, bigint]
    if (query > day)
      return refusal(context, refuse('limits_crossed', `One question may cost ${perQuery} and a whole day ${perDay}.`, 'Raise the limit of the day.'), 422)
    const limits: Limits = { perQuery: query, perDay: day, perModelPerDay: perModelPerDay === null ? null : model }
    await inTurn(async () => {
      await budget.setLimits(limits)
      client = undefined
    })
    return context.json({ limits: shown(limits) })
  })

  routes.post('/fund', async (context) => {
    const given = await budget.fund()
    return isRefusal(given) ? refusal(context, given) : context.json(given)
  })

  routes.post('/ask', limit(2), async (context) => {
    const request = AskRequest.safeParse(readJson(await context.req.text()), { reportInput: true })
    if (!request.success) {
      const wrong = wrongField(request.error.issues[0], 'The body is not a JSON object.')
      return refusal(context, refuse('invalid_request', wrong, 'Send {"model": ..., "text": "your question"}.'), 400)
    }
    const { model, text, store } = request.data
    const reply = await inTurn(() => pay(urlOf(context), model, text, store))
    if ('refused' in reply) return refusal(context, reply.refused, reply.status)
    return new Response(reply.text, { headers: { 'content-type': 'application/json; charset=utf-8' } })
  })

  /** One paid question: the server's reply as it came, or why there is none and the status that says so. */
  async function pay(url: string, model: string, text: string, store = false): Promise<{ text: string } | { refused: Refusal; status: 404 | 422 }> {
    const body = JSON.stringify({ model, messages: [{ role: 'user', content: text }], ...(store && { store }) })
    try {
      const paying = await opened(url)
      const reply = await paying.fetch(`${url}/v1/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
      const refused = await explain(reply)
      return refused ? { refused, status: reply.status === 404 ? 404 : 422 } : { text: await reply.text() }
    } catch (error) {
      if (error instanceof PayError) return { refused: error.refusal, status: 422 }
      throw error
    }
  }

  const payer = budget.account.address

  /** Out of the builder's earnings, not out of this wallet: both belong to the owner of the machine. */
  routes.post('/unwrap', limit(1), async (context) => {
    const request = UnwrapRequest.safeParse(readJson(await context.req.text()), { reportInput: true })
    if (!request.success) {
      const wrong = wrongField(request.error.issues[0], 'The body is not a JSON object.')
      return refusal(context, refuse('invalid_request', wrong, 'Send {"amount": "1.5"}.'), 400)
    }
    const open = parseOpen(request.data.amount)
    if (isRefusal(open)) return refusal(context, open, 422)
    const done = await factory.unwrap(open)
    return isRefusal(done) ? refusal(context, done) : context.json(done)
  })

  /** A review of what this wallet paid for. */
  routes.post('/reviews', limit(1), async (context) => {
    const post = WalletReview.safeParse(readJson(await context.req.text()), { reportInput: true })
    if (!post.success) {
      const wrong = wrongField(post.error.issues[0], 'The body is not a JSON object.')
      return refusal(context, refuse('invalid_request', wrong, 'Send {"modelId": "0x...", "tx": "0x...", "stars": 1 to 5, "text": "..."}.'), 400)
    }
    const { modelId, ...review } = post.data
    const kept = await factory.market.review(modelId, review, payer)
    return isRefusal(kept) ? refusal(context, kept) : context.json(kept)
  })

  routes.post('/auditions', limit(1), async (context) => {
    const post = await readAudition(context)
    if (isRefusal(post)) return refusal(context, post, 400)
    const [limits, spent] = await Promise.all([budget.limits(), inTurn(async () => (await opened(urlOf(context))).spentToday())])
    const left = limits.perDay - spent.total
    const begun = await factory.auditions.begin(post, payer, { perQuery: limits.perQuery, together: left > 0n ? left : 0n })
    return isRefusal(begun) ? refusal(context, begun) : context.json(begun)
  })
  routes.get('/auditions/:id', async (context) => {
    const view = await factory.auditions.view(context.req.param('id'), payer)
    return isRefusal(view) ? refusal(context, view) : context.json(view)
  })
  /** Chooses and pays: every case of the chosen one that is not paid yet, one after the other, so that a broken payment can be gone on with. */
  routes.post('/auditions/:id/pick', limit(1), async (context) => {
    const post = await readPick(context)
    if (isRefusal(post)) return refusal(context, post, 400)
    const url = urlOf(context)
    const outcome = await inTurn(async () => {
      const id = context.req.param('id')
      const picked = await factory.auditions.pick(id, post.letter, payer)
      if (isRefusal(picked)) return picked
      const winner = picked.contestants.find(({ letter }) => letter === picked.picked)!.model!
      for (const text of picked.cases.slice(picked.paid)) {
        const reply = await pay(url, winner.name, text)
        if ('refused' in reply) return reply.refused
      }
      return factory.auditions.settle(id, payer)
    })
    return isRefusal(outcome) ? refusal(context, outcome) : context.json(outcome)
  })

  return routes
}

const urlOf = (context: Context): string => new URL(context.req.url).origin

/** A request to this server by its own name, as the guard wants it. Who presses a button that pays means to pay: no free question is used up. */
function named(request: Request, url: string): Request {
  const headers = new Headers(request.headers)
  headers.set('host', new URL(url).host)
  headers.set(FREE_WISH, 'no')
  return new Request(request, { headers })
}

const shown = ({ perQuery, perDay, perModelPerDay }: Limits) => ({
  perQuery: amount(perQuery),
  perDay: amount(perDay),
  perModelPerDay: perModelPerDay === null ? null : amount(perModelPerDay),
})
