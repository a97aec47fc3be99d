/**
 * The planner that needs no key and no network: rules over the words and, above all, over what the files show.
 * Deterministic. Knows nothing of file bytes, models or training.
 */

import { type Refusal, refuse } from '../../core/errors.ts'
import { type FileUse, languageName, type Spec, type Task } from '../../core/spec.ts'
import type { FileListing, Planner } from '../../ports/planner.ts'
import { separatedLabels, tableParts } from './columns.ts'
import { beginnings, transformCues } from './cues.ts'
import { declineOf } from './declines.ts'
import { inputLanguages, outputLanguages } from './directions.ts'
import { domainOf, slugOf } from './domain.ts'
import { chooseTask, type Seen, ticksIn } from './evidence.ts'
import { languageMentions } from './language-names.ts'
import { languageOfWords, plain } from './languages.ts'
import { fieldsIn, labelsIn, withoutKinds } from './lists.ts'
import { countsIn, latencyIn, lengthIn, priceIn } from './measures.ts'
import { questionsOf, sufficiencyOf } from './questions.ts'
import { refineOffline } from './refine.ts'
import { audienceIn, cues, formatIn, tonesIn } from './wishes.ts'

const longestDescription = 20_000

/** Words and listings in, a Spec out. Refuses an empty description and one longer than 20,000 characters. */
export function offlinePlanner(): Planner {
  return {
    name: 'offline',
    async plan({ words, files }) {
      const description = words.trim()
      return checkWords(description) ?? planOffline(description, files)
    },
    async refine({ spec, words }) {
      const said = words.trim()
      return checkWords(said) ?? refineOffline(spec, said)
    },
  }
}

/** Refuses words that hold none, or far too many. */
export function checkWords(words: string): Refusal | undefined {
  if (!/\p{L}/u.test(words)) {
    const shown = words ? `The description "${words.slice(0, 40)}" has no words in it.` : 'The description is empty.'
    return refuse('empty_description', shown, 'Say in a sentence what the model should do, for example: "Tell me which kind of clause this is."')
  }
  if (words.length > longestDescription)
    return refuse(
      'description_too_long',
      `The description is ${words.length.toLocaleString('en')} characters long; at most ${longestDescription.toLocaleString('en')} are read.`,
      'Say it in a few sentences and hand over the rest as a file.',
    )
  return undefined
}

const pageKinds = /^(?:txt|md|markdown|text|rst|pdf|docx?|odt|rtf|html?|xml|epub|tei|folder|dir|zip|eml|mbox|srt|tex)$/

export function look(file: FileListing): Seen {
  if (file.columns?.length) return { file, parts: tableParts(file) }
  if (typeof file.sample === 'string' || pageKinds.test(file.kind.toLowerCase())) return { file, parts: { kind: 'pages' } }
  if (/^(?:xlsx?|ods|csv|tsv|jsonl?)$/i.test(file.kind)) return { file, parts: { kind: 'reference', why: 'a table of facts' } }
  return { file, parts: { kind: 'unread', why: `a ${file.kind} file is not read` } }
}

