/**
 * Where the contracts stand. They are deployed by CREATE2 through the standard deployer, so their addresses follow from their
 * code and are the same on every chain that takes it. Knows nothing of what they do.
 */
import { concatHex, encodeDeployData, getCreate2Address, type Hex, isAddress, type PublicClient } from 'viem'
import { BaseError, type Refusal, refuse } from '../../core/errors.ts'
import type { Address } from '../../core/listing.ts'
import type { Holder } from '../../core/shares.ts'
import type { Chain } from '../../ports/chain.ts'
import type { Account } from '../../ports/keystore.ts'
import { modelBounties, royaltyRouter, royaltyShares, wrappedOpen } from './contracts.generated.ts'
import type { Writer } from './writer.ts'

/** Arachnid's deterministic deployment proxy: calldata is a 32-byte salt and the creation code. */
export const deployer: Address = '0x4e59b44847b379578588920cA78FbF26c0B4956C'
export const salt: Hex = `0x${'00'.repeat(32)}`

/**
 * The transaction that makes the deployer on a chain without one: nobody has its key, because its signature was chosen and not
 * made, so it can do this one thing only. It names no chain (before EIP-155) and pays 100 gwei for each of 100,000 gas.
 */
export const keyless = {
  signer: '0x3fAB184622Dc19b6109349B94811493BF2a45362',
  cost: 100_000n * 100_000_000_000n,
  raw: '0xf8a58085174876e800830186a08080b853604580600e600039806000f350fe7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf31ba02222222222222222222222222222222222222222222222222222222222222222a02222222222222222222222222222222222222222222222222222222222222222',
} as const satisfies { signer: Address; cost: bigint; raw: Hex }

export type Deployment = { name: string; address: Address; data: Hex }

/** The contracts in the order they are deployed in, and their addresses. The registry is part of the router. */
export function deployments(): { contracts: Chain['contracts']; steps: Deployment[] } {
  const token = place('WrappedOpen', wrappedOpen.bytecode)
  const router = place('RoyaltyRouter', encodeDeployData({ abi: royaltyRouter.abi, bytecode: royaltyRouter.bytecode, args: [token.address] }))
  return { contracts: { token: token.address, registry: router.address, router: router.address }, steps: [token, router] }
}

/** The contract that holds bounties of this token for models of this registry; deployed by whoever posts the first. */
export function bountiesDeployment({ token, registry }: Pick<Chain['contracts'], 'token' | 'registry'>): Deployment {
  return place('ModelBounties', encodeDeployData({ abi: modelBounties.abi, bytecode: modelBounties.bytecode, args: [token, registry] }))
}

/**
 * A payout address that several people hold in fixed shares, ready to be deployed by anyone: `data` goes to {@link deployer}. Who
 * recomputes this from what the contract says of its holders, and finds the same address, knows that it can do nothing else.
 */
export function sharesDeployment(token: Address, holders: readonly Holder[]): Deployment | Refusal {
  const ordered = inOrder(holders.filter(({ recipient }) => /^0x[0-9a-fA-F]{40}$/.test(recipient)))
  const odd = holders.find((holder) => !ordered.includes(holder))
  if (odd) return refuse('recipient_invalid', `"${odd.recipient}" is no address.`, 'Write 0x and 40 hex digits.')
  for (const [place, { recipient, shares }] of ordered.entries()) {
    // Capitals that do not fit tell of a slip of the pen, and what is sent to another address is lost.
    if (!isAddress(recipient))
      return refuse(
        'recipient_invalid',
        `${recipient} is no address: its capitals do not fit its digits (EIP-55).`,
        'Copy it once more, or write it in small letters.',
      )
    if (shares <= 0n || shares >= 2n ** 96n)
      return refuse('share_out_of_range', `The share ${shares} of ${recipient} is not above 0 and below 2^96.`, 'Give whole numbers such as 70 and 30.')
    if (BigInt(recipient) === 0n || BigInt(recipient) === BigInt(token))
      return refuse('recipient_invalid', `Money sent to ${recipient} would be lost.`, 'Give addresses that people hold.')
    if (place > 0 && BigInt(recipient) === BigInt(ordered[place - 1]!.recipient))
      return refuse('recipient_twice', `${recipient} stands twice among the holders.`, 'Add its shares up.')
  }
  if (ordered.length === 0 || ordered.length > 100)
    return refuse('holders_out_of_range', `There are ${ordered.length} holders, and there can be 1 to 100.`, 'Give at least one and at most a hundred.')
  const parameters = [token, ordered.map(({ recipient }) => recipient), ordered.map(({ shares }) => shares)] as const
  return place('RoyaltyShares', encodeDeployData({ abi: royaltyShares.abi, bytecode: royaltyShares.bytecode, args: parameters }))
}

