/**
 * The Database port over any PostgreSQL that Drizzle can talk to. Knows nothing of where that PostgreSQL runs.
 * Every method is one statement, or part of one that does the same for several calls, so it is atomic by itself.
 */
import { and, asc, desc, eq, gt, gte, inArray, isNull, or, sql } from 'drizzle-orm'
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core'
import type { Hex } from '../../core/listing.ts'
import type { Receipt } from '../../core/receipt.ts'
import type { Database, Journal } from '../../ports/database.ts'
import { gathered } from './gathered.ts'
import { marketRecords } from './market.ts'
import { isStorable, paymentsOf } from './payments.ts'
import { builds, journal, models, paidQueries, receipts, settings } from './tables.ts'

/** `sync` is awaited after every write that money hangs on, before the write is called done. */
export function records<Kind extends PgQueryResultHKT>(database: PgDatabase<Kind>, lifecycle: { sync(): Promise<void>; close(): Promise<void> }): Database {
  const keepReceipt = gathered<Receipt, void>({
    key: ({ tx, requestHash, nonce = '' }) => `${tx} ${requestHash} ${nonce}`,
    async run(kept) {
      await database
        .insert(receipts)
        .values(kept.map(rowOf))
        .onConflictDoNothing({ target: [receipts.tx, receipts.requestHash, receipts.nonce] })
      return kept.map(() => undefined)
    },
    sync: lifecycle.sync,
  })
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

    payments: paymentsOf(database, lifecycle.sync),

    receipts: {
      put: (receipt) => keepReceipt(receipt),
      async find(payment) {
        // A receipt of before nonces were kept has none; its transaction paid for one query only.
        const [row] = await database.select().from(receipts).where(receiptOf(payment)).orderBy(desc(receipts.nonce))
        return row && receiptIn(row)
      },
      async replace(before, receipt) {
        await database.update(receipts).set(rowOf(receipt)).where(receiptOf(before))
        await lifecycle.sync()
      },
      async list(options = {}) {
        const query = database
          .select()
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
        return rows.map(receiptIn)
      },
    },

    journal: journalOf(database, lifecycle.sync),
    market: marketRecords(database),

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
    async reopen(hash) {
      await database.update(journal).set({ block: null, timestamp: null, status: null }).where(eq(journal.hash, hash))
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
        .where(
          and(
            options.afterSequence === undefined ? undefined : gt(journal.sequence, options.afterSequence),
            options.afterBlock === undefined ? undefined : gt(journal.block, options.afterBlock),
          ),
        )
        .orderBy(asc(journal.sequence)),
    unmined: () => database.select().from(journal).where(isNull(journal.status)).orderBy(asc(journal.sequence)),
    async find(hash) {
      return (await database.select().from(journal).where(eq(journal.hash, hash)))[0]
    },
    async hashAt(sequence) {
      return (await database.select({ hash: journal.hash }).from(journal).where(eq(journal.sequence, sequence)))[0]?.hash
    },
    async tidy() {
      const { rows } = (await database.execute(
        sql`select (pg_current_wal_insert_lsn() - redo_lsn)::float8 as written from pg_control_checkpoint()`,
      )) as unknown as { rows: { written: number }[] }
      if (rows[0]!.written < TIDY_AFTER_BYTES) return
      // Nobody does this by itself where PostgreSQL runs inside this process. What a checkpoint covers need not stay in the log either.
      await database.execute(sql`vacuum`)
      await database.execute(sql`checkpoint`)
    },
    async keepPaid(events, until) {
      // The number of values in one statement is limited.
      for (let from = 0; from < events.length; from += 1000)
        await database
          .insert(paidQueries)
          .values(events.slice(from, from + 1000).map((event) => ({ ...event })))
          .onConflictDoNothing({ target: [paidQueries.tx, paidQueries.place] })
      const value = String(until)
      await database.insert(settings).values({ key: paidUntilKey, value }).onConflictDoUpdate({ target: settings.key, set: { value } })
      await sync()
    },
    async paidUntil() {
      return Number((await database.select().from(settings).where(eq(settings.key, paidUntilKey)))[0]?.value ?? -1)
    },
    async paid({ modelId, builder, fromBlock, nonce } = {}) {
      const { modelId: model, payer, builder: paidTo, amount, requestHash, nonce: number, tx, block } = paidQueries
      return database
        .select({ modelId: model, payer, builder: paidTo, amount, requestHash, nonce: number, tx, block })
        .from(paidQueries)
        .where(
          and(
            modelId === undefined ? undefined : eq(paidQueries.modelId, modelId),
            builder === undefined ? undefined : eq(sql`lower(${paidQueries.builder})`, builder.toLowerCase()),
            fromBlock === undefined ? undefined : gte(paidQueries.block, fromBlock),
            nonce === undefined ? undefined : eq(paidQueries.nonce, nonce),
          ),
        )
        .orderBy(asc(paidQueries.block), asc(paidQueries.place))
    },
  }
}

/** Written to the log since the last checkpoint: so much of it is kept, and read again after a kill. */
const TIDY_AFTER_BYTES = 32 * 2 ** 20

const NO_NONCE: Hex = '0x'
const paidUntilKey = 'chain-events-kept-until'

/** The row of a receipt: what has a column of its own stands there, everything else in its JSON. */
function rowOf(receipt: Receipt) {
  const { tx, requestHash, nonce, modelId, packageId, responseHash, at, ...rest } = receipt
  // A payer may have written theirs in capitals, and the receipt is named by its very text.
  const spelt = nonce === undefined || nonce === nonce.toLowerCase() ? rest : { ...rest, nonce }
  return { tx, requestHash, nonce: nonce ?? NO_NONCE, modelId, packageId, responseHash, at, receipt: spelt }
}

function receiptIn({ sequence: _, receipt, nonce, packageId, responseHash, ...row }: typeof receipts.$inferSelect): Receipt {
  const columns = { ...row, ...(packageId && { packageId }), ...(responseHash && { responseHash }), ...(nonce === NO_NONCE ? {} : { nonce }) }
  return { ...columns, ...receipt } as Receipt
}

function receiptOf({ tx, requestHash, nonce }: { tx: Hex; requestHash: Hex; nonce: Hex }) {
  return and(eq(receipts.tx, tx), eq(receipts.requestHash, requestHash), inArray(receipts.nonce, [nonce, NO_NONCE]))
}
