/**
 * Passport -> checks: every claim of a passport followed to what bears it out, each with a sentence. Nothing is asked of anybody
 * unless a witness is given. Knows nothing of files, of RPC, or of how a sentence is printed.
 */
import { isRefusal } from '../core/errors.ts'
import type { Address, Hex } from '../core/listing.ts'
import type { Signed } from '../core/offer.ts'
import { type Check, fails, holds, open, Passport, pureChecks, signedContent } from '../core/passport.ts'
import { formatOpen } from '../core/royalty.ts'
import type { Notary, Proven, Witness } from '../ports/evidence.ts'

export type VerifyOptions = {
  /** Parsed JSON, of any shape. */
  passport: unknown
  /** What the holder has: the request's body byte for byte, and the answer. */
  texts?: { request?: string | undefined; answer?: unknown }
  /** The gateway it must be signed by, where the holder knows. */
  gateway?: Address | undefined
  /** The router to believe, where it is not this program's own. */
  router?: Address | undefined
  /** Hashes of blocks the holder trusts. */
  headers?: readonly Hex[]
}

/** What came out: it holds when nothing fails. `open` checks are what the file alone cannot tell. */
export type Verdict = { holds: boolean; checks: Check[] }

/** Checks an x402 offer or receipt: who signed it, whether that is who the holder expects, and whether it still holds at `now` (Unix seconds). */
export async function verifySigned(ports: { notary: Notary }, options: { signed: Signed; gateway?: Address | undefined; now: number }): Promise<Verdict> {
  const { signed, gateway, now } = options
  const signer = await ports.notary.offerSigner(signed)
  const checks: Check[] = []
  if (signer === undefined) return verdict([fails('signature', `Nobody can have signed this ${signed.kind}: the signature is not one.`)])
  if (gateway === undefined)
    checks.push(
      open('signature', `Signed by ${signer}, if nothing was changed; name the gateway you expect, since any change makes it look signed by somebody else.`),
    )
  else if (signer === gateway.toLowerCase()) checks.push(holds('signature', `Signed by the gateway ${signer}, and unchanged since.`))
  else
    checks.push(
      fails('signature', `The gateway ${gateway.toLowerCase()} did not sign this ${signed.kind}: something was changed since, or somebody else signed.`),
    )
  if (signed.kind === 'offer') {
    const { amount, asset, network, payTo, resourceUrl, validUntil } = signed.signed.payload
    checks.push(holds('offer', `It offers ${resourceUrl} for ${amount} atomic units of ${asset} on ${network}, paid to ${payTo}.`))
    if (validUntil > 0 && validUntil < now) checks.push(fails('offer_expired', `The offer held until ${iso(validUntil)}, and it is ${iso(now)} now.`))
  } else {
    const { payer, issuedAt, transaction, network, resourceUrl } = signed.signed.payload
    const where = transaction === '' ? 'no transaction is named' : `in transaction ${transaction} on ${network}`
    checks.push(holds('receipt', `It says that ${payer} paid for ${resourceUrl} at ${iso(issuedAt)}, ${where}.`))
    checks.push(open('word', 'That the payment was made is the gateway’s word here; the passport of the answer proves it.'))
  }
  return verdict(checks)
}

function iso(seconds: number): string {
  return seconds < 1e11 ? new Date(seconds * 1000).toISOString() : `${seconds} s`
}

/** @throws only faults of the notary; a witness that does not answer is an open check. */
export async function verifyPassport(ports: { notary: Notary; witness?: Witness | undefined }, options: VerifyOptions): Promise<Verdict> {
  const raw = withTexts(options)
  const parsed = Passport.safeParse(raw)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    const where = issue?.path.join('.') || 'The file'
    return verdict([fails('shape', `This is not a passport as modelfactory/passport@1 describes it: ${where}: ${issue?.message}.`)])
  }
  const passport = parsed.data
  const checks: Check[] = [holds('shape', 'Every field a passport needs is there, and no other.')]
  checks.push(...(await signatures(ports.notary, passport, raw as Record<string, unknown>, options.gateway)))
  checks.push(...pureChecks(passport, raw as Record<string, unknown>))
  checks.push(contracts(ports.notary, passport, options.router), splitBelongs(ports.notary, passport))
  const payment = await ports.notary.follow(passport.proofs.payment)
  const publication = await ports.notary.follow(passport.proofs.publication)
  checks.push(...(isRefusal(payment) ? [fails('payment_proof', payment.message)] : paid(ports.notary, passport, payment)))
  checks.push(...(isRefusal(publication) ? [fails('publication_proof', publication.message)] : published(ports.notary, passport, publication)))
  if (!isRefusal(payment) && !isRefusal(publication)) {
    checks.push(await anchored(ports.witness, 'payment_block', 'the payment', payment, passport, options.headers ?? []))
    checks.push(await anchored(ports.witness, 'publication_block', 'the publication', publication, passport, options.headers ?? []))
  }
  checks.push(
    open('word', 'That this model gave this answer, from these sources, is the gateway’s word: the chain records the question’s hash, not the answer’s.'),
  )
  if (passport.texts?.request === undefined)
    checks.push(open('request_text', 'The request itself is not here; give the body that was sent to compare its hash.'))
  if (passport.texts?.answer === undefined) checks.push(open('answer_text', 'The answer itself is not here; give it to compare its hash.'))
  return verdict(checks)
}

