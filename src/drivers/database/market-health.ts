/**
 * How listings answered and when the gateway was there, in PostgreSQL: a row a listing and day, and a bit a minute. Knows nothing of who asked.
 */
import { sql } from 'drizzle-orm'
import { HEALTH_DAYS, stepOf, TIME_STEPS, withinOf } from '../../core/health.ts'
import type { MarketRecords } from '../../ports/market.ts'
import { type Queryable, rowsOf } from './market-rows.ts'

const DAY = 86_400
const HOUR = 3600

export function marketHealth(database: Queryable): Pick<MarketRecords, 'served' | 'alive' | 'health'> {
  return {
    served: (modelId, { answered, failed, times, at }) =>
      database.transaction(async (within) => {
        const model = modelId.toLowerCase()
        await within.execute(sql`update market_listings set answered = answered + ${answered}, failed = failed + ${failed} where model_id = ${model}`)
        const steps = new Array<number>(TIME_STEPS).fill(0)
        for (const time of times) steps[stepOf(time)]!++
        await within.execute(sql`insert into market_served (model_id, day, answered, failed, times)
          values (${model}, ${Math.floor(at / DAY)}, ${answered}, ${failed}, ${sql.param(steps)}::bigint[])
          on conflict (model_id, day) do update set answered = market_served.answered + excluded.answered, failed = market_served.failed + excluded.failed,
            times = array(select a + b from unnest(market_served.times, excluded.times) with ordinality as both_times(a, b, place) order by place)`)
      }),

    async alive(at) {
      const bit = 2 ** Math.floor((at % HOUR) / 60)
      await database.execute(sql`insert into market_up (hour, minutes) values (${Math.floor(at / HOUR)}, ${bit})
        on conflict (hour) do update set minutes = market_up.minutes | excluded.minutes where market_up.minutes & excluded.minutes = 0`)
      await database.execute(sql`delete from market_up where hour < ${Math.floor(at / HOUR) - (HEALTH_DAYS + 1) * 24}`)
    },

    async health(modelId, at, since) {
      const first = Math.max(since, at - HEALTH_DAYS * DAY)
      const days = await rowsOf(
        database,
        sql`select answered, failed, array_to_json(times)::text as times from market_served where model_id = ${modelId.toLowerCase()} and day > ${Math.floor(at / DAY) - HEALTH_DAYS}`,
      )
      const steps = new Array<number>(TIME_STEPS).fill(0)
      for (const { times } of days) for (const [step, count] of (JSON.parse(String(times)) as number[]).entries()) steps[step]! += Number(count)
      const hours = await rowsOf(
        database,
        sql`select hour, minutes from market_up where hour >= ${Math.floor(first / HOUR)} and hour <= ${Math.floor(at / HOUR)}`,
      )
      // The minute it is in counts as well, of either end.
      const [from, until] = [Math.floor(first / 60), Math.floor(at / 60)]
      let up = 0
      for (const { hour, minutes } of hours)
        for (let minute = 0; minute < 60; minute++) {
          const place = Number(hour) * 60 + minute
          if (place >= from && place <= until && (BigInt(String(minutes)) >> BigInt(minute)) & 1n) up++
        }
      const sum = (field: 'answered' | 'failed') => days.reduce((total, row) => total + Number(row[field]), 0)
      return {
        ...{ days: HEALTH_DAYS, answered: sum('answered'), failed: sum('failed'), halfMs: withinOf(steps, 0.5), mostMs: withinOf(steps, 0.95) },
        up: hours.length > 0 && until >= from ? up / (until - from + 1) : null,
      }
    },
  }
}
