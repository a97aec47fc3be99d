/**
 * EIP-1271: asks a wallet that is a contract whether it signed a hash, as the token will ask it. Knows nothing of payments.
 */
import { createPublicClient, encodeFunctionData, type Hex, http, parseAbi, BaseError as ViemError } from 'viem'
import type { Address } from '../../core/listing.ts'

const abi = parseAbi(['function isValidSignature(bytes32 hash, bytes signature) view returns (bytes4)'])
/** What a wallet answers that signed; padded, since anything else after it would be refused by the token as well. */
const yes: Hex = `0x1626ba7e${'00'.repeat(28)}`
/** Far more than any wallet needs (a passkey costs some 330,000 without a precompile), and nothing to a node. */
const MOST_GAS = 500_000n

export type ContractSigned = (wallet: Address, hash: Hex, signature: Hex) => Promise<boolean>

/**
 * False for an address without code, a wallet that says no, reverts, or burns all its gas.
 * @throws viem's error when the node does not answer in time: then nothing is known, and nothing may be said of the signature.
 */
export function walletSignatures(options: { url: () => string; token: Address; timeoutMilliseconds?: number }): ContractSigned {
  const { url, token, timeoutMilliseconds = 3_000 } = options
  return async (wallet, hash, signature) => {
    const client = createPublicClient({ transport: http(url(), { timeout: timeoutMilliseconds, retryCount: 0 }) })
    const code = await client.getCode({ address: wallet })
    if (!code || code === '0x') return false
    const data = encodeFunctionData({ abi, functionName: 'isValidSignature', args: [hash, signature] })
    try {
      // As the token asks, so that a wallet which looks at its caller answers alike.
      const answered = await client.call({ account: token, to: wallet, data, gas: MOST_GAS })
      return answered.data?.toLowerCase() === yes
    } catch (error) {
      if (error instanceof ViemError && error.walk((cause) => (cause as Error).name === 'RpcRequestError')) return false
      throw error
    }
  }
}
