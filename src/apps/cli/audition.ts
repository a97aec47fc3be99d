/**
 * `audition`: models answer cases of one's own unnamed, one is chosen, and its answers are paid from the wallet of this machine. Knows nothing of how
 * models are found or paid.
 */
import { readFile } from 'node:fs/promises'
import { isRefusal, type Refusal, refuse } from '../../core/errors.ts'
import type { AuditionView } from '../../core/market.ts'
import { withCurrency } from './commands.ts'
import type { Context } from './connect.ts'
import { even } from './dataset.ts'
import { request } from './requests.ts'

export type AuditionFlags = { case?: string[]; cases?: string; model?: string[]; pick?: string }

/** Begins one by a need or named models; with `--pick` chooses in the one whose id stands in the place of the need. */
export async function audition(context: Context, needOrId: string | undefined, flags: AuditionFlags): Promise<Refusal | undefined> {
  if (flags.pick !== undefined) {
    if (!needOrId || !/^[0-9a-f]{16}$/.test(needOrId))
      return refuse('audition_unnamed', `"${needOrId ?? ''}" is no id of an audition.`, 'Give the id that was printed: modelfactory audition ID --pick A')
    return told(context, `/api/wallet/auditions/${needOrId}/pick`, { letter: flags.pick.toUpperCase() })
  }
  const cases = [...(flags.case ?? [])]
  if (flags.cases !== undefined) {
    const text = await readFile(flags.cases, 'utf8').catch(() => undefined)
    if (text === undefined) return refuse('cases_unreadable', `The file "${flags.cases}" cannot be read.`, 'Give a text file with one case a line.')
    cases.push(...text.split(/\r?\n/).filter((line) => line.trim()))
  }
  const named = flags.model ?? []
  return told(context, '/api/wallet/auditions', { cases, ...(named.length ? { models: named } : { need: needOrId }) })
}

async function told(context: Context, path: string, body: object): Promise<Refusal | undefined> {
  const made = await withCurrency(context, (url) => request<AuditionView>(url, path, body))
  if (isRefusal(made)) return made
  const { value: view, currency } = made
  const lines = view.cases.flatMap((one, index) => [
    `${index + 1}. ${even(one, 100)}`,
    ...view.contestants.map(({ letter, answers }) => `   ${letter}: ${even(answers[index] ?? '', 160)}`),
  ])
  const names = view.contestants.flatMap(({ letter, model }) => (model ? [`${letter} is ${model.name}, ${model.price.open} ${currency} a query.`] : []))
  const next = view.settled
    ? `You chose ${view.picked}; its ${view.cases.length} answers are paid to its builder, the others cost nothing.`
    : view.picked === null
      ? `Choose: npx modelfactory audition ${view.id} --pick A   (at most ${view.most.open} ${currency}, to the builder of the one you choose)`
      : `${view.paid} of ${view.cases.length} answers of ${view.picked} are paid. Go on: npx modelfactory audition ${view.id} --pick ${view.picked}`
  context.out.result(view, [...(view.picked === null ? lines : names), next].join('\n'))
  return undefined
}
