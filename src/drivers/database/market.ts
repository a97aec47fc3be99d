/**
 * The market's records over any PostgreSQL that Drizzle can talk to: events folded into listings, packages described, payments summed up per payer.
 * Knows nothing of where events and packages come from.
 */
import { type SQL, sql } from 'drizzle-orm'
import type { Id } from '../../core/id.ts'
import type { Address, Hex } from '../../core/listing.ts'
import type { Builder, MarketEvent, Review, Wanted } from '../../core/market.ts'
import type { Place } from '../../core/ranking.ts'
import type { MarketRecords, Terms } from '../../ports/market.ts'
import { marketGaps } from './market-gaps.ts'
import { marketHealth } from './market-health.ts'
import { kept, type Queryable, rowOf, rowsOf, told } from './market-rows.ts'
import { lexeme, marketSearch } from './market-search.ts'

/** Rows of one statement. */
const BATCH = 2000
const DAY = 86_400
/** Searches that found at most this many are demand that nobody meets. */
const HARDLY = 0

const lower = <Text extends string>(text: Text): Text => text.toLowerCase() as Text

export function marketRecords(database: Queryable): MarketRecords {
  const state = async (key: string, within: Pick<Queryable, 'execute'> = database) =>
    (await rowsOf(within, sql`select value from market_state where key = ${key}`))[0]?.value
  const set = (within: Pick<Queryable, 'execute'>, key: string, value: string) =>
    within.execute(sql`insert into market_state (key, value) values (${key}, ${value}) on conflict (key) do update set value = excluded.value`)

  return {
    ...marketSearch(database),
    ...marketHealth(database),
    ...marketGaps(database),

    indexedUntil: async () => Number((await state('until')) ?? -1),

    append: (events, { after, until }) =>
      database.transaction(async (within) => {
        // The row is locked until the end, so of two indexers the second finds what the first did.
        await within.execute(sql`insert into market_state (key, value) values ('until', '-1') on conflict do nothing`)
        const [standing] = await rowsOf(within, sql`select value from market_state where key = 'until' for update`)
        if (Number(standing?.value) !== after) return false
        for (const event of events)
          if (event.block <= after || event.block > until) throw new Error(`An event of block ${event.block} is none of ${after + 1} to ${until}.`)
        for (const event of events) if (event.kind !== 'paid' && event.kind !== 'funded') await fold(within, event)
        await addPayments(within, events)
        await addFunding(within, events)
        await set(within, 'until', String(until))
        return true
      }),

    async reset() {
      await database.transaction(async (within) => {
        for (const table of ['market_history', 'market_exams', 'market_edges', 'market_funding']) await within.execute(sql.raw(`delete from ${table}`))
        // What packages say is found again by the package's id, so it need not be read again.
        await within.execute(sql`update market_listings set version = 0, retired = false, rise = null, place = null, score = 0, organic = 0`)
        await set(within, 'until', '-1')
      })
    },

    async undescribed(limit) {
      const rows = await rowsOf(
        database,
        sql`select model_id, package_id, report_id from market_listings where package_id is not null
          and described is distinct from package_id || ':' || report_id order by model_id limit ${limit}`,
      )
      return rows.map((row) => ({ modelId: row.model_id as Hex, packageId: row.package_id as Id, reportId: row.report_id as Id }))
    },

    describe: ({ modelId, packageId, reportId }, described) =>
      database.transaction(async (within) => {
        const [standing] = await rowsOf(within, sql`select search, facts from market_listings where model_id = ${lower(modelId)} for update`)
        if (!standing) return
        const { facts, terms } = described ?? { facts: null, terms: [] }
        await within.execute(sql`update market_listings set described = ${`${packageId}:${reportId}`}, facts = ${facts && kept(facts)}, task = ${facts?.task ?? null},
          languages = ${sql.param(facts?.languages ?? [])}::text[], domain = ${facts?.domain ?? null}, base = ${facts?.base ?? null},
          licences = ${sql.param(facts?.licences ?? [])}::text[], verdict = ${facts?.verdict ?? null}, quality = ${facts?.exam?.interval[0] ?? 0}::real,
          latency = ${facts?.latencyMs ?? null}::real, root = ${facts?.exam?.root ?? null}, search = ${facts && vector(terms)}::tsvector
          where model_id = ${lower(modelId)}`)
        const before = standing.facts === null ? [] : lexemesIn(String(standing.search))
        await within.execute(sql`update market_terms set listings = listings - 1 where term = any(${sql.param(before)}::text[])`)
        const words = [...new Set(terms.map(({ term }) => term))].sort()
        await within.execute(sql`insert into market_terms (term, listings) select word, 1 from unnest(${sql.param(words)}::text[]) as word
          on conflict (term) do update set listings = market_terms.listings + 1`)
        await within.execute(sql`delete from market_terms where listings <= 0 and term = any(${sql.param(before)}::text[])`)
        const more = (facts ? 1 : 0) - (standing.facts === null ? 0 : 1)
        await within.execute(sql`insert into market_state (key, value) values ('described', ${String(Math.max(0, more))})
          on conflict (key) do update set value = (market_state.value::bigint + ${more})::text`)
      }),

    async ranked(some) {
      // Payers and accounts are kept in small letters, listings as the contracts write them.
      const among = (column: SQL, chosen: readonly string[] | undefined): SQL =>
        chosen ? sql`${column} = any(${sql.param(chosen.map(lower))}::text[])` : sql`true`
      const listings = await rowsOf(
        database,
        sql`select l.model_id, l.builders, l.facts::json -> 'exam' as exam, l.answered, l.failed, l.registered_at, coalesce(e.attempts, 1) as attempts
          from market_listings l left join market_exams e on e.model_id = l.model_id and e.root = l.root
          where l.facts is not null and not l.hidden and not l.retired and ${among(sql`l.model_id`, some?.models)} order by l.model_id`,
      )
      const payments = await rowsOf(
        database,
        sql`select model_id, payer, queries, days, amount from market_edges where ${among(sql`payer`, some?.payers)} order by model_id, payer`,
      )
      const funding = await rowsOf(database, sql`select account, giver from market_funding where ${among(sql`account`, some?.funded)} order by account`)
      const verdicts = some ? [] : await rowsOf(database, sql`select payer, winner, to_json(losers)::text as losers from market_verdicts order by at, id`)
      return {
        listings: listings.map((row) => {
          const exam = typeof row.exam === 'string' ? told<unknown>(row.exam) : row.exam
          const { score, interval } = (exam ?? {}) as { score?: number; interval?: [number, number] }
          return {
            modelId: row.model_id as Hex,
            builders: told<Address[]>(row.builders),
            exam: score === undefined || !interval ? null : { score, interval, attempts: Number(row.attempts) },
            ...{ servedLower: null, answered: Number(row.answered), failed: Number(row.failed), registeredAt: Number(row.registered_at) },
          }
        }),
        payments: payments.map((row) => ({
          ...{ modelId: row.model_id as Hex, payer: row.payer as Address, queries: Number(row.queries), days: Number(row.days) },
          amount: BigInt(String(row.amount)),
        })),
        funding: funding.map((row) => ({ from: row.giver as Address, to: row.account as Address })),
        verdicts: verdicts.map((row) => ({ payer: row.payer as Address, winner: row.winner as Hex, losers: told<Hex[]>(row.losers) })),
      }
    },

    async place(places) {
      await database.transaction(async (within) => {
        await within.execute(
          sql`update market_listings set place = null, score = 0, organic = 0 where place is not null and model_id <> all(${sql.param(
            places.map(({ modelId }) => modelId),
          )}::text[])`,
        )
        await writePlaces(within, places)
      })
      // Nobody else does it in a database inside this process, and without figures the planner reads every term for each that is misspelt.
      await database.execute(sql`analyze market_terms, market_listings`)
    },
    move: (places) => database.transaction((within) => writePlaces(within, places)),

    async listing(modelId, now) {
      const [row] = await rowsOf(
        database,
        sql`select l.*, coalesce(e.attempts, 0) as attempts from market_listings l left join market_exams e on e.model_id = l.model_id and e.root = l.root
          where l.model_id = ${lower(modelId)} and not l.hidden`,
      )
      return row && rowOf(row, now)
    },

    async history(modelId) {
      const model = lower(modelId)
      const events = await rowsOf(database, sql`select kind, at, body from market_history where model_id = ${model} order by block, place`)
      const exams = await rowsOf(database, sql`select root, committed_at, attempts from market_exams where model_id = ${model} order by committed_at, root`)
      const [used] = await rowsOf(
        database,
        sql`select coalesce(sum(queries), 0) as queries, count(*) as payers, coalesce(sum(amount), 0) as amount from market_edges where model_id = ${model}`,
      )
      const of = <Body>(kinds: readonly string[]) =>
        events.filter(({ kind }) => kinds.includes(String(kind))).map((row) => ({ at: Number(row.at), ...told<Body>(row.body) }))
      return {
        prices: of<{ price: string; effectiveAt?: number }>(['registered', 'price', 'price-rise']).map(({ at, price, effectiveAt }) => ({
          at: effectiveAt ?? at,
          price: BigInt(price),
        })),
        versions: of<{ version: number; packageId: Id; reportId: Id }>(['version']).map(({ at, version, packageId, reportId }) => ({
          ...{ at, version, packageId, reportId },
        })),
        exams: exams.map((row) => ({ examRoot: row.root as Hex, committedAt: Number(row.committed_at), attempts: Number(row.attempts) })),
        usage: { queries: Number(used!.queries), payers: Number(used!.payers), amount: BigInt(String(used!.amount)) },
      }
    },

    async verdict({ id, payer, winner, losers, cases, at }) {
      await database.execute(sql`insert into market_verdicts (id, payer, winner, losers, cases, at)
        values (${id}, ${lower(payer)}, ${lower(winner)}, ${sql.param(losers.map(lower))}::text[], ${cases}, ${at}) on conflict do nothing`)
    },

    async searched({ words, tags, found, at }) {
      await database.execute(sql`insert into market_searches (words, tags, searches, found, last) values (${kept(words)}, ${kept([...tags].sort())}, 1, ${found}, ${at})
        on conflict (tags, words) do update set searches = market_searches.searches + 1, found = excluded.found, last = excluded.last`)
    },

    async demand(limit) {
      const rows = await rowsOf(
        database,
        sql`select tags, sum(searches) as searches, max(found) as found, max(last) as last, (array_agg(words order by searches desc, words))[1] as words
          from market_searches where found <= ${HARDLY} group by case when tags = '[]' then words else tags end, tags order by searches desc, last desc limit ${limit}`,
      )
      return rows.map((row) => ({
        ...{ tags: told<string[]>(row.tags), words: told<string>(row.words), searches: Number(row.searches) },
        ...{ found: Number(row.found), last: Number(row.last) },
      }))
    },

    async want(wanted) {
      await database.execute(sql`insert into market_wanted (id, at, tags, body) values (${wanted.id}, ${wanted.at}, ${sql.param(wanted.tags)}::text[], ${kept(wanted)})
        on conflict do nothing`)
    },
    async wanted({ tags, limit }) {
      const chosen = tags?.length ? sql`where tags && ${sql.param([...tags])}::text[]` : sql``
      return (await rowsOf(database, sql`select body from market_wanted ${chosen} order by at desc, id limit ${limit}`)).map((row) => told<Wanted>(row.body))
    },

    async review(review) {
      await database.execute(sql`insert into market_reviews (id, model_id, at, body) values (${review.id}, ${lower(review.modelId)}, ${review.at}, ${kept({ ...review, reply: null })})
        on conflict (id) do update set at = excluded.at, body = excluded.body`)
    },
    async reply(id, reply) {
      const standing = await this.reviewOf(id)
      if (!standing) return false
      await database.execute(sql`update market_reviews set body = ${kept({ ...standing, reply })} where id = ${id}`)
      return true
    },
    async reviews(modelId, limit) {
      const rows = await rowsOf(database, sql`select body from market_reviews where model_id = ${lower(modelId)} order by at desc, id limit ${limit}`)
      return rows.map((row) => told<Review>(row.body))
    },
    async reviewOf(id) {
      const [row] = await rowsOf(database, sql`select body from market_reviews where id = ${id}`)
      return row && told<Review>(row.body)
    },

    async introduce(builder) {
      await database.execute(sql`insert into market_builders (address, at, body) values (${lower(builder.address)}, ${builder.at}, ${kept(builder)})
        on conflict (address) do update set at = excluded.at, body = excluded.body`)
    },
    async builder(address) {
      const [row] = await rowsOf(database, sql`select body from market_builders where address = ${lower(address)}`)
      return row && told<Builder>(row.body)
    },
    async listingsOf(owner, now, limit) {
      const rows = await rowsOf(
        database,
        sql`select l.*, coalesce(e.attempts, 0) as attempts from market_listings l left join market_exams e on e.model_id = l.model_id and e.root = l.root
          where lower(l.owner) = ${lower(owner)} and not l.hidden and not l.retired and l.version > 0 order by l.score desc, l.model_id limit ${limit}`,
      )
      return rows.map((row) => rowOf(row, now))
    },

    async report({ modelId, at, ...rest }) {
      await database.execute(sql`insert into market_reports (model_id, at, body) values (${lower(modelId)}, ${at}, ${kept(rest)})`)
    },
    async reports(limit) {
      const rows = await rowsOf(database, sql`select model_id, at, body from market_reports order by sequence desc limit ${limit}`)
      return rows.map((row) => ({ modelId: row.model_id as Hex, at: Number(row.at), ...told<{ reason: string; from: Address | null }>(row.body) }))
    },
    async hide(modelId, hidden) {
      await database.execute(sql`update market_listings set hidden = ${hidden} where model_id = ${lower(modelId)}`)
    },
  }
}

