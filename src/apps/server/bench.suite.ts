/**
 * A small factory for the server's tests: one published model with canned words, charged for real over the embedded chain,
 * x402 and a database. What the server does not need of a factory refuses or throws, on purpose.
 */

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LocalAccount } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import type { Answer, AnswerPart } from '../../core/answer.ts'
import { earningsExport } from '../../core/earnings.ts'
import { isRefusal, refuse } from '../../core/errors.ts'
import { canonical, hashText, type Id } from '../../core/id.ts'
import type { Address, Hex } from '../../core/listing.ts'
import type { Package } from '../../core/package.ts'
import { requestHashOf } from '../../core/passport.ts'
import { receiptId } from '../../core/receipt.ts'
import type { Report } from '../../core/report.ts'
import { amount } from '../../core/royalty.ts'
import type { BuildView, EarningsView, LiveEvent, ModelView, ReceiptView, StateView } from '../../core/view.ts'
import { openEmbeddedChain } from '../../drivers/chain/embedded.ts'
import type { Manner } from '../../drivers/chain/settler.ts'
import { walletSignatures } from '../../drivers/chain/wallet-signature.ts'
import { openDatabase } from '../../drivers/database/pglite.ts'
import { localAccount, openKeystore } from '../../drivers/keystore/keystore.ts'
import { signedOffers } from '../../drivers/payments/offers.ts'
import { x402Payments } from '../../drivers/payments/x402.ts'
import { offlinePlanner } from '../../drivers/planner/offline.ts'
import { openSessions } from '../../drivers/session/sessions.ts'
import { memoryStore } from '../../drivers/store/memory.ts'
import { openAuditions } from '../../factory/audition.ts'
import { openBountyBoard } from '../../factory/bounty-board.ts'
import { openEarnings } from '../../factory/earnings.ts'
import type { InputFile, ModelFactory } from '../../factory/factory.ts'
import { openGaps } from '../../factory/gaps.ts'
import { openMarket } from '../../factory/market.ts'
import { openOwner } from '../../factory/owner.ts'
import { openPassports } from '../../factory/passports.ts'
import { openTrials } from '../../factory/trial.ts'
import { openUploads } from '../../factory/uploads.ts'
import { openWebhook } from '../../factory/webhook.ts'
import type { Chain } from '../../ports/chain.ts'
import type { Database, Model } from '../../ports/database.ts'
import type { Account } from '../../ports/keystore.ts'
import type { Store } from '../../ports/store.ts'
import { charge } from '../../steps/charge.ts'
import { refine } from '../../steps/refine.ts'

const unheard = async () => refuse('not_here', 'This small factory keeps no examples.', 'Use a whole one.')

export const PRICE = 10n ** 16n
/** What every exported file of this factory holds. */
export const EXPORTED = 'weights of a heart'
export const canned: Answer = {
  text: 'Sit down and rest. Call for help.',
  citations: [{ quote: 'Sit down and rest.', title: 'Angina', heading: 'What to do', file: 'angina.md', probability: 0.93 }],
  abstained: false,
}

export type Bench = {
  folder: string
  modelId: Hex
  factory: ModelFactory
  chain: Chain
  database: Database
  payer: LocalAccount
  pauper: LocalAccount
  builder: LocalAccount
  /** The builder's account in the keystore, and the one package there is. */
  owner: Account
  published: { packageId: Id; reportId: Id }
  gateway: Address
  /** How the model answers the next queries. */
  behaviour: { run: (signal: AbortSignal) => AsyncIterable<AnswerPart>; abstention: 'free' | 'paid' }
  received: { words: string; files: readonly InputFile[] }[]
  listeners: () => number
  emit: (event: LiveEvent) => void
  close: () => Promise<void>
}

export async function* fluent(): AsyncGenerator<AnswerPart> {
  yield { delta: 'Sit down and rest. ' }
  yield { delta: 'Call for help.' }
  yield { answer: canned }
}

/** The smallest package there can be, and its report: parts that nobody reads are hashes of their names. */
async function publishable(store: Store): Promise<{ packageId: Id; reportId: Id }> {
  const put = (value: unknown) => store.put(new TextEncoder().encode(canonical(value)))
  const [weightsId, examId] = [hashText('weights'), hashText('exam')]
  const arm = { name: 'tuned' as const, what: 'the tuned model', score: 0.875, interval: [0.8, 0.93] as [number, number], figures: {} }
  const report: Report = { weightsId, examId, n: 40, metric: 'token F1', arms: [arm], predictions: hashText('predictions'), latencyMs: 12.5 }
  const reportId = await put(report)
  const part = (name: string) => hashText(name)
  const manifest: Package = {
    format: 'modelfactory/package@1',
    name: 'heart',
    task: 'answer',
    specId: part('spec'),
    datasetId: part('dataset'),
    examId,
    weightsId,
    reportId,
    base: { name: 'a base', sha256: part('base'), licence: 'Apache-2.0' },
    files: { spec: part('spec'), weights: weightsId, adapter: part('adapter'), expert: null, passages: part('passages'), report: reportId },
    serving: null,
    licences: ['CC0-1.0'],
  }
  return { packageId: await put(manifest), reportId }
}

