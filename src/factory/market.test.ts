/** The market over a chain and a store: what it shows follows from them, whatever strangers wrote, and can be read anew. */
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Answer } from '../core/answer.ts'
import { isRefusal, type Refusal } from '../core/errors.ts'
import { hashText, type Id } from '../core/id.ts'
import type { Hex } from '../core/listing.ts'
import { BuilderPost, SearchQuery, WantedPost } from '../core/market.ts'
import { chooseRecipe } from '../core/recipe.ts'
import type { Report } from '../core/report.ts'
import { Weights } from '../core/weights.ts'
import { memoryChain } from '../drivers/chain/memory.ts'
import { openDatabase } from '../drivers/database/pglite.ts'
import { planOffline } from '../drivers/planner/offline.ts'
import { memoryStore } from '../drivers/store/memory.ts'
import { authorize } from '../ports/chain.suite.ts'
import type { Chain } from '../ports/chain.ts'
import type { Database } from '../ports/database.ts'
import { pack } from '../steps/pack.ts'
import { type Auditions, openAuditions } from './audition.ts'
import { type Market, openMarket } from './market.ts'
import { openMarketIndex } from './market-index.ts'

const price = 10n ** 16n
let clock = Date.UTC(2026, 0, 5)
const now = () => clock
let chain: Chain
let database: Database
let market: Market
const store = memoryStore()
const owner = { name: 'builder', address: privateKeyToAccount(generatePrivateKey()).address }
const payout = privateKeyToAccount(generatePrivateKey()).address
const payer = privateKeyToAccount(generatePrivateKey())
const given = <Value>(value: Value | Refusal): Value => {
  if (isRefusal(value)) throw new Error(value.message)
  return value
}
const search = (q: string, patch: Record<string, unknown> = {}) => market.search(SearchQuery.parse({ q, ...patch }))

async function packageOf(name: string, words: string, score: number, languages?: string[]): Promise<{ id: Id; reportId: Id }> {
  const adapter = await store.put(new TextEncoder().encode(`adapter of ${name}`))
  const spec = { ...planOffline(words, []), ...(languages ? { language: languages } : {}) }
  const recipe = chooseRecipe({ trainingTokens: 1000, maximumTokens: 128, threads: 1, maximumSeconds: 60 })
  const weights = Weights.parse({
    ...{ datasetId: hashText('data'), base: { name: 'base-xs', sha256: hashText('base'), licence: 'Apache-2.0' }, adapter, labelTokens: ['a', 'b'], recipe },
    ...{ threshold: null, expert: null, bestStep: 1, curve: [] },
  })
  const report: Report = {
    ...{
      weightsId: hashText('weights'),
      examId: hashText('exam'),
      n: 100,
      metric: 'macro-F1',
      predictions: hashText('sheet'),
      latencyMs: 20,
      root: hashText(`root ${name}`),
    },
    arms: [{ name: 'tuned', what: 'tuned', score, interval: [score - 0.05, score + 0.05], figures: {} }],
  }
  const dataset = { specId: hashText('spec'), examId: hashText('exam'), training: [], practice: [], passages: [], notes: [] }
  const { id, manifest } = await pack({ store }, { name, spec, dataset, weights, report, serving: null, licences: ['CC BY 4.0'] })
  return { id, reportId: manifest.reportId }
}

async function list(slug: string, packed: { id: Id; reportId: Id }): Promise<Hex> {
  const { modelId } = given(await chain.register({ owner, slug, payout, price }))
  given(await chain.publishVersion({ owner, modelId, packageId: packed.id, reportId: packed.reportId }))
  return modelId
}
const pay = async (modelId: Hex) => {
  const settled = await chain.settle({ modelId, requestHash: hashText('q'), authorization: await authorize(chain, payer, payout) })
  if (settled.status !== 'settled') throw new Error(JSON.stringify(settled))
  return settled.tx
}

let hearts: Hex
let hausa: Hex
let hostile: Hex
beforeAll(async () => {
  chain = memoryChain()
  database = await openDatabase({ folder: null })
  await chain.fund(payer.address, 1000n * price)
  hearts = await list('hearts', await packageOf('hearts', 'Answer questions about heart drugs from these pages', 0.7))
  hausa = await list('korafi', await packageOf('korafi', 'Sort Hausa complaints into water, light and roads', 0.8, ['ha']))
  const name = '\u202eevil\u0000<script>alert(1)</script>'
  hostile = await list('hostile', await packageOf(name, `Sort letters into good and bad ${'\u2066long '.repeat(3000)}`, 0.9))
  market = openMarket({ chain, database, store }, { standing: async () => 'proven', now })
  await market.follow()
}, 120_000)
afterAll(async () => {
  await market.close()
  await database.close()
})