/** What one event of the registry changes. */
async function fold(within: Pick<Queryable, 'execute'>, event: Exclude<MarketEvent, { kind: 'paid' | 'funded' }>): Promise<void> {
  const { block, place, at, kind, ...body } = event
  const model = lower(event.modelId)
  await within.execute(
    sql`insert into market_history (model_id, block, place, at, kind, body) values (${model}, ${block}, ${place}, ${at}, ${kind}, ${kept(body)})`,
  )
  const builder = (address: Address) =>
    sql`case when builders::jsonb ? ${lower(address)} then builders else (builders::jsonb || to_jsonb(${lower(address)}::text))::text end`
  switch (event.kind) {
    case 'registered': {
      const builders = kept([...new Set([lower(event.owner), lower(event.payout)])])
      await within.execute(sql`insert into market_listings (model_id, owner, payout, builders, price, version, registered_at)
        values (${model}, ${event.owner}, ${event.payout}, ${builders}, ${event.price.toString()}::numeric, 0, ${at})
        on conflict (model_id) do update set owner = excluded.owner, payout = excluded.payout, builders = excluded.builders, price = excluded.price,
          version = 0, registered_at = excluded.registered_at, retired = false`)
      return
    }
    case 'version':
      await within.execute(
        sql`update market_listings set version = ${event.version}, package_id = ${event.packageId}, report_id = ${event.reportId} where model_id = ${model}`,
      )
      return
    case 'price':
      await within.execute(sql`update market_listings set price = ${event.price.toString()}::numeric, rise = null, rise_at = null where model_id = ${model}`)
      return
    case 'price-rise':
      // A rise that has come by then holds; the new one stands beside it.
      await within.execute(sql`update market_listings set price = case when rise is not null and rise_at <= ${at} then rise else price end,
        rise = ${event.price.toString()}::numeric, rise_at = ${event.effectiveAt} where model_id = ${model}`)
      return
    case 'exam':
      await within.execute(sql`insert into market_exams (model_id, root, committed_at) values (${model}, ${event.examRoot}, ${at}) on conflict do nothing`)
      return
    case 'attempt':
      await within.execute(sql`update market_exams set attempts = ${event.attempts} where model_id = ${model} and root = ${event.examRoot}`)
      return
    case 'payout':
      await within.execute(sql`update market_listings set payout = ${event.payout}, builders = ${builder(event.payout)} where model_id = ${model}`)
      return
    case 'owner':
      await within.execute(
        sql`update market_listings set owner = ${event.owner}, payout = ${event.owner}, builders = ${builder(event.owner)} where model_id = ${model}`,
      )
      return
    case 'retired':
      await within.execute(sql`update market_listings set retired = true where model_id = ${model}`)
  }
}

