import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { isRefusal } from '../../core/errors.ts'
import { readerSuite } from '../../ports/reader.suite.ts'
import { textFiles } from './text-files.ts'

readerSuite('text files', textFiles)

const reader = textFiles()
const read = (name: string, bytes: Uint8Array | string) => reader.read({ name, bytes: typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes })
const one = async (name: string, bytes: Uint8Array | string) => {
  const contents = await read(name, bytes)
  if (isRefusal(contents) || contents.length !== 1) throw new Error(JSON.stringify(contents).slice(0, 300))
  return contents[0]!
}
const table = async (name: string, bytes: Uint8Array | string) => {
  const content = await one(name, bytes)
  if (content.kind !== 'table') throw new Error(JSON.stringify(content).slice(0, 300))
  return content
}
const code = async (name: string, bytes: Uint8Array | string) => {
  const contents = await read(name, bytes)
  return isRefusal(contents) ? contents.code : contents[0]!.kind
}

describe('tables', () => {
  it.each([
    ['semicolons', 'frage;antwort\nWas, bitte?;Ja\nWo?;Hier, da\n'],
    ['tabs', 'frage\tantwort\nWas, bitte?\tJa\nWo?\tHier, da\n'],
    ['bars', 'frage|antwort\nWas, bitte?|Ja\nWo?|Hier, da\n'],
  ])('finds %s between cells', async (_, text) => {
    expect(await table('t.csv', text)).toMatchObject({ columns: ['frage', 'antwort'], rows: [{ frage: 'Was, bitte?', antwort: 'Ja' }, { frage: 'Wo?' }] })
  })

  it('sees that there is no header when the first row is like the others', async () => {
    const content = await table('t.csv', 'I like it,good\nI hate it,bad\nSo so,good\n')
    expect(content.columns).toEqual(['column 1', 'column 2'])
    expect(content.rows).toHaveLength(3)
    expect(content.note).toContain('first row is data')
  })

  it('keeps every column apart, also unnamed and repeated ones', async () => {
    expect((await table('t.csv', 'a,,a\n1,2,3\n4,5,6\n')).columns).toEqual(['a', 'column 2', 'a (2)'])
  })

  it('keeps cells beyond the header and says so', async () => {
    const content = await table('t.csv', 'a,b\nx,y\nx1,y1,z1\nx2,y2\n')
    expect([...content.rows][1]).toEqual({ a: 'x1', b: 'y1', 'column 3': 'z1' })
    expect(content.note).toContain('fewer or more cells')
  })

  it('treats quotation marks of a TSV as text when they do not pair', async () => {
    const content = await table('t.tsv', 'text\tlabel\n"oh no\tbad\nfine\tgood\n')
    expect([...content.rows][0]).toEqual({ text: '"oh no', label: 'bad' })
  })

  it('does not let a column name reach the prototype', async () => {
    const content = await table('t.csv', '__proto__,b\nx,y\nz,w\n')
    expect(({} as Record<string, unknown>).x).toBeUndefined()
    expect(Object.hasOwn([...content.rows][0]!, '__proto__')).toBe(true)
  })

  it('reads JSON lines, JSON lists and a list inside an object', async () => {
    const rows = [
      { text: 'a', label: '1' },
      { text: 'b', label: '' },
    ]
    expect((await table('t.jsonl', '{"text":"a","label":1}\n\n{"text":"b","label":null}\n')).rows).toEqual(rows)
    expect((await table('t.json', '[{"text":"a","label":1},{"text":"b"}]')).rows).toEqual(rows)
    expect((await table('t.json', '{"version":1,"data":[{"text":"a","label":1},{"text":"b"}]}')).rows).toEqual(rows)
  })

  it('reads 100,000 rows in seconds', async () => {
    const text = `text,label\n${Array.from({ length: 100_000 }, (_, index) => `"row ${index}, with words",${index % 7}`).join('\n')}\n`
    const started = Date.now()
    expect((await table('t.csv', text)).rows).toHaveLength(100_000)
    expect(Date.now() - started).toBeLessThan(10_000)
  })
})

