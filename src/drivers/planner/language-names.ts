/**
 * The languages a text names, by their names in any language the planner speaks, and the part each is given: read from it, write to it.
 * Names come from the platform (CLDR). Knows nothing of tasks or files.
 */
import { tag } from './languages.ts'

const codes =
  'af am ar as ay az ba be bg bm bn bo bs ca ceb ckb cs cy da de dv dz el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gsw gu gv ha haw he hi hr ht hu hy id ig ilo is it iu ja jv ka kab kk kl km kn ko kok kg ku ky la lb lg ln lo lt lua luo lv mai mg mi mk ml mn mni mr ms mt my nb ne nl nn no nso ny oc om or pa pap pl ps pt qu rm rn ro ru rw sa sat sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn tpi tr ts tt ug uk ur uz ve vi wo xh yi yo yue zh zu arc fil grc min kam ki kln mer luy guz mas bug ban mad bho awa doi arn syr ace war bcl pag chr nv bem loz nyn teo fon tiv umb kmb'
const locales = ['en', 'es', 'fr', 'de', 'pt', 'sw', 'hi', 'id', 'it', 'nl', 'ar', 'zh', 'ja', 'ru', 'tr', 'vi', 'pl', 'uk', 'ko']

/** Names people use that CLDR does not give, in lower case. */
const extra: Record<string, string> = {
  tagalog: 'fil',
  pilipino: 'fil',
  taglish: 'fil',
  pidgin: 'pcm',
  naija: 'pcm',
  'nigerian pidgin': 'pcm',
  mandarin: 'zh',
  cantonese: 'yue',
  farsi: 'fa',
  dari: '',
  'cusco quechua': 'quz',
  'quechua cusqueño': 'quz',
  'quechua del cusco': 'quz',
  'ayacucho quechua': 'quy',
  'quechua ayacuchano': 'quy',
  'runa simi': 'qu',
  runasimi: 'qu',
  quichua: 'qu',
  'brazilian portuguese': 'pt-BR',
  'português brasileiro': 'pt-BR',
  castellano: 'es',
  castilian: 'es',
  'mexican spanish': 'es-MX',
  'swiss german': 'gsw',
  schweizerdeutsch: 'gsw',
  'scottish gaelic': 'gd',
  gaeilge: 'ga',
  flemish: 'nl',
  // A group of languages; which of them, the expert may say.
  batak: 'btk',
  'toba batak': 'bbc',
  'batak toba': 'bbc',
  'karo batak': 'btx',
  'batak karo': 'btx',
  bokmål: 'no',
  bokmal: 'no',
  nynorsk: 'nn',
  norsk: 'no',
  hinglish: 'hi-Latn',
  'roman hindi': 'hi-Latn',
  'romanised hindi': 'hi-Latn',
  'romanized hindi': 'hi-Latn',
  'रोमन लिपि': 'hi-Latn',
  'haitian creole': 'ht',
  kreyòl: 'ht',
  kreyol: 'ht',
  creole: 'ht',
  luganda: 'lg',
  isizulu: 'zu',
  isixhosa: 'xh',
  setswana: 'tn',
  sesotho: 'st',
  chichewa: 'ny',
  nyanja: 'ny',
  chishona: 'sn',
  fulani: 'ff',
  pulaar: 'ff',
  fulfulde: 'ff',
  twi: 'ak',
  dholuo: 'luo',
  gikuyu: 'ki',
  kikuyu: 'ki',
  kimaasai: 'mas',
  maasai: 'mas',
  kikamba: 'kam',
  sheng: 'sw',
  valencian: 'ca',
  sinhalese: 'si',
  oriya: 'or',
  'tok pisin': 'tpi',
  bislama: 'bi',
  khmer: 'km',
  英文: 'en',
  英语: 'en',
  英語: 'en',
  中文: 'zh',
  汉语: 'zh',
  普通话: 'zh',
  简体中文: 'zh-Hans',
  繁體中文: 'zh-Hant',
  日文: 'ja',
  日语: 'ja',
  法文: 'fr',
  德文: 'de',
  俄文: 'ru',
  西文: 'es',
  अंग्रेजी: 'en',
  इंग्लिश: 'en',
  हिंदी: 'hi',
  हिन्दी: 'hi',
  भोजपुरी: 'bho',
  मैथिली: 'mai',
  العربية: 'ar',
  الفصحى: 'ar',
  العامية: 'ar',
}

