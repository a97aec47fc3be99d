/**
 * How the market does: `npm run bench:market [-- --quick] [--json OUT]`. Search over many listings and back-fill, in PGlite and in a PostgreSQL server of the
 * system's; ranking at two sizes; what attacks gain; and how well a hundred written needs are met, beside PostgreSQL's own full text over the same words.
 * Knows nothing of chains: the events are made up, and what is measured is what the market does with them.
 */
import { writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { seedMarket } from '../../scripts/seed-market.ts'
import { SearchQuery } from '../../src/core/market.ts'
import { openLedger, rank } from '../../src/core/rank-ledger.ts'
import { attacks, comparableMarket } from '../../src/core/ranking.suite.ts'
import { random } from '../../src/core/report.ts'
import { openDatabase } from '../../src/drivers/database/pglite.ts'
import { noServer, startPostgres } from '../../src/drivers/database/postgres.suite.ts'
import { openPostgres } from '../../src/drivers/database/postgres.ts'
import { termsIn } from '../../src/drivers/planner/concepts.ts'
import type { Database } from '../../src/ports/database.ts'
import { type Need, needs } from './needs.ts'
import { BEGAN, listedEvents, listingsOf, paidEvents, type Synthetic } from './synthetic.ts'

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false }, json: { type: 'string' } } })
const LISTINGS = values.quick ? 10_000 : 100_000
const RECEIPTS = values.quick ? 50_000 : 1_000_000
const BACKFILL = values.quick ? 25_000 : 100_000
const NOW = BEGAN + 70 * 86_400