/** As the contract keeps them: by address, so that each set of shares has one address. */
export function inOrder(holders: readonly Holder[]): Holder[] {
  return holders.toSorted((one, other) => (BigInt(one.recipient) < BigInt(other.recipient) ? -1 : 1))
}

/**
 * Deploys what is missing, paid by `from`, and says where everything stands. Running it again does nothing.
 * @throws {DeployError} when the chain refuses the standard deployer or a contract.
 */
export async function deployContracts(client: PublicClient, writer: Pick<Writer, 'send'>, from: Account): Promise<Chain['contracts']> {
  const { contracts, steps } = deployments()
  const absent = await missing(client)
  if (absent.includes('deployer')) await makeDeployer(client, writer, from)
  for (const { name, address, data } of steps) {
    if (!absent.includes(name)) continue
    const gas = await client.estimateGas({ account: from.address, to: deployer, data })
    const outcome = await writer.send({ from, to: deployer, data, gas: (gas * 12n) / 10n, purpose: `deploy ${name}` })
    if (outcome.status !== 'success' || !(await client.getCode({ address })))
      throw new DeployError(`The contract ${name} could not be deployed (${outcome.status}).`)
  }
  return contracts
}

/** Names of what a chain does not have yet: the deployer, and contracts. */
export async function missing(client: PublicClient): Promise<string[]> {
  const wanted = [{ name: 'deployer', address: deployer }, ...deployments().steps]
  const codes = await Promise.all(wanted.map(({ address }) => client.getCode({ address })))
  return wanted.flatMap(({ name }, place) => (codes[place] ? [] : name))
}

async function makeDeployer(client: PublicClient, writer: Pick<Writer, 'send'>, from: Account): Promise<void> {
  const held = await client.getBalance({ address: keyless.signer })
  if (held < keyless.cost) {
    const value = keyless.cost - held
    // Not a fixed amount of gas: some chains charge more than 21,000 for a transfer.
    const gas = await client.estimateGas({ account: from.address, to: keyless.signer, value })
    const funded = await writer.send({ from, to: keyless.signer, data: '0x', value, gas, purpose: 'fund the deployer' })
    if (funded.status !== 'success') throw new DeployError(`The deployer's one transaction could not be paid for (${funded.status}).`)
  }
  try {
    const hash = await client.sendRawTransaction({ serializedTransaction: keyless.raw })
    await client.waitForTransactionReceipt({ hash, timeout: 60_000 })
  } catch (cause) {
    throw new DeployError(
      `This chain has no deployer at ${deployer} and does not take the transaction that makes it. Ask who runs the chain to allow transactions without a chain id.`,
      { cause },
    )
  }
  if (!(await client.getCode({ address: deployer }))) throw new DeployError(`The transaction that makes the deployer at ${deployer} did not make it.`)
}

function place(name: string, code: Hex): Deployment {
  return { name, address: getCreate2Address({ from: deployer, salt, bytecode: code }), data: concatHex([salt, code]) }
}

/** The contracts cannot be put on this chain. */
export class DeployError extends BaseError {
  override readonly name = 'Chain.DeployError'
}