/** Common English names are typed small, too; not those that are other words (polish). */
const typedSmall =
  'english spanish french german portuguese swahili hindi indonesian italian dutch arabic chinese japanese korean russian turkish vietnamese welsh yoruba hausa urdu bengali tamil quechua igbo zulu amharic somali greek hebrew ukrainian kinyarwanda latin irish catalan basque persian punjabi nepali'

/** Names that are everyday words somewhere, never taken. */
const never = new Set(['dari', 'akan', 'oral', 'maya', 'mari', 'bini', 'tamang', 'norse', 'ladin', 'tok'])

export type Mention = { tag: string; at: number; end: number; role: 'in' | 'out' | 'either' }

const same = (text: string): string =>
  text
    .normalize('NFD')
    .replace(/\u093c/g, '')
    .normalize('NFC')
const spaced = (name: string): boolean => /^[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}]/u.test(name)

let table: { pattern: RegExp; tags: Map<string, string> } | undefined
function names(): { pattern: RegExp; tags: Map<string, string> } {
  if (table) return table
  const tags = new Map<string, string>()
  const displays = new Map(locales.map((locale) => [locale, new Intl.DisplayNames([locale], { type: 'language', fallback: 'none' })]))
  const add = (name: string, code: string) => {
    const key = same(name)
    if (!never.has(key.toLowerCase()) && !tags.has(key)) tags.set(key, code)
  }
  for (const [name, code] of Object.entries(extra)) {
    if (!code) continue
    add(name, code)
    add(
      name.replace(/(?<![\p{L}\p{M}])\p{L}/gu, (letter) => letter.toUpperCase()),
      code,
    )
    add(name.charAt(0).toUpperCase() + name.slice(1), code)
  }
  for (const name of typedSmall.split(' ')) {
    const code = codes.split(' ').find((one) => displays.get('en')!.of(one)?.toLowerCase() === name)
    if (code) add(name, tag(code))
  }
  for (const code of codes.split(' ')) {
    for (const locale of new Set([...locales, code])) {
      const display = displays.get(locale) ?? new Intl.DisplayNames([locale], { type: 'language', fallback: 'none' })
      displays.set(locale, display)
      let name = display.of(code)
      if (!name || /[()\d]/.test(name) || name.length < (spaced(name) ? 4 : 2)) continue
      // "Arabic" in Arabic takes its article apart: "to Arabic" is written in one word.
      if (/^ال/u.test(name)) name = name.slice(2)
      if (/^(?:русск|[\p{Script=Cyrillic}]+ий$)/u.test(name)) name = name.replace(/ий$/u, '')
      const wanted = tag(code)
      const first = name.charAt(0)
      add(first.toUpperCase() + name.slice(1), wanted)
      if (first === first.toLowerCase()) add(name, wanted)
    }
  }
  const escaped = [...tags.keys()].sort((a, b) => b.length - a.length).map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  const arabic = escaped.filter((name) => /^\p{Script=Arabic}/u.test(name))
  const free = escaped.filter((name) => !spaced(name) && !arabic.includes(name))
  const bound = escaped.filter(spaced)
  // Endings: German adjectives (Englischen), Slavic cases, Turkish cases (İngilizceden), the Swahili and Romance names as they are.
  const pattern = new RegExp(
    `(?<![\\p{L}\\p{M}])(${bound.join('|')})(?:e[nsmr]?|ого|ому|ом|ий|им|ої|ською|ською|['’]?(?:den|dan|ye|ya|e|a|de|da))?(?![\\p{L}\\p{M}])|(${free.join('|')})|(?<![\\p{L}\\p{M}])[وبلف]?(?:ال|لل)?(${arabic.join('|')})(?![\\p{L}\\p{M}])`,
    'gu',
  )
  table = { pattern, tags }
  return table
}

