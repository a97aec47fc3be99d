/**
 * The factory as the apps see it: every arrow of the river as one method. The interface alone; `open.ts` builds it.
 * Apps (command line, server) use this and nothing below it.
 */
import type { AnatomyView } from '../core/anatomy.ts'
import type { Answer } from '../core/answer.ts'
import type { CitedView } from '../core/contributors.ts'
import type { Change } from '../core/corrections.ts'
import type { EarningsExport } from '../core/earnings.ts'
import type { Refusal } from '../core/errors.ts'
import type { ExportView } from '../core/export.ts'
import type { Address } from '../core/listing.ts'
import type { Passport } from '../core/passport.ts'
import type { Readiness } from '../core/readiness.ts'
import type { PaidPart } from '../core/receipt.ts'
import type { Amount } from '../core/royalty.ts'
import type { Sessions } from '../core/session.ts'
import type { Spec } from '../core/spec.ts'
import type { Terms } from '../core/terms.ts'
import type {
  BuildView,
  EarningsView,
  ExamplesQuestion,
  ExamplesView,
  FixView,
  LiveEvent,
  ModelView,
  QuotationView,
  ReceiptView,
  Standing,
  StateView,
} from '../core/view.ts'
import type { ColumnChoice } from '../steps/columns.ts'
import type { Auditions } from './audition.ts'
import type { BountyBoard } from './bounty-board.ts'
import type { BudgetWallet } from './budget.ts'
import type { Shares } from './earnings.ts'
import type { Exams } from './exams.ts'
import type { Gaps } from './gaps.ts'
import type { Market } from './market.ts'
import type { Material, MaterialWish } from './material.ts'
import type { Operating } from './operating.ts'
import type { Trials } from './trial.ts'
import type { Uploads } from './uploads.ts'
import type { Webhook } from './webhook.ts'

/** A file the builder hands over; `name` is a relative path. */
export type InputFile = { name: string; bytes: Uint8Array }

/** What a build may be told: its name, the training's seconds, and the base as a path or `hf:owner/name[:file]`. */
export type BuildWish = MaterialWish & { name?: string | undefined; seconds?: number | undefined; base?: string | undefined; recipe?: unknown }

/** `warning` says so when the price is less than the gas of moving it; `standing` is what the listing is labelled with. */
export type Published = { model: string; modelId: string; price: Amount; tx: string; abstention: 'free' | 'paid'; warning: string | null; standing: Standing }

/** What became of a query that must be paid. Statuses are HTTP's, headers and body go out as they are. */
export type PaidQuery =
  | { kind: 'reply'; status: number; headers: Record<string, string>; body: unknown }
  | { kind: 'answer'; headers: Record<string, string>; parts: AsyncIterable<PaidPart> }

