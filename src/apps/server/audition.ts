/**
 * Blind auditions over HTTP, for whoever is signed in with a wallet and pays by it as any payer does. The owner's own wallet has routes that pay
 * too, in `wallet.ts`. Knows nothing of who is asked.
 */
import { type Context, Hono } from 'hono'
import { z } from 'zod'
import { isRefusal, type Refusal, refuse } from '../../core/errors.ts'
import type { Address } from '../../core/listing.ts'
import { AuditionPost } from '../../core/market.ts'
import type { ModelFactory } from '../../factory/factory.ts'
import { readJson } from './chat.ts'
import { limit } from './guard.ts'
import { refusal, wrongField } from './replies.ts'
import type { SessionVariables } from './session.ts'

export const PickPost = z.object({ letter: z.string().min(1).max(10) })

/** Below `/api/market/auditions`. */
export function auditionRoutes(factory: Pick<ModelFactory, 'auditions'>): Hono<SessionVariables> {
  const { auditions } = factory
  const routes = new Hono<SessionVariables>()
  const payerOf = (context: Context<SessionVariables>): Address | Refusal => {
    const session = context.get('session')
    return session?.kind === 'wallet'
      ? (session.id as Address)
      : refuse('not_signed_in', 'An audition is held by the wallet that will pay whom it chooses.', 'Sign in with that wallet and try again.')
  }
  const answer = (context: Context, value: object) =>
    isRefusal(value) ? refusal(context, value, value.code === 'not_signed_in' ? 401 : undefined) : context.json(value)

  routes.post('/', limit(1), async (context) => {
    const payer = payerOf(context)
    if (isRefusal(payer)) return answer(context, payer)
    const post = await readAudition(context)
    return isRefusal(post) ? refusal(context, post, 400) : answer(context, await auditions.begin(post, payer))
  })
  routes.get('/:id', async (context) => {
    const payer = payerOf(context)
    return answer(context, isRefusal(payer) ? payer : await auditions.view(context.req.param('id'), payer))
  })
  routes.post('/:id/pick', limit(1), async (context) => {
    const payer = payerOf(context)
    if (isRefusal(payer)) return answer(context, payer)
    const letter = await readPick(context)
    return isRefusal(letter) ? refusal(context, letter, 400) : answer(context, await auditions.pick(context.req.param('id'), letter.letter, payer))
  })
  routes.post('/:id/settle', async (context) => {
    const payer = payerOf(context)
    return answer(context, isRefusal(payer) ? payer : await auditions.settle(context.req.param('id'), payer))
  })
  return routes
}

export async function readAudition(context: Context): Promise<AuditionPost | Refusal> {
  const read = AuditionPost.safeParse(readJson(await context.req.text()), { reportInput: true })
  if (read.success) return read.data
  return refuse('invalid_request', wrongField(read.error.issues[0], 'The body is not a JSON object.'), 'Send {"need": "...", "cases": ["...", "..."]}.')
}

export async function readPick(context: Context): Promise<z.infer<typeof PickPost> | Refusal> {
  const read = PickPost.safeParse(readJson(await context.req.text()), { reportInput: true })
  if (read.success) return read.data
  return refuse('invalid_request', wrongField(read.error.issues[0], 'The body is not a JSON object.'), 'Send {"letter": "A"}.')
}
