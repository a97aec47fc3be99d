/**
 * The market over HTTP: search, listings, needs, reviews, reports. What a route takes and gives is also written down in `openapi.ts`.
 * Knows nothing of how anything is found or ranked.
 */
import { type Context, Hono } from 'hono'
import { z } from 'zod'
import { isRefusal, refuse } from '../../core/errors.ts'
import type { Address } from '../../core/listing.ts'
import { BuilderPost, ReplyPost, ReportPost, ReviewPost, SearchQuery, WantedPost } from '../../core/market.ts'
import type { ModelFactory } from '../../factory/factory.ts'
import { readJson } from './chat.ts'
import { limit } from './guard.ts'
import { isOwner } from './operate.ts'
import { refusal, wrongField } from './replies.ts'
import type { SessionVariables } from './session.ts'

type Ctx = Context<SessionVariables>
const HideRequest = z.object({ hidden: z.boolean() })

/** Below `/api/market`. */
export function marketRoutes(factory: Pick<ModelFactory, 'market' | 'owner'>): Hono<SessionVariables> {
  const { market, owner } = factory
  const routes = new Hono<SessionVariables>()
  const walletOf = (context: Ctx): string | undefined => {
    const session = context.get('session')
    return session?.kind === 'wallet' ? session.id : undefined
  }
  async function body<Value>(context: Ctx, schema: z.ZodType<Value>, example: string): Promise<Value | Response> {
    const read = schema.safeParse(readJson(await context.req.text()), { reportInput: true })
    if (read.success) return read.data
    const wrong = wrongField(read.error.issues[0], 'The body is not what this route takes.')
    return refusal(context, refuse('invalid_request', wrong, `Send ${example}.`), 400)
  }
  const answer = (context: Ctx, value: object) =>
    isRefusal(value) ? refusal(context, value, value.code === 'not_signed_in' ? 401 : undefined) : context.json(value)
  const owned = (context: Ctx): Response | undefined =>
    isOwner(context, owner)
      ? undefined
      : refusal(
          context,
          refuse('not_the_owner', 'Only the owner of this gateway sees and acts on reports.', `Do it on the machine itself, or sign in with ${owner}.`),
          403,
        )

  routes.get('/search', async (context) => {
    const query = SearchQuery.safeParse(context.req.query(), { reportInput: true })
    if (query.success) return context.json(await market.search(query.data))
    const wrong = wrongField(query.error.issues[0], 'The search cannot be read.')
    return refusal(context, refuse('search_invalid', wrong, 'Correct it or leave it out; /openapi.json lists what can be asked.'), 400)
  })
  routes.get('/listings/:id', async (context) => answer(context, await market.listing(context.req.param('id'))))
  routes.get('/demand', async (context) => context.json({ demand: await market.demand() }))
  routes.get('/recompute', async (context) => owned(context) ?? context.json(await market.recompute()))

  routes.get('/wanted', async (context) => context.json({ wanted: await market.wanted(context.req.query('tag')?.slice(0, 100)) }))
  routes.post('/wanted', limit(1), async (context) => {
    const post = await body(context, WantedPost, '{"need": "...", "cases": [{"input": "...", "output": "..."}]}')
    return post instanceof Response ? post : context.json(await market.want(post))
  })

  routes.post('/listings/:id/reviews', limit(1), async (context) => {
    const post = await body(context, ReviewPost, '{"tx": "0x...", "stars": 1 to 5, "text": "..."}')
    return post instanceof Response ? post : answer(context, await market.review(context.req.param('id'), post, walletOf(context)))
  })
  routes.post('/reviews/:id/reply', limit(1), async (context) => {
    const post = await body(context, ReplyPost, '{"text": "..."}')
    return post instanceof Response ? post : answer(context, await market.reply(context.req.param('id'), post.text, walletOf(context)))
  })
  routes.get('/builders/:address', async (context) => {
    const address = context.req.param('address')
    if (/^0x[0-9a-fA-F]{40}$/.test(address)) return context.json(await market.builder(address as Address))
    return refusal(context, refuse('invalid_request', `"${address.slice(0, 50)}" is no address of a wallet.`, 'Give 0x and 40 digits from 0 to f.'), 400)
  })
  // On the machine itself it is the gateway's owner who looks and speaks.
  const builderOf = (context: Ctx): string | undefined => walletOf(context) ?? (isOwner(context, owner) ? owner : undefined)
  routes.get('/builder', async (context) => {
    const builder = builderOf(context)
    if (builder) return context.json(await market.builder(builder as Address))
    return refusal(context, refuse('not_signed_in', 'Nobody is signed in.', 'Sign in with the wallet that builds.'), 401)
  })
  routes.put('/builder', limit(1), async (context) => {
    const post = await body(context, BuilderPost, '{"name": "...", "about": "...", "credentials": [{"title": "...", "url": "https://..."}]}')
    if (post instanceof Response) return post
    return answer(context, await market.introduce(post, builderOf(context)))
  })
  routes.post('/listings/:id/report', limit(1), async (context) => {
    const post = await body(context, ReportPost, '{"reason": "..."}')
    return post instanceof Response ? post : answer(context, await market.report(context.req.param('id'), post.reason, walletOf(context)))
  })
  routes.get('/reports', async (context) => owned(context) ?? context.json({ reports: await market.reports() }))
  routes.post('/listings/:id/hide', limit(1), async (context) => {
    const refused = owned(context)
    if (refused) return refused
    const post = await body(context, HideRequest, '{"hidden": true}')
    return post instanceof Response ? post : context.json(await market.hide(context.req.param('id'), post.hidden))
  })
  return routes
}
