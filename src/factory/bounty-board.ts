/**
 * Bounties of this gateway: promises money for a need, keeps the sealed cases, puts them to whichever model is entered, and has the first that passes
 * paid. The money is the contract's to hold; what happened is read from the chain. Knows nothing of HTTP or of who asks.
 */
import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import type { Answer } from '../core/answer.ts'
import { type BountyEntry, type BountyPost, type BountyView, MEASURES, measureOf, SealedCase, sameCase, scoreOf } from '../core/bounty.ts'
import { isRefusal, type Refusal, refuse } from '../core/errors.ts'
import { contentId, type Id } from '../core/id.ts'
import type { Hex } from '../core/listing.ts'
import { plainText, type Wanted } from '../core/market.ts'
import { amount, parseOpen } from '../core/royalty.ts'
import type { Chain } from '../ports/chain.ts'
import type { Database, Model } from '../ports/database.ts'
import type { Account } from '../ports/keystore.ts'

const DAY = 86_400
const hex = z.custom<Hex>((value) => typeof value === 'string' && /^0x[0-9a-fA-F]+$/.test(value))
const Entry = z.object({ model: z.string(), modelId: hex, packageId: z.string(), at: z.number(), score: z.number(), passed: z.boolean(), evidence: z.string() })
const Kept = z.object({
  bountyId: hex,
  wantedId: z.string(),
  at: z.number(),
  sum: z.string(),
  salt: hex,
  cases: z.array(SealedCase),
  pass: z.number(),
  measure: z.enum(MEASURES),
  entries: z.array(Entry),
  won: z.object({ model: z.string(), modelId: hex, tx: hex }).nullable(),
})
type Kept = z.infer<typeof Kept>
const INDEX = 'bounties'
const keyOf = (bountyId: string): string => `bounty:${bountyId.toLowerCase()}`
/** What is sealed: the text that the contract holds the hash of and publishes in the end. */
const textOf = (cases: readonly SealedCase[]): string => JSON.stringify(cases.map(({ input, output }) => ({ input, output })))

export interface BountyBoard {
  /** Promises money for a need that is on the board. */
  offer(wanted: Wanted, post: BountyPost): Promise<BountyView | Refusal>
  /** Every bounty that the chain knows, newest first. */
  list(): Promise<BountyView[]>
  view(bountyId: string): Promise<BountyView | Refusal>
  /** Enters the published version of a model of this gateway and examines it; the first that passes is paid. */
  enter(bountyId: string, model: string): Promise<BountyView | Refusal>
  /** Takes the money back when the time is over; where models were entered, the cases become public by it. */
  withdraw(bountyId: string): Promise<BountyView | Refusal>
}

