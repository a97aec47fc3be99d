/** Conformance of {@link Payments}: what every way of paying must take, and must turn down with its own code. Knows no wire format. */
import { expect, it } from 'vitest'
import { isRefusal, refuse } from '../core/errors.ts'
import type { Address } from '../core/listing.ts'
import type { Authorization } from './chain.ts'
import type { Payments, Quote } from './payments.ts'

/** What a driver's test hands over: payments, a payer with money, and the pen to sign whatever the suite likes. */
export type PaymentsBench = {
  payments: Payments
  /** Unix seconds at which `payments` stands. */
  now: bigint
  payer: Address
  /** A wallet that signs but holds nothing. */
  pauper: Address
  /** The header with which `message.from` pays; `signedBy` signs in its place. */
  sign: (message: Omit<Authorization, 'signature'>, options?: { signedBy?: Address; quote?: Quote }) => Promise<string>
}

export const suiteQuote: Quote = {
  modelId: `0x${'ab'.repeat(32)}`,
  model: 'heart',
  payTo: '0x00000000000000000000000000000000000b01d3',
  price: 10n ** 16n,
  resource: 'http://127.0.0.1:8080/v1/chat/completions',
  description: 'One answer of heart',
  abstention: 'free',
}

export function paymentsSuite(open: () => Promise<PaymentsBench>): void {
  const message = (bench: PaymentsBench, change: Partial<Authorization> = {}): Omit<Authorization, 'signature'> => ({
    from: bench.payer,
    to: suiteQuote.payTo,
    value: suiteQuote.price,
    validAfter: bench.now - 600n,
    validBefore: bench.now + 3600n,
    nonce: `0x${'01'.repeat(32)}`,
    ...change,
  })

  it('says what to pay, with the reason in an OpenAI-shaped error', async () => {
    const { payments } = await open()
    const required = payments.required(suiteQuote, refuse('payment_required', 'It costs something.', 'Pay.'))
    expect(Object.keys(required.headers).length).toBeGreaterThan(0)
    expect(required.body).toMatchObject({ error: { message: 'It costs something. Pay.', type: 'payment_required', code: 'payment_required', param: null } })
    expect(JSON.stringify(required.body)).toContain(suiteQuote.price.toString())
  })

  it('takes a right payment and gives back exactly what was signed', async () => {
    const bench = await open()
    const wanted = message(bench)
    const header = await bench.sign(wanted)
    const read = bench.payments.read(header)
    const verified = await bench.payments.verify(header, suiteQuote)
    if (isRefusal(read) || isRefusal(verified)) throw new Error(JSON.stringify([read, verified]))
    expect(verified.authorization).toMatchObject({ ...wanted, from: wanted.from.toLowerCase() })
    expect(read.authorization).toEqual(verified.authorization)
  })

  const wrong: [string, (bench: PaymentsBench) => Promise<string>][] = [
    ['payment_wrong_amount', (bench) => bench.sign(message(bench, { value: suiteQuote.price - 1n }))],
    ['payment_wrong_amount', (bench) => bench.sign(message(bench, { value: suiteQuote.price + 1n }))],
    ['payment_wrong_payee', (bench) => bench.sign(message(bench, { to: bench.pauper }))],
    ['payment_expired', (bench) => bench.sign(message(bench, { validBefore: bench.now }))],
    ['payment_expires_too_soon', (bench) => bench.sign(message(bench, { validBefore: bench.now + 5n }))],
    ['payment_not_yet_valid', (bench) => bench.sign(message(bench, { validAfter: bench.now + 60n }))],
    ['payment_forged', (bench) => bench.sign(message(bench), { signedBy: bench.pauper })],
    ['payer_without_open', (bench) => bench.sign(message(bench, { from: bench.pauper }))],
  ]
  for (const [index, [code, header]] of wrong.entries())
    it(`refuses: ${code} (${index})`, async () => {
      const bench = await open()
      const outcome = await bench.payments.verify(await header(bench), suiteQuote)
      expect(outcome).toMatchObject({ refused: true, code })
    })

  it('refuses what it cannot read, and never throws', async () => {
    const bench = await open()
    const good = await bench.sign(message(bench))
    for (const header of ['', '%%%', 'bnVsbA==', 'W10=', 'e30=', good.slice(0, good.length >> 1), btoa('{"x402Version":2}'), 'A'.repeat(100_000)]) {
      expect(bench.payments.read(header), header.slice(0, 40)).toMatchObject({ refused: true, code: 'payment_malformed' })
      expect(await bench.payments.verify(header, suiteQuote)).toMatchObject({ refused: true, code: 'payment_malformed' })
    }
  })

  it('carries the outcome to the payer, and says nothing while it is unknown', async () => {
    const { payments, payer } = await open()
    const tx = `0x${'cd'.repeat(32)}` as const
    const settled = payments.settled({
      status: 'settled',
      tx,
      block: 7,
      payer,
      builder: suiteQuote.payTo,
      amount: suiteQuote.price,
      modelId: suiteQuote.modelId,
      final: true,
    })
    expect(Object.keys(settled).length).toBeGreaterThan(0)
    expect(payments.settled({ status: 'refused', code: 'no', message: 'no' })).not.toEqual(settled)
    expect(payments.settled({ status: 'unknown', message: '?' })).toEqual({})
  })
}
