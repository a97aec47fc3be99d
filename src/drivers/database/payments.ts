/**
 * Records of payments. Under load the calls of many queries become one statement (`gathered.ts`): a commit costs more than its rows. Knows
 * nothing of what a payment is for.
 */
import { and, asc, eq, inArray, not, type SQL, sql } from 'drizzle-orm'
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core'
import type { Database, Payment } from '../../ports/database.ts'
import { gathered } from './gathered.ts'
import { payments } from './tables.ts'

type Payments = Database['payments']
type Patch = Parameters<Payments['move']>[2]
type Move = { key: string; patch: Patch }
type Column = Exclude<keyof Payment, 'key'>

/** `sync` is awaited after every write that money hangs on, before the write is called done. */
export function paymentsOf<Kind extends PgQueryResultHKT>(database: PgDatabase<Kind>, sync: () => Promise<void>): Payments {
  const get = gathered<string, Payment | undefined>({
    key: (key) => key,
    async run(keys) {
      const found = await database
        .select()
        .from(payments)
        .where(inArray(payments.key, [...keys]))
      return keys.map((key) => found.find((payment) => payment.key === key))
    },
  })

  const reserve = gathered<Payment, { created: boolean; payment: Payment }>({
    key: ({ key }) => key,
    async run(wanted) {
      // The no-op update makes an existing row come back; xmax is zero only on a row this statement inserted.
      const rows = await database
        .insert(payments)
        .values([...wanted])
        .onConflictDoUpdate({ target: payments.key, set: { key: sql`excluded.key` } })
        .returning({ ...columnsOf(payments), created: sql<boolean>`(xmax = 0)` })
      return wanted.map(({ key }) => {
        const { created, ...payment } = rows.find((row) => row.key === key)!
        return { created, payment }
      })
    },
    sync: async (results) => (results.some(({ created }) => created) ? sync() : undefined),
  })

  /** One for each shape of move, of which the code has about ten: from which states, and which columns are set. */
  const movers = new Map<string, (move: Move) => Promise<boolean>>()
  const mover = (from: readonly Payment['state'][], columns: readonly Column[]) => {
    const shape = `${from.join()} ${columns.join()}`
    const known = movers.get(shape)
    if (known) return known
    const made = gathered<Move, boolean>({
      key: ({ key }) => key,
      async run(moves) {
        const rows = await database
          .update(payments)
          .set(Object.fromEntries(columns.map((column) => [column, sql`moves.${sql.identifier(payments[column].name)}`])))
          .from(asRows(moves, columns))
          .where(and(eq(payments.key, sql`moves.key`), inArray(payments.state, [...from])))
          .returning({ key: payments.key })
        const moved = new Set(rows.map(({ key }) => key))
        return moves.map(({ key }) => moved.has(key))
      },
      sync: async (results) => (results.includes(true) ? sync() : undefined),
    })
    movers.set(shape, made)
    return made
  }

  return {
    async reserve(payment) {
      try {
        return await reserve(payment)
      } catch (error) {
        // The other unique thing of a payment is its payer's own name for it.
        const named = payment.identifier === null ? undefined : await this.identified(payment.payer, payment.identifier)
        if (!named) throw error
        return { created: false, payment: named }
      }
    },
    async move(key, from, patch) {
      if (from.length === 0 || !isStorable(key)) return false
      const columns = (Object.keys(patch) as Column[]).filter((column) => patch[column] !== undefined).sort()
      if (columns.length > 0) return mover(from, columns)({ key, patch })
      const where = and(eq(payments.key, key), inArray(payments.state, [...from]))
      return (await database.select({ key: payments.key }).from(payments).where(where)).length > 0
    },
    async remove(key, from) {
      if (from.length === 0) return false
      const rows = await database
        .delete(payments)
        .where(and(eq(payments.key, key), inArray(payments.state, [...from])))
        .returning({ key: payments.key })
      return rows.length > 0
    },
    get: async (key) => (isStorable(key) ? get(key) : undefined),
    async inState(states) {
      if (states.length === 0) return []
      return database
        .select()
        .from(payments)
        .where(inArray(payments.state, [...states]))
        .orderBy(asc(payments.createdAt), asc(payments.key))
    },
    async identified(payer, identifier) {
      if (!isStorable(identifier)) return undefined
      return (
        await database
          .select()
          .from(payments)
          .where(and(eq(payments.payer, payer), eq(payments.identifier, identifier)))
      )[0]
    },
    toConfirm: () =>
      database
        .select()
        .from(payments)
        .where(and(eq(payments.state, 'settled'), not(payments.final)))
        .orderBy(asc(payments.createdAt), asc(payments.key)),
  }
}

/** Moves as the rows of a table `moves`, all in one value, so that the statement is the same however many they are. */
function asRows(moves: readonly Move[], columns: readonly Column[]): SQL {
  const rows = moves.map(({ key, patch }) => ({
    key,
    ...Object.fromEntries(columns.map((column) => [payments[column].name, asJson(column, patch[column])])),
  }))
  const types = columns.map((column) => sql`${sql.identifier(payments[column].name)} ${sql.raw(payments[column].getSQLType())}`)
  return sql`json_to_recordset(${JSON.stringify(rows)}::json) as moves(key text, ${sql.join(types, sql`, `)})`
}

/** A value as PostgreSQL reads it in JSON; bytes are text there. */
function asJson(column: Column, value: Patch[Column]): unknown {
  if (value === null) return null
  const kept = payments[column].mapToDriverValue(value)
  return kept instanceof Uint8Array ? `\\x${Buffer.from(kept).toString('hex')}` : kept
}

/** PostgreSQL faults on text with a NUL in it; no record is named so, so nothing is found. */
export function isStorable(text: string): boolean {
  return !text.includes('\0')
}

function columnsOf(table: typeof payments) {
  const { key, modelId, packageId, requestHash, payer, builder, amount, authorization, state, answer, tx, final, terms, identifier, createdAt, updatedAt } =
    table
  return { key, modelId, packageId, requestHash, payer, builder, amount, authorization, state, answer, tx, final, terms, identifier, createdAt, updatedAt }
}