it('finds by need in other words and languages, and says why something stands where it stands', async () => {
  const found = await search('cardiac medicine')
  expect(found.hits[0]).toMatchObject({ modelId: hearts, name: 'hearts', price: { open: '0.01' }, verdict: 'proven', exam: { score: 0.7 } })
  expect(found.hits[0]!.why.join(' ')).toContain('at least 0.65')
  expect((await search('understands Hausa complaints')).hits[0]!.modelId).toBe(hausa)
  expect((await search('quejas en hausa')).hits[0]!.modelId).toBe(hausa)
  expect((await search('hart drugz')).hits[0]!.modelId).toBe(hearts)
  expect((await search('')).hits).toHaveLength(3)
  expect((await search('', { language: 'ha' })).hits.map(({ modelId }) => modelId)).toEqual([hausa])
  expect((await search('')).facets.task.map(({ value }) => value).sort()).toEqual(['answer', 'classify'])
})

it('shows nothing of a stranger’s text that deceives, however long', async () => {
  const view = given(await market.listing(hostile))
  expect(view.name).toBe('evil<script>alert(1)</script>')
  expect([...view.words].length).toBeLessThanOrEqual(1000)
  for (const character of ['\u2066', '\u202e', '\u0000']) expect(view.words).not.toContain(character)
})

it('remembers what was looked for in vain, by what it is about', async () => {
  for (const words of ['Quechua legal terms', 'legal advice in Quechua', 'Quechua legal terms']) await search(words)
  // A builder who looks at models like their own wants none of them.
  await search('Quechua legal terms', { for: 'likeness' })
  const [first] = await market.demand()
  expect(first).toMatchObject({ tags: ['legal', 'qu'], searches: 3, found: 0 })
  const wanted = await market.want(WantedPost.parse({ need: 'Explain Quechua legal terms simply', cases: [{ input: 'a\u202e', output: 'b' }] }))
  expect(wanted).toMatchObject({ tags: expect.arrayContaining(['legal', 'qu']), cases: [{ input: 'a', output: 'b' }] })
  expect((await market.wanted('qu')).map(({ id }) => id)).toEqual([wanted.id])
})

it('counts payments and lets only whoever paid review, and only the owner reply', async () => {
  const tx = await pay(hearts)
  await market.follow()
  expect(given(await market.listing(hearts)).usage).toEqual({ queries: 1, payers: 1, open: { atomic: price.toString(), open: '0.01' } })
  expect(given(await market.listing(hearts)).prices.map(({ price: one }) => one.open)).toEqual(['0.01'])
  const post = { tx, stars: 5, text: 'right <b>' }
  expect(await market.review(hearts, post, undefined)).toMatchObject({ code: 'not_signed_in' })
  expect(await market.review(hearts, post, owner.address)).toMatchObject({ code: 'not_paid' })
  expect(await market.review(hausa, post, payer.address)).toMatchObject({ code: 'not_paid' })
  const review = given(await market.review(hearts, post, payer.address.toLowerCase()))
  given(await market.review(hearts, { ...post, stars: 4 }, payer.address))
  expect(await market.reply(review.id, 'thanks', payer.address)).toMatchObject({ code: 'not_the_builder' })
  given(await market.reply(review.id, 'thanks', owner.address))
  expect(given(await market.listing(hearts)).reviews).toMatchObject([{ stars: 4, text: 'right <b>', reply: { text: 'thanks' } }])
})

it('shows what a builder says of themselves, as they alone may, cleaned, and what they sell', async () => {
  const post = BuilderPost.parse({ name: 'Dr. <b>Ada\u202e', about: ' hearts ', credentials: [{ title: 'FESC', url: 'https://example.org/ada' }] })
  expect(await market.introduce(post, undefined)).toMatchObject({ code: 'not_signed_in' })
  given(await market.introduce(post, payer.address))
  expect(given(await market.listing(hearts)).builder).toBeNull()
  given(await market.introduce(post, owner.address.toLowerCase()))
  expect(given(await market.listing(hearts)).builder).toMatchObject({ name: 'Dr. <b>Ada', about: 'hearts', credentials: [{ title: 'FESC' }] })
  expect((await market.builder(owner.address)).models.map(({ modelId }) => modelId)).toContain(hearts)
  expect((await market.builder(payer.address)).models).toEqual([])
  for (const url of ['http://example.org', 'javascript:alert(1)', 'https://', 'data:text/html,x'])
    expect(BuilderPost.safeParse({ name: 'Ada', credentials: [{ title: 'FESC', url }] }).success).toBe(false)
})

