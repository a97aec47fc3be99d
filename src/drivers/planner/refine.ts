/**
 * Changes of a plan by a sentence, offline: each wish the sentence holds is read by the same rules as a description, and set; nothing else moves.
 * Knows nothing of files.
 */
import { type Refusal, refuse } from '../../core/errors.ts'
import type { Question, Spec, Task, Topic } from '../../core/spec.ts'
import { beginnings, taskCues } from './cues.ts'
import { declineOf } from './declines.ts'
import { languageMentions } from './language-names.ts'
import { plain } from './languages.ts'
import { fieldsIn, labelsIn } from './lists.ts'
import { latencyIn, lengthIn, priceIn } from './measures.ts'
import { audienceIn, cues, formatIn, tonesIn } from './wishes.ts'

const letters = '(?<![\\p{L}\\p{M}])'
/** "never mention X", "never give X": what follows, up to the end of the clause. */
const avoiding = new RegExp(
  `${letters}(?:(?:never|do not|don['’]?t|don t|must not|should not|no) (?:ever )?(?:mention(?:ing)?|talk about|speak (?:of|about)|say anything about|bring up|discuss|touch on|giv(?:e|ing)|offer(?:ing)?|provid(?:e|ing)|recommend(?:ing)?|suggest(?:ing)?|disclos(?:e|ing)|reveal(?:ing)?)|leave out|nunca (?:menciones?|mencione|hables? de|fales? (?:de|em|sobre)|d(?:es?|é|ê) |ofrezcas?|recomiendes?|recomende|reveles?)|no (?:menciones?|mencione|hables? de|hable de)|sin mencionar|não (?:mencione|fale (?:de|em|sobre))|sem mencionar|ne (?:jamais )?(?:mentionne[rz]?|parle[rz]?)(?: pas| jamais)? (?:de |d['’])?|sans (?:mentionner|parler de)|(?:erwähne?|nenne?|sprich) (?:nie|niemals|nicht)(?: über| von)?|nie(?:mals)? (?:erwähnen|nennen)|(?:usi|isi|asi)(?:taje|seme|zungumzie)(?: kamwe| kuhusu)?|kamwe usitaje|jangan (?:pernah )?(?:sebut(?:kan)?|menyebut(?:kan)?|bahas|membahas|bicara(?:kan)?(?: tentang)?)|non (?:menzionare|parlare(?: mai)? di)(?: mai)?|noem nooit|不要提(?:到|及)?|别提|لا تذكر|never)\\s*[:,]?\\s*(.+?)(?=[.;!?।。]|,|$| and (?:make|answer|use|keep|add|write)| y (?:que|haz|responde)| et (?:que|fais|réponds)| und (?:mach|antworte)| e (?:que|faça|responda)| na (?:jibu|fanya)| dan (?:jawab|buat))`,
  'iu',
)
const avoidingHindi = /(?:^|[,.;।]\s*)([^,.;।]+?)\s+(?:का|की|के बारे में)\s+(?:ज़िक्र|जिक्र|उल्लेख|बात)\s+(?:कभी\s+)?(?:न|मत|नहीं)/u
const avoidingGerman = /(?<![\p{L}])(?:erwähne|nenne)\s+([^,.;]+?)\s+(?:nie|niemals|nicht)(?![\p{L}])/iu

