/**
 * PostgreSQL inside this process (PGlite), in a folder or in memory, brought up to the newest migration.
 * Knows nothing of the records; one process at a time may open a folder, which the data folder's lock sees to.
 */
import { existsSync } from 'node:fs'
import { mkdir, open, readdir, rename, rm, rmdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { PGlite } from '@electric-sql/pglite'
import type { Database } from '../../ports/database.ts'
import { syncFolder, WriteError } from '../files/durable.ts'
import { migrate, OpenError } from './migrations.ts'

/** PGlite creates its clusters with one of these; a folder without it was never finished. */
const versionFile = 'PG_VERSION'

/**
 * Opens the database in `folder`, or in memory when it is null. The first initialisation happens in a temporary folder
 * beside it and is renamed into place, so a kill at any moment leaves either nothing or a whole database; later kills are
 * recovered from PostgreSQL's write-ahead log.
 * @throws {OpenError} when the folder holds something that is no database, or a database newer than this program.
 */
export async function openDatabase(options: { folder: string | null }): Promise<Database> {
  const { folder } = options
  if (folder !== null) await ensureInitialised(folder)
  const client = await start(folder)
  try {
    await migrateClient(client, folder)
  } catch (error) {
    await client.close().catch(() => {})
    throw error
  }
  const { drizzle } = await import('drizzle-orm/pglite')
  const { records } = await import('./records.ts')
  let closed: Promise<void> | undefined
  return records(drizzle({ client }), {
    sync: folder === null ? async () => {} : together(() => syncLog(join(folder, 'pg_wal'))),
    close: () => {
      closed ??= client.close()
      return closed
    },
  })
}

async function ensureInitialised(folder: string): Promise<void> {
  const parent = dirname(folder)
  const prefix = `${basename(folder)}.initialising-`
  try {
    await mkdir(parent, { recursive: true })
    for (const name of await readdir(parent)) if (name.startsWith(prefix)) await rm(join(parent, name), { recursive: true, force: true })
    if (existsSync(join(folder, versionFile))) return
    if (existsSync(folder)) {
      if (!(await stat(folder)).isDirectory() || (await readdir(folder)).length > 0)
        throw new OpenError(`${folder} exists and holds no database.`, 'Move it away, or choose another data folder with --data.')
      await rmdir(folder)
    }
    const temporary = join(parent, `${prefix}${process.pid}`)
    const client = await start(temporary)
    await migrateClient(client, temporary)
    await client.close()
    await syncTree(temporary)
    await rename(temporary, folder)
    await syncFolder(parent)
  } catch (error) {
    if (error instanceof OpenError) throw error
    throw typeof (error as NodeJS.ErrnoException).syscall === 'string' ? new WriteError(folder, error) : error
  }
}

const migrateClient = (client: PGlite, folder: string | null): Promise<void> =>
  migrate(
    {
      query: async (text, values) => (await client.query<Record<string, unknown>>(text, values ? [...values] : [])).rows,
      execute: async (statements) => void (await client.exec(statements)),
    },
    folder ?? 'memory',
  )

async function start(folder: string | null): Promise<PGlite> {
  const [{ PGlite }, { pg_trgm }] = await Promise.all([import('@electric-sql/pglite'), import('@electric-sql/pglite/contrib/pg_trgm')])
  // Pages that a checkpoint makes it write whole are packed, and of segments that are done with as few as may be are kept for later use.
  const startParams = [...PGlite.defaultStartParams, '-c', 'wal_compression=on', '-c', 'min_wal_size=32MB']
  const options = { extensions: { pg_trgm }, startParams }
  try {
    return await PGlite.create(folder === null ? options : { ...options, dataDir: folder })
  } catch (error) {
    throw new OpenError(
      `The database in ${folder ?? 'memory'} does not start.`,
      'Restore the data folder from a copy, or start with a new one with --data.',
      error,
    )
  }
}

/**
 * PGlite's file system turns fsync into nothing: a kill of the process loses no commit, a power cut might. So the newest
 * segments of the write-ahead log are synced from here.
 */
async function syncLog(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => /^[0-9A-F]{24}$/.test(name))
  const segments = await Promise.all(names.map(async (name) => ({ name, changed: (await stat(join(folder, name))).mtimeMs })))
  segments.sort((one, other) => other.changed - one.changed)
  for (const { name } of segments.slice(0, 1)) await syncFile(join(folder, name))
}

/** Of calls that come while one runs, one more run serves all: it begins after each of their writes. */
function together(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined
  let next: Promise<void> | undefined
  const start = (): Promise<void> => {
    next = undefined
    running = run().finally(() => {
      running = undefined
    })
    return running
  }
  return () => {
    if (next) return next
    if (!running) return start()
    next = running.then(start, start)
    return next
  }
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

async function syncTree(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) await syncTree(path)
    else if (entry.isFile()) await syncFile(path)
  }
  await syncFolder(folder)
}