it('counts failures against a listing', async () => {
  const before = given(await market.listing(hausa)).place!
  for (let time = 0; time < 30; time++) market.served(hausa, false)
  await pay(hearts)
  await market.follow()
  const after = given(await market.listing(hausa)).place!
  expect([before.reliability, after.reliability]).toEqual([0.95, 19 / 50])
  expect(after.score).toBeCloseTo((before.score * 19) / 50 / 0.95, 6)
  // Of models that answer elsewhere this gateway knows nothing.
  expect(given(await market.listing(hausa)).health).toBeNull()
  await database.models.put({
    name: 'korafi',
    packageId: hashText('p'),
    modelId: hausa,
    price: 1n,
    publishTx: null,
    abstention: 'free',
    createdAt: 1,
    updatedAt: 1,
  })
  for (const milliseconds of [20, 20, 700]) market.served(hausa, true, milliseconds)
  await market.follow()
  expect(given(await market.listing(hausa)).health).toMatchObject({ answered: 3, failed: 30, halfMs: 23 })
})

it('takes a listing that was taken down out of search, and says nothing of it', async () => {
  given(await market.report(hostile, 'it deceives', undefined))
  expect(await market.reports()).toMatchObject([{ modelId: hostile, reason: 'it deceives' }])
  await market.hide(hostile, true)
  expect((await search('')).hits).toHaveLength(2)
  expect(await market.listing(hostile)).toMatchObject({ code: 'listing_unknown' })
  await market.hide(hostile, false)
})

describe('a blind audition', () => {
  const cases = ['chest pain at night', 'water pipe broken']
  const ask = async (model: string, text: string): Promise<Answer> => ({ text: `${model.length} ${text}`, citations: [], abstained: false })
  let auditions: Auditions
  beforeAll(async () => {
    auditions = openAuditions({ chain, database }, { market, ask, now })
    for (const [name, modelId] of [
      ['hearts', hearts],
      ['korafi', hausa],
      ['unlisted', null],
    ] as const)
      await database.models.put({
        name,
        modelId,
        packageId: hashText(name),
        price: modelId && price,
        publishTx: null,
        abstention: 'free',
        createdAt: 1,
        updatedAt: 1,
      })
  })

  it('is among models that answer here, and only for a wallet that could pay the dearest', async () => {
    expect(await auditions.begin({ models: ['hearts', 'unlisted'], cases }, payer.address)).toMatchObject({ code: 'listing_unknown' })
    expect(await auditions.begin({ need: 'Hausa complaints about nothing else', cases }, owner.address)).toMatchObject({
      code: expect.stringMatching(/audition_(too_few|unaffordable)/),
    })
    expect(await auditions.begin({ models: ['hearts', 'korafi'], cases }, owner.address)).toMatchObject({ code: 'audition_unaffordable' })
  })

  it('asks no model that the wallet may not pay, and says which limit stands in the way', async () => {
    const begin = (perQuery: bigint, together: bigint) => auditions.begin({ need: 'heart drugs', cases }, payer.address, { perQuery, together })
    expect(await begin(price - 1n, 100n * price)).toMatchObject({ code: 'audition_too_few', hint: expect.stringContaining('raise its limit') })
    expect(await auditions.begin({ models: ['hearts', 'korafi'], cases }, payer.address, { perQuery: price, together: 2n * price - 1n })).toMatchObject({
      code: 'audition_over_limit',
    })
  })

  it('tells who is who only after the choice, which stands, and counts once the chain shows the payments', async () => {
    const begun = given(await auditions.begin({ models: ['hearts', 'korafi'], cases }, payer.address))
    expect(begun.most.open).toBe('0.02')
    expect(begun.contestants.map(({ letter, model }) => [letter, model])).toEqual([
      ['A', null],
      ['B', null],
    ])
    expect(JSON.stringify(begun)).not.toMatch(/hearts|korafi|0x/)
    expect(await auditions.begin({ models: ['hearts', 'korafi'], cases }, payer.address)).toMatchObject({ code: 'audition_in_progress' })
    for (const other of [owner.address, payout]) expect(await auditions.view(begun.id, other)).toMatchObject({ code: 'audition_unknown' })
    expect(await auditions.settle(begun.id, payer.address)).toMatchObject({ code: 'audition_undecided' })
    expect(await auditions.pick(begun.id, 'C', payer.address)).toMatchObject({ code: 'letter_not_there' })
    const heart = begun.contestants.find(({ answers }) => answers[0] === `6 ${cases[0]}`)!
    // Both names have six letters: the order is drawn, so either may be the one.
    const picked = given(await auditions.pick(begun.id, heart.letter, payer.address))
    const winner = picked.contestants.find(({ letter }) => letter === heart.letter)!.model!
    expect(['hearts', 'korafi']).toContain(winner.name)
    expect(await auditions.pick(begun.id, heart.letter === 'A' ? 'B' : 'A', payer.address)).toMatchObject({ code: 'audition_already_decided' })
    await pay(winner.modelId)
    // One of two answers is paid, and a payment to the other model is none of this one.
    await pay(winner.name === 'hearts' ? hausa : hearts)
    expect(await auditions.settle(begun.id, payer.address)).toMatchObject({ code: 'audition_unpaid' })
    expect((await database.market.ranked()).verdicts).toEqual([])
    await pay(winner.modelId)
    expect(given(await auditions.settle(begun.id, payer.address))).toMatchObject({ settled: true, paid: 2 })
    given(await auditions.settle(begun.id, payer.address))
    expect((await database.market.ranked()).verdicts).toEqual([
      {
        payer: payer.address.toLowerCase(),
        winner: winner.modelId.toLowerCase(),
        losers: [(winner.name === 'hearts' ? hausa : hearts).toLowerCase()],
      },
    ])
    // The next may begin.
    given(await auditions.begin({ models: ['hearts', 'korafi'], cases: ['x'] }, payer.address))
  })

  it('of which one was never decided holds its wallet up for a day', async () => {
    expect(await auditions.begin({ models: ['hearts', 'korafi'], cases }, payer.address)).toMatchObject({ code: 'audition_in_progress' })
    clock += 25 * 3600 * 1000
    given(await auditions.begin({ models: ['hearts', 'korafi'], cases }, payer.address))
  })
})

