/**
 * Web3 Secret Storage, version 3: the encrypted key file that every wallet reads. scrypt or PBKDF2, AES-128-CTR, and a MAC over the
 * ciphertext. Knows nothing of accounts or folders; what it decrypts is in no error.
 * Source: ethereum.org, "Web3 Secret Storage Definition".
 */
import { createCipheriv, createDecipheriv, pbkdf2, randomBytes, randomUUID, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { scryptAsync } from '@noble/hashes/scrypt.js'
import { keccak256 } from 'viem'
import { privateKeyToAddress } from 'viem/accounts'
import { z } from 'zod'
import { type Refusal, refuse } from '../../core/errors.ts'

const bytes = (least: number, most: number) =>
  z
    .string()
    .regex(/^(0x)?([0-9a-fA-F]{2})*$/, 'is not hex')
    .transform((text) => Buffer.from(text.replace(/^0x/, ''), 'hex'))
    .refine((value) => value.length >= least && value.length <= most, 'has the wrong length')
const whole = (most: number) => z.number().int().positive().max(most)
const Secret = z.object({
  version: z.literal(3),
  address: z.string().optional(),
  crypto: z.object({
    cipher: z.literal('aes-128-ctr'),
    cipherparams: z.object({ iv: bytes(16, 16) }),
    ciphertext: bytes(32, 32),
    mac: bytes(32, 32),
    // A file from elsewhere must not be able to take the memory or the minutes of this machine.
    kdf: z.enum(['scrypt', 'pbkdf2']),
    kdfparams: z.union([
      z.object({
        n: whole(2 ** 20).refine((n) => n > 1 && Number.isInteger(Math.log2(n)), 'is not a power of two'),
        r: whole(32),
        p: whole(16),
        dklen: z.literal(32),
        salt: bytes(8, 64),
      }),
      z.object({ c: whole(10_000_000), prf: z.literal('hmac-sha256'), dklen: z.literal(32), salt: bytes(8, 64) }),
    ]),
  }),
})

/** The cost that other wallets write: 256 MiB and about a second. */
const cost = { n: 2 ** 18, r: 8, p: 1 }

/** An encrypted copy of a key. */
export async function encryptSecret(secret: Uint8Array, passphrase: string, { n, r, p } = cost): Promise<object> {
  const [salt, iv] = [randomBytes(32), randomBytes(16)]
  const key = await stretch(passphrase, salt, { n, r, p })
  const cipher = createCipheriv('aes-128-ctr', key.subarray(0, 16), iv)
  const ciphertext = Buffer.concat([cipher.update(secret), cipher.final()])
  return {
    version: 3,
    id: randomUUID(),
    address: addressOf(secret).slice(2).toLowerCase(),
    crypto: {
      cipher: 'aes-128-ctr',
      cipherparams: { iv: iv.toString('hex') },
      ciphertext: ciphertext.toString('hex'),
      kdf: 'scrypt',
      kdfparams: { n, r, p, dklen: 32, salt: salt.toString('hex') },
      mac: macOf(key, ciphertext).toString('hex'),
    },
  }
}

/** The key in a file; refuses what is no such file, or another passphrase's. */
export async function decryptSecret(file: unknown, passphrase: string): Promise<Uint8Array | Refusal> {
  const parsed = Secret.safeParse(lowerKeys(file))
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    return refuse(
      'key_file_invalid',
      `This is not a key file of version 3: ${issue?.path.join('.') || 'the whole'} ${issue?.message}.`,
      'Export it again from the wallet it is in.',
    )
  }
  const { cipherparams, ciphertext, mac, kdfparams } = parsed.data.crypto
  const key =
    'n' in kdfparams ? await stretch(passphrase, kdfparams.salt, kdfparams) : await promisify(pbkdf2)(passphrase, kdfparams.salt, kdfparams.c, 32, 'sha256')
  if (!timingSafeEqual(macOf(key, ciphertext), mac))
    return refuse('key_file_locked', 'The passphrase does not open this key file.', 'Give the passphrase it was exported with.')
  const decipher = createDecipheriv('aes-128-ctr', key.subarray(0, 16), cipherparams.iv)
  const secret = new Uint8Array(Buffer.concat([decipher.update(ciphertext), decipher.final()]))
  try {
    addressOf(secret)
    return secret
  } catch {
    return refuse('key_file_invalid', 'What this key file holds is no key.', 'Export it again from the wallet it is in.')
  }
}

export function addressOf(secret: Uint8Array): `0x${string}` {
  return privateKeyToAddress(`0x${Buffer.from(secret).toString('hex')}`)
}

/** RFC 7914 wants N below 2^(16 r), and OpenSSL insists; files of small r that do not keep to it exist, and are stretched without it. */
async function stretch(passphrase: string, salt: Uint8Array, { n, r, p }: { n: number; r: number; p: number }): Promise<Buffer> {
  if (16 * r < 53 && n >= 2 ** (16 * r)) return Buffer.from(await scryptAsync(passphrase, salt, { N: n, r, p, dkLen: 32 }))
  const options: ScryptOptions = { N: n, r, p, maxmem: 256 * n * r + 128 * r * p + 1024 * 1024 }
  return new Promise((resolve, reject) => scrypt(passphrase, salt, 32, options, (error, key) => (error ? reject(error) : resolve(key))))
}

function macOf(key: Uint8Array, ciphertext: Uint8Array): Buffer {
  return Buffer.from(keccak256(Buffer.concat([key.subarray(16, 32), ciphertext]), 'bytes'))
}

/** Some wallets write `Crypto`. */
function lowerKeys(file: unknown): unknown {
  if (typeof file !== 'object' || file === null || !('Crypto' in file)) return file
  const { Crypto, ...rest } = file as Record<string, unknown>
  return { ...rest, crypto: Crypto }
}
