/**
 * Bounties over HTTP: what is offered for which need, offering, entering a model, taking the money back. Anyone looks; the owner's wallet and models are
 * the owner's. Knows nothing of contracts or of grading.
 */
import { type Context, Hono } from 'hono'
import { BountyPost, EntryPost } from '../../core/bounty.ts'
import { isRefusal, refuse } from '../../core/errors.ts'
import type { ModelFactory } from '../../factory/factory.ts'
import { answer } from './api.ts'
import { readJson } from './chat.ts'
import { limit } from './guard.ts'
import { isOwner } from './operate.ts'
import { refusal, wrongField } from './replies.ts'
import type { SessionVariables } from './session.ts'

/** Sealed cases are text. */
const BODY_MEGABYTES = 3

/** Below `/api/market`. */
export function bountyRoutes({ bounties, market, owner }: Pick<ModelFactory, 'bounties' | 'market' | 'owner'>): Hono<SessionVariables> {
  const routes = new Hono<SessionVariables>()
  const owned = (context: Context<SessionVariables>, what: string): Response | undefined =>
    isOwner(context, owner)
      ? undefined
      : refusal(context, refuse('not_the_owner', `Only the owner of this gateway ${what}.`, `Do it on the machine itself, or sign in with ${owner}.`), 403)

  routes.get('/bounties', async (context) => context.json({ bounties: await bounties.list(), yours: isOwner(context, owner) }))
  routes.get('/bounties/:id', async (context) => answer(context, await bounties.view(context.req.param('id'))))
  routes.post('/wanted/:id/bounty', limit(BODY_MEGABYTES), async (context) => {
    const refused = owned(context, 'offers its money')
    if (refused) return refused
    const read = BountyPost.safeParse(readJson(await context.req.text()), { reportInput: true })
    if (!read.success) {
      const wrong = wrongField(read.error.issues[0], 'The body is not a JSON object.')
      return refusal(context, refuse('invalid_request', wrong, 'Send {"amount": "50", "days": 30, "sealed": [{"input": "...", "output": "..."}, ...]}.'), 400)
    }
    const wanted = (await market.wanted()).find(({ id }) => id === context.req.param('id'))
    if (!wanted) return refusal(context, refuse('need_unknown', 'There is no such need on the board.', 'Post it first, then offer money for it.'))
    return answer(context, await bounties.offer(wanted, read.data))
  })
  routes.post('/bounties/:id/entries', limit(1), async (context) => {
    const refused = owned(context, 'enters its models')
    if (refused) return refused
    const read = EntryPost.safeParse(readJson(await context.req.text()), { reportInput: true })
    if (read.success) return answer(context, await bounties.enter(context.req.param('id'), read.data.model))
    return refusal(context, refuse('invalid_request', wrongField(read.error.issues[0], 'The body names no model.'), 'Send {"model": "NAME"}.'), 400)
  })
  routes.post('/bounties/:id/withdraw', limit(1), async (context) => {
    const refused = owned(context, 'takes its money back')
    if (refused) return refused
    const done = await bounties.withdraw(context.req.param('id'))
    return isRefusal(done) ? refusal(context, done) : context.json(done)
  })
  return routes
}
