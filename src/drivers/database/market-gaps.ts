/** Questions without an answer, in PostgreSQL: one row for each, whatever the number of times; the newest of a model. Knows nothing of who asked. */
import { sql } from 'drizzle-orm'
import { contentId } from '../../core/id.ts'
import type { MarketRecords } from '../../ports/market.ts'
import { kept, type Queryable, rowsOf, told } from './market-rows.ts'

/** Of one model at most. */
const MOST = 1000

export function marketGaps(database: Queryable): Pick<MarketRecords, 'gap' | 'gaps' | 'forgetGaps'> {
  return {
    async gap({ model, question, tags, at }) {
      const id = contentId({ model, question: question.toLowerCase() })
      await database.execute(sql`insert into market_gaps (id, model, body, times, last) values (${id}, ${model}, ${kept({ question, tags })}, 1, ${at})
        on conflict (id) do update set times = market_gaps.times + 1, last = greatest(market_gaps.last, excluded.last)`)
      await database.execute(sql`delete from market_gaps where id in
        (select id from market_gaps where model = ${model} order by last desc, id offset ${MOST})`)
    },
    async gaps() {
      const rows = await rowsOf(database, sql`select model, body, times, last from market_gaps order by model, last desc, id`)
      return rows.map((row) => ({
        ...told<{ question: string; tags: string[] }>(row.body),
        ...{ model: String(row.model), times: Number(row.times), last: Number(row.last) },
      }))
    },
    async forgetGaps(model) {
      await database.execute(sql`delete from market_gaps where model = ${model}`)
    },
  }
}