/** The plan by rules; `given` is a task that is known already. */
export function planOffline(words: string, listed: readonly FileListing[], given?: Task): Spec {
  const seen = listed.map(look)
  const text = plain(words)
  const manner = plain(withoutKinds(words))
  const listings = seen.map((entry) => entry.file)
  const chosen = chooseTask(words, seen)
  const declined = declineOf(words)
  const decline = declined?.decline ?? null
  const task = given ?? (declined && Math.max(...Object.values(chosen.points)) < 2 ? declined.task : chosen.task)
  const sure = given !== undefined || chosen.sure
  const assumptions: string[] = []
  const files = seen.map((entry) => use(entry, task, ticksIn(text, seen)))

  const { labels, separated, fromData } = decline ? unlabelled : labelsOf(words, seen, task)
  const labelColumn = files.some((file) => file.use === 'labelled')
  const oneOnly = cues.several.no.test(text)
  const ticked = task === 'classify' && ticksIn(text, seen) && seen.some(({ parts }) => parts.kind === 'fields')
  const many = ticked || cues.several.yes.test(text)
  const exclusive = seen.some(({ file }) => {
    const sum = countsIn(file.note ?? '')?.reduce((total, entry) => total + entry.count, 0)
    return sum !== undefined && sum === file.rows
  })
  // Marks on a scale exclude each other.
  const numeric = scale.test(text) && Boolean(labels?.every((label) => /^\d+(?:[.,]\d+)?$/.test(label)))
  const several =
    task !== 'classify' ? null : oneOnly && many ? null : oneOnly ? false : many || separated ? true : fromData || exclusive || numeric ? false : null

  const request = languageOfWords(words)
  const mentions = languageMentions(words)
  const language = inputLanguages({ words, text, seen, task, request, mentions })
  const outputLanguage = outputLanguages({ text, seen, task, request, mentions, language, labels })

  const fields = task === 'extract' ? fieldsOf(words, text, seen) : null
  const sufficiency = decline && (!seen.length || decline.kind === 'impossible') ? 'none' : sufficiencyOf(task, labels, seen, text)
  const length = lengthIn(words)
  const tooShort = task === 'transform' && length?.unit === 'sentence' && length.count <= 2 && keepsAll.test(text)
  const uncovered = seen.reduce((sum, entry) => sum + (entry.parts.kind === 'questions' ? entry.parts.uncovered : 0), 0)
  const cites = citesOf(task, text)
  const refuses = cues.refuse.no.test(text) ? false : (task === 'answer' && cues.refuse.yes.test(text)) || (task === 'answer' && uncovered > 0) ? true : null
  const kindOfTransform = task === 'transform' ? (transformCues.find(([, pattern]) => pattern.test(text))?.[0] ?? 'rewrite') : null
  const into = outputLanguage.filter((one) => !language.includes(one))

  const local = cues.local.test(text)
  const uses = new Set(files.map((file) => file.use))
  if (task === 'classify' && several) assumptions.push('one text may be of several kinds')
  if (task === 'classify' && several === null) assumptions.push('each text gets the one kind that fits best')
  if (task === 'answer' && uses.has('passages') && !uses.has('questions'))
    assumptions.push('questions to examine it with are made from the headings of the pages')
  if (task === 'answer' && uncovered) assumptions.push(`questions without an answer (${uncovered}) are ones the pages do not cover, and it should say so`)

  const clarify = decline
    ? []
    : questionsOf({
        task,
        sure,
        labels,
        fields,
        labelColumn,
        sufficiency,
        bothCounts: task === 'classify' && oneOnly && many,
        tooShort,
        languageOpen: task === 'transform' && kindOfTransform === 'translate' && !into.length,
        scopeOpen: task === 'answer' && unsure.test(text),
        readingOpen: task !== 'answer' && !seen.length && !mentions.length && manyLanguages.test(text),
        toneOpen: false,
        latencyOpen: latencyIn(words) === null && hurry.test(text),
        privacyOpen: local && live.test(text),
        vague: !seen.length && (everything.test(text) || (text.split(' ').length < 9 && !labels && !fields)),
        manyRare:
          task === 'classify' &&
          sufficiency === 'some' &&
          seen.some(({ file }) => Number(/(\d[\d,.]*)\s+(?:distinct|different|unique)/i.exec(file.note ?? '')?.[1]?.replace(/\D/g, '') ?? 0) > 30),
        options: {
          labels: labels ?? [],
          languages: [...new Set([...mentions.map((one) => one.tag), request, 'en', 'es', 'sw'])].map((one) => ({ tag: one, name: languageName(one) })),
        },
      })
  for (const question of clarify) assumptions.push(question.assumed)
  return {
    words,
    slug: slugOf(words, listings),
    task,
    language,
    outputLanguage,
    domain: domainOf(words, listings, [...(labels ?? []), ...(fields ?? [])]),
    labels: labels ? [...labels] : null,
    multiLabel: several,
    fields,
    mustCite: cites,
    refuseOutsideScope: refuses,
    tone: tonesIn(withoutItems(manner, labels ?? []), task),
    audience: audienceIn(text),
    pricePerQuery: priceIn(words),
    maxLatencyMs: latencyIn(words),
    privacy: local ? 'local' : null,
    files,
    clarify,
    assumptions,
    ...(formatIn(words) ? { outputFormat: formatIn(words) } : {}),
    ...(kindOfTransform ? { kindOfTransform } : {}),
    sufficiency,
    ...(decline ? { decline } : {}),
  }
}

/** Only answers are cited; elsewhere it must be said that each finding carries its place. */
function citesOf(task: Task, text: string): boolean | null {
  if (task === 'classify') return null
  if (cues.cite.no.test(text)) return false
  return (task === 'answer' ? cues.cite.yes : cues.citePlace).test(text) ? true : null
}

/** Plain text without the kinds: "neutral" as a kind is no tone. */
const withoutItems = (text: string, items: readonly string[]): string => items.reduce((rest, item) => rest.split(plain(item)).join(' '), text)

