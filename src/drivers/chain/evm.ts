/**
 * Chain over JSON-RPC, for any EVM chain that has the three contracts. Knows nothing of where the chain runs: what is
 * particular to the embedded one (test money, mining) comes in as functions.
 */
import { encodeAbiParameters, encodeFunctionData, keccak256, type Log, type PublicClient, parseEventLogs, toBytes, BaseError as ViemError } from 'viem'
import { BaseError, isRefusal, type Refusal, refuse } from '../../core/errors.ts'
import type { Address, Hex, Listing } from '../../core/listing.ts'
import type { Account, Authorization, Chain, Network, QueryPaid, Settlement } from '../../ports/chain.ts'
import type { Journal } from '../../ports/database.ts'
import { refuseKnownKeys } from '../keystore/keystore.ts'
import { wellFormed } from './authorization.ts'
import { modelRegistry, royaltyRouter, wrappedOpen } from './contracts.generated.ts'
import { contractErrors, refusalOf } from './revert.ts'
import { type Outcome, shortMessage, type Writer } from './writer.ts'

const registryAbi = [...modelRegistry.abi.filter((item) => item.type !== 'error'), ...contractErrors]
const routerAbi = [...royaltyRouter.abi.filter((item) => item.type !== 'error'), ...contractErrors]

/** Stands where the chain does not say which model was paid for. */
const noModel: Hex = `0x${'00'.repeat(32)}`

/** The relayer pays the gas, and a payer's wallet that is a contract decides how much is burnt checking its signature. */
const mostGasToSettle = 600_000n

export type EvmParts = {
  client: PublicClient
  writer: Writer
  journal: Journal
  network: Network
  contracts: Chain['contracts']
  /** Pays the gas of settlements. */
  relayer: Account
  /** First block that can hold an event of ours. */
  deployedAt: bigint
  /** Runs before an account sends a transaction of its own: sees to its gas where that costs nothing. */
  prepare(account: Account): Promise<void>
  /** Makes durable what others did on the chain, where that is not durable by itself. */
  keep(): Promise<void>
  fund: Chain['fund']
  close: Chain['close']
}

