/**
 * `share`: whom a model pays, in a terminal. Knows nothing of how it is divided.
 */

import type { CitedView } from '../../core/contributors.ts'
import { isRefusal, type Refusal, refuse } from '../../core/errors.ts'
import { type Holder, parseHolder, type SharesSent, type SharesView } from '../../core/shares.ts'
import { withCurrency } from './commands.ts'
import type { Context } from './connect.ts'
import { request } from './requests.ts'

export type ShareFlags = { with: string[]; mine?: string; alone?: boolean; send?: boolean; byCitations?: string | true; yes?: boolean }

/** Looks without options; divides with `--with` and `--mine`, pays the builder alone with `--alone`, sends on what has gathered with `--send`. */
export async function share(context: Context, model: string, flags: ShareFlags): Promise<Refusal | undefined> {
  const path = `/api/shares/${encodeURIComponent(model)}`
  if (flags.send) return send(context, path, flags)
  if (flags.byCitations !== undefined) return byCitations(context, path, flags)
  const wanted = holdersOf(flags)
  if (isRefusal(wanted)) return wanted
  const told = await withCurrency(context, async (url) => {
    if (wanted === undefined) return request<SharesView>(url, path)
    const holders = wanted.others.map(({ recipient, shares }): { recipient: string; shares: string } => ({ recipient, shares: shares.toString() }))
    if (wanted.mine !== undefined) holders.push({ recipient: await ownerOf(url), shares: wanted.mine.toString() })
    return request<SharesView>(url, path, { holders }, 'PUT')
  })
  if (isRefusal(told)) return told
  context.out.result(told.value, described(told.value, told.currency))
  return undefined
}

async function send(context: Context, path: string, flags: ShareFlags): Promise<Refusal | undefined> {
  if (flags.alone || flags.with.length > 0 || flags.mine !== undefined)
    return refuse('share_options', '--send sends on what has gathered, and divides nothing anew.', 'Say --send by itself.')
  const told = await withCurrency(context, (url) => request<SharesSent>(url, `${path}/send`, {}))
  if (isRefusal(told)) return told
  const { value, currency } = told
  const lines = value.sent.map(({ amount, payout, tx }) => `Sent ${amount.open} ${currency} from ${payout} to its holders, transaction ${tx}`)
  context.out.result(value, lines.join('\n'))
  return undefined
}

/** Shows what the exam's answers cite and the shares that follow, and with `--yes` divides by them. */
async function byCitations(context: Context, path: string, flags: ShareFlags): Promise<Refusal | undefined> {
  if (flags.alone || flags.with.length > 0 || flags.mine !== undefined)
    return refuse('share_options', '--by-citations divides by what is cited, and by nothing else.', 'Say your own part with it: --by-citations 40')
  const own = flags.byCitations === true ? '0' : flags.byCitations!
  const told = await withCurrency(context, async (url) => {
    const view = await request<CitedView>(url, `${path}/cited?own=${encodeURIComponent(own)}`)
    if (isRefusal(view) || !flags.yes || view.holders.length === 0) return view
    const set = await request<SharesView>(url, path, { holders: view.holders }, 'PUT')
    return isRefusal(set) ? set : { ...view, set }
  })
  if (isRefusal(told)) return told
  const view: CitedView & { set?: SharesView } = told.value
  const all = view.holders.reduce((sum, { shares }) => sum + BigInt(shares), 0n)
  const percent = (shares: string) => `${(Number((BigInt(shares) * 100_000n) / all) / 1000).toFixed(2)} %`
  const lines = [
    `The answers of ${view.model} in its sealed exam quote ${view.quotes} sentences (report ${view.reportId.slice(0, 14)}):`,
    ...view.files.map(
      ({ file, quotes, contributor }) =>
        `  ${quotes} of ${file}${contributor ? `, by ${contributor.name}${contributor.recipient ? '' : ' (no address)'}` : ''}`,
    ),
    ...(view.holders.length
      ? ['Divided by that:', ...view.holders.map(({ recipient, shares }) => `  ${recipient}: ${percent(shares)}`)]
      : ['Nobody else with an address gave anything that was cited; name them in a file CONTRIBUTORS.txt beside the files and build again.']),
    ...(view.holders.length && !view.set
      ? [
          `Nobody can change shares once they are set, only set others from then on. Set these: npx modelfactory share ${view.model} --by-citations ${own} --yes`,
        ]
      : []),
    ...(view.set ? [described(view.set, told.currency)] : []),
  ]
  context.out.result(view, lines.join('\n'))
  return undefined
}

/** Whom the options name; undefined when they only look, and nobody else with `--alone`. */
function holdersOf({ with: others, mine, alone }: ShareFlags): { others: Holder[]; mine?: bigint } | undefined | Refusal {
  if (alone) {
    if (others.length === 0 && mine === undefined) return { others: [] }
    return refuse('share_options', '--alone pays you whole, and nobody beside you.', 'Leave --with and --mine out.')
  }
  if (others.length === 0 && mine === undefined) return undefined
  if (others.length === 0) return refuse('share_options', 'Nobody is named to share with.', 'Name them: --with 0x12...ef=30')
  if (mine === undefined || !/^\d{1,28}$/.test(mine) || BigInt(mine) === 0n)
    return refuse(
      'share_options',
      `${mine === undefined ? 'It is not said' : `"${mine}" does not say`} how many shares are yours.`,
      'Say it as a whole number above 0: --mine 70',
    )
  const read: Holder[] = []
  for (const text of others) {
    const holder = parseHolder(text)
    if (isRefusal(holder)) return holder
    read.push(holder)
  }
  return { others: read, mine: BigInt(mine) }
}

async function ownerOf(url: string): Promise<string> {
  const earnings = await request<{ builder: string }>(url, '/api/earnings')
  return isRefusal(earnings) ? '' : earnings.builder
}

function described({ model, payout, holders, gathered }: SharesView, currency: string): string {
  const waiting = gathered.atomic === '0' ? [] : [`${gathered.open} ${currency} wait to be sent on: npx modelfactory share ${model} --send`]
  if (holders.length === 0) return [`${model} pays ${payout} whole and alone.`, ...waiting].join('\n')
  const all = holders.reduce((sum, { shares }) => sum + BigInt(shares), 0n)
  const lines = holders.map(({ recipient, shares, yours }) => `  ${recipient}: ${shares} of ${all}${yours ? ', you' : ''}`)
  return [`${model} pays ${payout}, a contract that nobody can change and that sends everything on by these shares:`, ...lines, ...waiting].join('\n')
}