const scale = beginnings(
  'marks?\\b|grade|scor|scale|stars?\\b|points|escala|nota\\b|estrellas|note|echelle|skala|punkte|noten?\\b|estrelas|alama|nyota|अंक|nilai|skor|bintang',
)
const hurry = beginnings(
  'instant|immediate|real[- ]time|as fast as possible|al instante|inmediat|instantane|sofort|imediat|instantane|papo hapo|mara moja|तुरंत|तत्काल|seketika|即时|立刻|فور',
)
const unsure = beginnings(
  'not sure (?:what|exactly|which)|don t (?:really |quite |yet )?know (?:what|exactly)|no idea (?:what|how)|not certain what|no se (?:bien )?(?:que|como)|je ne sais pas (?:trop|quoi|encore)|weiss (?:noch )?nicht (?:genau|was)|nao sei (?:bem|o que)|sijui (?:hasa|ni nini)|पता नहीं क्या|belum tahu (?:mau|apa)|entah apa',
)
const manyLanguages = beginnings(
  '(?:\\d+|several|many|various|different|all sorts of|a dozen) languages|(?:varios|muchos|\\d+) idiomas|(?:plusieurs|\\d+) langues|(?:mehrere[nr]?|verschiedene[nr]?|\\d+) sprachen|(?:varias|\\d+) linguas|lugha (?:nyingi|mbalimbali|\\d+)|कई भाषा|(?:berbagai|banyak|\\d+) bahasa',
)
const live = beginnings(
  'website|web site|online|internet (?:search|page)|google|this morning s|latest (?:rulings|prices|news)|live (?:data|prices)|pagina web|en linea|site (?:web|internet)|webseite|tovuti|वेबसाइट|situs|网站|موقع',
)
const everything = beginnings(
  'everything about|anything about|knows everything|know everything|put everything|all about|todo sobre|tout sur|alles uber|tudo sobre|kila kitu kuhusu|सब कुछ|segalanya tentang|semua tentang|一切|كل شيء عن',
)

const keepsAll = beginnings(
  'every (?:\\p{L}+,? ){0,8}(?:has to|must|in there|kept|included)|all (?:the )?(?:details|names|dates|figures|facts)|without (?:losing|leaving out|omitting) (?:any|a )|nothing (?:may|can|must|should) be (?:left out|lost|missing)|(?:every|each|all) (?:hotel|date|price|detail|number|name|figure|fact|clause)|leave nothing out|todos los (?:datos|detalles)|sin (?:perder|omitir) (?:nada|ningun)|tous les (?:details|chiffres)|sans rien (?:omettre|perdre)|alle (?:details|zahlen|angaben|daten)|nichts (?:weglassen|fehlen)|todos os (?:dados|detalhes)|sem (?:perder|omitir) nada|bila kuacha|maelezo yote|हर (?:विवरण|जानकारी)|कुछ (?:भी )?न छूटे|semua (?:rincian|detail|angka|tanggal)|tanpa (?:menghilangkan|melewatkan)|所有细节|不能遗漏|كل التفاصيل|دون حذف',
)

const unlabelled = { labels: null, separated: false, fromData: false }

function labelsOf(words: string, seen: readonly Seen[], task: Task): { labels: readonly string[] | null; separated: boolean; fromData: boolean } {
  if (task !== 'classify') return unlabelled
  const table = seen.find((entry) => entry.parts.kind === 'labelled')
  const data = table?.parts.kind === 'labelled' ? table.parts.labels : []
  const separated = separatedLabels(data)
  if (separated)
    return {
      labels: [
        ...new Set(
          data.flatMap((label) =>
            label
              .split(/[;|]/)
              .map((part) => part.trim())
              .filter(Boolean),
          ),
        ),
      ],
      separated,
      fromData: false,
    }
  if (data.length) return { labels: data, separated, fromData: true }
  const noted = seen
    .flatMap(({ file, parts }) => (parts.kind === 'labelled' && file.note ? [countsIn(file.note)?.map((entry) => entry.name) ?? []] : []))
    .find((names) => names.length)
  const said = labelsIn(words)
  const ticked = seen.flatMap(({ parts }) => (parts.kind === 'fields' && ticksIn(plain(words), seen) ? [parts.fields] : []))[0]
  if (!said && ticked) return { labels: ticked, separated: true, fromData: false }
  return { labels: said ?? noted ?? (data.length ? data : null), separated, fromData: false }
}

const asTheSheet = beginnings(
  'same (?:columns|fields|headings)|(?:columns|fields|headings) (?:of|in|from|as in) (?:the|my|our)|as (?:in )?(?:the|my|our) (?:sheet|table|spreadsheet|register)|las mismas columnas|columnas de la|memes colonnes|colonnes du|dieselben spalten|spalten der|mesmas colunas|colunas da|safu zile zile|safu za|उन्हीं कॉलम|वही कॉलम|kolom yang sama|kolom di|相同的列|同样的列|نفس الأعمدة',
)

