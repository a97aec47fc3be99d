/** The ledger in memory against the suite. */
import { chainSuite } from '../../ports/chain.suite.ts'
import { memoryChain } from './memory.ts'

chainSuite('in memory', async () => ({
  chain: memoryChain(),
  owner: { name: 'owner', address: '0x1111111111111111111111111111111111111111' },
  other: { name: 'other', address: '0x2222222222222222222222222222222222222222' },
  close: async () => {},
}))
