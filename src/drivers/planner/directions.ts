/**
 * Which languages a model reads and which it writes: by the samples where there are any, by what the words name, by the columns' names and the
 * notes on the files, and else by the language of the words. Knows nothing of how a language is recognised.
 */
import type { Task } from '../../core/spec.ts'
import { beginnings } from './cues.ts'
import type { Seen } from './evidence.ts'
import { languageMentions, languageOfColumn, type Mention } from './language-names.ts'
import { closestLanguage, languageOf, tag } from './languages.ts'

type Evidence = { seen: readonly Seen[]; task: Task; request: string; mentions: readonly Mention[]; text: string }

const unique = (tags: readonly string[]): string[] => [...new Set(tags)]
const inPart = (mentions: readonly Mention[], ...roles: Mention['role'][]): string[] =>
  unique(mentions.filter((one) => roles.includes(one.role)).map((one) => one.tag))

/** "the language they write in is the language they get back" */
const mirrored = beginnings(
  'whatever language|whichever language|(?:same|their own) language|language (?:they|the \\p{L}+) (?:write|wrote|ask|use|come)s?|mismo idioma|misma lengua|idioma en que|meme langue|langue (?:de la|dans laquelle|du)|(?:gleichen|selben|jeweiligen) sprache|sprache der|mesma lingua|mesmo idioma|lugha ile ile|lugha hiyo hiyo|उसी भाषा|bahasa yang sama|相同的语言|同样的语言|نفس اللغة|stessa lingua|dezelfde taal|conforme o|depending on|je nach',
)
const translating = beginnings(
  'translat|traduc|traduz|traduir|ubersetz|tafsiri|terjemah|अनुवाद|翻译|ترجم|翻訳|vertaal|vertal|перев|przetlumacz|tradu|turn(?:s|ed|ing)? (?:\\p{L}+ ){0,5}into|summar|version',
)
/** Wishes that leave a text in its language. */
const sameTongue = beginnings(
  'correct|proofread|grammar|spelling|typos?\\b|simplif|easy[- ]read|easier|leichte[rn]? sprache|vereinfach|einfache[rnms]? (?:sprache|deutsch)|moderni[sz]|shorten|polish(?:ed)? (?:my|the|our|their)|corrig|korrigier|sahihish|rahisish|सुधार|koreksi|sederhana|simplific',
)
const simpler = beginnings('simplif|easy[- ]read|easier|leichte[rn]? sprache|vereinfach|einfache[rnms]? (?:sprache|deutsch)|rahisish|sederhana|simplific')
/** The words' own language is read beside those they name. */
const besides = beginnings('as well as|also in|too\\b|some(?:times)? in|besides|or in|tambien|aussi|auch|tambem|pia|भी|juga|anche|ook|也')

export function inputLanguages(evidence: Evidence & { words: string }): string[] {
  const { seen, task, request, mentions, text } = evidence
  const named = unique(mentions.map((one) => one.tag))
  const sampled = sampleLanguage(evidence, named)
  if (sampled) return [sampled]
  const read = inPart(mentions, 'in')
  const open = inPart(mentions, 'either')
  const written = inPart(mentions, 'out')
  if (task === 'transform') {
    const pair = seen.flatMap((entry) => (entry.parts.kind === 'pairs' && entry.parts.languages ? [entry.parts.languages] : []))[0]
    if (pair && written.length === 1 && written[0]!.split('-')[0] === pair[0].split('-')[0]) return [pair[1]]
    if (pair && !written.length) return [pair[0]]
    if (read.length) return read
    if (pair) return [pair[0]]
    const column = seen.flatMap((entry) => (entry.parts.kind === 'pairs' ? [languageOfColumn(entry.parts.text)] : [])).find((one) => one !== undefined)
    if (column) return [column]
    const noted = notedLanguages(seen)
    if (noted.length) return noted
    const rest = open.filter((one) => !written.includes(one))
    if (mirrored.test(text) && rest.length) return unique([request, ...rest])
    // "Welsh and English both": the one read is the expert's own, and all are written.
    if (rest.length > 1 && !written.length && rest.some((one) => one.split('-')[0] === request)) return [request]
    if (rest.length > 1 && !written.length) return [rest[0]!]
    // "in plain German": what is made easier, and not translated, is in the same language.
    if (written.length === 1 && !rest.length && sameTongue.test(text) && !translating.test(text) && simpler.test(text)) return written
    return rest.length && (written.length || sameTongue.test(text)) ? rest : [request]
  }
  const noted = task === 'answer' ? [] : notedLanguages(seen)
  const likely = unique([...read, ...open])
  if (likely.length) {
    const both = mentions.length && besides.test(text) && !likely.includes(request) && likely.length === 1
    return both ? [request, ...likely] : likely
  }
  return noted.length ? noted : [request]
}

