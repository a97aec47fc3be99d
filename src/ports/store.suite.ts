/**
 * What every Store must do. Knows nothing of where the bytes are kept; `damage` changes them behind the store's back, where
 * that is possible.
 */
import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { hashBytes, hashText, type Id } from '../core/id.ts'
import { CorruptError, MissingError, type Store } from './store.ts'

export function storeSuite(name: string, open: () => Promise<{ store: Store; damage?: (id: Id) => Promise<void> }>): void {
  const bytes = new Uint8Array([0, 1, 2, 255, 10, 13])
  const absent = hashText('nothing like this is stored')

  describe(`store: ${name}`, () => {
    it('gives back what was put, under the hash of the bytes', async () => {
      const { store } = await open()
      const id = await store.put(bytes)
      expect(id).toBe(hashBytes(bytes))
      expect(new Uint8Array(await store.get(id))).toEqual(bytes)
      expect(await store.has(id)).toBe(true)
    })

    it('keeps empty bytes', async () => {
      const { store } = await open()
      const id = await store.put(new Uint8Array())
      expect((await store.get(id)).length).toBe(0)
    })

    it('is not changed by changing the bytes that were put or got', async () => {
      const { store } = await open()
      const mine = bytes.slice()
      const id = await store.put(mine)
      mine[0] = 77
      const got = await store.get(id)
      got[1] = 77
      expect(new Uint8Array(await store.get(id))).toEqual(bytes)
    })

    it('takes the same bytes twice, also at once', async () => {
      const { store } = await open()
      const ids = await Promise.all(Array.from({ length: 8 }, () => store.put(bytes)))
      expect(new Set(ids).size).toBe(1)
      expect(new Uint8Array(await store.get(ids[0]!))).toEqual(bytes)
    })

    it('shows a path that holds exactly the bytes', async () => {
      const { store } = await open()
      const id = await store.put(bytes)
      expect(new Uint8Array(await readFile(await store.path(id)))).toEqual(bytes)
    })

    it('says what is missing, and takes no path for an id', async () => {
      const { store } = await open()
      expect(await store.has(absent)).toBe(false)
      await expect(store.get(absent)).rejects.toThrow(MissingError)
      await expect(store.get(absent)).rejects.toThrow(absent)
      await expect(store.path(absent)).rejects.toThrow(MissingError)
      expect(await store.has('0x../../../../etc/passwd' as Id)).toBe(false)
      await expect(store.get('0x../../../../etc/passwd' as Id)).rejects.toThrow(MissingError)
    })

    it('notices bytes that changed, and heals them when they are put again', async ({ skip }) => {
      const { store, damage } = await open()
      if (!damage) return skip()
      const id = await store.put(bytes)
      await damage(id)
      await expect(store.get(id)).rejects.toThrow(CorruptError)
      await expect(store.path(id)).rejects.toThrow(CorruptError)
      await store.put(bytes)
      expect(new Uint8Array(await store.get(id))).toEqual(bytes)
    })
  })
}
