/**
 * Corpus: documents of named sources, read, cleaned and deduplicated, with a report of what was left out and why. Knows
 * nothing of tokens or models.
 */
import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { PassThrough, type Readable, Transform } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { Decompress } from 'fzstd'
import { z } from 'zod'

const Row = z.object({ text: z.string(), source: z.string().default(''), licence: z.string(), lang: z.string().default('und') })
const Pair = z.object({ prompt: z.string(), response: z.string(), source: z.string(), licence: z.string() })

/** `origin` is whose text it is: the repository and commit it was taken from, where the corpus says so. */
export type Document = { source: string; text: string; origin: string; licence: string; language: string }
export type Instruction = z.infer<typeof Pair>

/** What became of the documents of one source. Characters are UTF-16 units. */
export type SourceReport = {
  documents: number
  characters: number
  tooShort: number
  notProse: number
  duplicates: number
  repeatedParagraphs: number
  contaminated: number
  kept: number
  keptCharacters: number
  licences: Record<string, number>
  languages: Record<string, number>
}

const FORMS = ['.jsonl.zst', '.jsonl.gz', '.jsonl'] as const
const SHORTEST = 200
/** A document with fewer letters than this share of its characters is a table, a listing or noise. */
const LETTERS = 0.5
/** Paragraphs of at least this length are kept once in the whole corpus: licences, notices and forms come back in every book. */
const PARAGRAPH = 200

/** Path of a source's file. @throws {SourceMissingError} */
export function sourceFile(folder: string, source: string): string {
  const path = FORMS.map((form) => join(folder, source + form)).find(existsSync)
  if (!path) throw new SourceMissingError(folder, source)
  return path
}

/** Lines of a JSON Lines file, packed by zstd or gzip or not at all. */
export function linesOf(path: string): AsyncIterable<string> {
  const file = createReadStream(path, { highWaterMark: 1 << 20 })
  const plain: Readable = path.endsWith('.zst') ? file.pipe(unzstd()) : path.endsWith('.gz') ? file.pipe(createGunzip()) : file.pipe(new PassThrough())
  return createInterface({ input: plain, crlfDelay: Number.POSITIVE_INFINITY })
}

function unzstd(): Transform {
  const stream: Transform = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      try {
        decompress.push(chunk)
        done()
      } catch (error) {
        done(error as Error)
      }
    },
    flush(done) {
      try {
        decompress.push(new Uint8Array(0), true)
        done()
      } catch (error) {
        done(error as Error)
      }
    },
  })
  const decompress = new Decompress((piece) => {
    if (piece.length) stream.push(piece)
  })
  return stream
}

export async function* instructionsOf(folder: string, source: string): AsyncGenerator<Instruction> {
  for await (const line of linesOf(sourceFile(folder, source))) if (line.trim()) yield Pair.parse(JSON.parse(line))
}

/**
 * Reads sources in the order given. `contaminated` says whether a document overlaps with something it must not have.
 * Paragraphs and documents met before are dropped, so an earlier source keeps what a later one repeats.
 */
export async function readCorpus(
  folder: string,
  sources: readonly string[],
  options: { contaminated: (text: string) => boolean; tell: (line: string) => void },
): Promise<{ documents: Document[]; report: Record<string, SourceReport> }> {
  const documents: Document[] = []
  const report: Record<string, SourceReport> = {}
  const seen = new Set<string>()
  const paragraphs = new Set<string>()
  for (const source of sources) {
    const figures: SourceReport = {
      ...{ documents: 0, characters: 0, tooShort: 0, notProse: 0, duplicates: 0, repeatedParagraphs: 0, contaminated: 0, kept: 0, keptCharacters: 0 },
      ...{ licences: {}, languages: {} },
    }
    report[source] = figures
    for await (const line of linesOf(sourceFile(folder, source))) {
      if (!line.trim()) continue
      const row = Row.parse(JSON.parse(line))
      figures.documents++
      figures.characters += row.text.length
      const text = withoutRepeats(clean(row.text), paragraphs, figures)
      if (text.length < SHORTEST) figures.tooShort++
      else if (letterShare(text) < LETTERS) figures.notProse++
      else if (seen.size === seen.add(digest(text)).size) figures.duplicates++
      else if (options.contaminated(text)) figures.contaminated++
      else {
        figures.kept++
        figures.keptCharacters += text.length
        figures.licences[row.licence] = (figures.licences[row.licence] ?? 0) + text.length
        figures.languages[row.lang] = (figures.languages[row.lang] ?? 0) + text.length
        documents.push({ source, text, origin: row.source, licence: row.licence, language: row.lang })
      }
    }
    options.tell(`${source}: ${figures.kept} of ${figures.documents} documents, ${(figures.keptCharacters / 1e6).toFixed(1)} M characters`)
  }
  return { documents, report }
}

/** One form of each character (Unicode NFC), no control characters, no more than one empty line in a row. */
export function clean(text: string): string {
  return (
    text
      .normalize('NFC')
      .replace(/\r\n?/g, '\n')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is to go
      .replace(/[\u0000-\u0008\u000b-\u001f\u007f\ufeff\ufffd]/g, '')
      .replace(/[ \t]+\n/g, '\n')
      .replace(/\n{3,}/g, '\n\n')
      .trim()
  )
}

function withoutRepeats(text: string, paragraphs: Set<string>, figures: SourceReport): string {
  const kept: string[] = []
  for (const paragraph of text.split('\n\n')) {
    if (paragraph.length >= PARAGRAPH) {
      const size = paragraphs.size
      paragraphs.add(digest(paragraph))
      if (paragraphs.size === size) {
        figures.repeatedParagraphs++
        continue
      }
    }
    kept.push(paragraph)
  }
  return kept.join('\n\n')
}

function letterShare(text: string): number {
  return text.replace(/[^\p{L}\p{M}]+/gu, '').length / text.length
}

/** 96 bits of a text's SHA-256. */
export function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64').slice(0, 16)
}

/** A source named in the configuration has no file in the corpus folder. */
export class SourceMissingError extends Error {
  override readonly name = 'Corpus.SourceMissingError'
  constructor(folder: string, source: string) {
    super(`The corpus folder "${folder}" has no ${FORMS.map((form) => source + form).join(', ')}: take "${source}" out of the configuration or add the file.`)
  }
}
