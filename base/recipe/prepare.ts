/**
 * Prepare: corpus and tasks -> the work folder that pre-training reads: `tokenizer.json`, `train.bin`, `validation.bin`,
 * `instruct.bin` and `instruct.mask`, each with its figures. Each file is written whole or not at all; `prepared.json`
 * comes last, and where it is, nothing is made again. Knows nothing of models.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { BaseConfig } from './config.ts'
import { contamination } from './contamination.ts'
import { clean, type Document, digest, instructionsOf, linesOf, readCorpus, type SourceReport } from './corpus.ts'
import { countWords, END, END_OF_TEXT, type Encoder, encoder, learnTokenizer, START, type TokenizerFile } from './tokenizer.ts'

export type PrepareConfig = Pick<BaseConfig, 'seed' | 'tokens' | 'shape' | 'tokenizer' | 'corpus'>

export type PrepareOptions = { corpus: string; tasks: string; work: string; tell: (line: string) => void }

export type Validation = {
  bytes: number
  tokens: number
  sources: Record<string, { bytes: number; tokens: number; from: number; to: number; language: string }>
}

export type Prepared = {
  corpus: Record<string, SourceReport>
  tokenizer: { sampleBytes: number; words: number; merges: number; bytesPerToken: Record<string, number> }
  training: { tokens: number; documents: number; bytes: number; sources: Record<string, number> }
  validation: Validation
  instructions: { pairs: number; tokens: number; learned: number; contaminated: number; sources: Record<string, number> }
  contamination: { tasks: Record<string, number>; stretches: number }
}

/** Longest piece of one document that is held out; the rest of it is read by nobody. */
const HELD_OUT_CHARACTERS = 20_000
/** Tokens in `train.bin` at most: about twice what the whole corpus has, so that weights below one half still reach every document. */
const MOST_TOKENS = 200_000_000
/** Held-out characters a source has at least, if it has so many. */
const LEAST_HELD_OUT = 12_000

/** Makes the work folder. @throws {SourceMissingError} when a source of the configuration is not in the corpus folder. */
export async function prepare(config: PrepareConfig, { corpus, tasks, work, tell }: PrepareOptions): Promise<Prepared> {
  mkdirSync(work, { recursive: true })
  const done = join(work, 'prepared.json')
  if (existsSync(done)) return JSON.parse(readFileSync(done, 'utf8')) as Prepared
  const keepOut = contamination()
  const taskTexts = await readTasks(tasks, keepOut, tell)
  const { validationOnly = [] } = config.corpus
  const names = [...Object.keys(config.corpus.sources), ...validationOnly]
  const { documents, report } = await readCorpus(corpus, names, { contaminated: keepOut.found, tell })
  const { training, heldOut } = split(documents, config.corpus.validationBytes)
  writeWhole(
    join(work, 'held-out.jsonl.gz'),
    gzipSync(heldOut.map(({ source, origin, language, licence, text }) => `${JSON.stringify({ source, origin, language, licence, text })}\n`).join(''), {
      level: 9,
    }),
  )
  const learned = training.filter(({ source }) => !validationOnly.includes(source))
  tell(`held out ${heldOut.length} documents; ${training.length} left to learn from`)
  const { file, figures } = tokenizerOf(weighted(learned, config), config, work)
  const encode = encoder(file)
  tell(`tokenizer: ${file.model.merges.length} pairs from ${figures.words} words`)
  const validation = writeValidation(heldOut, encode, work)
  tell(`validation: ${validation.tokens} tokens, ${(validation.bytes / validation.tokens).toFixed(2)} bytes a token`)
  const written = writeTraining(weighted(learned, config), encode, config, work)
  tell(`training: ${written.tokens} tokens of ${written.documents} documents, ${(written.bytes / written.tokens).toFixed(2)} bytes a token`)
  const instructions = await writeInstructions(config, corpus, keepOut.found, encode, work)
  tell(`instructions: ${instructions.pairs} pairs, ${instructions.tokens} tokens, ${instructions.contaminated} left out because they are in a task`)
  const bytesPerToken = Object.fromEntries([
    ...Object.entries(validation.sources).map(([source, { bytes, tokens }]) => [source, bytes / tokens]),
    ...Object.entries(taskTexts).map(([task, texts]) => [task, rate(texts, encode)]),
  ])
  const prepared: Prepared = {
    corpus: report,
    tokenizer: { ...figures, bytesPerToken },
    training: written,
    validation,
    instructions,
    contamination: { tasks: Object.fromEntries(Object.entries(taskTexts).map(([task, texts]) => [task, texts.length])), stretches: keepOut.stretches },
  }
  writeWhole(done, `${JSON.stringify(prepared, null, 1)}\n`)
  return prepared
}

