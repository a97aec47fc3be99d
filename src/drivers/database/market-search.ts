/**
 * Search over the market's listings in PostgreSQL: which match, how well, and what they hold. A term's part is its rarity (inverse document
 * frequency) times where it stands; a word that no listing holds is read as the most similar one that some do (trigrams). Knows nothing of words.
 */
import { type SQL, sql } from 'drizzle-orm'
import { type Facets, MOST_COUNTED, type SearchQuery } from '../../core/market.ts'
import { parseOpen } from '../../core/royalty.ts'
import type { Found, MarketRecords, Terms } from '../../ports/market.ts'
import { type Queryable, rowOf, rowsOf } from './market-rows.ts'

/** A term in more than this share of listings does not by itself make one match. */
const COMMON = 0.2
/** Matching listings that are weighed, best places first. */
const WEIGHED = 2000
/** How much of a result's rank is its place in the market, the rest is how well it matches. */
const EVIDENCE = 0.4
/** Trigram similarity from which a word counts as misspelt. */
const SIMILAR = 0.35
const NEWCOMER_ORGANIC = 3

/** A lexeme as `tsquery` and `tsvector` read it. */
export const lexeme = (term: string): string => `'${term.replace(/\\/g, '\\\\').replace(/'/g, "''")}'`

/** What a query may ask for beside its words. */
const filters = ['task', 'language', 'domain', 'base', 'licence', 'verdict', 'minQuality', 'maxLatencyMs', 'maxPrice'] as const satisfies (keyof SearchQuery)[]

type Asked = { term: string; read: string; weight: number; rarity: number; listings: number; common: boolean }

/** The terms as listings hold them, each with its rarity; and what was read as something else. */
async function read(database: Queryable, terms: Terms): Promise<{ asked: Asked[]; corrected: Found['corrected']; total: number }> {
  if (!terms.length) return { asked: [], corrected: [], total: 0 }
  const words = terms.map(({ term }) => term)
  const known = new Map(
    (await rowsOf(database, sql`select term, listings from market_terms where term = any(${sql.param(words)}::text[])`)).map((row) => [
      String(row.term),
      Number(row.listings),
    ]),
  )
  const total = Number((await rowsOf(database, sql`select value from market_state where key = 'described'`))[0]?.value ?? 0)
  // Asked side by side, which a server answers side by side.
  const misspelt = words.filter((term) => !known.has(term) && !term.includes(':') && term.length > 3)
  const likes = await Promise.all(
    misspelt.map((term) =>
      rowsOf(
        database,
        sql`select term, listings from market_terms where term % ${term} and term not like '%:%' and similarity(term, ${term}) >= ${SIMILAR}
          order by similarity(term, ${term}) desc, listings desc, term limit 1`,
      ),
    ),
  )
  const asked: Asked[] = []
  const corrected: Found['corrected'] = []
  for (const { term, weight } of terms) {
    let word = term
    const like = likes[misspelt.indexOf(term)]?.[0]
    if (like) {
      word = String(like.term)
      known.set(word, Number(like.listings))
      corrected.push({ from: term, to: word })
    }
    const listings = known.get(word)
    // What no listing holds can neither match nor tell listings apart.
    if (listings === undefined || asked.some(({ read }) => read === word)) continue
    asked.push({ term, read: word, weight, rarity: Math.log(1 + total / (1 + listings)), listings, common: listings > COMMON * total })
  }
  return { asked, corrected, total }
}

function relevance(asked: readonly Asked[]): SQL {
  const whole = asked.reduce((sum, { weight, rarity }) => sum + weight * rarity, 0)
  if (!whole) return sql`1::real`
  // Terms weigh whole where they stand in the name or say what the listing is about, less in its other words.
  const parts = asked.map(({ read, weight, rarity }) => {
    const [part, query] = [(weight * rarity) / whole, lexeme(read)]
    return sql`${part}::real * (case when search @@ ${`${query}:AB`}::tsquery then 1.0 when search @@ ${query}::tsquery then 0.6 else 0.0 end)`
  })
  return sql`(${sql.join(parts, sql` + `)})::real`
}

/**
 * The terms of which one listing must hold at least one: the rarest, as many as it takes until there is enough to weigh. A listing that holds none of
 * them, but only what many hold, would stand behind all these.
 */
function tellingOf(query: SearchQuery, asked: readonly Asked[]): Asked[] {
  const rare = asked.filter(({ common }) => !common)
  const narrowed = filters.some((filter) => query[filter] !== undefined)
  const telling: Asked[] = []
  let held = 0
  for (const one of (rare.length ? rare : [...asked]).sort((a, b) => a.listings - b.listings)) {
    if (held >= WEIGHED * (narrowed ? 5 : 1)) break
    telling.push(one)
    held += one.listings
  }
  return telling
}