function verdict(checks: Check[]): Verdict {
  return { holds: checks.every(({ outcome }) => outcome !== 'fails'), checks }
}

/** The passport with the holder's texts in it; those in the file stay where none was given. */
function withTexts({ passport, texts }: VerifyOptions): unknown {
  if (typeof passport !== 'object' || passport === null || Array.isArray(passport)) return passport
  const given = Object.fromEntries(Object.entries(texts ?? {}).filter(([, value]) => value !== undefined))
  if (Object.keys(given).length === 0) return passport
  return { ...passport, texts: { ...(passport as { texts?: object }).texts, ...given } }
}

async function signatures(notary: Notary, passport: Passport, raw: Readonly<Record<string, unknown>>, known: Address | undefined): Promise<Check[]> {
  const { payment, gateway } = passport
  const { chainId } = payment
  const { router } = payment.contracts
  const signer = await notary.signer({ chainId, router, content: signedContent(raw) }, gateway.signature)
  const checks: Check[] = [
    signer === gateway.address
      ? holds('signature', `Signed by the gateway ${gateway.address}, and unchanged since.`)
      : fails('signature', `The gateway ${gateway.address} did not sign this: something was changed since, or somebody else signed.`),
  ]
  if (gateway.vouch !== null) {
    const by = await notary.signer({ chainId, router, gateway: gateway.address }, gateway.vouch)
    checks.push(
      by === payment.builder
        ? holds('vouch', `The builder ${payment.builder}, who was paid, vouches for this gateway.`)
        : fails('vouch', 'The word for this gateway is not the word of the builder who was paid.'),
    )
  }
  if (known !== undefined)
    checks.push(
      known.toLowerCase() === gateway.address
        ? holds('gateway', 'It is the gateway you named.')
        : fails('gateway', `The gateway is ${gateway.address}, and you expected ${known.toLowerCase()}.`),
    )
  else if (gateway.vouch === null)
    checks.push(open('gateway', `Whether ${gateway.address} is a gateway to believe cannot be known from the file; name the one you expect.`))
  return checks
}

function contracts(notary: Notary, { payment }: Passport, router: Address | undefined): Check {
  const { contracts } = payment
  if (router !== undefined)
    return contracts.router === router.toLowerCase()
      ? holds('contracts', 'The router is the one you named.')
      : fails('contracts', `The router is ${contracts.router}, and you expected ${router.toLowerCase()}.`)
  const own = notary.contracts
  return contracts.router === own.router && contracts.registry === own.registry && contracts.token === own.token
    ? holds('contracts', 'Token, registry and router stand where only this program’s own contracts can stand, by their code.')
    : fails('contracts', `The router ${contracts.router} is not this program’s own (${own.router}); name it if you trust it.`)
}

/** A builder who is one address gets all; a RoyaltyShares contract has its address from its holders, so no other split fits it. */
function splitBelongs(notary: Notary, { payment, split }: Passport): Check {
  const [first] = split
  if (split.length === 1 && first?.recipient === payment.builder)
    return first.shares === '1' ? holds('recipients', 'All of it goes to the builder.') : fails('recipients', 'A builder who gets all has one share of one.')
  const address = notary.sharesAddress(
    payment.contracts.token,
    split.map(({ recipient, shares }) => ({ recipient, shares: BigInt(shares) })),
  )
  return address === payment.builder
    ? holds(
        'recipients',
        `The payout address is, by its code, the contract that pays these ${split.length} recipients by these shares and can do nothing else.`,
      )
    : fails('recipients', `The payout address ${payment.builder} does not belong to these recipients and shares.`)
}

