/**
 * Guard: lets in only requests addressed to this server by its own name and, from a browser, only those of its own pages
 * (DNS rebinding and cross-site requests stop here), and bodies up to a size. Knows nothing of routes.
 */
import { getConnInfo } from '@hono/node-server/conninfo'
import type { Context, MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { refuse } from '../../core/errors.ts'
import { openaiRefusal } from './replies.ts'

/** Who asks, as far as it can be told: the address the connection comes from. Behind a proxy that is the proxy, and all its visitors are one. */
export function visitorOf(context: Context): string {
  return ((context.env as { incoming?: unknown } | undefined)?.incoming ? getConnInfo(context).remote.address : undefined) ?? 'nobody'
}

/** Host names this server answers to, with ports; `any` answers to all, for a server behind a proxy that checks. */
export type AllowedHosts = ReadonlySet<string> | 'any'

/** The names of a listening address: a loopback address is also known as localhost. */
export function hostsOf(host: string, port: number, more: readonly string[] = []): Set<string> {
  const bracketed = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
  const loopback = ['127.0.0.1', 'localhost', '[::1]']
  const names = loopback.includes(bracketed) || bracketed === '0.0.0.0' || bracketed === '[::]' ? [...loopback, bracketed] : [bracketed]
  const hosts = new Set<string>(more.map((name) => name.toLowerCase()))
  for (const name of names) {
    hosts.add(`${name}:${port}`)
    if (port === 80) hosts.add(name)
  }
  return hosts
}

/** `hosts` is asked at every request: the port is known only once the server listens. */
export function guard(hosts: () => AllowedHosts): MiddlewareHandler {
  return async (context, next) => {
    const allowed = hosts()
    const host = context.req.header('host')?.toLowerCase()
    if (allowed !== 'any' && (host === undefined || !allowed.has(host))) {
      const sentence = `This server does not answer to the name "${host ?? ''}".`
      return openaiRefusal(context, 421, refuse('host_not_allowed', sentence, `Use ${[...allowed][0]}.`))
    }
    const origin = context.req.header('origin')
    if (origin !== undefined && !sameOrigin(origin, host, allowed))
      return openaiRefusal(
        context,
        403,
        refuse('origin_not_allowed', `Pages of ${origin} may not use this server.`, "Use the server's own page, or a program instead of a browser."),
      )
    return next()
  }
}

function sameOrigin(origin: string, host: string | undefined, allowed: AllowedHosts): boolean {
  const match = /^https?:\/\/([^/]+)$/i.exec(origin)
  const name = match?.[1]?.toLowerCase()
  return name !== undefined && name === host && (allowed === 'any' || allowed.has(name))
}

/** How long and how far a refused body is still read, so that its sender gets to hear the refusal. */
const LINGER_MILLISECONDS = 5_000
const LINGER_BYTES = 256 << 20

/** Turns down bodies above `megabytes`. */
export function limit(megabytes: number): MiddlewareHandler {
  return bodyLimit({
    maxSize: megabytes * 1024 * 1024,
    onError: async (context) => {
      // Where the rest is not read, nothing else can come over this connection.
      if (!(await readAway(context.req.raw.body))) context.header('Connection', 'close')
      return openaiRefusal(context, 413, refuse('body_too_large', `The request is larger than ${megabytes} MB.`, 'Send less at once.'))
    },
  })
}

/**
 * Reads and forgets the rest of a body; true when it came to its end. Most clients send all before they listen: one whose connection
 * closes while it still sends sees a broken pipe in the place of the refusal (RFC 9112, 9.6, calls for a lingering close).
 */
async function readAway(body: ReadableStream<Uint8Array> | null): Promise<boolean> {
  if (!body || body.locked) return false
  const reader = body.getReader()
  const late = AbortSignal.timeout(LINGER_MILLISECONDS)
  const given = new Promise<'late'>((resolve) => late.addEventListener('abort', () => resolve('late'), { once: true }))
  for (let read = 0; read <= LINGER_BYTES; ) {
    const part = await Promise.race([reader.read().catch(() => 'late' as const), given])
    if (part === 'late') return false
    if (part.done) return true
    read += part.value.length
  }
  return false
}