async function writePlaces(within: Pick<Queryable, 'execute'>, places: readonly Place[]): Promise<void> {
  for (const some of batches(places)) {
    const column = (of: (place: Place) => unknown) => sql.param(some.map(of))
    await within.execute(sql`update market_listings as l set place = p.place, score = p.score, organic = p.organic
      from unnest(${column(({ modelId }) => modelId)}::text[], ${column(kept)}::text[], ${column(({ score }) => score)}::real[],
        ${column(({ counts }) => counts.organic)}::real[]) as p (model_id, place, score, organic)
      where l.model_id = p.model_id and l.place is distinct from p.place`)
  }
}

/** Sums of who paid what: one row for each payer of each model, whatever the number of payments. */
async function addPayments(within: Pick<Queryable, 'execute'>, events: readonly MarketEvent[]): Promise<void> {
  type Edge = { model: Hex; payer: Address; queries: number; amount: bigint; days: number; first: number; last: number }
  const edges = new Map<string, Edge>()
  for (const event of events) {
    if (event.kind !== 'paid') continue
    const [model, payer, day] = [lower(event.modelId), lower(event.payer), Math.floor(event.at / DAY)]
    const edge = edges.get(`${model}${payer}`)
    if (!edge) {
      edges.set(`${model}${payer}`, { model, payer, queries: 1, amount: event.amount, days: 1, first: day, last: day })
      continue
    }
    edge.queries++
    edge.amount += event.amount
    if (day > edge.last) edge.days++
    edge.last = Math.max(edge.last, day)
  }
  for (const some of batches([...edges.values()])) {
    const column = (of: (edge: Edge) => unknown) => sql.param(some.map(of))
    await within.execute(sql`insert into market_edges (model_id, payer, queries, amount, days, first_day, last_day)
      select * from unnest(${column(({ model }) => model)}::text[], ${column(({ payer }) => payer)}::text[], ${column(({ queries }) => queries)}::bigint[],
        ${column(({ amount }) => amount.toString())}::numeric[], ${column(({ days }) => days)}::bigint[], ${column(({ first }) => first)}::bigint[],
        ${column(({ last }) => last)}::bigint[])
      on conflict (model_id, payer) do update set queries = market_edges.queries + excluded.queries, amount = market_edges.amount + excluded.amount,
        days = market_edges.days + excluded.days - case when excluded.first_day <= market_edges.last_day then 1 else 0 end,
        last_day = greatest(market_edges.last_day, excluded.last_day)`)
  }
}

