/**
 * Where the contracts stand. They are deployed by CREATE2 through the standard deployer, so their addresses follow from their
 * code and are the same on every chain that has it. Knows nothing of what they do.
 */
import { concatHex, encodeDeployData, getCreate2Address, type Hex, type PublicClient } from 'viem'
import { BaseError } from '../../core/errors.ts'
import type { Address } from '../../core/listing.ts'
import type { Account, Chain } from '../../ports/chain.ts'
import { royaltyRouter, wrappedOpen } from './contracts.generated.ts'
import type { Writer } from './writer.ts'

/** Arachnid's deterministic deployment proxy: calldata is a 32-byte salt and the creation code. */
const deployer: Address = '0x4e59b44847b379578588920cA78FbF26c0B4956C'
const salt: Hex = `0x${'00'.repeat(32)}`

export type Deployment = { name: string; address: Address; data: Hex }

/** The contracts in the order they are deployed in, and their addresses. */
export function deployments(): { contracts: Chain['contracts']; steps: Deployment[] } {
  const place = (name: string, code: Hex): Deployment => ({
    name,
    address: getCreate2Address({ from: deployer, salt, bytecode: code }),
    data: concatHex([salt, code]),
  })
  const token = place('WrappedOpen', wrappedOpen.bytecode)
  const router = place('RoyaltyRouter', encodeDeployData({ abi: royaltyRouter.abi, bytecode: royaltyRouter.bytecode, args: [token.address] }))
  return { contracts: { token: token.address, registry: router.address, router: router.address }, steps: [token, router] }
}

/**
 * Deploys what is missing, paid by `from`, and says where everything stands. Running it again does nothing.
 * @throws {DeployError} when the chain has no standard deployer or refuses a contract.
 */
export async function deployContracts(client: PublicClient, writer: Writer, from: Account): Promise<Chain['contracts']> {
  const { contracts, steps } = deployments()
  if (!(await client.getCode({ address: deployer }))) throw new DeployError(`This chain has no deployer at ${deployer}. Deploy the standard one first.`)
  for (const { name, address, data } of steps) {
    if (await client.getCode({ address })) continue
    const gas = await client.estimateGas({ account: from.address, to: deployer, data })
    const outcome = await writer.send({ from, to: deployer, data, gas: (gas * 12n) / 10n, purpose: `deploy ${name}` })
    if (outcome.status !== 'success') throw new DeployError(`The contract ${name} could not be deployed (${outcome.status}).`)
  }
  return contracts
}

/** The contracts cannot be put on this chain. */
export class DeployError extends BaseError {
  override readonly name = 'Chain.DeployError'
}