export interface ModelFactory {
  /** Who is signed in; on the chain of `chainId`. */
  readonly sessions: Sessions
  readonly chainId: number
  /** Whose gateway this is: the address that the models built here are paid at. */
  readonly owner: Address
  /** The wallet that asks paid questions for the owner. */
  readonly budget: BudgetWallet
  /** Sealed exams: what is known of one, its papers for whoever checks them, its cases for their owner, running it again, the card. */
  readonly exams: Pick<Exams, 'show' | 'evidence' | 'opened' | 'run' | 'card'>
  readonly market: Market
  /** Models that answer unnamed, of which one is paid. */
  readonly auditions: Auditions
  /** Questions that models had no answer to, of callers who allow to read them. */
  readonly gaps: Gaps
  /** Money for needs, won by the first model that passes. */
  readonly bounties: BountyBoard
  /** What a model's answers cite in its sealed exam, and the shares that follow. */
  cited(model: string, own: number): Promise<CitedView | Refusal>
  /** Files that come in pieces. */
  readonly uploads: Uploads
  /** Questions that a visitor may ask before paying. */
  readonly trials: Trials
  /** Tells an address of the owner's of every payment. */
  readonly webhook: Webhook
  /** Of this program, as package.json says it. */
  readonly version: string
  plan(words: string, files: readonly InputFile[], columns?: MaterialWish['columns']): Promise<Spec | Refusal>
  /** The dataset that would be built, with what was found in the material; nothing is kept. */
  prepare(words: string, files: readonly InputFile[], wish?: MaterialWish): Promise<Material | Refusal>
  /** One turn of the conversation about a plan: the new plan and what changed, in plain lines. */
  refine(spec: Spec, words: string): Promise<{ spec: Spec; changes: string[] } | Refusal>
  /**
   * Plans (or takes the wish's `spec`, a refined plan of the same files), sets the exam aside and queues the training; returns as
   * soon as the build is accepted. The wish's recipe is checked here; seconds stated are kept by the whole build.
   */
  startBuild(words: string, files: readonly InputFile[], options?: BuildWish): Promise<BuildView | Refusal>
  /** How good a model of this material would be and what more examples would do, before anything is trained. */
  ready(words: string, files: readonly InputFile[], wish?: MaterialWish): Promise<Readiness | Refusal>
  /** The examples of a model or build as they would be built now, a page of one part. */
  data(nameOrBuild: string, question?: ExamplesQuestion): Promise<ExamplesView | Refusal>
  /** Keeps corrected, removed and added examples for every build of this name from now on; all of the changes or none. */
  correct(nameOrBuild: string, changes: readonly Change[]): Promise<ExamplesView | Refusal>
  /** Begins a quick build beside the model, with the right answer to one question; then {@link fixed} shows what it changes. */
  fix(model: string, question: string, right: string): Promise<BuildView | Refusal>
  fixed(model: string): Promise<FixView | Refusal>
  /** Puts the fixed model in the model's place and keeps the correction. */
  acceptFix(model: string): Promise<FixView | Refusal>
  /** Gives a fix up: its build is stopped, the model stays as it is. */
  dropFix(model: string): Promise<BuildView | Refusal>
  rebuild(nameOrBuild: string, columns?: readonly ColumnChoice[]): Promise<BuildView | Refusal>
  /** What strangers would see quoted, and which documents are kept out of it. */
  quotations(nameOrBuild: string): Promise<QuotationView | Refusal>
  withhold(nameOrBuild: string, files: readonly string[]): Promise<QuotationView | Refusal>
  cancelBuild(id: string): Promise<BuildView | Refusal>
  /** Goes on with a build that was stopped or broke, from its last checkpoint. */
  goOn(id: string): Promise<BuildView | Refusal>
  build(id: string): Promise<BuildView | undefined>
  /** Settles when the build is no longer queued or running. */
  finished(id: string): Promise<BuildView>
  models(): Promise<ModelView[]>
  model(nameOrModelId: string): Promise<ModelView | undefined>
  /** The builder's own question to their own model: free, not settled, not counted. */
  ask(model: string, text: string, signal?: AbortSignal): Promise<Answer | Refusal>
  /** Writes the model in a form of other people's software; made once, then ready for {@link exportedFile}. */
  export(model: string, kind: string): Promise<ExportView | Refusal>
  exportedFile(model: string, kind: string, file: string): Promise<{ path: string; bytes: number } | Refusal>
  /** Refuses a model that did worse than its own base. `abstention` says whether "not covered" costs its payer the price or nothing; it stays as it is when left out, and is free at first. `free` is how many questions a visitor may ask a day before paying. */
  publish(model: string, price: string, options?: { abstention?: 'free' | 'paid' | undefined; free?: number | undefined }): Promise<Published | Refusal>
  /** One query through the contract: quote, verify, reserve, run, settle at first token, stream. */
  query(options: {
    model: string
    text: string
    requestBody: string
    payment: string | undefined
    resource: string
    signal: AbortSignal
    /** What the answer must be for the payment to be made. */
    terms?: Terms | undefined
    /** The caller allows the builder to read the question when it has no answer. */
    store?: boolean | undefined
    /** Who asks, as far as it can be told; without it no question is free. */
    visitor?: string | undefined
  }): Promise<PaidQuery>
  receipts(limit?: number): Promise<ReceiptView[]>
  /** The passport of one paid query, by its transaction; `requestHash` and `nonce` tell apart those that one transaction paid. */
  passport(tx: string, requestHash?: string, nonce?: string): Promise<Passport | Refusal>
  earnings(): Promise<EarningsView>
  /** Turns so much of what the builder holds back into the coin of the chain, in atomic units. */
  unwrap(amount: bigint): Promise<{ tx: string } | Refusal>
  /** Whom a model pays: the builder alone, or several people by shares. */
  readonly shares: Shares
  /** Every payment to the builder of this data folder, by the chain's events, with what its receipt says of it. */
  earningsExport(): Promise<EarningsExport>
  state(): Promise<StateView>
  /** How the gateway is; for whoever owns its machine. */
  operating(): Promise<Operating>
  /** Every setting that made a model, and the hash of each of its parts. */
  anatomy(name: string): Promise<AnatomyView | Refusal>
  /** Live events until the returned function is called. */
  listen(listener: (event: LiveEvent) => void): () => void
  close(): Promise<void>
}
