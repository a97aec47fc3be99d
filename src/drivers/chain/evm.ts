/**
 * Chain over JSON-RPC, for any EVM chain that has the three contracts. Knows nothing of where the chain runs: what is
 * particular to the embedded one (test money, mining) comes in as functions.
 */
import { encodeAbiParameters, encodeFunctionData, keccak256, type Log, type PublicClient, parseEventLogs, toBytes, BaseError as ViemError } from 'viem'
import { BaseError, isRefusal, type Refusal, refuse } from '../../core/errors.ts'
import type { Address, Hex, Listing } from '../../core/listing.ts'
import { formatOpen } from '../../core/royalty.ts'
import type { Authorization, Chain, ExamRecord, Network, Pulse, Settlement } from '../../ports/chain.ts'
import type { Journal } from '../../ports/database.ts'
import type { Account } from '../../ports/keystore.ts'
import { refuseKnownKeys } from '../keystore/keystore.ts'
import { wellFormed } from './authorization.ts'
import { type BountiesParts, chainBounties } from './bounties.ts'
import { modelRegistry, wrappedOpen } from './contracts.generated.ts'
import type { paidHistory } from './history.ts'
import { marketEvents } from './market-events.ts'
import { contractErrors, refusalOf } from './revert.ts'
import { GAS_ALONE, GAS_TOGETHER, keyOf, type Manner, type Paid, type Row, settledKeys, settlements, settler } from './settler.ts'
import { sharedPayouts } from './shares.ts'
import { type Outcome, shortMessage, type Writer } from './writer.ts'

const registryAbi = [...modelRegistry.abi.filter((item) => item.type !== 'error'), ...contractErrors]

/** With gas for fewer payments than this in a relayer, its operator is told. */
const FEWEST_PAYMENTS = 200n

/** Stands where the chain does not say which model was paid for. */
const noModel: Hex = `0x${'00'.repeat(32)}`

export type EvmParts = {
  client: PublicClient
  writer: Writer
  journal: Journal
  network: Network
  contracts: Chain['contracts']
  /** Pay the gas of settlements; `inFlight` is how many transactions each may have sent and not seen mined. */
  relayers: readonly Account[]
  inFlight: number
  manner: Manner
  history: ReturnType<typeof paidHistory>
  /** Settlements sent and not yet known to be mined, by payer and nonce. */
  pending: Map<string, Hex>
  /** The newest block that stays. */
  finalBlock(): number
  /** Runs before an account sends a transaction of its own: sees to its gas where that costs nothing. */
  prepare(account: Account): Promise<void>
  /** Makes durable what others did on the chain, where that is not durable by itself. */
  keep(): Promise<void>
  fund: Chain['fund']
  close: Chain['close']
}

