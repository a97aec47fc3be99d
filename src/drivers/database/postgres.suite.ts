/**
 * A PostgreSQL server of the system's, started for tests and benches in a folder of its own and gone after. Knows nothing of what is kept in it.
 */
import { spawn, spawnSync } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const ROOT = '/usr/lib/postgresql'
const newest = existsSync(ROOT) ? readdirSync(ROOT).sort((a, b) => Number(b) - Number(a))[0] : undefined
const bin = newest && join(ROOT, newest, 'bin')
/** PostgreSQL does not run as root; Debian's package brings a user for it. */
const user = process.getuid?.() === 0 ? idOf('postgres') : undefined

/** Why no server can be started here, or null. */
export const noServer: string | null = !bin
  ? 'no PostgreSQL is installed in /usr/lib/postgresql'
  : process.getuid?.() === 0 && !user
    ? 'there is no user postgres'
    : null

function idOf(name: string): { uid: number; gid: number } | undefined {
  const [uid, gid] = ['-u', '-g'].map((flag) => spawnSync('id', [flag, name], { encoding: 'utf8' }).stdout?.trim())
  return uid && gid ? { uid: Number(uid), gid: Number(gid) } : undefined
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** A server with databases made on demand. `settings` are PostgreSQL's own, e.g. `{ fsync: 'off' }`. */
export async function startPostgres(settings: Record<string, string> = {}): Promise<{
  database(name: string): Promise<string>
  /** Changes a setting while it runs. */
  set(name: string, value: string): Promise<void>
  stop(): Promise<void>
}> {
  if (noServer !== null || !bin) throw new Error(noServer ?? 'no server')
  const folder = mkdtempSync(join(tmpdir(), 'modelfactory-postgres-'))
  if (user) chownSync(folder, user.uid, user.gid)
  const identity = user ?? {}
  const made = spawnSync(join(bin, 'initdb'), ['-D', join(folder, 'data'), '-U', 'tester', '-A', 'trust', '-E', 'UTF8', '--no-locale', '-N'], {
    ...identity,
    cwd: folder,
    encoding: 'utf8',
  })
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}`)
  const port = await freePort()
  const options = Object.entries({ ...settings, listen_addresses: '127.0.0.1', unix_socket_directories: folder }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ])
  const server = spawn(join(bin, 'postgres'), ['-D', join(folder, 'data'), '-p', String(port), ...options], { ...identity, cwd: folder, stdio: 'ignore' })
  const gone = new Promise<void>((resolve) => server.once('exit', () => resolve()))
  const { default: pg } = await import('pg')
  const url = (name: string) => `postgresql://tester@127.0.0.1:${port}/${name}`
  const admin = async (statement: string) => {
    const client = new pg.Client({ connectionString: url('postgres') })
    client.on('error', () => {})
    await client.connect()
    await client.query(statement).finally(() => client.end())
  }
  for (let attempt = 0; ; attempt++) {
    const failed = await admin('select 1').then(
      () => undefined,
      (error: unknown) => error,
    )
    if (failed === undefined) break
    if (attempt > 100) throw failed
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  return {
    async database(name) {
      await admin(`create database ${name}`)
      return url(name)
    },
    async set(name, value) {
      await admin(`alter system set ${name} = '${value}'`)
      await admin('select pg_reload_conf()')
    },
    async stop() {
      server.kill('SIGINT')
      await gone
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