/** Nouns and small words that may follow the English name of a language; before any other noun it is an origin ("French cheese"). */
const followers =
  /^(?:\s*$|\s*[^\p{L}\s]|\s+(?:asking|asks?|saying|writing|whether|y|e|o|u|et|ou|und|oder|na|au|dan|atau|en|em|auf|kwa|para|por|que|de|del|ke|yang|untuk|va|ve|and|or|as|with|into|to|from|but|for|is|are|by|at|on|in|only|please|too|that|which|who|when|where|not|though|since|because|so|then|speakers?|texts?|words?|versions?|translations?|messages?|letters?|sentences?|mixed|side|column|address(?:es)?|text|reviews?|comments?|posts?|language|script|originals?|equivalents?|summar\p{L}*|ones?|half|dictation|notes|emails?|e-mails?|questions?|answers?|replies|abstracts?|subtitles|poems?|tweets|captions|transcripts?|they|we|i|it|a|the|my|our|if|of|depending|within|instead|rather|also|while|like|mostly|mainly|usually|sometimes|partly|throughout|alone|spelling|grammar|prose|dialogue|a grandmother)(?![\p{L}])|[ -]speak)/u
/** Names that are no origin of food, firms or people in everyday English: a text stands near. */
const seldomOrigin =
  /^(?:Javanese|Basque|Catalan|Quechua|Yiddish|Latin|Sanskrit|Swahili|Hausa|Yoruba|Igbo|Zulu|Xhosa|Amharic|Tigrinya|Wolof|Bambara|Tamil|Telugu|Kannada|Malayalam|Marathi|Gujarati|Punjabi|Bengali|Urdu|Farsi|Pashto|Tagalog|Cebuano|Ilocano|Sundanese|Malagasy|Kinyarwanda|Shona|Tswana|Guarani|Aymara|Nahuatl|Gaelic|Scottish Gaelic|Cornish|Breton|Frisian|Luxembourgish|Ladino|Aramaic|Syriac|Esperanto|Hindi|Nepali|Sinhala|Mandarin|Cantonese)$/
const nearText =
  /^\s+(?:[\p{L}-]+\s+){0,2}(?:scripts?|plays?|letters?|texts?|poems?|songs?|hymns?|novels?|essays?|sermons?|newspapers?|articles?|reviews?|messages?|minutes|proverbs?|stor(?:y|ies)|tales?|lines?|recordings?|transcripts?|dictionar(?:y|ies)|inscriptions?|manuscripts?|documents?|posts?|tweets?|comments?|notes?|lyrics|verses?|diar(?:y|ies)|sentences?|words?|speeches|names?|subtitles?|bulletins?|radio)(?![\p{L}])/u
const english = /^[A-Z][a-z]+(?: [A-Z][a-z]+)*$|^[a-z ]+$/

