/** Both stores against the suite, and what only a folder can do wrong. */
import { chmod, mkdtemp, readdir, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { storeSuite } from '../../ports/store.suite.ts'
import { writeFailure } from '../files/durable.ts'
import { folderStore } from './folder.ts'
import { memoryStore } from './memory.ts'

const temporary = () => mkdtemp(join(tmpdir(), 'modelfactory-test-store-'))

storeSuite('memory', async () => ({ store: memoryStore() }))
storeSuite('folder', async () => {
  const folder = await temporary()
  const store = folderStore(join(folder, 'store'))
  return {
    store,
    damage: async (id) => {
      const path = await store.path(id)
      await chmod(path, 0o644)
      await writeFile(path, 'something else')
    },
  }
})

describe('store in a folder', () => {
  it('is found again by another process', async () => {
    const folder = await temporary()
    const id = await folderStore(folder).put(new Uint8Array([1, 2, 3]))
    expect(Array.from(await folderStore(folder).get(id))).toEqual([1, 2, 3])
  })

  it('leaves no temporary file, and removes those a dead process left', async () => {
    const folder = await temporary()
    await folderStore(folder).put(new Uint8Array([1]))
    const left = join(folder, 'incoming', '.left.part')
    await writeFile(left, 'half')
    await utimes(left, 1, 1)
    await folderStore(folder).put(new Uint8Array([2]))
    expect(await readdir(join(folder, 'incoming'))).toEqual([])
  })

  it('says so when a file stands in the way', async () => {
    const file = join(await temporary(), 'file')
    await writeFile(file, '')
    await expect(folderStore(file).put(new Uint8Array([1]))).rejects.toThrow(/file stands where a folder is needed.*--data/)
  })

  it.skipIf(process.platform !== 'linux')('says so when the folder is read-only', async () => {
    await expect(folderStore('/sys/modelfactory').put(new Uint8Array([1]))).rejects.toThrow(
      /\/sys\/modelfactory.*read-only for this user.*Make the folder writable/,
    )
  })

  it('says so when the disk is full', () => {
    expect(writeFailure('/data/store/x', Object.assign(new Error(), { code: 'ENOSPC' })).message).toBe(
      'Cannot write to /data/store/x: the disk is full (ENOSPC).',
    )
  })
})
