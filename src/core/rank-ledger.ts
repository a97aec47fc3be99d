/**
 * The rank ledger: who paid which listing, whose money it was, and the places that follow, kept as numbers so that a million sums fit, and so that what is
 * new moves the few places it can move. The formula is ranking's. Knows nothing of search, databases or where payments are read.
 */
import type { Address, Hex } from './listing.ts'
import {
  type FundingEdge,
  GIVEN_ELSEWHERE,
  type PaymentEdge,
  type Place,
  PUBLIC_FUNDER_BUILDERS,
  placeOf,
  type Ranked,
  type Taste,
  type Use,
  type Verdict,
} from './ranking.ts'

/** Steps of funding that are followed back from a payer. */
export const FUNDING_STEPS = 3
/** Amounts are kept in billionths of an OPEN, and no more of one than makes a payer count whole. */
const UNIT = 10n ** 9n
const WHOLE = Number(GIVEN_ELSEWHERE / UNIT)
/** Weights are kept in these parts: sums of them are exact, and so the same in whatever order they are added. */
const PARTS = 2 ** 30

export type Changes = { listings?: readonly Ranked[]; payments?: readonly PaymentEdge[]; funding?: readonly FundingEdge[] }

export interface Ledger {
  /** Every listing's place, best first; ties by id, so that the order is the same everywhere. */
  places(): Place[]
  /**
   * Takes sums of payments and listings as they stand now, and accounts that got their first money. Returns the places that may have changed; undefined
   * when a change reaches further than can be followed here (a listing that is new or has another builder, a giver that turns out to be a faucet, money
   * for an account that others already hang on), and then the ledger must be opened anew.
   */
  update(changes: Changes): Place[] | undefined
  /** The account that this one is one with by money: its first giver's, unless that is a faucet or an exchange, back {@link FUNDING_STEPS} steps at most. */
  rootOf(account: Address): Address
}

/** Every listing's place, best first. Time and memory are linear in what is given, but for the sort of the places. Verdicts oldest first. */
export function rank(
  listings: readonly Ranked[],
  payments: readonly PaymentEdge[],
  funding: readonly FundingEdge[],
  verdicts: readonly Verdict[] = [],
): Place[] {
  return openLedger({ listings, payments, funding, verdicts }).places()
}

