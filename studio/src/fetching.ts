/**
 * Asking the server: the JSON of a route, or a {@link Failed} with the server's sentence and hint. Knows nothing of React.
 */
/** What failed, said by the server in a sentence and a hint. */
export class Failed extends Error {
  override readonly name = 'Fetching.Failed'
  readonly hint: string
  readonly code: string
  constructor(message: string, hint: string, code: string) {
    super(message)
    this.hint = hint
    this.code = code
  }
}

const away = {
  en: ['The server cannot be reached.', 'Start it again with npm start; nothing is lost.'],
  es: ['No se puede llegar al servidor.', 'Arráncalo de nuevo con npm start; no se pierde nada.'],
} as const

export const get = <Value>(path: string, signal?: AbortSignal): Promise<Value> => ask<Value>('GET', path, undefined, signal)
/** @throws {Failed} for a refusal, a broken server and one that is away. */
export async function ask<Value>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Value> {
  const language = document.documentElement.lang.startsWith('es') ? 'es' : 'en'
  const gone = () => new Failed(away[language][0], away[language][1], 'server_away')
  const reply = await fetch(path, {
    method,
    ...(signal ? { signal } : {}),
    ...(body === undefined ? {} : body instanceof ArrayBuffer ? { body } : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  }).catch((error: unknown) => {
    if (signal?.aborted) throw error
    throw gone()
  })
  const value: unknown = await reply.json().catch(() => undefined)
  if (reply.ok && value !== undefined) return value as Value
  const { message, hint, code } = ((value as { error?: { message?: string; hint?: string; code?: string } } | undefined)?.error ?? {}) as Record<
    string,
    unknown
  >
  if (typeof message !== 'string') throw gone()
  throw new Failed(message, typeof hint === 'string' ? hint : '', typeof code === 'string' ? code : '')
}
