/**
 * Keystore: one random secp256k1 key per account, encrypted in the data folder. Knows nothing of chains beyond the list of
 * keys that everybody knows. A key leaves this file only as a viem account that signs; it is in no error, log or record.
 */
import { createCipheriv, createDecipheriv, randomBytes, type ScryptOptions, scrypt } from 'node:crypto'
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { LocalAccount } from 'viem'
import { z } from 'zod'
import { BaseError, type Refusal, refuse } from '../../core/errors.ts'
import type { Address } from '../../core/listing.ts'
import type { Account, Keystore } from '../../ports/keystore.ts'
import { WriteError, writeDurably, writeFailure } from '../files/durable.ts'

/** A passphrase a person chose is stretched: 128 MiB and some tenths of a second a guess (RFC 7914; OWASP's first choice). */
const stretched = { cost: 2 ** 17, blockSize: 8, parallelization: 1 }
/** The generated passphrase has 256 random bits: no number of guesses a second finds it, so stretching would only cost us. */
const unstretched = { cost: 2 ** 10, blockSize: 8, parallelization: 1 }
const passphraseFile = 'passphrase'

const base64 = z.string().regex(/^[A-Za-z0-9+/]+=*$/)
const KeyFile = z.object({
  format: z.literal('modelfactory/key@1'),
  address: z.custom<Address>((value) => typeof value === 'string' && /^0x[0-9a-fA-F]{40}$/.test(value)),
  /** scrypt (RFC 7914) -> 32 bytes -> AES-256-GCM, with the account's name as associated data. */
  scrypt: z.object({
    cost: z
      .number()
      .int()
      .min(2)
      .max(2 ** 20),
    blockSize: z.number().int().min(1).max(32),
    parallelization: z.number().int().min(1).max(16),
    salt: base64,
  }),
  nonce: base64,
  ciphertext: base64,
  tag: base64,
})
type KeyFile = z.infer<typeof KeyFile>

/** Keys that may come in from elsewhere and go out again, encrypted, at their owner's wish. */
export type LocalKeystore = Keystore & {
  /** Keeps a key under a name that has none. */
  add(name: string, secret: Uint8Array): Promise<{ address: Address } | Refusal>
  /** The key itself, for encrypting it anew; undefined when there is none of the name. */
  reveal(name: string): Promise<Uint8Array | undefined>
}

const signers = new WeakMap<Account, LocalAccount>()

/** The signing account behind an {@link Account} of a keystore in this process, for drivers that sign. */
export function localAccount(account: Account): LocalAccount {
  const signer = signers.get(account)
  if (!signer) throw new KeyError(`The account "${account.name}" (${account.address}) was not opened by a keystore of this process.`)
  return signer
}

/**
 * Opens the keys of `folder`. `passphrase` is the operator's (MODELFACTORY_PASSPHRASE); without one, and only for the embedded
 * chain, a random one is kept beside the keys in a file that only this user can read.
 */
