/**
 * The lists a description holds ("order, question, complaint or junk"; "policy number, date, and whether anyone was hurt"), and what each looks
 * like a list of: the kinds a text may be, or the things to be found in it. Works by punctuation and small words, in any of the planner's languages.
 * Knows nothing of files.
 */
import { beginnings } from './cues.ts'
import { languagesNamed } from './language-names.ts'
import { plain } from './languages.ts'

export type Enumeration = { items: string[]; for: 'labels' | 'fields' | 'either'; score: number }

const orWords = 'or|o|u|ou|oder|au|atau|या|अथवा|veya|ya da|lub|albo|или|або|hoặc|أو|او|または|或者|或|또는'
const andWords = 'and|&|plus|y|e|et|und|na|dan|और|तथा|एवं|en|ve|и|та|và|和|及|以及'
const joiner = new RegExp(`^\\s*(?:${orWords}|${andWords})\\s+(?:(?:just|maybe|perhaps|simply|else)\\s+)?`, 'iu')
const lastJoin = new RegExp(`\\s+(?:${orWords}|${andWords})\\s+`, 'iu')
const anyOr = new RegExp(`\\s+(?:${orWords})\\s+`, 'iu')
const closedJoin = /(?:または|或者|或|以及|及|和|أو )/u

/** Before a list of kinds. */
const kindsBefore = beginnings(
  'tells?\\b|decid|doit aller|debe ir|deve ir|se falam?|si hablan?|si (?:ca|cela|elle|il)s? parle|saber se|dizer se|dissesse se|diga se|diz se|dire se|savoir si|dire si|saber si|decir si|diga si|sagen,? ob|पता चले|tag|label|sort|categor|class|kinds?|types?|piles?|box|bucket|desks?|depart|teams?|queue|one of|into|in to|whether|is it|are they|it is|either|say\\b|says\\b|verdict|grade|mark|flag|rout|triage|disciplin|which|goes|go to|between|as\\b|topics?|themes?|moods?|sentiment|severity|codes?|statuses|options|choices|single|inbox|folder|priorit|be\\b|are\\b|shelf|shelves|damage|reasons?|causes?|stream|urgency|level|assign|split|apart|group|clasific|categori|etiquet|tipos?|clase|como\\b|entre\\b|en\\b|temas?|si es|son\\b|marc|classer|classe|tri\\b|trier|rubri|parmi|soit|est-ce|etiquett|kategor|klass|art\\b|zwischen|als\\b|ob\\b|sortier|zuordn|einordn|einteil|stufe|rotul|assunto|setor|separ|dividir|kundi|makundi|aina|mada|ikiwa|kama ni|vikundi|panga|alama|hisia|है कि|मामला|कौन सा|किसकी|खाने|खाना|श्रेणी|श्रेणि|वर्ग|प्रकार|विषय|किसी एक|में से|बाँट|छाँट|भाव|tandai|ditandai|kategori|kelompok|jenis|golong|menjadi|jadi\\b|pisah|apakah|antara|topik|label|termasuk|分成|分为|归|类|判断|إلى|بين|فئ|تصنيف|هل|のどれか|に分け|categorie|soort|indeling|kategoria|урген|категор|к одной|sinif|hangi',
)
/** Before a list of things to find. */
const thingsBefore = beginnings(
  'extract|pull|pick|need|get me|give me|tell me|fetch|find|list|record|capture|for (?:each|every)|from (?:each|every)|fields?|columns?|key(?:ed)? in|register|into (?:the |a )?(?:sheet|table|registry|register|spreadsheet)|json|copy|note (?:the|down)|the following|i want the|want the|details|extra|sacar|saque|necesito|quiero|campos|columnas|de cada|datos|pour chaque|releve|tirer|noter|il me faut|champs|j ai besoin|aus jede|fur jede|folgende|felder|spalten|brauche|erfass|auslesen|preciso|quero|tirar|tire|campos|dados|nahitaji|nataka|toa|chukua|taarifa|kutoka kila|निकाल|से हर|हर .{0,12}से|चाहिए|ambil|data|perlu|butuh|dari setiap|dari tiap|kolom|提取|字段|استخرج|استخراج|cikar|heraus|auslesen|erfassen|estra|ricav|ogni|gegevens|uit elke|velden',
)
/** Lists of something else: subjects asked about, languages, files. */
const neither = beginnings(
  'about|ask|such as|e g |attached|sources?|includ|mix|spoken|speak|enclos|for example|regarding|cover|sobre|preguntan|acerca|adjunt|sur |concernant|joint|uber |fragen|zu |kuhusu|wanauliza|के बारे|पूछ|tentang|soal |关于|عن|come from|members|we are|i am|i m |clients? (?:are|is)|no |without|never|don t|avoid|not ',
)