describe('encodings', () => {
  const french = 'Le médecin a été appelé très tôt ; la fièvre était élevée et le malade très gêné à l’hôpital. '.replace('’', "'")
  it('reads Latin-1 that is not UTF-8', async () => {
    const content = await one('fr.txt', Buffer.from(french.repeat(5), 'latin1'))
    expect(content).toMatchObject({ kind: 'text', text: french.repeat(5) })
  })

  it('reads UTF-16 with and without a mark, and drops marks', async () => {
    const plain = Buffer.from('text,label\nhabari,nzuri\nmbaya,sana\n', 'utf16le')
    for (const bytes of [plain, Buffer.concat([Buffer.from([0xff, 0xfe]), plain])]) expect((await table('t.csv', bytes)).columns).toEqual(['text', 'label'])
    expect((await table('t.csv', '\ufefftext,label\na,b\nc,d\n')).columns).toEqual(['text', 'label'])
  })

  it('refuses what is no known encoding, saying what to do', async () => {
    const noise = Uint8Array.from({ length: 3000 }, (_, index) => 128 + ((index * index * 31 + index * 7) % 128))
    const refusal = await read('odd.csv', noise)
    expect(isRefusal(refusal) && ['unknown_encoding', 'binary_file'].includes(refusal.code)).toBe(true)
    expect(isRefusal(refusal) && refusal.message).toContain('odd.csv')
    expect(isRefusal(refusal) && refusal.hint.length).toBeGreaterThan(20)
  })
})

describe('what is refused', () => {
  it('a binary named .txt', async () => {
    expect(await code('notes.txt', new Uint8Array(readFileSync(process.execPath).subarray(0, 5000)))).toBe('binary_file')
    expect(
      await code(
        'notes.txt',
        Uint8Array.from({ length: 4000 }, (_, index) => (index * 37) % 256),
      ),
    ).toBe('binary_file')
    expect(await code('notes.txt', '%PDF-1.7\n%âãÏÓ')).toBe('binary_file')
    expect(await code('notes.csv', '{\\rtf1\\ansi hello}')).toBe('binary_file')
  })

  it.each([
    ['empty.csv', '', 'empty_file'],
    ['blank.txt', ' \n\n', 'empty_file'],
    ['head.csv', 'text,label\n', 'no_rows'],
    ['quote.csv', 'text,label\na,b\n"never closed,c\nd,e,f\n', 'table_unreadable'],
    ['bad.jsonl', '{"a":1}\n{"a":\n', 'json_unreadable'],
    ['bad.json', '{"a":1}', 'json_unreadable'],
    ['deep.json', `${'['.repeat(200_000)}"a"`, 'json_unreadable'],
    ['wide.csv', `${Array.from({ length: 201 }, (_, index) => `c${index}`).join(',')}\n`.repeat(2), 'too_many_columns'],
    ['plan.pdf', 'x', 'file_kind_not_read'],
    ['sheet.xlsx', 'x', 'file_kind_not_read'],
    ['thing.bin', 'x', 'file_kind_not_read'],
  ])('%s', async (name, text, expected) => {
    const refusal = await read(name, text)
    expect(isRefusal(refusal) ? refusal.code : refusal).toBe(expected)
    expect(isRefusal(refusal) && refusal.message.includes(name)).toBe(true)
  })

  it('more than 200 MB', async () => {
    expect(await code('huge.csv', new Uint8Array(200 * 1024 * 1024 + 1))).toBe('file_too_large')
  })
})

describe('the examples', () => {
  it('are read as they are', async () => {
    const bytes = (path: string) => new Uint8Array(readFileSync(new URL(`../../../examples/${path}`, import.meta.url)))
    expect((await table('clauses.csv', bytes('contracts/files/clauses.csv'))).columns).toEqual(['clause', 'label', 'contract'])
    const questions = await table('questions.csv', bytes('cardiology/files/questions.csv'))
    expect(questions.columns).toEqual(['question', 'answer'])
    expect([...questions.rows].filter((row) => !row.answer)).toHaveLength(90)
    expect((await table('sentensi.csv', bytes('swahili/files/sentensi.csv'))).rows).toHaveLength(800)
  })
})
