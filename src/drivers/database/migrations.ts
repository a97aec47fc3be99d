/**
 * Migrations: brings a PostgreSQL up to what this program's tables are. Knows nothing of where it runs, nor of what the tables hold.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BaseError } from '../../core/errors.ts'
import { hashText } from '../../core/id.ts'

const folder = fileURLToPath(new URL('./migrations/', import.meta.url))

/** One connection: what it is told comes one after the other. */
export type Connection = {
  query(text: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>
  /** Several statements. */
  execute(statements: string): Promise<void>
}

/** Applies the migrations that are not recorded yet, in the order of their names, each in one transaction. `place` names the database in errors. */
export async function migrate(connection: Connection, place: string): Promise<void> {
  await connection.execute('create table if not exists migrations (name text primary key, hash text not null)')
  const applied = new Map((await connection.query('select name, hash from migrations')).map(({ name, hash }) => [String(name), String(hash)]))
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort()
  const strange = [...applied.keys()].filter((name) => !names.includes(name))
  if (strange.length > 0)
    throw new OpenError(`The database in ${place} was made by a newer version (migration ${strange[0]}).`, 'Update the program, or choose another data folder.')
  for (const name of names) {
    const statements = await readFile(join(folder, name), 'utf8')
    const hash = hashText(statements.replaceAll('\r\n', '\n'))
    const recorded = applied.get(name)
    if (recorded === hash) continue
    if (recorded !== undefined)
      throw new OpenError(`Migration ${name} changed after it was applied to ${place}.`, 'Restore the file; changes go into a new migration.')
    await connection.execute('begin')
    try {
      await connection.execute(statements)
      await connection.query('insert into migrations (name, hash) values ($1, $2)', [name, hash])
      await connection.execute('commit')
    } catch (error) {
      await connection.execute('rollback')
      throw error
    }
  }
}

/** The database cannot be opened: not one, too new, or broken. */
export class OpenError extends BaseError {
  override readonly name = 'Database.OpenError'
  constructor(message: string, hint: string, cause?: unknown) {
    super(`${message} ${hint}`, { cause, hints: [hint] })
  }
}
