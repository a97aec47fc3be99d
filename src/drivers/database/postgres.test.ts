/** A real PostgreSQL server against the suites, where one is installed. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { databaseSuite } from '../../ports/database.suite.ts'
import { marketSuite } from '../../ports/market.suite.ts'
import { OpenError } from './migrations.ts'
import { noServer, startPostgres } from './postgres.suite.ts'
import { openPostgres } from './postgres.ts'

describe.skipIf(noServer !== null)(`a PostgreSQL server${noServer ? ` (${noServer})` : ''}`, () => {
  let server: Awaited<ReturnType<typeof startPostgres>>
  let number = 0
  beforeAll(async () => {
    server = await startPostgres({ fsync: 'off' })
  }, 60_000)
  afterAll(() => server?.stop())
  const open = async () => openPostgres({ url: await server.database(`suite_${++number}`) })
  databaseSuite('a PostgreSQL server', open)
  marketSuite('a PostgreSQL server', open)

  it('is opened by two at once, and keeps what was written', async () => {
    const url = await server.database('twice')
    const [one, other] = await Promise.all([openPostgres({ url }), openPostgres({ url })])
    await one.settings.set('a', { b: 1 })
    expect(await other.settings.get('a')).toEqual({ b: 1 })
    await Promise.all([one.close(), other.close()])
  })
})

it('says in a sentence without the address that no server answers', async () => {
  const failed = await openPostgres({ url: 'postgresql://me:secret@127.0.0.1:1/none' }).catch((error: unknown) => error)
  expect(failed).toBeInstanceOf(OpenError)
  expect(String((failed as Error).message)).toContain('ECONNREFUSED')
  expect(JSON.stringify(failed) + String((failed as Error).stack)).not.toContain('secret')
})
