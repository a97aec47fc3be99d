/**
 * Where the contracts stand. They are deployed by CREATE2 through the standard deployer, so their addresses follow from their
 * code and are the same on every chain that has it. Knows nothing of keys.
 */
import { concatHex, encodeDeployData, getCreate2Address, type Hex } from 'viem'
import type { Address } from '../../core/listing.ts'
import type { Chain } from '../../ports/chain.ts'
import { modelRegistry, royaltyRouter, wrappedOpen } from './contracts.generated.ts'

/** Arachnid's deterministic deployment proxy: calldata is a 32-byte salt and the creation code. */
export const deployer: Address = '0x4e59b44847b379578588920cA78FbF26c0B4956C'
const salt: Hex = `0x${'00'.repeat(32)}`

export type Deployment = { name: string; address: Address; data: Hex }

/** The three contracts in the order they are deployed in, and their addresses. */
export function deployments(): { contracts: Chain['contracts']; steps: Deployment[] } {
  const place = (name: string, code: Hex): Deployment => ({
    name,
    address: getCreate2Address({ from: deployer, salt, bytecode: code }),
    data: concatHex([salt, code]),
  })
  const token = place('WrappedOpen', wrappedOpen.bytecode)
  const registry = place('ModelRegistry', modelRegistry.bytecode)
  const router = place('RoyaltyRouter', encodeDeployData({ abi: royaltyRouter.abi, bytecode: royaltyRouter.bytecode, args: [token.address, registry.address] }))
  return { contracts: { token: token.address, registry: registry.address, router: router.address }, steps: [token, registry, router] }
}
