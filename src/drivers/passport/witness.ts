/**
 * Witness by JSON-RPC: a node's own word for the hashes of its blocks. Knows nothing of passports.
 */
import { createPublicClient, http } from 'viem'
import type { Witness } from '../../ports/evidence.ts'

/** @throws viem's errors when the node does not answer in time. */
export function rpcWitness(url: string, timeoutMilliseconds = 10_000): Witness {
  const client = createPublicClient({ transport: http(url, { timeout: timeoutMilliseconds, retryCount: 1 }) })
  return {
    chainId: () => client.getChainId(),
    latest: async () => Number(await client.getBlockNumber()),
    async blockHash(number) {
      const block = await client.request({ method: 'eth_getBlockByNumber', params: [`0x${number.toString(16)}`, false] })
      return block?.hash?.toLowerCase() as `0x${string}` | undefined
    },
  }
}
