/**
 * How an answer should be: cited, refused outside its scope, its tone, its readers, its layout. Reads them out of words made plain.
 * Knows nothing of tasks or files.
 */
import type { Task } from '../../core/spec.ts'
import { beginnings } from './cues.ts'
import { plain } from './languages.ts'
import { lengthIn } from './measures.ts'
import { audiences, tones, wishes } from './words.ts'

export const cues = {
  cite: { yes: beginnings(wishes.cite.yes), no: beginnings(wishes.cite.no) },
  /** That each finding or sentence carries the place it stands at. */
  citePlace: beginnings(
    '(?:next to|beside|with|for|after|behind) (?:each|every|it|them)(?: one)?,? (?:\\p{L}+ ){0,4}(?:clause|page|line|paragraph|section|article|source)|the (?:clause|page|line|paragraph|section|article) it (?:came|comes|was|is)|where (?:in the \\p{L}+ )?it (?:came|comes|stands|stood)|cite\\b|citing|with (?:the )?(?:page|line|clause|paragraph) numbers?|(?:indicando|con) (?:el|la) (?:pagina|articulo|clausula)|avec (?:la|le) (?:page|numero)|mit (?:seitenzahl|fundstelle)|com a pagina|pamoja na ukurasa|dengan halaman',
  ),
  refuse: { yes: beginnings(wishes.refuse.yes), no: beginnings(wishes.refuse.no) },
  several: { yes: beginnings(wishes.several.yes), no: beginnings(wishes.several.no) },
  local: beginnings(wishes.local.yes),
}

const lengths =
  /(?<![\p{L}\p{N}])(?:one|two|three|four|five|[1-9]|una?|dos|tres|une|deux|trois|cinq|cinco|eine[mn]?|ein|zwei|drei|uma|duas|dois|satu|dua|tiga|एक|दो|तीन)[ -](?:or (?:two|three) )?(?:short )?(?:sentence|line|frase|linea|phrase|ligne|satz|saetz|satze|zeile|linha|kalimat|baris|वाक्य|पंक्ति)\p{L}*|sentensi (?:moja|mbili|tatu)|mistari \p{L}+/gu
const tonePatterns = Object.entries(tones).map(([tone, list]) => [tone, beginnings(list)] as const)
const audiencePatterns = Object.entries(audiences).map(([audience, list]) => [audience, beginnings(list)] as const)
const negation =
  /(?:\b(?:not|never|no|isn t|without|nicht|pas|jamais|nunca|jamas|sin|sem|ohne|bila|tanpa|jangan|bukan|non|niet|nao|si)|不|别|لا|غير|نہیں)(?:\s+(?:too|be|babyish|so|overly|muy|trop|zu|muito|sana|terlalu))?\s*$/u

/** The tones a text asks for, in English, at most three; null when it asks for none. Tones that are denied are left out. */
export function tonesIn(said: string, task?: Task): string | null {
  // How long a summary is is its layout; only an answer of two sentences is a curt one.
  const text = task === 'answer' ? said : said.replace(lengths, ' ')
  const found = tonePatterns
    .flatMap(([tone, pattern]) => {
      const match = pattern.exec(text)
      if (!match || negation.test(text.slice(Math.max(0, match.index - 20), match.index))) return []
      return [{ tone, at: match.index }]
    })
    .sort((a, b) => a.at - b.at)
    .slice(0, 3)
    .map(({ tone }) => tone)
  return found.join(', ') || null
}

/** Whom a text is for, in English. */
export function audienceIn(text: string): string | null {
  const found = audiencePatterns.flatMap(([audience, pattern]) => {
    const match = pattern.exec(text)
    return match ? [{ audience, at: match.index }] : []
  })
  return found.sort((a, b) => a.at - b.at)[0]?.audience ?? null
}

const formats: readonly (readonly [string, RegExp])[] = [
  ['json', beginnings('json')],
  ['csv', beginnings('csv (?:out|please|back)|as (?:a )?csv')],
  [
    'table',
    beginnings('as (?:a )?table|into (?:a|the) (?:table|sheet|spreadsheet)|en (?:una )?tabla|tableau|als tabelle|tabela|jedwali|तालिका|tabel\\b|表格|جدول'),
  ],
  ['list', beginnings('as (?:a )?(?:short )?list|bullet|lista|liste\\b|orodha|सूची|daftar|列表|قائمة|puntini|opsomming')],
]

/** The layout a description asks for, as Spec.outputFormat says it; null when it asks for none. */
export function formatIn(words: string): string | null {
  const text = plain(words)
  const layout = formats.find(([, pattern]) => pattern.test(text))?.[0]
  return [layout, lengthIn(words)?.text].filter(Boolean).join(', ') || null
}
