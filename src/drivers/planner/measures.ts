/**
 * Numbers a description states: a price in OPEN, a time limit, the length of an answer; in digits of any script or in words.
 * Knows nothing of tasks.
 */
import { plain } from './languages.ts'

/** Number words from a half to twenty, and a few round ones, in the planner's languages; without accents. */
const numberWords: Record<string, number> = {}
const tell = (value: number, names: string): void => {
  for (const name of names.split(' ')) numberWords[name] ??= value
}
tell(0.5, 'half medio media demi demie halbe halben halb meia meio nusu आधा आधे आधी setengah mezz mezzo halve yarim пол half-a 半')
tell(1, 'one a an un una une ein eine einer einem uno um uma moja एक satu se één een bir один одну одной jedn jedna jeden jedne mot 一 ثانية واحدة 1')
tell(2, 'two dos deux zwei dois duas mbili दो dua due twee iki две два двух dwa dwie dwoch hai 两 二 ثانيتين ثانيتان couple')
tell(3, 'three tres trois drei três tatu तीन tiga tre drie uc три трех trzy trzech ba 三 ثلاث ثلاثة')
tell(4, 'four cuatro quatre vier quatro nne चार empat quattro dort четыре cztery bon 四 أربع أربعة')
tell(5, 'five cinco cinq funf tano पाँच पांच lima cinque vijf bes пять piec nam 五 خمس خمسة')
tell(6, 'six seis sechs sita छह छः enam sei zes alti шесть szesc sau 六 ست ستة')
tell(7, 'seven siete sept sieben sete saba सात tujuh sette zeven yedi семь siedem 七 سبع')
tell(8, 'eight ocho huit acht oito nane आठ delapan otto sekiz восемь osiem 八 ثماني')
tell(9, 'nine nueve neuf neun nove tisa नौ sembilan negen dokuz девять dziewiec 九 تسع')
tell(10, 'ten diez dix zehn dez kumi दस sepuluh dieci tien on десять dziesiec 十 عشر')
tell(15, 'fifteen quince quinze funfzehn पंद्रह')
tell(20, 'twenty veinte vingt zwanzig vinte ishirini बीस')
tell(30, 'thirty treinta trente dreissig trinta thelathini तीस')
tell(150, 'hundred-and-fifty')

const zeros = [0x660, 0x6f0, 0x966, 0x9e6, 0xff10]
/** Digits of other scripts as ASCII ones. */
export function westernDigits(text: string): string {
  return text
    .replace(/\p{Nd}/gu, (digit) => {
      const code = digit.codePointAt(0)!
      const zero = zeros.find((one) => code >= one && code <= one + 9)
      return zero === undefined ? digit : String(code - zero)
    })
    .replace(/٫/g, '.')
}

/** A decimal number with a point or a comma; commas between groups of three are taken out. */
function decimal(text: string): number {
  return Number(text.replace(/(\d)[ ,.](?=\d{3}(?:\D|$))(?=.*\d{3})/g, (whole, digit: string) => (/^0[.,]/.test(text) ? whole : digit)).replace(',', '.'))
}

const parts: Record<string, number> = {
  half: 0.5,
  third: 1 / 3,
  quarter: 0.25,
  fifth: 0.2,
  tenth: 0.1,
  hundredth: 0.01,
  thousandth: 0.001,
  centesima: 0.01,
  decima: 0.1,
  milesima: 0.001,
  centieme: 0.01,
  dixieme: 0.1,
  millieme: 0.001,
  hundertstel: 0.01,
  zehntel: 0.1,
  tausendstel: 0.001,
  centesimo: 0.01,
  decimo: 0.1,
  milesimo: 0.001,
  seperseratus: 0.01,
  sepersepuluh: 0.1,
  seperseribu: 0.001,
}