const shorter = beginnings(
  'shorter|make it short|more concise|mas cort|mas brev|plus court|kurzer|mais curt|mais brev|fupi zaidi|iwe fupi|yawe mafupi|छोटा कर|और छोटा|छोटे|lebih (?:pendek|singkat|ringkas)|piu (?:cort|brev)|korter|更短|短一点|简短|أقصر|короче|krocej|daha kisa',
)
const longer = beginnings(
  'longer|more detail|in (?:full )?detail|at length|mas larg|mas detall|plus long|plus de detail|langer|ausfuhrlich|mais long|mais detalh|ndefu zaidi|kwa kina|लंबा|विस्तार|lebih (?:panjang|rinci|lengkap)|piu lung|langer|更长|详细|أطول|подробн|dluzej',
)
const anyNetwork = beginnings(
  '(?:may|can) (?:use|leave|go to) (?:the )?(?:network|cloud|internet|building|premises)|cloud is fine|puede usar (?:la )?(?:nube|internet)|peut utiliser (?:le )?(?:cloud|internet)|darf (?:in die cloud|ins internet)|pode usar (?:a )?(?:nuvem|internet)|boleh (?:pakai|memakai) (?:internet|cloud)|inaweza kutumia mtandao',
)
const adding = new RegExp(
  `${letters}(?:add|also|include|plus|agrega(?:r)?|añad[ea](?:r)?|incluye|ajoute[rz]?|füge|ergänze|adicion[ea](?:r)?|acrescent[ea]|inclua|ongeza|pia|tambah(?:kan)?|aggiungi|voeg)\\s+(?:(?:the|a|an|also|another|new|el|la|los|las|une?|un|le|les|das|den|die|der|eine?n?|o|os|as|um|uma)\\s+)*(?:(?:label|kind|category|tag|field|column|type|etiqueta|categoría|campo|columna|étiquette|catégorie|champ|kategorie|feld|spalte|rótulo|categoria|lebo|aina|kundi|safu|kategori|jenis|kolom|etichetta|label)s?n?\\s+)?[:"“'«]?(.+?)["”'»]?(?:\\s+hinzu|\\s+toe|\\s+(?:as|to) (?:a |the )?(?:label|field|kind|list|categor)\\p{L}*)?\\s*(?=[.;!?]|$)`,
  'iu',
)
const addingHindi = /([\p{L}\p{M} ]+?)\s*(?:श्रेणी|लेबल|कॉलम)?\s*(?:भी )?जोड़/u
const removing = new RegExp(
  `${letters}(?:remove|drop|delete|without the|quita(?:r)?|elimina(?:r)?|enlève|enlever|retire[rz]?|supprime[rz]?|entferne|streiche|remov[ae](?:r)?|tire|retire|ondoa|toa|hapus(?:kan)?|buang|togli|rimuovi|verwijder)\\s+(?:(?:the|el|la|los|las|le|les|l['’]|das|den|die|der|o|os|as|il|lo|de|het)\\s+)*(?:(?:label|kind|category|tag|field|column|etiqueta|categoría|campo|columna|étiquette|catégorie|champ|kategorie|feld|spalte|rótulo|lebo|aina|kundi|safu|kategori|jenis|kolom)s?n?\\s+)?[:"“'«]?(.+?)["”'»]?\\s*(?=[.;!?,]|$)`,
  'iu',
)
const renaming = new RegExp(
  `${letters}(?:rename|call|change|cambia|renomme|benenne|renomeie|mude|badilisha|ganti|ubah)\\s+(?:the\\s+)?(?:(?:label|kind|field|etiqueta|campo|lebo|kategori)\\s+)?["“'«]?(.+?)["”'»]?\\s+(?:to|as|into|a|por|en|zu|in|para|kuwa|menjadi|jadi)\\s+["“'«]?(.+?)["”'»]?\\s*(?=[.;!?,]|$)`,
  'iu',
)
const instead = beginnings(
  'should|instead|rather|must|not .{0,20}but|en vez|en lugar|debe|deberia|plutot|au lieu|doit|statt|soll|lieber|em vez|deve|badala|inapaswa|iwe|के बजाय|चाहिए|sebaiknya|alih-alih|harus',
)