type Row = { what: string; measured: string; reach: string; met: boolean | null }
const rows: Row[] = []
const raw: Record<string, unknown> = {
  at: new Date().toISOString(),
  node: process.version,
  processor: cpus()[0]?.model,
  cores: cpus().length,
  listings: LISTINGS,
}
const row = (what: string, measured: string, reach: string, met: boolean | null) => {
  rows.push({ what, measured, reach, met })
  console.log(`  ${what}: ${measured} (reach ${reach})`)
}
const quantile = (sorted: readonly number[], share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!

async function searching(name: string, database: Database, most: number): Promise<void> {
  const began = performance.now()
  await seedMarket(database.market, { listings: LISTINGS, receipts: 0 })
  console.log(`${name}: ${LISTINGS.toLocaleString('en')} listings seeded in ${((performance.now() - began) / 1000).toFixed(0)} s`)
  const times: number[] = []
  for (let round = 0; round < 3; round++)
    for (const { text } of needs) {
      const start = performance.now()
      await database.market.search(SearchQuery.parse({ q: text }), termsIn(text, 1), NOW)
      // The first round fills caches, as it does in use.
      if (round) times.push(performance.now() - start)
    }
  times.sort((a, b) => a - b)
  const [half, high] = [quantile(times, 0.5), quantile(times, 0.95)]
  raw[`search ${name}`] = { median: half, p95: high, searches: times.length }
  row(`search over ${LISTINGS.toLocaleString('en')} listings, p95, ${name}`, `${high.toFixed(0)} ms (median ${half.toFixed(0)})`, `<= ${most} ms`, high <= most)
}

/** What one payment more costs to rank, with everything else in: read from the database, computed, written back. */
async function following(name: string, database: Database): Promise<void> {
  const { market } = database
  let after = await market.indexedUntil()
  const events = [...paidEvents({ count: RECEIPTS, models: LISTINGS, payers: RECEIPTS / 4, first: after + 1, seed: 8 })].flat()
  for (let from = 0; from < events.length; from += 10_000) {
    const some = events.slice(from, from + 10_000)
    await market.append(some, { after, until: some.at(-1)!.block })
    after = some.at(-1)!.block
  }
  const whole = performance.now()
  const ledger = openLedger(await market.ranked())
  const read = performance.now()
  await market.place(ledger.places())
  const full = [(read - whole) / 1000, (performance.now() - read) / 1000]
  const times: number[] = []
  for (const [late] of paidEvents({ count: 50 * 250, models: LISTINGS, payers: RECEIPTS / 4, first: after + 1, seed: 9 })) {
    if (late!.kind !== 'paid') throw new Error(late!.kind)
    const start = performance.now()
    await market.append([late!], { after, until: late!.block })
    after = late!.block
    const moved = ledger.update(await market.ranked({ models: [], payers: [late!.payer], funded: [] }))
    if (!moved) throw new Error('A payment alone was not followed.')
    await market.move(moved)
    times.push(performance.now() - start)
  }
  times.sort((a, b) => a - b)
  const same = JSON.stringify(ledger.places()) === JSON.stringify(openLedger(await market.ranked()).places())
  if (!same) throw new Error('The places followed are not those computed anew.')
  const [half, most] = [quantile(times, 0.5), times.at(-1)!]
  raw[`following ${name}`] = { receipts: RECEIPTS, listings: LISTINGS, full, median: half, most, updates: times.length }
  row(
    `one payment more among ${RECEIPTS.toLocaleString('en')} over ${LISTINGS.toLocaleString('en')} listings, ${name} (all anew: ${full[0]!.toFixed(1)} s to read and weigh, ${full[1]!.toFixed(1)} s to write)`,
    `${half.toFixed(0)} ms (at most ${most.toFixed(0)} of ${times.length})`,
    '< 1 s',
    most < 1000,
  )
}

async function backfill(database: Database): Promise<void> {
  const listed = [...listedEvents(listingsOf(1000, 5))]
  let after = -1
  for (const events of listed) {
    await database.market.append(events, { after, until: events.at(-1)!.block })
    after = events.at(-1)!.block
  }
  // As the indexer asks for them: many blocks at once.
  const events = [...paidEvents({ count: BACKFILL, models: 1000, payers: 2500, first: after + 1, seed: 6 })].flat()
  const start = performance.now()
  for (let from = 0; from < events.length; from += 10_000) {
    const some = events.slice(from, from + 10_000)
    const whole = some.filter(({ block }) => block <= some.at(-1)!.block)
    await database.market.append(whole, { after, until: whole.at(-1)!.block })
    after = whole.at(-1)!.block
  }
  const rate = events.length / ((performance.now() - start) / 1000)
  raw.backfill = rate
  row('back-fill of payments into PostgreSQL', `${Math.round(rate).toLocaleString('en')} events/s`, '>= 3,000 events/s', rate >= 3000)
}

function ranking(): void {
  const time = (models: number) => {
    const market = comparableMarket({ models, seed: 3 })
    rank(market.listings, market.payments, market.funding)
    const start = performance.now()
    rank(market.listings, market.payments, market.funding)
    return { seconds: (performance.now() - start) / 1000, payments: market.payments.length }
  }
  const [small, large] = values.quick ? [time(1000), time(10_000)] : [time(8_300), time(83_000)]
  const growth = large.seconds / small.seconds / (large.payments / small.payments)
  raw.ranking = { small, large, growth }
  row(
    `rank of ${large.payments.toLocaleString('en')} payers' sums, beside ${small.payments.toLocaleString('en')}`,
    `${large.seconds.toFixed(2)} s, ${small.seconds.toFixed(2)} s: ${growth.toFixed(2)} x linear`,
    'near-linear',
    growth <= 1.5,
  )
}

function attacking(): void {
  const found = attacks(comparableMarket({ models: 100, seed: 7 }))
  raw.attacks = found
  for (const { name, open, lost, accounts, ranksGained, meanRanksGained } of found)
    row(
      `attack: ${name} (${open} OPEN moved, ${lost} lost, ${accounts} accounts)`,
      `${meanRanksGained.toFixed(2)} ranks on average, ${ranksGained} at most`,
      name === 'self-pay' ? '< 1 rank' : 'told',
      name === 'self-pay' ? ranksGained < 1 : null,
    )
}

/** How much a listing is what a need means: topic, and of what the need names also language and task. */
function gain(need: Need, { topic, language, task }: Synthetic): number {
  if (topic !== need.topic) return 0
  const [right, asked] = [[need.language === language, need.task === task].filter(Boolean).length, [need.language, need.task].filter(Boolean).length]
  return 1 + (asked === 0 ? 2 : (2 * right) / asked)
}

/** Normalised discounted cumulative gain of the first five (Järvelin and Kekäläinen 2002), gains as they are. */
function ndcg(gains: readonly number[], all: readonly number[]): number {
  const discounted = (list: readonly number[]) => list.slice(0, 5).reduce((sum, one, place) => sum + one / Math.log2(place + 2), 0)
  const best = discounted([...all].sort((a, b) => b - a))
  return best === 0 ? 0 : discounted(gains) / best
}

async function relevance(): Promise<void> {
  const database = await openDatabase({ folder: null })
  await seedMarket(database.market, { listings: 1000, receipts: 0 })
  const { PGlite } = await import('@electric-sql/pglite')
  const peer = await PGlite.create()
  await peer.exec('create table texts (id text primary key, search tsvector)')
  const listings = new Map<string, Synthetic>()
  for (const one of listingsOf(1000, 1)) {
    listings.set(one.modelId, one)
    const { name, domain, words, labels, languages } = one.facts
    const text = [name.replace(/-/g, ' '), domain, words, labels.join(' '), languages.join(' ')].join(' ')
    await peer.query("insert into texts values ($1, to_tsvector('english', $2))", [one.modelId, text])
  }
  const scores = { market: [] as number[], plain: [] as number[] }
  for (const need of needs) {
    const all = [...listings.values()].map((one) => gain(need, one))
    const of = (ids: readonly string[]) => ids.map((id) => gain(need, listings.get(id)!))
    const found = await database.market.search(SearchQuery.parse({ q: need.text, limit: 5 }), termsIn(need.text, 1), NOW)
    scores.market.push(ndcg(of(found.rows.map(({ modelId }) => modelId)), all))
    const query = `select id from texts, (select replace(plainto_tsquery('english', $1)::text, '&', '|')::tsquery as asked) as q
      where search @@ asked order by ts_rank_cd(search, asked) desc, id limit 5`
    scores.plain.push(ndcg(of((await peer.query<{ id: string }>(query, [need.text])).rows.map(({ id }) => id)), all))
  }
  await Promise.all([database.close(), peer.close()])
  const mean = (list: readonly number[]) => list.reduce((sum, one) => sum + one, 0) / list.length
  const next = random(13)
  const differences = Array.from({ length: 1000 }, () => {
    const drawn = needs.map(() => Math.floor(next() * needs.length))
    return mean(drawn.map((place) => scores.market[place]! - scores.plain[place]!))
  }).sort((a, b) => a - b)
  const [low, high] = [quantile(differences, 0.025), quantile(differences, 0.975)]
  raw.relevance = { market: mean(scores.market), plain: mean(scores.plain), interval: [low, high], needs: needs.length, scores }
  row(
    `nDCG@5 on ${needs.length} written needs over 1,000 listings, beside plain full text`,
    `${mean(scores.market).toFixed(3)} against ${mean(scores.plain).toFixed(3)}: +${(mean(scores.market) - mean(scores.plain)).toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`,
    'above, with interval',
    low > 0,
  )
}

await relevance()
attacking()
ranking()
const pglite = await openDatabase({ folder: null })
await searching('PGlite', pglite, 150)
await following('PGlite', pglite)
await pglite.close()
if (noServer === null) {
  const server = await startPostgres({ shared_buffers: '256MB' })
  const [one, other] = [await openPostgres({ url: await server.database('search') }), await openPostgres({ url: await server.database('fill') })]
  await backfill(other)
  await other.close()
  // A hundred thousand listings one by one would be as many waits for the disk; what is measured after that writes little or nothing.
  await server.set('synchronous_commit', 'off')
  await searching('PostgreSQL', one, 50)
  await following('PostgreSQL', one)
  await one.close()
  await server.stop()
} else row('PostgreSQL', noServer, '', null)

console.log('')
const widths = (['what', 'measured', 'reach'] as const).map((key) => Math.max(...rows.map((one) => one[key].length)))
for (const one of rows)
  console.log(
    `${one.what.padEnd(widths[0]!)} | ${one.measured.padEnd(widths[1]!)} | ${one.reach.padEnd(widths[2]!)} | ${one.met === null ? '' : one.met ? 'reached' : 'missed'}`,
  )
if (values.json) await writeFile(values.json, `${JSON.stringify({ ...raw, rows }, null, 2)}\n`)
