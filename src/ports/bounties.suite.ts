/** What the bounties of every Chain must do. Knows nothing of where it runs; accounts and a funded poster come from the chain's own suite. */
import { describe, expect, it } from 'vitest'
import { isRefusal } from '../core/errors.ts'
import { hashText, type Id } from '../core/id.ts'
import type { Address, Hex } from '../core/listing.ts'
import type { Chain } from './chain.ts'
import type { Account } from './keystore.ts'

const OPEN = 10n ** 18n
const CASES = '[{"input":"a","output":"b"}]'
const SALT: Hex = `0x${'07'.repeat(32)}`
const zero: Hex = `0x${'00'.repeat(32)}`

/** `owner` owns models, `other` posts; both are accounts whose keys are here. */
export function bountiesSuite(open: () => { chain: Chain; owner: Account; other: Account }): void {
  describe('bounties', () => {
    const now = () => Math.floor(Date.now() / 1000)
    const termsOf = (patch: Partial<{ needHash: Id; casesHash: Hex; examiner: Address; deadline: number }> = {}) => {
      const { chain, other } = open()
      return { needHash: hashText('need'), casesHash: chain.bounties.casesHashOf(SALT, CASES), examiner: other.address, deadline: now() + 3600, ...patch }
    }
    const posted = async (patch: Parameters<typeof termsOf>[0] = {}, amount = 3n * OPEN): Promise<Hex> => {
      const { chain, owner, other } = open()
      await chain.fund(other.address, amount)
      const done = await chain.bounties.post({ poster: other, by: owner, amount, terms: termsOf(patch) })
      if (isRefusal(done)) throw new Error(done.message)
      return done.bountyId
    }
    const published = async (slug: string, payout: Address): Promise<Hex> => {
      const { chain, owner } = open()
      const registered = await chain.register({ owner, slug, payout, price: OPEN / 100n })
      if (isRefusal(registered)) throw new Error(registered.message)
      const version = await chain.publishVersion({ owner, modelId: registered.modelId, packageId: hashText(`${slug} one`), reportId: hashText('report') })
      if (isRefusal(version)) throw new Error(version.message)
      return registered.modelId
    }
    /** An address that nobody paid before. */
    const fresh = (number: number): Address => `0x${hashText(`payout ${number} of bounties`).slice(2, 42)}`

    it('holds what was promised, under the id that follows from the promise', async () => {
      const { chain, owner, other } = open()
      const terms = termsOf({ needHash: hashText('held') })
      expect(await chain.bounties.bounty(zero)).toBeUndefined()
      const before = (await chain.balance(other.address)).open
      const bountyId = await posted({ needHash: hashText('held'), deadline: terms.deadline })
      expect(bountyId).toBe(chain.bounties.idOf({ poster: other.address, amount: 3n * OPEN, terms }))
      expect(await chain.bounties.bounty(bountyId)).toEqual({
        ...{ poster: other.address, amount: 3n * OPEN, examiner: other.address, deadline: terms.deadline },
        ...{ entries: 0, casesHash: terms.casesHash, status: 'open' },
      })
      expect((await chain.balance(other.address)).open).toBe(before)
      expect(await chain.bounties.post({ poster: other, by: owner, amount: 3n * OPEN, terms })).toMatchObject({ code: 'authorization_used' })
    })

    it('refuses promises that could not be kept', async () => {
      const { chain, owner, other } = open()
      const post = (amount: bigint, patch: Parameters<typeof termsOf>[0] = {}) =>
        chain.bounties.post({ poster: other, by: owner, amount, terms: termsOf(patch) })
      expect(await post(0n)).toMatchObject({ code: 'amount_out_of_range' })
      expect(await post(2n ** 96n)).toMatchObject({ code: 'amount_out_of_range' })
      expect(await post(OPEN, { deadline: now() - 5 })).toMatchObject({ code: 'deadline_out_of_range' })
      expect(await post(OPEN, { deadline: now() + 400 * 86_400 })).toMatchObject({ code: 'deadline_out_of_range' })
      expect(await post(OPEN, { casesHash: zero })).toMatchObject({ code: 'hash_missing' })
      expect(await post(2n ** 95n)).toMatchObject({ code: 'insufficient_open' })
    })

    it('pays the builder whose entered version passed, whole and once, by the examiner’s word alone', async () => {
      const { chain, owner, other } = open()
      const bountyId = await posted({ needHash: hashText('paid') })
      const modelId = await published('bounty-winner', fresh(1))
      const evidence = hashText('evidence')
      const { bounties } = chain
      expect(await bounties.award({ examiner: other, by: owner, bountyId, modelId, evidence })).toMatchObject({ code: 'bounty_not_entered' })
      expect(await bounties.enter({ owner: other, bountyId, modelId })).toMatchObject({ code: 'not_owner' })
      expect(await bounties.enter({ owner, bountyId: hashText('none') as Hex, modelId })).toMatchObject({ code: 'bounty_not_open' })
      expect(await bounties.enter({ owner, bountyId, modelId: hashText('none') as Hex })).toMatchObject({ code: 'model_unknown' })
      expect(await bounties.enter({ owner, bountyId, modelId })).toMatchObject({ tx: expect.stringMatching(/^0x/) })
      expect(await bounties.enter({ owner, bountyId, modelId })).toMatchObject({ code: 'bounty_entered' })
      expect((await bounties.bounty(bountyId))!.entries).toBe(1)
      expect(await bounties.award({ examiner: owner, by: owner, bountyId, modelId, evidence })).toMatchObject({ code: 'award_invalid' })
      // A version after the one that was entered is another model.
      await chain.publishVersion({ owner, modelId, packageId: hashText('two'), reportId: hashText('report') })
      expect(await bounties.award({ examiner: other, by: owner, bountyId, modelId, evidence })).toMatchObject({ code: 'bounty_not_entered' })
      await bounties.enter({ owner, bountyId, modelId })
      const paid = await bounties.award({ examiner: other, by: owner, bountyId, modelId, evidence })
      const { payout } = (await chain.listing(modelId))!
      expect(paid).toMatchObject({ payout, amount: 3n * OPEN })
      expect((await chain.balance(payout)).open).toBe(3n * OPEN)
      expect((await bounties.bounty(bountyId))!.status).toBe('paid')
      expect(await bounties.award({ examiner: other, by: owner, bountyId, modelId, evidence })).toMatchObject({ code: 'bounty_not_open' })
      expect(await bounties.withdraw({ by: other, bountyId, salt: SALT, cases: CASES })).toMatchObject({ code: 'bounty_not_open' })
    })

    it('goes back after its deadline, and with models entered only as its cases are opened', async () => {
      const { chain, owner, other } = open()
      const { bounties } = chain
      const [loser, late] = [await published('bounty-loser', fresh(2)), await published('bounty-late', fresh(3))]
      // Real seconds: enough to post and enter within.
      const deadline = now() + 8
      const [alone, entered] = [await posted({ needHash: hashText('alone'), deadline }), await posted({ needHash: hashText('entered'), deadline })]
      expect(await bounties.enter({ owner, bountyId: entered, modelId: loser })).toMatchObject({ tx: expect.any(String) })
      expect(await bounties.withdraw({ by: other, bountyId: alone, salt: zero, cases: '' })).toMatchObject({ code: 'bounty_not_over' })
      await new Promise((resolve) => setTimeout(resolve, (deadline + 2) * 1000 - Date.now()))
      expect(await bounties.enter({ owner, bountyId: alone, modelId: late })).toMatchObject({ code: 'bounty_over' })
      const before = (await chain.balance(other.address)).open
      expect(await bounties.withdraw({ by: owner, bountyId: alone, salt: zero, cases: '' })).toMatchObject({ tx: expect.any(String) })
      expect(await bounties.withdraw({ by: other, bountyId: entered, salt: SALT, cases: '[]' })).toMatchObject({ code: 'cases_not_opened' })
      expect(await bounties.withdraw({ by: other, bountyId: entered, salt: SALT, cases: CASES })).toMatchObject({ tx: expect.any(String) })
      expect((await chain.balance(other.address)).open).toBe(before + 6n * OPEN)
      expect((await bounties.bounty(entered))!.status).toBe('withdrawn')
    }, 60_000)
  })
}