/** Reads every text of every row of every task, and returns a sample of each task for the tokenizer's figures. */
async function readTasks(folder: string, keepOut: { add(text: string): void }, tell: (line: string) => void): Promise<Record<string, string[]>> {
  const samples: Record<string, string[]> = {}
  for (const task of readdirSync(folder).sort()) {
    const files = safeList(join(folder, task)).filter((name) => /^(train|validation|test)\.jsonl(\.gz|\.zst)?$/.test(name))
    let rows = 0
    for (const name of files.sort())
      for await (const line of linesOf(join(folder, task, name))) {
        if (!line.trim()) continue
        const texts = stringsOf(JSON.parse(line))
        for (const text of texts) keepOut.add(text)
        if (rows++ < 300) samples[task] = [...(samples[task] ?? []), ...texts.slice(0, 1)]
      }
    if (rows) tell(`task ${task}: ${rows} rows to keep out`)
  }
  return samples
}

function safeList(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** The texts of a row, longest first; lists of words are one text. */
function stringsOf(row: unknown): string[] {
  if (typeof row !== 'object' || row === null) return []
  const texts = Object.values(row).flatMap((value) =>
    typeof value === 'string' ? [value] : Array.isArray(value) && value.every((item) => typeof item === 'string') ? [value.join(' ')] : [],
  )
  return texts.sort((a, b) => b.length - a.length)
}

/** Documents in an order that depends on their contents alone; each source gives its share of the validation bytes, the first documents first. */
function split(documents: readonly Document[], validationBytes: number): { training: Document[]; heldOut: Document[] } {
  const ordered = documents.map((document) => ({ document, key: digest(document.text) })).sort((a, b) => (a.key < b.key ? -1 : 1))
  const characters = new Map<string, number>()
  for (const { source, text } of documents) characters.set(source, (characters.get(source) ?? 0) + text.length)
  const all = documents.reduce((total, { text }) => total + text.length, 0)
  const wanted = new Map([...characters].map(([source, own]) => [source, Math.min(own / 10, Math.max(LEAST_HELD_OUT, (validationBytes * own) / all))]))
  const training: Document[] = []
  const heldOut: Document[] = []
  for (const { document } of ordered) {
    const left = wanted.get(document.source)!
    if (left <= 0) training.push(document)
    else {
      const text = document.text.slice(0, HELD_OUT_CHARACTERS)
      wanted.set(document.source, left - text.length)
      heldOut.push({ ...document, text })
    }
  }
  heldOut.sort((a, b) => (a.source < b.source ? -1 : a.source > b.source ? 1 : 0))
  return { training, heldOut }
}

/** Endless: documents as often as their source's weight says, spread evenly, each round in a new order. */
function* weighted(documents: readonly Document[], config: PrepareConfig): Generator<Document> {
  const { sources } = config.corpus
  for (let round = 0; ; round++) {
    const due = documents
      .flatMap((document) => {
        const weight = sources[document.source] ?? 0
        const times = Math.floor((round + 1) * weight + share(document.text, config.seed)) - Math.floor(round * weight + share(document.text, config.seed))
        return Array.from({ length: times }, (_, turn) => ({
          document,
          key: share(`${config.seed} ${round} ${turn} ${document.text.slice(0, 400)} ${document.text.length}`, 1),
        }))
      })
      .sort((a, b) => a.key - b.key)
    if (!due.length) return
    for (const { document } of due) yield document
  }
}

/** A number from 0 to 1 that depends on the text and the seed. */
function share(text: string, seed: number): number {
  return Buffer.from(digest(`${seed}\n${text}`), 'base64').readUInt32LE(0) / 2 ** 32
}

function tokenizerOf(
  mix: Iterable<Document>,
  config: PrepareConfig,
  work: string,
): { file: TokenizerFile; figures: Omit<Prepared['tokenizer'], 'bytesPerToken'> } {
  const counts = new Map<string, number>()
  let sampleBytes = 0
  for (const { text } of mix) {
    // A book is known by its beginning; otherwise the sample would be a few books.
    const piece = text.slice(0, HELD_OUT_CHARACTERS)
    countWords(piece, counts)
    sampleBytes += piece.length
    if (sampleBytes >= config.tokenizer.sampleBytes) break
  }
  for (const [word, count] of counts) if (count < 2) counts.delete(word)
  const file = learnTokenizer(counts, config.tokenizer)
  writeWhole(join(work, 'tokenizer.json'), JSON.stringify(file))
  return { file, figures: { sampleBytes, words: counts.size, merges: file.model.merges.length } }
}

function writeValidation(heldOut: readonly Document[], encode: Encoder, work: string): Validation {
  const end = encode.id(END_OF_TEXT)
  const tokens: number[] = []
  const sources: Validation['sources'] = {}
  let bytes = 0
  for (const { source, text, language } of heldOut) {
    const entry = sources[source] ?? { bytes: 0, tokens: 0, from: tokens.length, to: tokens.length, language }
    sources[source] = entry
    tokens.push(...encode.encode(text), end)
    entry.bytes += Buffer.byteLength(text)
    bytes += Buffer.byteLength(text)
    entry.tokens += tokens.length - entry.to
    entry.to = tokens.length
    if (entry.language !== language) entry.language = 'several'
  }
  writeWhole(join(work, 'validation.bin'), bytesOf(tokens))
  const validation = { bytes, tokens: tokens.length, sources }
  writeWhole(join(work, 'validation.json'), `${JSON.stringify(validation, null, 1)}\n`)
  return validation
}

function writeTraining(mix: Iterable<Document>, encode: Encoder, config: PrepareConfig, work: string): Prepared['training'] {
  // Rows are cut from the file at places of their own, so a little more than what is read; a longer course reads it several times.
  const wanted = Math.min(Math.ceil(config.tokens * 1.02) + 4 * config.shape.contextTokens, MOST_TOKENS)
  const end = encode.id(END_OF_TEXT)
  const file = new Uint16Array(wanted)
  const sources: Record<string, number> = {}
  let [at, documents, bytes] = [0, 0, 0]
  for (const { source, text } of mix) {
    const tokens = encode.encode(text)
    tokens.push(end)
    const room = Math.min(tokens.length, wanted - at)
    file.set(tokens.slice(0, room), at)
    at += room
    bytes += (Buffer.byteLength(text) * room) / tokens.length
    sources[source] = (sources[source] ?? 0) + room
    documents++
    if (at >= wanted) break
  }
  writeWhole(join(work, 'train.bin'), new Uint8Array(file.buffer, 0, at * 2))
  const written = { tokens: at, documents, bytes: Math.round(bytes), sources }
  writeWhole(join(work, 'tokens.json'), `${JSON.stringify({ ...written, vocabulary: encode.vocabulary, firstLabel: encode.firstLabel }, null, 1)}\n`)
  return written
}

/** Pairs as the product writes them: the question between the chat markers, then the answer, closed. Only the answer is learned. */
async function writeInstructions(
  config: PrepareConfig,
  folder: string,
  contaminated: (text: string) => boolean,
  encode: Encoder,
  work: string,
): Promise<Prepared['instructions']> {
  const [start, end] = [encode.id(START), encode.id(END)]
  const { contextTokens } = config.shape
  const rows: { key: number; tokens: number[]; mask: number[]; source: string }[] = []
  let left = 0
  for (const name of config.corpus.instructions)
    for await (const { prompt, response, source } of instructionsOf(folder, name)) {
      const repository = source.split('@')[0]!
      if (config.corpus.withoutInstructionsOf.includes(repository)) continue
      if (contaminated(`${prompt} ${response}`)) {
        left++
        continue
      }
      const question = [start, ...encode.encode(clean(prompt)), end]
      const answer = [...encode.encode(clean(response)), end]
      if (answer.length < 2 || question.length + answer.length > contextTokens) continue
      const mask = [...question.map(() => 0), ...answer.map(() => 1)]
      rows.push({ key: share(`${prompt}\n${response}`, config.seed), tokens: [...question, ...answer], mask, source: repository })
    }
  rows.sort((a, b) => a.key - b.key)
  const tokens = rows.flatMap((row) => row.tokens)
  const mask = rows.flatMap((row) => row.mask)
  writeWhole(join(work, 'instruct.bin'), bytesOf(tokens))
  writeWhole(join(work, 'instruct.mask'), Uint8Array.from(mask))
  const sources: Record<string, number> = {}
  for (const { source } of rows) sources[source] = (sources[source] ?? 0) + 1
  return { pairs: rows.length, tokens: tokens.length, learned: mask.reduce((sum, one) => sum + one, 0), contaminated: left, sources }
}

function rate(texts: readonly string[], encode: Encoder): number {
  const tokens = texts.reduce((sum, text) => sum + encode.encode(text).length, 0)
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0) / Math.max(1, tokens)
}

function bytesOf(tokens: readonly number[]): Uint8Array {
  return new Uint8Array(Uint16Array.from(tokens).buffer)
}

/** A file is there whole or not at all. */
function writeWhole(path: string, bytes: Uint8Array | string): void {
  writeFileSync(`${path}.tmp`, bytes)
  renameSync(`${path}.tmp`, path)
}
