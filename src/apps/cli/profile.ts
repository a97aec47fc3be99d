/**
 * `profile`: who the builder is, as buyers see it, in a terminal. Knows nothing of how it is kept.
 */
import { isRefusal, type Refusal } from '../../core/errors.ts'
import type { BuilderView } from '../../core/market.ts'
import { type Context, withServer } from './connect.ts'
import { request } from './requests.ts'

export type ProfileFlags = { about?: string; credential: string[] }

/** Without a name looks; with one says it anew, all of it. A credential is its title, and after a | a page that shows it. */
export async function profile(context: Context, name: string | undefined, { about, credential }: ProfileFlags): Promise<Refusal | undefined> {
  const credentials = credential.map((one) => {
    const bar = one.lastIndexOf('|')
    return bar < 0 ? { title: one } : { title: one.slice(0, bar), url: one.slice(bar + 1) }
  })
  const view = await withServer(context, async (url) => {
    if (name !== undefined) {
      const said = await request<object>(url, '/api/market/builder', { name, about, credentials }, 'PUT')
      if (isRefusal(said)) return said
    }
    return request<BuilderView>(url, '/api/market/builder')
  })
  if (isRefusal(view)) return view
  context.out.result(view, described(view))
  return undefined
}

function described({ address, profile: said, models }: BuilderView): string {
  const sold = models.length ? `For sale: ${models.map(({ name, verdict }) => `${name} (${verdict})`).join(', ')}.` : 'Nothing is for sale yet.'
  if (!said) return `${address} has not said who they are. Say it: npx modelfactory profile "Dr. A. Name" --about "Cardiologist in ..."\n${sold}`
  const lines = said.credentials.map(({ title, url }) => `- ${title}${url ? ` (${url})` : ''}`)
  return [`${said.name}, ${address}`, ...(said.about ? [said.about] : []), ...lines, sold, 'Buyers are told that nobody has checked it.'].join('\n')
}