/** Reads the journal for settlements without a receipt, so that none is sent a second time. */
export async function evmChain(parts: EvmParts): Promise<Chain> {
  const { client, writer, network, contracts, relayer, deployedAt } = parts
  /** Settlements sent and not yet known to be mined, by payer and nonce. */
  const pending = new Map<string, Hex>()
  /** Transactions known to be journaled. */
  const sentHere = new Set<Hex>()
  for (const { purpose, status, hash } of await parts.journal.all()) {
    sentHere.add(hash)
    if (status === null && purpose.startsWith('settle ')) pending.set(purpose.slice(7), hash)
  }
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

  /** Simulates, signs, journals, sends and waits. The simulation is the gas estimate, which fails with the contract's reason. */
  const call = async (
    from: Account,
    to: Address,
    data: Hex,
    purpose: string,
    estimate: () => Promise<bigint>,
    mostGas?: bigint,
  ): Promise<Outcome | Refusal> => {
    const known = refuseKnownKeys(from.address, network)
    if (known) return known
    try {
      await parts.prepare(from)
      const gas = await estimate()
      if (mostGas !== undefined && gas > mostGas)
        return refuse(
          'settling_too_expensive',
          `Settling this payment would burn ${gas} gas, above ${mostGas}.`,
          'Pay from a wallet whose signature is cheaper to check.',
        )
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
    functionName: 'register' | 'publishVersion' | 'setPrice',
    parameters: readonly unknown[],
  ): Promise<{ tx: Hex; logs: Log[] } | Refusal> => {
    const request = { abi: registryAbi, functionName, args: parameters } as Parameters<typeof encodeFunctionData>[0]
    const outcome = await call(owner, contracts.registry, encodeFunctionData(request), functionName, () =>
      client.estimateContractGas({ ...request, address: contracts.registry, account: owner.address } as Parameters<typeof client.estimateContractGas>[0]),
    )
    if (isRefusal(outcome)) return outcome
    if (outcome.status === 'unknown') return refuse('transaction_unknown', outcome.message, 'Look at the model again before repeating this.')
    if (outcome.status === 'rejected')
      return refuse('transaction_rejected', `The chain refused the transaction: ${outcome.message}.`, 'Check the gas of the account.')
    if (outcome.status === 'success') return { tx: outcome.hash, logs: outcome.logs }
    return refuse('transaction_reverted', `Transaction ${outcome.hash} was mined but refused by the contract.`, 'Look at the model and try again.')
  }

  /** What the token says of an authorization that was used. */
  const used = async (authorization: Authorization): Promise<Settlement | undefined> => {
    const { from, nonce } = authorization
    const spent = await client.readContract({ address: contracts.token, abi: wrappedOpen.abi, functionName: 'authorizationState', args: [from, nonce] })
    if (!spent) return undefined
    const [event] = await client.getContractEvents({
      address: contracts.token,
      abi: wrappedOpen.abi,
      eventName: 'AuthorizationUsed',
      args: { authorizer: from, nonce },
      fromBlock: deployedAt,
    })
    if (!event)
      return { status: 'refused', code: 'authorization_cancelled', message: `The payment authorization with nonce ${nonce} was cancelled by its payer.` }
    const { logs, blockNumber, transactionHash } = await client.getTransactionReceipt({ hash: event.transactionHash })
    const payment = paid(logs, authorization)
    if (!payment || !sentHere.has(transactionHash)) await parts.keep()
    sentHere.add(transactionHash)
    if (payment) return payment
    // Somebody sent the authorization straight to the token: the builder has the money, so the query is paid.
    const moved = parseEventLogs({ abi: wrappedOpen.abi, eventName: 'Transfer', logs }).find(
      ({ address, args }) => same(address, contracts.token) && same(args.from, from) && same(args.to, authorization.to) && args.amount === authorization.value,
    )
    if (!moved) return { status: 'refused', code: 'authorization_used', message: `The payment authorization with nonce ${nonce} was used for something else.` }
    return {
      status: 'settled',
      tx: transactionHash,
      block: Number(blockNumber),
      payer: from,
      builder: moved.args.to,
      amount: moved.args.amount,
      modelId: noModel,
    }
  }

  const paid = (logs: Log[], { from, nonce }: Authorization): Settlement | undefined => {
    const event = parseEventLogs({ abi: royaltyRouter.abi, eventName: 'QueryPaid', logs }).find(
      ({ address, args }) => same(address, contracts.router) && same(args.payer, from) && same(args.nonce, nonce),
    )
    if (!event) return undefined
    const { payer, builder, amount, modelId } = event.args
    return { status: 'settled', tx: event.transactionHash, block: Number(event.blockNumber), payer, builder, amount, modelId }
  }

  const settlement = async (authorization: Authorization): Promise<Settlement | undefined> => {
    try {
      const known = await used(authorization)
      if (known) {
        pending.delete(keyOf(authorization))
        return known
      }
    } catch (error) {
      return { status: 'unknown', message: `The chain did not say what became of the payment: ${shortMessage(error)}.` }
    }
    const sent = pending.get(keyOf(authorization))
    return sent === undefined ? undefined : { status: 'unknown', message: `Transaction ${sent} has no known outcome yet.` }
  }

  const settle = async (modelId: Hex, requestHash: Hex, authorization: Authorization): Promise<Settlement> => {
    let known = await settlement(authorization)
    const sent = pending.get(keyOf(authorization))
    if (known?.status === 'unknown' && sent !== undefined) {
      const outcome = await writer.settled(sent)
      if (outcome.status === 'unknown') return { status: 'unknown', message: outcome.message }
      pending.delete(keyOf(authorization))
      known = await settlement(authorization)
    }
    if (known) return forModel(known, modelId)

    let model: Listing | undefined
    try {
      model = await listing(modelId)
    } catch (error) {
      return { status: 'unknown', message: error instanceof UnreachableError ? error.message : new UnreachableError(error).message }
    }
    if (model && !same(model.payout, authorization.to))
      return {
        status: 'refused',
        code: 'wrong_payee',
        message: `The authorization pays ${authorization.to}, but the model's builder is paid at ${model.payout}.`,
      }

    const { to: _, ...message } = authorization
    const request = { abi: routerAbi, functionName: 'payWithAuthorization', args: [modelId, requestHash, message] } as const
    const estimate = () => client.estimateContractGas({ ...request, address: contracts.router, account: relayer.address })
    const outcome = await call(relayer, contracts.router, encodeFunctionData(request), `settle ${keyOf(authorization)}`, estimate, mostGasToSettle)
    if (isRefusal(outcome)) {
      // Nothing was sent. It may have been spent by somebody else between the look and the simulation.
      if (outcome.code === 'authorization_used') return forModel((await settlement(authorization)) ?? refused(outcome), modelId)
      return outcome.code === 'chain_unreachable' ? { status: 'unknown', message: outcome.message } : refused(outcome)
    }
    if (outcome.status === 'unknown') {
      pending.set(keyOf(authorization), outcome.hash)
      return { status: 'unknown', message: outcome.message }
    }
    if (outcome.status === 'success') {
      const payment = paid(outcome.logs, authorization)
      if (payment) return payment
    }
    // Mined and reverted, or rejected by the node: paid after all when somebody else sent the same authorization first.
    const after = await settlement(authorization)
    if (after) return forModel(after, modelId)
    const reason = await estimate().then(() => undefined, refusalOf)
    if (reason) return refused(reason)
    const words = outcome.status === 'rejected' ? outcome.message : `transaction ${outcome.hash} was reverted`
    return { status: 'refused', code: 'payment_reverted', message: `The payment was not made: ${words}.` }
  }

  return {
    network,
    contracts,
    token: { name: 'Wrapped OPEN', version: '1' },

    async balance(address) {
      const [open, native] = await answered(
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

    async settle({ modelId, requestHash, authorization }) {
      const sound = wellFormed(authorization)
      if (isRefusal(sound)) return refused(sound)
      const key = keyOf(sound)
      const standing = settling.get(key)
      if (standing) return standing
      const promise = settle(modelId, requestHash, sound).finally(() => settling.delete(key))
      settling.set(key, promise)
      return promise
    },

    async settlement(authorization) {
      const sound = wellFormed(authorization)
      return isRefusal(sound) ? refused(sound) : settlement(sound)
    },

    async queriesPaid({ modelId, builder, fromBlock } = {}) {
      // Nodes refuse a range that starts after the latest block.
      if (fromBlock !== undefined && BigInt(fromBlock) > (await answered(client.getBlockNumber()))) return []
      const events = await answered(
        client.getContractEvents({
          address: contracts.router,
          abi: royaltyRouter.abi,
          eventName: 'QueryPaid',
          args: { ...(modelId && { modelId }), ...(builder && { builder }) },
          fromBlock: fromBlock === undefined ? deployedAt : BigInt(fromBlock),
          strict: true,
        }),
      )
      return events.map(({ args, transactionHash, blockNumber }): QueryPaid => ({ ...args, tx: transactionHash, block: Number(blockNumber) }))
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

function keyOf({ from, nonce }: Authorization): string {
  return `${from}:${nonce}`.toLowerCase()
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

async function answered<Result>(promise: Promise<Result>): Promise<Result> {
  try {
    return await promise
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
