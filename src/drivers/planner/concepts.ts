/**
 * What a text is about, as terms to index and to ask for: its words, without endings that do not matter for finding, and concepts that are the same in
 * every language: a language that is named, a field (`heart` and `cardiac` are one), a kind of material. Knows nothing of indexes.
 */
import { smallWords } from '../language/small-words.ts'
import { beginnings } from './cues.ts'
import { dullWords } from './dull-words.ts'
import { languagesMentionedAnyhow } from './language-names.ts'
import { plain } from './languages.ts'
import { moreSmallWords } from './small-words.ts'
import { materials, subjects } from './subjects.ts'

/** English words, by their beginnings, for the fields people ask models about; what the planner's subjects do not hold or hold only in other languages. */
const fields: Record<string, string> = {
  heart: 'heart|cardi|coronary|arrhythm|atrial|myocard|moyo\\b|corazon|coeur|herz|coracao|jantung|हृदय|दिल की',
  medicine:
    'medic|clinic|drug|pharmac|dosage|prescri|therap|treatment|physician|doctor|nurs|patient|health|dawa\\b|afya|kesehatan|salud|sante|gesundheit|saude|स्वास्थ्य',
  disease: 'disease|illness|diagnos|symptom|infection|cancer|tumou?r|oncolog|diabet|covid|malaria',
  legal: 'legal|law\\b|laws\\b|lawyer|attorney|statut|court|judgment|litigat|clause|contract|licen[cs]e agreement|terms of service|nda\\b|lease',
  tenancy: 'tenan|landlord|renter|rental|evict|lease',
  finance: 'financ|bank|account|payment|card\\b|cards\\b|loan|credit|debit|mortgage|invest|transaction',
  insurance: 'insur|polic(?:y|ies)\\b|claim\\b|claims\\b|underwrit',
  tax: 'tax|vat\\b|customs duty|excise|kodi\\b|impuesto|impot|steuer|imposto|pajak|कर\\b',
  building: 'building|construct|structur|architect|civil engineer|concrete|masonry|beam|load-bearing|regulation',
  farming: 'farm|crop|agric|harvest|livestock|cattle|maize|soil|pest|kilimo|agricul|landwirt|pertanian|खेती|कृषि',
  education: 'school|teach|student|pupil|exam\\b|curricul|universit|homework|escuela|ecole|schule|escola|sekolah|shule',
  software: 'software|code\\b|api\\b|bug\\b|bugs\\b|program|developer|git\\b|stack trace|log files?',
  customer: 'customer|client|consumer|helpdesk|help desk|support ticket|complain|feedback|refund',
  sentiment: 'sentiment|positive|negative|mood|opinion|tone of|angry|praise|hisia|sentimiento|stimmung',
  topic: 'topic|subject of|categor|mada\\b|tema\\b|thema|sujet',
  news: 'news|headline|journalis|press\\b|habari|noticia|nachricht|nouvelle|berita|समाचार',
  travel: 'travel|hotel|flight|touris|booking|visa\\b|safari|viaje|reise|voyage|viagem|wisata',
  energy: 'energy|electric|power plant|turbine|solar|grid\\b|wind farm',
  transport: 'transport|railway|train\\b|trains\\b|bus\\b|traffic|vehicle|shipping|freight|logistic',
  food: 'food|recipe|restaurant|cook|kitchen|nutrition|menu',
  religion: 'relig|church|mosque|bible|quran|sermon|prayer',
  history: 'histor|archiv|archaeolog|heritage|manuscript|inscription',
  environment: 'environment|climate|pollut|biodivers|wildlife|forest|conservation',
  employment: 'employ|payroll|job\\b|jobs\\b|recruit|cv\\b|cvs\\b|resume|hiring|human resources|labou?r',
  government: 'government|municipal|council|citizen|public service|permit|election|parliament',
  chemistry: 'chemical|chemist|compound|molecul|toxic|reagent',
  safety: 'safety|hazard|accident|incident|risk assess|fire\\b',
}
const concepts = [
  ...Object.entries(fields).map(([word, list]) => ({ term: `field:${word}`, weight: 1.2, pattern: beginnings(list) })),
  ...Object.entries(subjects).map(([word, list]) => ({ term: `field:${word}`, weight: 1, pattern: beginnings(`${word}s?\\b|${list}`) })),
  ...Object.entries(materials).map(([word, list]) => ({ term: `of:${word}`, weight: 0.7, pattern: beginnings(`${word.replace(/s$/, '')}|${list}`) })),
]
const small = new Set(Object.values({ ...moreSmallWords, ...smallWords }).flatMap((list) => plain(list).split(' ')))
const words = new Intl.Segmenter('und', { granularity: 'word' })

/** A word as it is compared: without accents, and in Latin letters without the ending of a plural. */
function root(word: string): string {
  const bare = plain(word).trim()
  return /^[a-z]{5,}$/.test(bare) ? bare.replace(/ies$/, 'y').replace(/(?<![su])s$/, '') : bare
}

/** Terms of a text with weights: 1 and more for what it is about, less for its words. At most 400 of them, the first. */
export function termsIn(text: string, weight = 0.5): { term: string; weight: number }[] {
  const said = text.slice(0, 20_000)
  const found = new Map<string, number>()
  const add = (term: string, worth: number) => found.set(term, Math.max(found.get(term) ?? 0, worth))
  const segments = [...words.segment(said)].filter(({ isWordLike }) => isWordLike).map(({ segment }) => segment)
  for (const language of languagesMentionedAnyhow(segments)) add(`lang:${language.split('-')[0]}`, 1.5)
  const bare = ` ${plain(said)} `
  for (const concept of concepts) if (concept.pattern.test(bare)) add(concept.term, concept.weight)
  for (const segment of segments) {
    const term = root(segment)
    if (term.length < 2 || term.length > 40 || small.has(term) || dullWords.has(term)) continue
    add(term, weight)
  }
  return [...found].slice(0, 400).map(([term, worth]) => ({ term, weight: worth }))
}

/** The concepts among terms, by which needs nobody meets are gathered: languages, fields and materials. */
export const tagsOf = (terms: readonly { term: string }[]): string[] =>
  [...new Set(terms.filter(({ term }) => /^(?:lang|field|of):/.test(term)).map(({ term }) => term.replace(/^[a-z]+:/, '')))].sort().slice(0, 12)