export function openBountyBoard(
  ports: { chain: Pick<Chain, 'bounties' | 'listing' | 'network'>; database: Pick<Database, 'settings'> },
  options: {
    poster: Account
    builder: Account
    examiner: Account
    find: (name: string) => Promise<Model | Refusal>
    ask: (model: string, text: string) => Promise<Answer | Refusal>
    now: () => number
  },
): BountyBoard {
  const { chain, database } = ports
  const { settings } = database
  const { poster, builder, examiner } = options
  const contract = chain.bounties
  let examining: { bountyId: Hex; model: string; done: number; of: number } | undefined
  /** One after the other: who entered first is examined first. */
  let turn: Promise<unknown> = Promise.resolve()
  const inTurn = <Value>(work: () => Promise<Value>): Promise<Value> => {
    const done = turn.then(work, work)
    turn = done.catch(() => {})
    return done
  }

  const index = async (): Promise<string[]> => z.array(z.string()).safeParse(await settings.get(INDEX)).data ?? []
  const keep = (kept: Kept): Promise<void> => settings.set(keyOf(kept.bountyId), kept)
  async function find(bountyId: string): Promise<Kept | Refusal> {
    const found = Kept.safeParse(await settings.get(keyOf(bountyId)))
    if (found.success) return found.data
    return refuse('bounty_unknown', `No bounty "${plainText(bountyId, 80)}" was offered here.`, 'See: npx modelfactory want')
  }

  /** Undefined while the chain knows nothing of it: it was about to be posted when this process ended, or its posting was refused. */
  async function shown(kept: Kept): Promise<BountyView | undefined> {
    const stands = await contract.bounty(kept.bountyId)
    if (!stands) return undefined
    const { bountyId, wantedId, pass, measure, cases, entries, won } = kept
    const over = stands.status === 'open' && options.now() / 1000 > stands.deadline
    return {
      ...{ bountyId, wantedId, pass, measure, entries, won, cases: cases.length, amount: amount(stands.amount) },
      ...{ poster: stands.poster, examiner: stands.examiner, deadline: stands.deadline, status: over ? 'over' : stands.status },
      examining: examining?.bountyId === bountyId ? { model: examining.model, done: examining.done, of: examining.of } : null,
      // On the chain for everybody since the money went back.
      opened: stands.status === 'withdrawn' && stands.entries > 0 ? cases : null,
    }
  }
  async function view(bountyId: string): Promise<BountyView | Refusal> {
    const kept = await find(bountyId)
    if (isRefusal(kept)) return kept
    return (await shown(kept)) ?? refuse('bounty_unknown', `The chain knows no bounty ${kept.bountyId}.`, 'Offer it again.')
  }
  async function list(): Promise<BountyView[]> {
    const found: BountyView[] = []
    for (const bountyId of await index()) {
      const one = await view(bountyId)
      if (!isRefusal(one)) found.unshift(one)
    }
    return found
  }

  async function offer(wanted: Wanted, post: BountyPost): Promise<BountyView | Refusal> {
    const sum = parseOpen(post.amount)
    if (typeof sum !== 'bigint' || sum <= 0n)
      return refuse('amount_out_of_range', `A bounty of "${post.amount}" OPEN is nothing that could be paid.`, 'Offer a sum such as 50.')
    const cases = post.sealed.map(({ input, output }) => ({ input: plainText(input, 20_000), output: plainText(output) }))
    const told = cases.find(({ input }) => wanted.cases.some((one) => sameCase(one.input, input)))
    if (told)
      return refuse('case_not_sealed', `The case "${plainText(told.input, 60)}" is among the examples that everybody sees.`, 'Seal cases that nobody has seen.')
    const twice = cases.find(({ input }, place) => cases.findIndex((one) => sameCase(one.input, input)) !== place)
    if (twice) return refuse('case_twice', `The case "${plainText(twice.input, 60)}" is sealed twice.`, 'Leave one of the two out.')
    const standing = (await list()).find((one) => one.wantedId === wanted.id && one.status === 'open')
    if (standing) return refuse('bounty_exists', `A bounty of ${standing.amount.open} is open for this need.`, 'Wait for its end, or post another need.')
    const salt: Hex = `0x${randomBytes(32).toString('hex')}`
    const terms = {
      needHash: contentId({ need: wanted.id, measure: post.measure ?? measureOf(cases), pass: post.pass, cases: cases.length }),
      casesHash: contract.casesHashOf(salt, textOf(cases)),
      examiner: examiner.address,
      deadline: Math.floor(options.now() / 1000) + post.days * DAY,
    }
    const bountyId = contract.idOf({ poster: poster.address, amount: sum, terms })
    // Before the money moves: without the cases it could not be taken back.
    await keep({
      ...{ bountyId, wantedId: wanted.id, at: options.now(), sum: sum.toString(), salt, cases, pass: post.pass },
      ...{ measure: post.measure ?? measureOf(cases), entries: [], won: null },
    })
    await settings.set(INDEX, [...(await index()), bountyId])
    const posted = await contract.post({ poster, by: builder, amount: sum, terms })
    if (isRefusal(posted) && posted.code === 'insufficient_open')
      return refuse(posted.code, `The wallet ${poster.address} holds less than the ${amount(sum).open} OPEN of this bounty.`, 'Add OPEN to it, or offer less.')
    return isRefusal(posted) ? posted : view(bountyId)
  }

  /** What a model makes of the sealed cases. */
  async function examine(kept: Kept, model: Model & { modelId: Hex }): Promise<BountyEntry | Refusal> {
    const answers: string[] = []
    examining = { bountyId: kept.bountyId, model: model.name, done: 0, of: kept.cases.length }
    try {
      for (const { input } of kept.cases) {
        const answer = await options.ask(model.name, input)
        // A question too long for it is one it does not answer.
        if (isRefusal(answer) && answer.code !== 'question_too_long') return answer
        answers.push(isRefusal(answer) || answer.abstained ? '' : answer.text)
        examining.done++
      }
    } finally {
      examining = undefined
    }
    const score = scoreOf(kept.measure, kept.cases, answers)
    const of = { bountyId: kept.bountyId, modelId: model.modelId, packageId: model.packageId }
    return {
      ...{ model: model.name, modelId: model.modelId, packageId: model.packageId, at: options.now(), score, passed: score >= kept.pass },
      evidence: contentId({ ...of, answers, score }),
    }
  }

  async function enter(bountyId: string, name: string): Promise<BountyView | Refusal> {
    const kept = await find(bountyId)
    if (isRefusal(kept)) return kept
    const model = await options.find(name)
    if (isRefusal(model)) return model
    const { modelId } = model
    const listed = modelId === null ? undefined : await chain.listing(modelId)
    if (modelId === null || !listed || listed.retired)
      return refuse('not_published', `The model "${name}" is not for sale, and whoever offers a bounty wants to ask it.`, 'Publish it first.')
    if (listed.packageId !== model.packageId)
      return refuse('version_not_published', `The present version of "${name}" is not the one that is published.`, 'Publish this version, then enter it.')
    let entry = kept.entries.find((one) => one.modelId === modelId && one.packageId === model.packageId)
    if (!entry) {
      const entered = await contract.enter({ owner: builder, bountyId: kept.bountyId, modelId })
      // Entered before, and not examined: the process ended in between.
      if (isRefusal(entered) && entered.code !== 'bounty_entered') return entered
      const found = await examine(kept, { ...model, modelId })
      if (isRefusal(found)) return found
      entry = found
      await keep({ ...kept, entries: [...kept.entries, entry] })
    } else if (!entry.passed || kept.won)
      return refuse('bounty_entered', `This version of "${name}" was entered before: ${entry.score.toFixed(3)} of ${kept.pass}.`, 'Publish a better one.')
    if (!entry.passed) return view(kept.bountyId)
    const paid = await contract.award({ examiner, by: builder, bountyId: kept.bountyId, modelId, evidence: entry.evidence as Id })
    if (isRefusal(paid)) return paid
    await keep({ ...((await find(kept.bountyId)) as Kept), won: { model: name, modelId, tx: paid.tx } })
    return view(kept.bountyId)
  }

  async function withdraw(bountyId: string): Promise<BountyView | Refusal> {
    const kept = await find(bountyId)
    if (isRefusal(kept)) return kept
    const done = await contract.withdraw({ by: builder, bountyId: kept.bountyId, salt: kept.salt, cases: textOf(kept.cases) })
    return isRefusal(done) ? done : view(kept.bountyId)
  }

  return {
    list,
    view,
    offer: (wanted, post) => inTurn(() => offer(wanted, post)),
    enter: (bountyId, model) => inTurn(() => enter(bountyId, model)),
    withdraw: (bountyId) => inTurn(() => withdraw(bountyId)),
  }
}
