/**
 * Bounties over JSON-RPC: the ModelBounties contract, deployed by whoever posts the first. Knows nothing of how a transaction is signed or journaled.
 */
import { encodeAbiParameters, encodeFunctionData, keccak256, type Log, type PublicClient, parseEventLogs } from 'viem'
import { isRefusal, type Refusal } from '../../core/errors.ts'
import type { Address, Hex, Listing } from '../../core/listing.ts'
import type { Bounties, BountyTerms, ChainBounty } from '../../ports/bounties.ts'
import type { Chain } from '../../ports/chain.ts'
import type { Account } from '../../ports/keystore.ts'
import { localAccount } from '../keystore/keystore.ts'
import { authorizationTypes, tokenDomain } from './authorization.ts'
import { modelBounties } from './contracts.generated.ts'
import { bountiesDeployment, deployer } from './deploy.ts'
import { contractErrors, refusalFor } from './revert.ts'

/** As long as a poster's signature holds, in seconds. */
const SIGNED_SECONDS = 3600

/** EIP-3009's ReceiveWithAuthorization has the fields of its TransferWithAuthorization. */
const receiveTypes = { ReceiveWithAuthorization: authorizationTypes.TransferWithAuthorization } as const
/** EIP-712: what an examiner signs. */
const awardTypes = {
  Award: [
    { name: 'bountyId', type: 'bytes32' },
    { name: 'modelId', type: 'bytes32' },
    { name: 'packageHash', type: 'bytes32' },
    { name: 'evidence', type: 'bytes32' },
  ],
} as const

const statuses = [undefined, 'open', 'paid', 'withdrawn'] as const
/** The contract's own errors are among all of them. */
const abi = [...modelBounties.abi.filter((item) => item.type !== 'error'), ...contractErrors]

export type BountiesParts = {
  client: PublicClient
  chain: Pick<Chain, 'network' | 'contracts' | 'token'>
  listing: (modelId: Hex) => Promise<Listing | undefined>
  /** A transaction of an account's own, seen through to its logs. `what` is to be looked at before it is repeated. */
  transact(from: Account, to: Address, data: Hex, purpose: string, what: string, estimate?: () => Promise<bigint>): Promise<{ tx: Hex; logs: Log[] } | Refusal>
}