export function openLedger(all: {
  listings: readonly Ranked[]
  payments: readonly PaymentEdge[]
  funding: readonly FundingEdge[]
  verdicts?: readonly Verdict[]
}): Ledger {
  const names: Address[] = []
  const numbers = new Map<string, number>()
  /** First giver of an account, or -1. */
  const giverOf: number[] = []
  /** Root of an account as found, or -1. */
  const found: number[] = []
  /** Whether an account is a faucet or an exchange; and until it is, the builders that those it gave money pay. */
  const isPublic: boolean[] = []
  const paysBuilders = new Map<number, Set<number>>()
  /** Whether anybody's root may go through an account: it gives, or builds. */
  const leads: boolean[] = []

  const numberOf = (address: Address): number => {
    const name = address.toLowerCase()
    const known = numbers.get(name)
    if (known !== undefined) return known
    const number = names.length
    numbers.set(name, number)
    names.push(name as Address)
    giverOf.push(-1)
    found.push(-1)
    isPublic.push(false)
    leads.push(false)
    firstOfPayer.push(-1)
    stamped.push(-1)
    kept.push(0)
    return number
  }

  /** See {@link put}. */
  const stamped: number[] = []
  const kept: number[] = []
  let stamp = 0

  // Sums of payments, each in two lists: those of its payer and those of its listing.
  const firstOfPayer: number[] = []
  const firstOfModel: number[] = []
  let edges = 0
  const column = () => new Int32Array(Math.max(16, all.payments.length))
  const sums = {
    ...{ payer: column(), model: column(), queries: column(), days: column(), amount: column(), elsewhere: column() },
    ...{ nextOfPayer: column(), nextOfModel: column() },
  }

  const listed = [...all.listings]
  const modelNumbers = new Map(listed.map(({ modelId }, number) => [modelId, number]))
  const builders = listed.map((listing) => listing.builders.map(numberOf))
  for (const own of builders) for (const builder of own) leads[builder] = true
  for (const _ of listed) firstOfModel.push(-1)

  const rootOf = (account: number): number => {
    if (found[account] !== -1) return found[account]!
    let root = account
    for (let step = 0; step < FUNDING_STEPS; step++) {
      const giver = giverOf[root]!
      if (giver === -1 || isPublic[giver]) break
      root = giver
    }
    found[account] = root
    return root
  }

  /** True when the giver was not known to be public and now is. */
  const seePublic = (payer: number, builder: number): boolean => {
    const giver = giverOf[payer]!
    // What its accounts pay to itself says nothing about a giver being public.
    if (giver === -1 || isPublic[giver] || giver === builder || giverOf[builder] === giver) return false
    const seen = paysBuilders.get(giver) ?? new Set<number>()
    paysBuilders.set(giver, seen.add(builder))
    if (seen.size < PUBLIC_FUNDER_BUILDERS) return false
    paysBuilders.delete(giver)
    isPublic[giver] = true
    return true
  }

  const grow = (): void => {
    for (const name of Object.keys(sums) as (keyof typeof sums)[]) {
      const larger = new Int32Array(sums[name].length * 2)
      larger.set(sums[name])
      sums[name] = larger
    }
  }
  const sumUp = (edge: number, sum: PaymentEdge): void => {
    sums.queries[edge] = sum.queries
    sums.days[edge] = sum.days
    const units = sum.amount / UNIT
    sums.amount[edge] = units > WHOLE ? WHOLE : Number(units)
  }
  const add = (payer: number, model: number, sum: PaymentEdge): void => {
    if (edges === sums.payer.length) grow()
    sums.payer[edges] = payer
    sums.model[edges] = model
    sumUp(edges, sum)
    sums.nextOfPayer[edges] = firstOfPayer[payer]!
    firstOfPayer[payer] = edges
    sums.nextOfModel[edges] = firstOfModel[model]!
    firstOfModel[model] = edges
    edges++
  }

  /** The root of a listing's builder; where a root moves the ledger is opened anew. */
  const rootOfModel = (model: number): number => rootOf(builders[model]![0]!)
  /** Sums by root, each worth something only where the stamp is the one of the moment: a map for each payer and listing would be millions. */
  const at = (root: number): number => (stamped[root] === stamp ? kept[root]! : -1)
  const put = (root: number, value: number): void => {
    stamped[root] = stamp
    kept[root] = value
  }
  /** Writes down, for each listing that a payer paid, what it gave to others; in units, at most {@link WHOLE} of each payment's sum. */
  const weigh = (payer: number): void => {
    const first = firstOfPayer[payer]!
    if (sums.nextOfPayer[first] === -1) {
      sums.elsewhere[first] = 0
      return
    }
    stamp++
    let whole = 0
    for (let edge = first; edge !== -1; edge = sums.nextOfPayer[edge]!) {
      const root = rootOfModel(sums.model[edge]!)
      put(root, Math.max(0, at(root)) + sums.amount[edge]!)
      whole += sums.amount[edge]!
    }
    for (let edge = first; edge !== -1; edge = sums.nextOfPayer[edge]!) sums.elsewhere[edge] = Math.min(WHOLE, whole - at(rootOfModel(sums.model[edge]!)))
  }
  const weight = (units: number): number => Math.round(Math.min(1, units / WHOLE) ** 2 * PARTS) / PARTS

  /** How the payments of one listing count; see ranking's head. */
  const useOf = (model: number): Use => {
    const own = builders[model]!
    const ownRoots = own.map(rootOf)
    const discounted = { own: 0, funded: 0, once: 0, single: 0, together: 0 }
    let [raw, organic] = [0, 0]
    stamp++
    for (let edge = firstOfModel[model]!; edge !== -1; edge = sums.nextOfModel[edge]!) {
      raw += sums.queries[edge]!
      const payer = sums.payer[edge]!
      const root = rootOf(payer)
      if (own.includes(payer)) discounted.own++
      else if (own.includes(root) || ownRoots.includes(root)) discounted.funded++
      else if (sums.days[edge]! < 2) discounted.once++
      else {
        if (sums.elsewhere[edge]! < WHOLE) discounted.single++
        const [before, now] = [at(root), weight(sums.elsewhere[edge]!)]
        if (before !== -1) discounted.together++
        // Of one purse the best counts.
        if (now > before) {
          organic += now - Math.max(0, before)
          put(root, now)
        }
      }
    }
    return { raw, organic, discounted }
  }

  /** What was chosen in auditions a listing took part in, and in which auditions an account chose. */
  const heard = new Map<number, { payer: number; won: boolean; winner: number }[]>()
  const judged = new Map<number, Set<number>>()
  for (const { payer: address, winner, losers } of all.verdicts ?? []) {
    const winning = modelNumbers.get(winner)
    const builder = winning === undefined ? undefined : builders[winning]![0]
    if (builder === undefined) continue
    const payer = numberOf(address)
    for (const modelId of [winner, ...losers]) {
      const model = modelNumbers.get(modelId)
      if (model === undefined) continue
      heard.set(model, [...(heard.get(model) ?? []), { payer, won: modelId === winner, winner: builder }])
      judged.set(payer, (judged.get(payer) ?? new Set<number>()).add(model))
    }
  }
  /**
   * Auditions of one listing as they count: the last verdict of each purse, never the builder's own or one with the builder's money, and as much of
   * it as its payer gives to builders that are neither this one nor the winner's.
   */
  const tasteOf = (model: number): Taste => {
    const own = builders[model]!
    const ownRoots = own.map(rootOf)
    const purses = new Map<number, { won: boolean; part: number }>()
    for (const { payer, won, winner } of heard.get(model) ?? []) {
      const [root, winning] = [rootOf(payer), rootOf(winner)]
      if (own.includes(payer) || own.includes(root) || ownRoots.includes(root) || root === winning) continue
      let elsewhere = 0
      for (let edge = firstOfPayer[payer]!; edge !== -1; edge = sums.nextOfPayer[edge]!) {
        const paid = rootOf(builders[sums.model[edge]!]![0]!)
        if (paid !== ownRoots[0] && paid !== winning) elsewhere += sums.amount[edge]!
      }
      purses.set(root, { won, part: weight(elsewhere) })
    }
    let [won, lost] = [0, 0]
    for (const purse of purses.values()) {
      if (purse.won) won += purse.part
      else lost += purse.part
    }
    return { won, lost }
  }
  const place = (model: number): Place => placeOf(listed[model]!, useOf(model), tasteOf(model))

  for (const { from, to } of all.funding) {
    if (from.toLowerCase() === to.toLowerCase()) continue
    const [giver, account] = [numberOf(from), numberOf(to)]
    if (giverOf[account] === -1) giverOf[account] = giver
    leads[giver] = true
  }
  // Sums mostly come by listing or by payer, one after the other of the same, which saves looking it up.
  let [lastModel, lastPayer]: [Hex | undefined, Address | undefined] = [undefined, undefined]
  let [model, payer]: [number | undefined, number] = [undefined, -1]
  for (const sum of all.payments) {
    if (sum.modelId !== lastModel) model = modelNumbers.get(sum.modelId)
    lastModel = sum.modelId
    // Payments for what is not for sale, or of nobody, say nothing about the others.
    if (model === undefined || !builders[model]!.length) continue
    if (sum.payer !== lastPayer) payer = numberOf(sum.payer)
    lastPayer = sum.payer
    add(payer, model, sum)
  }
  for (let edge = 0; edge < edges; edge++) seePublic(sums.payer[edge]!, builders[sums.model[edge]!]![0]!)
  for (let payer = 0; payer < names.length; payer++) if (firstOfPayer[payer] !== -1) weigh(payer)

  return {
    places: () => listed.map((_, model) => place(model)).sort((a, b) => b.score - a.score || (a.modelId < b.modelId ? -1 : 1)),

    update({ listings = [], payments = [], funding = [] }) {
      const moved = new Set<number>()
      const weighed = new Set<number>()
      for (const listing of listings) {
        const model = modelNumbers.get(listing.modelId)
        const same = model !== undefined && listing.builders.map((one) => one.toLowerCase()).join() === builders[model]!.map((one) => names[one]).join()
        if (model === undefined || !same) return undefined
        listed[model] = listing
        moved.add(model)
      }
      for (const { from, to } of funding) {
        if (from.toLowerCase() === to.toLowerCase()) continue
        const account = numberOf(to)
        if (giverOf[account] !== -1) continue
        if (leads[account] || firstOfPayer[account] !== -1 || judged.has(account)) return undefined
        const giver = numberOf(from)
        leads[giver] = true
        giverOf[account] = giver
        found[account] = -1
      }
      for (const sum of payments) {
        const model = modelNumbers.get(sum.modelId)
        if (model === undefined || !builders[model]!.length) continue
        const payer = numberOf(sum.payer)
        let edge = firstOfPayer[payer]!
        while (edge !== -1 && sums.model[edge] !== model) edge = sums.nextOfPayer[edge]!
        if (edge !== -1) sumUp(edge, sum)
        else {
          add(payer, model, sum)
          if (seePublic(payer, builders[model]![0]!)) return undefined
        }
        weighed.add(payer)
      }
      for (const payer of weighed) {
        weigh(payer)
        for (let edge = firstOfPayer[payer]!; edge !== -1; edge = sums.nextOfPayer[edge]!) moved.add(sums.model[edge]!)
        for (const model of judged.get(payer) ?? []) moved.add(model)
      }
      return [...moved].map(place)
    },

    rootOf: (account) => names[rootOf(numberOf(account))]!,
  }
}
