/**
 * Finds the server a command talks to: the one named, the one running on the data folder, or one started for the command's
 * own duration. Knows nothing of what the command will ask.
 */
import { join } from 'node:path'
import { isRefusal, type Refusal, refuse } from '../../core/errors.ts'
import { type Config, ROOT } from '../../factory/config.ts'
import { openGateway, whoHolds } from '../../factory/gateway.ts'
import type { Printer } from './print.ts'

export type Connection = { url: string; close(): Promise<void> }

/** How long to wait for a process that holds the folder to begin listening. */
const ANNOUNCE_MS = 30_000

export async function connect(config: Config, url: string | undefined, tell?: (text: string) => void): Promise<Connection | Refusal> {
  if (url !== undefined) return { url: url.replace(/\/+$/, ''), close: async () => {} }
  for (const until = Date.now() + ANNOUNCE_MS; ; ) {
    const held = await whoHolds(config)
    if (!held) break
    if (held.url) return { url: held.url, close: async () => {} }
    if (Date.now() > until)
      return refuse(
        'folder_held',
        `The data folder ${config.data} is held by process ${held.pid}, which does not answer.`,
        'Stop that process, or give another folder with --data.',
      )
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  return serve(config, 0, tell)
}

/** Opens the data folder and serves it. */
export async function serve(
  config: Config,
  port: number,
  tell?: (text: string) => void,
): Promise<(Connection & { gateway: import('../../factory/gateway.ts').Gateway }) | Refusal> {
  const gateway = await openGateway(config, tell)
  if (isRefusal(gateway)) return gateway
  const { startServer } = await import('../server/serve.ts')
  const server = await startServer({ factory: gateway.factory, host: config.host, port, studioFolder: join(ROOT, 'studio', 'dist') })
  if (isRefusal(server)) {
    await gateway.close()
    return server
  }
  await gateway.announce(server.url)
  return {
    url: server.url,
    gateway,
    async close() {
      await server.close()
      await gateway.close()
    },
  }
}

/** What every command gets: configuration, how to speak, and the server it was told to use. */
export type Context = { config: Config; out: Printer; url: string | undefined }

/** Connects, runs `work` with the server's address, closes a server that was started for it. */
export async function withServer<T>(context: Context, work: (url: string) => Promise<T | Refusal>): Promise<T | Refusal> {
  const connection = await connect(context.config, context.url)
  if (isRefusal(connection)) return connection
  try {
    return await work(connection.url)
  } finally {
    await connection.close()
  }
}
