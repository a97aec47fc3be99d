/**
 * The subject of a model in two to four English words, material last ("wind turbine tickets"), taken from the description and the names of the
 * files, and a short name made of them. Knows nothing of tasks.
 */
import { contentId } from '../../core/id.ts'
import type { FileListing } from '../../ports/planner.ts'
import { smallWords } from '../language/small-words.ts'
import { beginnings, taskCues } from './cues.ts'
import { betterWords, dullWords, nounsInIng } from './dull-words.ts'
import { languagesNamed } from './language-names.ts'
import { languageOfWords, plain } from './languages.ts'
import { moreSmallWords } from './small-words.ts'
import { materials, subjects } from './subjects.ts'
import { aboutWords } from './words.ts'

const small = new Set(Object.values({ ...moreSmallWords, ...smallWords }).flatMap((list) => plain(list).split(' ')))
const englishSmall = new Set(plain(`${smallWords.en ?? ''} ${moreSmallWords.en ?? ''}`).split(' '))

/** English nouns for material, beside those with words in other languages. */
const moreMaterials =
  'reviews feedback complaints letters emails email messages reports tickets invoices receipts contracts leases deeds records minutes notes recipes judgments rulings decisions laws regulations rules bylaws byelaws manuals handbook handbooks leaflets forms orders enquiries inquiries questions advertisements adverts ads listings applications referrals comments news headlines articles posts descriptions prescriptions findings tests essays poems songs lyrics stories sermons speeches transcripts interviews calls bulletins summaries translations books catalogue catalogues labels notices petitions claims logs transactions bills menus statements instructions agreements agreement guidelines protocols procedures policies policy certificates surveys tweets subtitles captions scripts dialogue proverbs hymns obituaries abstracts papers theses grants proposals tenders bids quotes specifications specs datasheets drawings plans schedules timetables diaries memoirs inscriptions manuscripts registers cards circulars newsletters press releases release incidents alerts alarms remarks observations readings diagnoses symptoms codes clauses standards statutes acts decrees ordinances treaties warrants permits licences licenses appeals grievances testimonies statements affidavits transcriptions glossaries terms exams answers grades assignments lessons syllabus curricula chats conversations threads requests suggestions ideas blurbs slogans brochures flyers signs panels documents deficiencies inspections audits assessments evaluations profiles biographies cvs resumes payslips payrolls budgets accounts ledgers statements journals wiki faq faqs program programmes manifests waybills lading'.split(
    ' ',
  )
const singular = (word: string): string =>
  /(?:ss|us|is)$/.test(word) || word.length < 4
    ? word
    : word
        .replace(/ies$/, 'y')
        .replace(/(ch|sh|x|ss)es$/, '$1')
        .replace(/s$/, '')
const isMaterial = new Set([...Object.keys(materials), ...moreMaterials].flatMap((word) => [word, singular(word)]))

const verbsFollow = new Set('to i we they you it should must can could will would please not never always that who which and or'.split(' '))

type Word = { text: string; key: string; at: number; sentence: number; dull: boolean; material: boolean; gap: boolean }

