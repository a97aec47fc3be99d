/**
 * Bounties in memory, with the contract's rules but for signatures: accounts of this process need none. Knows nothing of a chain.
 */
import type { Address, Hex, Listing } from '../../core/listing.ts'
import type { Bounties, ChainBounty } from '../../ports/bounties.ts'
import type { Chain } from '../../ports/chain.ts'
import { bountyIdOf, casesHashOf } from './bounties.ts'
import { bountiesDeployment } from './deploy.ts'
import { refusalFor } from './revert.ts'

const LONGEST = 366 * 86_400
const isZero = (hex: string): boolean => /^0x0+$/.test(hex)

export function memoryBounties(ledger: {
  chainId: number
  contracts: Chain['contracts']
  seconds: () => number
  present: (modelId: Hex) => Listing | undefined
  balanceOf: (address: Address) => bigint
  move: (from: Address, to: Address, amount: bigint) => void
  mine: () => Hex
}): Bounties {
  const { address: contract } = bountiesDeployment(ledger.contracts)
  const bounties = new Map<Hex, ChainBounty>()
  const entered = new Set<string>()
  const open = (bountyId: Hex): ChainBounty | undefined => {
    const bounty = bounties.get(bountyId)
    return bounty?.status === 'open' ? bounty : undefined
  }
  const idOf: Bounties['idOf'] = (of) => bountyIdOf({ chainId: ledger.chainId, contract, ...of })

  return {
    idOf,
    casesHashOf,
    bounty: async (bountyId) => {
      const bounty = bounties.get(bountyId)
      return bounty && { ...bounty }
    },

    async post({ poster, amount, terms }) {
      const { deadline, examiner, casesHash } = terms
      if (amount <= 0n || amount >= 2n ** 96n) return refusalFor('AmountOutOfRange', [amount, 2n ** 96n - 1n])
      if (deadline <= ledger.seconds() || deadline > ledger.seconds() + LONGEST) return refusalFor('DeadlineOutOfRange', [BigInt(deadline)])
      if (isZero(examiner)) return refusalFor('ZeroExaminer', [])
      if (isZero(casesHash)) return refusalFor('ZeroHash', [])
      const bountyId = idOf({ poster: poster.address, amount, terms })
      if (bounties.has(bountyId)) return refusalFor('AuthorizationAlreadyUsed', [poster.address, bountyId])
      if (ledger.balanceOf(poster.address) < amount) return refusalFor('InsufficientBalance', [])
      ledger.move(poster.address, contract, amount)
      bounties.set(bountyId, { poster: poster.address, amount, examiner, deadline, entries: 0, casesHash, status: 'open' })
      return { bountyId, tx: ledger.mine() }
    },

    async enter({ owner, bountyId, modelId }) {
      const bounty = open(bountyId)
      if (!bounty) return refusalFor('BountyNotOpen', [bountyId])
      if (ledger.seconds() > bounty.deadline) return refusalFor('BountyOver', [bountyId, BigInt(bounty.deadline)])
      const model = ledger.present(modelId)
      if (!model) return refusalFor('UnknownModel', [modelId])
      if (model.owner !== owner.address) return refusalFor('NotModelOwner', [modelId, owner.address])
      if (isZero(model.packageId)) return refusalFor('ZeroHash', [])
      const entry = `${bountyId}:${modelId}:${model.packageId}`
      if (entered.has(entry)) return refusalFor('AlreadyEntered', [bountyId, modelId, model.packageId])
      entered.add(entry)
      bounty.entries++
      return { tx: ledger.mine() }
    },

    async award({ examiner, bountyId, modelId }) {
      const model = ledger.present(modelId)
      if (!model) return refusalFor('UnknownModel', [modelId])
      const bounty = open(bountyId)
      if (!bounty) return refusalFor('BountyNotOpen', [bountyId])
      if (!entered.has(`${bountyId}:${modelId}:${model.packageId}`)) return refusalFor('NotEntered', [bountyId, modelId, model.packageId])
      if (bounty.examiner !== examiner.address) return refusalFor('InvalidAward', [bounty.examiner])
      bounty.status = 'paid'
      ledger.move(contract, model.payout, bounty.amount)
      return { tx: ledger.mine(), payout: model.payout, amount: bounty.amount }
    },

    async withdraw({ bountyId, salt, cases }) {
      const bounty = open(bountyId)
      if (!bounty) return refusalFor('BountyNotOpen', [bountyId])
      if (ledger.seconds() <= bounty.deadline) return refusalFor('BountyNotOver', [bountyId, BigInt(bounty.deadline)])
      if (bounty.entries > 0 && casesHashOf(salt, cases) !== bounty.casesHash) return refusalFor('CasesNotOpened', [bountyId])
      bounty.status = 'withdrawn'
      ledger.move(contract, bounty.poster, bounty.amount)
      return { tx: ledger.mine() }
    },
  }
}
