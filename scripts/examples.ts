/**
 * Makes `examples/` from a folder of open data: three small sets of files as an expert would hand them over.
 * Deterministic: what is taken depends on the texts alone. Run once, by hand; the result is committed.
 * Usage: npx tsx scripts/examples.ts DATA_FOLDER
 */
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

type Row = Record<string, string>

const data = process.argv[2]
if (!data) {
  console.error('Usage: npx tsx scripts/examples.ts DATA_FOLDER')
  process.exit(2)
}
const target = new URL('../examples/', import.meta.url).pathname

function task(name: string, parts: readonly string[]): Row[] {
  return parts.flatMap((part) =>
    gunzipSync(readFileSync(join(data!, 'tasks', name, `${part}.jsonl.gz`)))
      .toString('utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Row),
  )
}

const cell = (text: string): string => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
const csv = (columns: readonly string[], rows: readonly Row[]): string =>
  `${[columns, ...rows.map((row) => columns.map((column) => row[column] ?? ''))].map((cells) => cells.map(cell).join(',')).join('\n')}\n`
const rank = (text: string): string => createHash('sha256').update(text).digest('hex')
const byHash = <T>(items: readonly T[], key: (item: T) => string): T[] =>
  items
    .map((item) => ({ item, rank: rank(key(item)) }))
    .sort((a, b) => (a.rank < b.rank ? -1 : a.rank > b.rank ? 1 : 0))
    .map((entry) => entry.item)
function groups<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const found = new Map<string, T[]>()
  for (const item of items) found.set(key(item), [...(found.get(key(item)) ?? []), item])
  return found
}
const even = (text: string): string => text.toLowerCase().replace(/\s+/g, ' ').trim()
const tidy = (question: string): string =>
  question
    .replace(/\?{2,}/g, '?')
    .replace('What is (are) ', 'What is ')
    .replace(/\s+/g, ' ')
    .trim()

function write(folder: string, files: Record<string, string>): void {
  rmSync(join(target, folder), { recursive: true, force: true })
  for (const [name, text] of Object.entries(files)) {
    const path = join(target, folder, name)
    mkdirSync(join(path, '..'), { recursive: true })
    writeFileSync(path, text)
  }
}

