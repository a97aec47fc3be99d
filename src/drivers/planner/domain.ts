/**
 * The subject of a model in two or three words, taken from the description and the names of the files, and a short name made of them.
 * Knows nothing of tasks.
 */
import { contentId } from '../../core/id.ts'
import type { FileListing } from '../../ports/planner.ts'
import { smallWords } from '../language/small-words.ts'
import { taskCues } from './cues.ts'
import { languagesNamed } from './language-names.ts'
import { plain } from './languages.ts'
import { moreSmallWords } from './small-words.ts'
import { aboutWords } from './words.ts'

const dull = new Set(
  'want need like would should could please answer answers answering question questions ask asks asking text texts model models tell kind kinds type types these those them they some something thing things come comes cover covers page pages read see soma here there their which what when where whatever will just really very much many more most less same every each one two three four five six seven eight nine ten hundred thousand year years month week weeks day days old new last first next long short good well also only never always know knows say says said get gets got give gives gave make makes made find take put use used using work works people person sheet file files folder attached enclosed pdf csv xlsx docx json column columns row rows example examples label labels labelled tag tags sort sorted classify categories category answers reply replies write writes written send sends sent look looks open fine help helps thanks hello hi run runs small big plain english spanish french german language languages word words sentence sentences line lines list lists data bot chatbot assistant second seconds price cost pay paid own our ours mine his her hers its you your yours who whom whose how why not nor but because since than then too out over under into onto from with without within about after before while until against between among through during both either neither other another any all none half such even still yet already again back down off away around near far per via etc please automatically system tool thing stuff bit lot plenty half already using based hand typed filled done right wrong true false yes goes going went take takes taken want wants wanted need needs needed must may might can cannot been being was were are have has had having does did doing done that this the and for'.split(
    ' ',
  ),
)
const small = new Set(Object.values({ ...moreSmallWords, ...smallWords }).flatMap((list) => plain(list).split(' ')))

const content = (text: string): string[] =>
  text.split(/[^\p{L}\p{M}\p{N}'’-]+/u).filter((word) => word.length > 2 && word.length < 24 && !/\d/.test(word) && !isDull(word))
const isDull = (word: string): boolean => dull.has(plain(word).trim()) || small.has(plain(word).trim())

/** Words that say what to do, or in which language, say nothing of the subject. */
const isOrder = (word: string): boolean =>
  languagesNamed(word).length > 0 || Object.values(taskCues).some((list) => list.some(([weight, cues]) => weight >= 3 && cues.test(plain(word))))

/** Two to four words; null when the description holds none. Words the names of the files repeat come first. */
export function domainOf(words: string, files: readonly FileListing[]): string | null {
  const named = subjectOf(words)
  const inFiles = new Set(
    files.flatMap((file) =>
      content(
        file.name
          .replace(/^.*\/(?=.)/, '')
          .replace(/\.[^.]*$/, '')
          .replace(/[_-]+/g, ' '),
      ).map((word) => plain(word).slice(0, 5)),
    ),
  )
  const sentences = words.split(/[.!?।。;:\n]/u).slice(0, 4)
  const counts = new Map<string, { word: string; value: number; at: number }>()
  let at = 0
  for (const [index, sentence] of sentences.entries())
    for (const word of content(sentence).filter((one) => !isOrder(one))) {
      const key = plain(word).slice(0, 5)
      const known = counts.get(key)
      const value = (index === 0 ? 1 : 0.6) + (inFiles.has(key) ? 1.5 : 0)
      if (known) known.value += 0.7
      else counts.set(key, { word, value: value - at * 0.02, at })
      at++
    }
  if (named) return named
  const best = [...counts.values()]
    .sort((a, b) => b.value - a.value || a.at - b.at)
    .slice(0, 3)
    .sort((a, b) => a.at - b.at)
    .map(({ word }) => word)
  const chosen = best.join(' ')
  return chosen || null
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
      .filter((word) => word.length > 2 && word.length < 20 && !small.has(word) && !dull.has(word))
  const subject = clean(subjectOf(words) ?? '')
  const said = clean(words)
  const named = files.slice(0, 1).flatMap((file) => clean(file.name.replace(/^.*\//, '').replace(/\.[^.]*$/, '')))
  const chosen = [...new Set([...subject, ...(subject.length >= 2 ? [] : said), ...(said.length ? [] : named)])].slice(0, 3)
  const name = chosen.join('-').slice(0, 40).replace(/-+$/, '')
  return name || `model-${contentId(words).slice(2, 10)}`
}
