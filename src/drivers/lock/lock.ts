/**
 * Lock: one process at a time uses a data folder. Knows nothing of what is in the folder.
 *
 * Every process that wants the folder first announces itself in a file of its own name, then looks at the others. Whoever
 * looks later sees whoever announced earlier, so two can never both find the folder free; and since no file is ever replaced
 * by another process's, removing a dead one's file cannot remove a live one's.
 */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readdir, readFile, rm, stat, utimes } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { z } from 'zod'
import { type Refusal, refuse } from '../../core/errors.ts'
import { WriteError, writeDurably, writeFailure } from '../files/durable.ts'

const Claim = z.object({
  pid: z.number().int().positive(),
  /** When the process started, in the system's own terms: tells it from a later one of the same pid. */
  started: z.string(),
  host: z.string(),
})
/** Beside a claim once its process holds the folder. A file of its own: a listing might miss a claim that is being replaced. */
const Holding = z.object({ url: z.string().optional() })
type Found = { path: string; claim: z.infer<typeof Claim>; age: number; holding: z.infer<typeof Holding> | undefined }

export type Lock = {
  readonly folder: string
  /** Says where the server of this process answers, for processes that find the folder taken. */
  announce(url: string): Promise<void>
  release(): Promise<void>
}

/** A process on another host (a container) cannot be asked whether it lives: it touches its claim this often. */
const heartbeatMilliseconds = 5_000
const silentMilliseconds = 20_000

/** Takes the folder, which is made when missing, or says who holds it. */
export async function acquire(folder: string): Promise<Lock | Refusal> {
  const claims = join(folder, 'lock')
  const path = join(claims, `${process.pid}-${randomBytes(8).toString('hex')}.json`)
  const claim: z.infer<typeof Claim> = { pid: process.pid, started: (await startOf(process.pid)) ?? 'unknown', host: hostname() }
  const hold = (holding: z.infer<typeof Holding>) => writeDurably(holdingOf(path), JSON.stringify(holding))
  try {
    for (let attempt = 0; ; attempt++) {
      await writeDurably(path, JSON.stringify(claim))
      const others = await living(claims, path)
      if (others.length === 0) break
      await rm(path, { force: true })
      const holder = others.find((other) => other.holding)
      if (holder) return taken(folder, holder)
      // Others are looking too. All step back for a random while; one will be alone.
      if (attempt === 100) return taken(folder, others[0]!)
      await sleep(5 + Math.random() * 40)
    }
    await hold({})
  } catch (error) {
    const cause = error instanceof WriteError ? error.cause : error
    const failure = writeFailure(folder, cause)
    return refuse('data_folder_not_writable', failure.message, failure.hint)
  }

  const heartbeat = setInterval(() => utimes(path, new Date(), new Date()).catch(() => {}), heartbeatMilliseconds)
  heartbeat.unref()
  let released = false
  return {
    folder,
    async announce(url) {
      if (!released) await hold({ url })
    },
    async release() {
      released = true
      clearInterval(heartbeat)
      await remove(path)
    },
  }
}

/** The living process that holds the folder, if any. Takes nothing and removes nothing. */
export async function holder(folder: string): Promise<{ pid: number; url: string | undefined } | undefined> {
  for (const found of await read(join(folder, 'lock'))) if (found.holding && (await isAlive(found))) return { pid: found.claim.pid, url: found.holding.url }
  return undefined
}

function taken(folder: string, { claim, holding }: Found): Refusal {
  const where = claim.host === hostname() ? '' : ` on ${claim.host}`
  return refuse(
    'data_folder_locked',
    `The data folder ${folder} is in use by process ${claim.pid}${where}${holding?.url ? `, which answers at ${holding.url}` : ''}.`,
    holding?.url ? 'Use that server, stop it, or choose another folder with --data.' : 'Wait for it, stop it, or choose another folder with --data.',
  )
}

/** Claims of living processes other than ours; what the dead left is removed. */
async function living(claims: string, own: string): Promise<Found[]> {
  const alive: Found[] = []
  for (const found of await read(claims)) {
    if (found.path === own) continue
    if (await isAlive(found)) alive.push(found)
    else await remove(found.path)
  }
  return alive
}

async function read(claims: string): Promise<Found[]> {
  const names = await readdir(claims).catch(() => [] as string[])
  const found: Found[] = []
  for (const name of names) {
    if (!name.endsWith('.json')) continue
    const path = join(claims, name)
    try {
      const claim = Claim.parse(JSON.parse(await readFile(path, 'utf8')))
      const age = Date.now() - (await stat(path)).mtimeMs
      const holding = await readFile(holdingOf(path), 'utf8').then(
        (text) => Holding.parse(JSON.parse(text)),
        () => undefined,
      )
      found.push({ path, claim, age, holding })
    } catch {
      // Released between the listing and the look, or no claim: claims are written whole or not at all.
    }
  }
  return found
}

async function remove(path: string): Promise<void> {
  // In this order: a claim without its holding is still respected, a holding without its claim is nothing.
  await rm(holdingOf(path), { force: true })
  await rm(path, { force: true })
}

function holdingOf(path: string): string {
  return path.replace(/\.json$/, '.held')
}

async function isAlive({ claim, age }: Found): Promise<boolean> {
  if (claim.host !== hostname()) return age < silentMilliseconds
  try {
    process.kill(claim.pid, 0)
  } catch (error) {
    // EPERM: it lives and belongs to somebody else.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  const started = await startOf(claim.pid)
  return started === undefined || started === claim.started
}

/** When a process started, as its system says it; undefined where that cannot be learned. */
async function startOf(pid: number): Promise<string | undefined> {
  try {
    if (process.platform === 'linux') {
      const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
      const status = await readFile(`/proc/${pid}/stat`, 'utf8')
      // Field 22, counted after the command's closing parenthesis, which may itself hold anything (proc_pid_stat(5)).
      return `${boot} ${status.slice(status.lastIndexOf(')') + 2).split(' ')[19]}`
    }
    if (process.platform === 'win32') return undefined
    return (await promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)])).stdout.trim() || undefined
  } catch {
    return undefined
  }
}