/** The spec with what the words ask for; refuses what would make a plan that is not built. */
export function refineOffline(spec: Spec, words: string): Spec | Refusal {
  const next: Spec = { ...spec, clarify: [...spec.clarify], assumptions: [...spec.assumptions] }
  const chosen = spec.clarify.find(
    (question): question is Question => typeof question !== 'string' && question.options.some((option) => option.words === words),
  )
  let rest = avoid(next, words)
  rest = listChanges(next, rest)
  const text = plain(rest)
  const touched = new Set<Topic>(chosen ? [chosen.topic] : [])

  const task = taskSaid(text, next.task, chosen?.topic === 'task')
  if (task) turn(next, task, rest)
  if (
    next.task === 'classify' &&
    /(?:labels?|kinds|categories|etiquetas|kategorien|rótulos|makundi|kategori)\s+(?:are|should be|son|sind|são|ni|adalah)|:/iu.test(rest)
  ) {
    const said = labelsIn(rest)
    if (said && !sameItems(said, next.labels)) next.labels = said
  }
  if (next.task === 'extract' && /(?:fields?|columns)\s+(?:are|should be)|:/iu.test(rest)) {
    const said = fieldsIn(rest)
    if (said && !sameItems(said, next.fields)) next.fields = said
  }
  languages(next, rest, text)

  const length = lengthIn(rest)
  const layout = formatIn(rest)
  if (layout) next.outputFormat = length || !/at most|one /.test(next.outputFormat ?? '') ? layout : merge(layout, next.outputFormat)
  let tone = tonesIn(text)
  if (shorter.test(text)) tone = merge(tone, 'brief')
  if (tone) next.tone = mergeTones(spec.tone, tone)
  if (longer.test(text)) {
    const kept = (next.tone ?? '').split(', ').filter((one) => one && one !== 'brief')
    next.tone = merge(kept.join(', '), 'detailed')
    if (!layout && /at most|one /.test(next.outputFormat ?? '')) next.outputFormat = null
  }
  const audience =
    /(?<![\p{L}])(?:for|para|pour|für|kwa ajili ya|kwa|untuk|के लिए|per|voor)(?![\p{L}])/iu.test(rest) || /के लिए/u.test(rest) ? audienceIn(text) : null
  if (audience) next.audience = audience
  if (cues.cite.no.test(text)) next.mustCite = false
  else if (cues.cite.yes.test(text)) next.mustCite = true
  if (cues.refuse.no.test(text)) next.refuseOutsideScope = false
  else if (next.task === 'answer' && cues.refuse.yes.test(text)) next.refuseOutsideScope = true
  if (next.task === 'classify') {
    if (cues.several.no.test(text)) next.multiLabel = false
    else if (cues.several.yes.test(text)) next.multiLabel = true
  }
  if (anyNetwork.test(text)) next.privacy = null
  else if (cues.local.test(text)) next.privacy = 'local'
  const price = priceIn(rest)
  if (price) next.pricePerQuery = price
  const latency = latencyIn(rest)
  if (latency) next.maxLatencyMs = latency

  const declined = declineOf(words)
  if (declined) return refuse('declined', declined.decline.reason, `What could be built instead: ${declined.decline.alternative}`)

  for (const [field, topic] of topics) if (JSON.stringify(next[field] ?? null) !== JSON.stringify(spec[field] ?? null)) touched.add(topic)
  const answered = spec.clarify.filter((question) => typeof question !== 'string' && touched.has(question.topic)) as Question[]
  next.clarify = next.clarify.filter((question) => !answered.includes(question as Question))
  next.assumptions = next.assumptions.filter((assumption) => !answered.some((question) => question.assumed === assumption))
  const moved = topics.some(([field]) => JSON.stringify(next[field] ?? null) !== JSON.stringify(spec[field] ?? null))
  // A clicked answer that no field holds is kept as it was said.
  if (chosen && !moved) next.assumptions.push(words)
  return next
}

const topics: readonly (readonly [keyof Spec, Topic])[] = [
  ['task', 'task'],
  ['labels', 'labels'],
  ['multiLabel', 'labels'],
  ['fields', 'fields'],
  ['language', 'language'],
  ['outputLanguage', 'language'],
  ['outputFormat', 'output format'],
  ['refuseOutsideScope', 'scope'],
  ['tone', 'tone'],
  ['audience', 'audience'],
  ['privacy', 'privacy'],
  ['maxLatencyMs', 'latency'],
  ['pricePerQuery', 'price'],
  ['mustCite', 'sources'],
  ['avoid', 'scope'],
]