it('does not rank a package that is not here, or whose report is not the one on chain', async () => {
  const real = await packageOf('other', 'Sort other letters into a and b', 0.95)
  const forged = await list('forged', { id: real.id, reportId: hashText('another report') })
  const absent = await list('absent', { id: hashText('nowhere'), reportId: hashText('report') })
  await market.follow()
  expect((await search('other letters')).hits.map(({ modelId }) => modelId)).not.toContain(forged)
  expect(given(await market.listing(forged))).toMatchObject({ facts: null, exam: null, place: null })
  expect(given(await market.listing(absent)).why[0]).toContain('cannot be read here')
  // Published right, it is there.
  given(await chain.publishVersion({ owner, modelId: forged, packageId: real.id, reportId: real.reportId }))
  await market.follow()
  expect((await search('other letters')).hits[0]!.modelId).toBe(forged)
})

it('computes places anew when another process indexed in between', async () => {
  const [one, other] = [1, 2].map(() => openMarketIndex({ chain, store }, database.market, async () => 'proven'))
  const places = async () => (await Promise.all([hearts, hausa].map((modelId) => database.market.listing(modelId, now())))).map((row) => row!.place!.counts.raw)
  for (const index of [one!, other!]) await index.follow({ again: true })
  const before = await places()
  // Two payers: each index hears of one of them alone, and reads of the other's payments only when it computes anew.
  const paid = async (by: typeof payer) => {
    const settled = await chain.settle({ modelId: hearts, requestHash: hashText('q'), authorization: await authorize(chain, by, payout) })
    expect(settled).toMatchObject({ status: 'settled' })
  }
  const stranger = privateKeyToAccount(generatePrivateKey())
  given(await chain.fund(stranger.address, 10n * price))
  await other!.follow()
  await paid(stranger)
  await other!.follow()
  await paid(payer)
  await one!.follow()
  expect(await places()).toEqual([before[0]! + 2, before[1]!])
})

it('tells how each version did, and which did worse than the one before it, beyond chance', async () => {
  for (const score of [0.78, null, 0.6, 0.9]) {
    const elsewhere = { id: hashText('elsewhere'), reportId: hashText('report elsewhere') }
    const packed = score === null ? elsewhere : await packageOf('korafi', `Sort Hausa complaints, with ${score}`, score, ['ha'])
    given(await chain.publishVersion({ owner, modelId: hausa, packageId: packed.id, reportId: packed.reportId }))
  }
  await market.follow()
  const { versions, sample } = given(await market.listing(hausa))
  expect(versions.map(({ version, exam, worse }) => [version, exam?.score ?? null, worse])).toEqual([
    [1, 0.8, false],
    [2, 0.78, false],
    [3, null, false],
    [4, 0.6, true],
    [5, 0.9, false],
  ])
  expect(sample).toBeNull()
})

it('can be read anew from the chain to the same figures, and says which do not follow from it', async () => {
  clock += 86_400_000
  await pay(hearts)
  expect(await market.recompute()).toMatchObject({ same: true, differences: [], listings: 4 })
  await database.market.append([{ block: (await chain.finalBlock()) + 1, place: 0, at: 1, kind: 'price', modelId: hearts, price: 1n }], {
    ...{ after: await database.market.indexedUntil(), until: (await chain.finalBlock()) + 1 },
  })
  const { same, differences } = await market.recompute()
  expect(same).toBe(false)
  expect(differences).toEqual([`${hearts}: price is shown as "1", but is "${price}".`])
})
