/**
 * A program to be killed: opens a data folder, registers a model and pays for it without end, keeping its payments as the
 * gateway does. Prints `open` when the chain is up and a line for every payment it knows to be settled.
 */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { isRefusal } from '../../src/core/errors.ts'
import { hashText, type Id } from '../../src/core/id.ts'
import { authorizationTypes, tokenDomain } from '../../src/drivers/chain/authorization.ts'
import { openEmbeddedChain } from '../../src/drivers/chain/embedded.ts'
import { openDatabase } from '../../src/drivers/database/pglite.ts'
import { localAccount, openKeystore } from '../../src/drivers/keystore/keystore.ts'
import type { Authorization, Chain } from '../../src/ports/chain.ts'
import type { Database, Payment } from '../../src/ports/database.ts'

export const price = 10n ** 16n

/** Opens everything in the folder and settles what an earlier life left unsettled. */
export async function openFolder(folder: string) {
  const database = await openDatabase({ folder: join(folder, 'database') })
  const keystore = await openKeystore({ folder: join(folder, 'keys'), passphrase: undefined, embedded: true })
  if (isRefusal(keystore)) throw new Error(keystore.message)
  const chain = await openEmbeddedChain({ folder: join(folder, 'chain'), journal: database.journal, settings: database.settings, keystore })
  const [owner, payer, payout] = [await keystore.account('owner'), await keystore.account('payer'), await keystore.account('payout')]
  const registered = await chain.register({ owner, slug: 'hearts', payout: payout.address, price })
  if (isRefusal(registered)) throw new Error(registered.message)
  for (const payment of await database.payments.inState(['reserved', 'sending', 'unknown'])) await settle(database, chain, payment)
  return { database, chain, modelId: registered.modelId, payer, payout }
}

async function settle(database: Database, chain: Chain, payment: Payment): Promise<boolean> {
  const { value, validAfter, validBefore, ...rest } = JSON.parse(payment.authorization)
  const authorization: Authorization = { ...rest, value: BigInt(value), validAfter: BigInt(validAfter), validBefore: BigInt(validBefore) }
  await database.payments.move(payment.key, ['reserved', 'unknown'], { state: 'sending' })
  const settlement = await chain.settle({ modelId: payment.modelId, requestHash: payment.requestHash, authorization })
  if (settlement.status === 'settled') return database.payments.move(payment.key, ['sending'], { state: 'settled', tx: settlement.tx })
  await database.payments.move(payment.key, ['sending'], { state: settlement.status === 'refused' ? 'released' : 'unknown' })
  return false
}

async function payForever({ database, chain, modelId, payer, payout }: Awaited<ReturnType<typeof openFolder>>): Promise<never> {
  const random = (): Id => `0x${randomBytes(32).toString('hex')}`
  for (;;) {
    const message = {
      from: payer.address,
      to: payout.address,
      value: price,
      validAfter: 0n,
      validBefore: BigInt(Math.floor(Date.now() / 1000) + 3600),
      nonce: random(),
    }
    const signature = await localAccount(payer).signTypedData({
      domain: tokenDomain(chain),
      types: authorizationTypes,
      primaryType: 'TransferWithAuthorization',
      message,
    })
    const payment: Payment = {
      key: `${message.from}:${message.nonce}`.toLowerCase(),
      modelId,
      packageId: hashText('package'),
      requestHash: random(),
      payer: payer.address,
      builder: payout.address,
      amount: price,
      authorization: JSON.stringify({ ...message, signature }, (_, value) => (typeof value === 'bigint' ? String(value) : value)),
      state: 'reserved',
      answer: null,
      tx: null,
      final: false,
      terms: null,
      identifier: null,
      createdAt: Date.now(),
      updatedAt: Date.now(),
    }
    await database.payments.reserve(payment)
    if (await settle(database, chain, payment)) process.stdout.write(`settled ${message.nonce}\n`)
  }
}

if (process.argv[2] === 'pay') {
  const opened = await openFolder(process.argv[3]!)
  if ((await opened.chain.balance(opened.payer.address)).open < 1000n * price) await opened.chain.fund(opened.payer.address, 10_000n * price)
  process.stdout.write('open\n')
  await Promise.all([payForever(opened), payForever(opened), payForever(opened)])
}
