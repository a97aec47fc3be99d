/**
 * Rows of the market's tables and what they mean in TypeScript; the same from PGlite and from a server. Knows nothing of what is asked.
 */
import type { SQL } from 'drizzle-orm'
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core'
import type { Id } from '../../core/id.ts'
import type { Address, Hex } from '../../core/listing.ts'
import type { Facts } from '../../core/market.ts'
import type { Place } from '../../core/ranking.ts'
import type { ListingRow } from '../../ports/market.ts'

export type Row = Record<string, unknown>
// biome-ignore lint/suspicious/noExplicitAny: any result kind that Drizzle has for PostgreSQL
export type Queryable = Pick<PgDatabase<any>, 'execute' | 'transaction'>

/** Both drivers answer with rows; Drizzle's type does not say so for all. */
export async function rowsOf(database: Pick<PgDatabase<PgQueryResultHKT>, 'execute'>, query: SQL): Promise<Row[]> {
  return ((await database.execute(query)) as unknown as { rows: Row[] }).rows
}

export const kept = (value: unknown): string => JSON.stringify(value, (_, one) => (typeof one === 'bigint' ? one.toString() : one))
export const told = <Value>(text: unknown): Value => JSON.parse(String(text)) as Value

/** `now` in Unix seconds: a rise that was announced holds from its time on. */
export function rowOf(row: Row, now: number): ListingRow {
  const facts = row.facts === null ? null : told<Facts>(row.facts)
  const rise = row.rise === null || Number(row.rise_at) > now ? null : row.rise
  return {
    modelId: row.model_id as Hex,
    ...{ owner: row.owner as Address, payout: row.payout as Address, price: BigInt(String(rise ?? row.price)) },
    ...{ version: Number(row.version), packageId: row.package_id as Id, reportId: row.report_id as Id, retired: row.retired === true },
    ...{ registeredAt: Number(row.registered_at), synthetic: facts?.synthetic === true },
    facts,
    place: row.place === null ? null : told<Place>(row.place),
    attempts: Number(row.attempts ?? 0),
  }
}
