/**
 * What TypeScript hashes and signs, against what the contracts hash and accept, on random messages. A wallet that is a contract is told
 * the digest, so one that says yes only to the digest in its signature shows whether the two are the same, without any key.
 */
import { randomBytes } from 'node:crypto'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { concatHex, createPublicClient, decodeErrorResult, encodeFunctionData, type Hex, hashTypedData, http, type PublicClient, parseEther, toHex } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Address } from '../src/core/listing.ts'
import { type Anvil, startAnvil } from '../src/drivers/chain/anvil.ts'
import { authorizationTypes, tokenDomain } from '../src/drivers/chain/authorization.ts'
import { royaltyRouter, wrappedOpen } from '../src/drivers/chain/contracts.generated.ts'
import { deployments } from '../src/drivers/chain/deploy.ts'
import { modelIdOf } from '../src/drivers/chain/evm.ts'
import { deploy } from './deploy.ts'

/** Messages of each kind; a single wrong one fails. */
const messages = 250
/** OpenLedger's, so that the chain's id is not one that could be a constant. */
const chainId = 1612
/**
 * EIP-1271, answering yes when the hash equals the first word of the signature:
 * CALLDATALOAD(0x64) == CALLDATALOAD(0x04), times 0x1626ba7e, shifted to the left, returned.
 */
const wallet = { address: '0x00000000000000000000000000000000000ca11e' as Address, code: '0x60643560043514631626ba7e0260e01b5f5260205ff3' as Hex }

const key = generatePrivateKey()
const rich = privateKeyToAccount(key)
const { contracts } = deployments()
const domain = tokenDomain({ network: { chainId } as never, contracts, token: { name: 'Wrapped OPEN', version: '1' } })
const kinds = {
  transferWithAuthorization: { types: authorizationTypes, primaryType: 'TransferWithAuthorization' },
  receiveWithAuthorization: { types: { ReceiveWithAuthorization: authorizationTypes.TransferWithAuthorization }, primaryType: 'ReceiveWithAuthorization' },
} as const

const random = (bytes: number): Hex => toHex(randomBytes(bytes))
/** Numbers of every length, since a wrong width shows only in short or long ones. */
const number = (bytes: number): bigint => BigInt(random(1 + Math.floor(Math.random() * bytes)))

describe('hashes of the contracts', () => {
  let anvil: Anvil
  let client: PublicClient

  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'modelfactory-test-hashes-'))
    const genesis = join(folder, 'genesis.json')
    const alloc = { [rich.address]: { balance: toHex(parseEther('10')) }, [wallet.address]: { balance: '0x0', code: wallet.code } }
    await writeFile(genesis, JSON.stringify({ config: { chainId }, timestamp: '0x1', gasLimit: '0x1c9c380', difficulty: '0x0', alloc }))
    anvil = await startAnvil({ genesis, timestamp: 1_700_000_000, chainId, cache: join(folder, 'cache') })
    client = createPublicClient({ transport: http(anvil.url), cacheTime: 0 })
    const environment = { MODELFACTORY_DEPLOYER_KEY: key }
    const outcome = await deploy({ rpc: anvil.url, dryRun: false, data: folder, out: join(folder, 'out.json'), environment, say: () => {} })
    expect(outcome).toMatchObject({ sent: [expect.any(String), expect.any(String)] })
  })
  afterAll(() => anvil.close())

  /** The name of the error a call of the token ends with, or "done". */
  async function called(from: Address, data: Hex): Promise<string> {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_call', params: [{ from, to: contracts.token, data }, 'latest'] })
    const response = await fetch(anvil.url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    const { error } = (await response.json()) as { error?: { data?: Hex; message: string } }
    if (!error) return 'done'
    return error.data ? decodeErrorResult({ abi: wrappedOpen.abi, data: error.data }).errorName : error.message
  }

  /** A message that is valid now. A balance of 0 cannot pay it, which is found out only after the signature was taken. */
  const message = (from: Address) => ({
    from,
    to: random(20) as Address,
    value: number(32) + 1n,
    validAfter: number(3),
    validBefore: 2_000_000_000n + number(31),
    nonce: random(32),
  })

  it.each(['transferWithAuthorization', 'receiveWithAuthorization'] as const)('of %s are those that wallets sign', async (functionName) => {
    const { types, primaryType } = kinds[functionName] as (typeof kinds)['transferWithAuthorization']
    for (let round = 0; round < messages; round++) {
      const { from, to, value, validAfter, validBefore, nonce } = message(wallet.address)
      const digest = hashTypedData({ domain, types, primaryType, message: { from, to, value, validAfter, validBefore, nonce } })
      const call = (signature: Hex) =>
        called(to, encodeFunctionData({ abi: wrappedOpen.abi, functionName, args: [from, to, value, validAfter, validBefore, nonce, signature] }))
      expect(await call(digest), `${primaryType} ${JSON.stringify({ to, value: `${value}`, nonce })}`).toBe('InsufficientBalance')
      if (round < 20) expect(await call(random(32))).toBe('InvalidSignature')
    }
  })

  it('of cancellations are those that wallets sign', async () => {
    const types = {
      CancelAuthorization: [
        { name: 'authorizer', type: 'address' },
        { name: 'nonce', type: 'bytes32' },
      ],
    } as const
    for (let round = 0; round < messages; round++) {
      const nonce = random(32)
      const digest = hashTypedData({ domain, types, primaryType: 'CancelAuthorization', message: { authorizer: wallet.address, nonce } })
      const call = (signature: Hex) =>
        called(rich.address, encodeFunctionData({ abi: wrappedOpen.abi, functionName: 'cancelAuthorization', args: [wallet.address, nonce, signature] }))
      expect(await call(digest)).toBe('done')
      if (round < 20) expect(await call(random(32))).toBe('InvalidSignature')
    }
  })

  it('are what keys sign, in one piece and in three', async () => {
    for (let round = 0; round < 25; round++) {
      const signer = privateKeyToAccount(generatePrivateKey())
      const { from, to, value, validAfter, validBefore, nonce } = message(signer.address)
      const { types, primaryType } = kinds.transferWithAuthorization
      const signature = await signer.signTypedData({ domain, types, primaryType, message: { from, to, value, validAfter, validBefore, nonce } })
      const [r, s, v] = [signature.slice(0, 66) as Hex, `0x${signature.slice(66, 130)}` as Hex, Number.parseInt(signature.slice(130), 16)]
      const fields = [from, to, value, validAfter, validBefore, nonce] as const
      const encode = (args: readonly unknown[]) => encodeFunctionData({ abi: wrappedOpen.abi, functionName: 'transferWithAuthorization', args: args as never })
      expect(await called(rich.address, encode([...fields, signature]))).toBe('InsufficientBalance')
      expect(await called(rich.address, encode([...fields, v, r, s]))).toBe('InsufficientBalance')
      expect(await called(rich.address, encode([...fields, concatHex([s, r, toHex(v)])]))).toBe('InvalidSignature')
    }
  })

  it('of models are those we reckon ahead', async () => {
    for (let round = 0; round < messages; round++) {
      const [owner, slug] = [random(20) as Address, random(32)]
      const said = await client.readContract({ address: contracts.registry, abi: royaltyRouter.abi, functionName: 'modelIdOf', args: [owner, slug] })
      expect(modelIdOf(chainId, contracts.registry, owner, slug)).toBe(said)
    }
  })
})