const most = { labels: 5, fields: 8, characters: 70 }

/** All lists of at least two items, the likeliest first. */
export function enumerations(description: string): Enumeration[] {
  const found: Enumeration[] = []
  // The Dutch "of" joins; the English one does not.
  const words = /(?<!\p{L})(?:het|een|één|niet|voor|elke|wij|moet|zijn|deze)(?!\p{L})/iu.test(description) ? description.replace(/ of /g, ' or ') : description
  let previous = ''
  for (const sentence of sentencesOf(words)) {
    const parts = segments(sentence)
    const afterColon = parts.some(({ bonus, list }) => bonus === 2 && (itemsOf(list, true)?.length ?? 0) >= 3)
    for (const { before, list, bonus } of parts) {
      const items = itemsOf(list, bonus >= 2)
      if (!items) continue
      const choice = anyOr.test(list) || /(?:或者|或|または|أو )/u.test(list)
      const judged = judge(sentence, items, before, previous, bonus, choice, description.includes(`${sentence}?`))
      // What a colon announces is the list; another before it is part of the announcement.
      found.push(afterColon && bonus < 1 ? { ...judged, score: judged.score - 1.5 } : judged)
    }
    previous = sentence
  }
  return found.sort((a, b) => b.score - a.score)
}

/** The kinds a description lists, in its own spelling; undefined when it lists none. */
export function labelsIn(words: string): string[] | undefined {
  const opposite = oppositeOf(words)
  if (opposite) return opposite
  const lists = enumerations(words)
  const best = lists.find((one) => one.for !== 'fields' && one.score >= 1.5)
  if (best) return best.items.map(bareLabel)
  // Where kinds are wanted and there is no other list, one that looks like things to find will be they.
  const marks = range.exec(words)
  if (marks && Number(marks[2]) - Number(marks[1]) <= 9 && Number(marks[2]) > Number(marks[1]))
    return Array.from({ length: Number(marks[2]) - Number(marks[1]) + 1 }, (_, index) => String(Number(marks[1]) + index))
  const yesNo = yesOrNo.exec(words)
  return pairOf(words) ?? lists.find((one) => one.score >= 3)?.items.map(bareLabel) ?? (yesNo ? [yesNo[1]!, yesNo[2]!] : undefined)
}

/** "severity 1-5", "on a 1 to 5 scale" */
const range =
  /(?:severity|scale|grades?|scores?|levels?|stars?|priority|urgency|rat(?:e|ing)|skala|stufe|escala|nivel|échelle|niveau|nível|skor|nilai|tingkat)\s*(?:of|from|von|de|dari)?\s*(\d)\s*(?:-|–|to|bis|a|à|sampai)\s*(\d)(?!\d)/iu
const yesOrNo =
  /(?<![\p{L}\p{M}])(yes|oui|ja|s[íi]|sim|ndiyo|हाँ|हां|ya|sì)\s*(?:\/|or|ou|oder|o|au|या|atau)\s*(no|non|nein|não|nao|hapana|नहीं|tidak|nee)(?![\p{L}\p{M}])/iu

/** The things to be found that a description lists; undefined when it lists none. */
export function fieldsIn(words: string): string[] | undefined {
  const lists = enumerations(words)
  const best = lists.find((one) => one.for === 'fields' && one.items.length >= 2) ?? lists.find((one) => one.score >= 1.5)
  return best?.items.map(bareField).filter(Boolean)
}

