/**
 * The server's application: guard, OpenAI-compatible routes, builder's routes, studio. Knows nothing of ports and sockets.
 */

import { Hono } from 'hono'
import { refuse } from '../../core/errors.ts'
import type { ModelFactory } from '../../factory/factory.ts'
import { apiRoutes } from './api.ts'
import { auditionRoutes } from './audition.ts'
import { benchmarkRoutes } from './benchmark.ts'
import { bountyRoutes } from './bounties.ts'
import { chatRoutes } from './chat.ts'
import { cardRoutes, examRoutes } from './exam.ts'
import { gapRoutes } from './gaps.ts'
import { type AllowedHosts, guard } from './guard.ts'
import { marketRoutes } from './market.ts'
import { openapiRoutes } from './openapi.ts'
import { countFaults, operateRoutes } from './operate.ts'
import { faultReply, openaiRefusal, SERVER_HEADER } from './replies.ts'
import { type SessionVariables, sessionRoutes, whoIsSignedIn } from './session.ts'
import { sharesRoutes } from './shares.ts'
import { studio } from './studio.ts'
import { uploadRoutes } from './uploads.ts'
import { walletRoutes } from './wallet.ts'
import { webhookRoutes } from './webhook.ts'

export type AppOptions = {
  factory: ModelFactory
  /** Folder of the built studio; it need not exist. */
  studioFolder: string
  hosts: () => AllowedHosts
  /** Aborts when the server stops. */
  closing: AbortSignal
  /** Where faults are logged. */
  report: (fault: unknown) => void
}

export function createApp(options: AppOptions): Hono<SessionVariables> {
  const { factory, studioFolder, hosts, closing } = options
  const faults = countFaults(options.report)
  const { report } = faults
  const app = new Hono<SessionVariables>()
  // By this the command line knows that it talks to a ModelFactory and not to whatever else listens at an address.
  app.use(async (context, next) => {
    await next()
    context.header(SERVER_HEADER, '1')
  })
  app.use(guard(hosts))
  app.onError((fault, context) => {
    // A client that left has cut its own request off; that is no fault of the server.
    if (!context.req.raw.signal.aborted) report(fault)
    return faultReply(context)
  })
  app.get('/healthz', (context) => context.json({ ok: true }))
  app.route('/v1', chatRoutes(factory, report))
  app.use('/api/*', whoIsSignedIn(factory.sessions))
  app.route('/api/session', sessionRoutes(factory.sessions, factory.chainId))
  app.route('/api/uploads', uploadRoutes(factory.uploads))
  app.route('/api', apiRoutes(factory, closing))
  app.route('/api', examRoutes(factory))
  app.route('/api/operate', operateRoutes(factory, faults))
  app.route('/api/webhook', webhookRoutes(factory))
  app.route('/api/shares', sharesRoutes(factory))
  app.route('/api/gaps', gapRoutes(factory))
  app.route('/api/benchmark', benchmarkRoutes())
  app.route('/api/market/auditions', auditionRoutes(factory))
  app.route('/api/market', bountyRoutes(factory))
  app.route('/api/market', marketRoutes(factory))
  app.route('/', openapiRoutes(factory.version))
  app.route(
    '/api/wallet',
    walletRoutes(factory, async (request) => app.fetch(request)),
  )
  app.route('/models', cardRoutes(factory))
  const nothing = (path: string, method: string) => refuse('not_found', `There is no ${method} ${path}.`, 'See the README for the routes.')
  for (const prefix of ['/v1/*', '/api/*']) app.all(prefix, (context) => openaiRefusal(context, 404, nothing(context.req.path, context.req.method)))
  app.get('*', studio(studioFolder))
  app.notFound((context) => openaiRefusal(context, 404, nothing(context.req.path, context.req.method)))
  return app
}
