/**
 * How the gateway is, for whoever owns its machine: a program or browser on the machine itself, or somebody signed in with the wallet that
 * is paid here. Knows nothing of where the figures come from.
 */
import { getConnInfo } from '@hono/node-server/conninfo'
import { type Context, Hono } from 'hono'
import { refuse } from '../../core/errors.ts'
import { attentionOf, type OperatingView } from '../../core/operating.ts'
import type { ModelFactory } from '../../factory/factory.ts'
import { refusal } from './replies.ts'
import type { SessionVariables } from './session.ts'

export type Faults = { report: (fault: unknown) => void; seen: () => OperatingView['faults'] }

/** Counts faults on their way to the log. Their sentences may name files, so they go to the owner and nobody else. */
export function countFaults(report: (fault: unknown) => void): Faults {
  const faults: OperatingView['faults'] = { count: 0, lastAt: null, last: null }
  return {
    report(fault) {
      Object.assign(faults, { count: faults.count + 1, lastAt: Date.now(), last: fault instanceof Error ? fault.message : String(fault) })
      report(fault)
    },
    seen: () => ({ ...faults }),
  }
}

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+)$/
const OWN_NAME = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i

/**
 * Whether a request is the owner's. On the machine: over its loopback, to a loopback name, and not passed on by a proxy, which would be
 * on the loopback too. From elsewhere: signed in with the address that is paid.
 */
export function isOwner(context: Context<SessionVariables>, owner: string): boolean {
  const session = context.get('session')
  if (session?.kind === 'wallet' && session.id === owner.toLowerCase()) return true
  const header = (name: string) => context.req.header(name)
  if (header('forwarded') !== undefined || header('via') !== undefined || header('x-forwarded-for') !== undefined || header('x-real-ip') !== undefined)
    return false
  const remote = (context.env as { incoming?: unknown } | undefined)?.incoming ? getConnInfo(context).remote.address : undefined
  return remote !== undefined && LOOPBACK.test(remote) && OWN_NAME.test(header('host') ?? '')
}

/** Below `/api/operate`. */
export function operateRoutes(factory: Pick<ModelFactory, 'operating' | 'owner'>, faults: Faults): Hono<SessionVariables> {
  const routes = new Hono<SessionVariables>()
  routes.get('/', async (context) => {
    context.header('Cache-Control', 'no-store')
    if (!isOwner(context, factory.owner)) {
      const hint = `Open the studio on the machine itself, or sign in with the wallet ${factory.owner}.`
      return refusal(context, refuse('not_the_owner', 'How this gateway is doing is shown to its owner alone.', hint), 403)
    }
    const view: OperatingView = { ...(await factory.operating()), faults: faults.seen() }
    return context.json({ ...view, attention: attentionOf(view) })
  })
  return routes
}