/** Takes "never mention X" out of the words and into the spec; the rest is read on. */
function avoid(spec: Spec, words: string): string {
  const found = avoidingHindi.exec(words) ?? avoidingGerman.exec(words) ?? avoiding.exec(words)
  const what = found?.[1]
    ?.trim()
    .replace(/^(?:the|any|an|la|el|las|los|un|una|le|les|une|die|der|das|den|ein|eine|einen|a|o|as|os|um|uma)\s+/iu, '')
    .replace(/["”'».]+$/u, '')
  // "never" before anything else than a subject ("never guess") is a wish of its own, read by the other rules.
  if (
    !found ||
    !what ||
    what.split(/\s+/).length > 6 ||
    (/^never\s/i.test(found[0].trim()) && !/mention|talk|speak|say|bring|discuss|touch|giv|offer|provid|recommend|suggest|disclos|reveal/i.test(found[0]))
  )
    return words
  if (!spec.avoid?.includes(what)) spec.avoid = [...(spec.avoid ?? []), what]
  const rest = words.replace(found[0], ' ')
  return rest === words ? rest : avoid(spec, rest)
}

/** "add the label X", "remove X", "rename X to Y". */
function listChanges(spec: Spec, words: string): string {
  const key = spec.task === 'classify' ? 'labels' : spec.task === 'extract' ? 'fields' : undefined
  if (!key) return words
  const list = [...(spec[key] ?? [])]
  const find = (name: string) => list.findIndex((item) => plain(item) === plain(name.trim()))
  const renamed = renaming.exec(words)
  if (renamed && find(renamed[1]!) >= 0) {
    list[find(renamed[1]!)] = renamed[2]!.trim()
    spec[key] = list
    return words.replace(renamed[0], ' ')
  }
  const removed = removing.exec(words)
  if (removed) {
    const gone = items(removed[1]!).filter((item) => find(item) >= 0)
    if (gone.length) {
      spec[key] = list.filter((item) => !gone.some((one) => plain(one) === plain(item)))
      return listChanges(spec, words.replace(removed[0], ' '))
    }
  }
  const added = adding.exec(words) ?? addingHindi.exec(words)
  if (added && !languageMentions(added[1]!).length) {
    const fresh = items(added[1]!).filter((item) => find(item) < 0 && item.split(/\s+/).length <= 5)
    if (fresh.length) {
      spec[key] = [...list, ...fresh]
      return words.replace(added[0], ' ')
    }
  }
  return words
}

const items = (text: string): string[] =>
  text
    .split(/\s*[,،、]\s*|\s+(?:and|y|e|et|und|na|dan|और)\s+/u)
    .map((item) => item.replace(/^["“'«\s]+|["”'»\s]+$/gu, ''))
    .filter((item) => /[\p{L}\p{N}]/u.test(item))

const sameItems = (a: readonly string[], b: readonly string[] | null): boolean =>
  Boolean(b) && a.length === b!.length && a.every((item) => b!.some((other) => plain(other) === plain(item)))

/** Another task, when the words plainly ask for one. */
function taskSaid(text: string, now: Task, clicked: boolean): Task | undefined {
  const weigh = (task: Task): number => taskCues[task].reduce((sum, [weight, pattern]) => sum + (pattern.test(text) ? weight : 0), 0)
  const ranked = (Object.keys(taskCues) as Task[]).map((task) => ({ task, weight: weigh(task) })).sort((a, b) => b.weight - a.weight)
  const [best, second] = ranked as [(typeof ranked)[0], (typeof ranked)[0]]
  if (best.task === now || best.weight < 3 || best.weight <= second.weight) return undefined
  return clicked || (instead.test(text) && languageMentions(text).length === 0) ? best.task : undefined
}

/** What belongs to the old task alone goes with it. */
function turn(spec: Spec, task: Task, words: string): void {
  spec.task = task
  spec.labels = task === 'classify' ? (labelsIn(words) ?? spec.labels) : null
  spec.multiLabel = task === 'classify' ? spec.multiLabel : null
  spec.fields = task === 'extract' ? (fieldsIn(words) ?? spec.fields) : null
  if (task !== 'transform' && spec.kindOfTransform) spec.kindOfTransform = null
}

const also = beginnings('also|as well|too\\b|both|tambien|aussi|auch|tambem|pia|भी|juga|anche|ook|也')

function languages(spec: Spec, words: string, text: string): void {
  const mentions = languageMentions(words)
  if (!mentions.length) return
  const read = mentions.filter((one) => one.role === 'in').map((one) => one.tag)
  const written = mentions.filter((one) => one.role === 'out').map((one) => one.tag)
  const open = mentions.filter((one) => one.role === 'either').map((one) => one.tag)
  const writes = spec.task === 'transform' || spec.task === 'answer'
  const out = [...new Set([...written, ...(writes ? open : [])])]
  const into = [...new Set([...read, ...(writes ? [] : open)])]
  if (out.length) spec.outputLanguage = also.test(text) ? [...new Set([...spec.outputLanguage, ...out])] : out
  if (into.length) spec.language = also.test(text) ? [...new Set([...spec.language, ...into])] : into
}

const merge = (a: string | null | undefined, b: string | null | undefined): string | null =>
  [...new Set([...(a ?? '').split(', '), ...(b ?? '').split(', ')].filter(Boolean))].join(', ') || null
const opposites: readonly (readonly [string, string])[] = [
  ['formal', 'friendly'],
  ['brief', 'detailed'],
  ['playful', 'neutral'],
  ['playful', 'formal'],
  ['warm', 'firm'],
]
/** The tones said now, beside those said before that do not contradict them. */
function mergeTones(before: string | null, said: string): string {
  const now = said.split(', ')
  const kept = (before ?? '')
    .split(', ')
    .filter((old) => old && !opposites.some((pair) => pair.includes(old) && pair.some((other) => other !== old && now.includes(other))))
  return merge(kept.join(', '), said)!
}
