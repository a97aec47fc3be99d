/**
 * Seeds a data folder's market with synthetic listings and payments: `npx tsx scripts/seed-market.ts --data FOLDER [--listings N] [--receipts N]`. The folder must
 * be new or hold nothing but such a market: a market that people use is refused. For benches and for looking at the studio; everything is marked synthetic.
 */
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { listedEvents, listingsOf, paidEvents } from '../bench/market/synthetic.ts'
import { rank } from '../src/core/rank-ledger.ts'
import { openDatabase } from '../src/drivers/database/pglite.ts'
import { termsOf } from '../src/factory/market-index.ts'
import type { MarketRecords } from '../src/ports/market.ts'

const MARK = 'synthetic-market.txt'

/** Fills empty records; the listings are described and ranked when it ends. */
export async function seedMarket(market: MarketRecords, options: { listings: number; receipts: number; seed?: number }): Promise<void> {
  const { listings, receipts, seed = 1 } = options
  if ((await market.indexedUntil()) !== -1) throw new Error('The market holds something already; a synthetic one begins empty.')
  let after = -1
  const append = async (events: Parameters<MarketRecords['append']>[0]) => {
    const until = events.at(-1)!.block
    if (!(await market.append(events, { after, until }))) throw new Error(`Somebody else writes to this market (block ${until}).`)
    after = until
  }
  for (const events of listedEvents(listingsOf(listings, seed))) await append(events)
  for (const { modelId, facts, reportId } of listingsOf(listings, seed))
    await market.describe({ modelId, packageId: facts.packageId, reportId }, { facts, terms: termsOf(facts) })
  for (const events of paidEvents({ count: receipts, models: listings, payers: Math.max(50, Math.round(receipts / 40)), first: after + 1, seed: seed + 1 }))
    await append(events)
  const { listings: ranked, payments, funding } = await market.ranked()
  await market.place(rank(ranked, payments, funding))
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({
    options: { data: { type: 'string' }, listings: { type: 'string', default: '1000' }, receipts: { type: 'string', default: '100000' } },
  })
  if (!values.data) {
    console.error('Say which new folder is to hold the synthetic market: --data FOLDER.')
    process.exit(1)
  }
  if (existsSync(values.data) && !existsSync(join(values.data, MARK))) {
    console.error(`The folder ${values.data} is there and holds no synthetic market, so it is left alone. Name a new one.`)
    process.exit(1)
  }
  await mkdir(values.data, { recursive: true })
  await writeFile(join(values.data, MARK), 'Every listing and payment in this folder is made up, for benches and for looking at the studio.\n')
  const database = await openDatabase({ folder: join(values.data, 'database') })
  const began = performance.now()
  await seedMarket(database.market, { listings: Number(values.listings), receipts: Number(values.receipts) })
  console.log(
    `${values.listings} synthetic listings and ${values.receipts} payments in ${values.data}, in ${((performance.now() - began) / 1000).toFixed(0)} s. ${(await readFile(join(values.data, MARK), 'utf8')).trim()}`,
  )
  await database.close()
}
