/**
 * Snapshots: anvil's whole state as files, so that a start replays the journal's tail and not all of it. A snapshot is only a
 * shortcut: one that is missing, damaged or of another journal is ignored. Knows nothing of anvil beyond two of its methods.
 */
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import { z } from 'zod'
import { hashText, Id } from '../../core/id.ts'
import type { Hex } from '../../core/listing.ts'
import { writeDurably } from '../files/durable.ts'

const Snapshot = z.object({
  format: z.literal('modelfactory/chain-state@1'),
  /** The last journaled transaction the state holds; it holds all before it. */
  sequence: z.number().int().nonnegative(),
  transaction: z.string(),
  /** Latest block, by number and hash. */
  block: z.number().int(),
  blockHash: z.string(),
  /** Of the state's text. */
  stateHash: Id,
  /** What anvil_dumpState gives: gzipped JSON in hex. */
  state: z.string(),
})
export type Snapshot = Omit<z.infer<typeof Snapshot>, 'format' | 'stateHash'>

const [zip, unzip] = [promisify(gzip), promisify(gunzip)]
const kept = 2
const name = /^state\.(\d+)\.json$/

/** Writes a snapshot beside the others and removes all but the newest two. */
export async function saveSnapshot(folder: string, snapshot: Snapshot): Promise<void> {
  const file: z.infer<typeof Snapshot> = { format: 'modelfactory/chain-state@1', ...snapshot, stateHash: hashText(snapshot.state) }
  await writeDurably(join(folder, `state.${snapshot.sequence}.json`), JSON.stringify(file))
  for (const sequence of (await sequences(folder)).slice(kept)) await rm(join(folder, `state.${sequence}.json`), { force: true })
}

/** Snapshots that are whole and belong to this journal, newest first, read one at a time. `hashAt` says what is journaled where. */
export async function* snapshots(folder: string, hashAt: (sequence: number) => Promise<Hex | undefined>): AsyncGenerator<Snapshot> {
  for (const sequence of await sequences(folder)) {
    const snapshot = await readSnapshot(join(folder, `state.${sequence}.json`))
    if (snapshot && (await hashAt(snapshot.sequence)) === snapshot.transaction) yield snapshot
  }
}

const State = z.looseObject({
  blocks: z.array(z.looseObject({ header: z.looseObject({ number: z.string() }) })),
  transactions: z.array(z.looseObject({ block_number: z.number() })),
})

/** A state without its old blocks and their transactions, all but the newest `kept`: anvil keeps them for ever, and they are most of it. */
export async function forgetful(state: string, keptBlocks: number): Promise<string> {
  const whole = State.parse(JSON.parse((await unzip(Buffer.from(state.slice(2), 'hex'))).toString()))
  const newest = whole.blocks.reduce((most, { header }) => Math.max(most, Number(header.number)), 0)
  const blocks = whole.blocks.filter(({ header }) => Number(header.number) > newest - keptBlocks)
  const transactions = whole.transactions.filter((transaction) => transaction.block_number > newest - keptBlocks)
  return `0x${(await zip(JSON.stringify({ ...whole, blocks, transactions }))).toString('hex')}`
}

async function readSnapshot(path: string): Promise<Snapshot | undefined> {
  try {
    const file = Snapshot.parse(JSON.parse(await readFile(path, 'utf8')))
    return hashText(file.state) === file.stateHash ? file : undefined
  } catch {
    return undefined
  }
}

async function sequences(folder: string): Promise<number[]> {
  const names = await readdir(folder).catch(() => [] as string[])
  return names
    .flatMap((file) => Number(name.exec(file)?.[1] ?? Number.NaN))
    .filter((sequence) => !Number.isNaN(sequence))
    .sort((one, other) => other - one)
}
