/**
 * Retrieval by BM25+ (Lv & Zhai 2011) over heading, title and text, by MiniSearch. Knows nothing of models or answers.
 */
import MiniSearch from 'minisearch'
import type { Passage } from '../../core/dataset.ts'
import type { PassageIndex, Retriever } from '../../ports/retriever.ts'
import { smallWords } from '../language/small-words.ts'

/** A heading says in few words what a passage is about, so a word in it counts for more. */
const boost = { heading: 2, title: 1.5, text: 1 }

/** The index lives in memory and is built in milliseconds for hundreds of passages. */
export function miniSearchRetriever(): Retriever {
  return {
    index(passages, language): PassageIndex {
      const small = new Set((smallWords[language.split('-')[0]!] ?? '').split(' '))
      const processTerm = (term: string): string | null => {
        const word = term.normalize('NFKC').toLowerCase()
        if (small.has(word)) return null
        // English plurals only: a full stemmer wins little on short questions and is wrong for other languages.
        return language.startsWith('en') && /[^s]s$/.test(word) && word.length > 3 ? word.slice(0, -1) : word
      }
      const search = new MiniSearch<{ id: number; heading: string; title: string; text: string }>({
        fields: ['heading', 'title', 'text'],
        tokenize: words,
        processTerm,
        searchOptions: { boost, prefix: false, fuzzy: false, combineWith: 'OR' },
      })
      search.addAll(passages.map((passage, id) => ({ id, heading: passage.heading, title: passage.title, text: passage.sentences.join(' ') })))
      return {
        search(question, limit) {
          return search
            .search(question)
            .slice(0, Math.max(0, limit))
            .map((hit) => ({ passage: passages[hit.id as number] as Passage, score: hit.score }))
        },
      }
    },
  }
}

const unspaced = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u

/** Runs of letters, marks and digits; scripts without spaces are cut by the platform's word segmenter. */
function words(text: string): string[] {
  const runs = text.match(/[\p{L}\p{M}\p{N}]+/gu) ?? []
  if (!unspaced.test(text)) return runs
  const segmenter = new Intl.Segmenter(undefined, { granularity: 'word' })
  return runs.flatMap((run) => (unspaced.test(run) ? Array.from(segmenter.segment(run), (part) => part.segment) : [run]))
}
