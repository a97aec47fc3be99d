/** One paid query over a real database: races, refusals, clients that leave, and a crash between every two steps. */

import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Answer, AnswerPart } from '../core/answer.ts'
import type { QueryPaid } from '../core/earnings.ts'
import { isRefusal } from '../core/errors.ts'
import { contentId, hashText } from '../core/id.ts'
import type { Address, Hex } from '../core/listing.ts'
import type { PaidPart, Receipt } from '../core/receipt.ts'
import type { Terms } from '../core/terms.ts'
import { memoryChain } from '../drivers/chain/memory.ts'
import { openDatabase } from '../drivers/database/pglite.ts'
import { header, payload } from '../drivers/payments/payer.suite.ts'
import { x402Payments } from '../drivers/payments/x402.ts'
import type { Chain, Settlement } from '../ports/chain.ts'
import type { Database } from '../ports/database.ts'
import type { Payments, Quote } from '../ports/payments.ts'
import { type Charged, type ChargeOptions, type ChargePorts, charge } from './charge.ts'
import { confirm, recheck, reconcile } from './reconcile.ts'

const account = privateKeyToAccount(generatePrivateKey())
const payer = account.address
const builder: Address = '0x0B0b0b0b0B0B0B0B0b0b0b0b0B0B0B0B0B0b0B0b'
const seconds = 1_800_000_000n
const clock = { now: () => Number(seconds) * 1000 }
const whole: Answer = {
  text: 'Rest. Drink water.',
  citations: [{ quote: 'Rest.', title: 'Flu', heading: 'Care', file: 'flu.md', probability: 0.9 }],
  abstained: false,
}

/** What the chain says of the next settlements; `paid` is what it really holds. */
type Book = { chain: Chain; outcome: 'settled' | 'refused' | 'unknown' | 'unknown but paid' | 'throws'; paid: () => Promise<QueryPaid[]> }

let database: Database
let payments: Payments
let book: Book
let quote: Quote
let ports: ChargePorts
/** What the payer's wallet is said to hold. */
let held = 1000n
let serial = 0

beforeAll(async () => {
  database = await openDatabase({ folder: null })
})
afterAll(() => database.close())

/** A fresh chain with one model on it, and a payment nobody has used. */
async function fresh(): Promise<string> {
  const memory = memoryChain(clock)
  const registered = await memory.register({ owner: { name: 'builder', address: builder }, slug: 'heart', payout: builder, price: 10n })
  if (isRefusal(registered)) throw new Error(registered.message)
  await memory.fund(payer, 1000n)
  book = {
    outcome: 'settled',
    paid: () => memory.queriesPaid(),
    chain: {
      ...memory,
      async settle(options) {
        if (book.outcome === 'refused') return { status: 'refused', code: 'insufficient_open', message: 'The wallet holds too little.' }
        if (book.outcome === 'unknown') return { status: 'unknown', message: 'no receipt yet' }
        if (book.outcome === 'throws') throw new Error('connection reset')
        const settled = await memory.settle(options)
        return book.outcome === 'settled' ? settled : { status: 'unknown', message: 'no receipt yet' }
      },
    },
  }
  const token = { address: memory.contracts.token, ...memory.token }
  payments = x402Payments({ network: memory.network, token, balance: async () => held, now: clock.now })
  ports = { payments, chain: book.chain, database }
  quote = {
    ...{ modelId: registered.modelId, model: 'heart', payTo: builder, price: 10n },
    ...{ resource: 'http://here', description: 'One answer', abstention: 'free' },
  }
  const domain = { ...memory.token, chainId: memory.network.chainId, verifyingContract: memory.contracts.token }
  const nonce = `0x${(++serial).toString(16).padStart(64, '0')}` as Hex
  const message = { from: payer, to: builder, value: 10n, validAfter: 0n, validBefore: seconds + 3600n, nonce }
  return header(await payload({ account, payments, quote, domain, message }))
}

