import { taggerSuite } from '../../ports/tagger.suite.ts'
import { wordTagger } from './word-tagger.ts'

taggerSuite('logistic regression', wordTagger)
