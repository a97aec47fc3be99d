/**
 * What is still unknown in a plan, as at most three questions that are answered with a click, and whether what was handed over is enough.
 * Knows nothing of how the plan was found.
 */
import type { Question, Task } from '../../core/spec.ts'
import { beginnings } from './cues.ts'
import type { Seen } from './evidence.ts'
import { countsIn } from './measures.ts'

/** By convention: 100 labels for each kind, 100 filled rows, 300 pairs; sources to answer from are enough when they can be read. */
const enough = { labels: 100, rows: 100, pairs: 300 }
/** With the kinds unknown, a history of this length is taken to hold enough of each. */
const enoughUnknown = 300

const scanned =
  /scan|photo|foto|handwrit|hand-writ|manuscri|image only|no text|not ocr|escane|numeris|gescannt|handschrift|digitaliz|skan|स्कैन|pindaian|扫描|ممسوح|スキャン|picture/i
const unfilled =
  /\b(?:none|not|un)[ -]?(?:are |is |of them )?(?:yet )?(?:label|tag|fill|cod|key|mark|sort|translat|summar)|without labels|empty|no labels|sin (?:etiquet|clasific)|ohne (?:label|kategorie)|sans etiquette|belum|unlabel|untagged/i
/** The same in the words of the description. */
const undone = beginnings(
  '(?:not|nobody|nothing|none)(?: (?:of (?:them|it)|has|have|is|are|yet|ever)){0,3} (?:labell?ed|tagged|sorted|coded|filled|typed|marked) ?(?:anything|them|any|yet|so far)?|haven t (?:labell?ed|tagged|sorted|filled|marked)|no labels|ainda nao (?:\\p{L}+ )?(?:marquei|classific|rotul|etiquet|preench)|ninguem (?:os |as )?(?:classific|marcou|etiquet)|(?:aun|todavia) no (?:\\p{L}+ ){0,2}(?:etiquet|clasific|rellen)|sin (?:etiquetar|clasificar|rellenar)|nadie (?:\\p{L}+ ){0,2}(?:clasific|etiquet|rellen)|pas encore (?:trie|class|annot|etiquet|rempli)|personne n (?:a|les)|noch nichts? (?:markiert|zugeordnet|ausgefullt|sortiert|gelabelt|eingeteilt)|noch nicht (?:markiert|zugeordnet|ausgefullt|sortiert|eingeteilt)|bado (?:hatuja|hazija|hazina)|अभी (?:तक )?(?:लेबल|किसी|कोई|भरे|निशान)[^।]{0,15}नह|belum (?:ada yang )?(?:diberi|dilabeli|ditandai|diisi|berlabel|dikelompok)',
)
const filledCount =
  /(?:cover(?:s|ing)?|only|first)\s+(\d[\d,.]*)|(\d[\d,. ]*)\s+(?:of (?:them|these|those)\s+)?(?:rows? |are |already )*(?:label|tag|fill|coded|keyed|marked|sorted|translat|done|answered)/i

/** Data that exists but was not handed over. */
const held = beginnings(
  '(?:i|we) (?:have|ve|hold|kept|keep|got) (?:\\p{L}+ ){0,3}(?:\\d+|dozens?|hundreds?|thirty|forty|fifty|twenty|thousands?|years? of|lots of|plenty|a few)|(?:on|in) (?:paper|my (?:phone|desk|inbox|drawer|head and))|years? of (?:am|them|it|chats|messages|mails)|never exported|type them up|not exported|tengo (?:unos |unas )?(?:\\d+|cientos|muchos|muchas|anos)|j ai (?:environ )?(?:\\d+|des centaines|beaucoup)|ich habe (?:etwa |rund )?(?:\\d+|viele|hunderte)|tenho (?:uns |umas )?(?:\\d+|muitos|centenas)|nina (?:\\p{L}+ ){0,2}\\d+|मेरे पास|saya punya (?:\\p{L}+ ){0,2}(?:\\d+|banyak|ratusan)|on my phone|my phone',
)
const contradicting = beginnings(
  'contradict|flat against|changed (?:his|her|their|its) mind|which one (?:stands|wins|applies|is right)|(?:disagree|conflict)(?:s|ed)? with (?:each other|one another|the)|out of date|outdated|superseded|se contradic|contredi|widersprech|contradiz|zinapingana|परस्पर विरोधी|bertentangan|互相矛盾|متناقض',
)

