/**
 * Whom a model pays, over HTTP: looked at, divided among several people, and sent on to them. The owner's alone. Knows nothing of how it is divided.
 */
import { type Context, Hono } from 'hono'
import { isRefusal, refuse } from '../../core/errors.ts'
import { type Holder, SharesPut } from '../../core/shares.ts'
import type { ModelFactory } from '../../factory/factory.ts'
import { answer } from './api.ts'
import { readJson } from './chat.ts'
import { limit } from './guard.ts'
import { isOwner } from './operate.ts'
import { refusal, wrongField } from './replies.ts'
import type { SessionVariables } from './session.ts'

/** Below `/api/shares`. */
export function sharesRoutes({ cited, shares, owner }: Pick<ModelFactory, 'cited' | 'shares' | 'owner'>): Hono<SessionVariables> {
  const routes = new Hono<SessionVariables>()
  const named = (context: Context) => context.req.param('name') ?? ''
  routes.use(async (context, next) => {
    context.header('Cache-Control', 'no-store')
    if (isOwner(context, owner)) return next()
    const hint = `Do it on the machine itself, or sign in with ${owner}.`
    return refusal(context, refuse('not_the_owner', 'Only the owner of this gateway sees and sets whom its models pay.', hint), 403)
  })
  routes.get('/:name', async (context) => answer(context, await shares.show(named(context))))
  routes.get('/:name/cited', async (context) => answer(context, await cited(named(context), Number(context.req.query('own') ?? 0))))
  routes.put('/:name', limit(1), async (context) => {
    const read = SharesPut.safeParse(readJson(await context.req.text()), { reportInput: true })
    if (!read.success) {
      const wrong = wrongField(read.error.issues[0], 'The body is not a JSON object.')
      return refusal(context, refuse('invalid_request', wrong, 'Send {"holders": [{"recipient": "0x...", "shares": "70"}, ...]}.'), 400)
    }
    const holders = read.data.holders.map(({ recipient, shares: count }): Holder => ({ recipient: recipient as Holder['recipient'], shares: BigInt(count) }))
    return answer(context, await shares.set(named(context), holders))
  })
  routes.post('/:name/send', limit(1), async (context) => {
    const sent = await shares.send(named(context))
    return isRefusal(sent) ? refusal(context, sent) : context.json(sent)
  })
  return routes
}
