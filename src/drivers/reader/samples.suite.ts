/**
 * Small documents made by hand, for the tests and the bench: PDF, DOCX, XLSX, ODS, HTML, and archives honest and otherwise.
 * Knows nothing of the readers.
 */
import { crc32, deflateRawSync } from 'node:zlib'

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

/** `claim` is the size the headers state instead of the true one; `locked` sets the flag of an encrypted file. */
export type Packed = { path: string; bytes: Uint8Array | string; deflate?: boolean; claim?: number; locked?: boolean }

/** A ZIP archive (APPNOTE 6.3), with whatever its headers shall claim. */
export function archiveOf(files: readonly Packed[]): Uint8Array {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const file of files) {
    const bytes = typeof file.bytes === 'string' ? bytesOf(file.bytes) : file.bytes
    const data = file.deflate ? deflateRawSync(bytes, { level: 9 }) : Buffer.from(bytes)
    const name = Buffer.from(file.path)
    const fields = Buffer.alloc(26)
    fields.writeUInt16LE(20, 0)
    fields.writeUInt16LE(0x800 | (file.locked ? 1 : 0), 2)
    fields.writeUInt16LE(file.deflate ? 8 : 0, 4)
    fields.writeUInt32LE(crc32(bytes), 10)
    fields.writeUInt32LE(data.length, 14)
    fields.writeUInt32LE(file.claim ?? bytes.length, 18)
    fields.writeUInt16LE(name.length, 22)
    const rest = Buffer.alloc(14)
    rest.writeUInt32LE(offset, 10)
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), fields, rest, name]))
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), fields, name, data])
    parts.push(local)
    offset += local.length
  }
  const list = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(files.length, 8)
  end.writeUInt16LE(files.length, 10)
  end.writeUInt32LE(list.length, 12)
  end.writeUInt32LE(offset, 16)
  return new Uint8Array(Buffer.concat([...parts, list, end]))
}

export type Word = { text: string; x: number; y: number; size?: number; bold?: boolean }

/** A PDF of pages of words at places; y grows upwards. `encrypt` makes one that only a password opens. */
export function pdfOf(pages: readonly (readonly Word[])[], encrypt = false): Uint8Array {
  const objects: string[] = []
  const add = (body: string): number => objects.push(body)
  add('<< /Type /Catalog /Pages 2 0 R >>')
  add('')
  add('<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>')
  add('<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>')
  const kids = pages.map((words) => {
    const shown = words.map(
      ({ text, x, y, size = 10, bold = false }) => `BT /${bold ? 'F2' : 'F1'} ${size} Tf ${x} ${y} Td (${text.replace(/[\\()]/g, '\\$&')}) Tj ET`,
    )
    const stream = shown.join('\n')
    const content = add(`<< /Length ${stream.length} >>\nstream\n${stream}\nendstream`)
    return add(`<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> /Contents ${content} 0 R >>`)
  })
  objects[1] = `<< /Type /Pages /Count ${kids.length} /Kids [${kids.map((kid) => `${kid} 0 R`).join(' ')}] >>`
  const secret = 'ab'.repeat(32)
  const lock = encrypt ? add(`<< /Filter /Standard /V 1 /R 2 /P -4 /O <${secret}> /U <${secret}> >>`) : 0
  const parts = ['%PDF-1.4\n']
  let offset = parts[0]!.length
  const places = objects.map((body, index) => {
    const at = offset
    const part = `${index + 1} 0 obj\n${body}\nendobj\n`
    parts.push(part)
    offset += part.length
    return at
  })
  const table = places.map((place) => `${String(place).padStart(10, '0')} 00000 n \n`).join('')
  const trailer = `<< /Size ${objects.length + 1} /Root 1 0 R ${lock ? `/Encrypt ${lock} 0 R /ID [<00112233> <00112233>]` : ''} >>`
  parts.push(`xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${table}trailer\n${trailer}\nstartxref\n${offset}\n%%EOF\n`)
  return new Uint8Array(Buffer.from(parts.join(''), 'latin1'))
}

/** A PDF page of prose: a running header, a heading, paragraphs of a few lines, a page number. */
export function prosePage(number: number, sentence: (index: number) => string): Word[] {
  const words: Word[] = [{ text: 'The handbook of everything', x: 200, y: 810, size: 8 }]
  words.push({ text: `Chapter ${number}`, x: 60, y: 770, size: 16 })
  let y = 740
  for (let paragraph = 0; paragraph < 8; paragraph++) {
    for (let line = 0; line < 4; line++) {
      words.push({ text: sentence(number * 100 + paragraph * 10 + line), x: 60, y })
      y -= 13
    }
    y -= 12
  }
  words.push({ text: String(number), x: 290, y: 30, size: 8 })
  return words
}

const XML = '<?xml version="1.0" encoding="UTF-8"?>'
const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