/** Decimal string of OPEN; null when no price in OPEN is stated. Prices in other money are not converted. */
export function priceIn(words: string): string | null {
  const text = westernDigits(words)
  const found =
    /(?<![\d.,])(\d+(?:[.,]\d+)?)\s*(?:test\s+)?(?:\$?OPEN)(?![\p{L}])/iu.exec(text) ?? /(?<![\p{L}])\$?OPEN\s*(\d+(?:[.,]\d+)?)(?![\d.,]*\d)/u.exec(text)
  if (found) {
    // "open 24 hours", "the shop is open": the coin is written in capitals or follows a fraction or a number that says what it costs.
    const capital = /OPEN/.test(found[0])
    const value = Number(found[1]!.replace(',', '.'))
    if (value > 0 && (capital || /(?:for|at|pay|cost|price|most|to|is|,)\s*$/i.test(text.slice(Math.max(0, found.index - 12), found.index)) || value < 1))
      return tidy(value)
  }
  const evened = plain(text)
  const fraction = new RegExp(
    `(?<![\\p{L}])(?:(\\p{L}+|\\d+)\\s+)?(${Object.keys(parts).join('|')})s?\\s+(?:of\\s+)?(?:an?\\s+|de\\s+|d\\s+|eines\\s+|einen\\s+|di\\s+|um\\s+)?open(?![\\p{L}])`,
    'iu',
  ).exec(evened)
  if (fraction) {
    const many = fraction[1] === undefined ? 1 : Number.isNaN(Number(fraction[1])) ? (numberWords[fraction[1]] ?? 1) : Number(fraction[1])
    return tidy(many * parts[fraction[2]!]!)
  }
  const spoken = /(?<![\p{L}])(?:point|zero point|nought point) (?:zero|oh|nought)? ?(?:zero |oh |nought )?(\p{L}+) OPEN/u.exec(text)
  const digit = spoken ? numberWords[spoken[1]!.toLowerCase()] : undefined
  if (digit)
    return tidy(
      digit /
        (/(?:zero|oh|nought) (?:zero|oh|nought) /.test(spoken![0].replace(/^zero point/, 'point'))
          ? 1000
          : / (?:zero|oh|nought) /.test(spoken![0].replace(/^zero /, ''))
            ? 100
            : 10),
    )
  const whole = new RegExp(
    `(?<![\\p{L}])(${Object.keys(numberWords)
      .filter((name) => /^[a-z]+$/.test(name))
      .join('|')}) OPEN(?![\\p{L}])`,
    'u',
  ).exec(text)
  return whole ? tidy(numberWords[whole[1]!]!) : null
}

const tidy = (value: number): string => value.toFixed(9).replace(/\.?0+$/, '')

const units: readonly (readonly [unit: string, milliseconds: number])[] = [
  [
    'ms|msec|milliseconds?|milisegundos?|millisecondes?|millisekunden?|milissegundos?|milidetik|मिलीसेकंड|millisecondi|milisaniye|毫秒|ミリ秒|миллисекунд\\p{L}*|ميلي ?ثانية|밀리초',
    1,
  ],
  [
    's|sec|secs|seconds?|segundos?|segs?|secondes?|sekunden?|sek|detik|sekunde|सेकंड|सेकेंड|सेकण्ड|secondi|secondo|seconden|saniye\\p{L}*|sn|秒|секунд\\p{L}*|ثانية|ثوان\\p{L}*|ثواني|sekund\\p{L}*|giay|초',
    1000,
  ],
  ['minutes?|mins?|minutos?|minuten?|dakika|मिनट|menit|minuti|minuto|minuut|分钟|минут\\p{L}*|دقيقة|دقائق|minut\\p{L}*|phut', 60_000],
]
const limits =
  /under|within|less than|below|at most|at the most|max|no more than|faster|in (?:at most )?$|limit|wait|patien|respond|reply|answer|fast|quick|speed|second|latency|menos de|maxim|antes de|en (?:menos )?|tard|espera|respu|moins de|maximum|rapid|attend|unter|hochstens|maximal|inner|schnell|binnen|wart|ate|no maximo|demor|chini ya|ndani ya|haraka|sekunde|के अंदर|के भीतर|से कम|में|dalam|kurang dari|maksimal|cepat|tunggu|meno di|entro|massimo|binnen|以内|之内|不超过|内|في|خلال|أقل من|以内に|icinde|altinda|до|за|не более|w ciagu|ponizej|duoi|trong/