export function chainBounties({ client, chain, listing, transact }: BountiesParts): Bounties {
  const deployment = bountiesDeployment(chain.contracts)
  const { chainId } = chain.network

  const call = async (from: Account, functionName: 'post' | 'enter' | 'award' | 'withdraw', parameters: readonly unknown[]) => {
    const request = { abi, functionName, args: parameters } as Parameters<typeof encodeFunctionData>[0]
    const estimate = () =>
      client.estimateContractGas({ ...request, address: deployment.address, account: from.address } as Parameters<typeof client.estimateContractGas>[0])
    return transact(from, deployment.address, encodeFunctionData(request), `${functionName} bounty`, 'bounty', estimate)
  }
  const isDeployed = async (): Promise<boolean> => Boolean(await client.getCode({ address: deployment.address }))
  const bounty = async (bountyId: Hex): Promise<ChainBounty | undefined> => {
    if (!/^0x[0-9a-fA-F]{64}$/.test(bountyId) || !(await isDeployed())) return undefined
    const found = await client.readContract({ address: deployment.address, abi: modelBounties.abi, functionName: 'bountyOf', args: [bountyId] })
    const status = statuses[found.status]
    const { poster, amount, examiner, deadline, entries, casesHash } = found
    return status && { poster, amount, examiner, deadline: Number(deadline), entries, casesHash, status }
  }
  const idOf = ({ poster, amount, terms }: { poster: Address; amount: bigint; terms: BountyTerms }): Hex =>
    bountyIdOf({ chainId, contract: deployment.address, poster, amount, terms })

  return {
    idOf,
    casesHashOf,
    bounty,

    async post({ poster, by, amount, terms }) {
      if (amount <= 0n || amount >= 2n ** 96n) return refusalFor('AmountOutOfRange', [amount, 2n ** 96n - 1n])
      if (!(await isDeployed())) {
        const made = await transact(by, deployer, deployment.data, 'deploy ModelBounties', 'contract of bounties')
        if (isRefusal(made)) return made
      }
      const bountyId = idOf({ poster: poster.address, amount, terms })
      // A chain that was quiet lags behind the clock, and a chain of tests may be ahead of it.
      const now = Math.max(Math.floor(Date.now() / 1000), Number((await client.getBlock()).timestamp))
      const message = {
        ...{ from: poster.address, to: deployment.address, value: amount, nonce: bountyId },
        ...{ validAfter: 0n, validBefore: BigInt(now + SIGNED_SECONDS) },
      }
      const signature = await localAccount(poster).signTypedData({
        ...{ domain: tokenDomain(chain), types: receiveTypes, primaryType: 'ReceiveWithAuthorization', message },
      })
      const { to: _, ...authorization } = message
      const done = await call(by, 'post', [
        { ...terms, deadline: BigInt(terms.deadline) },
        { ...authorization, signature },
      ])
      return isRefusal(done) ? done : { bountyId, tx: done.tx }
    },

    async enter({ owner, bountyId, modelId }) {
      if (!(await bounty(bountyId))) return refusalFor('BountyNotOpen', [bountyId])
      const done = await call(owner, 'enter', [bountyId, modelId])
      return isRefusal(done) ? done : { tx: done.tx }
    },

    async award({ examiner, by, bountyId, modelId, evidence }) {
      const listed = await listing(modelId)
      if (!listed) return refusalFor('UnknownModel', [modelId])
      if (!(await bounty(bountyId))) return refusalFor('BountyNotOpen', [bountyId])
      const signature = await localAccount(examiner).signTypedData({
        domain: { name: 'Model Bounties', version: '1', chainId, verifyingContract: deployment.address },
        ...{ types: awardTypes, primaryType: 'Award', message: { bountyId, modelId, packageHash: listed.packageId as Hex, evidence: evidence as Hex } },
      })
      const done = await call(by, 'award', [bountyId, modelId, evidence, signature])
      if (isRefusal(done)) return done
      const [event] = parseEventLogs({ abi: modelBounties.abi, eventName: 'BountyPaid', logs: done.logs })
      return { tx: done.tx, payout: event!.args.payout, amount: event!.args.amount }
    },

    async withdraw({ by, bountyId, salt, cases }) {
      if (!(await bounty(bountyId))) return refusalFor('BountyNotOpen', [bountyId])
      const done = await call(by, 'withdraw', [bountyId, salt, cases])
      return isRefusal(done) ? done : { tx: done.tx }
    },
  }
}

/** keccak256 of chain, contract, poster, sum and terms, as the contract computes it. */
export function bountyIdOf(of: { chainId: number; contract: Address; poster: Address; amount: bigint; terms: BountyTerms }): Hex {
  const { needHash, casesHash, examiner, deadline } = of.terms
  return keccak256(
    encodeAbiParameters(
      [
        { type: 'uint256' },
        { type: 'address' },
        { type: 'address' },
        { type: 'uint256' },
        {
          type: 'tuple',
          components: [
            { name: 'needHash', type: 'bytes32' },
            { name: 'casesHash', type: 'bytes32' },
            { name: 'examiner', type: 'address' },
            { name: 'deadline', type: 'uint64' },
          ],
        },
      ],
      [BigInt(of.chainId), of.contract, of.poster, of.amount, { needHash: needHash as Hex, casesHash, examiner, deadline: BigInt(deadline) }],
    ),
  )
}

export function casesHashOf(salt: Hex, cases: string): Hex {
  return keccak256(encodeAbiParameters([{ type: 'bytes32' }, { type: 'string' }], [salt, cases]))
}
