/**
 * Signing in over HTTP: a nonce, a signed message, a cookie that scripts cannot read and other sites cannot send. Who is signed in
 * is told to every route as `session`; no route asks for it yet. Knows nothing of how a signature is checked.
 */
import { type Context, Hono, type MiddlewareHandler } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import { z } from 'zod'
import { isRefusal, type Refusal, refuse } from '../../core/errors.ts'
import type { Place, Session, Sessions } from '../../core/session.ts'
import { readJson } from './chat.ts'
import { limit } from './guard.ts'
import { refusal, wrongField } from './replies.ts'

/** What a route finds in its context. */
export type SessionVariables = { Variables: { session: Session | undefined } }

const NAME = 'modelfactory-session'
const Text = z.string().min(1).max(8192)
const Request = z.union([
  z.strictObject({ message: Text, signature: Text }),
  z.strictObject({ message: Text, signature: Text, publicKey: z.record(z.string(), z.unknown()) }),
])

/** Looks the cookie up, once for a request. */
export function whoIsSignedIn(sessions: Sessions): MiddlewareHandler<SessionVariables> {
  return async (context, next) => {
    context.set('session', sessions.find(getCookie(context, NAME)))
    await next()
  }
}

export function sessionRoutes(sessions: Sessions, chainId: number): Hono<SessionVariables> {
  const routes = new Hono<SessionVariables>()
  routes.use(async (context, next) => {
    await next()
    context.header('Cache-Control', 'no-store')
  })

  routes.get('/', (context) => context.json({ session: context.get('session') ?? null }))

  routes.post('/nonce', (context) => context.json(sessions.challenge(placeOf(context, chainId))))

  routes.post('/', limit(1), async (context) => {
    const request = Request.safeParse(readJson(await context.req.text()), { reportInput: true })
    if (!request.success) {
      const wrong = wrongField(request.error.issues[0], 'The body does not say who signs in.')
      return refusal(context, refuse('invalid_request', wrong, 'Send {"message": ..., "signature": ...}, and "publicKey" for a device.'), 400)
    }
    const { message, signature } = request.data
    const place = placeOf(context, chainId)
    const signedIn =
      'publicKey' in request.data
        ? await sessions.signInDevice(place, message, request.data.publicKey, signature)
        : await sessions.signIn(place, message, signature)
    if (isRefusal(signedIn)) return refusal(context, signedIn satisfies Refusal, 401)
    const { token, session } = signedIn
    // Whoever was signed in before with this browser is so no longer.
    sessions.signOut(getCookie(context, NAME))
    const seconds = Math.max(1, Math.floor((session.expiresAt - session.signedInAt) / 1000))
    setCookie(context, NAME, token, { httpOnly: true, sameSite: 'Strict', path: '/', secure: place.origin.startsWith('https:'), maxAge: seconds })
    return context.json({ session })
  })

  routes.delete('/', (context) => {
    sessions.signOut(getCookie(context, NAME))
    deleteCookie(context, NAME, { path: '/' })
    return context.json({ session: null })
  })

  return routes
}

/** The server as this request addressed it: the guard has let in only its own names. */
function placeOf(context: Context, chainId: number): Place {
  const { protocol, host } = new URL(context.req.url)
  return { domain: host, origin: `${protocol}//${host}`, chainId }
}
