/**
 * The server's socket: listens, says where, stops. Knows nothing of routes.
 */
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import { type Refusal, refuse } from '../../core/errors.ts'
import type { ModelFactory } from '../../factory/factory.ts'
import { createApp } from './app.ts'
import { type AllowedHosts, hostsOf } from './guard.ts'

export type ServeOptions = {
  factory: ModelFactory
  /** Address to listen on, e.g. 127.0.0.1. */
  host: string
  /** 0 takes any free port. */
  port: number
  studioFolder: string
  /** Further names this server answers to, `name:port`, or `any` behind a proxy that checks. */
  allowedHosts?: readonly string[] | 'any'
  /** Where faults are logged; standard error unless told otherwise. */
  report?: (fault: unknown) => void
}

export type RunningServer = { url: string; close: () => Promise<void> }

/** Milliseconds that answers under way get to finish when the server stops. */
const GRACE_MS = 3000

/** Starts listening. Refuses an address that cannot be listened on. */
export async function startServer(options: ServeOptions): Promise<RunningServer | Refusal> {
  const { factory, host, port, studioFolder, allowedHosts = [], report = (fault) => console.error(fault) } = options
  const closing = new AbortController()
  let hosts: AllowedHosts = new Set()
  const app = createApp({ factory, studioFolder, hosts: () => hosts, closing: closing.signal, report })
  const server = createAdaptorServer({ fetch: app.fetch }) as Server
  const failed = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
    server.once('error', resolve)
    server.listen(port, host, () => resolve(undefined))
  }).catch((error: NodeJS.ErrnoException) => error)
  if (failed) return refuseToListen(failed, host, port)
  server.on('error', report)
  const actual = (server.address() as AddressInfo).port
  hosts = allowedHosts === 'any' ? 'any' : hostsOf(host, actual, allowedHosts)
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host
  return { url: `http://${name}:${actual}`, close: () => stop(server, closing) }
}

function stop(server: Server, closing: AbortController): Promise<void> {
  closing.abort()
  return new Promise((resolve) => {
    const force = setTimeout(() => server.closeAllConnections(), GRACE_MS)
    // A connection turns idle when its last answer ends, which is after this.
    const idle = setInterval(() => server.closeIdleConnections(), 20)
    server.close(() => {
      clearTimeout(force)
      clearInterval(idle)
      resolve()
    })
  })
}

function refuseToListen(error: NodeJS.ErrnoException, host: string, port: number): Refusal {
  switch (error.code) {
    case 'EADDRINUSE':
      return refuse('port_in_use', `Port ${port} on ${host} is already in use by another program.`, 'Stop that program, or choose another port with --port.')
    case 'EACCES':
      return refuse('port_forbidden', `This user may not listen on port ${port}.`, 'Choose a port above 1023 with --port.')
    case 'ERR_SOCKET_BAD_PORT':
      return refuse('port_invalid', `${port} is not a port.`, 'Choose one from 0 to 65535 with --port.')
    default:
      return refuse(
        'address_not_here',
        `The server cannot listen on ${host}:${port} (${error.code ?? error.message}).`,
        'Listen on 127.0.0.1, or on an address of this machine.',
      )
  }
}