/** The same payment with a signature that is not the payer's. */
const forge = (note: string) => btoa(atob(note).replace(/"signature":"0x(..)/, (_, byte: string) => `"signature":"0x${byte === '11' ? '12' : '11'}`))

let runs = 0
async function* model(): AsyncGenerator<AnswerPart> {
  runs++
  yield { delta: 'Rest. ' }
  yield { delta: 'Drink water.' }
  yield { answer: whole }
}

const options = (payment: string | undefined, change: Partial<ChargeOptions> = {}): ChargeOptions => ({
  quote,
  payment,
  requestHash: hashText(`what helps? ${serial}`),
  packageId: hashText('package'),
  run: model,
  signal: new AbortController().signal,
  ...clock,
  ...change,
})

async function listen(charged: Charged): Promise<{ text: string; answer: Answer; receipt: Receipt; free: string }> {
  if (charged.kind !== 'answer') throw new Error(JSON.stringify(charged))
  const heard: { text: string; answer?: Answer; receipt?: Receipt; free?: string } = { text: '' }
  for await (const part of charged.parts as AsyncIterable<PaidPart>) {
    if ('delta' in part) heard.text += part.delta
    else if ('answer' in part) heard.answer = part.answer
    else if ('receipt' in part) heard.receipt = part.receipt
    else heard.free = part.free
  }
  return heard as Required<typeof heard>
}

const outcomeOf = (charged: Charged) => JSON.parse(atob(charged.headers['PAYMENT-RESPONSE']!))
const codeOf = (charged: Charged) => (charged.kind === 'reply' ? [charged.status, (charged.body as { error: { code: string } }).error.code] : [200, ''])
const receiptsOfLedger = () =>
  database.receipts.list({ modelId: quote.modelId }).then(async (receipts) => {
    const hashes = (await book.paid()).map(({ tx }) => tx)
    return receipts.filter(({ tx, requestHash }) => hashes.includes(tx) && requestHash === hashText(`what helps? ${serial}`))
  })

describe('a query that is paid', () => {
  it('is answered, paid once, and leaves a receipt that says what was answered', async () => {
    const note = await fresh()
    const charged = await charge(ports, options(note))
    const heard = await listen(charged)
    expect(heard).toMatchObject({ text: whole.text, answer: whole })
    expect(heard.receipt).toMatchObject({
      responseHash: contentId(whole),
      requestHash: hashText(`what helps? ${serial}`),
      amount: '10',
      payer,
      builder,
      sources: ['Flu > Care > flu.md'],
    })
    expect(outcomeOf(charged)).toMatchObject({ success: true, transaction: heard.receipt.tx })
    expect(await receiptsOfLedger()).toEqual([heard.receipt])
  })

  it('eight at once with one payment: one run, one payment, seven are told to wait', async () => {
    const note = await fresh()
    runs = 0
    const all = await Promise.all(Array.from({ length: 8 }, () => charge(ports, options(note))))
    expect(all.map((charged) => codeOf(charged)[0]).sort()).toEqual([200, 409, 409, 409, 409, 409, 409, 409])
    expect([runs, (await book.paid()).length]).toEqual([1, 1])
    const waiting = all.find((charged) => charged.kind === 'reply')
    expect(waiting?.headers).toMatchObject({ 'Retry-After': '1', 'x-should-retry': 'false' })
    await listen(all.find((charged) => charged.kind === 'answer')!)
  })

  it('comes again: the kept answer and the same receipt, not charged, even with an empty wallet', async () => {
    const note = await fresh()
    const first = await listen(await charge(ports, options(note)))
    held = 0n
    runs = 0
    const second = await listen(await charge(ports, options(note)))
    held = 1000n
    expect(second).toEqual(first)
    expect([runs, (await book.paid()).length]).toEqual([0, 1])
    expect(codeOf(await charge(ports, options(note, { requestHash: hashText('other') })))).toEqual([402, 'payment_spent'])
  })

  it('is answered whole even when the client leaves after the payment', async () => {
    const leaving = new AbortController()
    const slow = async function* (signal: AbortSignal): AsyncGenerator<AnswerPart> {
      yield { delta: 'Rest. ' }
      await new Promise((resolve) => setTimeout(resolve, 60))
      signal.throwIfAborted()
      yield { answer: whole }
    }
    const note = await fresh()
    const charged = await charge(ports, options(note, { run: slow, signal: leaving.signal }))
    if (charged.kind !== 'answer') throw new Error('not answered')
    for await (const _ of charged.parts) break
    leaving.abort()
    expect((await charged.receipt!).responseHash).toBe(contentId(whole))
    expect((await listen(await charge(ports, options(note)))).answer).toEqual(whole)
  })

  it('cut off after the payment: the same payment gets the answer later, and is not charged again', async () => {
    const broken = async function* (): AsyncGenerator<AnswerPart> {
      yield { delta: 'Rest. ' }
      await new Promise((resolve) => setTimeout(resolve, 40))
      throw new Error('out of memory')
    }
    const note = await fresh()
    const charged = await charge(ports, options(note, { run: broken }))
    await expect(listen(charged)).rejects.toThrow('out of memory')
    if (charged.kind === 'answer') await charged.receipt
    expect((await receiptsOfLedger()).length).toBe(1)
    runs = 0
    const two = await Promise.all([charge(ports, options(note)), charge(ports, options(note))])
    expect(two.map((again) => codeOf(again)[0]).sort()).toEqual([200, 409])
    const heard = await listen(two.find((again) => again.kind === 'answer')!)
    expect(heard.answer).toEqual(whole)
    expect(await receiptsOfLedger()).toEqual([heard.receipt])
    expect([runs, (await book.paid()).length]).toEqual([1, 1])
  })
})

describe('a payment with a name of the payer', () => {
  it('is made once, whatever is signed: a retry with a new nonce gets the answer of the first', async () => {
    const name = (note: string, id: string) => btoa(JSON.stringify({ ...JSON.parse(atob(note)), extensions: { 'payment-identifier': { info: { id } } } }))
    const one = name(await fresh(), `order_${serial}_0123456789`)
    const question = options(one)
    const nonce = `0x${(++serial).toString(16).padStart(64, '0')}` as Hex
    const domain = { name: 'Wrapped OPEN', version: '1', chainId: 31337, verifyingContract: book.chain.contracts.token }
    const message = { from: payer, to: builder, value: 10n, validAfter: 0n, validBefore: seconds + 3600n, nonce }
    const two = name(header(await payload({ account, payments, quote, domain, message })), `order_${serial - 1}_0123456789`)
    const both = await Promise.all([charge(ports, question), charge(ports, { ...question, payment: two })])
    expect(both.map((charged) => codeOf(charged)[0]).sort()).toEqual([200, 409])
    const heard = await listen(both.find((charged) => charged.kind === 'answer')!)
    expect(await listen(await charge(ports, { ...question, payment: two }))).toEqual(heard)
    expect(await listen(await charge(ports, { ...question, payment: one }))).toEqual(heard)
    expect((await book.paid()).length).toBe(1)
    const other = await charge(ports, { ...question, payment: both[0]!.kind === 'answer' ? two : one, requestHash: hashText('another question') })
    expect(codeOf(other)).toEqual([409, 'payment_identifier_used'])
    expect(codeOf(await charge(ports, { ...question, payment: name(atob(btoa(two)), 'short') }))).toEqual([400, 'payment_malformed'])
  })
})

describe('a query that is not paid', () => {
  it('without a payment: 402 and the terms', async () => {
    await fresh()
    const charged = await charge(ports, options(undefined))
    expect(codeOf(charged)).toEqual([402, 'payment_required'])
    expect(JSON.parse(atob(charged.headers['PAYMENT-REQUIRED']!)).accepts).toMatchObject([{ amount: '10', payTo: builder }])
  })

  it('unreadable: 400; forged or short: 402 with the reason; the model is not run', async () => {
    const note = await fresh()
    runs = 0
    expect(codeOf(await charge(ports, options('%%%')))).toEqual([400, 'payment_malformed'])
    const forged = forge(note)
    expect(codeOf(await charge(ports, options(forged)))).toEqual([402, 'payment_forged'])
    held = 9n
    expect(codeOf(await charge(ports, options(note)))).toEqual([402, 'payer_without_open'])
    held = 1000n
    expect([runs, (await book.paid()).length]).toEqual([0, 0])
  })

  it('a forger who knows the nonce of a paid query does not get its answer', async () => {
    const note = await fresh()
    await listen(await charge(ports, options(note)))
    const forged = forge(note)
    expect(codeOf(await charge(ports, options(forged)))).toEqual([402, 'payment_forged'])
  })

  it('the model fails first: 500, nothing charged, the payment still good', async () => {
    const note = await fresh()
    const fails = async function* (): AsyncGenerator<AnswerPart> {
      yield* []
      throw new Error('no such file /secret')
    }
    const charged = await charge(ports, options(note, { run: fails }))
    expect(codeOf(charged)).toEqual([500, 'model_failed'])
    expect(JSON.stringify(charged.kind === 'reply' && charged.body)).not.toContain('secret')
    expect(charged).toMatchObject({ fault: new Error('no such file /secret') })
    expect((await book.paid()).length).toBe(0)
    expect((await listen(await charge(ports, options(note)))).answer).toEqual(whole)
  })

  it('the client leaves first: the model is stopped, nothing charged, the payment still good', async () => {
    const note = await fresh()
    const leaving = new AbortController()
    let stopped = false
    const stuck = async function* (signal: AbortSignal): AsyncGenerator<AnswerPart> {
      signal.addEventListener('abort', () => {
        stopped = true
      })
      setTimeout(() => leaving.abort(), 5)
      await new Promise(() => {})
      yield { answer: whole }
    }
    expect(codeOf(await charge(ports, options(note, { run: stuck, signal: leaving.signal })))).toEqual([499, 'client_left'])
    expect([stopped, (await book.paid()).length]).toEqual([true, 0])
    expect((await listen(await charge(ports, options(note)))).answer).toEqual(whole)
  })

  it('the contract refuses: 402 with its reason, nothing of the answer, and no second run for that payment', async () => {
    const note = await fresh()
    book.outcome = 'refused'
    const charged = await charge(ports, options(note))
    expect(codeOf(charged)).toEqual([402, 'insufficient_open'])
    expect(outcomeOf(charged)).toMatchObject({ success: false, errorReason: 'insufficient_open' })
    expect(JSON.stringify(charged)).not.toContain('Rest')
    runs = 0
    expect(codeOf(await charge(ports, options(note)))).toEqual([402, 'payment_released'])
    expect(runs).toBe(0)
  })
})

describe('a query with terms', () => {
  const cited: Terms = { cites: ['flu.md'], answered: true }
  it('that are met is paid, and the receipt carries them and who judged', async () => {
    const note = await fresh()
    const heard = await listen(await charge(ports, options(note, { terms: cited })))
    expect(heard.answer).toEqual(whole)
    expect(heard.receipt.terms).toEqual({ asked: cited, judgedBy: 'gateway', seconds: 0 })
    expect(await receiptsOfLedger()).toEqual([heard.receipt])
  })

  it('that are failed: 422 names the term, shows nothing of the answer, charges nothing, and the payment is still good', async () => {
    const note = await fresh()
    const charged = await charge(ports, options(note, { terms: { cites: ['cold.md'] } }))
    expect(codeOf(charged)).toEqual([422, 'terms_not_met'])
    expect(charged).toMatchObject({ body: { error: { param: 'terms.cites' } }, headers: { 'x-should-retry': 'false' } })
    expect(JSON.stringify(charged)).not.toContain('Rest')
    expect((await book.paid()).length).toBe(0)
    expect((await listen(await charge(ports, options(note)))).answer).toEqual(whole)
    expect((await book.paid()).length).toBe(1)
  })

  it('is not waited for longer than the terms say, and the model is stopped', async () => {
    const note = await fresh()
    let stopped = false
    const endless = async function* (signal: AbortSignal): AsyncGenerator<AnswerPart> {
      yield { delta: 'Rest. ' }
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      stopped = true
      yield { answer: whole }
    }
    const charged = await charge(ports, options(note, { run: endless, terms: { withinSeconds: 0.05 } }))
    expect(charged).toMatchObject({ status: 422, body: { error: { code: 'terms_not_met', param: 'terms.withinSeconds' } } })
    await expect.poll(() => stopped).toBe(true)
    expect((await book.paid()).length).toBe(0)
  })

  it('the answer is settled before any of it is released', async () => {
    const note = await fresh()
    book.outcome = 'refused'
    const charged = await charge(ports, options(note, { terms: cited }))
    expect(codeOf(charged)).toEqual([402, 'insufficient_open'])
    expect(JSON.stringify(charged)).not.toContain('Rest')
  })
})

describe('an abstention', () => {
  const nothing: Answer = { text: 'The pages do not cover this.', citations: [], abstained: true }
  const abstains = async function* (): AsyncGenerator<AnswerPart> {
    yield { answer: nothing }
  }
  it('costs nothing unless the builder says so, and the payment is good for another question', async () => {
    const note = await fresh()
    const charged = await charge(ports, options(note, { run: abstains }))
    expect(charged.headers['PAYMENT-RESPONSE']).toBeUndefined()
    const heard = await listen(charged)
    expect(heard).toMatchObject({ answer: nothing, free: expect.stringMatching(/nothing was charged/) })
    expect(heard.receipt).toBeUndefined()
    expect((await book.paid()).length).toBe(0)
    const other = await listen(await charge(ports, options(note, { requestHash: hashText('other') })))
    expect(other.answer).toEqual(whole)
    expect((await book.paid()).length).toBe(1)
  })

  it('costs the price where the builder asks it, except under terms that want an answer', async () => {
    const note = await fresh()
    quote = { ...quote, abstention: 'paid' }
    expect(codeOf(await charge(ports, options(note, { run: abstains, terms: { answered: true } })))).toEqual([422, 'terms_not_met'])
    expect((await book.paid()).length).toBe(0)
    expect((await listen(await charge(ports, options(note, { run: abstains })))).receipt).toMatchObject({ amount: '10' })
    expect((await book.paid()).length).toBe(1)
  })
})

describe('an outcome that is not known', () => {
  for (const outcome of ['unknown', 'unknown but paid', 'throws'] as const)
    it(`${outcome}: 503, never a second 402, and the same payment is settled on the next try`, async () => {
      const note = await fresh()
      book.outcome = outcome
      const charged = await charge(ports, options(note))
      expect(codeOf(charged)).toEqual([503, 'payment_outcome_unknown'])
      expect(charged.headers).toMatchObject({ 'Retry-After': '2', 'x-should-retry': 'false' })
      expect(codeOf(await charge(ports, options(note, { requestHash: hashText('other') })))).toEqual([409, 'payment_in_use'])
      book.outcome = 'settled'
      runs = 0
      const heard = await listen(await charge(ports, options(note)))
      expect(heard.answer).toEqual(whole)
      expect([runs, (await book.paid()).length]).toEqual([0, 1])
      expect(await receiptsOfLedger()).toEqual([heard.receipt])
    })

  it('is found out while serving, when the payer does not come back', async () => {
    const note = await fresh()
    book.outcome = 'unknown but paid'
    await charge(ports, options(note))
    expect(await recheck({ chain: book.chain, database }, clock)).toEqual({ completed: 1, released: 0, unknown: 0 })
    expect((await receiptsOfLedger()).map(({ responseHash }) => responseHash)).toEqual([contentId(whole)])
    expect((await listen(await charge(ports, options(note)))).answer).toEqual(whole)
  })
})

describe('a reorganisation of the chain', () => {
  it('takes a receipt with its payment into another transaction, and ends when the payment is final', async () => {
    const note = await fresh()
    const shallow = async (options: Parameters<Chain['settle']>[0]) => {
      const settled = await book.chain.settle(options)
      return settled.status === 'settled' ? { ...settled, final: false } : settled
    }
    const first = await listen(await charge({ ...ports, chain: { ...book.chain, settle: shallow } }, options(note)))
    const settled = { status: 'settled', payer, builder, amount: 10n, modelId: quote.modelId } as const
    const chain = (settlement: Settlement | undefined, settle?: Settlement): Pick<Chain, 'settlement' | 'settle'> => ({
      settlement: async () => settlement,
      settle: async () => settle ?? { status: 'unknown', message: 'not asked' },
    })
    const [moved, nonce] = [hashText('moved'), first.receipt.nonce!]
    const kept = async (tx: Hex) => database.receipts.find({ tx, requestHash: first.receipt.requestHash, nonce })

    expect(await confirm({ chain: chain({ status: 'refused', code: 'insufficient_open', message: 'Gone.' }), database }, clock)).toEqual({
      ...{ final: 0, again: 0, undone: 1 },
    })
    expect(await confirm({ chain: chain({ status: 'unknown', message: 'no answer' }), database }, clock)).toEqual({ final: 0, again: 0, undone: 0 })
    expect(await kept(first.receipt.tx)).toEqual(first.receipt)

    const again = chain(undefined, { ...settled, tx: moved, block: 9, final: false })
    expect(await confirm({ chain: again, database }, clock)).toEqual({ final: 0, again: 1, undone: 0 })
    expect(await kept(first.receipt.tx)).toBeUndefined()
    expect(await kept(moved)).toEqual({ ...first.receipt, tx: moved, block: 9 })
    expect((await listen(await charge(ports, options(note)))).receipt).toEqual({ ...first.receipt, tx: moved, block: 9 })

    expect(await confirm({ chain: chain({ ...settled, tx: moved, block: 11, final: true }), database }, clock)).toEqual({ final: 1, again: 0, undone: 0 })
    expect(await kept(moved)).toEqual({ ...first.receipt, tx: moved, block: 11 })
    expect(await database.payments.toConfirm()).toEqual([])
  })
})

/** A process that dies at its `at`-th call of a port, before or after the call has had its effect, and does nothing any more. */
function dying<Part extends object>(part: Part, life: { calls: number; at: number; when: 'before' | 'after' }): Part {
  const dead = () => life.calls > life.at || (life.calls === life.at && life.when === 'before')
  return new Proxy(part, {
    get(target, name) {
      const member = Reflect.get(target, name)
      if (typeof member === 'object' && member !== null) return dying(member, life)
      if (typeof member !== 'function') return member
      return async (...rest: unknown[]) => {
        life.calls++
        if (dead()) throw new Error('dead')
        const result = await member.apply(target, rest)
        if (life.calls >= life.at && life.at > 0) throw new Error('dead')
        return result
      }
    },
  })
}

describe('a crash', () => {
  const slow = async function* (): AsyncGenerator<AnswerPart> {
    yield { delta: 'Rest. ' }
    await new Promise((resolve) => setTimeout(resolve, 40))
    yield { answer: whole }
  }
  for (const [when, run, pause] of [
    ['before', model, 5],
    ['after', model, 5],
    ['before', slow, 60],
    ['after', slow, 60],
  ] as const)
    it(`${when} every call of a port (${run.name}): after reconcile nothing is paid twice and every payment has its receipt`, async () => {
      let crashes = 0
      for (let at = 1; ; at++) {
        const note = await fresh()
        const life = { calls: 0, at, when }
        const process: ChargePorts = {
          payments,
          chain: dying(book.chain, life),
          database: dying({ payments: database.payments, receipts: database.receipts }, life),
        }
        const outcome = await charge(process, options(note))
          .then(listen)
          .catch(() => 'crashed' as const)
        await new Promise((resolve) => setTimeout(resolve, pause))
        if (life.calls >= at) crashes++
        await reconcile({ chain: book.chain, database }, clock)
        expect(await database.payments.inState(['reserved', 'sending', 'unknown']), `at ${at}`).toEqual([])
        expect((await receiptsOfLedger()).length, `receipts at ${at}`).toBe((await book.paid()).length)
        // The payer tries again with the very same payment, and gets the answer.
        const heard = await listen(await charge(ports, options(note)))
        expect(heard.answer).toEqual(whole)
        expect((await book.paid()).length, `payments at ${at}`).toBe(1)
        expect(await receiptsOfLedger()).toEqual([heard.receipt])
        if (life.calls < at) {
          expect(outcome).not.toBe('crashed')
          break
        }
      }
      expect(crashes).toBeGreaterThanOrEqual(6)
    })
})
