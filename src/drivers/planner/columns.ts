/**
 * What part each column of a table plays, decided by what the cells hold first and by the column's name second.
 * Knows nothing of the words the expert wrote.
 */
import type { FileListing } from '../../ports/planner.ts'
import { languageOfColumn } from './language-names.ts'
import { plain } from './languages.ts'
import { columnNames } from './words.ts'

export type Parts =
  | { kind: 'labelled'; text: string; label: string; labels: string[]; context?: string | undefined; group?: string | undefined; why: string }
  | { kind: 'questions'; question: string; answer: string; context?: string | undefined; group?: string | undefined; uncovered: number; why: string }
  /** A text with what was found in it, word by word or as JSON. */
  | { kind: 'tagged'; text: string; tags?: string | undefined; entities?: string | undefined; why: string }
  /** Two texts side by side, one made from the other. */
  | { kind: 'pairs'; text: string; target: string; languages: [from: string, to: string] | undefined; why: string }
  /** A text and several things found in it; `label` is the one of them that most looks like a kind. */
  | { kind: 'fields'; text: string | undefined; fields: string[]; label: string | undefined; why: string }
  /** A text and one more column, which nothing but the words can tell. */
  | { kind: 'either'; text: string; other: string; why: string }
  /** The same words in several languages. */
  | { kind: 'glossary'; languages: string[]; why: string }
  /** Facts to look things up in. */
  | { kind: 'reference'; why: string }
  | { kind: 'unlabelled'; text: string; why: string }
  | { kind: 'none'; why: string }

type Column = {
  name: string
  /** Position, from 0. */
  index: number
  filled: number
  empty: number
  /** Undefined when unknown or more than the listing shows. */
  distinct: number | undefined
  values: { value: string; count: number }[]
  length: number
  cells: string[]
}

/** True when one of `cues` (alternatives, word beginnings) begins a word of `text`; unspaced scripts match anywhere. */
export function says(text: string, cues: string): boolean {
  if (!cues) return false
  return cues.split('|').some((cue) => {
    let at = text.indexOf(cue)
    for (; at >= 0; at = text.indexOf(cue, at + 1)) {
      if (!/[a-z0-9]/.test(cue[0]!) || at === 0 || !/[\p{L}\p{M}\p{N}]/u.test(text[at - 1]!)) return true
    }
    return false
  })
}

const named = (column: Column, part: keyof typeof columnNames): boolean => says(plain(column.name).replace(/[_-]/g, ' '), columnNames[part])
const wide = 3
/** For short cues such as `id`, which begin many words. */
const namedExactly = (column: Column, part: keyof typeof columnNames): boolean => {
  const words = plain(column.name).split(/[^\p{L}\p{M}\p{N}]+/u)
  return columnNames[part].split('|').some((cue) => words.includes(cue))
}