/** The words of a description with what each may be; `gap`: something other than a space stands before it. */
function wordsOf(description: string): Word[] {
  const found: Word[] = []
  let end = 0
  let sentence = 0
  for (const match of description.matchAll(/[\p{L}\p{M}\p{N}]+(?:[-'’][\p{L}\p{M}\p{N}]+)*/gu)) {
    const between = description.slice(end, match.index)
    if (found.length && /[.!?।。;\n]/u.test(between)) sentence++
    end = match.index + match[0].length
    const text = match[0].replace(/['’]s?$/u, '')
    const key = plain(text).trim()
    // "Answer from", "to label": a word for material that is a verb here.
    const previous = found.at(-1)
    const verb = key === singular(key) && (!previous || /[.!?:;\n]/u.test(between) || verbsFollow.has(previous.key))
    const material = isMaterial.has(key) && !verb
    found.push({
      text,
      key,
      at: found.length,
      sentence,
      dull: !material && ((verb && isMaterial.has(key)) || isDull(text, key)),
      material,
      gap: /[^\s]/u.test(between),
    })
  }
  return found
}

const isDull = (text: string, key: string): boolean =>
  key.length < 3 ||
  /^(?:these|those|this)$/.test(key) ||
  /\d/.test(key) ||
  dullWords.has(key) ||
  dullWords.has(text.toLowerCase().replace(/’/g, "'")) ||
  englishSmall.has(key) ||
  (/(?:ly|ing|ed)$/.test(key) && key.length > 5 && !nounsInIng.has(key) && !nounsInIng.has(key.split('-').at(-1)!)) ||
  languagesNamed(text).length > 0

type Phrase = { words: Word[]; material: boolean; value: number }

/** Runs of nouns, the head last. */
function phrasesOf(found: readonly Word[], inFiles: ReadonlySet<string>): Phrase[] {
  const runs: Word[][] = []
  for (const [index, word] of found.entries()) {
    if (word.dull) continue
    const last = runs.at(-1)
    // A material word ends a noun phrase unless another follows ("contract reviews").
    if (last && !word.gap && last.at(-1)!.at === index - 1 && !(last.at(-1)!.material && !word.material)) last.push(word)
    else runs.push([word])
  }
  const counts = new Map<string, number>()
  for (const word of found) counts.set(word.key.slice(0, 5), (counts.get(word.key.slice(0, 5)) ?? 0) + 1)
  return runs.map((run) => {
    const words = run.slice(-4)
    const head = words.at(-1)!
    const repeated = words.reduce((sum, word) => sum + Math.min(counts.get(word.key.slice(0, 5))! - 1, 2) * 0.5, 0)
    const filed = words.filter((word) => inFiles.has(word.key.slice(0, 5))).length
    const early = head.sentence === 0 ? 1.2 : head.sentence === 1 ? 0.7 : head.sentence === 2 ? 0.3 : 0
    return {
      words,
      material: head.material,
      value: early + repeated + filed * 0.6 + (words.length > 1 ? 0.8 : 0) + (head.material && words.length > 1 ? 1 : 0),
    }
  })
}

/** "photos OF mushrooms", "tickets FROM our turbines": what belongs to a head that stands alone. */
const links = new Set(['of', 'from', 'about', 'for', 'on', 'to', 'by', 'regarding', 'concerning'])
function complement(head: Phrase, phrases: readonly Phrase[], found: readonly Word[]): Word[] {
  const end = head.words.at(-1)!.at
  const next = phrases.find((one) => one.words[0]!.at > end && one.words[0]!.at <= end + 4)
  if (!next || next.words[0]!.sentence !== head.words[0]!.sentence) return []
  const between = found.slice(end + 1, next.words[0]!.at)
  return between.some((word) => links.has(word.key)) && !found.slice(end + 1, next.words[0]!.at + 1).some((word) => word.gap) ? next.words.slice(-2) : []
}

function englishSubject(description: string, inFiles: ReadonlySet<string>): string | null {
  const found = wordsOf(description)
  const phrases = phrasesOf(found, inFiles)
  if (!phrases.length) return null
  const about = subjectOf(description)?.split(/\s+/)[0]
  const best = (list: readonly Phrase[]): Phrase | undefined => [...list].sort((a, b) => b.value - a.value || a.words[0]!.at - b.words[0]!.at)[0]
  const head = best(phrases.filter((one) => one.material))
  const others = phrases.filter((one) => !one.material).map((one) => (about && one.words[0]!.text === about ? { ...one, value: one.value + 1.2 } : one))
  const chosen: Word[] = []
  if (head) {
    const modifiers = head.words.slice(0, -1)
    const extra = modifiers.length ? [] : complement(head, phrases, found)
    const before = modifiers.length ? modifiers : extra
    const topic = before.length < 2 ? best(others.filter((one) => !one.words.some((word) => before.includes(word)))) : undefined
    chosen.push(...(topic ? topic.words.slice(before.length ? -1 : -2) : []), ...before, head.words.at(-1)!)
  } else {
    const first = best(others)!
    chosen.push(...first.words)
    if (first.words.length < 2) {
      const second = best(others.filter((one) => one !== first))
      if (second) chosen.push(...second.words.slice(-1))
    }
  }
  const heads = chosen.length - 1
  const named = chosen.map((word, index) => {
    const lower = /^\p{Lu}{2,}$/u.test(word.text) ? word.text : word.text.toLowerCase()
    return betterWords[lower] ?? (index < heads ? (betterWords[singular(lower)] ?? singular(lower)) : lower)
  })
  return [...new Set(named)].slice(-4).join(' ') || null
}

const foreign = [
  ...Object.entries(materials).map(([word, list]) => ({ word, list, material: true })),
  ...Object.entries(subjects).map(([word, list]) => ({ word, list, material: false })),
].map(({ word, list, material }) => ({
  word,
  material,
  pattern: new RegExp(beginnings(list.replace(/\\b/g, '(?![\\p{L}\\p{M}])')).source, 'gu'),
  // German, Dutch and the Nordic languages write compounds in one word.
  within: list.split('|').filter((stem) => /^[a-z]{5,}$/.test(stem)),
}))
const compounding = new Set(['de', 'nl', 'sv', 'da', 'no', 'nn', 'fi', 'gsw'])

/** Subject and material of a text in another language, by the words for them that are known. */
function foreignSubject(description: string, language: string, inFiles: string): string | null {
  const text = plain(description)
  const files = plain(inFiles)
  const scored = foreign.flatMap(({ word, material, pattern, within }) => {
    const places = [...text.matchAll(pattern)].map((match) => match.index)
    if (!places.length && compounding.has(language)) places.push(...within.map((stem) => text.indexOf(stem)).filter((at) => at >= 0))
    const filed = new RegExp(pattern.source, 'u').test(files) || files.split(' ').includes(word) || files.split(' ').includes(singular(word))
    if (!places.length) return []
    const first = Math.min(...places)
    return [{ word, material, at: first, value: 2 - (2 * first) / Math.max(text.length, 120) + Math.min(places.length - 1, 3) * 0.5 + (filed ? 0.8 : 0) }]
  })
  const ranked = (material: boolean) => scored.filter((one) => one.material === material).sort((a, b) => b.value - a.value || a.at - b.at)
  const about = ranked(false)
    .slice(0, 2)
    .sort((a, b) => a.at - b.at)
  const [head] = ranked(true)
  const found = [...about.map((one) => one.word), ...(head ? [head.word] : [])]
  return found.length ? found.join(' ') : null
}

const content = (text: string): string[] => text.split(/[^\p{L}\p{M}\p{N}'’-]+/u).filter((word) => word.length > 2 && word.length < 24 && !/\d/.test(word))

const nameOf = (file: FileListing): string =>
  file.name
    .replace(/^.*\/(?=.)/, '')
    .replace(/\.[^.]*$/, '')
    .replace(/[_/-]+/g, ' ')

/** Two to four words; null when the description holds none. `named` are kinds and fields, which are no subject. */
export function domainOf(description: string, files: readonly FileListing[], named: readonly string[] = []): string | null {
  const words = named.reduce((text, item) => (item.length > 2 ? text.split(item).join(' , ') : text), description)
  const language = languageOfWords(description)
  const names = files.map(nameOf).join(' ')
  if (language === 'en' || language === 'pcm') {
    const inFiles = new Set(content(names).map((word) => plain(word).slice(0, 5)))
    return englishSubject(words, inFiles) ?? englishSubject(names, inFiles)
  }
  return foreignSubject(words, language, names) ?? ownWords(words)
}

/** Words that say what to do, or in which language, say nothing of the subject. */
const isOrder = (word: string): boolean =>
  languagesNamed(word).length > 0 || Object.values(taskCues).some((list) => list.some(([weight, cues]) => weight >= 3 && cues.test(plain(word))))

/** The first words that say something, in the description's own language. */
function ownWords(words: string): string | null {
  const said = content(words).filter((word) => !small.has(plain(word).trim()) && !isOrder(word))
  return subjectOf(words) ?? (said.slice(0, 3).join(' ') || null)
}

/** The subject after "about", "sobre", "kuhusu" and the like: one to four words. */
export function subjectOf(words: string): string | null {
  const found = new RegExp(`(?<![\\p{L}\\p{M}])(?:${aboutWords})\\s+((?:[\\p{L}\\p{M}'’-]+\\s*){1,4})`, 'iu').exec(words)
  const cut = found?.[1]
    ?.split(
      /\s+(?:from|and|for|that|which|with|in|to|of this|of these|using|de|del|que|y|et|und|aus|na|kutoka|yang|dari|dan|when|so|by|at|as|on|but|or)(?:\s|$)/iu,
    )[0]
    ?.trim()
  if (!cut || /^(?:it|this|that|the|them|him|what|how|when|two|three|a|an|my|our|eine?|der|die|das|den|dem)$|(?:gani|apa|किस)/iu.test(cut)) return null
  return cut.replace(/^(?:the|our|my|your|los|las|el|la|les|le|die|der|das|a|an)\s+/iu, '') || null
}

/** A short name that can be typed, from the words that say most; from the files where the words are not in Latin letters. */
export function slugOf(words: string, files: readonly FileListing[]): string {
  const clean = (text: string) =>
    plain(text)
      .split(/[^a-z0-9]+/)
      .filter((word) => word.length > 2 && word.length < 20 && !small.has(word) && !dullWords.has(word))
  const subject = clean(subjectOf(words) ?? '')
  const said = clean(words)
  const named = files.slice(0, 1).flatMap((file) => clean(file.name.replace(/^.*\//, '').replace(/\.[^.]*$/, '')))
  const chosen = [...new Set([...subject, ...(subject.length >= 2 ? [] : said), ...(said.length ? [] : named)])].slice(0, 3)
  const name = chosen.join('-').slice(0, 40).replace(/-+$/, '')
  return name || `model-${contentId(words).slice(2, 10)}`
}
