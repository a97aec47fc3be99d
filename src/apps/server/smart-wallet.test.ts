/** Wallets that are contracts (EIP-1271) pay for queries; those that lie about their signatures cost nobody anything. */
import solc from 'solc'
import { createWalletClient, encodeFunctionData, type Hex, http, parseAbi, publicActions } from 'viem'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { isRefusal } from '../../core/errors.ts'
import type { Address } from '../../core/listing.ts'
import { walletSignatures } from '../../drivers/chain/wallet-signature.ts'
import { explain, openClient } from '../client/client.ts'
import { type Bench, fluent, openBench, PRICE } from './bench.suite.ts'
import { type RunningServer, startServer } from './serve.ts'

const source = `// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;
contract Wallet {
    address immutable owner;
    uint8 mode;
    constructor(address owner_) { owner = owner_; }
    receive() external payable {}
    function behave(uint8 mode_) external { mode = mode_; }
    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        if (mode == 1) return 0xffffffff;
        if (mode == 2) revert("no");
        if (mode == 3) { uint256 burnt; while (gasleft() > 100) ++burnt; return 0x1626ba7e; }
        if (mode == 4) { for (uint256 i; i < 4000; ++i) keccak256(abi.encode(i)); return 0x1626ba7e; }
        (bytes32 r, bytes32 s, uint8 v) = (bytes32(signature[:32]), bytes32(signature[32:64]), uint8(signature[64]));
        return ecrecover(hash, v, r, s) == owner ? bytes4(0x1626ba7e) : bytes4(0xffffffff);
    }
}`
const abi = parseAbi(['constructor(address owner_)', 'function behave(uint8 mode_)'])
const [honest, saysNo, reverts, burnsAll, burnsMuch] = [0, 1, 2, 3, 4]

let bench: Bench
let server: RunningServer
let wallet: Address
let behave: (mode: number | undefined) => Promise<void>

beforeAll(async () => {
  bench = await openBench()
  const started = await startServer({ factory: bench.factory, host: '127.0.0.1', port: 0, studioFolder: '/nowhere' })
  if (isRefusal(started)) throw new Error(started.message)
  server = started
  const input = { language: 'Solidity', sources: { w: { content: source } }, settings: { outputSelection: { w: { Wallet: ['evm.bytecode.object'] } } } }
  const bytecode: Hex = `0x${JSON.parse(solc.compile(JSON.stringify(input))).contracts.w.Wallet.evm.bytecode.object}`
  const chain = createWalletClient({ account: bench.payer, transport: http(bench.chain.network.rpc), pollingInterval: 20 }).extend(publicActions)
  const mined = async (hash: Hex) => chain.waitForTransactionReceipt({ hash, timeout: 30_000 })
  wallet = (await mined(await chain.deployContract({ abi, bytecode, args: [bench.payer.address], chain: null }))).contractAddress!
  behave = async (mode = 0) => {
    await mined(await chain.sendTransaction({ to: wallet, data: encodeFunctionData({ abi, functionName: 'behave', args: [mode] }), chain: null }))
  }
  await bench.chain.fund(wallet, 10n * PRICE)
})
afterAll(async () => {
  await server.close()
  await bench.close()
})
beforeEach(async () => {
  bench.behaviour.run = fluent
  await behave(honest)
})

const held = async (address: Address) => (await bench.chain.balance(address)).open

/** One query paid by the wallet, signed by `signer` with whatever stands behind the 65 bytes. */
async function query(question: string, behind = '', signer = bench.payer): Promise<Response> {
  const account = { address: wallet, signTypedData: async (message: object) => `${await signer.signTypedData(message as never)}${behind}` as Hex }
  const client = await openClient({ url: server.url, account, network: 'eip155:31337', asset: bench.chain.contracts.token, maximum: PRICE })
  const body = JSON.stringify({ model: 'heart', messages: [{ role: 'user', content: question }] })
  return client.fetch(`${server.url}/v1/chat/completions`, { method: 'POST', body })
}

describe('a wallet that is a contract', () => {
  it('pays the builder in full, by a signature of any length', async () => {
    for (const behind of ['', 'ab'.repeat(200)]) {
      const before = [await held(wallet), await held(bench.builder.address)] as const
      expect((await query(`a question ${behind.length}`, behind)).status).toBe(200)
      expect([before[0] - (await held(wallet)), (await held(bench.builder.address)) - before[1]]).toEqual([PRICE, PRICE])
    }
  })

  it('is refused before the model runs when somebody else signed, or it says no, reverts or burns all its gas', async () => {
    let ran = 0
    bench.behaviour.run = (signal) => {
      ran++
      void signal
      return fluent()
    }
    const before = await held(wallet)
    const forged = await query('forged', '', bench.pauper)
    expect([forged.status, (await explain(forged))?.code]).toEqual([402, 'payment_forged'])
    for (const mode of [saysNo, reverts, burnsAll]) {
      await behave(mode)
      const refused = await query(`mode ${mode}`)
      expect([refused.status, (await explain(refused))?.code], `mode ${mode}`).toEqual([402, 'payment_forged'])
    }
    expect([ran, await held(wallet)]).toEqual([0, before])
  })

  for (const [what, mode, code] of [
    ['says no', saysNo, 'signature_invalid'],
    ['burns what its payment is not worth', burnsMuch, 'settling_too_expensive'],
  ] as const)
    it(`that says yes when it is looked at and ${what} when it must pay gets no answer, and nobody loses anything`, async () => {
      bench.behaviour.run = async function* (signal) {
        await behave(mode)
        yield* fluent()
        void signal
      }
      const before = [await held(wallet), await held(bench.builder.address)]
      const answered = await query(`turncoat ${mode}`)
      const why = await explain(answered)
      expect([answered.status, why?.code]).toEqual([402, code])
      expect([await held(wallet), await held(bench.builder.address)]).toEqual(before)
      expect(await bench.database.payments.inState(['reserved', 'sending', 'unknown'])).toEqual([])
    })

  it('is not judged while the node does not answer', async () => {
    const asks = walletSignatures({ url: () => 'http://127.0.0.1:1', token: bench.chain.contracts.token, timeoutMilliseconds: 300 })
    await expect(asks(wallet, `0x${'00'.repeat(32)}`, '0x')).rejects.toThrow()
  })
})
