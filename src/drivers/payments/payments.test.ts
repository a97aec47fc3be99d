/** Both ways of paying pass the suite; and what only x402 can get wrong, with a stock x402 client as the payer. */
import { ExactEvmScheme } from '@x402/evm'
import { wrapFetchWithPaymentFromConfig } from '@x402/fetch'
import { generatePrivateKey, mnemonicToAccount, privateKeyToAccount } from 'viem/accounts'
import { describe, expect, it } from 'vitest'
import { isRefusal, refuse } from '../../core/errors.ts'
import { type PaymentsBench, paymentsSuite, suiteQuote } from '../../ports/payments.suite.ts'
import { cashPayments } from './cash.ts'
import { header, payload } from './payer.suite.ts'
import { x402Payments } from './x402.ts'

const token = { address: '0x1111111111111111111111111111111111111111', name: 'Wrapped OPEN', version: '1' } as const
const network = { chainId: 31337, caip2: 'eip155:31337', currency: 'test OPEN' } as const
const accounts = [privateKeyToAccount(generatePrivateKey()), privateKeyToAccount(generatePrivateKey())] as const
const [payer, pauper] = accounts
const now = 1_800_000_000n
const balance = async (address: string) => (address.toLowerCase() === payer.address.toLowerCase() ? 10n ** 18n : 0n)

async function bench(change: { chainId?: number; envelope?: (wire: Record<string, unknown>) => unknown } = {}): Promise<PaymentsBench> {
  const payments = x402Payments({ network, token, balance, now: () => Number(now) * 1000 })
  return {
    payments,
    now,
    payer: payer.address,
    pauper: pauper.address,
    async sign(message, options = {}) {
      const signer = accounts.find((account) => account.address === (options.signedBy ?? message.from))!
      const domain = { name: token.name, version: token.version, chainId: change.chainId ?? network.chainId, verifyingContract: token.address }
      const wire = await payload({ account: signer, payments, quote: options.quote ?? suiteQuote, domain, message })
      return header(change.envelope?.(wire) ?? wire)
    },
  }
}

const message = {
  from: payer.address,
  to: suiteQuote.payTo,
  value: suiteQuote.price,
  validAfter: now - 600n,
  validBefore: now + 3600n,
  nonce: `0x${'05'.repeat(32)}`,
} as const

