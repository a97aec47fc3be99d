/**
 * Payments signed beforehand, so that a bench times paying and not signing, and the process that sends them. Knows nothing of what is measured.
 */
import type { ChildProcess } from 'node:child_process'
import { generatePrivateKey, type PrivateKeyAccount } from 'viem/accounts'
import { type Bench, PRICE } from '../../src/apps/server/bench.suite.ts'
import { header, payload } from '../../src/drivers/payments/payer.suite.ts'
import { x402Payments } from '../../src/drivers/payments/x402.ts'
import type { Done, Work } from './payer.ts'

/** Signs for one model of one bench, payers in turn. */
export async function sign(bench: Bench, payers: readonly PrivateKeyAccount[], count: number): Promise<string[]> {
  const { chain } = bench
  const token = { address: chain.contracts.token, ...chain.token }
  const payments = x402Payments({ network: chain.network, token, balance: async () => 0n })
  const quote = {
    modelId: bench.modelId,
    model: 'heart',
    payTo: bench.builder.address,
    price: PRICE,
    resource: 'http://127.0.0.1/',
    description: 'One answer of heart',
    abstention: 'free' as const,
  }
  const domain = { ...chain.token, chainId: chain.network.chainId, verifyingContract: token.address }
  const validBefore = BigInt(Math.floor(Date.now() / 1000) + 3600 * 4)
  const signed: string[] = []
  for (let number = 0; number < count; number++) {
    const account = payers[number % payers.length]!
    const message = { from: account.address, to: bench.builder.address, value: PRICE, validAfter: 0n, validBefore, nonce: generatePrivateKey() }
    signed.push(header(await payload({ account, payments, quote, domain, message })))
  }
  return signed
}

/** Has the paying process (`payer.ts`) do one piece of work. */
export function work(payer: ChildProcess, job: Work): Promise<Done> {
  return new Promise((resolve, reject) => {
    const gone = () => reject(new Error('The paying process ended.'))
    payer.once('exit', gone)
    payer.once('message', (done) => {
      payer.off('exit', gone)
      resolve(done as Done)
    })
    payer.send(job)
  })
}
