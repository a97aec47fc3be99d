/**
 * The owner's webhook over HTTP: the address that hears of every payment, looked at, set, taken away and tried. Knows nothing of what is told.
 */
import { type Context, Hono } from 'hono'
import { z } from 'zod'
import { isRefusal, refuse } from '../../core/errors.ts'
import type { ModelFactory } from '../../factory/factory.ts'
import { readJson } from './chat.ts'
import { limit } from './guard.ts'
import { isOwner } from './operate.ts'
import { refusal } from './replies.ts'
import type { SessionVariables } from './session.ts'

export const WebhookPost = z.object({ url: z.string().max(2000).describe('Where to; https://, or http:// on your own machine.') })

/** Below `/api/webhook`. */
export function webhookRoutes({ webhook, owner }: Pick<ModelFactory, 'webhook' | 'owner'>): Hono<SessionVariables> {
  const routes = new Hono<SessionVariables>()
  const answer = (context: Context<SessionVariables>, value: object) => (isRefusal(value) ? refusal(context, value) : context.json(value))
  routes.use(async (context, next) => {
    context.header('Cache-Control', 'no-store')
    if (isOwner(context, owner)) return next()
    const hint = `Do it on the machine itself, or sign in with ${owner}.`
    return refusal(context, refuse('not_the_owner', 'Only the owner of this gateway sees and sets where payments are told.', hint), 403)
  })
  routes.get('/', async (context) => context.json(await webhook.view()))
  routes.put('/', limit(1), async (context) => {
    const read = WebhookPost.safeParse(readJson(await context.req.text()))
    if (read.success) return answer(context, await webhook.set(read.data.url))
    return refusal(context, refuse('invalid_request', 'The body names no address.', 'Send {"url": "https://example.org/paid"}.'), 400)
  })
  routes.delete('/', async (context) => answer(context, await webhook.set(null)))
  routes.post('/test', async (context) => answer(context, await webhook.test()))
  return routes
}