export function outputLanguages(evidence: Evidence & { language: readonly string[]; labels: readonly string[] | null }): string[] {
  const { seen, task, request, mentions, language, labels, text } = evidence
  const written = inPart(mentions, 'out')
  if (task === 'classify') return labelLanguage(labels, language[0]!, request, seen)
  if (task === 'answer') return written.length && !mirrored.test(text) ? written : [...language]
  if (task === 'extract') return written.length ? written : [...language]
  const pair = seen.flatMap((entry) => (entry.parts.kind === 'pairs' ? [entry.parts] : []))[0]
  if (written.length) return written
  const further = inPart(mentions, 'either').filter((one) => !language.includes(one))
  if (pair?.languages && further.length > 1) return further
  if (pair?.languages) return [pair.languages.find((one) => !language.includes(one)) ?? pair.languages[1]]
  const column = pair && languageOfColumn(pair.target)
  if (column) return [column]
  const glossary = seen.flatMap((entry) => (entry.parts.kind === 'glossary' ? entry.parts.languages : [])).filter((one) => !language.includes(one))
  const open = inPart(mentions, 'either')
  if (open.length > 1 && open.some((one) => one.split('-')[0] === request) && language.includes(request)) return open
  const rest = open.filter((one) => !language.includes(one))
  if (rest.length) return rest
  if (sameTongue.test(text) && !translating.test(text)) return [...language]
  if (glossary.length && beginnings('translat|traduc|traduz|traduir|ubersetz|tafsiri|terjemah').test(text)) return glossary
  // What is read in another language than the expert's own is wanted in the expert's own.
  const across = mentions.some((one) => one.role === 'in') || language.every((one) => one.split('-')[0] !== request.split('-')[0])
  return across && !language.includes(request) && !mirrored.test(text) ? [request] : [...language]
}

/** "62 pages, English": languages the notes on the files name. */
function notedLanguages(seen: readonly Seen[]): string[] {
  return unique(seen.flatMap(({ file }) => (file.columns?.length ? [] : languageMentions(`${file.note ?? ''} `).map((one) => one.tag))))
}

/** What is really written there outweighs what is said about it; where letters alone cannot tell, what is said helps. */
function sampleLanguage({ seen, task, request }: Evidence, named: readonly string[]): string | undefined {
  const sample = seen
    .map(({ file, parts }) => {
      if (typeof file.sample === 'string') return task === 'answer' || !seen.some((entry) => entry.file.columns?.length) ? file.sample.slice(0, 1500) : ''
      if (!Array.isArray(file.sample) || !file.sample.length) return ''
      const column = 'text' in parts ? parts.text : parts.kind === 'questions' ? parts.question : undefined
      return file.sample.map((row) => (column === undefined ? Object.values(row).join(' ') : (row[column] ?? ''))).join('\n')
    })
    .join('\n')
    .trim()
  return sample.length >= 20 ? languageOf(sample, sample.length < 400 ? [...named, request] : named) : undefined
}

/** Labels are a few words, too few for letter statistics over all languages: only the likely ones compete. Codes have no language. */
function labelLanguage(labels: readonly string[] | null, reading: string, request: string, seen: readonly Seen[]): string[] {
  if (!labels) {
    const coded = seen.some(
      ({ file, parts }) =>
        (parts.kind === 'labelled' || parts.kind === 'either' || (parts.kind === 'fields' && parts.label !== undefined)) &&
        (/code|distinct|\bcodes\b/i.test(file.note ?? '') ||
          /\d|code/i.test(parts.kind === 'labelled' ? parts.label : parts.kind === 'fields' ? (parts.label ?? '') : parts.other)),
    )
    return coded ? [] : [request]
  }
  if (!labels.some((label) => /\p{L}{3}/u.test(label) || /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}]/u.test(label)))
    return [request]
  const likely = unique([reading, request, 'en'])
  if (likely.length === 1) return likely
  const joined = labels.join(' ').replace(/[_/-]/g, ' ')
  const latin = /\p{Script=Latin}/u.test(joined)
  const fitting = likely.filter((code) => latin === /\p{Script=Latin}/u.test(new Intl.DisplayNames([code], { type: 'language' }).of(code) ?? 'a'))
  // Labels quoted in the description are in the description's language, but for English ones.
  if (seen.every(({ file }) => !file.values) && fitting.includes(request)) return [request]
  return [closestLanguage(joined, fitting) ?? fitting[0] ?? request].map(tag)
}
