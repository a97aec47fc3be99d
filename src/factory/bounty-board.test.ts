/** Money for needs: held, won by the first version that passes what nobody saw, or taken back in the open; and what a crash in between leaves. */
import { beforeEach, describe, expect, it } from 'vitest'
import { type BountyPost, BountyPost as Post } from '../core/bounty.ts'
import { isRefusal, type Refusal, refuse } from '../core/errors.ts'
import { hashText } from '../core/id.ts'
import type { Address, Hex } from '../core/listing.ts'
import type { Wanted } from '../core/market.ts'
import { memoryChain } from '../drivers/chain/memory.ts'
import { openDatabase } from '../drivers/database/pglite.ts'
import type { Chain } from '../ports/chain.ts'
import type { Database, Model } from '../ports/database.ts'
import { type BountyBoard, openBountyBoard } from './bounty-board.ts'

const OPEN = 10n ** 18n
const DAY = 86_400_000
const account = (name: string, digit: string) => ({ name, address: `0x${digit.repeat(40)}` as Address })
const [poster, builder, examiner] = [account('payer', '1'), account('builder', '2'), account('gateway', '3')]
const wanted: Wanted = {
  ...{ id: hashText('wanted'), at: 1, tags: [], contact: '', need: 'Sort messages of patients by department' },
  cases: [{ input: 'My heart races.', output: 'cardiology' }],
}
const sealed = ['heart', 'heart', 'skin', 'skin', 'lungs'].map((what, place) => ({ input: `Message ${place} about ${what}`, output: what }))
const post = (patch: Partial<BountyPost> = {}): BountyPost => Post.parse({ amount: '5', days: 30, pass: 0.8, sealed, ...patch })

let now: number
let chain: Chain
let database: Database
let board: BountyBoard
/** What each model answers, and how often it was asked. */
let says: Record<string, (text: string) => string | Refusal>
let asked: string[]

const opened = (): BountyBoard =>
  openBountyBoard(
    { chain, database },
    {
      ...{ poster, builder, examiner, now: () => now },
      find: async (name): Promise<Model | Refusal> =>
        (await database.models.get(name)) ?? refuse('unknown_model', `There is no model "${name}" here.`, 'None.'),
      ask: async (model, text) => {
        asked.push(`${model}: ${text}`)
        const said = says[model]!(text)
        return isRefusal(said) ? said : { text: said, citations: [], abstained: said === '' }
      },
    },
  )
const given = <Value>(value: Value | Refusal): Value => {
  if (isRefusal(value)) throw new Error(value.message)
  return value
}
async function publish(name: string, answers: (text: string) => string | Refusal, version = 'one'): Promise<Hex> {
  const packageId = hashText(`${name} ${version}`)
  const { modelId } = given(await chain.register({ owner: builder, slug: name, payout: `0x${'4'.repeat(40)}`, price: OPEN / 100n }))
  given(await chain.publishVersion({ owner: builder, modelId, packageId, reportId: hashText('report') }))
  await database.models.put({ name, packageId, modelId, price: OPEN / 100n, publishTx: null, abstention: 'free', createdAt: 1, updatedAt: 1 })
  says[name] = answers
  return modelId
}
const last = (text: string): string => text.split(' ').at(-1)!

beforeEach(async () => {
  now = Date.now()
  chain = memoryChain({ now: () => now })
  database = await openDatabase({ folder: null })
  await chain.fund(poster.address, 20n * OPEN)
  says = {}
  asked = []
  board = opened()
})