/** "our 40 standard clauses", "one of 12 categories": how many kinds there are, where the words say it without naming them. */
function kindsCounted(text: string): number | undefined {
  const found =
    /(?:which of|one of|into|between|among) (?:our|the|my|these|those|their)? ?(\d{1,3}) (?:\p{L}+ ){0,2}\p{L}+/u.exec(text) ??
    /(\d{1,3}) (?:\p{L}+ ){0,2}(?:categor|kinds|classes|types|codes|labels|clauses|topics|departments|rubri|klassen|kategorien|makundi|aina|श्रेणि|kategori)/u.exec(
      text,
    )
  return found ? Number(found[1]) : undefined
}

export function sufficiencyOf(task: Task, labels: readonly string[] | null, seen: readonly Seen[], text: string): 'enough' | 'some' | 'none' {
  if (!seen.length) return held.test(text) ? 'some' : 'none'
  const pages = seen.filter((entry) => entry.parts.kind === 'pages')
  const readable = pages.filter(({ file }) => !scanned.test(file.note ?? '') || /text layer|selectable|ocr(?:ed)?\b/i.test(file.note ?? ''))
  const tables = seen.filter((entry) => entry.file.columns?.length)
  const filled = ({ file, parts }: Seen): number => {
    const note = file.note ?? ''
    const said = filledCount.exec(note)
    if (said) return Number((said[1] ?? said[2]!).replace(/\D/g, ''))
    if (parts.kind !== 'labelled' && parts.kind !== 'pairs' && undone.test(text)) return 0
    return unfilled.test(note) ? 0 : (file.rows ?? 0)
  }
  if (task === 'answer' && readable.length && contradicting.test(text)) return 'some'
  if (task === 'answer') return readable.length || tables.some((entry) => (entry.file.rows ?? 1) > 0) ? 'enough' : pages.length ? 'some' : 'none'
  const most = (kinds: readonly string[]): number => Math.max(0, ...tables.filter((entry) => kinds.includes(entry.parts.kind)).map(filled))
  if (task === 'classify') {
    // Examples of one kind may stand in several files.
    const counted = new Map<string, number>()
    for (const { file, parts } of tables)
      if (parts.kind === 'labelled')
        for (const { kind, count } of file.values?.[parts.label]?.map(({ value, count }) => ({ kind: value, count })) ??
          countsIn(file.note ?? '')?.map(({ name, count }) => ({ kind: name, count })) ??
          [])
          counted.set(kind, (counted.get(kind) ?? 0) + count)
    if (counted.size >= 2) return Math.min(...counted.values()) >= enough.labels ? 'enough' : 'some'
    const distinct = Math.max(
      0,
      ...tables.map(({ file }) => Number(/(\d[\d,.]*)\s+(?:distinct|different|unique)/i.exec(file.note ?? '')?.[1]?.replace(/\D/g, '') ?? 0)),
    )
    if (distinct && !labels) return most(['labelled', 'either', 'fields']) >= distinct * enough.labels ? 'enough' : 'some'
    const rows = most(['labelled', 'either', 'fields', 'questions'])
    const kinds = labels?.length ?? kindsCounted(text)
    if (rows && rows >= (kinds ? kinds * enough.labels : enoughUnknown)) return 'enough'
    return seen.some((entry) => entry.parts.kind !== 'unread') ? 'some' : 'none'
  }
  if (task === 'extract') {
    if (most(['fields', 'tagged', 'labelled', 'either', 'reference', 'pairs']) >= enough.rows) return 'enough'
  } else if (most(['pairs', 'either', 'questions']) >= enough.pairs) return 'enough'
  return seen.some((entry) => entry.parts.kind !== 'unread') ? 'some' : 'none'
}

