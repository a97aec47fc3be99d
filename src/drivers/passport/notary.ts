/**
 * Notary: reads what a passport carries, with nothing but arithmetic. Recovers who signed (EIP-712), follows proofs from a log
 * to the hash of its block, decodes the contracts' events. Knows nothing of what they are compared with.
 */
import { decodeEventLog, fromRlp, type Hex, hashTypedData, isHex, keccak256, parseTransaction } from 'viem'
import { recoverAddress } from 'viem/utils'
import { refuse } from '../../core/errors.ts'
import type { Id } from '../../core/id.ts'
import type { Address } from '../../core/listing.ts'
import type { Log, Notary, Seal } from '../../ports/evidence.ts'
import type { Account } from '../../ports/keystore.ts'
import { modelRegistry, royaltyRouter, wrappedOpen } from '../chain/contracts.generated.ts'
import { deployments, sharesDeployment } from '../chain/deploy.ts'
import { localAccount } from '../keystore/keystore.ts'
import { typedOffer, typedReceipt } from '../payments/offers.ts'
import { entryIsProven } from './trie.ts'

const types = { Passport: [{ name: 'content', type: 'bytes32' }], Gateway: [{ name: 'gateway', type: 'address' }] } as const
/** Half the order of secp256k1: a signature with a larger s is a copy of another one (EIP-2). */
const HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n

type Signed = { chainId: number; router: Address } & ({ content: Id } | { gateway: Address })

/** What is signed, as EIP-712 typed data: for this chain and router only. */
function typedData(of: Signed) {
  const domain = { name: 'ModelFactory passport', version: '1', chainId: of.chainId, verifyingContract: of.router } as const
  if ('content' in of) return { domain, types: { Passport: types.Passport }, primaryType: 'Passport', message: { content: of.content } } as const
  return { domain, types: { Gateway: types.Gateway }, primaryType: 'Gateway', message: { gateway: of.gateway } } as const
}

/** Signs for a gateway with a key of this data folder; `builder` vouches for it. */
export async function openSeal(options: { gateway: Account; builder: Account | undefined; chainId: number; router: Address }): Promise<Seal> {
  const { gateway, builder, chainId, router } = options
  const address = gateway.address.toLowerCase() as Address
  const vouch = builder && (await localAccount(builder).signTypedData(typedData({ chainId, router, gateway: address }) as never))
  return {
    address,
    vouch: builder && vouch ? { by: builder.address.toLowerCase() as Address, signature: vouch } : null,
    sign: (content) => localAccount(gateway).signTypedData(typedData({ chainId, router, content }) as never),
  }
}

export function notary(): Notary {
  const { token, registry, router } = deployments().contracts
  return {
    contracts: { token: lower(token), registry: lower(registry), router: lower(router) },

    async signer(of, signature) {
      return recovered(hashTypedData(typedData(of) as never), signature)
    },

    async offerSigner({ kind, signed }) {
      const hash = kind === 'offer' ? hashTypedData(typedOffer(signed.payload)) : hashTypedData(typedReceipt(signed.payload))
      return recovered(hash, signed.signature)
    },

    async follow(proof) {
      const wrong = (what: string) => refuse('proof_broken', `The proof does not hold: ${what}.`, 'Ask the gateway for the passport again.')
      const header = decoded(proof.header)
      const [transactionsRoot, receiptsRoot, number, timestamp] = [header?.[4], header?.[5], header?.[8], header?.[11]]
      if (!isWord(transactionsRoot) || !isWord(receiptsRoot) || !isNumber(number) || !isNumber(timestamp)) return wrong('the header is not one of a block')
      if (!(await entryIsProven(receiptsRoot, proof.index, proof.receipt, proof.receiptNodes)))
        return wrong('the receipt is not under the receipts root of the header')
      if (!(await entryIsProven(transactionsRoot, proof.index, proof.transaction, proof.transactionNodes)))
        return wrong('the transaction is not under the transactions root of the header')
      const receipt = receiptOf(proof.receipt)
      if (!receipt) return wrong('the receipt is not one of a transaction')
      return {
        blockHash: keccak256(proof.header),
        number: numberOf(number),
        timestamp: numberOf(timestamp),
        tx: keccak256(proof.transaction),
        chainId: decoding(() => parseTransaction(proof.transaction).chainId),
        ...receipt,
      }
    },

    // viem decodes whichever event of the abi the first topic names, so each abi here holds the one that is wanted.
    queryPaid(log) {
      const event = decoding(() => decodeEventLog({ abi: only(royaltyRouter.abi, 'QueryPaid'), ...read(log) }))?.args
      return event && { ...event, payer: lower(event.payer), builder: lower(event.builder) }
    },
    transfer(log) {
      const event = decoding(() => decodeEventLog({ abi: only(wrappedOpen.abi, 'Transfer'), ...read(log) }))?.args
      return event && { from: lower(event.from), to: lower(event.to), amount: event.amount }
    },
    versionPublished: (log) => decoding(() => decodeEventLog({ abi: only(modelRegistry.abi, 'VersionPublished'), ...read(log) }))?.args,

    sharesAddress(token, holders) {
      const deployment = sharesDeployment(token, holders)
      return 'refused' in deployment ? undefined : lower(deployment.address)
    },
  }
}

async function recovered(hash: Hex, signature: Hex): Promise<Address | undefined> {
  if (BigInt(`0x${signature.slice(66, 130)}`) > HALF_ORDER || !/1[bc]$/i.test(signature)) return undefined
  const address = await recoverAddress({ hash, signature }).catch(() => undefined)
  return address && lower(address)
}

/** An abi of one event. */
function only<const Abi extends readonly { type: string; name?: string }[], const Name extends string>(abi: Abi, name: Name) {
  return abi.filter((item) => item.type === 'event' && item.name === name) as unknown as readonly [Extract<Abi[number], { type: 'event'; name: Name }>]
}

function read({ topics, data }: Log): { topics: [Hex, ...Hex[]]; data: Hex; strict: true } {
  return { topics: topics as [Hex, ...Hex[]], data, strict: true }
}

/** Undefined for what viem cannot decode: a log of something else. */
function decoding<Value>(work: () => Value): Value | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}

type Nested = Hex | readonly Nested[]

function decoded(rlp: Hex): readonly Nested[] | undefined {
  const value = decoding(() => fromRlp(rlp, 'hex') as Nested)
  return typeof value === 'string' ? undefined : value
}

/** EIP-2718: a first byte below 0x80 is the type of what follows. */
function receiptOf(encoded: Hex): { success: boolean; logs: Log[] } | undefined {
  const list = decoded(Number.parseInt(encoded.slice(2, 4), 16) < 0x80 ? `0x${encoded.slice(4)}` : encoded)
  const [status, logs] = [list?.[0], list?.[3]]
  if (typeof status !== 'string' || !Array.isArray(logs)) return undefined
  const read = logs.map((log: Nested): Log | undefined => {
    const [address, topics, data] = Array.isArray(log) ? (log as readonly Nested[]) : []
    if (typeof address !== 'string' || !Array.isArray(topics) || typeof data !== 'string') return undefined
    return { address, topics: topics as Hex[], data }
  })
  return read.every((log) => log !== undefined) ? { success: status === '0x01', logs: read as Log[] } : undefined
}

function isWord(value: Nested | undefined): value is Hex {
  return isHex(value) && value.length === 66
}

function isNumber(value: Nested | undefined): value is Hex {
  return isHex(value) && value.length <= 14
}

function numberOf(value: Hex): number {
  return value === '0x' ? 0 : Number(value)
}

function lower(address: Address): Address {
  return address.toLowerCase() as Address
}