/** Reads the columns of one table. Never refuses: what cannot be used says why. */
export function tableParts(file: FileListing): Parts {
  const columns = (file.columns ?? []).map((name, index) => column(file, name, index))
  const rows = file.rows ?? 0
  const count = rows.toLocaleString('en')
  if (!columns.length) return { kind: 'none', why: 'it has no columns' }

  const tagged = taggedText(columns, count)
  if (tagged) return tagged
  const question = columns.find((item) => named(item, 'question')) ?? columns.find(asks)
  const context = columns.find((item) => item !== question && contextName.test(plain(item.name)) && (file.length === undefined || item.length > 60))
  const texts = columns.filter((item) => !namedExactly(item, 'never')).sort((a, b) => textValue(b) - textValue(a) || a.index - b.index)
  const ranked = columns
    .map((item) => ({ item, value: labelValue(item) }))
    .filter((entry) => entry.value >= 2.5)
    .sort((a, b) => b.value - a.value || b.item.index - a.item.index)
  const label = ranked.find((entry) => entry.item !== texts[0])?.item

  if (question) {
    const rest = columns.filter((item) => item !== question && item !== context)
    const answer = rest.find((item) => named(item, 'answer')) ?? (label ? undefined : rest.sort((a, b) => b.length - a.length).find((item) => item.length > 25))
    const marked = rest.find((item) => item !== answer && named(item, 'label') && !named(item, 'group') && (file.length === undefined || isChoice(item)))
    // Answers that were marked are texts to be told apart.
    if (answer && marked)
      return {
        kind: 'labelled',
        text: answer.name,
        label: marked.name,
        labels: marked.values.map((entry) => entry.value),
        why: `${count} answers in "${answer.name}", and "${marked.name}" says how each was marked`,
      }
    if (answer && !(isChoice(answer) && answer.length <= 25)) {
      const group = groupColumn(columns, [question, answer, ...(context ? [context] : [])])
      const uncovered = answer.empty ? ` ${answer.empty.toLocaleString('en')} of them have no answer and stand for what the pages do not cover.` : ''
      return {
        kind: 'questions',
        question: question.name,
        answer: answer.name,
        ...(context ? { context: context.name } : {}),
        group: group?.name,
        uncovered: answer.empty,
        why: `${count} questions in "${question.name}" with their answers in "${answer.name}"${context ? `, each asked about the text in "${context.name}"` : ''}.${uncovered}`,
      }
    }
  }
  // A question about a text that has one of a few answers is a text to be told apart.
  const choice = columns.find((item) => named(item, 'answer') && isChoice(item) && item.length <= 25)
  if (question && context && choice && !isChoice(question))
    return {
      kind: 'labelled',
      text: question.name,
      label: choice.name,
      labels: choice.values.map((entry) => entry.value),
      context: context.name,
      why: `${count} questions in "${question.name}" about the text in "${context.name}", and "${choice.name}" says which of ${choice.distinct} answers is right.`,
    }
  const text = (question && label !== question ? question : undefined) ?? texts.find((item) => item !== label)
  const byName = file.length === undefined && file.values === undefined
  const side = twoTexts(file, columns, count, byName)
  if (side) return side
  const key = columns.find((item) => /^(?:file|filename|file name|datei|fichier|archivo|arquivo|berkas|faili)$/.test(plain(item.name).replace(/[_-]/g, ' ')))
  const held = columns.find((item) => named(item, 'text') && !namedExactly(item, 'never') && (byName || item.length >= 15)) ?? (byName ? undefined : text)
  const others = columns.filter((item) => item !== held && item !== key && !namedExactly(item, 'never') && (byName || item.filled > 0))
  const choices = others.filter((item) => (byName ? false : isChoice(item) && item.length <= 60))
  const found = columns.filter((item) => item !== held && item !== key && !/^(?:id|no|nr|ref|row|index|uuid|url|link|lang|language)$/.test(plain(item.name)))
  // A text and one kind stand in a wide table too; several columns of values are things found in the text.
  const marked =
    !byName && held !== undefined && columns.some((item) => item !== held && /^(?:label|class|category|target)$/.test(plain(item.name)) && isChoice(item))
  const several = others.length >= wide && (byName || choices.length !== 1) && !marked
  if (several && columns.length > wide && (key || (held && held.index <= 2)))
    return {
      kind: 'fields',
      text: held?.name,
      fields: found.map((item) => item.name),
      label: label?.name,
      why: `${count} rows with ${found.length} things found in "${(held ?? key)!.name}": ${found.map((item) => item.name).join(', ')}`,
    }
  if (byName && columns.length > wide && !label && !(held && others.length < wide))
    return { kind: 'reference', why: `a table of facts with the columns ${columns.map((item) => item.name).join(', ')}` }
  if (byName && label && !held && columns.length > wide)
    return { kind: 'reference', why: `a table of facts with the columns ${columns.map((item) => item.name).join(', ')}` }
  // Names alone say little in a wide table: then the text must be called one, too.
  const known = !byName || columns.length <= 3 || (text !== undefined && (named(text, 'text') || named(text, 'question')))
  if (label && text && known) {
    const labels = label.values.map((entry) => entry.value)
    const group = groupColumn(columns, [text, label])
    const parts = new Set(labels.flatMap((entry) => entry.split(/[;|]/).map((part) => part.trim()))).size
    const kinds = !labels.length ? 'what it is' : separatedLabels(labels) ? `which of ${parts} kinds` : `one of ${labels.length} kinds`
    const about = context && text === question ? context : undefined
    const apart = group ? ` Texts with the same "${group.name}" are kept together.` : ''
    return {
      kind: 'labelled',
      text: text.name,
      label: label.name,
      labels,
      ...(about ? { context: about.name } : {}),
      group: group?.name,
      why: `${count} texts in "${text.name}"${about ? ` with what they are about in "${about.name}"` : ''}, and "${label.name}" says ${kinds} each is.${apart}`,
    }
  }
  const long = columns.filter((item) => item.length >= 25 && !namedExactly(item, 'never'))
  if (long.length === 2)
    return {
      kind: 'pairs',
      text: long[0]!.name,
      target: long[1]!.name,
      languages: undefined,
      why: `${count} pairs of texts side by side, "${long[0]!.name}" and "${long[1]!.name}"`,
    }
  if (byName && held && others.length >= 1)
    return { kind: 'either', text: held.name, other: others.at(-1)!.name, why: `${count} texts in "${held.name}" with "${others.at(-1)!.name}" beside them` }
  if (byName && columns.length === 2 && !columns.some((item) => namedExactly(item, 'never')))
    return { kind: 'either', text: columns[0]!.name, other: columns[1]!.name, why: `${count} rows of "${columns[0]!.name}" and "${columns[1]!.name}"` }
  if (columns.length > wide) return { kind: 'reference', why: `a table of facts with the columns ${columns.map((item) => item.name).join(', ')}` }
  if (text && (text.length >= 15 || (byName && held)))
    return { kind: 'unlabelled', text: text.name, why: `texts in "${text.name}" without a column that says what each is` }
  return { kind: 'none', why: `none of its columns (${columns.map((item) => item.name).join(', ')}) could be recognised` }
}

