/**
 * Script: which writing system most letters of a text are in. Knows nothing of languages, of which many share one.
 */

const NAMES = [
  ...['Latin', 'Cyrillic', 'Greek', 'Arabic', 'Hebrew', 'Ethiopic', 'Devanagari', 'Bengali', 'Gurmukhi', 'Gujarati', 'Oriya', 'Tamil', 'Telugu', 'Kannada'],
  ...['Malayalam', 'Sinhala', 'Thai', 'Lao', 'Tibetan', 'Myanmar', 'Khmer', 'Georgian', 'Armenian', 'Hangul', 'Han', 'Hiragana', 'Katakana', 'Cherokee'],
  ...['Thaana', 'Tifinagh', 'Nko', 'Mongolian', 'Javanese', 'Balinese', 'Syriac'],
] as const
/** Signs looked at: a text keeps to its script. */
const OPENING = 300
const tests = NAMES.map((name) => ({ name, letters: new RegExp(`\\p{Script=${name}}`, 'gu') }))

/** The name of the script with most letters in the text; undefined where it has no letters of any we know. */
export function scriptOf(text: string): string | undefined {
  const opening = text.slice(0, OPENING)
  let most: { name: string; count: number } | undefined
  for (const { name, letters } of tests) {
    const count = opening.match(letters)?.length ?? 0
    if (count > (most?.count ?? 0)) most = { name, count }
  }
  return most?.name
}