export async function openKeystore(options: { folder: string; passphrase: string | undefined; embedded: boolean }): Promise<LocalKeystore | Refusal> {
  const { folder, embedded } = options
  const chosen = options.passphrase === '' ? undefined : options.passphrase
  if (chosen === undefined && !embedded)
    return refuse('passphrase_missing', 'Keys that hold real money need a passphrase, and none is set.', 'Set MODELFACTORY_PASSPHRASE and start again.')
  const generated = chosen === undefined ? await generatedPassphrase(folder) : await readPassphrase(folder)
  if (typeof generated === 'object') return generated
  // A folder that began on its own passphrase stays readable after the operator sets one; new keys use the operator's.
  const passphrases = [chosen, generated].filter((passphrase) => passphrase !== undefined)
  const opened = new Map<string, Promise<Account>>()

  const open = async (name: string): Promise<Account> => {
    const path = join(folder, `${name}.json`)
    return account(name, (await unlock(path, name, passphrases)) ?? (await create(path, name, chosen === undefined ? unstretched : stretched, passphrases)))
  }

  const keystore: LocalKeystore = {
    async add(name, secret) {
      const { address } = await account(name, secret)
      const added = await write(join(folder, `${name}.json`), name, chosen === undefined ? unstretched : stretched, passphrases[0]!, secret)
      if (added) return { address }
      return refuse('wallet_exists', `There is a wallet "${name}" here already.`, 'Import it under another name; nothing is ever overwritten.')
    },
    reveal: (name) => unlock(join(folder, `${name}.json`), name, passphrases),
    async account(name) {
      if (!/^[a-z0-9-]{1,64}$/.test(name)) throw new KeyError(`"${name}" is no account name: use at most 64 of a-z, 0-9 and hyphen.`)
      const pending = opened.get(name) ?? open(name)
      opened.set(name, pending)
      pending.catch(() => opened.delete(name))
      return pending
    },
    async names() {
      const files = await readdir(folder).catch(() => [])
      return files.flatMap((file) => /^([a-z0-9-]{1,64})\.json$/.exec(file)?.[1] ?? []).sort()
    },
  }

  const [first] = await keystore.names()
  if (first !== undefined) {
    try {
      await keystore.account(first)
    } catch (error) {
      if (!(error instanceof KeyError)) throw error
      return refuse('passphrase_wrong', error.message, 'Set MODELFACTORY_PASSPHRASE to the passphrase the keys were made with, or restore the keys folder.')
    }
  }
  return keystore
}

/** Addresses of the twenty keys that Hardhat prints, ten of which anvil and every tutorial print: money sent to them is taken within seconds. */
const knownAddresses = new Set(
  [
    '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266',
    '0x70997970C51812dc3A010C7d01b50e0d17dc79C8',
    '0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC',
    '0x90F79bf6EB2c4f870365E785982E1f101E93b906',
    '0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65',
    '0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc',
    '0x976EA74026E726554dB657fA54763abd0C3a0aa9',
    '0x14dC79964da2C08b23698B3D3cc7Ca32193d9955',
    '0x23618e81E3f5cdF7f54C3d65f7FBc0aBf5B21E8f',
    '0xa0Ee7A142d267C1f36714E4a8F75612F20a79720',
    '0xBcd4042DE499D14e55001CcbB24a551F3b954096',
    '0x71bE63f3384f5fb98995898A86B02Fb2426c5788',
    '0xFABB0ac9d68B0B445fB7357272Ff202C5651694a',
    '0x1CBd3b2770909D4e10f157cABC84C7264073C9Ec',
    '0xdF3e18d64BC6A983f673Ab319CCaE4f1a57C7097',
    '0xcd3B766CCDd6AE721141F452C550Ca635964ce71',
    '0x2546BcD3c84621e976D8185a91A922aE77ECEc30',
    '0xbDA5747bFD65F08deb54cb465eB87D40e51B197E',
    '0xdD2FD4581271e230360230F9337D5c0430Bf44C0',
    '0x8626f6940E2eb28930eFb4CeF49B2d1F2C9C1199',
  ].map((address) => address.toLowerCase()),
)

/** Refuses an address whose private key is public, anywhere but on the embedded chain (an anvil of our own, chain id 31337). */
export function refuseKnownKeys(address: Address, network: { chainId: number; test: boolean }): Refusal | undefined {
  if (!knownAddresses.has(address.toLowerCase()) || (network.test && network.chainId === 31337)) return undefined
  return refuse(
    'well_known_key',
    `${address} is one of the development accounts of anvil and Hardhat, whose private key everybody knows.`,
    'Use an address whose key only you hold.',
  )
}

async function account(name: string, secret: Uint8Array): Promise<Account> {
  const { privateKeyToAccount } = await import('viem/accounts')
  const signer = privateKeyToAccount(`0x${Buffer.from(secret).toString('hex')}`)
  const made: Account = { name, address: signer.address }
  signers.set(made, signer)
  return made
}

