/**
 * Views: the JSON that `/api/state` and `/api/events` carry to the studio and the command line.
 * Plain data, every amount in both exact forms; knows nothing of where it comes from.
 */
import type { Source } from './dataset.ts'
import type { Findings } from './findings.ts'
import type { Id } from './id.ts'
import type { Report, Verdict } from './report.ts'
import type { Amount } from './royalty.ts'

export type BuildView = {
  id: string
  name: string
  words: string
  state: 'queued' | 'running' | 'done' | 'refused' | 'failed' | 'cancelled'
  /** The river's arrows so far, oldest first. */
  events: { at: number; arrow: string; text: string; data?: unknown }[]
  /** Loss curve so far and time left, while training and after. */
  training: {
    /** `validationRight`: of the practice decisions the share it got right. */
    points: { step: number; trainingLoss: number; validationLoss: number | null; validationRight?: number | undefined }[]
    step: number
    steps: number
    secondsLeft: number
    tokensPerSecond: number
  } | null
  createdAt: number
}

export type ModelView = {
  name: string
  packageId: string
  task: string
  words: string
  modelId: string | null
  price: Amount | null
  payout: string | null
  labels: string[] | null
  exam: { n: number; metric: string; arms: { name: string; what: string; score: number; interval: [number, number] }[]; verdict?: Verdict | null }
  /** What the listing is labelled with; see {@link Standing}. */
  standing?: Standing
  queries: number
  earned: Amount
}

/**
 * `proven`: surely better than its base and not surely worse than a simple method. `unproven`: sold, with that label. `worse`: cannot be
 * published. `unverified`: asked again as it is sold, it did worse than its exam says.
 */
export type Standing = 'proven' | 'unproven' | 'worse' | 'unverified'

/** The exam run again through the model as it is served. */
export type TwinView = {
  at: number
  /** Cases asked, of how many. */
  n: number
  of: number
  expected: number
  served: number
  /** Of the paired difference, in 95 of 100 draws. */
  interval: [number, number] | null
  outcome: 'verified' | 'unverified'
  why: string
}

/** What is known of a model's sealed exam. */
export type ExamView = {
  model: string
  packageId: string
  modelId: string | null
  root: string | null
  n: number
  metric: string
  arms: Report['arms']
  verdict: Verdict | null
  standing: Standing
  /** By the chain: when it was committed, and how many attempts it counts; null where it was not. */
  committed: { at: number; attempts: number } | null
  /** The version that the chain lists; null before the first. */
  listed: { packageId: Id; reportId: Id } | null
  /** Whether the report says that this was before the training. */
  beforeTraining: boolean
  /** Attempts this data folder knows of that the chain does not count yet. */
  uncounted: number
  /** Other exams committed for the model: to change the exam until one is passed would show here. */
  others: number
  twin: TwinView | null
  running: { done: number; of: number } | null
  /** All of it in plain words. */
  says: string[]
}

export type ReceiptView = {
  id: string
  model: string
  modelId: string
  tx: string
  block: number
  amount: Amount
  payer: string
  builder: string
  sources: string[]
  at: number
  /** The payment is deep enough in the chain that no reorganisation takes it back. */
  final: boolean
}

export type EarningsView = { builder: string; balance: Amount; total: Amount; models: { name: string; modelId: string; queries: number; earned: Amount }[] }

export type StateView = {
  network: { chainId: number; caip2: string; test: boolean; currency: string; rpc: string }
  contracts: { token: string; registry: string; router: string }
  builds: BuildView[]
  models: ModelView[]
  receipts: ReceiptView[]
  earnings: EarningsView
  /** What whoever runs the gateway should see to, in sentences. */
  warnings: string[]
}

/** A page of one part of a dataset, as it would be built now. */
export type ExamplesView = {
  name: string
  task: string
  findings: Findings
  /** The findings in plain words. */
  sentences: string[]
  part: 'training' | 'practice' | 'exam'
  /** Examples of the part that were asked for, of which those from `offset` on follow. */
  total: number
  offset: number
  examples: { id: string; input: string; outcome: string; source: Source; made?: string; passage?: string }[]
  /** Changes that are kept, and documents kept out of quotation. */
  corrections: number
  withheld: string[]
}

/** Which examples to show: those of a part that hold some words. */
export type ExamplesQuestion = { part?: ExamplesView['part'] | undefined; find?: string | undefined; offset?: number | undefined; limit?: number | undefined }

/** What strangers would see of each document. */
export type QuotationView = { name: string; documents: { file: string; passages: number; withheld: boolean; shown: string[] }[] }

/** What a fix would change: the fixed question, and the practice cases that come out otherwise. */
export type FixView = {
  name: string
  question: string
  before: string
  after: string
  /** Practice cases that were asked of both. */
  practice: number
  flips: { input: string; right: string; before: string; after: string; change: 'better' | 'worse' | 'other' }[]
}

/** Server-sent events on `/api/events`; the event name is `type`, the data is the JSON of the rest. */
export type LiveEvent =
  | { type: 'build'; build: BuildView }
  | { type: 'training'; buildId: string; training: NonNullable<BuildView['training']> }
  | { type: 'receipt'; receipt: ReceiptView; earnings: EarningsView }
  | { type: 'models'; models: ModelView[] }