const word = (list: string): string => `(?<![\\p{L}\\p{M}])(?:${list})(?![\\p{L}\\p{M}])`
/** Words somewhere before a name that say it is read. */
const reading = new RegExp(
  `(?:${word(
    '(?<!out )comes?(?! out)|coming|arrives?|arriving|written|writes?|wrote|typed?|types|sent|sends?|kept|mix(?:es|ed)?|mixture|speaks?|reads?|originals?|all|speaking|ask|asks|llegan?|vienen?|estan?|escrit[oa]s?|escriben|arrivent|ecrit(?:e?s)?|ecrivent|viennent|kommen|geschrieben|schreiben|chegam|vem|escrevem|zinakuja|yanakuja|huja|huandik\\p{L}*|walioandika|wanaandika|datang|ditulis|menulis|arrivano|scritt[ie]|scrivono|schrijven|geschreven|пишут|приходят|yaziyor|yazilmis',
  )}|आती|आते|लिखते|लिखी|写的|来的|用)[^.;!?।。]{0,26}$`,
  'iu',
)
/** Words somewhere before a name that say it is written. */
const writing = new RegExp(
  `(?:${word(
    'translat\\p{L}*|rewrit\\p{L}*|explain\\p{L}*|answer\\p{L}*|repl(?:y|ies)|respond\\p{L}*|summar\\p{L}*|needs?|wants?|give|make|produce|draft|out comes|comes out|letter|turn(?:ed)?|back|eleza|ieleze|andika|iandike|tafsiri|ijibu|lijibu|jibu|kijibu|majibu|responda?|conteste|redacte|traduc\\p{L}*|traduz\\p{L}*|escreva|reponde|repondre|traduire|reecri\\p{L}*|reponses?|antwort\\p{L}*|ubersetz\\p{L}*|formulier\\p{L}*|jawab\\p{L}*|terjemah\\p{L}*|tulis\\p{L}*|antwoord\\p{L}*|vertaal\\p{L}*|rispond\\p{L}*|tradu\\p{L}*|отвечать|перевести',
  )})[^.;!?।。]{0,60}$`,
  'iu',
)
/** Directly before a name: it is read. */
const readNear = new RegExp(
  `(?:${word('from|out of|del|desde el|du|depuis l[ea]?|de l|aus dem|vom|kutoka|dari(?: bahasa)?|uit het|dal(?:l)?|с|со|z|من')}|从|由|将|把|من(?: ال)?)\\s*$`,
  'iu',
)
/** Directly before a name: it is written. */
const kindly =
  'the|a|an|plain|simple|easy[- ]read|easy-to-read|idiomatic|fluent|formal|informal|correct|simplified|modern|dignified|good|proper|clear|everyday|easy|standard|normal|readable|bahasa|lenguaje|lengua|idioma|lingua|langue|o|el|le|la|l|das|den|einfaches|einfache|leichtes|leichte|klares|modernes'
