/**
 * `search`, `show`, `want` and `market recompute`: the market in a terminal. Strangers' words come cleaned from the server; here they are only laid
 * out. Knows nothing of how anything is found.
 */
import { isRefusal, type Refusal, refuse } from '../../core/errors.ts'
import type { Demand, Hit, ListingView, SearchView, Wanted } from '../../core/market.ts'
import type { Recomputed } from '../../factory/market.ts'
import { type OfferFlags, offer, offerOf } from './bounty.ts'
import { withCurrency } from './commands.ts'
import { type Context, withServer } from './connect.ts'
import { even } from './dataset.ts'
import { request } from './requests.ts'

export type SearchFlags = Partial<Record<'task' | 'language' | 'maxPrice' | 'minQuality' | 'licence' | 'base' | 'sort' | 'limit' | 'cursor', string>>

const score = (exam: Hit['exam']): string =>
  exam ? `${exam.metric} ${exam.score.toFixed(3)} [${exam.interval.map((end) => end.toFixed(3)).join(', ')}]` : 'no exam here'

/** Finds listings by need. */
export async function search(context: Context, need: string, flags: SearchFlags): Promise<Refusal | undefined> {
  const { task, language, maxPrice, minQuality, licence, base, sort, limit, cursor } = flags
  const given = Object.entries({ q: need, task, language, maxPrice, minQuality, licence, base, sort, limit, cursor }).filter(([, value]) => value !== undefined)
  const told = await withCurrency(context, (url) => request<SearchView>(url, `/api/market/search?${new URLSearchParams(given as [string, string][])}`))
  if (isRefusal(told)) return told
  const { value: found, currency } = told
  const lines = found.hits.flatMap((hit, index) => [
    `${index + 1}. ${hit.name}${hit.newcomer ? ' (new)' : ''}${hit.synthetic ? ' (synthetic)' : ''}: ${even(hit.words, 90)}`,
    `   ${hit.task}, ${hit.languages.join(' ')}; ${hit.price.open} ${currency}; ${score(hit.exam)}, ${hit.verdict}; ${hit.modelId.slice(0, 14)}`,
  ])
  const read = found.corrected.map(({ from, to }) => `"${from}" was read as "${to}".`)
  const more = found.next ? [`More: --cursor ${found.next}`] : []
  const none = 'Nothing here is about that. Post what you need: npx modelfactory want "..."'
  context.out.result(found, [...read, ...(lines.length ? lines : [none]), ...more].join('\n'))
  return undefined
}

function healthOf(health: ListingView['health']): string[] {
  if (!health || health.answered + health.failed === 0) return []
  const { days, answered, failed, halfMs, mostMs, up } = health
  const soon = halfMs === null ? '' : ` Half began within ${halfMs} ms, 95 of 100 within ${mostMs} ms.`
  return [
    `In ${days} days it answered ${answered} of ${answered + failed} paid questions here.${soon}${up === null ? '' : ` The gateway was up ${(up * 100).toFixed(1)} % of that time.`}`,
  ]
}