/** Longest time an answer may take, in milliseconds; null when none is stated. Lengths of clips and spots are not time limits. */
export function latencyIn(words: string): number | null {
  const text = plain(westernDigits(words))
  const numbers = Object.keys(numberWords).sort((a, b) => b.length - a.length)
  for (const [unit, milliseconds] of units) {
    // Single letters and the like are units after digits alone: "as" is no second.
    const spelt = unit.replace(/(?:^|\|)(?:ms|msec|s|secs?|sek|sn|segs\?|mins\?|quot)(?=\||$)/g, '').replace(/^\|/, '')
    const between = '(?:\\s+(?:a|an|or (?:two|so)|una?|une|de))?'
    const spaced = `(?<![\\p{L}\\p{N}.,])(?:(\\d+(?:[.,]\\d+)?)[-\\s]*(?:${unit})|(${numbers.join('|')})${between}(?:[-\\s]+|(?<=[^\\p{Script=Latin}]))(?:${spelt}))(?![\\p{L}\\p{N}])`
    const sekunde = milliseconds === 1000 ? `(?:sekunde|sekunda)\\s+(${numbers.filter((name) => /^[a-z]+$/.test(name)).join('|')}|\\d+)` : undefined
    for (const match of [...text.matchAll(new RegExp(spaced, 'gu')), ...(sekunde ? text.matchAll(new RegExp(sekunde, 'gu')) : [])]) {
      const before = text.slice(Math.max(0, match.index - 40), match.index)
      const after = text.slice(match.index + match[0].length, match.index + match[0].length + 25)
      if (
        /^[ -]*(?:grade|language|time\\b|hand\\b|opinion|reader|one\\b|long|spot|clip|video|recording|audio|ad\b|jingle|of (?:audio|video|footage)|ago|old|each)/.test(
          after,
        )
      )
        continue
      if (milliseconds === 60_000 && !limits.test(before)) continue
      const said = match[1] ?? match[2]!
      const value = Number.isNaN(decimal(said)) ? numberWords[said] : decimal(said)
      if (value && value * milliseconds <= 600_000) return Math.round(value * milliseconds)
    }
    if (milliseconds === 1000) {
      if (
        /half a sec|half-second|half second|demi[- ]seconde|medio segundo|halbe[nr]? sekunde|meio segundo|nusu sekunde|setengah detik|आधे सेकंड|mezzo secondo|半秒|نصف ثانية|пол ?секунд/.test(
          text,
        )
      )
        return 500
      if (/(?:within|under|in|than|about) a second|sub-?second|en un segundo|en une seconde|in einer sekunde|em um segundo|sedetik|sepersekian/.test(text))
        return 1000
    }
  }
  return null
}

const lengthUnits: readonly (readonly [name: string, pattern: string])[] = [
  [
    'sentence',
    'sentences?|frases?|oraciones|phrases?|satze?n?|satz|sentensi|वाक्य\\p{M}*|वाक्यों|kalimat|frasi|frase|zinnen|zin|cumle\\p{L}*|句|句话|جمل\\p{L}*|文|предложени\\p{L}*|zdani\\p{L}*|cau',
  ],
  ['word', 'words?|palabras?|mots?|worter?n?|worte|palavras?|maneno|शब्द\\p{M}*|शब्दों|kata|parole|woorden|kelime\\p{L}*|个?字|كلم\\p{L}*|字|слов\\p{L}*|slow|tu'],
  ['paragraph', 'paragraphs?|parrafos?|paragraphes|absatze?n?|paragrafos?|aya|अनुच्छेद|paragraf|段|فقرات?|alinea|абзац\\p{L}*'],
  ['line', 'lines?|lineas?|lignes?|zeilen?|linhas?|mistari|पंक्ति\\p{L}*|baris|righe|regels|satir\\p{L}*|行|أسطر|строк\\p{L}*'],
]

/** "one sentence", "at most 3 sentences", "at most 80 words": the length an answer is asked to have; null when none is. */
export function lengthIn(words: string): { text: string; count: number; unit: string } | null {
  const text = plain(westernDigits(words))
  const numbers = Object.keys(numberWords)
    .filter((name) => !/^(?:a|an|se|on)$/.test(name))
    .sort((a, b) => b.length - a.length)
  for (const [name, pattern] of lengthUnits) {
    const match =
      new RegExp(`(?<![\\p{L}\\p{N}])(\\d+|${numbers.join('|')})[- ]?(?:${pattern})(?![\\p{L}\\p{M}])`, 'u').exec(text) ??
      new RegExp(`(?<![\\p{L}])(?:sentensi|maneno|mistari)\\s+(\\d+|${numbers.filter((one) => /^[a-z]+$/.test(one)).join('|')})(?![\\p{L}])`, 'u').exec(text)
    const value = match ? (Number.isNaN(Number(match[1])) ? numberWords[match[1]!] : Number(match[1])) : undefined
    if (!match || !value || value < 1 || (name !== 'word' && value > 60)) continue
    // Lines and words that are handed over ("two to ten lines each", "1,200 words") are not asked for.
    if (/(?:each|long|of them|per)\b/.test(text.slice(match.index + match[0].length, match.index + match[0].length + 8)) && name === 'line') continue
    return { text: value === 1 ? `one ${name}` : `at most ${value} ${name}s`, count: value, unit: name }
  }
  return null
}

/** Counts a note states by name ("scam 410, probably fine 300"); undefined when it states none. */
export function countsIn(note: string): { name: string; count: number }[] | undefined {
  const list = /[:：]\s*(.+)$/u.exec(note)?.[1] ?? note
  const found = [...list.matchAll(/([\p{L}\p{M}][\p{L}\p{M}' /-]{0,40}?)\s*[:=(]?\s*(\d[\d,. ]*)\)?(?=\s*(?:[,;،、]|$|and\b|y\b|et\b|und\b))/gu)].map(
    (match) => ({
      name: match[1]!.trim(),
      count: Number(match[2]!.replace(/\D/g, '')),
    }),
  )
  return found.length >= 2 ? found : undefined
}
