/**
 * The tables as TypeScript sees them; `migrations/*.sql` makes them. Knows nothing of what the records are for.
 * Money is numeric(78, 0), which holds any uint256, read as bigint. Text that comes from people is kept as JSON text,
 * because PostgreSQL's text holds neither NUL nor lone surrogates.
 */
import { deflateSync, inflateSync } from 'node:zlib'
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
/** Hex in TypeScript, bytes in the table: half the size. What comes back is in lower case. */
const bytes = <Kind extends Hex = Hex>(name: string) =>
  customType<{ data: Kind; driverData: Uint8Array }>({
    dataType: () => 'bytea',
    toDriver: ofHex,
    fromDriver: (kept) => toHex(kept) as Kind,
  })(name)

/**
 * A signed transaction, deflated, and as it is where it was kept before this was done. A zlib stream begins with 0x78 and no transaction does:
 * the types of EIP-2718 are counted up from 1, and an untyped one is an RLP list, from 0xc0.
 */
const transaction = customType<{ data: Hex; driverData: Uint8Array }>({
  dataType: () => 'bytea',
  toDriver: (hex) => deflateSync(ofHex(hex)),
  fromDriver: (kept) => toHex(kept[0] === 0x78 ? inflateSync(kept) : kept),
})
function ofHex(hex: Hex): Buffer {
  // Node would leave out what is no hex, and say nothing.
  if (!/^0x(?:[0-9a-f]{2})*$/i.test(hex)) throw new TypeError(`"${hex}" is not whole bytes in hex.`)
  return Buffer.from(hex.slice(2), 'hex')
}
const toHex = (kept: Uint8Array): Hex => `0x${Buffer.from(kept).toString('hex')}`
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
  modelId: bytes('model_id').notNull(),
  packageId: bytes<Id>('package_id').notNull(),
  requestHash: bytes<Id>('request_hash').notNull(),
  payer: text('payer').$type<Address>().notNull(),
  builder: text('builder').$type<Address>().notNull(),
  amount: money('amount').notNull(),
  authorization: json('authorization').$type<string>().notNull(),
  state: text('state').$type<Payment['state']>().notNull(),
  answer: json('answer').$type<string>(),
  tx: bytes('tx'),
  final: boolean('final').notNull(),
  terms: json('terms').$type<string>(),
  identifier: text('identifier'),
  createdAt: integer('created_at').notNull(),
  updatedAt: integer('updated_at').notNull(),
})

export const receipts = pgTable('receipts', {
  sequence: integer('sequence').generatedAlwaysAsIdentity().primaryKey(),
  tx: bytes('tx').notNull(),
  requestHash: bytes<Id>('request_hash').notNull(),
  /** Empty where the receipt has none. */
  nonce: bytes('nonce').notNull(),
  modelId: bytes('model_id').notNull(),
  at: integer('at').notNull(),
  packageId: bytes<Id>('package_id'),
  responseHash: bytes<Id>('response_hash'),
  /** What the other columns do not say of the receipt; all of it in rows of before there were so many. */
  receipt: json('receipt').$type<Partial<Receipt>>().notNull(),
})

export const journal = pgTable('journal', {
  sequence: integer('sequence').generatedAlwaysAsIdentity().primaryKey(),
  hash: bytes('hash').notNull(),
  raw: transaction('raw').notNull(),
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
  tx: bytes('tx').notNull(),
  modelId: bytes('model_id').notNull(),
  payer: text('payer').$type<Address>().notNull(),
  builder: text('builder').$type<Address>().notNull(),
  amount: money('amount').notNull(),
  requestHash: bytes('request_hash').notNull(),
  nonce: bytes('nonce').notNull(),
})

export const settings = pgTable('settings', { key: text('key').primaryKey(), value: text('value').notNull() })
