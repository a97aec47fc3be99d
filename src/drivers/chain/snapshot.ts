/**
 * Snapshots: anvil's whole state as files, so that a start replays the journal's tail and not all of it. A snapshot is only a
 * shortcut: one that is missing, damaged or of another journal is ignored. Knows nothing of anvil beyond two of its methods.
 */
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
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

/**
 * A state without its old blocks and their transactions, all but the newest `keptBlocks`, and without the traces of those: anvil keeps them
 * for ever, and they are most of it. Done in a thread of its own, since a state can be 100 MB of JSON.
 */
export async function forgetful(state: string, keptBlocks: number): Promise<string> {
  const worker = new Worker(new URL('./forget.mjs', import.meta.url), { workerData: { state, keptBlocks }, execArgv: [] })
  return new Promise<string>((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', (code) => reject(new Error(`The thread that shortens a state ended with ${code}.`)))
  })
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