/** Who first gave each account money. */
async function addFunding(within: Pick<Queryable, 'execute'>, events: readonly MarketEvent[]): Promise<void> {
  const first = new Map<Address, Address>()
  for (const event of events)
    if (event.kind === 'funded' && lower(event.from) !== lower(event.to) && !first.has(lower(event.to))) first.set(lower(event.to), lower(event.from))
  for (const some of batches([...first]))
    await within.execute(sql`insert into market_funding (account, giver)
      select * from unnest(${sql.param(some.map(([to]) => to))}::text[], ${sql.param(some.map(([, from]) => from))}::text[]) on conflict do nothing`)
}

function* batches<One>(all: readonly One[]): Generator<One[]> {
  for (let from = 0; from < all.length; from += BATCH) yield all.slice(from, from + BATCH)
}

/** Terms as a tsvector is written; A for what a listing is about and its name, D for its other words. */
function vector(terms: Terms): string {
  const best = new Map<string, number>()
  for (const { term, weight } of terms) best.set(term, Math.max(best.get(term) ?? 0, weight))
  return [...best].map(([term, weight]) => `${lexeme(term)}:1${weight >= 1 ? 'A' : weight >= 0.7 ? 'B' : 'D'}`).join(' ')
}

function lexemesIn(search: string): string[] {
  return [...search.matchAll(/'((?:[^']|'')*)':/g)].map(([, word]) => word!.replace(/''/g, "'").replace(/\\\\/g, '\\'))
}