const writtenNear = new RegExp(
  `(?:${word('into|to|becomes?|become|al|hacia el|vers(?: l[ea]?)?|ins|nach|zu|para o|ao|ke(?: dalam)?(?: bahasa)?|menjadi|naar(?: het)?|verso l|на|إلى(?: ال)?')}|译成|翻译成|翻成|译为|写成|成|إلى(?: ال)?)\\s*(?:(?:${kindly})\\s+){0,3}$`,
  'iu',
)
/** "Easy-read German", standing alone. */
const easyNear = /(?:^|[.,;:(]\s*)(?:easy[- ]read|plain|simple|simplified|easy|einfaches|leichtes)\s+$/iu
/** A preposition that says neither: the verb before it decides. */
const within = new RegExp(`${word('in|en|em|auf|kwa|dalam(?: bahasa)?|pakai(?: bahasa)?|po|w')}\\s*(?:(?:${kindly})\\s+){0,3}$`, 'iu')
const writtenAfter = /^\s*(?:में (?:चाहिए|लिख|बदल|अनुवाद|जवाब|उत्तर|दे|कर)|に(?:翻訳|訳)|로 (?:번역|써)|'?(?:ye|ya|e|a) çevir|\s*(?:please|wanted))/u
const readAfter = /^\s*(?:से|から|에서|'?(?:den|dan)(?:\s|$)|原文|の原文)/u

/** Every language the text names, in order, once for each place. */
export function languageMentions(words: string): Mention[] {
  const text = same(words)
  const { pattern, tags } = names()
  const found: Mention[] = []
  for (const match of text.matchAll(pattern)) {
    const name = match[1] ?? match[2] ?? match[3]!
    const at = match.index
    const end = at + match[0].length
    const rest = text.slice(end, end + 40)
    const before = text.slice(Math.max(0, at - 80), at)
    if (
      english.test(name) &&
      tags.get(name) &&
      spaced(name) &&
      isEnglishName(name) &&
      !followers.test(rest) &&
      !(seldomOrigin.test(name) && nearText.test(rest))
    )
      continue
    // A word quoted as an example names no language.
    if (/["“«'‘(][^"”»'’)]*$/u.test(before) && /^[^"“«'‘(]*["”»'’]/u.test(rest) && /^\p{Ll}/u.test(name)) continue
    const evened = before
      .normalize('NFD')
      .replace(/[\u0300-\u036f]/g, '')
      .normalize('NFC')
      .replace(/[’']/g, ' ')
    let role: Mention['role'] = 'either'
    if (writtenAfter.test(rest) || easyNear.test(evened)) role = 'out'
    else if (readAfter.test(rest)) role = 'in'
    else if (writtenNear.test(evened)) role = 'out'
    else if (readNear.test(evened)) role = 'in'
    else if (within.test(evened) && lastOf(evened, writing) > lastOf(evened, reading)) role = 'out'
    else if (reading.test(evened)) role = 'in'
    found.push({ tag: tags.get(name)!, at, end, role })
  }
  // "in Tagalog and in Indonesian", "German, French and English": a list shares the part of its first name.
  for (const [index, mention] of found.entries()) {
    const previous = found[index - 1]
    if (!previous || mention.role !== 'either') continue
    if (/^\s*(?:[,،、]\s*)?(?:\p{L}{1,5}\s+)?(?:in\s+|en\s+|em\s+|auf\s+|kwa\s+)?$/u.test(text.slice(previous.end, mention.at))) mention.role = previous.role
  }
  return found
}

/** Where a pattern that reaches to the end of the text begins, -1 where it does not match. */
const lastOf = (text: string, pattern: RegExp): number => pattern.exec(text)?.index ?? -1

let englishNames: Set<string> | undefined
function isEnglishName(name: string): boolean {
  if (!englishNames) {
    const display = new Intl.DisplayNames(['en'], { type: 'language', fallback: 'none' })
    englishNames = new Set(codes.split(' ').flatMap((code) => display.of(code)?.toLowerCase() ?? []))
  }
  return englishNames.has(name.toLowerCase())
}

/** Tags of the languages a text names, each once, in the order they come. */
export function languagesNamed(text: string): string[] {
  return [...new Set(languageMentions(text).map((mention) => mention.tag))]
}

let anyCase: Map<string, string> | undefined
/** Tags of the languages whose names stand in a text, however they are written and whatever follows: for looking things up, not for planning. */
export function languagesMentionedAnyhow(words: readonly string[]): string[] {
  if (!anyCase) {
    anyCase = new Map()
    for (const [name, code] of names().tags) if (!anyCase.has(name.toLowerCase())) anyCase.set(name.toLowerCase(), code)
  }
  const lower = words.map((word) => same(word).toLowerCase())
  return [...new Set(lower.flatMap((word, index) => anyCase!.get(`${word} ${lower[index + 1]}`) ?? anyCase!.get(word) ?? []))]
}

/** The language a column's name stands for (`es`, `quz`, `english`, `barua_kiingereza`), if it is one. */
export function languageOfColumn(name: string): string | undefined {
  const bare = name.trim().toLowerCase()
  // "letter_yi", "fr_text": a code beside another word; not the codes that are words of their own.
  const beside = /^(?:[\p{L}\p{M}\d]{3,}[_-])+([a-z]{2})$|^([a-z]{2})[_-][\p{L}\p{M}\d_-]{3,}$/u.exec(bare)
  const code = beside?.[1] ?? beside?.[2]
  if (code && codes.split(' ').includes(code) && !/^(?:no|id|is|or|to|as|so|am|my|we|it|in|by|of|on|at|se|st|nr|ts|om|be|br|el|la|et|ig|ti|ty|ii)$/.test(code))
    return tag(code)
  if (/^[a-z]{2,3}(?:[-_][a-z]{2,4})?$/.test(bare)) {
    const [code] = bare.split(/[-_]/)
    if (codes.split(' ').includes(code!) || ['quz', 'quy', 'pcm', 'gsw', 'tet'].includes(code!)) return ['quz', 'quy'].includes(code!) ? code! : tag(code!)
  }
  const spacedName = bare.replace(/[_-]+/g, ' ')
  const capital = spacedName.replace(/(?<![\p{L}\p{M}])\p{L}/gu, (letter) => letter.toUpperCase())
  return languagesNamed(spacedName)[0] ?? languagesNamed(capital)[0]
}
