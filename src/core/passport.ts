/**
 * Passport: one paid answer in one file that anybody can check: what answered, how it did on its exam, what was asked and said
 * (as hashes), who paid whom, and proofs that the chain recorded it. Here are its shape, what of it is signed, and the checks
 * that hashing alone can make. Knows nothing of signatures, tries or RPC.
 */
import { z } from 'zod'
import { canonical, contentId, hashText, Id } from './id.ts'
import { Package } from './package.ts'
import { Report } from './report.ts'

const hex = (pattern: RegExp, what: string) => z.custom<`0x${string}`>((value) => typeof value === 'string' && pattern.test(value), `is not ${what}`)
const Address = hex(/^0x[0-9a-f]{40}$/, 'an address in lower case')
const Word = hex(/^0x[0-9a-f]{64}$/, '32 bytes in lower-case hex')
const Bytes = hex(/^0x([0-9a-f]{2})*$/, 'bytes in lower-case hex')
const Signature = hex(/^0x[0-9a-f]{130}$/, 'a signature of 65 bytes in lower-case hex')
const Whole = z.number().int().nonnegative()
const Amount = z.string().regex(/^(0|[1-9]\d{0,77})$/, 'is not a whole number of atomic units')

/** One log of one transaction, with what leads from it to the hash of its block (Ethereum yellow paper, 4.3). */
export const Proof = z.strictObject({
  /** RLP of the block's header; its keccak256 is the block's hash. */
  header: Bytes,
  /** Place of the transaction in its block: the key in both tries is its RLP. */
  index: Whole,
  /** The receipt as it stands in the trie, and the trie's nodes from the receipts root down to it. */
  receipt: Bytes,
  receiptNodes: z.array(Bytes).min(1).max(64),
  /** The signed transaction as it stands in the trie, and the nodes from the transactions root down to it. */
  transaction: Bytes,
  transactionNodes: z.array(Bytes).min(1).max(64),
})
export type Proof = z.infer<typeof Proof>

const Place = { tx: Word, block: Whole, logIndex: Whole }

const Citation = z.strictObject({
  quote: z.string(),
  title: z.string(),
  heading: z.string(),
  file: z.string(),
  url: z.string().optional(),
  probability: z.number(),
})
/** An {@link import('./answer.ts').Answer} as JSON. */
export const AnswerText = z.strictObject({
  text: z.string(),
  label: z.string().optional(),
  labels: z.array(z.string()).optional(),
  entities: z.array(z.strictObject({ type: z.string(), text: z.string(), start: z.number(), end: z.number(), probability: z.number() })).optional(),
  scores: z.array(z.strictObject({ label: z.string(), probability: z.number() })).optional(),
  citations: z.array(Citation),
  abstained: z.boolean(),
})

export const Passport = z.strictObject({
  format: z.literal('modelfactory/passport@1'),
  modelId: Word,
  packageId: Id,
  /** The manifest itself: its hash is `packageId`, and it names the base, the weights, the exam and the report by hash. */
  package: Package,
  /** How this version did on its exam; its hash stands in the manifest. */
  report: Report,
  query: z.strictObject({ requestHash: Id, responseHash: Id, sources: z.array(z.string()) }),
  payment: z.strictObject({
    chainId: z.number().int().positive(),
    contracts: z.strictObject({ token: Address, registry: Address, router: Address }),
    ...Place,
    payer: Address,
    builder: Address,
    amount: Amount,
    nonce: Word,
  }),
  /** Who gets the money: the builder, whole; or, where the builder is a RoyaltyShares contract, its holders by their shares. */
  split: z
    .array(z.strictObject({ recipient: Address, shares: Amount, amount: Amount }))
    .min(1)
    .max(100),
  /** The transaction that published this version of the model: the package's hash beside the report's. */
  publication: z.strictObject({ version: z.number().int().positive(), ...Place }),
  proofs: z.strictObject({ payment: Proof, publication: Proof }),
  gateway: z.strictObject({
    address: Address,
    /** The builder's signature over the gateway's address, where the gateway has the builder's word. */
    vouch: Signature.nullable(),
    signature: Signature,
  }),
  /** Added by whoever holds the texts; not signed, because the hashes of both are. */
  texts: z.strictObject({ request: z.string().optional(), answer: AnswerText.optional() }).optional(),
})
export type Passport = z.infer<typeof Passport>

