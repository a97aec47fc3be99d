/**
 * The Database port over any PostgreSQL that Drizzle can talk to. Knows nothing of where that PostgreSQL runs.
 * Every method is one statement, so it is atomic by itself.
 */
import { and, asc, desc, eq, gt, inArray, or, sql } from 'drizzle-orm'
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core'
import type { Database, Journal } from '../../ports/database.ts'
import { builds, journal, models, payments, receipts, settings } from './tables.ts'

/** `sync` is awaited after every write that money hangs on, before the write is called done. */
export function records<Kind extends PgQueryResultHKT>(database: PgDatabase<Kind>, lifecycle: { sync(): Promise<void>; close(): Promise<void> }): Database {
  return {
    builds: {
      async put(build) {
        const { id: _, ...rest } = build
        await database.insert(builds).values(build).onConflictDoUpdate({ target: builds.id, set: rest })
      },
      async get(id) {
        if (!isStorable(id)) return undefined
        return (await database.select().from(builds).where(eq(builds.id, id)))[0]
      },
      list: () => database.select().from(builds).orderBy(desc(builds.createdAt), asc(builds.id)),
    },

    models: {
      async put(model) {
        const { name: _, ...rest } = model
        await database.insert(models).values(model).onConflictDoUpdate({ target: models.name, set: rest })
      },
      async get(nameOrModelId) {
        if (!isStorable(nameOrModelId)) return undefined
        const modelId = nameOrModelId.toLowerCase() as `0x${string}`
        const rows = await database
          .select()
          .from(models)
          .where(or(eq(models.name, nameOrModelId), eq(sql`lower(${models.modelId})`, modelId)))
        return rows.find((model) => model.name === nameOrModelId) ?? rows[0]
      },
      list: () => database.select().from(models).orderBy(desc(models.createdAt), asc(models.name)),
    },

    payments: {
      async reserve(payment) {
        // The no-op update makes an existing row come back; xmax is zero only on a row this statement inserted.
        const [row] = await database
          .insert(payments)
          .values(payment)
          .onConflictDoUpdate({ target: payments.key, set: { key: sql`excluded.key` } })
          .returning({ ...columnsOf(payments), created: sql<boolean>`(xmax = 0)` })
        const { created, ...standing } = row!
        if (created) await lifecycle.sync()
        return { created, payment: standing }
      },
      async move(key, from, patch) {
        if (from.length === 0) return false
        const where = and(eq(payments.key, key), inArray(payments.state, [...from]))
        const empty = Object.values(patch).every((value) => value === undefined)
        const rows = empty
          ? await database.select({ key: payments.key }).from(payments).where(where)
          : await database.update(payments).set(patch).where(where).returning({ key: payments.key })
        if (rows.length > 0 && !empty) await lifecycle.sync()
        return rows.length > 0
      },
      async remove(key, from) {
        if (from.length === 0) return false
        const rows = await database
          .delete(payments)
          .where(and(eq(payments.key, key), inArray(payments.state, [...from])))
          .returning({ key: payments.key })
        return rows.length > 0
      },
      async get(key) {
        if (!isStorable(key)) return undefined
        return (await database.select().from(payments).where(eq(payments.key, key)))[0]
      },
      async inState(states) {
        if (states.length === 0) return []
        return database
          .select()
          .from(payments)
          .where(inArray(payments.state, [...states]))
          .orderBy(asc(payments.createdAt), asc(payments.key))
      },
    },

    receipts: {
      async put(receipt) {
        const { tx, requestHash, modelId, at } = receipt
        await database
          .insert(receipts)
          .values({ tx, requestHash, modelId, at, receipt })
          .onConflictDoNothing({ target: [receipts.tx, receipts.requestHash] })
        await lifecycle.sync()
      },
      async list(options = {}) {
        const query = database
          .select({ receipt: receipts.receipt })
          .from(receipts)
          .where(
            and(
              options.modelId === undefined ? undefined : eq(receipts.modelId, options.modelId),
              options.tx === undefined ? undefined : eq(receipts.tx, options.tx),
            ),
          )
          .orderBy(desc(receipts.sequence))
          .$dynamic()
        const rows = await (options.limit === undefined ? query : query.limit(Math.max(0, Math.trunc(options.limit))))
        return rows.map((row) => row.receipt)
      },
    },

    journal: journalOf(database, lifecycle.sync),

    settings: {
      async get(key) {
        const rows = await database.select().from(settings).where(eq(settings.key, key))
        return rows[0] && JSON.parse(rows[0].value)
      },
      async set(key, value) {
        if (value === undefined) {
          await database.delete(settings).where(eq(settings.key, key))
          return
        }
        const json = JSON.stringify(value)
        await database
          .insert(settings)
          .values({ key, value: json })
          .onConflictDoUpdate({ target: settings.key, set: { value: json } })
        await lifecycle.sync()
      },
    },

    close: lifecycle.close,
  }
}

function journalOf<Kind extends PgQueryResultHKT>(database: PgDatabase<Kind>, sync: () => Promise<void>): Journal {
  return {
    async append(transaction) {
      const rows = await database.insert(journal).values(transaction).returning({ sequence: journal.sequence })
      await sync()
      return rows[0]!.sequence
    },
    async mined(hash, mined) {
      await database.update(journal).set(mined).where(eq(journal.hash, hash))
      await sync()
    },
    async discard(hash) {
      await database.delete(journal).where(eq(journal.hash, hash))
      await sync()
    },
    all: (options = {}) =>
      database
        .select()
        .from(journal)
        .where(options.afterSequence === undefined ? undefined : gt(journal.sequence, options.afterSequence))
        .orderBy(asc(journal.sequence)),
  }
}

/** PostgreSQL faults on text with a NUL in it; no record is named so, so nothing is found. */
function isStorable(text: string): boolean {
  return !text.includes('\0')
}

function columnsOf(table: typeof payments) {
  const { key, modelId, packageId, requestHash, payer, builder, amount, authorization, state, answer, tx, createdAt, updatedAt } = table
  return { key, modelId, packageId, requestHash, payer, builder, amount, authorization, state, answer, tx, createdAt, updatedAt }
}
