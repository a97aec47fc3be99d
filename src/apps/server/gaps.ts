/** Questions that the gateway's models had no answer to, over HTTP: the owner's alone. Knows nothing of how they came. */
import { Hono } from 'hono'
import { refuse } from '../../core/errors.ts'
import type { ModelFactory } from '../../factory/factory.ts'
import { isOwner } from './operate.ts'
import { refusal } from './replies.ts'
import type { SessionVariables } from './session.ts'

/** Below `/api/gaps`. */
export function gapRoutes({ gaps, owner }: Pick<ModelFactory, 'gaps' | 'owner'>): Hono<SessionVariables> {
  const routes = new Hono<SessionVariables>()
  routes.use(async (context, next) => {
    context.header('Cache-Control', 'no-store')
    if (isOwner(context, owner)) return next()
    const hint = `Do it on the machine itself, or sign in with ${owner}.`
    return refusal(context, refuse('not_the_owner', 'Only the builder reads what their models had no answer to.', hint), 403)
  })
  routes.get('/', async (context) => context.json(await gaps.view()))
  routes.delete('/:model', async (context) => context.json(await gaps.forget(context.req.param('model'))))
  return routes
}
