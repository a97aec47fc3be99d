/**
 * Blind audition: somebody brings cases of their own, up to three models answer unnamed, one is chosen, its answers are paid to its builder, and the
 * others' cost nothing. What was chosen counts in the ranking once the chain shows the payments. Knows nothing of HTTP or of who signs.
 */
import { randomBytes, randomInt } from 'node:crypto'
import { z } from 'zod'
import type { Answer } from '../core/answer.ts'
import { isRefusal, type Refusal, refuse } from '../core/errors.ts'
import type { Address, Hex } from '../core/listing.ts'
import { type AuditionPost, type AuditionView, plainText, SearchQuery } from '../core/market.ts'
import { amount } from '../core/royalty.ts'
import type { Chain } from '../ports/chain.ts'
import type { Database } from '../ports/database.ts'
import type { Market } from './market.ts'

const CONTESTANTS = 3
const LETTERS = ['A', 'B', 'C'] as const
/** As long a wallet that does not decide waits for its next audition. */
const OPEN_MILLISECONDS = 24 * 3600 * 1000

const Kept = z.object({
  id: z.string(),
  payer: z.string(),
  at: z.number(),
  /** The newest final block when it began: payments after it count. */
  block: z.number(),
  cases: z.array(z.string()),
  contestants: z.array(z.object({ letter: z.string(), name: z.string(), modelId: z.string(), price: z.string(), answers: z.array(z.string()) })),
  picked: z.string().nullable(),
  settled: z.boolean(),
})
type Kept = z.infer<typeof Kept>

/** Atomic units: what one answer may cost, and all of them together. */
export type SpendingLimits = { perQuery: bigint; together: bigint }

export interface Auditions {
  /** Asks the models. `payer` is the wallet that will pay whom it chooses, within `limits` where it has some: what it may not pay is not asked. */
  begin(post: AuditionPost, payer: Address, limits?: SpendingLimits): Promise<AuditionView | Refusal>
  view(id: string, payer: Address): Promise<AuditionView | Refusal>
  /** Chooses, which cannot be taken back, and tells who was who. */
  pick(id: string, letter: string, payer: Address): Promise<AuditionView | Refusal>
  /** Looks on the chain for the payments; with all of them there the audition is over and counts. */
  settle(id: string, payer: Address): Promise<AuditionView | Refusal>
}

