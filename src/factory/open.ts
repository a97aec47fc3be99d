/**
 * The one place that names drivers: configuration -> a factory whose every arrow is bound to real parts.
 * Apps see only the interface in `factory.ts`.
 */
import { join } from 'node:path'
import type { Answer } from '../core/answer.ts'
import { isRefusal, type Refusal, refuse } from '../core/errors.ts'
import { requestHashOf } from '../core/passport.ts'
import { amount, parsePrice, priceWarning } from '../core/royalty.ts'
import type { LiveEvent, ModelView } from '../core/view.ts'
import { ngramCommittee } from '../drivers/baseline/ngram-committee.ts'
import { ngramSvm } from '../drivers/baseline/ngram-svm.ts'
import { wordTagger } from '../drivers/baseline/word-tagger.ts'
import { openEmbeddedChain } from '../drivers/chain/embedded.ts'
import { openExternalChain } from '../drivers/chain/external.ts'
import { walletSignatures } from '../drivers/chain/wallet-signature.ts'
import { openDatabase } from '../drivers/database/pglite.ts'
import { openPostgres } from '../drivers/database/postgres.ts'
import { ggufExporter } from '../drivers/export/exporter.ts'
import { openHub } from '../drivers/hub/hub.ts'
import { localAccount, openKeystore } from '../drivers/keystore/keystore.ts'
import { signedOffers } from '../drivers/payments/offers.ts'
import { x402Payments } from '../drivers/payments/x402.ts'
import { llmPlanner } from '../drivers/planner/llm.ts'
import { offlinePlanner } from '../drivers/planner/offline.ts'
import { anyFiles } from '../drivers/reader/any-files.ts'
import { miniSearchRetriever } from '../drivers/retriever/minisearch.ts'
import { openLlamaRuntime } from '../drivers/runtime/llama.ts'
import { openSessions } from '../drivers/session/sessions.ts'
import { folderStore } from '../drivers/store/folder.ts'
import { llmTeacher } from '../drivers/teacher/llm.ts'
import { createOnnxTrainer } from '../drivers/trainer/onnx.ts'
import type { Chain } from '../ports/chain.ts'
import type { Build, Model } from '../ports/database.ts'
import { answer, unreadable } from '../steps/answer.ts'
import { charge } from '../steps/charge.ts'
import { publish } from '../steps/publish.ts'
import { readiness } from '../steps/readiness.ts'
import { reconcile } from '../steps/reconcile.ts'
import { refine } from '../steps/refine.ts'
import { openAuditions } from './audition.ts'
import { openBases, progressText } from './bases.ts'
import { openBountyBoard } from './bounty-board.ts'
import { openBuilds } from './builds.ts'
import { type Config, OWN_BASE } from './config.ts'
import { openEarnings } from './earnings.ts'
import { openExams } from './exams.ts'
import { exportKind, openExports } from './exports.ts'
import type { ModelFactory, PaidQuery } from './factory.ts'
import { openFix } from './fix.ts'
import { openGaps } from './gaps.ts'
import { machineView } from './machine.ts'
import { openMarket } from './market.ts'
import { openMaterial } from './material.ts'
import { materialApart } from './material-apart.ts'
import { ownVersion } from './operating.ts'
import { openOwner } from './owner.ts'
import { openPassports } from './passports.ts'
import { openReview } from './review.ts'
import { openServing } from './serving.ts'
import { openTally } from './tally.ts'
import { openTeaching } from './teaching.ts'
import { FREE_LEFT, forNothing, openTrials } from './trial.ts'
import { openUploads } from './uploads.ts'
import { modelView, receiptView } from './views.ts'
import { watchPayments } from './watch.ts'
import { openWebhook } from './webhook.ts'

/** What the embedded chain's example payer starts with: 1,000 test OPEN. */
const ALLOWANCE = 1000n * 10n ** 18n

/** A refusal before any payment, in the shape OpenAI clients read. */
function replied(status: number, refusal: Refusal): PaidQuery {
  return {
    kind: 'reply',
    status,
    headers: {},
    body: { error: { message: `${refusal.message} ${refusal.hint}`, type: 'invalid_request_error', code: refusal.code, param: null } },
  }
}

