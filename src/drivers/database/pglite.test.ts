/** The embedded database against the suite, in memory and on disk, and what happens to a folder. */
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { pg_trgm } from '@electric-sql/pglite/contrib/pg_trgm'
import { describe, expect, it } from 'vitest'
import { hashText } from '../../core/id.ts'
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

  it('takes over records of before hashes were kept as bytes', async () => {
    const folder = join(await temporary(), 'database')
    const migrations = new URL('./migrations/', import.meta.url)
    const old = await PGlite.create({ dataDir: folder, extensions: { pg_trgm } })
    await old.exec('create table migrations (name text primary key, hash text not null)')
    for (const name of (await readdir(migrations)).filter((file) => file < '0009').sort()) {
      const statements = await readFile(new URL(name, migrations), 'utf8')
      await old.exec(statements)
      await old.query('insert into migrations values ($1, $2)', [name, hashText(statements.replaceAll('\r\n', '\n'))])
    }
    const [modelId, packageId, requestHash, tx, nonce] = ['model', 'package', 'request', 'tx', 'nonce'].map(hashText) as [`0x${string}`, ...`0x${string}`[]]
    const kept = payment({ modelId, packageId: packageId!, requestHash: requestHash!, tx: tx!, state: 'settled' })
    const { payer, builder } = kept
    await old.query(
      `insert into payments (key, model_id, package_id, request_hash, payer, builder, amount, "authorization", state, tx, final, created_at, updated_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, 'settled', $9, false, 1, 2)`,
      [kept.key, modelId, packageId, requestHash, payer, builder, `${kept.amount}`, JSON.stringify(kept.authorization), tx],
    )
    const receipt = { modelId, model: 'hearts', packageId, requestHash, responseHash: hashText('answer'), tx, block: 7, amount: '5', payer, builder, at: 3 }
    const [first, second] = [
      { ...receipt, sources: ['a page'], requestHash: hashText('older') },
      { ...receipt, sources: [], nonce },
    ]
    for (const one of [first, second])
      await old.query('insert into receipts (tx, request_hash, nonce, model_id, at, receipt) values ($1, $2, $3, $4, 3, $5)', [
        tx,
        one.requestHash,
        'nonce' in one ? one.nonce : '',
        modelId,
        JSON.stringify(one),
      ])
    await old.query("insert into journal (hash, raw, sender, nonce, purpose) values ($1, '\\x02c0', $2, 4, 'test')", [tx, payer])
    await old.query(
      'insert into paid_queries (block, place, tx, model_id, payer, builder, amount, request_hash, nonce) values (7, 0, $1, $2, $3, $4, 5, $5, $6)',
      [tx, modelId, payer, builder, requestHash, nonce],
    )
    await old.close()

    const database = await openDatabase({ folder })
    expect(await database.payments.get(kept.key)).toEqual(kept)
    expect(await database.receipts.list()).toEqual([second, first])
    expect(await database.receipts.find({ tx: tx!, requestHash: hashText('older'), nonce: nonce! })).toEqual(first)
    expect(await database.receipts.find({ tx: tx!, requestHash: requestHash!, nonce: nonce! })).toEqual(second)
    expect(await database.journal.find(tx!)).toMatchObject({ raw: '0x02c0', hash: tx, nonce: 4, status: null })
    expect(await database.journal.paid()).toEqual([{ modelId, payer, builder, amount: 5n, requestHash, nonce, tx, block: 7 }])
    await database.close()
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