function fieldsOf(words: string, text: string, seen: readonly Seen[]): string[] | null {
  const table = seen.flatMap((entry) => (entry.parts.kind === 'fields' ? [entry.parts.fields] : []))[0]
  const said = fieldsIn(words)
  if (table && (asTheSheet.test(text) || !said)) return table
  // A list of words that shares nothing with the sheet, and is shorter, lists something else.
  if (
    table &&
    said &&
    said.length < table.length - 1 &&
    !said.some((field) => table.some((name) => plain(name).replace(/_/g, ' ').includes(plain(field).slice(0, 5))))
  )
    return table
  return said ?? table ?? null
}

const known = <T extends object>(columns: T): T => Object.fromEntries(Object.entries(columns).filter(([, name]) => name !== undefined)) as T

/** What a file is used for once the task is known, and the sentence that says so. */
function use({ file, parts }: Seen, task: Task, ticked: boolean): FileUse {
  const ignored = (why: string): FileUse => ({ name: file.name, use: 'ignored', columns: {}, why })
  const group = (name: string | undefined, context?: string | undefined) => ({
    ...(context === undefined ? {} : { context }),
    ...(name === undefined ? {} : { group: name }),
  })
  /** Facts of any shape can be looked up and quoted, row by row. */
  const facts = (): FileUse => ({ name: file.name, use: 'passages', columns: {}, why: 'a table of facts; each row can be quoted' })
  switch (parts.kind) {
    case 'pages':
      return task === 'answer'
        ? { name: file.name, use: 'passages', columns: {}, why: 'a text to answer from and to quote' }
        : ignored('a text without examples of the right answer, so it is not used')
    case 'labelled':
      if (task === 'classify')
        return { name: file.name, use: 'labelled', columns: { text: parts.text, label: parts.label, ...group(parts.group, parts.context) }, why: parts.why }
      if (task === 'answer' && file.length !== undefined) return facts()
      return ignored('a table of texts and their kinds, which this task does not need')
    case 'either':
      if (task === 'classify') return { name: file.name, use: 'labelled', columns: { text: parts.text, label: parts.other }, why: parts.why }
      if (task === 'transform') return { name: file.name, use: 'pairs', columns: { text: parts.text, target: parts.other }, why: parts.why }
      if (task === 'extract') return { name: file.name, use: 'fields', columns: { text: parts.text, values: [parts.other] }, why: parts.why }
      return task === 'answer' ? facts() : ignored(`${parts.why}, which this task does not need`)
    case 'tagged': {
      const { kind: _, why, ...columns } = parts
      if (task === 'extract') return { name: file.name, use: 'fields', columns: known(columns), why }
      return ignored(`${why.replace(/\.$/, '')}, which this task does not need`)
    }
    case 'pairs':
      if (task === 'transform') return { name: file.name, use: 'pairs', columns: { text: parts.text, target: parts.target }, why: parts.why }
      return task === 'answer' && file.length !== undefined ? facts() : ignored(`${parts.why}, which this task does not need`)
    case 'fields':
      if (task === 'classify' && ticked)
        return ignored(`${parts.why}; kinds as columns with ticks are not read yet: put them into one column, separated by ";"`)
      if (task === 'classify' && parts.label && parts.text)
        return {
          name: file.name,
          use: 'labelled',
          columns: { text: parts.text, label: parts.label },
          why: `"${parts.label}" says which kind each text in "${parts.text}" is`,
        }
      if (task === 'extract' && parts.text)
        return { name: file.name, use: 'fields', columns: { text: parts.text, values: parts.fields.filter((name) => name !== parts.text) }, why: parts.why }
      return task === 'answer' && file.length !== undefined ? facts() : ignored(`${parts.why}, which this task does not need`)
    case 'questions':
      if (task === 'answer')
        return {
          name: file.name,
          use: 'questions',
          columns: { question: parts.question, answer: parts.answer, ...group(parts.group, parts.context) },
          why: parts.why,
        }
      return ignored('a table of questions and answers, which this task does not need')
    case 'unread':
      return ignored(`${parts.why}, so it is not used`)
    default:
      if (task === 'answer' && (parts.kind === 'reference' || parts.kind === 'glossary' || parts.kind === 'unlabelled') && file.length !== undefined)
        return facts()
      return ignored(`${parts.why}${file.columns && parts.kind !== 'none' ? ` (columns ${file.columns.join(', ')})` : ''}, so it is not used`)
  }
}