/** Opens everything in the data folder. The caller holds the folder's lock. `tell` hears how far the base's download is. */
export async function openFactory(config: Config, tell: (text: string) => void = () => {}): Promise<ModelFactory | Refusal> {
  const bases = await openBases(openHub(), { folder: join(config.data, 'bases'), own: OWN_BASE })
  const wanted = await bases.identify(config.base)
  if (isRefusal(wanted)) return wanted
  const base = await bases.ensure(wanted.sha256, { onProgress: (progress) => tell(progressText(wanted.name, progress)) })
  if (isRefusal(base)) return base
  const database = config.database === undefined ? await openDatabase({ folder: join(config.data, 'database') }) : await openPostgres({ url: config.database })
  const store = folderStore(join(config.data, 'store'))
  const keystore = await openKeystore({ folder: join(config.data, 'keys'), passphrase: config.passphrase, embedded: config.chain === undefined })
  if (isRefusal(keystore)) {
    await database.close()
    return keystore
  }
  const { journal, settings } = database
  const opened = config.chain
    ? await openExternalChain({ ...config.chain, journal, keystore, settings })
    : await openEmbeddedChain({ folder: join(config.data, 'chain'), journal, keystore, settings })
  if (isRefusal(opened)) {
    await database.close()
    return opened
  }
  const chain: Chain = opened
  const [builder, payer, gateway] = [await keystore.account('builder'), await keystore.account('payer'), await keystore.account('gateway')]
  if (chain.network.test && (await chain.balance(payer.address)).open === 0n && !(await database.settings.get('payer-funded'))) {
    await chain.fund(payer.address, ALLOWANCE)
    await database.settings.set('payer-funded', true)
  }
  const runtime = openLlamaRuntime({ threads: config.servingThreads })
  const retriever = miniSearchRetriever()
  const [baseline, classical, tagger] = [ngramSvm(), ngramCommittee(), wordTagger()]
  const serving = openServing({ runtime, retriever, baseline, tagger, store }, bases.find, config.servingThreads)
  const exports = await openExports({ exporter: ggufExporter() }, { folder: join(config.data, 'exports'), findBase: bases.find })
  const contractSigned = walletSignatures({ url: () => chain.network.rpc, token: chain.contracts.token })
  const sessions = openSessions({ contractSigned })
  const payments = x402Payments({
    network: chain.network,
    token: { address: chain.contracts.token, ...chain.token },
    balance: async (address) => (await chain.balance(address)).open,
    contractSigned,
  })
  const offers = signedOffers({ gateway })
  const passports = await openPassports({ chain, store, database, gateway, builder })
  const listeners = new Set<(event: LiveEvent) => void>()
  const emit = (event: LiveEvent) => {
    for (const listener of listeners) listener(event)
  }

  const now = () => Date.now()
  await reconcile({ chain, database }, { now })
  const watch = watchPayments({ chain, database }, now)
  const { warnings } = watch
  const paidSoFar = openTally(chain)
  const earnings = await openEarnings({ chain, database }, { builder, paidSoFar, find })
  const webhook = openWebhook({ chain, database }, { payees: earnings.payees, gateway: localAccount(gateway), now })

  const planner = config.planner ? llmPlanner(config.planner) : offlinePlanner()
  const material = materialApart(openMaterial({ planner, reader: anyFiles() }), { planner: config.planner })
  const teaching = openTeaching({ teacher: config.teacher && llmTeacher(config.teacher), database })
  const review = openReview({ database }, { material, recall: teaching.recall, builds: () => builds })
  const exams = openExams(
    { chain, database, store },
    { builder, open: serving.open, load: serving.load, changed: async () => emit({ type: 'models', models: await models() }) },
  )
  const builds = openBuilds(
    { planner, trainer: createOnnxTrainer(), runtime, retriever, baseline, classical, tagger, store, database },
    {
      folder: join(config.data, 'training'),
      base: { name: base.name, sha256: base.sha256, licence: base.licence },
      bases,
      material,
      kept: review.keptOf,
      threads: config.trainingThreads,
      seconds: config.trainingSeconds,
      emit,
      built,
      exams,
      teach: teaching.teach,
      servingThreads: config.servingThreads,
      machine: machineView(config.trainingThreads),
    },
  )

  const fixing = openFix(
    { database },
    { material, review, builds: () => builds, load: serving.load, changed: async () => emit({ type: 'models', models: await models() }) },
  )

  /** A finished build becomes a model this gateway serves; of the same name, a new version of it. */
  async function built(build: Build): Promise<void> {
    const known = await database.models.get(build.name)
    const now = Date.now()
    await database.models.put({
      name: build.name,
      packageId: build.packageId!,
      modelId: known?.modelId ?? null,
      price: known?.price ?? null,
      publishTx: known?.publishTx ?? null,
      abstention: known?.abstention ?? 'free',
      createdAt: known?.createdAt ?? now,
      updatedAt: now,
    })
    emit({ type: 'models', models: await models() })
  }

  async function models(): Promise<ModelView[]> {
    const paid = await paidSoFar()
    return Promise.all(
      (await database.models.list()).map(async (model) => {
        const standing = await exams.standing(model.packageId)
        return modelView(model, await serving.open(model.packageId), { payout: model.modelId && earnings.payoutOf(model.modelId), paid, standing })
      }),
    )
  }

  async function find(name: string): Promise<Model | Refusal> {
    const model = await database.models.get(name)
    if (model) return model
    const names = (await database.models.list()).map((known) => known.name)
    return refuse('unknown_model', `There is no model "${name}" here.`, names.length ? `There are: ${names.join(', ')}.` : 'Build one first.')
  }

  async function receipts(limit = 50) {
    const [list, final] = await Promise.all([database.receipts.list({ limit }), chain.finalBlock()])
    return list.map((receipt) => receiptView(receipt, final))
  }

  const trials = openTrials(database, now)
  const gaps = openGaps(database.market, now)
  const market = openMarket({ chain, database, store }, { standing: exams.standing, now })
  async function ask(name: string, text: string, signal?: AbortSignal): Promise<Answer | Refusal> {
    const model = await find(name)
    if (isRefusal(model)) return model
    const { served } = await serving.load(model.packageId)
    if (!text.trim()) return refuse('empty_question', 'The question is empty.', 'Write a question or a text.')
    const refused = unreadable(served, text)
    if (refused) return refused
    for await (const part of answer(served, text, signal)) if ('answer' in part) return part.answer
    throw new Error('The model ended without an answer.')
  }

  await builds.resume()
  await exams.resume()

  return {
    sessions,
    exams,
    market,
    uploads: openUploads({ folder: join(config.data, 'uploads'), now: Date.now }),
    version: ownVersion(),
    chainId: chain.network.chainId,
    ...openOwner({ chain, database, builder, payer, find, serving, exams, folder: config.data, view: builds.view, warnings }),
    plan: material.plan,
    prepare: material.prepare,
    async ready(words, files, wish) {
      const prepared = await material.prepare(words, files, wish)
      if (isRefusal(prepared)) return prepared
      return readiness({ baseline, tagger, retriever }, { spec: prepared.spec, dataset: prepared.dataset, seconds: config.trainingSeconds })
    },
    data: review.data,
    fix: fixing.start,
    fixed: fixing.preview,
    acceptFix: (name) => fixing.accept(name),
    dropFix: fixing.drop,
    correct: review.correct,
    rebuild: review.rebuild,
    quotations: review.quotations,
    withhold: (name, files) => review.withhold(name, files),
    refine: (spec, words) => refine({ planner }, spec, words),
    startBuild: builds.start,
    cancelBuild: builds.cancel,
    goOn: builds.goOn,
    finished: builds.finished,
    async build(id) {
      const build = await database.builds.get(id)
      return build && builds.view(build)
    },
    models,
    model: async (name) => {
      const model = await database.models.get(name)
      return model && (await models()).find((one) => one.name === model.name)
    },

    ask,
    trials,
    gaps,
    webhook,
    auditions: openAuditions({ chain, database }, { market, ask, now }),
    bounties: openBountyBoard({ chain, database }, { poster: payer, builder, examiner: gateway, find, ask, now }),

    async export(name, kind) {
      const model = await find(name)
      if (isRefusal(model)) return model
      const wanted = exportKind(kind)
      if (isRefusal(wanted)) return wanted
      return exports.make(model.packageId, await serving.open(model.packageId), wanted)
    },
    async exportedFile(name, kind, file) {
      const model = await find(name)
      if (isRefusal(model)) return model
      const wanted = exportKind(kind)
      return isRefusal(wanted) ? wanted : exports.file(model.packageId, wanted, file)
    },

    async publish(name, price, options = {}) {
      const model = await find(name)
      if (isRefusal(model)) return model
      const wanted = parsePrice(price)
      if (typeof wanted !== 'bigint') return wanted
      const verdict = await exams.gate(model)
      if (isRefusal(verdict)) return verdict
      const { reportId } = (await serving.open(model.packageId)).manifest
      const published = await publish({ chain }, { owner: builder, slug: model.name, price: wanted, packageId: model.packageId, reportId, verdict })
      if (isRefusal(published)) return published
      const tx = published.tx ?? model.publishTx!
      await passports
        .published({ modelId: published.modelId, packageId: model.packageId, block: await chain.finalBlock() })
        .catch((error: unknown) => console.error(`The proof that ${name} was published could not be kept:`, error))
      const { abstention = model.abstention } = options
      if (options.free !== undefined) await trials.set(model.name, options.free)
      const listed = { ...model, modelId: published.modelId, price: published.price, publishTx: tx, abstention, updatedAt: Date.now() }
      await database.models.put(listed)
      exams.twin(listed)
      market.look()
      const build = (await database.builds.list()).find((one) => one.packageId === model.packageId)
      if (build && published.tx)
        await builds.append(build, {
          at: Date.now(),
          arrow: 'publish',
          text: `Published, ${verdict?.outcome ?? 'unproven'}, at ${amount(published.price).open} ${chain.network.currency} a query, transaction ${tx}`,
          data: { modelId: published.modelId, tx },
        })
      emit({ type: 'models', models: await models() })
      return {
        model: name,
        modelId: published.modelId,
        price: amount(published.price),
        ...{ tx, abstention, standing: await exams.standing(model.packageId) },
        warning: priceWarning(published.price, await chain.costs().catch(() => undefined), chain.network.currency),
      }
    },

    async query({ model: name, text, requestBody, payment, resource, signal, terms, store: readable, visitor }) {
      const model = await find(name)
      if (isRefusal(model)) return replied(404, model)
      if (!model.modelId || model.price === null)
        return replied(404, refuse('not_published', `The model "${name}" is not published yet.`, 'Its builder can publish it at a price.'))
      const listing = await chain.listing(model.modelId)
      if (!listing || listing.retired) return replied(404, refuse('model_retired', `The model "${name}" is no longer for sale.`, 'Choose another model.'))
      const { served } = await serving.load(model.packageId)
      const refused = unreadable(served, text)
      const began = now()
      const said = (stop: AbortSignal) => (readable ? gaps.watch(model.name, text, answer(served, text, stop)) : answer(served, text, stop))
      if (refused) return replied(400, refused)
      if (payment === undefined && visitor !== undefined && !terms) {
        const left = await trials.take(model.name, visitor)
        if (left !== undefined) return { kind: 'answer', headers: { [FREE_LEFT]: String(left) }, parts: forNothing(said(signal), left) }
      }
      const quote = {
        ...{ modelId: model.modelId, model: model.name, payTo: listing.payout, price: listing.price, resource },
        ...{ description: served.spec.words, abstention: model.abstention },
      }
      const charged = await charge(
        { payments, chain, database },
        {
          quote,
          terms,
          payment,
          requestHash: requestHashOf(model.modelId, requestBody),
          packageId: model.packageId,
          run: said,
          signal,
          now,
        },
      )
      if (charged.kind === 'reply' && charged.status === 402) return { ...charged, ...(await offers.offer(charged.headers, charged.body, quote)) }
      if (charged.kind === 'reply') {
        if (charged.fault !== undefined) market.served(model.modelId, false)
        if (charged.fault !== undefined) console.error(`A query of ${name} failed:`, charged.fault)
        return charged
      }
      market.served(model.modelId, true, now() - began)
      charged.receipt
        ?.then(async (receipt) => {
          webhook.look()
          emit({ type: 'receipt', receipt: receiptView(receipt, await chain.finalBlock()), earnings: await earnings.view() })
        })
        .catch((error: unknown) => console.error(`The receipt of a query of ${name} is not written yet:`, error))
      return { ...charged, headers: await offers.receipt(charged.headers, payment, quote) }
    },

    receipts,
    passport: passports.make,
    earnings: earnings.view,
    earningsExport: earnings.export,
    shares: earnings.shares,
    async state() {
      const [all, known, recent, earned, warned] = await Promise.all([database.builds.list(), models(), receipts(), earnings.view(), warnings()])
      const { network, contracts } = chain
      return { network, contracts, builds: all.map(builds.view), models: known, receipts: recent, earnings: earned, warnings: warned }
    },
    listen(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async close() {
      watch.stop()
      await webhook.close()
      await market.close()
      await builds.close()
      material.close()
      await exams.close()
      await runtime.close()
      await chain.close()
      await database.close()
    },
  }
}
