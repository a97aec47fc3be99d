/**
 * Operating: how a running gateway is, as whoever owns the machine sees it, and what of it needs them. Plain data and one rule of
 * judgement; knows nothing of where the figures come from.
 */
import type { Amount } from './royalty.ts'

/** Times in Unix milliseconds, sizes in bytes. */
export type OperatingView = {
  at: number
  startedAt: number
  version: string
  runtime: { node: string; platform: string; processor: string }
  builds: {
    running: { id: string; name: string; since: number; secondsLeft: number | null } | null
    queued: { id: string; name: string; since: number }[]
    done: number
    /** That failed or were refused, newest first, with what was said last. */
    failed: { id: string; name: string; at: number; state: 'failed' | 'refused'; text: string }[]
  }
  models: {
    known: number
    /** Names of those in memory, and how many are kept there at most. */
    inMemory: string[]
    most: number
  }
  chain: {
    caip2: string
    test: boolean
    currency: string
    /** Null when the chain does not answer; then `problem` says so. */
    newest: { block: number; at: number } | null
    finalBlock: number
    relayers: { address: string; holds: Amount; payments: number }[]
    problem: string | null
  }
  payments: {
    open: { state: 'reserved' | 'sending' | 'unknown'; count: number; oldest: number | null }[]
    /** Settled, and not yet so deep in the chain that they stay. */
    unconfirmed: number
  }
  storage: { folder: string; total: number; parts: { name: string; bytes: number }[]; free: number; size: number }
  memory: { process: number; available: number; total: number }
  load: { cores: number; one: number; five: number; fifteen: number }
  /** Requests that broke inside the server since it started. */
  faults: { count: number; lastAt: number | null; last: string | null }
  /** Sentences of the chain and of payments; see `StateView.warnings`. */
  warnings: string[]
}

/** What somebody should see to: `act` before something stops, `watch` when there is time. `values` fill the sentence of `code`. */
export type Attention = { code: AttentionCode; level: 'act' | 'watch'; values: Record<string, string | number> }
export type AttentionCode =
  | 'chain_silent'
  | 'chain_behind'
  | 'gas_low'
  | 'payments_unknown'
  | 'payments_stuck'
  | 'disk_low'
  | 'memory_low'
  | 'build_failed'
  | 'faults'
  | 'warning'

const GB = 1e9
const MINUTE = 60_000
const HOUR = 60 * MINUTE
/** A gateway whose disk is full loses payments; checkpoints and a new base are some hundred megabytes. */
const LEAST_DISK = 2 * GB
const LEAST_MEMORY = 0.5 * GB
/** Chains that others run have a block at least every few seconds; the embedded one makes them when there is something to do. */
const LATEST_BLOCK = 3 * MINUTE
/** Longer than any answer or settlement takes. */
const STUCK = 15 * MINUTE
const FEWEST_PAYMENTS = 200

/** What needs its owner, the urgent first. */
export function attentionOf(view: OperatingView): Attention[] {
  const { at, chain, payments, storage, memory, builds, faults } = view
  const found: Attention[] = []
  const add = (level: Attention['level'], code: AttentionCode, values: Attention['values'] = {}) => found.push({ code, level, values })
  if (chain.problem !== null) add('act', 'chain_silent', { text: chain.problem })
  else if (!chain.test && chain.newest && at - chain.newest.at > LATEST_BLOCK)
    add('act', 'chain_behind', { minutes: Math.round((at - chain.newest.at) / MINUTE), block: chain.newest.block })
  const poor = chain.relayers.filter((relayer) => relayer.payments < FEWEST_PAYMENTS)
  for (const { address, holds, payments: left } of poor) add(left < 10 ? 'act' : 'watch', 'gas_low', { address, holds: holds.open, payments: left })
  const unknown = payments.open.find(({ state }) => state === 'unknown')
  if (unknown?.count) add('watch', 'payments_unknown', { count: unknown.count, minutes: ageOf(unknown.oldest, at) })
  for (const { state, count, oldest } of payments.open)
    if (state !== 'unknown' && count && oldest !== null && at - oldest > STUCK) add('watch', 'payments_stuck', { count, state, minutes: ageOf(oldest, at) })
  if (storage.free < LEAST_DISK) add(storage.free < LEAST_DISK / 4 ? 'act' : 'watch', 'disk_low', { free: storage.free })
  if (memory.available < LEAST_MEMORY) add('watch', 'memory_low', { available: memory.available })
  const newest = builds.failed[0]
  if (newest && newest.state === 'failed' && at - newest.at < 24 * HOUR) add('watch', 'build_failed', { name: newest.name, text: newest.text })
  if (faults.count && faults.lastAt !== null && at - faults.lastAt < HOUR) add('watch', 'faults', { count: faults.count, text: faults.last ?? '' })
  // Gas and a silent chain are said above, with figures of their own.
  for (const text of view.warnings) if (!chain.problem && !poor.some(({ address }) => text.includes(address))) add('act', 'warning', { text })
  return found.sort((one, other) => Number(other.level === 'act') - Number(one.level === 'act'))
}

const ageOf = (oldest: number | null, at: number): number => (oldest === null ? 0 : Math.max(0, Math.round((at - oldest) / MINUTE)))
