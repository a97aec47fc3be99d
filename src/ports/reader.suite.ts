/** What every reader promises: content or a refusal that names the file; never a crash, whatever the bytes. */
import { describe, expect, it } from 'vitest'
import { isRefusal } from '../core/errors.ts'
import { random } from '../core/report.ts'
import type { Content, Reader } from './reader.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

export function readerSuite(what: string, make: () => Reader): void {
  describe(`${what} is a reader`, () => {
    const reader = make()
    const read = async (name: string, text: string): Promise<Content> => {
      const contents = await reader.read({ name, bytes: bytes(text) })
      if (isRefusal(contents)) throw new Error(contents.message)
      expect(contents).toHaveLength(1)
      return contents[0]!
    }

    it('gives a text back as it is', async () => {
      expect(await read('a/page.md', '# Title\n\nBody é 漢字.\n')).toMatchObject({ kind: 'text', name: 'a/page.md', text: '# Title\n\nBody é 漢字.\n' })
    })

    it('reads a table with its columns in order', async () => {
      const table = await read('t.csv', 'text,label\n"a, b",x\nc,y\n')
      expect(table).toMatchObject({
        kind: 'table',
        columns: ['text', 'label'],
        rows: [
          { text: 'a, b', label: 'x' },
          { text: 'c', label: 'y' },
        ],
      })
    })

    it('refuses nothing at all, naming the file', async () => {
      const refusal = await reader.read({ name: 'nothing.csv', bytes: new Uint8Array() })
      expect(isRefusal(refusal) && refusal.message).toContain('nothing.csv')
      expect(isRefusal(refusal) && refusal.hint.length).toBeGreaterThan(10)
    })

    it('never throws on mutated files, and never gives rows without columns', async () => {
      const next = random(7)
      const seeds = ['text,label\n"a, b",x\nc,"y\nz"\n', '{"a":1}\n{"a":[1,{"b":2}]}\n', '[{"a":"b"},{"a":"c"}]', '# T\n\nSome words.\n', 'a;b\n1;2\n3;4\n']
      const names = ['f.csv', 'f.jsonl', 'f.json', 'f.md', 'f.tsv']
      for (let round = 0; round < 400; round++) {
        const data = bytes(seeds[round % seeds.length]!.repeat(1 + Math.floor(next() * 4)))
        for (let change = 0; change < 1 + next() * 8; change++) data[Math.floor(next() * data.length)] = Math.floor(next() * 256)
        const read = await reader.read({ name: names[Math.floor(next() * names.length)]!, bytes: data.subarray(0, Math.floor(next() * data.length) + 1) })
        if (isRefusal(read)) {
          expect(read.message.length).toBeGreaterThan(5)
          continue
        }
        expect(read.length).toBeGreaterThan(0)
        for (const content of read) {
          if (content.kind !== 'table') continue
          expect(content.columns.length).toBeGreaterThan(0)
          for (const row of content.rows) expect(Object.keys(row)).toEqual(expect.arrayContaining(content.columns))
        }
      }
    })
  })
}