/** Conditions of a query, without its cursor. */
function conditions(query: SearchQuery, asked: readonly Asked[], searching: boolean, now: number): SQL {
  const telling = tellingOf(query, asked)
  const price = query.maxPrice === undefined ? undefined : parseOpen(query.maxPrice)
  const all: (SQL | undefined)[] = [
    sql`not hidden and not retired and facts is not null`,
    searching ? (telling.length ? sql`search @@ ${telling.map(({ read }) => lexeme(read)).join(' | ')}::tsquery` : sql`false`) : undefined,
    query.task ? sql`task = ${query.task}` : undefined,
    query.language ? sql`${query.language} = any(languages)` : undefined,
    query.domain ? sql`domain = ${query.domain}` : undefined,
    query.base ? sql`base = ${query.base}` : undefined,
    query.licence ? sql`${query.licence} = any(licences)` : undefined,
    query.verdict ? sql`verdict = ${query.verdict}` : undefined,
    query.minQuality === undefined ? undefined : sql`quality >= ${query.minQuality}::real`,
    query.maxLatencyMs === undefined ? undefined : sql`latency <= ${query.maxLatencyMs}::real`,
    typeof price === 'bigint' ? sql`(case when rise is not null and rise_at <= ${now} then rise else price end) <= ${price.toString()}::numeric` : undefined,
  ]
  return sql.join(
    all.filter((one) => one !== undefined),
    sql` and `,
  )
}

/** What orders results: rank, price or age, always descending, so that one comparison pages through all. */
const orders: Record<SearchQuery['sort'], SQL> = {
  best: sql`(relevance * (${1 - EVIDENCE}::real + ${EVIDENCE}::real * score / greatest(best, 0.0001)))::double precision`,
  price: sql`(-price)::double precision`,
  newest: sql`registered_at::double precision`,
}

export function marketSearch(database: Queryable): Pick<MarketRecords, 'search' | 'facets' | 'newcomers'> {
  /** The best places among what matches: what is weighed, by these columns alone, since the texts of two thousand listings are long. */
  const matched = (columns: SQL, query: SearchQuery, asked: readonly Asked[], searching: boolean, now: number): SQL => {
    // With words, those that match are few: found by the words and then sorted. By the index of scores alone (which "+ 0" rules out) the planner would read
    // half the market to meet two thousand of them.
    const best = searching ? sql`score + 0 desc` : sql`score desc`
    const order = query.sort === 'price' ? sql`price asc` : query.sort === 'newest' ? sql`registered_at desc` : best
    return sql`select ${columns} from market_listings where ${conditions(query, asked, searching, now)} order by ${order}, model_id limit ${WEIGHED}`
  }
  return {
    async search(query, terms, now) {
      const searching = query.q.trim() !== ''
      const { asked, corrected } = await read(database, terms)
      const after = cursorOf(query.cursor)
      const counting = rowsOf(
        database,
        sql`select count(*) as count from
          (select 1 from market_listings where ${conditions(query, asked, searching, now)} limit ${MOST_COUNTED}) as first`,
      )
      const finding = rowsOf(
        database,
        sql`with matched as (${matched(sql`model_id, score, price, registered_at, search`, query, asked, searching, now)}),
          weighed as (select *, ${relevance(asked)} as relevance, (select max(score) from matched) as best from matched),
          ordered as (select model_id, relevance, ${orders[query.sort]} as rank from weighed),
          page as (select * from ordered
            ${after ? sql`where rank < ${after.rank}::double precision or (rank = ${after.rank}::double precision and model_id > ${after.id})` : sql``}
            order by rank desc, model_id limit ${query.limit + 1})
          select * from page join market_listings using (model_id) order by rank desc, model_id`,
      )
      const [[counted], found] = await Promise.all([counting, finding])
      const page = found.slice(0, query.limit)
      const last = page.at(-1)
      return {
        rows: page.map((row) => ({ ...rowOf(row, now), relevance: Number(row.relevance) })),
        total: Number(counted?.count ?? 0),
        next: found.length > query.limit && last ? Buffer.from(JSON.stringify([Number(last.rank), last.model_id])).toString('base64url') : null,
        corrected,
      }
    },

    async facets(query, terms, now) {
      const { asked } = await read(database, terms)
      const rows = await rowsOf(
        database,
        sql`with matched as (${matched(sql`task, languages, domain, base, licences, verdict`, { ...query, sort: 'best' }, asked, query.q.trim() !== '', now)}), held as (
          select 'task' as facet, task as value from matched
          union all select 'language', unnest(languages) from matched
          union all select 'domain', domain from matched
          union all select 'base', base from matched
          union all select 'licence', unnest(licences) from matched
          union all select 'verdict', verdict from matched)
          select facet, value, count(*) as count from held where value <> '' group by facet, value order by count desc, value`,
      )
      const facets: Facets = { task: [], language: [], domain: [], base: [], licence: [], verdict: [] }
      for (const row of rows) {
        const list = facets[row.facet as keyof Facets]
        if (list.length < 20) list.push({ value: String(row.value), count: Number(row.count) })
      }
      return facets
    },

    async newcomers(query, terms, now, limit) {
      const searching = query.q.trim() !== ''
      const { asked } = await read(database, terms)
      const rows = await rowsOf(
        database,
        sql`select *, ${relevance(asked)} as relevance from market_listings
          where ${conditions(query, asked, searching, now)} and organic < ${NEWCOMER_ORGANIC}::real and quality > 0
          order by ${searching ? sql`relevance desc, ` : sql``}quality desc, model_id limit ${limit}`,
      )
      return rows.map((row) => ({ ...rowOf(row, now), relevance: Number(row.relevance) }))
    },
  }
}

/** What a page ended with; a cursor that is none begins anew. */
function cursorOf(cursor: string | undefined): { rank: number; id: string } | undefined {
  if (!cursor) return undefined
  try {
    const [rank, id] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as [unknown, unknown]
    return typeof rank === 'number' && Number.isFinite(rank) && typeof id === 'string' && /^0x[0-9a-f]{64}$/.test(id) ? { rank, id } : undefined
  } catch {
    return undefined
  }
}
