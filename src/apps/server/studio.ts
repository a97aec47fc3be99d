/**
 * The studio's files from a folder, as a browser wants them. Knows nothing of what is in them.
 */
import { readFile, realpath } from 'node:fs/promises'
import { extname, resolve, sep } from 'node:path'
import type { Context, Handler } from 'hono'
import { refuse } from '../../core/errors.ts'
import { openaiRefusal } from './replies.ts'

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
}

const safety = {
  'Content-Security-Policy': "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
}

const notBuilt = `<!doctype html><html lang="en"><meta charset="utf-8"><title>ModelFactory</title>
<h1>The studio is not built</h1>
<p>The server runs, but there is no page to show. Build it with <code>npm run build --workspace studio</code> and reload.</p>
<p>The models are at <a href="/v1/models">/v1/models</a>, the state at <a href="/api/state">/api/state</a>.</p></html>`

/** Serves `folder`; paths without a file extension get index.html, because the page finds its own way. */
export function studio(folder: string): Handler {
  return async (context) => {
    const path = decode(context.req.path)
    if (path === undefined) return gone(context)
    const extension = extname(path).toLowerCase()
    const file = await read(folder, extension === '' ? 'index.html' : `.${path}`)
    if (file === undefined) {
      if (extension !== '' && path !== '/index.html') return gone(context)
      return context.body(notBuilt, 503, { ...safety, 'Content-Type': types['.html']!, 'Cache-Control': 'no-store' })
    }
    // Built files carry a hash of their content in the name; the page that names them does not.
    const cache = path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache'
    const type = types[extension || '.html'] ?? 'application/octet-stream'
    return context.body(new Uint8Array(file), 200, { ...safety, 'Content-Type': type, 'Cache-Control': cache })
  }
}

function decode(path: string): string | undefined {
  try {
    const decoded = decodeURIComponent(path)
    return decoded.includes('\0') ? undefined : decoded
  } catch {
    return undefined
  }
}

/** The bytes of a file inside the folder, links followed; undefined for everything else. */
async function read(folder: string, path: string): Promise<Buffer | undefined> {
  try {
    const root = await realpath(folder)
    const file = await realpath(resolve(root, path))
    return file.startsWith(root + sep) ? await readFile(file) : undefined
  } catch {
    return undefined
  }
}

function gone(context: Context): Response {
  return openaiRefusal(context, 404, refuse('not_found', `There is nothing at ${context.req.path}.`, 'The page is at /, the models at /v1/models.'))
}
