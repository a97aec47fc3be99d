import { readFileSync } from 'node:fs'
import { deflateSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { isRefusal } from '../../core/errors.ts'
import { readerSuite } from '../../ports/reader.suite.ts'
import { passagesOf } from '../../steps/passages.ts'
import { anyFiles } from './any-files.ts'
import { readDocument } from './documents.ts'
import { archiveOf, bytesOf, docxOf, odsOf, odsRow, paragraph, pdfOf, prosePage, wordTable, xlsxOf } from './samples.suite.ts'

readerSuite('any files', anyFiles)

const reader = anyFiles()
const read = (name: string, bytes: Uint8Array | string) => reader.read({ name, bytes: typeof bytes === 'string' ? bytesOf(bytes) : bytes })
const contents = async (name: string, bytes: Uint8Array | string) => {
  const found = await read(name, bytes)
  if (isRefusal(found)) throw new Error(`${found.code}: ${found.message}`)
  return found
}
const text = async (name: string, bytes: Uint8Array | string) => {
  const [content] = await contents(name, bytes)
  if (content?.kind !== 'text') throw new Error('not a text')
  return content
}
const tables = async (name: string, bytes: Uint8Array | string) =>
  (await contents(name, bytes)).map((content) => {
    if (content.kind !== 'table') throw new Error('not a table')
    return content
  })
const refusal = async (name: string, bytes: Uint8Array | string) => {
  const found = await read(name, bytes)
  if (!isRefusal(found)) throw new Error(`read: ${JSON.stringify(found).slice(0, 300)}`)
  expect(found.message).toContain(name)
  expect(found.hint.length).toBeGreaterThan(20)
  return found
}

const rows = (count: number) => Array.from({ length: count }, (_, index) => [`text number ${index}`, index % 2 ? 'good' : 'bad'])
const sentence = (index: number): string => `Item ${index} of the handbook says that thing ${index * 7} should be looked after with care`

describe('PDF', () => {
  it('gives headings, whole paragraphs and the page of every passage, without running headers and page numbers', async () => {
    const pages = [1, 2, 3, 4].map((number) => prosePage(number, sentence))
    const content = await text('handbook.pdf', pdfOf(pages))
    expect(content.text.split('\f')).toHaveLength(5)
    expect(content.text).toMatch(/^# Chapter 1\n\nItem 100 of .* care Item 101 of .* care Item 103 of [^\n]*care\n\nItem 110/)
    expect(content.text).not.toContain('The handbook of everything')
    expect(content.text).not.toMatch(/^\d$/m)
    const { passages } = passagesOf([content], 'en')
    expect(passages.find((passage) => passage.sentences.join(' ').includes('Item 312 of'))?.source).toEqual({
      file: 'handbook.pdf',
      page: 3,
      heading: 'Chapter 3',
    })
    expect(new Set(passages.map((passage) => passage.source.page))).toEqual(new Set([1, 2, 3, 4]))
  })

  it('joins what a line or a page parts', async () => {
    const first = [
      { text: 'The doctor looked at the electro-', x: 60, y: 100 },
      { text: 'cardiogram and then', x: 60, y: 87 },
    ]
    const second = [
      { text: 'went home.', x: 60, y: 780 },
      { text: 'A new paragraph begins here.', x: 60, y: 740 },
    ]
    expect((await text('a.pdf', pdfOf([first, second]))).text).toBe(
      'The doctor looked at the electrocardiogram and then went home.\n\f\nA new paragraph begins here.\n\f',
    )
  })

  it('keeps the words of pages that are alike when there are no others', async () => {
    const page = [{ text: 'Keep calm and read on', x: 60, y: 400 }]
    expect((await text('same.pdf', pdfOf([page, page]))).text).toContain('Keep calm')
  })

  it('reads aligned columns as a table', async () => {
    const cells = [
      ['Drug', 'Dose', 'Times'],
      ['Aspirin', '75 mg', 'daily'],
      ['Ramipril', '2.5 mg', 'twice'],
    ]
    const words = cells.flatMap((row, y) => row.map((cell, x) => ({ text: cell, x: 60 + 150 * x, y: 700 - 14 * y })))
    expect((await text('t.pdf', pdfOf([words]))).text).toContain('| Drug | Dose | Times |\n| Aspirin | 75 mg | daily |\n| Ramipril | 2.5 mg | twice |')
  })

  it('says which pages hold no text, and refuses when none does', async () => {
    const page = prosePage(1, sentence)
    expect((await text('part.pdf', pdfOf([page, [], page, [], []]))).note).toMatch(/no text on pages 2, 4-5:.*OCR/)
    const none = await refusal('scan.pdf', pdfOf([[], [], []]))
    expect(none).toMatchObject({ code: 'pdf_without_text', message: expect.stringContaining('pages 1-3'), hint: expect.stringContaining('OCR') })
  })

  it('refuses what is locked or damaged, saying so', async () => {
    expect((await refusal('secret.pdf', pdfOf([prosePage(1, sentence)], true))).code).toBe('pdf_locked')
    expect((await refusal('cut.pdf', '%PDF-1.7\nnothing more')).code).toBe('document_damaged')
  })
})

describe('Word', () => {
  const body =
    paragraph('The guide', 'T') +
    paragraph('Dosage', 'H') +
    paragraph('Take it & rest.') +
    wordTable([
      ['a', 'b'],
      ['c', 'd'],
    ])
  it('gives headings, paragraphs and tables', async () => {
    const content = await text('guide.docx', docxOf(body))
    expect(content.text).toBe('# The guide\n\n# Dosage\n\nTake it & rest.\n\n| a | b |\n| --- | --- |\n| c | d |\n')
    expect(passagesOf([content], 'en').passages[0]).toMatchObject({ title: 'The guide', heading: 'Dosage', sentences: ['Take it & rest.', 'a, b', 'c, d'] })
  })

  it('ignores macros and says so', async () => {
    expect((await text('m.docm', docxOf(body, [{ path: 'word/vbaProject.bin', bytes: 'Sub AutoOpen()' }]))).note).toContain('macros were not run')
  })

  it('refuses entities, endless nesting and nothing', async () => {
    const entity = docxOf(paragraph('&e;'), [], '<!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/passwd">]>').slice()
    expect((await refusal('x.docx', entity)).code).toBe('xml_declares_entities')
    expect((await refusal('deep.docx', docxOf(`${'<w:sdt>'.repeat(20_000)}${'</w:sdt>'.repeat(20_000)}`))).message).toContain('more than 256 levels')
    expect((await refusal('blank.docx', docxOf('<w:p/>'))).code).toBe('empty_file')
    expect((await refusal('torn.docx', docxOf('<w:p>'))).code).toBe('document_damaged')
  })
})

describe('spreadsheets', () => {
  it('makes every sheet with rows a table, formulas their values, dates ISO', async () => {
    const found = await tables(
      'book.xlsx',
      xlsxOf([
        {
          name: 'Cases',
          rows: [
            ['text', 'label', 'sum', 'day'],
            ...rows(3).map((row) => [...row, { xml: '<c><f>1+1</f><v>2</v></c>' }, { xml: '<c s="1"><v>45000</v></c>' }]),
          ],
        },
        { name: 'Empty', rows: [] },
        {
          name: 'More',
          rows: [
            ['q', 'a'],
            [{ xml: '<c t="s"><v>0</v></c>' }, { xml: '<c t="s"><v>1</v></c>' }],
            ['x', { xml: '<c><f>A1</f></c>' }],
          ],
        },
      ]),
    )
    expect(found.map((table) => table.name)).toEqual(['book.xlsx#Cases', 'book.xlsx#More'])
    expect(found[0]).toMatchObject({ columns: ['text', 'label', 'sum', 'day'], note: '1 sheet without rows left out' })
    expect([...found[0]!.rows][1]).toEqual({ text: 'text number 1', label: 'good', sum: '2', day: '2023-03-15' })
    expect(found[1]!.rows).toEqual([
      { q: 'shared one', a: 'rich two' },
      { q: 'x', a: '' },
    ])
    expect(found[1]!.note).toContain('1 formulas hold no value')
  })

  it('leaves out a title above the table and empty columns', async () => {
    const [table] = await tables('t.xlsx', xlsxOf([{ name: 'S', rows: [['Cases of 2024'], [], ['', 'text', 'label'], ...rows(4).map((row) => ['', ...row])] }]))
    expect(table).toMatchObject({ name: 't.xlsx', columns: ['text', 'label'], note: '1 line above the table left out' })
  })

  it('refuses more than 200 columns, however far out', async () => {
    const wide = await refusal('wide.xlsx', xlsxOf([{ name: 'S', rows: [Array.from({ length: 201 }, (_, index) => `c${index}`), ['a']] }]))
    expect(wide).toMatchObject({ code: 'too_many_columns', message: expect.stringContaining('201 columns') })
    // Formatting far out is no column.
    const far = xlsxOf([{ name: 'S', rows: [['a', 'b'], ...rows(2), [...Array.from({ length: 300 }, () => ''), { xml: '<c s="1"></c>' }]] }])
    expect((await tables('far.xlsx', far))[0]!.columns).toEqual(['a', 'b'])
  })

  it('reads OpenDocument, repeated cells and all, and says when it is locked', async () => {
    const body =
      odsRow(['text', 'label']) +
      rows(3)
        .map((row) => odsRow(row))
        .join('') +
      odsRow(['same', 'good'], 2) +
      odsRow([], 1_000_000)
    const [table] = await tables('t.ods', odsOf(body))
    expect(table).toMatchObject({ name: 't.ods', columns: ['text', 'label'] })
    expect(table!.rows).toHaveLength(5)
    expect((await refusal('t.ods', odsOf(body, '<manifest:encryption-data/>'))).code).toBe('document_locked')
  })
})

describe('web pages', () => {
  it('keeps headings, paragraphs, lists and tables, and runs nothing', async () => {
    const page = `<!doctype html><html><head><title>T</title><script>document.write("no")</script></head><body><nav>Menu</nav><h1>Heart</h1>
      <p>It <b>beats</b>.<br>Always.</p><ul><li>one</li><li>two</li></ul><table><tr><th>a</th><th>b</th></tr><tr><td>c</td><td>d</td></tr></table></body></html>`
    expect((await text('p.html', page)).text).toBe('# Heart\n\nIt beats. Always.\n\n- one\n- two\n\n| a | b |\n| --- | --- |\n| c | d |\n')
    expect((await refusal('app.html', '<html><body><script>render()</script></body></html>')).message).toContain('scripts')
  })

  it('believes the encoding a page declares', async () => {
    const page = Buffer.from('<html><head><meta charset="iso-8859-2"></head><body><p>\xb1\xea\xb6</p></body></html>', 'latin1')
    expect((await text('p.htm', page)).text).toBe('ąęś\n')
  })

  it('reads what is nested carelessly and refuses what is nested without end', async () => {
    expect((await text('deep.html', `<html><body>${'<div>'.repeat(1000)}words`)).text).toBe('words\n')
    expect((await refusal('deeper.html', `<html><body>${'<div>'.repeat(1_000_000)}words`)).code).toBe('nested_too_deeply')
  })
})

describe('archives', () => {
  it('keeps folders as names, reads what is inside by its kind, and leaves out what systems add', async () => {
    const inner = archiveOf([{ path: 'pages/one.md', bytes: '# One\n\nWords.' }])
    const found = await contents(
      'all.zip',
      archiveOf([
        { path: 'folder/', bytes: '' },
        { path: 'folder/t.csv', bytes: 'text,label\na,b\nc,d\n', deflate: true },
        { path: 'folder/inner.zip', bytes: inner },
        { path: 'doc.docx', bytes: docxOf(paragraph('Hello there.')) },
        { path: '__MACOSX/._t.csv', bytes: '\0\0' },
        { path: '.DS_Store', bytes: '\0\0' },
      ]),
    )
    expect(found.map((content) => [content.name, content.kind])).toEqual([
      ['all.zip/doc.docx', 'text'],
      ['all.zip/folder/inner.zip/pages/one.md', 'text'],
      ['all.zip/folder/t.csv', 'table'],
    ])
  })

  it('reads what is packed by gzip, by the name and the kind of what is in it', async () => {
    const rows = '{"text":"a","label":"b"}\n{"text":"c","label":"d"}\n'
    expect(await contents('train.jsonl.gz', gzipSync(rows))).toMatchObject([
      { kind: 'table', name: 'train.jsonl.gz/train.jsonl', columns: ['text', 'label'], rows: [{ text: 'a' }, { text: 'c' }] },
    ])
    expect(await contents('notes.md', gzipSync('# One\n\nWords.'))).toMatchObject([{ kind: 'text', name: 'notes.md/notes.md' }])
    expect(await contents('two.txt.gz', Buffer.concat([gzipSync('one '), gzipSync('two')]))).toMatchObject([{ text: expect.stringContaining('one two') }])
    expect((await refusal('a.tar.gz', gzipSync('x'))).code).toBe('file_kind_not_read')
  })

  it('gives all files or none: one bad file is named', async () => {
    const found = await refusal(
      'all.zip',
      archiveOf([
        { path: 'a.md', bytes: 'fine' },
        { path: 'b.pdf', bytes: '%PDF-1.4 torn' },
      ]),
    )
    expect(found.message).toContain('all.zip/b.pdf')
  })

  const zeros = new Uint8Array(60 * 1024 * 1024)
  it.each<[string, string, () => Uint8Array]>([
    ['a bomb that says what it is', 'archive_bomb', () => archiveOf([{ path: 'a.txt', bytes: zeros, deflate: true }])],
    ['a bomb before unpacking it', 'archive_bomb', () => archiveOf([{ path: 'a.txt', bytes: 'x', deflate: true, claim: 100 << 20 }])],
    ['a bomb that lies', 'archive_damaged', () => archiveOf([{ path: 'a.txt', bytes: zeros, deflate: true, claim: 1000 }])],
    ['a claim of 4 GB', 'archive_too_large', () => archiveOf([{ path: 'a.txt', bytes: 'x', deflate: true, claim: 0xfffffffe }])],
    ['a path out of it', 'archive_path', () => archiveOf([{ path: '../../etc/passwd', bytes: 'x' }])],
    ['an absolute path', 'archive_path', () => archiveOf([{ path: '/etc/passwd', bytes: 'x' }])],
    ['a password', 'archive_locked', () => archiveOf([{ path: 'a.txt', bytes: 'x', deflate: true, locked: true }])],
    ['too many files', 'archive_too_many_files', () => archiveOf(Array.from({ length: 5001 }, (_, index) => ({ path: `${index}`, bytes: 'x' })))],
    ['nothing', 'empty_file', () => archiveOf([])],
    [
      'archives in archives',
      'archive_too_deep',
      () => [1, 2, 3, 4].reduce((inner) => archiveOf([{ path: 'i.zip', bytes: inner }]), archiveOf([{ path: 'a.md', bytes: 'x' }])),
    ],
    ['a torn end', 'archive_damaged', () => archiveOf([{ path: 'a.txt', bytes: 'words' }]).subarray(0, 60)],
    ['a gzip bomb', 'archive_bomb', () => gzipSync(zeros)],
    ['gzip in gzip in gzip in gzip', 'archive_too_deep', () => [1, 2, 3].reduce((inner) => gzipSync(inner), gzipSync('words'))],
    ['torn gzip', 'archive_damaged', () => gzipSync('words '.repeat(100)).subarray(0, 30)],
  ])('refuses %s', async (_, code, make) => {
    expect((await refusal('a.zip', make())).code).toBe(code)
  })

  it('counts what archives inside unpack to, all together', async () => {
    const inner = archiveOf([{ path: 'a.md', bytes: 'words '.repeat(1000), deflate: true }])
    const outer = (count: number) => archiveOf(Array.from({ length: count }, (_, index) => ({ path: `${index}.zip`, bytes: inner })))
    const budget = () => ({ bytes: 2 * (6000 + inner.length) + 1000 })
    expect(isRefusal(await readDocument({ name: 'two.zip', bytes: outer(2) }, budget()))).toBe(false)
    expect(await readDocument({ name: 'three.zip', bytes: outer(3) }, budget())).toMatchObject({ code: 'archive_too_large' })
  })
})

describe('content, not the name, decides', () => {
  it.each<[string, () => Uint8Array | string, string, string]>([
    ['notes.txt', () => pdfOf([prosePage(1, sentence)]), 'text', 'is a PDF'],
    ['list.csv', () => xlsxOf([{ name: 'S', rows: [['a', 'b'], ...rows(3)] }]), 'table', 'is a spreadsheet'],
    ['old.xls', () => '<html><body><p>words</p></body></html>', 'text', 'is a web page'],
    ['plan.pdf', () => 'Only words here.', 'text', 'plain text'],
    ['sheet.xlsx', () => 'a;b\n1;2\n3;4\n', 'table', 'text table'],
  ])('%s', async (name, make, kind, note) => {
    const [content] = await contents(name, make())
    expect(content).toMatchObject({ kind, note: expect.stringContaining(note) })
  })

  it.each<[string, () => Uint8Array | string, string]>([
    ['old.doc', () => Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]), 'file_kind_not_read'],
    ['locked.docx', () => Buffer.concat([Buffer.from([0xd0, 0xcf, 0x11, 0xe0]), Buffer.from('EncryptedPackage', 'utf16le')]), 'document_locked'],
    [
      'slides.pptx',
      () =>
        archiveOf([
          { path: '[Content_Types].xml', bytes: '<a/>' },
          { path: 'ppt/presentation.xml', bytes: '<a/>' },
        ]),
      'file_kind_not_read',
    ],
    ['data.xml', () => '<?xml version="1.0"?><a>words</a>', 'file_kind_not_read'],
    ['empty.pdf', () => '', 'empty_file'],
    ['photo.bin', () => readFileSync(process.execPath).subarray(0, 4000), 'binary_file'],
  ])('%s is refused', async (name, make, code) => {
    expect((await refusal(name, make())).code).toBe(code)
  })
})