const openings =
  /^(?:just|either|only|simply|to|about|sobre|über|kuhusu|tentang|du|des|de la|d[ao]s?|del|à la|aux?|à|al|a la|ao|alla|an den|an die|zum|zur|a|an|the|un|una|el|la|le|les|der|die|das|ein|eine|um|uma|o|os)\s+(?=\p{L})/iu
const asking = /^(?:is it|is this|are they|whether it is|whether it's|ob es|est-ce|¿?es|é|apakah|je,? ni)\s+/iu
const bareLabel = (item: string): string =>
  item
    .replace(asking, '')
    .replace(openings, '')
    .replace(/^(?:[àd]e? ?)?l['’](?=\p{L})/iu, '')
    .trim()
const bareField = (item: string): string =>
  item
    .replace(/^(?:(?:who|what)(?:['’]s| is| are) (?:the )?|what |which )(?=\p{L}+$|\p{L}+ \p{L}+$|(?:\p{L}+ ){2,}\p{L}+$)/iu, '')
    .replace(/^(?:whether|if|the|their|its|his|a|an|any|all|every|each|si|el|la|los|las|le|les|l['’]|der|die|das|den|o|os|as|ob|se)\s+/iu, '')
    .replace(/\s+(?:was|were|is|are|nikalni|निकालनी|निकालना|चाहिए)$/iu, '')
    .replace(/\s*(?:निकालन[ीाे]\s*(?:है|हैं)?|चाहिए)\s*$/u, '')
    .replace(/\s*[(（][^()（）]*[)）]\s*$/u, '')
    .replace(/[\s,:]+(?:yes|ja|oui|s[íi]|sim|ndiyo|ya|हाँ|हां|true|y)\s*(?:\/|or|oder|ou|o|au|या)\s*(?:no|nein|non|n[ãa]o|hapana|tidak|नहीं|false|n)$/iu, '')
    .trim()

function sentencesOf(words: string): string[] {
  return words
    .replace(/\b(e\.g|i\.e|approx|no|nr|ca|etc|z\.B|p\.ej)\./gi, '$1')
    .split(/(?:[.!?](?=\s|$|["”»’'])|[;।॥。！？；\n]|\s[–—]\s|\s-\s)/u)
    .map((part) => part.trim())
    .filter(Boolean)
}

/** A list after a colon may open with a clause of its own: "Joiner: out of the notes should come customer, wood, date". */
function afterAnnouncer(list: string): string {
  const [first = '', ...rest] = list.split(/,/u)
  const strong = [...list.slice(0, 90).matchAll(strongAnnouncer)].at(-1)
  const remaining = strong ? list.slice(strong.index + strong[0].length) : ''
  if (strong && (remaining.match(/,/g)?.length ?? 0) + (anyOr.test(remaining) ? 1 : 0) >= 2) return remaining
  if (wordCount(first) < 4 || rest.length < 2 || !rest.slice(0, -1).every((item) => wordCount(item) <= 4)) return list
  const announced = [...first.matchAll(announcer)].at(-1)
  return announced ? list.slice(announced.index + announced[0].length) : list
}

/** Where in a sentence a list may stand, with the words before it. */
function segments(sentence: string): { before: string; list: string; bonus: number }[] {
  const found: { before: string; list: string; bonus: number }[] = []
  const quoted = [...sentence.matchAll(/(?:["“”„«»「『]|(?<![\p{L}])['‘])([^"“”„«»「」『』]{1,40}?)(?:["“”»«」』]|['’](?![\p{L}]))/gu)]
  if (quoted.length >= 2) found.push({ before: sentence.slice(0, quoted[0]!.index), list: quoted.map((match) => match[1]!.trim()).join(', '), bonus: 2.5 })
  const colon = /[:：]|(?<=[\p{L})]\s?)(?:->|→|=>)/u.exec(sentence)
  if (colon) {
    const last = Math.max(sentence.lastIndexOf(':'), sentence.lastIndexOf('：'), colon.index)
    for (const at of new Set([colon.index, last]))
      found.push({ before: sentence.slice(0, at), list: afterAnnouncer(sentence.slice(at + 1).replace(/^>/, '')), bonus: 2 })
  }
  for (const inside of sentence.matchAll(/[(（]([^()（）]{5,300})[)）]/gu)) found.push({ before: sentence.slice(0, inside.index), list: inside[1]!, bonus: 1 })
  if (!colon || colon.index > sentence.length - 4) found.push(...runs(sentence))
  else found.push(...runs(sentence.slice(0, colon.index)), ...runs(sentence.slice(colon.index + 1).trim()))
  // "to delay or cleanliness or conduct or price": joined by "or" alone.
  const chain = sentence.split(new RegExp(anyOr.source, 'giu'))
  if (chain.length >= 3 && !/[,،、，]/u.test(sentence) && chain.slice(1, -1).every((item) => wordCount(item) <= 4)) {
    const announced = [...chain[0]!.matchAll(announcer)].at(-1)
    const first = announced ? chain[0]!.slice(announced.index + announced[0].length) : chain[0]!.split(/\s+/).at(-1)!
    found.push({ before: chain[0]!, list: [first, ...chain.slice(1, -1), firstWords(chain.at(-1)!)].join(', '), bonus: 1.5 })
  }
  // Arabic joins by a prefix: "the name and-the amount and-the date".
  const joined = /(?:استخراج|استخرج|أستخرج|يستخرج|تستخرج)\s+(.+?)(?=\s+من\s|$)/u.exec(sentence)
  if (joined && /\sو\p{L}{3}/u.test(joined[1]!))
    found.push({ before: joined[0].slice(0, 10), list: joined[1]!.replace(/\s+و(?=\p{L}{3})/gu, ', '), bonus: 1.5 })
  const slashed = /(?<![\p{L}\p{N}/])\p{L}[\p{L}\p{M}' -]{1,24}(?:\s?\/\s?\p{L}[\p{L}\p{M}'-]{1,24}){1,8}(?![\p{L}/])/u.exec(sentence)
  const spaced = sentence.split(/\s[/|]\s/u)
  if (spaced.length > 2) {
    // "should be tagged battery / tyre / locked out": the first item is what follows the announcing word, or else the last word.
    const announced = [...spaced[0]!.matchAll(announcer)].at(-1)
    const head = announced ? spaced[0]!.slice(announced.index + announced[0].length) : spaced[0]!
    const first = wordCount(head) > 3 ? head.split(/\s+/).at(-1)! : head
    const last = wordCount(firstWords(spaced.at(-1)!)) > 3 ? spaced.at(-1)!.split(/\s+/)[0]! : firstWords(spaced.at(-1)!)
    found.push({ before: spaced[0]!, list: [first, ...spaced.slice(1, -1), last].join(', '), bonus: 2 })
  } else if (slashed && (slashed[0].match(/\//g)?.length ?? 0) >= 2)
    found.push({ before: sentence.slice(0, slashed.index), list: slashed[0].replace(/\s?\/\s?/g, ', '), bonus: 2 })
  return found
}

/** A word after which a list begins within a clause. */
const announcer =
  /(?:(?<![\p{L}\p{M}])(?:into|under|tells(?: me)?|tagged|decide (?:whether|between|if it is)|(?:yana|ina|ana|zina|wana)hitaji|rel[eè]vent? (?:du|de la|de l['’]|des|de)|é|è|es una?|est une?|é uma?|ist eine?|(?:doit|doivent) aller|(?:debe|tiene que|deben|deve|devem) ir|(?:fala|habla|parle)(?:m|n|nt)? (?:del?(?: la)?|d[ao]s?|du|des)|soll(?:en)? es|as(?: either)?|is it|it['’]?s|it is|are they|whether it['’]?s|whether (?:the|this|each) \p{L}+ (?:is|na|concerns)|whether it is(?: about)?|whether|either|one of|between|say(?:s)?|are|is|marks? of|means|need(?: the)?|extract(?: the)?|pull(?: out)?(?: the)?|out(?: the)?|list(?: the| every)?|get me(?: the)?|give me(?: the)?|tell me(?: the)?|want(?: the)?|record(?: the)?|from each[^,]{0,20}(?:i need|take|get)(?: the)?|columns|fields|tags?|labels?|sort(?:ed)? (?:by|as)|for|en|entre|como|si es|si son|son|sacar(?: el| la)?|extraer(?: de (?:los|las|cada) \p{L}+)?(?: el| la)?|necesito(?: el| la)?|quiero(?: el| la)?|est|sont|entre|en|soit|parmi|comme|extraire(?: (?:des?|du) (?:\p{L}+ ){1,3}?(?=l[ea]s? ))?(?: l[ea]s?)?|in|als|zwischen|ob es(?: um)?|ist es|sind|brauche ich|sollen|soll|ins?|em|são|entre|como|preciso(?: d[oae])?|quero|ni|kama ni|ikiwa ni|ikiwa|kati ya|kwenye|toa|chukua|apakah(?: itu)?|menjadi|jadi|antara|adalah|yaitu|ambil|data|कि (?:यह |ये |मामला |शिकायत |संदेश )?(?:किस )?|\p{L}{2,}(?:ler|lar)(?:[iı]n)?[iı]?n?(?:den|dan)|tra|in|come|parla(?:no)? di|se è|op|of het|tussen|na)\s+)(?!.*(?<![\p{L}\p{M}])(?:into|as either|is it|whether|one of|between|extract|need|sacar|extraer|apakah|menjadi|antara|ikiwa ni|kama ni|kati ya|zwischen|entre)\s)|(?:से|分成|分为|归为|是|提取|抽取|إلى|بين|استخرج|هل هي|هل هو)\s*/giu

/** Those that may stand in the middle of a run of short pieces and begin a list there. */
const strongAnnouncer =
  /(?<![\p{L}\p{M}])(?:is it|are they|whether it is|whether|one of|need(?: the)?|extract(?: the)?|pull(?: out)?(?: the)?|tell me(?: the)?|get me(?: the)?|give me(?: the)?|list(?: the)?|marks? of|sort(?:ed)? into|split into|label(?:led)? as|(?<!to )says?|(?:filed|put|go|goes) under|quiero sacar|sacar|extraer|necesito|si es|si son|extraire|ob es(?: um)?|brauche ich|preciso de|preciso|extrair|kama ni|ikiwa ni|nataka|ambil|apakah)\s+/giu

/** Runs of short pieces between commas, with an announced beginning. */
function runs(sentence: string): { before: string; list: string; bonus: number }[] {
  const found: { before: string; list: string; bonus: number }[] = []
  // Chinese and Japanese set the items of a list apart by one comma and clauses by another.
  const clauses = /、/u.test(sentence) ? sentence.split(/\s*[,，]\s*/u) : [sentence]
  if (clauses.length > 1) return clauses.flatMap(runs)
  const pieces = sentence.split(/\s*(?:,(?!\d{3}(?!\d))|[،、，])\s*/u)
  const announces = (piece: string): boolean =>
    !joiner.test(piece) && [...piece.matchAll(strongAnnouncer)].some((match) => piece.length > match.index + match[0].length)
  const short = (piece: string): boolean => wordCount(piece.replace(joiner, '')) <= most.labels && piece.length <= most.characters
  for (let from = 0; from < pieces.length; from++) {
    // The first piece of a run carries the words that announce it.
    const head = pieces[from]!
    let to = from + 1
    while (to < pieces.length && short(pieces[to]!) && !announces(pieces[to]!)) to++
    const tail = to < pieces.length && !short(pieces[to]!) && anyJoin(pieces[to]!) ? [firstWords(pieces[to]!)] : []
    const rest = [...pieces.slice(from + 1, to), ...tail]
    const announced = [...head.matchAll(announcer)].at(-1)
    const cut = announced ? announced.index + announced[0].length : undefined
    // Among single words the last word of the piece before them is the first.
    const alone = cut === undefined && rest.length >= 1 && rest.every((piece) => wordCount(piece.split(lastJoin)[0]!) === 1) && wordCount(head) > 2
    const carried = cut === undefined ? (alone ? head.split(/\s+/).at(-1)! : head) : head.slice(cut)
    // "are to be passed to nurse, doctor or counsellor": beside single words only the last word is an item.
    const plainRest = (rest.length >= 1 && anyOr.test(rest.at(-1)!.replace(joiner, ' or '))) || joiner.test(rest.at(-1) ?? '')
    const firstAlone =
      plainRest &&
      wordCount(carried) > (/\p{Script=Devanagari}/u.test(carried) ? 1 : 2) &&
      rest.every((piece) => wordCount(piece.replace(joiner, '').split(lastJoin)[0]!) === 1)
    const first = firstAlone ? carried.split(/\s+/).at(-1)! : carried
    if (rest.length + (anyJoin(first) ? 1 : 0) >= 1 && short(first) && (cut !== undefined || rest.length >= 2 || (alone && anyOr.test(rest.at(-1)!)))) {
      const before = `${pieces.slice(0, from).join(', ')} ${cut === undefined ? '' : head.slice(0, cut)}`
      const bonus = cut === undefined ? 0 : 0.7
      found.push({ before, list: [first, ...rest].join(', '), bonus })
    }
    if (to > from + 2) from = to - 1
  }
  return found
}

const anyJoin = (piece: string): boolean => lastJoin.test(piece) || joiner.test(piece)
const wordCount = (piece: string): number =>
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u.test(piece) ? Math.ceil(piece.length / 4) : piece.split(/\s+/).filter(Boolean).length
const tailAt =
  /\s+(?:out of|from (?:each|every|the|these|this|them|it)|into|for (?:each|every|all)|in (?:each|every)|per|so (?:that|i|we)|because|since|with the|and then|and (?:send|put|next|that|i|we|the clause|if|it|return|give)|but|as (?:json|they)|which|when|where|please|-|de cada|en cada|d['’]après|selon|según|based on|according to|depending on|je nach|kulingana|berdasarkan|diye|olarak|para|pour|dans|für|aus|pro|kutoka|kwa kila|dari|untuk|से|के लिए|के रूप|की|में|को|ko)(?=\s|$).*$/iu
const firstWords = (piece: string): string => piece.replace(tailAt, '')

/** "country of origin", "número de ejemplares": one thing in three words. */
const linked = /^\S+\s+(?:of|de|del|du|des|di|da|do|dos|das|von|der|la|wa|ya|za|cha|का|की|के)\s+\S+(?:\s|$)/iu
/** A clause that goes on after a list. */
const turning = /^(?:but|pero|mais|aber|mas|lakini|tapi|tetapi|ma|maar|लेकिन|पर|но)\s/iu
const verbsAtEnd =
  /\s+(?:out|(?:heraus)?gezogen werden|ausgelesen werden|erfasst werden|extrahiert werden|werden|heraus|auslesen|erfassen|extrahieren|herauslesen|eingeordnet werden|einordnen|zuordnen|geht|handelt|betrifft|gehört|vorliegt|ist|çıkarılsın|çıkarılacak|çıkarmak|ayıklansın)$/iu

/** The items of a list, or undefined when it is a sentence and no list. `announced` lists stand alone after a colon or in quotes. */
function itemsOf(list: string, announced: boolean): string[] | undefined {
  let items = list
    .replace(/\s+etc\.?\s*$/iu, '')
    .split(/\s*(?:,(?!\d{3}(?!\d))|[،、，;])\s*|\s+\/\s+|\s+\|\s+/u)
    .flatMap((item) => item.split(anyOr))
    .flatMap((item) => (/[\p{Script=Han}\p{Script=Hiragana}]/u.test(item) && item.length > 4 ? item.split(closedJoin) : [item]))
    .map((item) => item.replace(joiner, '').trim())
    .filter((item) => /[\p{L}\p{N}]/u.test(item))
  if (!items.length) return undefined
  // A piece that is a clause of its own ends the list, at its first words or before it.
  const end = items.findIndex((item) => wordCount(item) > most.fields || item.length > most.characters)
  if (end >= 0) {
    const kept = firstWords(items[end]!)
    items = [...items.slice(0, end), ...(wordCount(kept) <= 4 && end > 0 ? [kept] : [])]
  }
  const turn = items.findIndex((item, index) => index > 0 && turning.test(item))
  if (turn > 0) items = items.slice(0, turn)
  // "invoice text in, exporter, currency and total out"
  if (items.length > 2 && /\p{L} in$/iu.test(items[0]!)) items = items.slice(1)
  items = items.map((item, index) => (index === items.length - 1 ? item.replace(verbsAtEnd, '') : item))
  if (items.length > 1 && (wordCount(items.at(-1)!) > 4 || !anyOr.test(list))) items = [...items.slice(0, -1), firstWords(items.at(-1)!)]
  // "and" divides the last piece of a list, or a list of two single words.
  const last = items.at(-1)
  if (last !== undefined) {
    const pair = last.split(lastJoin)
    const narrow = items.length > 1 ? 5 : announced ? 3 : 1
    // Where another item holds the same small word, it joins words and not items ("parks and gardens").
    const joins = items.slice(0, -1).some((item) => lastJoin.test(item))
    if (!joins && pair.length === 2 && pair.every((item) => item && wordCount(item) <= narrow)) items = [...items.slice(0, -1), ...pair]
  }
  // One word each, and a last one that runs on: its first word.
  if (
    items.length > 2 &&
    items.slice(0, -1).every((item) => wordCount(item) === 1) &&
    wordCount(items.at(-1)!) > 2 &&
    !linked.test(items.at(-1)!) &&
    !/[\p{Script=Han}]/u.test(items.at(-1)!)
  )
    items = [...items.slice(0, -1), items.at(-1)!.split(/\s+/)[0]!]
  items = items
    .map((item) =>
      item
        .replace(/(?:\s+(?:का|की|के))?\s+(?:है|हैं|थी|था|हो)\s*$/u, '')
        .replace(/(?<=\p{Script=Han}{2})(?:这|等)?[一二三四五六七八九十两几\d]+(?:大?类|种|个类别|个部门|档|级|项).*$/u, ''),
    )
    .map((item) => item.replace(/^[\s"'“”‘«„「([]+|[\s"'“”’»」)\].:!?…]+$/gu, ''))
    .filter(
      (item) =>
        /[\p{L}\p{N}]/u.test(item) &&
        !/^(?:next to|along with|with (?:the|its)|etc|nothing (?:else|more)|that's (?:all|it)|sonst nichts|nada m[áa]s|rien d'autre|and so on|usw|dll|और|वगैरह)/iu.test(
          item,
        ),
    )
  items = [...new Set(items)]
  if (items.length < 2 || items.length > 80) return undefined
  // "about flooding or not" names one kind at most.
  if (items.length === 2 && /^(?:not|no|nicht|non|n[ãa]o|tidak|नहीं|nee|pas)$/iu.test(items[1]!)) return undefined
  return items
}

/** `choice`: joined by "or", as kinds are; `asked`: the list ends a question. */
const verbLast = /heraus(?:zieh|les|hol|such)|auslesen|erfassen|[\p{Script=Devanagari}\p{Script=Hangul}\p{Script=Hiragana}ışğİ]/u

function judge(sentence: string, items: string[], before: string, previous: string, bonus: number, choice: boolean, asked: boolean): Enumeration {
  // Where the verb stands last, what comes after a list says what it is a list of.
  const near = `${verbLast.test(sentence) ? plain(sentence).slice(-25) : ''} ${plain(before).slice(-90)}`
  const wide = `${plain(previous).slice(-120)} ${near}`
  const words = items.map(wordCount)
  const longest = Math.max(...words)
  let score = bonus + Math.min(items.length, 6) * 0.25
  let labels = (kindsBefore.test(near) ? 1.5 : 0) + (kindsBefore.test(wide) ? 0.5 : 0)
  const fields =
    (thingsBefore.test(near) ? 1.5 : 0) +
    (thingsBefore.test(wide) ? 0.4 : 0) +
    (items.some((item) => /^(?:whether|who|date|name|nombre|nom|fecha|datum|jina|tarehe|nama|tanggal|नाम|तारीख)/iu.test(item)) ? 0.8 : 0)
  if (longest > most.labels) labels -= 2
  const single = longest === 1
  if (choice) labels += asked || single ? 1.8 : 1.1
  if (neither.test(near.slice(-45))) score -= bonus >= 2 ? 0.5 : 1.2
  score += Math.max(labels, fields)
  if (longest > most.fields) score -= 3
  // Languages that are spoken are neither.
  if (items.filter((item) => languagesNamed(item).length > 0).length * 2 > items.length) score -= 3
  // Without a colon or quotes only the words before it make a list one of kinds.
  if (bonus < 2 && labels < 1.5 && fields < 1.5) score -= 1
  return { items, for: labels >= fields + 0.3 ? 'labels' : fields >= labels + 0.3 ? 'fields' : 'either', score }
}

/** "Is this review positive or negative?": two single words on both sides of "or" in a question. */
function pairOf(words: string): string[] | undefined {
  const question = words.split(/(?<=[.!?।。？])\s*/u).find((sentence) => /[?？]$/u.test(sentence) && anyOr.test(sentence) && !/[,،、]/u.test(sentence))
  const found =
    question &&
    new RegExp(
      `([\\p{L}\\p{M}'’-]{3,})(?:\\s+(?:है|हैं|ni|est|es|ist|is))?\\s+(?:${orWords})\\s+(?:(?:is it|a|an|un|una|une|ein|eine)\\s+)?([\\p{L}\\p{M}'’-]{3,})\\s*(?:है|हैं|mi|mı)?\\s*[?？]$`,
      'iu',
    ).exec(question)
  return found && !/^(?:not|no|non|nicht|não|tidak|nahi|नहीं)$/iu.test(found[2]!) ? [found[1]!, found[2]!] : undefined
}

/** "urgent or not", "urgente o no": a kind and its opposite. */
function oppositeOf(words: string): string[] | undefined {
  const found =
    /(?<![\p{L}\p{M}])(?:is|it's|are|es|est|ist|è|é|ni|apakah|whether it is|if it is)\s+(?:(?:this|the|each|a)\s+[\p{L}]+\s+)?(?:really |an? )?([\p{L}\p{M}]{3,20})\s+(?:or|o|ou|oder|au|atau)\s+(not|no|non|pas|nicht|não|la|tidak|siyo|bukan)(?![\p{L}])/iu.exec(
      words,
    )
  if (!found) {
    // "spam or not for comments on my blog": the kind stands first.
    const first =
      /^\W*(?:\p{L}+:\s*)?([\p{L}\p{M}]{3,20})\s+(?:or|oder|ou|o|au|atau)\s+(not|nicht|pas|no|não|la|bukan|tidak)(?=\s*(?:[.,?!:;]|$|for|in|on|for|bei|für|pour|para|en|kwa|untuk|pada))/iu.exec(
        words,
      )
    if (!first) return undefined
    return [first[1]!, `${first[2]!.toLowerCase() === 'la' ? 'si' : first[2]!.toLowerCase()} ${first[1]!}`]
  }
  const italian = /(?<!\p{L})(?:è|se è|mi serve|vorrei)(?!\p{L})/iu.test(words)
  const negation = { no: italian ? 'non' : 'no', la: 'si' }[found[2]!.toLowerCase()] ?? found[2]!.toLowerCase()
  return [found[1]!, `${negation} ${found[1]!}`]
}

/** The description without the items of its likeliest list of kinds: "question" as a kind is no wish for answers. */
export function withoutKinds(words: string): string {
  const best = enumerations(words).find((one) => one.score >= 1.5)
  if (best?.for !== 'labels' || best.score < 2.5) return words
  return best.items.reduce((text, item) => text.replace(item, ' '), words)
}