/** `open`: this cannot be known from the file alone, and the sentence says what would tell. */
export type Check = { code: string; outcome: 'holds' | 'fails' | 'open'; says: string }

export const holds = (code: string, says: string): Check => ({ code, outcome: 'holds', says })
export const fails = (code: string, says: string): Check => ({ code, outcome: 'fails', says })
export const open = (code: string, says: string): Check => ({ code, outcome: 'open', says })

/** What the gateway signs: the hash of everything but the signature itself and the texts. `passport` is the JSON as it came. */
export function signedContent(passport: Readonly<Record<string, unknown>>): Id {
  const { texts: _, gateway, ...rest } = passport
  const { signature: __, ...signer } = gateway as Record<string, unknown>
  return contentId({ ...rest, gateway: signer })
}

/** The hash of a request as the gateway makes it: the model's id, a line break, the body byte for byte. */
export function requestHashOf(modelId: string, body: string): Id {
  return hashText(`${modelId}\n${body}`)
}

/** Splits an amount by shares as RoyaltyShares does: nobody gets less than their whole units, and the parts add up exactly. */
export function splitByShares(amount: bigint, shares: readonly bigint[]): bigint[] {
  const total = shares.reduce((sum, share) => sum + share, 0n)
  let reached = 0n
  let sent = 0n
  return shares.map((share) => {
    reached += share
    const owed = (amount * reached) / total
    const part = owed - sent
    sent = owed
    return part
  })
}

/** The checks that need nothing but hashing and adding up. `raw` is the same passport as parsed JSON, before any schema touched it. */
export function pureChecks(passport: Passport, raw: Record<string, unknown>): Check[] {
  const { query, payment, split } = passport
  const manifest = passport.package
  const checks: Check[] = []
  const say = (code: string, right: boolean, yes: string, no: string) => checks.push(right ? holds(code, yes) : fails(code, no))
  say(
    'package',
    contentId(raw.package) === passport.packageId,
    `The package is the one with hash ${passport.packageId}: "${manifest.name}", on the base ${manifest.base.name} (${manifest.base.sha256}).`,
    `The package's hash is not ${passport.packageId}: the package, or the hash, was changed.`,
  )
  const tuned = passport.report.arms.find((arm) => arm.name === 'tuned')
  say(
    'report',
    contentId(raw.report) === manifest.reportId && passport.report.weightsId === manifest.weightsId && passport.report.examId === manifest.examId,
    `The exam report is the one the package names: ${tuned ? `${passport.report.metric} ${tuned.score.toFixed(3)}` : 'no score'} on ${passport.report.n} cases.`,
    'The exam report is not the one that the package names.',
  )
  const amount = BigInt(payment.amount)
  const parts = splitByShares(
    amount,
    split.map(({ shares }) => BigInt(shares)).map((share) => (share > 0n ? share : 1n)),
  )
  const fair = split.every((part, place) => BigInt(part.shares) > 0n && BigInt(part.amount) === parts[place])
  say(
    'split',
    fair && split.reduce((sum, part) => sum + BigInt(part.amount), 0n) === amount,
    `The parts add up to the whole payment, ${amount} atomic units.`,
    `The parts of the split do not add up to the payment of ${amount} atomic units by the shares they name.`,
  )
  const { request, answer } = passport.texts ?? {}
  if (request !== undefined)
    say(
      'request_text',
      requestHashOf(passport.modelId, request) === query.requestHash,
      'The request is, byte for byte, the one that was paid for.',
      'The request is not the one that was paid for: its hash is another one.',
    )
  if (answer !== undefined) {
    const told = (raw.texts as { answer: unknown }).answer
    say(
      'answer_text',
      contentId(told) === query.responseHash,
      'The answer is the one whose hash was signed.',
      'The answer is not the one whose hash was signed.',
    )
    const cited = [...new Set(answer.citations.map(({ title, heading, file }) => [title, heading, file].filter(Boolean).join(' > ')))]
    say('sources', canonical(cited) === canonical(query.sources), 'The sources are those the answer cites.', 'The sources are not those the answer cites.')
  }
  return checks
}
