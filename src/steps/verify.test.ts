/** A passport kept since its format was made, read by today's code without any chain: it holds, and no leaf of it can change. */
import { readFile } from 'node:fs/promises'
import { fromRlp, type Hex, keccak256, toRlp } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { expect, it } from 'vitest'
import type { Address } from '../core/listing.ts'
import { mutations } from '../core/mutations.suite.ts'
import { type Passport, signedContent } from '../core/passport.ts'
import { notary } from '../drivers/passport/notary.ts'
import { proveEntry } from '../drivers/passport/trie.ts'
import { type VerifyOptions, verifyPassport } from './verify.ts'

const kept = JSON.parse(await readFile(new URL('fixtures/passport.json', import.meta.url), 'utf8')) as Passport
// The contracts of the time, whatever a later version deploys.
const { router } = kept.payment.contracts
const failed = async (passport: unknown, options: Partial<VerifyOptions> = {}) => {
  const { holds, checks } = await verifyPassport({ notary: notary() }, { passport, router, ...options })
  const codes = checks.filter(({ outcome }) => outcome === 'fails').map(({ code }) => code)
  expect(holds).toBe(codes.length === 0)
  return codes
}

it('holds', async () => {
  expect(await failed(kept, { gateway: kept.gateway.address })).toEqual([])
})

it('does not hold with any leaf changed', async () => {
  for (const { path, changed } of mutations(kept)) expect(await failed(changed), path).not.toEqual([])
})

const gateway = privateKeyToAccount(generatePrivateKey())
const address = gateway.address.toLowerCase() as Address
/** The kept passport, changed, and signed by a gateway that nobody vouches for. */
async function lie(change: (passport: Passport) => unknown, options: Partial<VerifyOptions> = {}): Promise<string[]> {
  const passport = structuredClone({ ...kept, gateway: { address, vouch: null, signature: kept.gateway.signature } })
  await change(passport)
  const { chainId, contracts } = passport.payment
  const domain = { name: 'ModelFactory passport', version: '1', chainId, verifyingContract: contracts.router }
  const types = { Passport: [{ name: 'content', type: 'bytes32' }] }
  passport.gateway.signature = await gateway.signTypedData({ domain, types, primaryType: 'Passport', message: { content: signedContent(passport) } })
  return failed(passport, options)
}

type Nested = Hex | Nested[]
/** A block made up so that it holds the proof's receipt with another emitter of one of its logs. */
async function emittedBy(proof: Passport['proofs']['payment'], logIndex: number, emitter: Hex): Promise<Passport['proofs']['payment']> {
  const receipt = fromRlp(`0x${proof.receipt.slice(4)}`, 'hex') as Nested[]
  ;((receipt[3] as Nested[])[logIndex] as Nested[])[0] = emitter
  const forged: Hex = `${proof.receipt.slice(0, 4) as Hex}${toRlp(receipt).slice(2)}`
  const { root, nodes } = await proveEntry([forged], 0)
  const header = fromRlp(proof.header, 'hex') as Nested[]
  header[5] = root
  return { ...proof, receipt: forged, receiptNodes: nodes, header: toRlp(header) }
}

it('believes no log of another contract, and no block made up, once a header is known', async () => {
  const { payment } = kept.proofs
  const place = kept.payment.logIndex
  expect(await lie(async (passport) => (passport.proofs.payment = await emittedBy(payment, place, address)))).toEqual(['payment_event'])
  // The token's own logs stand before the router's.
  expect(await lie(async (passport) => (passport.proofs.payment = await emittedBy(payment, place - 1, address)))).toEqual(['payment_moved'])
  const version = kept.publication.logIndex
  const published = async (passport: Passport) => (passport.proofs.publication = await emittedBy(kept.proofs.publication, version, address))
  expect(await lie(published)).toEqual(['publication_event'])
  const made = async (passport: Passport) => (passport.proofs.payment = await emittedBy(payment, place - 2, address))
  expect(await lie(made)).toEqual([])
  expect(await lie(made, { headers: [keccak256(payment.header)] })).toEqual(['payment_block'])
})

it('follows a proof only where every step of it is there', async () => {
  const flip = (hex: Hex): Hex => `${hex.slice(0, -1)}${hex.endsWith('0') ? '1' : '0'}` as Hex
  for (const which of ['payment', 'publication'] as const) {
    for (const part of ['receipt', 'transaction'] as const) {
      expect(await lie(({ proofs }) => (proofs[which][part] = flip(proofs[which][part])))).toEqual([`${which}_proof`])
      const nodes = `${part}Nodes` as const
      expect(await lie(({ proofs }) => (proofs[which][nodes] = proofs[which][nodes].map(flip)))).toEqual([`${which}_proof`])
    }
    expect(await lie(({ proofs }) => proofs[which].index++)).toEqual([`${which}_proof`])
    expect(await lie(({ proofs }) => (proofs[which].header = '0xc0'))).toEqual([`${which}_proof`])
  }
})

/** What each claim is caught by when the gateway itself signs the lie. */
it('is caught by what bears each claim out, not by the signature alone', async () => {
  const other = `0x${'5a'.repeat(32)}` as const
  expect(await lie(() => {})).toEqual([])
  expect(await lie(({ report }) => (report.arms[0]!.score = 0.99))).toEqual(['report'])
  expect(await lie((passport) => (passport.package.base.name = 'a better base'))).toEqual(['package'])
  expect(await lie((passport) => (passport.packageId = other))).toEqual(['package', 'publication_event'])
  expect(await lie((passport) => (passport.modelId = other))).toEqual(['request_text', 'payment_event', 'publication_event'])
  expect(await lie(({ query }) => (query.requestHash = other))).toEqual(['request_text', 'payment_event'])
  expect(await lie(({ query }) => (query.responseHash = other))).toEqual(['answer_text'])
  expect(await lie(({ query }) => (query.sources = ['The Lancet']))).toEqual(['sources'])
  expect(await lie(({ payment }) => (payment.nonce = other))).toEqual(['payment_event'])
  expect(await lie(({ payment }) => (payment.payer = address))).toEqual(['payment_event', 'payment_moved'])
  expect(await lie(({ payment }) => (payment.tx = other))).toEqual(['payment_place'])
  expect(await lie(({ payment }) => payment.block++)).toEqual(['payment_place'])
  expect(await lie(({ payment }) => payment.logIndex--)).toEqual(['payment_event'])
  expect(await lie(({ payment }) => (payment.chainId = 1))).toEqual(['payment_chain', 'publication_chain'])
  expect(await lie(({ payment }) => (payment.contracts.token = address))).toEqual(['payment_moved'])
  expect(await lie(({ publication }) => publication.version++)).toEqual(['publication_event'])
  expect(await lie((passport) => (passport.publication.block = passport.payment.block + 1))).toEqual(['order', 'publication_place'])
  expect(await lie(({ split }) => (split[0]!.recipient = address))).toEqual(['recipients'])
  expect(await lie(({ split, payment }) => split.push({ recipient: address, shares: '1', amount: payment.amount }))).toEqual(['split', 'recipients'])
  expect(await lie((passport) => (passport.proofs.payment = passport.proofs.publication))).toEqual(['payment_event', 'payment_moved', 'payment_place'])
})