export type Known = {
  task: Task
  sure: boolean
  labels: readonly string[] | null
  fields: readonly string[] | null
  labelColumn: boolean
  sufficiency: 'enough' | 'some' | 'none'
  /** "Only one" and "several may apply" were both said. */
  bothCounts: boolean
  /** A length was asked for that cannot hold what must be kept. */
  tooShort: boolean
  /** Two different output languages, or "translate" with none. */
  languageOpen: boolean
  /** Several languages were spoken of and none named. */
  readingOpen: boolean
  /** It should tell apart and pass on, or refuse, and the words do not say what is inside its scope. */
  scopeOpen: boolean
  /** Cite and do not cite, or formal and casual: what was said contradicts itself. */
  toneOpen: boolean
  /** "fast" or "instant" without a number. */
  latencyOpen: boolean
  /** No network, and yet something that must be looked up on one. */
  privacyOpen: boolean
  /** So few words that neither readers nor bounds can be guessed. */
  vague: boolean
  /** Kinds of which only a few examples exist, and many of them. */
  manyRare: boolean
  options: { labels: readonly string[]; languages: readonly { tag: string; name: string }[] }
}

/** At most three, the most needed first. */
export function questionsOf(known: Known): Question[] {
  const { task } = known
  const asked: Question[] = []
  if (!known.sure)
    asked.push({
      topic: 'task',
      question: 'What should it do with a text?',
      options: [
        { label: 'Answer questions from my pages', words: 'It should answer questions from my pages.' },
        { label: 'Say which kind a text is', words: 'It should classify: say which kind a text is.' },
        { label: 'Pick out facts', words: 'It should extract fields from each text.' },
        { label: 'Rewrite, translate or summarise', words: 'It should rewrite the text.' },
      ],
      assumed: {
        answer: 'it answers questions from your pages',
        classify: 'it says which kind a text is',
        extract: 'it picks out facts',
        transform: 'it rewrites texts',
      }[task],
    })
  if (known.bothCounts)
    asked.push({
      topic: 'labels',
      question: 'You said both "one only" and "several": may one text be of several kinds?',
      options: [
        { label: 'Exactly one', words: 'Exactly one kind for each text.' },
        { label: 'Several may hold', words: 'Several kinds may apply to one text.' },
      ],
      assumed: 'each text gets the one kind that fits best',
    })
  if (task === 'classify' && !known.labels && !known.labelColumn)
    asked.push({
      topic: 'labels',
      question: 'Which kinds should it tell apart?',
      options: [
        { label: 'Yes / no', words: 'The labels are: yes, no.' },
        { label: 'Urgent / can wait', words: 'The labels are: urgent, can wait.' },
        { label: 'Positive / neutral / negative', words: 'The labels are: positive, neutral, negative.' },
      ],
      assumed: 'the kinds are those that stand in the examples you hand over',
    })
  if (task === 'extract' && !known.fields?.length)
    asked.push({
      topic: 'fields',
      question: 'What should it find in each text?',
      options: [
        { label: 'Names, dates, places', words: 'The fields are: name, date, place.' },
        { label: 'Amounts and dates', words: 'The fields are: amount, date.' },
        { label: 'The columns of my sheet', words: '' },
      ],
      assumed: 'the names of your columns are what is to be found',
    })
  if (task === 'extract' && !known.fields?.length)
    asked.push({
      topic: 'output format',
      question: 'How should the findings be laid out?',
      options: [
        { label: 'One row of a table for each text', words: 'As a table, one row for each text.' },
        { label: 'JSON', words: 'As JSON.' },
      ],
      assumed: 'one row for each text',
    })
  if (known.privacyOpen)
    asked.push({
      topic: 'privacy',
      question: 'It cannot stay off the network and look things up there. Which matters more?',
      options: [
        { label: 'It stays on our own machines', words: 'It must stay on our own server, with no network.' },
        { label: 'It may use the network', words: 'It may use the network.' },
      ],
      assumed: 'it stays on your own machines and answers from what you hand over',
    })
  if (known.manyRare)
    asked.push({
      topic: 'labels',
      question: 'Many of your kinds come up only a few times. What should become of those?',
      options: [
        { label: 'Put them together as "other"', words: 'Put rare kinds together as other.' },
        { label: 'Keep them all', words: '' },
      ],
      assumed: 'kinds with too few examples are put together',
    })
  if (known.languageOpen)
    asked.push({
      topic: 'language',
      question: 'In which language should it write?',
      options: known.options.languages.slice(0, 4).map(({ name }) => ({ label: name, words: `Write the answers in ${name}.` })),
      assumed: `it writes ${known.options.languages[0]?.name ?? 'the language of your words'}`,
    })
  if (known.readingOpen)
    asked.push({
      topic: 'language',
      question: 'In which languages will the texts come?',
      options: known.options.languages.slice(0, 4).map(({ name }) => ({ label: `Mostly ${name}`, words: `The texts come in ${name}.` })),
      assumed: `most texts come in ${known.options.languages[0]?.name ?? 'the language of your words'}`,
    })
  if (known.tooShort)
    asked.push({
      topic: 'output format',
      question: 'So short a text cannot hold everything you want kept. What matters more?',
      options: [
        { label: 'Everything kept, as short as possible', words: 'Keep every detail, as a short list.' },
        { label: 'The length, leaving things out', words: 'Keep to the length, leave out details.' },
      ],
      assumed: 'nothing that must be kept is left out, even if it gets longer',
    })
  if (known.toneOpen)
    asked.push({
      topic: 'tone',
      question: 'What you said about the tone pulls in two directions. Which one?',
      options: [
        { label: 'Formal', words: 'Formal tone.' },
        { label: 'Friendly', words: 'Friendly tone.' },
      ],
      assumed: 'the first tone you named',
    })
  if (task === 'answer' && known.sufficiency !== 'enough')
    asked.push({
      topic: 'sources',
      question: 'From which pages should it answer? Hand over the texts it may quote.',
      options: [
        { label: 'I will add files', words: '' },
        { label: 'I have questions with answers instead', words: '' },
      ],
      assumed: 'nothing can be answered until there are pages to answer from',
    })
  if (task !== 'answer' && known.sufficiency !== 'enough' && !known.tooShort && !known.manyRare && !(task === 'extract' && !known.fields?.length))
    asked.push({
      topic: 'examples',
      question:
        task === 'classify'
          ? 'Can you add more texts with the right kind beside each? About 100 for each kind are good.'
          : task === 'extract'
            ? 'Can you fill in some texts by hand, about 100, so that it learns what you want found?'
            : 'Can you add more texts with the version you want beside each? About 300 are good.',
      options: [
        { label: 'I will add more', words: '' },
        { label: 'Go on with what there is', words: '' },
      ],
      assumed: known.sufficiency === 'some' ? 'it learns from what there is, and will be weaker for it' : 'examples are added before it is built',
    })
  if (known.vague && (task === 'answer' || task === 'classify'))
    asked.push({
      topic: 'scope',
      question: 'Where does its subject end: what should it leave to others?',
      options: [
        { label: 'Only what my pages cover', words: 'If it is not in the pages, say so.' },
        { label: 'Anything near the subject', words: '' },
      ],
      assumed: 'only what was handed over',
    })
  if (known.vague && task === 'answer')
    asked.push({
      topic: 'audience',
      question: 'Who will ask it?',
      options: [
        { label: 'My customers or the public', words: 'For customers.' },
        { label: 'My colleagues', words: 'For staff.' },
        { label: 'Beginners', words: 'For apprentices and beginners.' },
      ],
      assumed: 'anyone may ask',
    })
  if (known.scopeOpen)
    asked.push({
      topic: 'scope',
      question: 'What should it do with a question your pages do not cover?',
      options: [
        { label: 'Say so', words: 'If it is not in the pages, say so.' },
        { label: 'Answer anyway', words: 'Always answer.' },
      ],
      assumed: 'it says so instead of guessing',
    })
  if (known.latencyOpen)
    asked.push({
      topic: 'latency',
      question: 'How long may an answer take?',
      options: [
        { label: '1 second', words: 'Within 1 second.' },
        { label: '3 seconds', words: 'Within 3 seconds.' },
        { label: '10 seconds', words: 'Within 10 seconds.' },
      ],
      assumed: 'a few seconds are fine',
    })
  return asked.slice(0, 3)
}
