/**
 * Operating: reads how this gateway is: builds, models in memory, chain, payments, disk, memory; and how each model was made. It changes nothing, and what cannot be
 * read is said instead of hidden. Knows nothing of who may see it.
 */
import { readFileSync } from 'node:fs'
import { readdir, stat, statfs } from 'node:fs/promises'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { type AnatomyView, anatomyOf } from '../core/anatomy.ts'
import { isRefusal, type Refusal } from '../core/errors.ts'
import type { Id } from '../core/id.ts'
import type { OperatingView } from '../core/operating.ts'
import { amount } from '../core/royalty.ts'
import type { BuildView } from '../core/view.ts'
import { readMachine } from '../engine/machine.ts'
import type { Chain } from '../ports/chain.ts'
import type { Database, Model } from '../ports/database.ts'
import type { Unpacked } from '../steps/pack.ts'
import { ROOT } from './config.ts'

/** How long the sizes of folders are believed: counting them reads every entry. */
const SIZES_MS = 30_000
const FAILED_SHOWN = 5
const OPEN = ['reserved', 'sending', 'unknown'] as const

export type OperatingParts = {
  chain: Chain
  database: Database
  /** The data folder. */
  folder: string
  view(build: Awaited<ReturnType<Database['builds']['list']>>[number]): BuildView
  serving: { inMemory(): { packages: Id[]; most: number }; open(packageId: Id): Promise<Pick<Unpacked, 'manifest' | 'weights' | 'passages'>> }
  find(name: string): Promise<Model | Refusal>
  warnings(): Promise<string[]>
}

/** All but `faults`, which the server counts. */
export type Operating = Omit<OperatingView, 'faults'>

export function openOperating(parts: OperatingParts): { operating(): Promise<Operating>; anatomy(name: string): Promise<AnatomyView | Refusal> } {
  const { chain, database, folder } = parts
  const startedAt = Date.now()
  const version = ownVersion()
  let sizes: { at: number; parts: Promise<{ name: string; bytes: number }[]> } | undefined

  /** Every entry of the data folder with its size, largest first. */
  function measured(): Promise<{ name: string; bytes: number }[]> {
    if (!sizes || Date.now() - sizes.at > SIZES_MS) sizes = { at: Date.now(), parts: partsOf(folder) }
    return sizes.parts
  }

  async function chainNow(): Promise<OperatingView['chain']> {
    const { caip2, test, currency } = chain.network
    const known = { caip2, test, currency }
    try {
      const [{ block, at, relayers }, finalBlock] = await Promise.all([chain.pulse(), chain.finalBlock()])
      const holding = relayers.map(({ address, native, payments }) => ({ address, holds: amount(native), payments: Number(payments) }))
      return { ...known, newest: { block, at: at * 1000 }, finalBlock, relayers: holding, problem: null }
    } catch (error) {
      return { ...known, newest: null, finalBlock: 0, relayers: [], problem: error instanceof Error ? error.message : String(error) }
    }
  }

  async function operating(): Promise<Operating> {
    const [builds, models, open, unconfirmed, onChain, warnings, sized, disk] = await Promise.all([
      database.builds.list(),
      database.models.list(),
      database.payments.inState(OPEN),
      database.payments.toConfirm(),
      chainNow(),
      parts.warnings(),
      measured(),
      statfs(folder),
    ])
    const { packages, most } = parts.serving.inMemory()
    const running = builds.find(({ state }) => state === 'running')
    const failed = builds.filter(({ state }) => state === 'failed' || state === 'refused')
    const { availableBytes, totalBytes, cores } = readMachine()
    const [one, five, fifteen] = loadavg() as [number, number, number]
    const seconds = running && parts.view(running).training?.secondsLeft
    return {
      at: Date.now(),
      startedAt,
      version,
      runtime: { node: process.version, platform: `${process.platform} ${process.arch}`, processor: cpus()[0]?.model.trim() ?? '' },
      builds: {
        running: running ? { id: running.id, name: running.name, since: running.updatedAt, secondsLeft: seconds ?? null } : null,
        // The oldest is the next.
        queued: builds
          .filter(({ state }) => state === 'queued')
          .map(({ id, name, createdAt }) => ({ id, name, since: createdAt }))
          .reverse(),
        done: builds.filter(({ state }) => state === 'done').length,
        failed: failed.slice(0, FAILED_SHOWN).map(({ id, name, updatedAt, state, events }) => ({
          ...{ id, name, at: updatedAt, state: state as 'failed' | 'refused', text: events.at(-1)?.text ?? '' },
        })),
      },
      models: {
        known: models.length,
        inMemory: packages.map((packageId) => models.find((model) => model.packageId === packageId)?.name ?? packageId.slice(0, 12)),
        most,
      },
      chain: onChain,
      payments: {
        open: OPEN.map((state) => {
          const all = open.filter((payment) => payment.state === state)
          return { state, count: all.length, oldest: all.length ? Math.min(...all.map(({ createdAt }) => createdAt)) : null }
        }),
        unconfirmed: unconfirmed.length,
      },
      storage: {
        folder,
        total: sized.reduce((sum, { bytes }) => sum + bytes, 0),
        parts: sized,
        ...{ free: disk.bavail * disk.bsize, size: disk.blocks * disk.bsize },
      },
      memory: { process: process.memoryUsage().rss, available: availableBytes, total: totalBytes },
      load: { cores, one, five, fifteen },
      warnings,
    }
  }

  return {
    operating,
    async anatomy(name) {
      const model = await parts.find(name)
      return isRefusal(model) ? model : anatomyOf(await parts.serving.open(model.packageId), model.packageId)
    },
  }
}

async function partsOf(folder: string): Promise<{ name: string; bytes: number }[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  const sized = await Promise.all(
    entries.map(async (entry) => ({
      name: entry.name,
      bytes: entry.isDirectory() ? await sizeOf(join(folder, entry.name)) : await bytesOf(join(folder, entry.name)),
    })),
  )
  return sized.filter(({ bytes }) => bytes > 0).sort((a, b) => b.bytes - a.bytes)
}

/** Bytes of all files below a folder, one folder after the other so that a large one does not hold a thousand handles. Links are not followed. */
async function sizeOf(folder: string): Promise<number> {
  let sum = 0
  // What is deleted while it is counted is not there any more.
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => []))
    if (entry.isDirectory()) sum += await sizeOf(join(folder, entry.name))
    else if (entry.isFile()) sum += await bytesOf(join(folder, entry.name))
  return sum
}

const bytesOf = (path: string): Promise<number> =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  )

/** Of this program, as package.json says it. */
export const ownVersion = (): string => (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }).version