async function create(path: string, name: string, cost: typeof stretched, passphrases: readonly string[]): Promise<Uint8Array> {
  // Any 32 bytes below the curve's order are a key; the chance of others is 2^-128, and viem refuses them.
  const secret = randomBytes(32)
  if (await write(path, name, cost, passphrases[0]!, secret)) return secret
  // Another process made this account first: its key is the account's key.
  const existing = await unlock(path, name, passphrases)
  if (existing) return existing
  throw new KeyError(`The key file ${path} was there and is gone.`)
}

/** False when the account has a key already. */
async function write(path: string, name: string, cost: typeof stretched, passphrase: string, secret: Uint8Array): Promise<boolean> {
  const { address } = await account(name, secret)
  const salt = randomBytes(32)
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', await derive(passphrase, salt, cost), nonce).setAAD(Buffer.from(name))
  const ciphertext = Buffer.concat([cipher.update(secret), cipher.final()])
  const file: KeyFile = {
    format: 'modelfactory/key@1',
    address,
    scrypt: { ...cost, salt: salt.toString('base64') },
    nonce: nonce.toString('base64'),
    ciphertext: ciphertext.toString('base64'),
    tag: cipher.getAuthTag().toString('base64'),
  }
  try {
    await writeDurably(path, `${JSON.stringify(file, null, 2)}\n`, { mode: 0o600, exclusive: true })
    return true
  } catch (error) {
    if (error instanceof WriteError && (error.cause as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

async function unlock(path: string, name: string, passphrases: readonly string[]): Promise<Uint8Array | undefined> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new KeyError(`The key file ${path} cannot be read (${(error as NodeJS.ErrnoException).code}).`)
  }
  let file: KeyFile
  try {
    file = KeyFile.parse(JSON.parse(text))
  } catch {
    throw new KeyError(`The key file ${path} is damaged.`)
  }
  for (const passphrase of passphrases) {
    try {
      const key = await derive(passphrase, Buffer.from(file.scrypt.salt, 'base64'), file.scrypt)
      const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(file.nonce, 'base64'), { authTagLength: 16 })
        .setAAD(Buffer.from(name))
        .setAuthTag(Buffer.from(file.tag, 'base64'))
      return Buffer.concat([decipher.update(Buffer.from(file.ciphertext, 'base64')), decipher.final()])
    } catch {
      // Not this passphrase; a damaged file ends in the same sentence below.
    }
  }
  throw new KeyError(`The passphrase does not open the key "${name}" in ${path}.`)
}

function derive(passphrase: string, salt: Uint8Array, cost: { cost: number; blockSize: number; parallelization: number }): Promise<Buffer> {
  const { cost: N, blockSize: r, parallelization: p } = cost
  const options: ScryptOptions = { N, r, p, maxmem: 256 * N * r + 1024 * 1024 }
  return new Promise((resolve, reject) => scrypt(passphrase.normalize('NFKC'), salt, 32, options, (error, key) => (error ? reject(error) : resolve(key))))
}

async function readPassphrase(folder: string): Promise<string | undefined> {
  try {
    return (await readFile(join(folder, passphraseFile), 'utf8')).trim() || undefined
  } catch {
    return undefined
  }
}

async function generatedPassphrase(folder: string): Promise<string | Refusal> {
  const standing = await readPassphrase(folder)
  if (standing !== undefined) return standing
  const path = join(folder, passphraseFile)
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await writeDurably(path, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600, exclusive: true })
  } catch (error) {
    const cause = error instanceof WriteError ? error.cause : error
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST' || !(await readPassphrase(folder))) {
      const failure = writeFailure(folder, cause)
      return refuse('keys_not_writable', failure.message, failure.hint)
    }
  }
  return (await readPassphrase(folder))!
}

/** A key cannot be opened. The sentence names the account and the file, never a secret. */
export class KeyError extends BaseError {
  override readonly name = 'Keystore.KeyError'
}