describe('limits of the process', () => {
  it.skipIf(process.platform !== 'linux')('starts another process when the last one went', async () => {
    const steady = anyFiles()
    const children = () => readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8').trim().split(' ').map(Number)
    const before = new Set(children())
    const page = pdfOf([prosePage(1, sentence)])
    expect(isRefusal(await steady.read({ name: 'a.pdf', bytes: page }))).toBe(false)
    const [started] = children().filter((id) => !before.has(id))
    process.kill(started!, 'SIGKILL')
    expect(await steady.read({ name: 'b.pdf', bytes: page })).toMatchObject([{ kind: 'text', name: 'b.pdf' }])
  })

  it('ends a file that takes too long, and reads the next', async () => {
    const hasty = anyFiles({ seconds: 0.001 })
    expect(await hasty.read({ name: 'slow.pdf', bytes: pdfOf([prosePage(1, sentence)]) })).toMatchObject({ code: 'document_too_slow' })
  })

  it('ends a file that takes too much memory, and reads the next', async () => {
    const lean = anyFiles({ megabytes: 500 })
    const stream = deflateSync(Buffer.alloc(600 << 20, ' ')).toString('latin1')
    const plain = Buffer.from(pdfOf([[{ text: 'x', x: 1, y: 1 }]])).toString('latin1')
    const packed = () => `<< /Length ${stream.length} /Filter /FlateDecode >>\nstream\n${stream}\nendstream`
    const bomb = Buffer.from(plain.replace(/<< \/Length \d+ >>\nstream[\s\S]*?endstream/, packed), 'latin1')
    expect(await lean.read({ name: 'big.pdf', bytes: bomb })).toMatchObject({ code: 'document_too_heavy', message: expect.stringContaining('500 MB') })
    expect(await lean.read({ name: 'small.pdf', bytes: pdfOf([prosePage(1, sentence)]) })).toMatchObject([{ kind: 'text' }])
  })
})