/** Reads the journal for settlements without a receipt, so that none is sent a second time. */
export async function evmChain(parts: EvmParts): Promise<Chain> {
  const { client, writer, journal, network, contracts, relayers, inFlight, manner, history, pending } = parts
  const payments = settler({ client, writer, router: contracts.router, relayers, inFlight, manner })
  for (const { purpose, hash } of await journal.unmined()) for (const key of settledKeys(purpose)) pending.set(key, hash)
  const settling = new Map<string, Promise<Settlement>>()

  const listing = async (modelId: Hex): Promise<Listing | undefined> => {
    if (!/^0x[0-9a-fA-F]{64}$/.test(modelId)) return undefined
    try {
      const model = await client.readContract({ address: contracts.registry, abi: registryAbi, functionName: 'modelOf', args: [modelId] })
      const { owner, payout, price, version, packageHash, reportHash, retired } = model
      return { modelId, owner, payout, price, version, packageId: packageHash, reportId: reportHash, retired }
    } catch (error) {
      const refusal = refusalOf(error)
      if (refusal?.code === 'model_unknown') return undefined
      throw new UnreachableError(error)
    }
  }

  const exam = async (modelId: Hex, examRoot: Hex): Promise<ExamRecord | undefined> => {
    const { committedAt, attempts } = await answered(() =>
      client.readContract({ address: contracts.registry, abi: registryAbi, functionName: 'examOf', args: [modelId, examRoot] }),
    )
    return committedAt === 0n ? undefined : { committedAt: Number(committedAt), attempts: Number(attempts) }
  }

  /** Simulates, signs, journals, sends and waits. The simulation is the gas estimate, which fails with the contract's reason. */
  const call = async (from: Account, to: Address, data: Hex, purpose: string, estimate: () => Promise<bigint>): Promise<Outcome | Refusal> => {
    const known = refuseKnownKeys(from.address, network)
    if (known) return known
    try {
      await parts.prepare(from)
      const gas = await estimate()
      return await writer.send({ from, to, data, gas: (gas * 13n) / 10n, purpose })
    } catch (error) {
      // The writer throws only while nothing is sent; what is not the chain's doing (the journal's disk) is a fault.
      if (!(error instanceof ViemError)) throw error
      const hint = 'Check that the chain answers and the account holds gas, then try again.'
      return refusalOf(error) ?? refuse('chain_unreachable', `The chain did not take the transaction: ${shortMessage(error)}.`, hint)
    }
  }

  /** A registry call by a model's owner: its logs, or a refusal. */
  const registryCall = async (
    owner: Account,
    functionName: 'register' | 'publishVersion' | 'setPrice' | 'commitExam' | 'recordAttempt' | 'proposePayout' | 'acceptPayout',
    parameters: readonly unknown[],
  ): Promise<{ tx: Hex; logs: Log[] } | Refusal> => {
    const request = { abi: registryAbi, functionName, args: parameters } as Parameters<typeof encodeFunctionData>[0]
    const outcome = await call(owner, contracts.registry, encodeFunctionData(request), functionName, () =>
      client.estimateContractGas({ ...request, address: contracts.registry, account: owner.address } as Parameters<typeof client.estimateContractGas>[0]),
    )
    return mined(outcome, 'model')
  }

  /** What became of a transaction by an account; `what` is to be looked at before it is repeated. */
  const mined = (outcome: Awaited<ReturnType<typeof call>>, what: string): { tx: Hex; logs: Log[] } | Refusal => {
    if (isRefusal(outcome)) return outcome
    if (outcome.status === 'unknown') return refuse('transaction_unknown', outcome.message, `Look at the ${what} again before repeating this.`)
    if (outcome.status === 'rejected')
      return refuse('transaction_rejected', `The chain refused the transaction: ${outcome.message}.`, 'Check the gas of the account.')
    if (outcome.status === 'success') return { tx: outcome.hash, logs: outcome.logs }
    return refuse('transaction_reverted', `Transaction ${outcome.hash} was mined but refused by the contract.`, `Look at the ${what} and try again.`)
  }

  const transact: BountiesParts['transact'] = async (from, to, data, purpose, what, estimate) =>
    mined(await call(from, to, data, purpose, estimate ?? (() => client.estimateGas({ account: from.address, to, data }))), what)
  const token = { name: 'Wrapped OPEN', version: '1' }
  const shares = sharedPayouts({ client, network, contracts, listing, registryCall, transact })
  const bounties = chainBounties({ client, chain: { network, contracts, token }, listing, transact })

  const settled = (paid: Paid): Settlement => ({ ...paid, final: paid.block <= parts.finalBlock() })

  /** What the token says of an authorization that was used. */
  const used = async (authorization: Authorization): Promise<Settlement | undefined> => {
    const { from, nonce } = authorization
    const spent = await client.readContract({ address: contracts.token, abi: wrappedOpen.abi, functionName: 'authorizationState', args: [from, nonce] })
    if (!spent) return undefined
    const [kept] = (await journal.paid({ nonce })).filter(({ payer }) => same(payer, from))
    if (kept) {
      const { tx, block, payer, builder, amount, modelId } = kept
      return settled({ status: 'settled', tx, block, payer, builder, amount, modelId })
    }
    const event = await history.authorizationUse(contracts.token, from, nonce)
    if (event === 'cancelled')
      return { status: 'refused', code: 'authorization_cancelled', message: `The payment authorization with nonce ${nonce} was cancelled by its payer.` }
    if (event === undefined)
      return { status: 'unknown', message: `The chain says that the authorization with nonce ${nonce} was used, and not in which transaction.` }
    const { logs, blockNumber, transactionHash } = await client.getTransactionReceipt({ hash: event })
    const payment = settlements(logs, contracts.router).get(keyOf(authorization))
    if (!payment || !(await journal.find(transactionHash))) await parts.keep()
    if (payment) return settled(payment)
    // Somebody sent the authorization straight to the token: the builder has the money, so the query is paid.
    const moved = parseEventLogs({ abi: wrappedOpen.abi, eventName: 'Transfer', logs }).find(
      ({ address, args }) => same(address, contracts.token) && same(args.from, from) && same(args.to, authorization.to) && args.amount === authorization.value,
    )
    if (!moved) return { status: 'refused', code: 'authorization_used', message: `The payment authorization with nonce ${nonce} was used for something else.` }
    const { to: builder, amount } = moved.args
    return settled({ status: 'settled', tx: transactionHash, block: Number(blockNumber), payer: from, builder, amount, modelId: noModel })
  }

  const settlement = async (authorization: Authorization): Promise<Settlement | undefined> => {
    try {
      const known = await used(authorization)
      if (known && known.status !== 'unknown') pending.delete(keyOf(authorization))
      if (known) return known
    } catch (error) {
      return { status: 'unknown', message: `The chain did not say what became of the payment: ${shortMessage(error)}.` }
    }
    const sent = pending.get(keyOf(authorization))
    return sent === undefined ? undefined : { status: 'unknown', message: `Transaction ${sent} has no known outcome yet.` }
  }

  const settle = async (row: Row): Promise<Settlement> => {
    const { modelId, authorization } = row
    const key = keyOf(authorization)
    const sent = pending.get(key)
    if (sent !== undefined) {
      const earlier = await writer.settled(sent)
      if (earlier.status === 'unknown') return { status: 'unknown', message: earlier.message }
      pending.delete(key)
      const known = await settlement(authorization)
      if (known) return forModel(known, modelId)
    }
    const outcome = await payments.pay(row)
    if (outcome.status === 'settled') return settled(outcome)
    if (outcome.status === 'unknown' && outcome.hash === undefined) return { status: 'unknown', message: outcome.message }
    if (outcome.status === 'unknown') pending.set(key, outcome.hash!)
    // The contract looks at the price before the nonce; and somebody else may have sent the same authorization first.
    const known = await settlement(authorization)
    if (known) return forModel(known, modelId)
    if (outcome.status === 'unknown') return { status: 'unknown', message: outcome.message }
    try {
      const reason = outcome.status === 'refused' ? outcome.refusal : await payments.reason(row)
      if (!reason)
        return {
          status: 'refused',
          code: 'payment_reverted',
          message: `The payment was not made: transaction ${(outcome as { hash: Hex }).hash} was reverted.`,
        }
      // The payee is the registry's to name, so to the token a payment to anyone else is a signature of something else.
      const model = reason.code === 'signature_invalid' ? await listing(modelId) : undefined
      if (!model || same(model.payout, authorization.to)) return refused(reason)
      const message = `The authorization pays ${authorization.to}, but the model's builder is paid at ${model.payout}.`
      return { status: 'refused', code: 'wrong_payee', message }
    } catch (error) {
      return { status: 'unknown', message: new UnreachableError(error).message }
    }
  }

  /** What each relayer holds, and how many single payments that is at the present price of gas. */
  async function gasLeft(): Promise<Pulse['relayers']> {
    const [price, held] = await Promise.all([client.getGasPrice(), Promise.all(relayers.map(({ address }) => client.getBalance({ address })))])
    return relayers.map(({ address }, place) => ({ address, native: held[place]!, payments: held[place]! / (GAS_ALONE * (price || 1n)) }))
  }

  return {
    network,
    contracts,
    token,

    async balance(address) {
      const [open, native] = await answered(() =>
        Promise.all([
          client.readContract({ address: contracts.token, abi: wrappedOpen.abi, functionName: 'balanceOf', args: [address] }),
          client.getBalance({ address }),
        ]),
      )
      return { open, native }
    },

    async register({ owner, slug, payout, price }) {
      const known = refuseKnownKeys(payout, network)
      if (known) return known
      if (price <= 0n || price >= 2n ** 96n)
        return refuse('price_out_of_range', `The price ${price} is not above 0 and below 2^96 atomic units.`, 'Give a price such as 0.01 OPEN.')
      const slugHash = keccak256(toBytes(slug))
      const modelId = modelIdOf(network.chainId, contracts.registry, owner.address, slugHash)
      if (await listing(modelId)) return { modelId, tx: null }
      const done = await registryCall(owner, 'register', [slugHash, payout, price])
      return isRefusal(done) ? done : { modelId, tx: done.tx }
    },

    async publishVersion({ owner, modelId, packageId, reportId }) {
      const done = await registryCall(owner, 'publishVersion', [modelId, packageId, reportId])
      if (isRefusal(done)) return done
      const [event] = parseEventLogs({ abi: modelRegistry.abi, eventName: 'VersionPublished', logs: done.logs })
      return { tx: done.tx, version: event!.args.version }
    },

    async setPrice({ owner, modelId, price }) {
      if (price <= 0n || price >= 2n ** 96n)
        return refuse('price_out_of_range', `The price ${price} is not above 0 and below 2^96 atomic units.`, 'Give a price such as 0.01 OPEN.')
      const done = await registryCall(owner, 'setPrice', [modelId, price])
      return isRefusal(done) ? done : { tx: done.tx }
    },

    listing,

    async unwrap({ owner, amount }) {
      const held = await client.readContract({ address: contracts.token, abi: wrappedOpen.abi, functionName: 'balanceOf', args: [owner.address] })
      if (amount <= 0n || amount > held)
        return refuse(
          'amount_out_of_range',
          `${formatOpen(amount)} is not above 0 and at most the ${formatOpen(held)} OPEN that ${owner.address} holds.`,
          'Take out less.',
        )
      const request = { abi: wrappedOpen.abi, functionName: 'withdraw', args: [amount] } as const
      const outcome = await call(owner, contracts.token, encodeFunctionData(request), 'unwrap', () =>
        client.estimateContractGas({ ...request, address: contracts.token, account: owner.address }),
      )
      const done = mined(outcome, 'balance')
      return isRefusal(done) ? done : { tx: done.tx }
    },

    share: (options) => answered(() => shares.share(options)),
    holders: (payout) => answered(() => shares.holders(payout)),
    distribute: (options) => answered(() => shares.distribute(options)),
    bounties: { ...bounties, bounty: (bountyId) => answered(() => bounties.bounty(bountyId)) },

    async commitExam({ owner, modelId, examRoot }) {
      if (await exam(modelId, examRoot)) return { tx: null }
      const done = await registryCall(owner, 'commitExam', [modelId, examRoot])
      return isRefusal(done) ? done : { tx: done.tx }
    },

    async recordAttempt({ owner, modelId, examRoot }) {
      const done = await registryCall(owner, 'recordAttempt', [modelId, examRoot])
      if (isRefusal(done)) return done
      const [event] = parseEventLogs({ abi: modelRegistry.abi, eventName: 'ExamAttempted', logs: done.logs })
      return { tx: done.tx, attempts: Number(event!.args.attempts) }
    },

    exam,

    async settle({ modelId, requestHash, authorization }) {
      const sound = wellFormed(authorization)
      if (isRefusal(sound)) return refused(sound)
      const key = keyOf(sound)
      const standing = settling.get(key)
      if (standing) return standing
      const promise = settle({ modelId, requestHash, authorization: sound }).finally(() => settling.delete(key))
      settling.set(key, promise)
      return promise
    },

    async settlement(authorization) {
      const sound = wellFormed(authorization)
      return isRefusal(sound) ? refused(sound) : settlement(sound)
    },

    queriesPaid: (options) => answered(() => history.paid(options)),

    marketEvents: (range) => answered(() => marketEvents(client, contracts, range)),

    finalBlock: async () => parts.finalBlock(),

    async costs() {
      const price = await answered(() => client.getGasPrice())
      return { alone: GAS_ALONE * price, together: GAS_TOGETHER * price }
    },

    async pulse() {
      const [block, held] = await answered(() => Promise.all([client.getBlock(), gasLeft()]))
      return { block: Number(block.number), at: Number(block.timestamp), relayers: held }
    },

    async warnings() {
      try {
        return (await gasLeft()).flatMap(({ address, native, payments: left }) => {
          if (left >= FEWEST_PAYMENTS) return []
          return `The account ${address}, which pays the gas of payments, holds ${formatOpen(native)} ${network.currency}: enough for ${left === 0n ? 'no payment' : `about ${left} payments`} at the present price of gas. Send it native coin.`
        })
      } catch (error) {
        return [new UnreachableError(error).message]
      }
    },

    fund: parts.fund,
    close: parts.close,
  }
}