/** Questions whose answer stands in the pages word for word, and questions about subjects no page names. */
function cardiology(): void {
  const folder = join(data!, 'documents/cardiology/nhlbi_pages')
  const pages = Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]))
  const all = even(Object.values(pages).join('\n'))
  const parts = ['train', 'validation', 'test']
  const covered = task('medqa_heart', parts)
    .concat(task('medqa_medquad_general', parts))
    .filter((row) => row.source === 'NHLBI' && all.includes(even(row.answer!).slice(0, 160)))
  const kinds = new Set(covered.map((row) => row.qtype))
  // The same kinds of question as the answered ones, so that the subject alone tells the two apart. One question per subject keeps the subjects many; a subject any page names could be answered in part, so it is left out.
  const subjects = new Set<string>()
  const other = byHash(task('medqa_medquad_general', parts), (row) => row.question!)
    .filter((row) => {
      const subject = even(row.focus!)
      if (!kinds.has(row.qtype!) || !/^[\p{L} '-]{3,40}$/u.test(subject) || subject.includes('what i need')) return false
      const taken = subjects.has(subject) || all.includes(subject.replace(/s$/, '').replace(/ \(.*\)/, ''))
      if (!taken) subjects.add(subject)
      return !taken
    })
    .slice(0, 90)
    .map((row) => ({ question: tidy(row.question!), answer: '' }))
  const answered = covered.map((row) => ({ question: tidy(row.question!), answer: row.answer!.trim() }))
  const seen = new Set<string>()
  const rows = byHash([...answered, ...other], (row) => row.question).filter((row) => !seen.has(even(row.question)) && seen.add(even(row.question)))
  write('cardiology', {
    'words.txt':
      "I am a cardiologist. Answer patients' questions about heart conditions from these pages, say where each answer comes from, and say so when the pages do not cover it.\n",
    'files/questions.csv': csv(['question', 'answer'], rows),
    ...Object.fromEntries(Object.entries(pages).map(([name, text]) => [`files/pages/${name}`, text])),
    'SOURCE.txt': `Pages and questions: MedQuAD, https://github.com/abachaa/MedQuAD, commit 577bd37.
Licence: CC BY 4.0 (its LICENSE.txt and readme.txt). The page texts are by the US National Heart, Lung, and Blood Institute
(NHLBI) and other institutes of the US National Institutes of Health; each page names its address.
Attribution: Ben Abacha & Demner-Fushman, "A Question-Entailment Approach to Question Answering", BMC Bioinformatics 2019, 20:511.
What was cut: the pages are 33 of NHLBI's heart topics, as they are. Of the questions, those whose answer stands in these pages
(${rows.filter((row) => row.answer).length} rows; answers over 4,000 characters cut), and ${rows.filter((row) => !row.answer).length} about subjects that no page names, one a subject, with the answer left empty.
Doubled question marks were made single and "is (are)" was made "is" in the questions. This is patient information, not medical advice.
`,
  })
  console.log(
    `cardiology: ${Object.keys(pages).length} pages, ${rows.filter((row) => row.answer).length} answered, ${rows.filter((row) => !row.answer).length} not covered`,
  )
}

/** Whole contracts, rarest kinds of clause first until each has enough, then any. */
function contracts(): void {
  const wanted = { rows: 1500, perLabel: 24 }
  const rows = task('contract_clause_cuad', ['train'])
  const byContract = groups(rows, (row) => row.contract!)
  const order = byHash([...byContract.keys()], (name) => name)
  const chosen = new Set<string>()
  const taken = () => [...chosen].flatMap((name) => byContract.get(name)!)
  const totals = groups(rows, (row) => row.label!)
  for (const label of [...totals.keys()].sort((a, b) => totals.get(a)!.length - totals.get(b)!.length)) {
    for (const name of order) {
      if (taken().filter((row) => row.label === label).length >= wanted.perLabel) break
      if (byContract.get(name)!.some((row) => row.label === label)) chosen.add(name)
    }
  }
  for (const name of order) {
    if (taken().length >= wanted.rows) break
    chosen.add(name)
  }
  const kept = order.filter((name) => chosen.has(name)).flatMap((name) => byContract.get(name)!)
  const table = kept.map((row) => ({ clause: row.text!, label: row.label!, contract: row.contract!.replace(/\.pdf$/i, '') }))
  write('contracts', {
    'words.txt': 'Tell me which kind of clause this is.\n',
    'files/clauses.csv': csv(['clause', 'label', 'contract'], table),
    'SOURCE.txt': `Clauses: Contract Understanding Atticus Dataset (CUAD) v1, by way of https://github.com/YiYang02/Legal-Text-Classification,
commit 2f0c24e, master_clauses.csv.
Licence: CC BY 4.0 (CUAD_v1_README.txt). No warranty on the underlying contracts, which are public filings (EDGAR).
Attribution: Hendrycks, Burns, Chen, Ball, "CUAD: An Expert-Annotated NLP Dataset for Legal Contract Review", NeurIPS 2021; The Atticus Project.
What was cut: ${table.length} clauses of ${chosen.size} whole contracts out of 333; clauses with more than one kind, duplicates, kinds with fewer than
50 clauses and kinds that are not clauses were left out before.
`,
  })
  const counts = [...groups(table, (row) => row.label)].map(([label, list]) => `${label} ${list.length}`)
  console.log(`contracts: ${table.length} rows, ${chosen.size} contracts, ${counts.length} labels: ${counts.join(', ')}`)
}

/** Train and validation of the official split; the official test stays unseen. */
function swahili(): void {
  const rows = byHash(task('topic_sib200_swh', ['train', 'validation']), (row) => row.text!).map((row) => ({ sentensi: row.text!, mada: row.label! }))
  write('swahili', {
    'words.txt': 'Soma sentensi ya Kiswahili na useme inahusu mada gani.\n',
    'files/sentensi.csv': csv(['sentensi', 'mada'], rows),
    'SOURCE.txt': `Sentences and topics: SIB-200, Swahili, https://github.com/dadelani/sib-200, commit 593cea8, data/annotated.
Licence: Apache 2.0 (SIB-200); the sentences are FLORES-200, CC BY-SA 4.0: follow both.
Attribution: Adelani et al., "SIB-200: A Simple, Inclusive, and Big Evaluation Dataset for Topic Classification", EACL 2024; FLORES-200, NLLB team.
What was cut: the official train and validation rows in one file (${rows.length}), columns named in Swahili; the official test rows are left out.
`,
  })
  console.log(`swahili: ${rows.length} rows`)
}

cardiology()
contracts()
swahili()