function paid(notary: Notary, passport: Passport, proven: Proven): Check[] {
  const { payment, query, modelId } = passport
  const { contracts } = payment
  const log = proven.logs[payment.logIndex]
  const event = log?.address === contracts.router ? notary.queryPaid(log) : undefined
  const right =
    event?.modelId === modelId &&
    event.payer === payment.payer &&
    event.builder === payment.builder &&
    event.amount === BigInt(payment.amount) &&
    event.requestHash === query.requestHash &&
    event.nonce === payment.nonce
  const moved = proven.logs.some((other) => {
    const transfer = other.address === contracts.token ? notary.transfer(other) : undefined
    return transfer?.from === payment.payer && transfer.to === payment.builder && transfer.amount === BigInt(payment.amount)
  })
  const when = new Date(proven.timestamp * 1000).toISOString()
  return [
    holds('payment_proof', `The payment’s receipt and transaction lead to the block ${proven.blockHash}.`),
    proven.success && right
      ? holds(
          'payment_event',
          `The router recorded that ${payment.payer} paid ${formatOpen(BigInt(payment.amount))} to ${payment.builder} for exactly this question to this model.`,
        )
      : fails('payment_event', 'What the router recorded is not this payment: model, payer, builder, amount, question or nonce differ.'),
    moved
      ? holds('payment_moved', 'In the same transaction the token moved that amount from payer to builder, in one movement.')
      : fails('payment_moved', 'In that transaction the token did not move that amount from payer to builder.'),
    ...place('payment', payment, proven, payment.chainId, `at ${when}`),
  ]
}

function published(notary: Notary, passport: Passport, proven: Proven): Check[] {
  const { publication, payment, packageId, modelId } = passport
  const log = proven.logs[publication.logIndex]
  const event = log?.address === payment.contracts.registry ? notary.versionPublished(log) : undefined
  const right =
    event?.modelId === modelId && event.version === publication.version && event.packageHash === packageId && event.reportHash === passport.package.reportId
  return [
    holds('publication_proof', `The publication’s receipt and transaction lead to the block ${proven.blockHash}.`),
    proven.success && right
      ? holds('publication_event', `The registry recorded this package and this exam report as version ${publication.version} of the model.`)
      : fails('publication_event', 'What the registry recorded is not this package and report as this version of the model.'),
    publication.block <= payment.block
      ? holds('order', 'The version was published before it was paid for.')
      : fails('order', 'The version was published only after it was paid for.'),
    ...place('publication', publication, proven, payment.chainId, ''),
  ]
}

/** Transaction, block and chain as the passport names them, against what the proof shows. */
function place(what: 'payment' | 'publication', named: { tx: Hex; block: number }, proven: Proven, chainId: number, when: string): Check[] {
  const right = named.tx === proven.tx && named.block === proven.number
  const chain = proven.chainId === chainId
  return [
    right
      ? holds(`${what}_place`, `Transaction ${named.tx} stands in block ${named.block}${when && `, ${when}`}.`)
      : fails(`${what}_place`, `The proof is of transaction ${proven.tx} in block ${proven.number}, not of ${named.tx} in block ${named.block}.`),
    chain
      ? holds(`${what}_chain`, `It was signed for chain ${chainId} alone.`)
      : fails(
          `${what}_chain`,
          `The transaction was signed for ${proven.chainId === undefined ? 'no chain by name' : `chain ${proven.chainId}`}, not for chain ${chainId}.`,
        ),
  ]
}

/** Whether a block is one of the chain: by a header the holder trusts, or by a node's word. */
async function anchored(witness: Witness | undefined, code: string, what: string, proven: Proven, passport: Passport, headers: readonly Hex[]): Promise<Check> {
  if (headers.some((hash) => hash.toLowerCase() === proven.blockHash)) return holds(code, `The block of ${what} is one you trust.`)
  if (witness) {
    try {
      const [chainId, hash, latest] = await Promise.all([witness.chainId(), witness.blockHash(proven.number), witness.latest()])
      if (chainId !== passport.payment.chainId) return fails(code, `The node is on chain ${chainId}, the passport on ${passport.payment.chainId}.`)
      if (hash === undefined) return fails(code, `The node has no block ${proven.number}.`)
      return hash === proven.blockHash
        ? holds(code, `The node has the block of ${what} as number ${proven.number}, with ${latest - proven.number} blocks on top.`)
        : fails(code, `The node’s block ${proven.number} is ${hash}, not ${proven.blockHash}: ${what} is not on this chain.`)
    } catch {
      return open(code, `The node did not answer, so whether block ${proven.number} is on the chain is not known.`)
    }
  }
  // One header is of the payment; who gives more gives that of the publication too.
  if (headers.length > (code === 'payment_block' ? 0 : 1)) return fails(code, `The block of ${what}, ${proven.blockHash}, is none of the headers you gave.`)
  return open(code, `Whether block ${proven.blockHash} is on the chain cannot be known from the file; give its header, or a node to ask.`)
}
