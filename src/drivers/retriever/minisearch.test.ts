import { retrieverSuite } from '../../ports/retriever.suite.ts'
import { miniSearchRetriever } from './minisearch.ts'

retrieverSuite('MiniSearch', miniSearchRetriever)
