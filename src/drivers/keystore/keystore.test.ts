/** Keys: made once, found again, opened by nobody else, and shown nowhere. */
import { chmod, mkdtemp, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { mnemonicToAccount } from 'viem/accounts'
import { describe, expect, it } from 'vitest'
import { isRefusal } from '../../core/errors.ts'
import type { Keystore } from '../../ports/keystore.ts'
import { KeyError, localAccount, openKeystore, refuseKnownKeys } from './keystore.ts'

const temporary = async () => join(await mkdtemp(join(tmpdir(), 'modelfactory-test-keys-')), 'keys')

async function open(folder: string, passphrase?: string, embedded = true): Promise<Keystore> {
  const keystore = await openKeystore({ folder, passphrase, embedded })
  if (isRefusal(keystore)) throw new Error(keystore.message)
  return keystore
}

describe('keystore', () => {
  it('makes an account once, whoever asks, and finds it after a restart', async () => {
    const folder = await temporary()
    const keystore = await open(folder)
    const other = await open(folder)
    const accounts = await Promise.all([keystore.account('builder'), keystore.account('builder'), other.account('builder')])
    expect(new Set(accounts.map((account) => account.address)).size).toBe(1)
    expect((await keystore.account('payer')).address).not.toBe(accounts[0]!.address)
    const later = await open(folder)
    expect(await later.account('builder')).toEqual(accounts[0])
    expect(await later.names()).toEqual(['builder', 'payer'])
    expect(localAccount(await later.account('builder')).address).toBe(accounts[0]!.address)
  })

  it('lets only this user read, and shows no key in an account, a log or a file', async () => {
    const folder = await temporary()
    const account = await (await open(folder)).account('builder')
    expect(JSON.stringify(account) + inspect(account, { depth: 9, showHidden: true })).not.toMatch(/[0-9a-f]{64}/i)
    expect(Object.keys(account)).toEqual(['name', 'address'])
    for (const name of await readdir(folder)) expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600)
    expect(await readFile(join(folder, 'builder.json'), 'utf8')).not.toMatch(/[0-9a-f]{64}/i)
    expect((await readdir(folder)).sort()).toEqual(['builder.json', 'passphrase'])
  })

  it("uses the operator's passphrase, and refuses another one", async () => {
    const folder = await temporary()
    const account = await (await open(folder, 'correct horse', false)).account('builder')
    expect(await readdir(folder)).toEqual(['builder.json'])
    expect(await (await open(folder, 'correct horse', false)).account('builder')).toEqual(account)
    const refused = await openKeystore({ folder, passphrase: 'wrong horse', embedded: false })
    expect(refused).toMatchObject({ refused: true, code: 'passphrase_wrong' })
    expect(JSON.stringify(refused)).not.toContain('horse')
  })

  it('goes on opening keys of its own passphrase after the operator sets one', async () => {
    const folder = await temporary()
    const account = await (await open(folder)).account('builder')
    const keystore = await open(folder, 'correct horse')
    expect(await keystore.account('builder')).toEqual(account)
    const made = await keystore.account('later')
    expect(await (await open(folder, 'correct horse', false)).account('later')).toEqual(made)
  })

  it('generates no passphrase for money that is real', async () => {
    expect(await openKeystore({ folder: await temporary(), passphrase: undefined, embedded: false })).toMatchObject({
      refused: true,
      code: 'passphrase_missing',
    })
  })

  it('refuses damaged files and names that are paths', async () => {
    const folder = await temporary()
    const keystore = await open(folder)
    await keystore.account('builder')
    const path = join(folder, 'builder.json')
    const file = JSON.parse(await readFile(path, 'utf8'))
    await chmod(path, 0o600)
    await writeFile(path, JSON.stringify({ ...file, ciphertext: Buffer.alloc(32).toString('base64') }))
    expect(await openKeystore({ folder, passphrase: undefined, embedded: true })).toMatchObject({ refused: true, code: 'passphrase_wrong' })
    await writeFile(path, '{"format":')
    expect(await openKeystore({ folder, passphrase: undefined, embedded: true })).toMatchObject({ message: `The key file ${path} is damaged.` })
    await expect(keystore.account('../builder')).rejects.toThrow(KeyError)
  })

  it('says so when the folder is read-only', async ({ skip }) => {
    if (process.platform !== 'linux') return skip()
    expect(await openKeystore({ folder: '/sys/modelfactory', passphrase: undefined, embedded: true })).toMatchObject({
      refused: true,
      code: 'keys_not_writable',
    })
  })
})

describe('well-known keys', () => {
  it("knows anvil's ten accounts, and lets them pass on the embedded chain alone", () => {
    for (let index = 0; index < 10; index++) {
      const { address } = mnemonicToAccount('test test test test test test test test test test test junk', { addressIndex: index })
      expect(refuseKnownKeys(address, { chainId: 1612, test: false })).toMatchObject({ code: 'well_known_key' })
      expect(refuseKnownKeys(address.toLowerCase() as `0x${string}`, { chainId: 31337, test: false })).toMatchObject({ code: 'well_known_key' })
      expect(refuseKnownKeys(address, { chainId: 31337, test: true })).toBeUndefined()
    }
    expect(refuseKnownKeys('0x1111111111111111111111111111111111111111', { chainId: 1612, test: false })).toBeUndefined()
  })
})