/** keccak256(chain id, registry, first owner, slug hash), as the registry computes it. */
export function modelIdOf(chainId: number, registry: Address, owner: Address, slugHash: Hex): Hex {
  const types = [{ type: 'uint256' }, { type: 'address' }, { type: 'address' }, { type: 'bytes32' }] as const
  return keccak256(encodeAbiParameters(types, [BigInt(chainId), registry, owner, slugHash]))
}

function same(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase()
}

function forModel(settlement: Settlement, modelId: Hex): Settlement {
  return settlement.status === 'settled' && settlement.modelId === noModel ? { ...settlement, modelId } : settlement
}

function refused({ code, message }: Refusal): Settlement {
  return { status: 'refused', code, message }
}

/** What the node says, asked a second time when it did not answer: nodes drop requests, and a reader should not see each one. */
async function answered<Result>(ask: () => Promise<Result>): Promise<Result> {
  try {
    return await ask().catch(() => ask())
  } catch (error) {
    throw new UnreachableError(error)
  }
}

/** The chain gave no answer. Holds one line and no cause: what viem throws names the node's address, which may hold a key. */
export class UnreachableError extends BaseError {
  override readonly name = 'Chain.UnreachableError'
  constructor(error: unknown) {
    super(`The chain did not answer: ${error instanceof UnreachableError ? error.message : shortMessage(error)}.`, {
      hints: ['Check that the chain answers at its RPC address.'],
    })
  }
}
