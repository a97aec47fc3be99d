/** Keys in and keys out: never overwritten, never in clear, readable by other wallets, and public keys turned away. */
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { privateKeyToAddress } from 'viem/accounts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { modelfactory } from '../../test/process.ts'
import { isRefusal } from '../core/errors.ts'
import { localAccount, openKeystore } from '../drivers/keystore/keystore.ts'
import { decryptSecret, encryptSecret } from '../drivers/keystore/web3-secret.ts'
import { readConfig } from './config.ts'
import { openWallets } from './wallets.ts'

const secret = 'c85ef7d79691fe79573b1a7064c19c1a9819ebdbd1faaab1a8ec92344438aaf4'
const address = privateKeyToAddress(`0x${secret}`)
const passphrase = 'several quite ordinary words'
/** Cheaper than what is written, so that the tests are quick. */
const cheap = { n: 1024, r: 8, p: 1 }
let data: string
beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'modelfactory-wallets-'))
})
afterAll(() => rm(data, { recursive: true }))

async function open() {
  const config = readConfig({ data })
  if (isRefusal(config)) throw new Error(config.message)
  const wallets = await openWallets(config)
  if (isRefusal(wallets)) throw new Error(wallets.message)
  return wallets
}

describe('key files of version 3', () => {
  // The two examples of the definition's own test vectors.
  const crypto = { cipher: 'aes-128-ctr', ciphertext: '', cipherparams: { iv: '' }, mac: '' }
  const known = [
    {
      ...crypto,
      ciphertext: '5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46',
      cipherparams: { iv: '6087dab2f9fdbbfaddc31a909735c1e6' },
      kdf: 'pbkdf2',
      kdfparams: { c: 262144, dklen: 32, prf: 'hmac-sha256', salt: 'ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd' },
      mac: '517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2',
    },
    {
      ...crypto,
      ciphertext: 'd172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c',
      cipherparams: { iv: '83dbcc02d8ccb40e466191a123791e0e' },
      kdf: 'scrypt',
      kdfparams: { dklen: 32, n: 262144, r: 1, p: 8, salt: 'ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19' },
      mac: '2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097',
    },
  ]
  for (const [place, file] of known.entries())
    it(`the definition's example ${place + 1} is read`, { timeout: 120_000 }, async () => {
      const read = await decryptSecret({ version: 3, crypto: file }, 'testpassword')
      expect(isRefusal(read) ? read : Buffer.from(read).toString('hex')).toBe('7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d')
    })

  it('come back as they went, and open to nobody else, changed, or written to exhaust', async () => {
    const file = (await encryptSecret(Buffer.from(secret, 'hex'), passphrase, cheap)) as { address: string; crypto: Record<string, unknown> }
    expect(JSON.stringify(file)).not.toContain(secret)
    expect(`0x${file.address}`).toBe(address.toLowerCase())
    expect(Buffer.from((await decryptSecret(file, passphrase)) as Uint8Array).toString('hex')).toBe(secret)
    expect(await decryptSecret(file, `${passphrase} `)).toMatchObject({ code: 'key_file_locked' })
    const flipped = { ...file, crypto: { ...file.crypto, ciphertext: `00${String(file.crypto.ciphertext).slice(2)}` } }
    expect(await decryptSecret(flipped, passphrase)).toMatchObject({ code: 'key_file_locked' })
    const greedy = { ...file, crypto: { ...file.crypto, kdfparams: { ...(file.crypto.kdfparams as object), n: 2 ** 30 } } }
    const odd = { ...file, crypto: { ...file.crypto, kdfparams: { ...(file.crypto.kdfparams as object), n: 1000 } } }
    for (const wrong of [greedy, odd, {}, null, 3, { version: 1 }]) expect(await decryptSecret(wrong, passphrase)).toMatchObject({ code: 'key_file_invalid' })
  })
})

describe('wallets', () => {
  it('take a bare key in once, under a name of its own, and pay with it', async () => {
    const wallets = await open()
    expect(await wallets.import('mine', `0x${secret}\n`, undefined)).toEqual({ address })
    expect(await wallets.import('mine', `${'11'.repeat(32)}`, undefined)).toMatchObject({ code: 'wallet_exists' })
    expect(await wallets.address('mine')).toBe(address)
    for (const name of ['builder', 'gateway', 'chain-relayer']) expect(await wallets.import(name, secret, undefined)).toMatchObject({ code: 'wallet_reserved' })
    expect(await wallets.import('../mine', secret, undefined)).toMatchObject({ code: 'bad_wallet' })
    for (const text of ['', 'hello', '00'.repeat(32), 'ff'.repeat(32)])
      expect(await wallets.import('other', text, undefined)).toMatchObject({ code: 'key_file_invalid' })
    expect(await wallets.import('other', '{}', undefined)).toMatchObject({ code: 'passphrase_missing' })
    expect(await wallets.address('other')).toMatchObject({ code: 'no_such_wallet' })
    const keystore = await openKeystore({ folder: join(data, 'keys'), passphrase: undefined, embedded: true })
    if (isRefusal(keystore)) throw new Error(keystore.message)
    expect(localAccount(await keystore.account('mine')).address).toBe(address)
    for (const name of await readdir(join(data, 'keys'))) expect(await readFile(join(data, 'keys', name), 'utf8')).not.toContain(secret)
  })

  it('on the command line: out to a file that only its owner can read, in again, and nothing is printed', { timeout: 240_000 }, async () => {
    const [words, file, bare] = [join(data, 'words'), join(data, 'key.json'), join(data, 'bare')]
    await writeFile(words, `${passphrase}\n`)
    await writeFile(bare, secret)
    const said: string[] = []
    const run = async (...args: string[]) => {
      const done = await modelfactory(['wallet', ...args, '--json'], { data })
      said.push(done.stdout, done.stderr)
      return done.json
    }
    expect(await run('import', 'again', bare)).toEqual({ name: 'again', address })
    expect(await run('export', 'again', file)).toMatchObject({ error: { code: 'passphrase_missing' } })
    expect(await run('export', 'again', file, '--passphrase-file', words)).toEqual({ name: 'again', address, file })
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect(await run('export', 'again', file, '--passphrase-file', words)).toMatchObject({ error: { code: 'file_not_writable' } })
    expect(await run('import', 'back', file, '--passphrase-file', words)).toEqual({ name: 'back', address })
    expect(await run('list')).toMatchObject({ wallets: expect.arrayContaining([{ name: 'back', address }]) })
    expect(said.join('')).not.toMatch(new RegExp(`${secret}|${passphrase}`, 'i'))
  })
})