/** `durable` keeps the database on disk; `manner` is how payments are sent; a `folder` that is given stays when all is closed. */
export async function openBench(options: { durable?: true; manner?: Manner; folder?: string } = {}): Promise<Bench> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'modelfactory-server-')))
  const database = await openDatabase({ folder: options.durable ? join(folder, 'database') : null })
  const keystore = await openKeystore({ folder: join(folder, 'keys'), passphrase: undefined, embedded: true })
  if (isRefusal(keystore)) throw new Error(keystore.message)
  const { journal, settings } = database
  const chain = await openEmbeddedChain({ folder: join(folder, 'chain'), journal, keystore, settings, ...(options.manner && { manner: options.manner }) })
  const [owner, payer, pauper] = [await keystore.account('builder'), await keystore.account('payer'), await keystore.account('pauper')]
  const registered = await chain.register({ owner, slug: 'heart', payout: owner.address, price: PRICE })
  if (isRefusal(registered)) throw new Error(registered.message)
  const store = memoryStore()
  const { packageId, reportId } = await publishable(store)
  const version = await chain.publishVersion({ owner, modelId: registered.modelId, packageId, reportId })
  if (isRefusal(version)) throw new Error(version.message)
  const gateway = await keystore.account('gateway')
  const passports = await openPassports({ chain, store, database, gateway, builder: owner })
  const offers = signedOffers({ gateway })
  const funded = await chain.fund(payer.address, 10n ** 18n)
  if (isRefusal(funded)) throw new Error(funded.message)
  const { modelId } = registered
  const behaviour: Bench['behaviour'] = { run: fluent, abstention: 'free' }
  const received: Bench['received'] = []
  const listeners = new Set<(event: LiveEvent) => void>()
  const payments = x402Payments({
    network: chain.network,
    token: { address: chain.contracts.token, ...chain.token },
    balance: async (address) => (await chain.balance(address)).open,
    contractSigned: walletSignatures({ url: () => chain.network.rpc, token: chain.contracts.token }),
  })

  const model = (name: string, id: Hex | null): ModelView => ({
    name,
    packageId: hashText(name),
    task: 'answer',
    words: 'Answer questions about hearts.',
    modelId: id,
    price: id && amount(PRICE),
    payout: id && owner.address,
    labels: null,
    exam: { n: 40, metric: 'token F1', arms: [] },
    queries: 0,
    earned: amount(0n),
  })
  const models = [model('heart', modelId), model('draft', null)]
  const build: BuildView = { id: 'b1', name: 'heart', words: 'hearts', state: 'queued', events: [], training: null, createdAt: 1 }
  const earnings = async (): Promise<EarningsView> => ({
    builder: owner.address,
    balance: amount((await chain.balance(owner.address)).open),
    total: amount(0n),
    models: [],
  })
  const receipts = async (limit?: number): Promise<ReceiptView[]> =>
    (await database.receipts.list(limit === undefined ? {} : { limit })).map(({ packageId, requestHash, responseHash, ...receipt }) => ({
      ...receipt,
      id: receiptId({ packageId, requestHash, responseHash, ...receipt }),
      amount: amount(BigInt(receipt.amount)),
      final: true,
    }))

  const listed: Model = {
    ...{ name: 'heart', packageId, modelId, price: PRICE, publishTx: null, abstention: 'free', createdAt: 1, updatedAt: 1 },
  }
  const find = async (name: string) => (name === 'heart' ? listed : refuse('unknown_model', `There is no model "${name}" here.`, 'There is: heart.'))
  const { shares } = await openEarnings({ chain, database }, { builder: owner, paidSoFar: async () => [], find })
  const gaps = openGaps(database.market, Date.now)
  const market = openMarket({ chain, database, store }, { standing: async () => 'unproven', now: () => Date.now() })
  const factory: ModelFactory = {
    sessions: openSessions(),
    chainId: chain.network.chainId,
    ...openOwner({
      ...{ builder: owner, payer },
      ...{ chain, database, folder, view: () => build, warnings: chain.warnings, find: unheard },
      serving: { inMemory: () => ({ packages: [packageId], most: 8 }), open: () => Promise.reject(new Error('no model is open here')) },
      exams: { evidence: unheard },
    }),
    market,
    auditions: openAuditions({ chain, database }, { market, ask: unheard, now: () => Date.now() }),
    bounties: openBountyBoard({ chain, database }, { poster: payer, builder: owner, examiner: gateway, find, ask: async () => canned, now: () => Date.now() }),
    trials: openTrials(database, Date.now),
    gaps,
    webhook: openWebhook({ chain, database }, { payees: () => [owner.address], gateway: privateKeyToAccount(generatePrivateKey()), now: Date.now }),
    uploads: openUploads({ folder: join(folder, 'uploads'), now: () => Date.now() }),
    version: '0.0.0',
    exams: { show: unheard, evidence: unheard, opened: unheard, run: unheard, card: unheard },
    async plan() {
      return refuse('words_empty', 'The description is empty.', 'Say what the model should do.')
    },
    prepare: unheard,
    ready: unheard,
    data: unheard,
    correct: unheard,
    rebuild: unheard,
    fix: unheard,
    fixed: unheard,
    dropFix: unheard,
    goOn: unheard,
    acceptFix: unheard,
    quotations: unheard,
    withhold: unheard,
    refine: (spec, words) => refine({ planner: offlinePlanner() }, spec, words),
    async startBuild(words, files) {
      received.push({ words, files })
      return build
    },
    cancelBuild: async (id) => (id === 'b1' ? { ...build, state: 'cancelled' } : refuse('build_not_found', `There is no build "${id}".`, 'Look again.')),
    build: async (id) => (id === 'b1' ? build : undefined),
    finished: async () => build,
    models: async () => models,
    model: async (name) => models.find((candidate) => candidate.name === name || candidate.modelId === name),
    ask: async () => canned,
    export: async (name, kind) =>
      name === 'heart' && kind === 'peft'
        ? { model: name, kind, what: 'a folder', files: [{ name: 'a.bin', bytes: EXPORTED.length, sha256: hashText(EXPORTED) }], notes: [] }
        : refuse('unknown_export', `There is no export "${kind}".`, 'There is: peft.'),
    async exportedFile(_, kind, file) {
      if (file !== 'a.bin') return refuse('export_not_found', `There is no file "${file}" of the export ${kind}.`, 'Ask for the export first.')
      await writeFile(join(folder, 'a.bin'), EXPORTED)
      return { path: join(folder, 'a.bin'), bytes: EXPORTED.length }
    },
    async publish() {
      throw new Error('cannot read /secret/path')
    },
    async query({ text, requestBody, payment, resource, signal, terms, store: readable }) {
      const quote = {
        modelId,
        model: 'heart',
        payTo: owner.address,
        price: PRICE,
        resource,
        description: 'One answer of heart',
        abstention: behaviour.abstention,
      }
      const requestHash = requestHashOf(modelId, requestBody)
      const ports = { payments, chain, database }
      const charged = await charge(ports, {
        quote,
        payment,
        requestHash,
        packageId,
        terms,
        run: (stop) => (readable ? gaps.watch('heart', text, behaviour.run(stop)) : behaviour.run(stop)),
        signal,
        now: Date.now,
      })
      if (charged.kind === 'reply') return charged.status === 402 ? { ...charged, ...(await offers.offer(charged.headers, charged.body, quote)) } : charged
      void charged.receipt
        ?.then(async () => {
          const [newest] = await receipts(1)
          for (const listener of listeners) listener({ type: 'receipt', receipt: newest!, earnings: await earnings() })
        })
        .catch(() => {})
      return { ...charged, headers: await offers.receipt(charged.headers, payment, quote) }
    },
    receipts,
    shares,
    passport: passports.make,
    earnings,
    earningsExport: async () =>
      earningsExport(owner.address, {
        ...{ paid: await chain.queriesPaid({ builder: owner.address }), receipts: await database.receipts.list() },
        models: [{ modelId, name: 'heart' }],
      }),
    state: async (): Promise<StateView> => ({
      network: chain.network,
      contracts: chain.contracts,
      builds: [build],
      models,
      receipts: await receipts(),
      earnings: await earnings(),
      warnings: await chain.warnings(),
    }),
    listen(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async close() {},
  }

  return {
    folder,
    modelId,
    factory,
    chain,
    database,
    payer: localAccount(payer),
    pauper: localAccount(pauper),
    builder: localAccount(owner),
    owner,
    published: { packageId, reportId },
    gateway: gateway.address,
    behaviour,
    received,
    listeners: () => listeners.size,
    emit(event) {
      for (const listener of listeners) listener(event)
    },
    async close() {
      await market.close()
      await factory.webhook.close()
      await chain.close()
      await database.close()
      if (options.folder === undefined) await rm(folder, { recursive: true, force: true })
    },
  }
}
