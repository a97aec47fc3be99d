/** The embedded database against the suite, in memory and on disk, and what happens to a folder. */
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { databaseSuite, payment } from '../../ports/database.suite.ts'
import { marketSuite } from '../../ports/market.suite.ts'
import { OpenError } from './migrations.ts'
import { openDatabase } from './pglite.ts'

const temporary = () => mkdtemp(join(tmpdir(), 'modelfactory-test-database-'))

databaseSuite('in memory', () => openDatabase({ folder: null }))
marketSuite('in memory', () => openDatabase({ folder: null }))
databaseSuite('in a folder', async () => openDatabase({ folder: join(await temporary(), 'database') }))

describe('database in a folder', () => {
  it('survives being closed, and being copied while open as a kill would leave it', async () => {
    const root = await temporary()
    const folder = join(root, 'database')
    await mkdir(join(root, 'database.initialising-1'))
    await writeFile(join(root, 'database.initialising-1', 'PG_VERSION'), '18')
    const first = await openDatabase({ folder })
    expect(await readdir(root)).toEqual(['database'])
    await first.payments.reserve(payment())
    await first.close()
    await first.close()

    const second = await openDatabase({ folder })
    expect(await second.payments.get(payment().key)).toEqual(payment())
    await second.payments.move(payment().key, ['reserved'], { state: 'sending' })
    await cp(folder, join(root, 'killed'), { recursive: true })
    await second.close()

    const third = await openDatabase({ folder: join(root, 'killed') })
    expect(await third.payments.get(payment().key)).toEqual(payment({ state: 'sending' }))
    await third.close()
  })

  it('refuses a folder that holds something else, and leaves it alone', async () => {
    const folder = await temporary()
    await writeFile(join(folder, 'letter.txt'), 'mine')
    await expect(openDatabase({ folder })).rejects.toThrow(OpenError)
    await expect(openDatabase({ folder })).rejects.toThrow(folder)
    expect(existsSync(join(folder, 'letter.txt'))).toBe(true)
  })

  it.skipIf(process.platform !== 'linux')('says so when the folder is read-only', async () => {
    await expect(openDatabase({ folder: '/sys/modelfactory/database' })).rejects.toThrow(/read-only for this user/)
  })
})