/** A DOCX whose body is the given WordprocessingML; `extra` adds parts. */
export function docxOf(body: string, extra: readonly Packed[] = [], prolog = ''): Uint8Array {
  const word = 'http://schemas.openxmlformats.org/wordprocessingml/2006/main'
  const office = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships'
  const relations = 'http://schemas.openxmlformats.org/package/2006/relationships'
  const style = (id: string, name: string) => `<w:style w:type="paragraph" w:styleId="${id}"><w:name w:val="${name}"/></w:style>`
  return archiveOf([
    {
      path: '[Content_Types].xml',
      bytes: `${XML}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>`,
    },
    {
      path: '_rels/.rels',
      bytes: `${XML}<Relationships xmlns="${relations}"><Relationship Id="r1" Type="${office}/officeDocument" Target="word/document.xml"/></Relationships>`,
    },
    {
      path: 'word/_rels/document.xml.rels',
      bytes: `${XML}<Relationships xmlns="${relations}"><Relationship Id="r1" Type="${office}/styles" Target="styles.xml"/></Relationships>`,
    },
    { path: 'word/styles.xml', bytes: `${XML}<w:styles xmlns:w="${word}">${style('T', 'Title')}${style('H', 'heading 1')}</w:styles>` },
    { path: 'word/document.xml', deflate: true, bytes: `${XML}${prolog}<w:document xmlns:w="${word}"><w:body>${body}</w:body></w:document>` },
    ...extra,
  ])
}

export const paragraph = (text: string, style = ''): string =>
  `<w:p>${style ? `<w:pPr><w:pStyle w:val="${style}"/></w:pPr>` : ''}<w:r><w:t>${escaped(text)}</w:t></w:r></w:p>`
export const wordTable = (rows: readonly (readonly string[])[]): string =>
  `<w:tbl>${rows.map((row) => `<w:tr>${row.map((cell) => `<w:tc>${paragraph(cell)}</w:tc>`).join('')}</w:tr>`).join('')}</w:tbl>`

/** A cell of SpreadsheetML is given as it stands in the sheet; plain strings become inline ones. Style 1 is a date. */
export type Cell = string | number | { xml: string }

const letters = (column: number): string => (column >= 26 ? letters(Math.floor(column / 26) - 1) : '') + String.fromCharCode(65 + (column % 26))

export function xlsxOf(sheets: readonly { name: string; rows: readonly (readonly Cell[])[] }[], extra: readonly Packed[] = []): Uint8Array {
  const main = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main'
  const office = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships'
  const cell = (value: Cell, row: number, column: number): string => {
    const place = `r="${letters(column)}${row + 1}"`
    if (typeof value === 'number') return `<c ${place}><v>${value}</v></c>`
    if (typeof value === 'object') return value.xml.replace('<c', `<c ${place}`)
    return value === '' ? '' : `<c ${place} t="inlineStr"><is><t>${escaped(value)}</t></is></c>`
  }
  return archiveOf([
    { path: '[Content_Types].xml', bytes: `${XML}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>` },
    {
      path: 'xl/workbook.xml',
      bytes: `${XML}<workbook xmlns="${main}" xmlns:r="${office}"><sheets>${sheets.map((sheet, index) => `<sheet name="${sheet.name}" sheetId="${index + 1}" r:id="r${index + 1}"/>`).join('')}</sheets></workbook>`,
    },
    {
      path: 'xl/_rels/workbook.xml.rels',
      bytes: `${XML}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">${sheets.map((_, index) => `<Relationship Id="r${index + 1}" Type="${office}/worksheet" Target="worksheets/sheet${index + 1}.xml"/>`).join('')}</Relationships>`,
    },
    { path: 'xl/styles.xml', bytes: `${XML}<styleSheet xmlns="${main}"><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>` },
    { path: 'xl/sharedStrings.xml', bytes: `${XML}<sst xmlns="${main}"><si><t>shared one</t></si><si><r><t>rich </t></r><r><t>two</t></r></si></sst>` },
    ...sheets.map((sheet, index) => ({
      path: `xl/worksheets/sheet${index + 1}.xml`,
      deflate: true,
      bytes: `${XML}<worksheet xmlns="${main}"><sheetData>${sheet.rows.map((row, y) => `<row r="${y + 1}">${row.map((value, x) => cell(value, y, x)).join('')}</row>`).join('')}</sheetData></worksheet>`,
    })),
    ...extra,
  ])
}

/** An ODS with one sheet whose rows are given as OpenDocument XML. */
export function odsOf(rows: string, manifest = ''): Uint8Array {
  const space = (name: string) => `urn:oasis:names:tc:opendocument:xmlns:${name}:1.0`
  return archiveOf([
    { path: 'mimetype', bytes: 'application/vnd.oasis.opendocument.spreadsheet' },
    {
      path: 'content.xml',
      deflate: true,
      bytes: `${XML}<office:document-content xmlns:office="${space('office')}" xmlns:table="${space('table')}" xmlns:text="${space('text')}"><office:body><office:spreadsheet><table:table table:name="One">${rows}</table:table></office:spreadsheet></office:body></office:document-content>`,
    },
    { path: 'META-INF/manifest.xml', bytes: `${XML}<manifest:manifest xmlns:manifest="${space('manifest')}">${manifest}</manifest:manifest>` },
  ])
}

export const odsRow = (cells: readonly string[], repeated = 1): string =>
  `<table:table-row table:number-rows-repeated="${repeated}">${cells.map((cell) => (cell ? `<table:table-cell office:value-type="string"><text:p>${escaped(cell)}</text:p></table:table-cell>` : '<table:table-cell/>')).join('')}<table:table-cell table:number-columns-repeated="16000"/></table:table-row>`
