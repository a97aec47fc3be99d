/** The fast recovery against viem's on random signatures, and on bytes that are none. */
import { randomBytes } from 'node:crypto'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { recoverAddress } from 'viem/utils'
import { expect, it } from 'vitest'
import type { Hex } from '../../core/listing.ts'
import { recoverSigner } from './recover.ts'

const bytes = (count: number): Hex => `0x${randomBytes(count).toString('hex')}`

it('finds who signed, like viem does', async () => {
  for (let round = 0; round < 25; round++) {
    const account = privateKeyToAccount(generatePrivateKey())
    const hash = bytes(32)
    const signature = await account.sign({ hash })
    expect(await recoverSigner(hash, signature)).toBe(account.address.toLowerCase())
    const other = bytes(32)
    expect(await recoverSigner(other, signature)).toBe((await recoverAddress({ hash: other, signature })).toLowerCase())
    const bare = `${signature.slice(0, 130)}${signature.endsWith('1b') ? '00' : '01'}` as Hex
    expect(await recoverSigner(hash, bare)).toBe(account.address.toLowerCase())
  }
})

it('says nobody for bytes that are no signature, and never throws', async () => {
  const zero = `0x${'00'.repeat(65)}` as Hex
  const full = `0x${'ff'.repeat(65)}` as Hex
  for (const signature of [zero, full, `0x${'00'.repeat(64)}1b` as Hex, `${bytes(64)}1d` as Hex, bytes(64), bytes(66), '0x' as Hex])
    expect(await recoverSigner(bytes(32), signature), signature).toBeUndefined()
  for (let round = 0; round < 25; round++) {
    const [hash, signature] = [bytes(32), `${bytes(64)}1b` as Hex]
    const slow = await recoverAddress({ hash, signature }).catch(() => undefined)
    expect(await recoverSigner(hash, signature)).toBe(slow?.toLowerCase())
  }
})
