/**
 * What the builder's first page says, by language. Knows nothing of where a sentence stands.
 */
import { en } from './words.en.ts'
import { es } from './words.es.ts'

export const studioWords = { en, es }