export function openAuditions(
  ports: { chain: Chain; database: Database },
  options: { market: Pick<Market, 'search' | 'decided'>; ask: (model: string, text: string) => Promise<Answer | Refusal>; now: () => number },
): Auditions {
  const { settings } = ports.database
  const keyOf = (id: string) => `audition:${id}`
  const openKey = (payer: Address) => `audition-open:${payer.toLowerCase()}`
  /** One at a time: two at once would each find no other under way. */
  let turn: Promise<unknown> = Promise.resolve()
  const inTurn = <Value>(work: () => Promise<Value>): Promise<Value> => {
    const done = turn.then(work, work)
    turn = done.catch(() => {})
    return done
  }

  async function kept(id: string, payer: Address): Promise<Kept | Refusal> {
    const found = Kept.safeParse(await settings.get(keyOf(id)))
    if (found.success && found.data.payer.toLowerCase() === payer.toLowerCase()) return found.data
    return refuse('audition_unknown', `This wallet has no audition "${plainText(id, 40)}".`, 'Begin one: modelfactory audition "what you need" --case "..."')
  }

  const dearest = ({ contestants }: Pick<Kept, 'contestants'>): bigint =>
    contestants.reduce((most, { price }) => (BigInt(price) > most ? BigInt(price) : most), 0n)

  async function paidSince({ block, payer, contestants, picked }: Kept): Promise<number> {
    const winner = contestants.find(({ letter }) => letter === picked)
    if (!winner) return 0
    const paid = await ports.chain.queriesPaid({ modelId: winner.modelId as Hex, fromBlock: block + 1 })
    return paid.filter((one) => one.payer.toLowerCase() === payer.toLowerCase()).length
  }

  async function shown(audition: Kept): Promise<AuditionView> {
    const { id, at, cases, contestants, picked, settled } = audition
    const count = BigInt(cases.length)
    return {
      ...{ id, at, cases, picked, settled },
      most: amount(dearest(audition) * count),
      paid: picked === null ? 0 : Math.min(cases.length, await paidSince(audition)),
      contestants: contestants.map(({ letter, answers, name, modelId, price }) => ({
        letter,
        answers,
        // Who is who is told once it can change nothing.
        model: picked === null ? null : { name, modelId: modelId as Hex, price: amount(BigInt(price)) },
      })),
    }
  }

  async function contestantsFor(
    { need, models }: AuditionPost,
    limits: SpendingLimits | undefined,
  ): Promise<{ name: string; modelId: Hex; price: bigint }[] | Refusal> {
    const forSale = (await ports.database.models.list()).filter(({ modelId, price }) => modelId !== null && price !== null)
    const here = forSale.filter(({ price }) => limits === undefined || price! <= limits.perQuery)
    const named = (name: string) => here.find((model) => model.name === name || model.modelId?.toLowerCase() === name.toLowerCase())
    const unknown = models?.find((name) => !named(name))
    if (unknown !== undefined)
      return refuse('listing_unknown', `No model "${plainText(unknown, 80)}" is for sale and answered here.`, 'An audition is among models of this gateway.')
    const chosen = models
      ? [...new Set(models.map((name) => named(name)!))]
      : (await options.market.search(SearchQuery.parse({ q: need ?? '', limit: 50 }))).hits.flatMap(({ modelId }) => named(modelId) ?? [])
    if (chosen.length < 2)
      return refuse(
        'audition_too_few',
        `Only ${chosen.length === 1 ? 'one model' : 'none'} that answers here is about that, and an audition takes two.`,
        here.length < forSale.length
          ? `${forSale.length - here.length} more cost above the ${amount(limits!.perQuery).open} that this wallet may spend on one answer: raise its limit.`
          : 'Say what you need in other words, or name the models.',
      )
    return chosen.slice(0, CONTESTANTS).map(({ name, modelId, price }) => ({ name, modelId: modelId!, price: price! }))
  }

  async function begin(post: AuditionPost, payer: Address, limits?: SpendingLimits): Promise<AuditionView | Refusal> {
    const before = await settings.get(openKey(payer))
    const last = typeof before === 'string' ? await kept(before, payer) : undefined
    if (last && !isRefusal(last) && !last.settled && options.now() - last.at < OPEN_MILLISECONDS)
      return refuse(
        'audition_in_progress',
        `Your audition ${last.id} is not ${last.picked === null ? 'decided' : 'paid'} yet.`,
        last.picked === null ? 'Choose one of its answers, or wait a day.' : `Pay the answers of ${last.picked}, then begin the next.`,
      )
    const found = await contestantsFor(post, limits)
    if (isRefusal(found)) return found
    const cost = dearest({ contestants: found.map((one) => ({ ...one, price: `${one.price}`, letter: '', answers: [] })) }) * BigInt(post.cases.length)
    if (limits && cost > limits.together)
      return refuse(
        'audition_over_limit',
        `The dearest of them would cost ${amount(cost).open} for ${post.cases.length} cases, and this wallet may spend ${amount(limits.together).open} more today.`,
        'Raise the limit of the day, or bring fewer cases.',
      )
    const { open } = await ports.chain.balance(payer)
    if (open < cost)
      return refuse(
        'audition_unaffordable',
        `The dearest of them would cost ${amount(cost).open} for ${post.cases.length} cases, and ${payer.slice(0, 10)}… holds ${amount(open).open}.`,
        'Add OPEN to the wallet, or bring fewer cases.',
      )
    // Drawn anew each time, so that no letter comes to mean a model.
    for (let last = found.length - 1; last > 0; last--) {
      const other = randomInt(last + 1)
      ;[found[last], found[other]] = [found[other]!, found[last]!]
    }
    const block = await ports.chain.finalBlock()
    const contestants: Kept['contestants'] = []
    for (const [index, { name, modelId, price }] of found.entries()) {
      const answers: string[] = []
      for (const text of post.cases) {
        const answer = await options.ask(name, text)
        if (isRefusal(answer)) return answer
        answers.push(answer.text)
      }
      contestants.push({ letter: LETTERS[index]!, name, modelId, price: `${price}`, answers })
    }
    const audition: Kept = {
      ...{ id: randomBytes(8).toString('hex'), payer, at: options.now(), block, cases: [...post.cases], contestants, picked: null, settled: false },
    }
    await settings.set(keyOf(audition.id), audition)
    await settings.set(openKey(payer), audition.id)
    return shown(audition)
  }

  return {
    begin: (post, payer, limits) => inTurn(() => begin(post, payer, limits)),

    async view(id, payer) {
      const audition = await kept(id, payer)
      return isRefusal(audition) ? audition : shown(audition)
    },

    pick: (id, letter, payer) =>
      inTurn(async () => {
        const audition = await kept(id, payer)
        if (isRefusal(audition)) return audition
        if (audition.picked === letter) return shown(audition)
        if (audition.picked !== null)
          return refuse('audition_already_decided', `You chose ${audition.picked} of this audition.`, 'Begin another one to choose again.')
        if (!audition.contestants.some((one) => one.letter === letter))
          return refuse(
            'letter_not_there',
            `Nobody answered as "${plainText(letter, 10)}".`,
            `Choose ${audition.contestants.map((one) => one.letter).join(' or ')}.`,
          )
        const decided = { ...audition, picked: letter }
        await settings.set(keyOf(id), decided)
        return shown(decided)
      }),

    settle: (id, payer) =>
      inTurn(async () => {
        const audition = await kept(id, payer)
        if (isRefusal(audition)) return audition
        const { picked, cases, contestants } = audition
        if (picked === null) return refuse('audition_undecided', 'Nobody was chosen yet.', `Choose ${contestants.map((one) => one.letter).join(' or ')} first.`)
        const paid = await paidSince(audition)
        if (paid < cases.length)
          return refuse('audition_unpaid', `${paid} of ${cases.length} answers of ${picked} are paid on the chain.`, 'Pay the others, then try again.')
        if (!audition.settled) {
          const winner = contestants.find(({ letter }) => letter === picked)!
          await options.market.decided({
            ...{ id, payer, cases: cases.length, winner: winner.modelId as Hex },
            losers: contestants.filter((one) => one !== winner).map(({ modelId }) => modelId as Hex),
          })
          await settings.set(keyOf(id), { ...audition, settled: true })
        }
        return shown({ ...audition, settled: true })
      }),
  }
}
