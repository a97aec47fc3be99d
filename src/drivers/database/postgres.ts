/**
 * A PostgreSQL server, 14 or later, as the database: for more than one machine's worth of records. Knows nothing of the records; the address may hold
 * a password and is in no error. A commit is durable when the server says so.
 */
import type { Database } from '../../ports/database.ts'
import { migrate, OpenError } from './migrations.ts'

/** Any number that is the same for every process of ours: migrations run one process at a time. */
const MIGRATING = 7_246_114

/**
 * Opens the database at `url`, brought up to the newest migration.
 * @throws {OpenError} when no server answers there, or it holds a database newer than this program.
 */
export async function openPostgres(options: { url: string; connections?: number }): Promise<Database> {
  const { default: pg } = await import('pg')
  const pool = new pg.Pool({ connectionString: options.url, max: options.connections ?? 8, application_name: 'modelfactory' })
  // A connection that breaks while nobody uses it is replaced by the pool.
  pool.on('error', () => {})
  try {
    const client = await pool.connect()
    try {
      await client.query('select pg_advisory_lock($1)', [MIGRATING])
      await migrate(
        {
          query: async (text, values) => (await client.query(text, values ? [...values] : [])).rows,
          execute: async (statements) => void (await client.query(statements)),
        },
        'PostgreSQL',
      )
    } finally {
      await client.query('select pg_advisory_unlock($1)', [MIGRATING]).catch(() => {})
      client.release()
    }
  } catch (error) {
    await pool.end().catch(() => {})
    if (error instanceof OpenError) throw error
    const reason = String((error as { code?: unknown }).code ?? 'unknown')
    throw new OpenError(
      `The PostgreSQL server cannot be used (${reason}).`,
      'Check that it runs at its address, and that its user may create tables and the extension pg_trgm.',
    )
  }
  const { drizzle } = await import('drizzle-orm/node-postgres')
  const { records } = await import('./records.ts')
  let closed: Promise<void> | undefined
  return records(drizzle({ client: pool }), {
    sync: async () => {},
    close: () => {
      closed ??= pool.end()
      return closed
    },
  })
}