describe('a bounty', () => {
  it('holds the poster’s money, and shows of its cases how many there are', async () => {
    const bounty = given(await board.offer(wanted, post()))
    expect(bounty).toMatchObject({
      wantedId: wanted.id,
      amount: { open: '5' },
      status: 'open',
      cases: 5,
      measure: 'exact match',
      entries: [],
      won: null,
      opened: null,
    })
    expect((await chain.balance(poster.address)).open).toBe(15n * OPEN)
    expect(JSON.stringify(await board.list())).not.toContain('Message')
    expect(await board.offer(wanted, post())).toMatchObject({ code: 'bounty_exists', message: expect.stringContaining('5') })
    // The same after the process began anew.
    expect(await opened().list()).toEqual([bounty])
  })

  it('refuses cases that are no secret, sums that nobody holds, and bounties that are none', async () => {
    const shown = [...sealed.slice(1), { input: ' my HEART races', output: 'cardiology' }]
    expect(await board.offer(wanted, post({ sealed: shown }))).toMatchObject({ code: 'case_not_sealed', message: expect.stringContaining('HEART races') })
    const twice = [...sealed, { input: 'message 0, about heart', output: 'heart' }]
    expect(await board.offer(wanted, post({ sealed: twice }))).toMatchObject({ code: 'case_twice' })
    expect(await board.offer(wanted, post({ amount: '0' }))).toMatchObject({ code: 'amount_out_of_range' })
    expect(await board.offer(wanted, post({ amount: '21' }))).toMatchObject({ code: 'insufficient_open' })
    expect(Post.safeParse({ amount: '5', sealed: sealed.slice(1) }).error?.issues[0]?.message).toContain('at least five')
    // What was refused by the chain is on no list.
    expect(await board.list()).toEqual([])
    expect(await board.view('0x12')).toMatchObject({ code: 'bounty_unknown' })
    expect(await board.enter('nothing', 'nobody')).toMatchObject({ code: 'bounty_unknown' })
    expect(await board.withdraw('nothing')).toMatchObject({ code: 'bounty_unknown' })
  })

  it('is won whole by the first that passes, in the order in which they came', async () => {
    const { bountyId } = given(await board.offer(wanted, post()))
    await publish('guesser', () => 'heart')
    const winner = await publish('good', last)
    await publish('late', last)
    const all = await Promise.all(['guesser', 'good', 'late'].map((name) => board.enter(bountyId, name)))
    expect(all[0]).toMatchObject({ status: 'open', entries: [{ model: 'guesser', score: 0.4, passed: false }] })
    expect(all[1]).toMatchObject({ status: 'paid', won: { model: 'good', modelId: winner, tx: expect.stringMatching(/^0x/) } })
    expect(all[2]).toMatchObject({ code: 'bounty_not_open' })
    expect((await chain.balance(`0x${'4'.repeat(40)}`)).open).toBe(5n * OPEN)
    expect(asked.filter((one) => one.startsWith('late'))).toEqual([])
    expect(given(await board.view(bountyId)).entries).toHaveLength(2)
    // With the first over, another can be offered for the same need.
    expect(given(await board.offer(wanted, post({ amount: '6' }))).status).toBe('open')
  })

  it('examines each version once, the published one alone, and a better one again', async () => {
    const { bountyId } = given(await board.offer(wanted, post()))
    await publish('mine', () => 'skin')
    expect(given(await board.enter(bountyId, 'mine')).entries[0]).toMatchObject({ score: 0.4 })
    expect(await board.enter(bountyId, 'mine')).toMatchObject({ code: 'bounty_entered', message: expect.stringContaining('0.400') })
    expect(asked).toHaveLength(5)
    const draft = { ...(await database.models.get('mine'))!, packageId: hashText('not published') }
    await database.models.put(draft)
    expect(await board.enter(bountyId, 'mine')).toMatchObject({ code: 'version_not_published' })
    await database.models.put({ ...draft, modelId: null })
    expect(await board.enter(bountyId, 'mine')).toMatchObject({ code: 'not_published' })
    await publish('mine', last, 'two')
    expect(given(await board.enter(bountyId, 'mine'))).toMatchObject({ status: 'paid', entries: [{ passed: false }, { passed: true, score: 1 }] })
  })

  it('takes what a model does not answer as not right, and stops at a model that cannot be asked', async () => {
    const { bountyId } = given(await board.offer(wanted, post({ pass: 0.6 })))
    await publish('broken', () => refuse('question_unreadable', 'It cannot be read.', 'Write it anew.'))
    expect(await board.enter(bountyId, 'broken')).toMatchObject({ code: 'question_unreadable' })
    await publish('short', (text) =>
      text.endsWith('heart') ? refuse('question_too_long', 'Too long.', 'Shorten it.') : text.endsWith('lungs') ? '' : last(text),
    )
    expect(given(await board.enter(bountyId, 'short')).entries).toMatchObject([{ score: 0.4 }])
    // What could not be examined is entered on the chain, and examined when it can be asked.
    says.broken = last
    expect(given(await board.enter(bountyId, 'broken'))).toMatchObject({ status: 'paid', won: { model: 'broken' } })
  })

  it('counts shared words where right answers are long', async () => {
    const long = sealed.map(({ input }) => ({ input, output: 'See a doctor today and rest until then' }))
    const { bountyId, measure } = given(await board.offer(wanted, post({ sealed: long, pass: 0.7 })))
    expect(measure).toBe('token-F1')
    await publish('near', () => 'See a doctor today, and rest')
    expect(given(await board.enter(bountyId, 'near')).entries[0]).toMatchObject({ passed: true, score: (2 * 6) / 14 })
  })

  it('goes back when its time is over: alone at once, with models entered as its cases are opened', async () => {
    const { bountyId } = given(await board.offer(wanted, post({ days: 2 })))
    await publish('guesser', () => 'heart')
    given(await board.enter(bountyId, 'guesser'))
    expect(await board.withdraw(bountyId)).toMatchObject({ code: 'bounty_not_over' })
    now += 2 * DAY + 1000
    expect(given(await board.view(bountyId))).toMatchObject({ status: 'over', opened: null })
    await publish('late', last)
    expect(await board.enter(bountyId, 'late')).toMatchObject({ code: 'bounty_over' })
    expect(given(await board.withdraw(bountyId))).toMatchObject({ status: 'withdrawn', opened: sealed })
    expect((await chain.balance(poster.address)).open).toBe(20n * OPEN)
    expect(await board.withdraw(bountyId)).toMatchObject({ code: 'bounty_not_open' })
    const alone = given(await board.offer(wanted, post({ days: 2 })))
    now += 2 * DAY + 1000
    expect(given(await board.withdraw(alone.bountyId))).toMatchObject({ status: 'withdrawn', opened: null })
  })

  it('pays a model that passed though the chain was away when it should have been paid', async () => {
    const { bountyId } = given(await board.offer(wanted, post()))
    await publish('good', last)
    const { award } = chain.bounties
    Object.assign(chain.bounties, { award: async () => refuse('chain_unreachable', 'The chain did not answer.', 'Try again.') })
    expect(await board.enter(bountyId, 'good')).toMatchObject({ code: 'chain_unreachable' })
    expect(given(await board.view(bountyId))).toMatchObject({ status: 'open', entries: [{ passed: true }], won: null })
    Object.assign(chain.bounties, { award })
    expect(given(await opened().enter(bountyId, 'good'))).toMatchObject({ status: 'paid', won: { model: 'good' } })
    expect(asked).toHaveLength(5)
  })
})
