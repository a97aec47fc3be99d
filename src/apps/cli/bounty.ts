/**
 * `bounty`: money for needs, in a terminal: looked at, offered, a model entered for it, taken back. Knows nothing of contracts or of grading.
 */
import { readFile } from 'node:fs/promises'
import type { BountiesView, BountyView } from '../../core/bounty.ts'
import { isRefusal, type Refusal, refuse } from '../../core/errors.ts'
import type { Wanted } from '../../core/market.ts'
import { parseCases } from '../../core/written-cases.ts'
import { withCurrency } from './commands.ts'
import type { Context } from './connect.ts'
import { even } from './dataset.ts'
import { request } from './requests.ts'

export type OfferFlags = { bounty?: string; sealed?: string; days: string; pass: string }
export type BountyFlags = { enter?: string; withdraw?: boolean }

const path = (id: string, what = ''): string => `/api/market/bounties/${encodeURIComponent(id)}${what}`
const day = (at: number): string => new Date(at * 1000).toISOString().slice(0, 10)

/** What is offered, as the route takes it; undefined when nothing is. */
export async function offerOf({ bounty, sealed, days, pass }: OfferFlags): Promise<object | undefined | Refusal> {
  if (bounty === undefined) return sealed === undefined ? undefined : refuse('bounty_options', 'Sealed cases go with a bounty.', 'Say how much: --bounty 50')
  if (sealed === undefined)
    return refuse(
      'bounty_options',
      'A bounty is won by passing cases that nobody has seen, and none are given.',
      'Give a file with at least five: --sealed FILE',
    )
  const text = await readFile(sealed, 'utf8').catch((error: NodeJS.ErrnoException) =>
    refuse('file_unreadable', `The file "${sealed}" cannot be read (${error.code ?? 'unknown'}).`, 'Check its name.'),
  )
  if (isRefusal(text)) return text
  const cases = parseCases(text.replace(/^\uFEFF/, ''))
  return isRefusal(cases) ? cases : { amount: bounty, days: Number(days), pass: Number(pass), sealed: cases }
}

/** Offers it for a need that was just posted. */
export async function offer(context: Context, wanted: Wanted, post: object): Promise<Refusal | undefined> {
  const told = await withCurrency(context, (url) => request<BountyView>(url, `/api/market/wanted/${encodeURIComponent(wanted.id)}/bounty`, post))
  if (isRefusal(told)) return told
  context.out.result({ ...wanted, bounty: told.value }, [`Posted as ${wanted.id}.`, ...described(told.value, told.currency)].join('\n'))
  return undefined
}

/** Without an id all bounties; with one, that one, entered for or taken back. */
export async function bounty(context: Context, id: string | undefined, flags: BountyFlags): Promise<Refusal | undefined> {
  if (id === undefined) {
    if (flags.enter !== undefined || flags.withdraw)
      return refuse('bounty_missing', 'It is not said which bounty is meant.', 'Give its id: npx modelfactory bounty')
    const told = await withCurrency(context, (url) => request<BountiesView>(url, '/api/market/bounties'))
    if (isRefusal(told)) return told
    const lines = told.value.bounties.flatMap((one) => described(one, told.currency))
    context.out.result(
      told.value,
      lines.length ? lines.join('\n') : 'Nobody offers money for a need. You can: npx modelfactory want "..." --bounty 50 --sealed FILE',
    )
    return undefined
  }
  if (flags.enter !== undefined && flags.withdraw) return refuse('bounty_options', '--enter and --withdraw do not go together.', 'Choose one.')
  if (flags.enter !== undefined) context.out.progress(`${flags.enter} is asked the sealed cases`)
  const told = await withCurrency(context, (url) => {
    if (flags.enter !== undefined) return request<BountyView>(url, path(id, '/entries'), { model: flags.enter })
    return flags.withdraw ? request<BountyView>(url, path(id, '/withdraw'), {}) : request<BountyView>(url, path(id))
  })
  if (isRefusal(told)) return told
  context.out.result(told.value, described(told.value, told.currency).join('\n'))
  return undefined
}

function described(view: BountyView, currency: string): string[] {
  const { bountyId, amount, status, cases, pass, measure, deadline, entries, won, opened } = view
  const stands = {
    open: `open until ${day(deadline)}`,
    over: `its time is over since ${day(deadline)}, and its poster can take it back: npx modelfactory bounty ${bountyId} --withdraw`,
    paid: `won by ${won?.model ?? 'a model'}, transaction ${won?.tx ?? ''}`,
    withdrawn: 'taken back',
  }[status]
  return [
    `${bountyId}: ${amount.open} ${currency} for the first model that reaches ${pass} (${measure}) on ${cases} sealed cases; ${stands}.`,
    ...entries.map(({ model, score, passed }) => `  ${model}: ${score.toFixed(3)}${passed ? ', passed' : ''}`),
    ...(opened ?? []).map(({ input, output }) => `  opened: ${even(input, 80)} => ${even(output, 60)}`),
  ]
}
