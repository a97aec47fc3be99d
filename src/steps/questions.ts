/**
 * Passages -> questions with their answers, without a language model: from headings, definitions, lists, questions that stand in
 * the text, rows of facts and sentences with a gap. Every answer is quoted from its passage; {@link supported} checks that.
 * Knows nothing of files or parts.
 */
import { duplicateKey, type Example, exampleOf, fraction, type Passage } from '../core/dataset.ts'

type Made = NonNullable<Example['made']>
/** The best first: what reads like a question comes before sentences with a gap. */
const ORDER: readonly Made[] = ['question', 'heading', 'definition', 'list', 'row', 'cloze']
/** With fewer documents than these, the sections of a document are what is kept apart. */
const ENOUGH_DOCUMENTS = 12

const forms: Record<string, { is: string; what: (term: string) => string }> = {
  en: { is: 'is an?|is the|are the|means|refers to|is defined as', what: (term) => `What is ${term}?` },
  es: { is: 'es una?|es el|es la|significa|se define como', what: (term) => `¿Qué es ${term}?` },
  fr: { is: 'est une?|est le|est la|désigne|signifie', what: (term) => `Qu’est-ce que ${term} ?` },
  de: { is: 'ist eine?|ist der|ist die|ist das|bedeutet|bezeichnet', what: (term) => `Was ist ${term}?` },
  pt: { is: 'é uma?|é o|é a|significa', what: (term) => `O que é ${term}?` },
  sw: { is: 'ni', what: (term) => `${term} ni nini?` },
  id: { is: 'adalah|ialah|merupakan', what: (term) => `Apa itu ${term}?` },
}

/** At most `most` questions, the better forms first, spread evenly over the passages. The same passages give the same ones. */
export function questionsFrom(passages: readonly Passage[], options: { language: string; most: number }): Example[] {
  const documents = new Set(passages.map(({ source }) => source.file)).size
  const groupOf = (passage: Passage): string =>
    documents >= ENOUGH_DOCUMENTS
      ? passage.source.file
      : `${passage.source.file}\n${passage.heading.split(' - ')[0] || (passage.source.page ? `page ${passage.source.page}` : passage.id)}`
  const made: Example[] = [...fromHeadings(passages, groupOf), ...passages.flatMap((passage) => fromPassage(passage, options.language, groupOf(passage)))]
  const seen = new Set<string>()
  const different = made.filter(({ input }) => {
    const key = duplicateKey(input)
    if (!key || seen.has(key)) return false
    seen.add(key)
    return true
  })
  const chosen: Example[] = []
  for (const kind of ORDER) {
    const of = different.filter((item) => item.made === kind).sort((a, b) => fraction(a.id, 0) - fraction(b.id, 0))
    chosen.push(...of.slice(0, options.most - chosen.length))
  }
  return chosen
}

/** True when every part of the answer stands word for word in the passage. */
export function supported(answer: string, passages: readonly Passage[]): boolean {
  const text = duplicateKey(passages.map((passage) => passage.sentences.join(' ')).join(' '))
  return ` ${text} `.includes(` ${duplicateKey(answer)} `)
}

/** A heading asks, the text under it answers. */
function fromHeadings(passages: readonly Passage[], groupOf: (passage: Passage) => string): Example[] {
  const sections = new Map<string, Passage[]>()
  for (const item of passages) {
    if (!item.heading || item.source.row) continue
    const key = `${item.source.file}\n${item.heading.split(' - ')[0]}`
    sections.set(key, [...(sections.get(key) ?? []), item])
  }
  return [...sections.values()].flatMap((items) => {
    const first = items[0]!
    const heading = first.heading.split(' - ')[0]!
    // A number alone, or a heading that stands in every document of a set, names nothing.
    if ((heading.match(/\p{L}/gu)?.length ?? 0) < 4) return []
    const input = /[?？؟]$/.test(heading) ? heading : `${first.title}: ${heading}`
    const answer = items.flatMap((item) => item.sentences).join(' ')
    return [exampleOf({ input, answer }, { file: first.source.file, heading }, groupOf(first), /[?？؟]$/.test(heading) ? 'question' : 'heading')]
  })
}

function fromPassage(passage: Passage, language: string, group: string): Example[] {
  const made: Example[] = []
  const add = (kind: Made, input: string, answer: string) => {
    if (supported(answer, [passage])) made.push(exampleOf({ input, answer }, passage.source, group, kind))
  }
  const { sentences, title } = passage
  if (passage.source.row) {
    // A row of facts: its first cell is what it is about.
    const [first, ...rest] = sentences.map((sentence) => sentence.split(': '))
    if (first && rest.length)
      for (const [name, ...value] of rest)
        if (value.length && first.slice(1).join(': ').length < 80) add('row', `${first.slice(1).join(': ')}: ${name}?`, `${name}: ${value.join(': ')}`)
    return made
  }
  const form = forms[language.split('-')[0]!]
  const definition = form && new RegExp(`^((?:\\p{Lu}|["“])[^,;:.()]{2,50}?)\\s+(?:\\([^)]{2,30}\\)\\s+)?(?:${form.is})\\s`, 'u')
  for (const [index, sentence] of sentences.entries()) {
    const rest = sentences.slice(index + 1, index + 3)
    const term = definition?.exec(sentence)?.[1]?.replace(/^["“]|["”]$/g, '')
    if (/[?？؟]$/.test(sentence) && rest.length && !/[?？؟]$/.test(rest[0]!)) add('question', sentence, sentences.slice(index + 1).join(' '))
    else if (
      term &&
      term.split(' ').length <= 6 &&
      !/^(?:it|this|that|these|those|they|there|he|she|we|you|which|what|one|another|each|if|when|in|for|el|la|il|elle|es|er|sie|isto|hii|hiyo|ini|itu)\b/i.test(
        term,
      )
    )
      add(
        'definition',
        form!.what(/^(?:The|An?|El|La|Le|Der|Die|Das|O|A) /.test(term) ? term[0]!.toLowerCase() + term.slice(1) : term),
        [sentence, ...rest.slice(0, 1)].join(' '),
      )
    else if (/[:：]$/.test(sentence) && sentences.length - index > 2)
      add('list', `${title}: ${sentence.replace(/\s*[:：]$/, '')}`, sentences.slice(index + 1).join(' '))
    else if (sentence.length >= 60 && sentence.length <= 300) {
      const gap = gapOf(sentence)
      if (gap) add('cloze', gap, sentence)
    }
  }
  return made
}

/** The sentence with its most telling word left out: a number, or the longest word after its beginning. */
function gapOf(sentence: string): string | undefined {
  const words = sentence.split(' ')
  const places = words.flatMap((word, place) => (place > 2 && /^[\p{L}\p{M}\d.,%-]+[.,;]?$/u.test(word) ? [place] : []))
  const best = places.sort((a, b) => value(words[b]!) - value(words[a]!) || a - b)[0]
  if (best === undefined || value(words[best]!) < 8) return undefined
  return words.map((word, place) => (place === best ? '____' : word)).join(' ')
}

const value = (word: string): number => (/\d/.test(word) ? 12 : Array.from(word).length)