describe('x402', () => {
  paymentsSuite(bench)

  it('refuses a signature for another chain as forged', async () => {
    const other = await bench({ chainId: 1 })
    expect(await other.payments.verify(await other.sign(message), suiteQuote)).toMatchObject({ code: 'payment_forged' })
  })

  it('refuses other networks, tokens and schemes by name', async () => {
    const wrong = async (change: Record<string, unknown>) => {
      const made = await bench({ envelope: (wire) => ({ ...wire, accepted: { ...(wire.accepted as object), ...change } }) })
      return made.payments.verify(await made.sign(message), suiteQuote)
    }
    expect(await wrong({ network: 'eip155:8453' })).toMatchObject({ code: 'payment_wrong_network' })
    expect(await wrong({ asset: pauper.address })).toMatchObject({ code: 'payment_wrong_asset' })
    expect(await wrong({ scheme: 'upto' })).toMatchObject({ code: 'payment_scheme_unsupported' })
    expect(await wrong({ payTo: pauper.address })).toMatchObject({ code: 'payment_wrong_payee' })
    expect(await wrong({ amount: '1' })).toMatchObject({ code: 'payment_wrong_amount' })
  })

  it('refuses a payer who is the builder', async () => {
    const made = await bench()
    const own = { ...suiteQuote, payTo: payer.address }
    expect(await made.payments.verify(await made.sign({ ...message, to: payer.address }, { quote: own }), own)).toMatchObject({ code: 'payment_to_self' })
  })

  it('refuses the mirrored twin of a signature, and evens out the recovery byte', async () => {
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
    const twin = await bench({
      envelope: (wire) => {
        const payload = wire.payload as { signature: string }
        const s = order - BigInt(`0x${payload.signature.slice(66, 130)}`)
        const v = payload.signature.endsWith('1b') ? '1c' : '1b'
        return { ...wire, payload: { ...payload, signature: `${payload.signature.slice(0, 66)}${s.toString(16).padStart(64, '0')}${v}` } }
      },
    })
    expect(await twin.payments.verify(await twin.sign(message), suiteQuote)).toMatchObject({ code: 'payment_forged' })
    const zero = await bench({
      envelope: (wire) => {
        const payload = wire.payload as { signature: string }
        return { ...wire, payload: { ...payload, signature: `${payload.signature.slice(0, 130)}${payload.signature.endsWith('1b') ? '00' : '01'}` } }
      },
    })
    const taken = await zero.payments.verify(await zero.sign(message), suiteQuote)
    if (isRefusal(taken)) throw new Error(taken.message)
    expect(taken.authorization.signature.slice(130)).toMatch(/^1[bc]$/)
  })

  it('refuses a payer whose key everybody knows, anywhere but on the embedded chain', async () => {
    const known = mnemonicToAccount('test test test test test test test test test test test junk', { addressIndex: 13 })
    const verify = async (network: { chainId: number; caip2: string; currency: 'OPEN' | 'test OPEN' }) => {
      const payments = x402Payments({ network, token, balance: async () => 10n ** 18n, now: () => Number(now) * 1000 })
      const domain = { name: token.name, version: token.version, chainId: network.chainId, verifyingContract: token.address }
      const wire = await payload({ account: known, payments, quote: suiteQuote, domain, message: { ...message, from: known.address } })
      return payments.verify(header(wire), suiteQuote)
    }
    expect(await verify({ chainId: 1612, caip2: 'eip155:1612', currency: 'OPEN' })).toMatchObject({ code: 'well_known_key' })
    expect(await verify(network)).toMatchObject({ authorization: { value: suiteQuote.price } })
  })

  it('asks a contract wallet (EIP-1271) when the signature is not an account’s', async () => {
    const asked: string[] = []
    const payments = x402Payments({
      network,
      token,
      balance: async () => 10n ** 18n,
      now: () => Number(now) * 1000,
      contractSigned: async (wallet) => asked.push(wallet) > 0,
    })
    const made = await bench()
    const wallet = '0x2222222222222222222222222222222222222222'
    const verified = await payments.verify(await made.sign({ ...message, from: wallet }, { signedBy: payer.address }), suiteQuote)
    expect(verified).toMatchObject({ authorization: { from: wallet } })
    expect(asked).toEqual([wallet])
  })

  it('is paid by an unmodified x402 client that was told of the token, and by the snippet of the 402 body', async () => {
    const payments = x402Payments({ network, token, balance })
    const codes: unknown[] = []
    const server = (async (input: Request) => {
      const header = input.headers.get('payment-signature')
      const outcome = header ? await payments.verify(header, suiteQuote) : refuse('payment_required', 'Pay.', 'Please.')
      codes.push(isRefusal(outcome) ? outcome.code : 'ok')
      if (!isRefusal(outcome)) return new Response('{}')
      const required = payments.required(suiteQuote, outcome)
      return new Response(JSON.stringify(required.body), { status: 402, headers: required.headers })
    }) as typeof fetch
    const schemes = [{ network: network.caip2, client: new ExactEvmScheme(payer) }]
    await expect(wrapFetchWithPaymentFromConfig(server, { schemes })(suiteQuote.resource)).rejects.toThrow(/spendControls/)
    const body = payments.required(suiteQuote, refuse('x', 'x', 'x')).body as { howToPay: { spendControls: { allowedAssets: [] }; quickStart: string } }
    const pay = wrapFetchWithPaymentFromConfig(server, { schemes, spendControls: body.howToPay.spendControls })
    expect((await pay(suiteQuote.resource)).status).toBe(200)
    expect(codes).toEqual(['payment_required', 'payment_required', 'ok'])
    expect(body.howToPay.quickStart).toContain(token.address)
  })
})

describe('cash', () => {
  paymentsSuite(async () => {
    const low = accounts.map((account) => account.address.toLowerCase())
    const payments = cashPayments({
      secrets: new Map(low.map((address) => [address, `secret of ${address}`])),
      balances: new Map([[low[0]!, 10n ** 18n]]),
      now: () => now,
    })
    return { payments, now, payer: payer.address, pauper: pauper.address, sign: async (note, options) => payments.sign(note, options?.signedBy) }
  })
})
