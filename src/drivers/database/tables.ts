/**
 * The tables as TypeScript sees them; `migrations/*.sql` makes them. Knows nothing of what the records are for.
 * Money is numeric(78, 0), which holds any uint256, read as bigint. Text that comes from people is kept as JSON text,
 * because PostgreSQL's text holds neither NUL nor lone surrogates.
 */
import { bigint, boolean, customType, numeric, pgTable, text } from 'drizzle-orm/pg-core'
import type { Id } from '../../core/id.ts'
import type { Address, Hex } from '../../core/listing.ts'
import type { Receipt } from '../../core/receipt.ts'
import type { Build, BuildEvent, JournaledTransaction, Model, Payment } from '../../ports/database.ts'

/** Any JSON value in a text column: it comes back exactly as it went in. */
const json = customType<{ data: unknown; driverData: string }>({
  dataType: () => 'text',
  toDriver: (value) => JSON.stringify(value),
  fromDriver: (value) => JSON.parse(value),
})
/** Hex in TypeScript, bytes in the table. */
const bytes = customType<{ data: Hex; driverData: Uint8Array }>({
  dataType: () => 'bytea',
  toDriver: (hex) => Buffer.from(hex.slice(2), 'hex'),
  fromDriver: (kept) => `0x${Buffer.from(kept).toString('hex')}`,
})
const money = (name: string) => numeric(name, { precision: 78, scale: 0, mode: 'bigint' })
const integer = (name: string) => bigint(name, { mode: 'number' })

export const builds = pgTable('builds', {
  id: text('id').primaryKey(),
  name: json('name').$type<string>().notNull(),
  words: json('words').$type<string>().notNull(),
  folder: json('folder').$type<string>().notNull(),
  state: text('state').$type<Build['state']>().notNull(),
  events: json('events').$type<BuildEvent[]>().notNull(),
  packageId: text('package_id').$type<Id>(),
  createdAt: integer('created_at').notNull(),
  updatedAt: integer('updated_at').notNull(),
})

export const models = pgTable('models', {
  name: text('name').primaryKey(),
  packageId: text('package_id').$type<Id>().notNull(),
  modelId: text('model_id').$type<Hex>(),
  price: money('price'),
  publishTx: text('publish_tx').$type<Hex>(),
  abstention: text('abstention').$type<Model['abstention']>().notNull(),
  createdAt: integer('created_at').notNull(),
  updatedAt: integer('updated_at').notNull(),
})

export const payments = pgTable('payments', {
  key: text('key').primaryKey(),
  modelId: text('model_id').$type<Hex>().notNull(),
  packageId: text('package_id').$type<Id>().notNull(),
  requestHash: text('request_hash').$type<Id>().notNull(),
  payer: text('payer').$type<Address>().notNull(),
  builder: text('builder').$type<Address>().notNull(),
  amount: money('amount').notNull(),
  authorization: json('authorization').$type<string>().notNull(),
  state: text('state').$type<Payment['state']>().notNull(),
  answer: json('answer').$type<string>(),
  tx: text('tx').$type<Hex>(),
  final: boolean('final').notNull(),
  terms: json('terms').$type<string>(),
  identifier: text('identifier'),
  createdAt: integer('created_at').notNull(),
  updatedAt: integer('updated_at').notNull(),
})

export const receipts = pgTable('receipts', {
  sequence: integer('sequence').generatedAlwaysAsIdentity().primaryKey(),
  tx: text('tx').$type<Hex>().notNull(),
  requestHash: text('request_hash').$type<Id>().notNull(),
  nonce: text('nonce').notNull(),
  modelId: text('model_id').$type<Hex>().notNull(),
  at: integer('at').notNull(),
  receipt: json('receipt').$type<Receipt>().notNull(),
})

export const journal = pgTable('journal', {
  sequence: integer('sequence').generatedAlwaysAsIdentity().primaryKey(),
  hash: text('hash').$type<Hex>().notNull(),
  raw: bytes('raw').notNull(),
  from: text('sender').$type<Address>().notNull(),
  nonce: integer('nonce').notNull(),
  purpose: text('purpose').notNull(),
  block: integer('block'),
  timestamp: integer('timestamp'),
  status: text('status').$type<NonNullable<JournaledTransaction['status']>>(),
})

export const paidQueries = pgTable('paid_queries', {
  sequence: integer('sequence').generatedAlwaysAsIdentity().primaryKey(),
  block: integer('block').notNull(),
  place: integer('place').notNull(),
  tx: text('tx').$type<Hex>().notNull(),
  modelId: text('model_id').$type<Hex>().notNull(),
  payer: text('payer').$type<Address>().notNull(),
  builder: text('builder').$type<Address>().notNull(),
  amount: money('amount').notNull(),
  requestHash: text('request_hash').$type<Hex>().notNull(),
  nonce: text('nonce').$type<Hex>().notNull(),
})

export const settings = pgTable('settings', { key: text('key').primaryKey(), value: text('value').notNull() })
