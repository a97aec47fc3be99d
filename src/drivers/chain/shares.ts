/**
 * Shared payouts over JSON-RPC: a RoyaltyShares contract in the place of a builder's own address. Knows nothing of how a transaction is sent.
 */
import { decodeFunctionResult, encodeFunctionData, type Hex, type Log, type PublicClient, parseEventLogs, BaseError as ViemError } from 'viem'
import { isRefusal, type Refusal, refuse } from '../../core/errors.ts'
import type { Address } from '../../core/listing.ts'
import type { Holder } from '../../core/shares.ts'
import type { Chain } from '../../ports/chain.ts'
import type { Account } from '../../ports/keystore.ts'
import { refuseKnownKeys } from '../keystore/keystore.ts'
import { royaltyShares, wrappedOpen } from './contracts.generated.ts'
import { deployer, sharesDeployment } from './deploy.ts'
import { refusalFor } from './revert.ts'

export type SharesParts = {
  client: PublicClient
  network: Chain['network']
  contracts: Chain['contracts']
  listing: Chain['listing']
  /** A transaction of an account's own, seen through to its logs. `what` is to be looked at before it is repeated. */
  transact(from: Account, to: Address, data: Hex, purpose: string, what: string): Promise<{ tx: Hex; logs: Log[] } | Refusal>
  registryCall(owner: Account, functionName: 'proposePayout' | 'acceptPayout', parameters: readonly unknown[]): Promise<{ tx: Hex; logs: Log[] } | Refusal>
}

export function sharedPayouts(parts: SharesParts): Pick<Chain, 'share' | 'holders' | 'distribute'> {
  const { client, network, contracts, transact, registryCall } = parts

  const holders = async (payout: Address): Promise<Holder[] | undefined> => {
    const said = await client.call({ to: payout, data: encodeFunctionData({ abi: royaltyShares.abi, functionName: 'holders' }) }).catch((error: unknown) => {
      // Another contract may have no such function. A node that does not answer is no answer.
      if (error instanceof ViemError && error.walk((cause) => (cause as Error).name === 'ExecutionRevertedError')) return { data: undefined }
      throw error
    })
    if (said.data === undefined) return undefined
    let answer: readonly [readonly Address[], readonly bigint[]]
    try {
      answer = decodeFunctionResult({ abi: royaltyShares.abi, functionName: 'holders', data: said.data })
    } catch {
      return undefined
    }
    const [recipients, shares] = answer
    const found = recipients.map((recipient, place) => ({ recipient, shares: shares[place]! }))
    // Anything can say that it has holders; only our code with these holders has this address.
    const genuine = sharesDeployment(contracts.token, found)
    return !isRefusal(genuine) && genuine.address.toLowerCase() === payout.toLowerCase() ? found : undefined
  }

  return {
    async share({ owner, modelId, holders: wanted }) {
      const standing = await parts.listing(modelId)
      if (!standing) return refusalFor('UnknownModel', [modelId])
      if (standing.owner.toLowerCase() !== owner.address.toLowerCase()) return refusalFor('NotModelOwner', [modelId, owner.address])
      for (const { recipient } of wanted) {
        const known = refuseKnownKeys(recipient, network)
        if (known) return known
      }
      const shared = wanted.length === 0 ? undefined : sharesDeployment(contracts.token, wanted)
      if (shared && isRefusal(shared)) return shared
      const payout = shared?.address ?? owner.address
      if (standing.payout.toLowerCase() === payout.toLowerCase()) return { payout, tx: null }
      if (shared && !(await client.getCode({ address: payout }))) {
        const made = await transact(owner, deployer, shared.data, 'deploy RoyaltyShares', 'payout address')
        if (isRefusal(made)) return made
      }
      const proposed = await registryCall(owner, 'proposePayout', [modelId, payout])
      if (isRefusal(proposed)) return proposed
      const accept = { abi: royaltyShares.abi, functionName: 'acceptPayout', args: [contracts.registry, modelId] } as const
      const accepted = shared
        ? await transact(owner, payout, encodeFunctionData(accept), 'acceptPayout', 'payout of the model')
        : await registryCall(owner, 'acceptPayout', [modelId])
      return isRefusal(accepted) ? accepted : { payout, tx: accepted.tx }
    },

    holders,

    async distribute({ payout, by }) {
      if (!(await holders(payout)))
        return refuse('payout_not_shared', `${payout} is no address that several people hold in shares.`, 'Nothing has to be sent on.')
      const held = await Promise.all([
        client.readContract({ address: contracts.token, abi: wrappedOpen.abi, functionName: 'balanceOf', args: [payout] }),
        client.getBalance({ address: payout }),
      ])
      if (held.every((sum) => sum === 0n)) return refusalFor('NothingToDistribute', [])
      const done = await transact(by, payout, encodeFunctionData({ abi: royaltyShares.abi, functionName: 'distribute' }), 'distribute', 'balance')
      if (isRefusal(done)) return done
      const [event] = parseEventLogs({ abi: royaltyShares.abi, eventName: 'Distributed', logs: done.logs }).filter(
        ({ address }) => address.toLowerCase() === payout.toLowerCase(),
      )
      return { tx: done.tx, amount: event!.args.amount }
    },
  }
}
