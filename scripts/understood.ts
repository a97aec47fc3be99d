/**
 * node --import tsx scripts/understood.ts FOLDER [--words WORDS] [--only NAME]: plans and collects, without training, every folder
 * and every task under a folder from one sentence, and prints what was understood. A `.gz` is opened first. What is refused is printed as such;
 * the exit code counts the refusals.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { isRefusal } from '../src/core/errors.ts'
import { describeSpec } from '../src/core/spec.ts'
import { languageOf } from '../src/drivers/planner/languages.ts'
import { offlinePlanner } from '../src/drivers/planner/offline.ts'
import { anyFiles } from '../src/drivers/reader/any-files.ts'
import type { Content } from '../src/ports/reader.ts'
import { collect } from '../src/steps/collect.ts'
import { buildable, plan } from '../src/steps/describe.ts'

/** One sentence for each, where the folder's name says what is wanted; the last fits any. */
const SENTENCES: readonly (readonly [RegExp, string])[] = [
  [/clause/, 'Tell me which kind of clause this is.'],
  [/unfair/, 'Tell me whether this sentence of the terms of service is fair or unfair to the consumer.'],
  [/intent/, 'Tell me what this bank customer wants.'],
  [/abstracts/, 'Sort medical abstracts by the kind of condition they are about.'],
  [/pubmedqa/, 'Say yes, no or maybe to a medical research question, from the abstract.'],
  [/medqa|qa_/, 'Answer questions from our material and say where the answer stands.'],
  [/ner/, 'Find the chemicals and diseases in medical sentences and give them as JSON.'],
  [/sentiment/, 'Tell me whether a message is positive, negative or neutral.'],
  [/regs_part/, 'Tell me which part of the building regulations a sentence belongs to.'],
  [/topic/, 'Tell me what topic a text is about.'],
  [/cardiology/, 'I am a cardiologist. Answer my patients’ questions from these pages, and cite the page.'],
  [/contracts/, 'Answer questions about our contracts from these documents and cite the document.'],
  [/structural/, 'I am a structural engineer. Answer questions about the building regulations from these documents and cite the page.'],
  [/./, 'Answer questions from these files and cite them.'],
]

const { values, positionals } = parseArgs({ options: { words: { type: 'string' }, only: { type: 'string' } }, allowPositionals: true })
const root = positionals[0]
if (!root) {
  console.error('No folder was named: node --import tsx scripts/understood.ts FOLDER')
  process.exit(2)
}
const reader = anyFiles()
let refusals = 0
for (const name of readdirSync(root).sort()) {
  const folder = join(root, name)
  if (!statSync(folder).isDirectory() || (values.only && !new RegExp(values.only).test(name))) continue
  const began = performance.now()
  const words = values.words ?? SENTENCES.find(([pattern]) => pattern.test(name))![1]
  const contents: Content[] = []
  const unread: string[] = []
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    const whole = join(folder, path)
    if (!statSync(whole).isFile() || /(^|\/)(readme|licen[cs]e)[^/]*$/i.test(path)) continue
    const bytes = readFileSync(whole)
    const file = path.endsWith('.gz') ? { name: relative(folder, whole).slice(0, -3), bytes: gunzipSync(bytes) } : { name: relative(folder, whole), bytes }
    const read = await reader.read({ name: file.name, bytes: new Uint8Array(file.bytes) })
    if (isRefusal(read)) unread.push(read.message)
    else contents.push(...read)
  }
  console.log(`\n== ${name}: "${words}"`)
  for (const message of unread) console.log(`   not read: ${message}`)
  const spec = await plan({ planner: offlinePlanner() }, words, contents)
  if (isRefusal(spec)) {
    refusals++
    console.log(`   REFUSED: ${spec.message}`)
    continue
  }
  for (const line of describeSpec(spec)) console.log(`   ${line.slice(0, 240)}`)
  const built = buildable(spec)
  // A file that is called the test set is the exam.
  const exam = contents.map((content) => content.name).filter((one) => /^test\./.test(one))
  const collected = isRefusal(built) ? built : collect(spec, contents, { exam, languageOf })
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  if (isRefusal(collected)) {
    refusals++
    console.log(`   REFUSED after ${seconds} s: ${collected.message} ${collected.hint}`)
    continue
  }
  for (const note of collected.dataset.notes) console.log(`   > ${note.slice(0, 240)}`)
  console.log(`   ${seconds} s`)
}
process.exit(Math.min(refusals, 100))