const contextName = /^(?:context|passage|abstract|paragraph|evidence|contexto|contexte|kontext|muktadha|konteks|संदर्भ|context_text|source_text)s?$/

/** Most cells name several kinds, separated. */
export const separatedLabels = (labels: readonly string[]): boolean =>
  labels.length > 0 && labels.filter((label) => /[;|]/.test(label)).length > labels.length * 0.3

/** A column of tags, one a word, or of JSON that says what stands in the text beside it. */
function taggedText(columns: readonly Column[], count: string): Parts | undefined {
  const most = (cells: readonly string[], fits: (cell: string) => boolean): boolean => cells.length >= 3 && cells.filter(fits).length >= cells.length * 0.9
  const tags = columns.find(({ cells }) => {
    const words = cells.map((cell) =>
      cell
        .replace(/["[\]]/g, '')
        .split(/[;,\s]+/)
        .filter(Boolean),
    )
    return (
      most(cells, (cell) => /(?:^|[\s"[;,])(?:O|[BIES][-_]\p{L}+)(?:$|[\s";,\]])/u.test(cell)) &&
      words.flat().every((word) => /^(?:O|[BIES][-_]\S+|[BIES][-_]?\p{L}*)$/u.test(word)) &&
      words.flat().some((word) => /^[BS][-_]/.test(word))
    )
  })
  const entities = columns.find(
    ({ cells }) =>
      most(cells, (cell) => /^\s*(?:\[\s*(?:\{|\])|\{\s*")/.test(cell)) && cells.some((cell) => /"(?:type|label|text)"\s*:|^\s*\{\s*"[^"]+"\s*:/.test(cell)),
  )
  if (!tags && !entities) return undefined
  const text = columns
    .filter((item) => item !== tags && item !== entities && !namedExactly(item, 'never') && item.cells.length > 0 && !isNumeric(item))
    .sort((a, b) => b.length - a.length)[0]
  if (!text || text.length < 15) return undefined
  const how = tags ? `"${tags.name}" says word by word` : `"${entities!.name}" lists`
  return {
    kind: 'tagged',
    text: text.name,
    tags: tags?.name,
    entities: tags ? undefined : entities!.name,
    why: `${count} texts in "${text.name}", and ${how} what is found in each.`,
  }
}

/** Two columns of which one is the other's translation, summary or rewriting, told by their names; the cells must be texts where they are known. */
function twoTexts(file: FileListing, columns: readonly Column[], count: string, byName: boolean): Parts | undefined {
  const spoken = columns.flatMap((item) => {
    const language = languageOfColumn(item.name)
    return language === undefined ? [] : [{ item, language }]
  })
  const different = new Set(spoken.map((entry) => entry.language)).size
  if (spoken.length >= 2 && different >= 2 && (byName || spoken.every(({ item }) => !isChoice(item)))) {
    const words = /gloss|term|word|vocab|dictionar|lexi|wort|glos|palabra|mot|kamusi|istilah|शब्द|词|術語/i
    const short = !byName && spoken.every(({ item }) => item.length > 0 && item.length < 25)
    if (short || words.test(plain(file.name)) || words.test(plain(file.note ?? '')))
      return { kind: 'glossary', languages: spoken.map((entry) => entry.language), why: `${count} words in ${spoken.length} languages` }
    const [from, to] = spoken as [(typeof spoken)[0], (typeof spoken)[0]]
    return {
      kind: 'pairs',
      text: from.item.name,
      target: to.item.name,
      languages: [from.language, to.language],
      why: `${count} pairs of texts, "${from.item.name}" and "${to.item.name}"`,
    }
  }
  const free = columns.filter((item) => !namedExactly(item, 'never') || named(item, 'text'))
  if (free.length < 2 || free.length > wide) return undefined
  // The last column whose name says that it was made from another.
  const target = free.findLast((item) => item !== free[0] && named(item, 'target') && !named(item, 'label'))
  if (!target || (!byName && (isChoice(target) || target.length < 15))) return undefined
  const text = free.find((item) => item !== target)!
  if (!byName && isChoice(text)) return undefined
  return {
    kind: 'pairs',
    text: text.name,
    target: target.name,
    languages: undefined,
    why: `${count} texts in "${text.name}" with what became of them in "${target.name}"`,
  }
}

function column(file: FileListing, name: string, index: number): Column {
  const rows = file.rows ?? 0
  const values = file.values?.[name] ?? []
  const empty = file.empty?.[name] ?? 0
  const cells = Array.isArray(file.sample) ? file.sample.map((row) => row[name] ?? '').filter(Boolean) : []
  return {
    name,
    index,
    filled: rows - empty,
    empty,
    distinct: file.values?.[name] ? values.length : undefined,
    values,
    length: file.length?.[name] ?? 0,
    cells,
  }
}

/** Most cells end as questions end. */
const asks = (item: Column): boolean => item.cells.length >= 3 && item.cells.filter((cell) => /[?？؟;]\s*$/.test(cell)).length >= item.cells.length * 0.6

/** Few values that come again and again. */
const isChoice = (item: Column): boolean => item.distinct !== undefined && item.distinct >= 1 && item.distinct <= 200 && item.filled >= item.distinct * 2

const isNumeric = (item: Column): boolean => item.cells.length > 0 && item.cells.every((cell) => /^[-+\d.,:/% ]+$/.test(cell))

function labelValue(item: Column): number {
  let value = named(item, 'label') ? 2.5 : 0
  if (/^(label|class|category|target)$/.test(plain(item.name))) value += 0.5
  if (item.values.length > 2 && separatedLabels(item.values.map((entry) => entry.value))) value -= 1
  if (item.distinct !== undefined && item.filled > 0) {
    if (isChoice(item) && item.length <= 60 && item.distinct >= 2) value += 3
    else if (item.distinct <= 1) value -= item.filled > 20 ? 4 : 1
    else if (item.length > 60) value -= 4
  } else if (item.length > 0) value -= item.length > 60 ? 6 : 2
  if (namedExactly(item, 'never')) value -= 3
  else if (named(item, 'group')) value -= 2
  if (isNumeric(item) && !named(item, 'label')) value -= item.distinct !== undefined && item.distinct <= 12 ? 0.5 : 3
  if (named(item, 'text') && item.length > 40) value -= 1
  return value + item.index * 0.01
}

function textValue(item: Column): number {
  let value = Math.log2(1 + item.length)
  if (named(item, 'text') || named(item, 'question')) value += 2
  if (isChoice(item)) value -= 3
  if (isNumeric(item)) value -= 4
  if (named(item, 'label')) value -= item.length ? 1 : 3
  if (named(item, 'group')) value -= 1
  return value
}

/** A column that names the document, person or case several rows belong to. */
function groupColumn(columns: readonly Column[], taken: readonly Column[]): Column | undefined {
  return columns.find((item) => {
    if (taken.includes(item) || !named(item, 'group')) return false
    return item.distinct === undefined || (item.distinct >= 20 && item.filled >= item.distinct * 1.5)
  })
}
