/**
 * Wallets of a data folder: their addresses, what they hold, keys that come in from elsewhere and go out encrypted. No key is ever
 * returned or printed. Knows nothing of files or of who asks.
 */
import { join } from 'node:path'
import { createPublicClient, erc20Abi, http } from 'viem'
import { isRefusal, type Refusal, refuse } from '../core/errors.ts'
import type { Address } from '../core/listing.ts'
import { openKeystore } from '../drivers/keystore/keystore.ts'
import { addressOf, decryptSecret, encryptSecret } from '../drivers/keystore/web3-secret.ts'
import type { Config } from './config.ts'

const NAME = /^[a-z0-9-]{1,40}$/
/** Keys the factory itself uses: importing one under such a name would change who is paid. */
const RESERVED = new Set(['builder', 'gateway', 'chain-relayer', 'chain-faucet'])

export async function openWallets(config: Config) {
  const keystore = await openKeystore({ folder: join(config.data, 'keys'), passphrase: config.passphrase, embedded: true })
  if (isRefusal(keystore)) return keystore
  const known = async (name: string): Promise<Refusal | undefined> => {
    const names = await keystore.names()
    if (names.includes(name)) return undefined
    return refuse(
      'no_such_wallet',
      `There is no wallet "${name}" in this data folder.`,
      names.length ? `There are: ${names.join(', ')}.` : 'There is none yet.',
    )
  }
  return {
    async list(): Promise<{ name: string; address: Address }[]> {
      const names = await keystore.names()
      return Promise.all(names.map(async (name) => ({ name, address: (await keystore.account(name)).address })))
    },
    async address(name: string): Promise<Address | Refusal> {
      return (await known(name)) ?? (await keystore.account(name)).address
    },
    /** `file` is a key file of version 3, or the text of a bare key. */
    async import(name: string, file: string, passphrase: string | undefined): Promise<{ address: Address } | Refusal> {
      if (!NAME.test(name)) return refuse('bad_wallet', `"${name}" cannot be a wallet's name.`, 'Use at most 40 lower-case letters, digits and hyphens.')
      if (RESERVED.has(name)) return refuse('wallet_reserved', `The wallet "${name}" is the factory's own.`, 'Import the key under another name.')
      const secret = await secretIn(file, passphrase)
      return isRefusal(secret) ? secret : keystore.add(name, secret)
    },
    /** An encrypted key file of version 3. */
    async export(name: string, passphrase: string): Promise<{ address: Address; file: object } | Refusal> {
      const missing = await known(name)
      if (missing) return missing
      if (passphrase.length < 12)
        return refuse('passphrase_short', `The passphrase has ${passphrase.length} characters, and an exported key needs at least 12.`, 'Choose several words.')
      const secret = await keystore.reveal(name)
      if (!secret) return refuse('no_such_wallet', `There is no wallet "${name}" in this data folder.`, 'See: modelfactory wallet list.')
      return { address: addressOf(secret), file: await encryptSecret(secret, passphrase) }
    },
  }
}

async function secretIn(file: string, passphrase: string | undefined): Promise<Uint8Array | Refusal> {
  const bare = /^\s*(?:0x)?([0-9a-fA-F]{64})\s*$/.exec(file)?.[1]
  if (bare) {
    const secret = new Uint8Array(Buffer.from(bare, 'hex'))
    try {
      addressOf(secret)
      return secret
    } catch {
      return refuse('key_file_invalid', 'The file holds 32 bytes that are no key.', 'Check that it is the key of an EVM account.')
    }
  }
  let json: unknown
  try {
    json = JSON.parse(file)
  } catch {
    return refuse('key_file_invalid', 'The file is neither a key file of version 3 nor a bare key.', 'Export it again from the wallet it is in.')
  }
  if (passphrase === undefined)
    return refuse(
      'passphrase_missing',
      'The key file is encrypted, and no passphrase was given.',
      'Give --passphrase-file, or set MODELFACTORY_WALLET_PASSPHRASE.',
    )
  return decryptSecret(json, passphrase)
}

/** What an address holds, asked of a node: atomic units of the token, and of the native coin for gas. */
export async function balanceOf(rpc: string, token: Address, address: Address): Promise<{ open: bigint; native: bigint }> {
  const client = createPublicClient({ transport: http(rpc, { timeout: 10_000, retryCount: 1 }) })
  const [open, native] = await Promise.all([
    client.readContract({ address: token, abi: erc20Abi, functionName: 'balanceOf', args: [address] }),
    client.getBalance({ address }),
  ])
  return { open, native }
}
