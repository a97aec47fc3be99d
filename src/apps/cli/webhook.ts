/**
 * `webhook`: the address that hears of every payment, in a terminal. Knows nothing of what it hears.
 */
import { isRefusal, type Refusal } from '../../core/errors.ts'
import type { WebhookView } from '../../core/webhook.ts'
import { type Context, withServer } from './connect.ts'
import { request } from './requests.ts'

/** Looks without words, sets an address, takes it away by `off`, sends a message to it by `test`. */
export async function webhook(context: Context, what: string | undefined): Promise<Refusal | undefined> {
  const path = '/api/webhook'
  if (what === 'test') {
    const tested = await withServer(context, (url) => request<{ status: number }>(url, `${path}/test`, {}))
    if (isRefusal(tested)) return tested
    context.out.result(tested, `It answered ${tested.status}.`)
    return undefined
  }
  const view = await withServer(context, (url) => {
    if (what === undefined) return request<WebhookView>(url, path)
    return what === 'off' ? request<WebhookView>(url, path, undefined, 'DELETE') : request<WebhookView>(url, path, { url: what }, 'PUT')
  })
  if (isRefusal(view)) return view
  context.out.result(view, described(view))
  return undefined
}

function described({ url, told, waiting, failing, signer }: WebhookView): string {
  if (url === null) return 'No address is told of payments. Set one: npx modelfactory webhook https://example.org/paid'
  const wrong = failing ? ` It has not taken any since ${new Date(failing.since).toISOString()}: ${failing.why}.` : ''
  return `${url} is told of every payment, signed by ${signer}: ${told} taken, ${waiting} waiting.${wrong}`
}