/** All that is known of one listing. */
export async function show(context: Context, id: string): Promise<Refusal | undefined> {
  const told = await withCurrency(context, (url) => request<ListingView>(url, `/api/market/listings/${encodeURIComponent(id)}`))
  if (isRefusal(told)) return told
  const { value: view, currency } = told
  const day = (at: number) => new Date(at * 1000).toISOString().slice(0, 10)
  const lines = [
    `${view.name}${view.retired ? ' (retired)' : ''}: ${even(view.words, 300)}`,
    `It is ${view.verdict}, costs ${view.price.open} ${currency} a query and pays ${view.payout}, whole.`,
    `Exam: ${score(view.exam)}${view.exam ? ` on ${view.exam.n} sealed cases` : ''}.`,
    `Used: ${view.usage.queries} paid queries by ${view.usage.payers} payers, ${view.usage.open.open} ${currency} in all.`,
    ...view.why.map((line) => `  ${line}`),
    ...healthOf(view.health),
    ...(view.builder
      ? [`Built by ${[view.builder.name, ...view.builder.credentials.map(({ title }) => title)].join(', ')} (their own words, unchecked).`]
      : []),
    `Versions: ${view.versions.map(({ version, at, exam, worse }) => `${version} (${day(at)}${exam ? `, ${exam.score.toFixed(3)}` : ''}${worse ? ', worse than the one before' : ''})`).join(', ') || 'none'}.`,
    `Prices: ${view.prices.map(({ price, at }) => `${price.open} (${day(at)})`).join(', ')}.`,
    ...view.exams.map(({ examRoot, committedAt, attempts }) => `Exam ${examRoot.slice(0, 14)} committed ${day(committedAt)}, ${attempts} attempts.`),
    ...view.reviews.map(({ stars, text, payer }) => `${'*'.repeat(stars)} ${payer.slice(0, 10)}: ${even(text, 120)}`),
    `Model ${view.modelId}, package ${view.packageId}.`,
  ]
  context.out.result(view, lines.join('\n'))
  return undefined
}

/** Posts a need, or without one lists what is wanted and what is looked for in vain. */
export async function want(context: Context, need: string | undefined, flags: { case?: string[] } & OfferFlags): Promise<Refusal | undefined> {
  const post = await offerOf(flags)
  if (isRefusal(post)) return post
  if (post && need === undefined)
    return refuse('need_missing', 'It is not said what the bounty is for.', 'Say it: npx modelfactory want "..." --bounty 50 --sealed FILE')
  if (need === undefined) {
    const told = await withServer(context, async (url) => {
      const wanted = await request<{ wanted: Wanted[] }>(url, '/api/market/wanted')
      if (isRefusal(wanted)) return wanted
      const demand = await request<{ demand: Demand[] }>(url, '/api/market/demand')
      return isRefusal(demand) ? demand : { ...wanted, ...demand }
    })
    if (isRefusal(told)) return told
    const { wanted, demand } = told
    const posted = wanted.map((one) => `  ${even(one.need, 110)} (${one.cases.length} cases; ${one.tags.join(', ') || 'no field'})`)
    const sought = demand.map(({ searches, words }) => `  ${searches} ${searches === 1 ? 'search' : 'searches'} such as "${even(words, 80)}" found nothing`)
    context.out.result(
      told,
      ['Wanted:', ...(posted.length ? posted : ['  nothing']), 'Looked for in vain:', ...(sought.length ? sought : ['  nothing'])].join('\n'),
    )
    return undefined
  }
  const cases: Wanted['cases'] = []
  for (const one of flags.case ?? []) {
    const at = one.indexOf('=>')
    if (at < 1) return refuse('case_unreadable', `The case "${even(one, 60)}" does not say what belongs to what.`, 'Write it as "text => right answer".')
    cases.push({ input: one.slice(0, at).trim(), output: one.slice(at + 2).trim() })
  }
  const wanted = await withServer(context, (url) => request<Wanted>(url, '/api/market/wanted', { need, cases }))
  if (isRefusal(wanted)) return wanted
  if (post) return offer(context, wanted, post)
  context.out.result(wanted, `Posted as ${wanted.id}${wanted.tags.length ? `, under ${wanted.tags.join(', ')}` : ''}.`)
  return undefined
}

/** Whether every figure of the market follows from the chain and the packages. */
export async function recompute(context: Context): Promise<Refusal | undefined> {
  const made = await withServer(context, (url) => request<Recomputed>(url, '/api/market/recompute'))
  if (isRefusal(made)) return made
  const first = `${made.events} events of the chain, ${made.listings} listings: ${made.same ? 'every figure follows from them' : `${made.differences.length} figures do not follow from them`}.`
  context.out.result(made, [first, ...made.differences.slice(0, 50)].join('\n'))
  if (!made.same) process.exitCode = 1
  return undefined
}
