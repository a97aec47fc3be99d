/** Answer passports over HTTP, of queries paid on a real chain: made, checked offline, and changed in every place there is. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Address, createWalletClient, encodeFunctionData, type Hex, http, keccak256, type LocalAccount } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { modelfactory } from '../../../test/process.ts'
import { isRefusal, refuse } from '../../core/errors.ts'
import { contentId, hashText } from '../../core/id.ts'
import { mutations } from '../../core/mutations.suite.ts'
import { type SignedOffer, type SignedReceipt, signedIn } from '../../core/offer.ts'
import { type Passport, signedContent } from '../../core/passport.ts'
import { royaltyRouter } from '../../drivers/chain/contracts.generated.ts'
import { deployer, sharesDeployment } from '../../drivers/chain/deploy.ts'
import { rpcEvidence } from '../../drivers/passport/evidence.ts'
import { notary } from '../../drivers/passport/notary.ts'
import { entryIsProven, proveEntry } from '../../drivers/passport/trie.ts'
import { rpcWitness } from '../../drivers/passport/witness.ts'
import { keptPublications } from '../../factory/passports.ts'
import { authorize } from '../../ports/chain.suite.ts'
import { type Verdict, verifyPassport, verifySigned } from '../../steps/verify.ts'
import { openClient } from '../client/client.ts'
import { type Bench, canned, openBench, PRICE } from './bench.suite.ts'
import { type RunningServer, startServer } from './serve.ts'

let bench: Bench
let server: RunningServer
let passport: Passport
/** The settlement's response, as a stock x402 client was sent it. */
let settled: string | null
const body = JSON.stringify({ model: 'heart', messages: [{ role: 'user', content: 'My chest hurts. What should I do?' }] })

beforeAll(async () => {
  bench = await openBench()
  const started = await startServer({ factory: bench.factory, host: '127.0.0.1', port: 0, studioFolder: '/nowhere' })
  if (isRefusal(started)) throw new Error(started.message)
  server = started
  const { token } = bench.chain.contracts
  const client = await openClient({ url: server.url, account: bench.payer as never, network: 'eip155:31337', asset: token, maximum: PRICE })
  const paid = await client.fetch(`${server.url}/v1/chat/completions`, { method: 'POST', body })
  settled = paid.headers.get('payment-response')
  const { receipt } = ((await paid.json()) as { modelfactory: { receipt: { tx: string } } }).modelfactory
  const reply = await fetch(`${server.url}/api/receipts/${receipt.tx}/passport`)
  expect(reply.status).toBe(200)
  passport = (await reply.json()) as Passport
})
afterAll(async () => {
  await server.close()
  await bench.close()
})

const check = (made: unknown, options: Partial<Parameters<typeof verifyPassport>[1]> = {}) =>
  verifyPassport({ notary: notary() }, { passport: made, gateway: passport.gateway.address, ...options })
const failed = (verdict: Verdict) => verdict.checks.filter(({ outcome }) => outcome === 'fails').map(({ code }) => code)
const unknown = (verdict: Verdict) => verdict.checks.filter(({ outcome }) => outcome === 'open').map(({ code }) => code)

describe('the proof of a publication', () => {
  it('is handed out after the chain has forgotten the block, but not for an answer of before it', async () => {
    const evidence = rpcEvidence({ chain: bench.chain, url: () => bench.chain.network.rpc })
    const { modelId, packageId, publication, proofs } = passport
    const query = { modelId, packageId, until: passport.payment.block }
    const first = await keptPublications(evidence, bench.database.settings).publication(query)
    expect(first).toMatchObject({ version: publication.version, tx: publication.tx, proof: proofs.publication })
    const forgetful = { ...evidence, publication: async () => refuse('evidence_gone', 'The chain does not hold it.', 'Ask earlier.') }
    expect(await keptPublications(forgetful, bench.database.settings).publication(query)).toEqual(first)
    expect(isRefusal(await keptPublications(forgetful, bench.database.settings).publication({ ...query, until: publication.block - 1 }))).toBe(true)
    expect(isRefusal(await keptPublications(forgetful, bench.database.settings).publication({ ...query, packageId: hashText('another') }))).toBe(true)
  })
})

describe('a passport', () => {
  it('holds offline, and says what it cannot know', async () => {
    const verdict = await check(passport)
    expect(failed(verdict)).toEqual([])
    expect(unknown(verdict)).toEqual(['payment_block', 'publication_block', 'word', 'request_text', 'answer_text'])
    expect(passport.payment).toMatchObject({ builder: bench.builder.address.toLowerCase(), payer: bench.payer.address.toLowerCase(), amount: PRICE.toString() })
    expect(passport.gateway.vouch).not.toBeNull()
    expect(verdict.checks.find(({ code }) => code === 'report')?.says).toContain('token F1 0.875 on 40 cases')
    for (const { says } of verdict.checks) expect(says).toMatch(/^[A-Z].*\.$/)
  })

  it('holds against headers one trusts, and against a node', async () => {
    const headers = [keccak256(passport.proofs.payment.header), keccak256(passport.proofs.publication.header)]
    expect(unknown(await check(passport, { headers }))).not.toContain('payment_block')
    expect(failed(await check(passport, { headers: [hashText('another block')] }))).toEqual(['payment_block'])
    const witness = rpcWitness(bench.chain.network.rpc)
    const asked = await verifyPassport({ notary: notary(), witness }, { passport })
    expect([failed(asked), unknown(asked)]).toEqual([[], ['word', 'request_text', 'answer_text']])
    const elsewhere = { ...witness, blockHash: async () => hashText('a fork') }
    expect(failed(await verifyPassport({ notary: notary(), witness: elsewhere }, { passport }))).toEqual(['payment_block', 'publication_block'])
    const other = { ...witness, chainId: async () => 1 }
    expect(failed(await verifyPassport({ notary: notary(), witness: other }, { passport }))).toEqual(['payment_block', 'publication_block'])
    const dead = rpcWitness('http://127.0.0.1:1')
    expect(unknown(await verifyPassport({ notary: notary(), witness: dead }, { passport }))).toContain('payment_block')
  })

  it('takes the texts from whoever holds them, and compares their hashes', async () => {
    expect(unknown(await check(passport, { texts: { request: body, answer: canned } }))).toEqual(['payment_block', 'publication_block', 'word'])
    expect(failed(await check(passport, { texts: { request: `${body} ` } }))).toEqual(['request_text'])
    expect(failed(await check(passport, { texts: { answer: { ...canned, text: 'Run.' } } }))).toEqual(['answer_text'])
    expect(failed(await check({ ...passport, texts: { answer: { ...canned, citations: [] } } }))).toEqual(['answer_text', 'sources'])
  })

  it('is turned down by whoever expects another gateway, router or shape', async () => {
    expect(failed(await check(passport, { gateway: bench.payer.address }))).toEqual(['gateway'])
    expect(failed(await check(passport, { router: bench.payer.address }))).toEqual(['contracts'])
    for (const wrong of [null, 1, [], {}, 'passport', { ...passport, more: 1 }, { ...passport, format: 'modelfactory/passport@2' }])
      expect(failed(await check(wrong))).toEqual(['shape'])
  })

  it('is not made of what is not there', async () => {
    const ask = async (path: string) => {
      const reply = await fetch(`${server.url}/api/receipts/${path}`)
      return [reply.status, ((await reply.json()) as { error: { code: string } }).error.code]
    }
    expect(await ask('nonsense/passport')).toEqual([422, 'tx_invalid'])
    expect(await ask(`${hashText('nothing')}/passport`)).toEqual([404, 'receipt_not_found'])
    expect(await ask(`${passport.payment.tx}/passport?request=${hashText('another')}`)).toEqual([404, 'receipt_not_found'])
  })
})

describe('modelfactory verify', () => {
  it('tells what holds, exits with 0, and with 1 when a digit was changed', { timeout: 240_000 }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'modelfactory-verify-'))
    const file = join(folder, 'passport.json')
    await writeFile(file, JSON.stringify({ ...passport, texts: { request: body } }))
    const header = keccak256(passport.proofs.payment.header)
    const right = await modelfactory(['verify', file, '--header', header, '--json'], { data: folder })
    expect(right.code, right.stderr).toBe(0)
    expect(right.json).toMatchObject({ holds: true })
    expect(right.stderr).toMatch(/yes payment_event +The router recorded that 0x\w+ paid 0.01 to 0x\w+ for exactly this question/)
    expect(right.stderr).toMatch(/\? {3}word +That this model gave this answer/)
    await writeFile(file, JSON.stringify({ ...passport, payment: { ...passport.payment, amount: '1' } }))
    const wrong = await modelfactory(['verify', file, '--rpc', bench.chain.network.rpc, '--json'], { data: folder })
    expect([wrong.code, wrong.json]).toMatchObject([1, { error: { code: 'passport_does_not_hold' } }])
    expect(wrong.stderr).toMatch(/does NOT hold: signature, split, payment_event, payment_moved/)
    await writeFile(file, 'no json')
    expect((await modelfactory(['verify', file, '--json'], { data: folder })).json).toMatchObject({ error: { code: 'file_not_json' } })
    await rm(folder, { recursive: true })
  })
})

describe('tampering', () => {
  it('with any leaf is caught, by name', { timeout: 240_000 }, async () => {
    const whole = { ...passport, texts: { request: body, answer: canned } }
    expect(failed(await check(whole))).toEqual([])
    const missed: string[] = []
    let count = 0
    for (const { path, changed } of mutations(whole)) {
      count++
      const codes = failed(await check(changed))
      const wanted = path.startsWith('texts.request') ? 'request_text' : path.startsWith('texts.answer') ? 'answer_text' : 'signature'
      if (!codes.includes(wanted) && !codes.includes('shape')) missed.push(`${path}: ${codes.join()}`)
    }
    expect(missed).toEqual([])
    expect(count).toBeGreaterThan(70)
  })

  it('by adding or leaving out a field is caught as well', async () => {
    for (const key of Object.keys(passport) as (keyof Passport)[]) {
      const { [key]: _, ...rest } = passport
      expect(failed(await check(rest)), key).not.toEqual([])
    }
    const smuggled = { ...passport, package: { ...passport.package, more: 'trust me' } }
    expect(failed(await check(smuggled))).toEqual(['signature', 'package'])
  })

  /** What a gateway that lies can change and sign again: everything the chain or a hash bears out still fails, and by which check. */
  it('by the gateway itself is caught wherever the chain, a hash or the builder bears a claim out', { timeout: 240_000 }, async () => {
    const resign = await forger()
    const headers = [keccak256(passport.proofs.payment.header), keccak256(passport.proofs.publication.header)]
    const word: string[] = []
    for (const { path, changed } of mutations(await resign(passport))) {
      if (path === 'gateway.signature') continue
      const codes = failed(await verifyPassport({ notary: notary() }, { passport: await resign(changed as Passport), headers }))
      if (codes.length === 0) word.push(path)
    }
    // The answer's hash and its sources are the gateway's word; the command says so.
    expect(word).toEqual(['query.responseHash', 'query.sources.0'])
  })

  it('by somebody else is caught by the builder’s word, or by naming the gateway', async () => {
    const stranger = privateKeyToAccount(generatePrivateKey())
    const forged = structuredClone({ ...passport, query: { ...passport.query, responseHash: hashText('a lie') } })
    const own = { ...forged, gateway: { ...forged.gateway, address: stranger.address.toLowerCase() as Address } }
    const signed = await sign(own, stranger)
    expect(failed(await verifyPassport({ notary: notary() }, { passport: signed }))).toEqual(['vouch'])
    const silent = await sign({ ...own, gateway: { ...own.gateway, vouch: null } }, stranger)
    expect(failed(await check(silent))).toEqual(['gateway'])
    const verdict = await verifyPassport({ notary: notary() }, { passport: silent })
    expect([failed(verdict), unknown(verdict)]).toEqual([[], expect.arrayContaining(['gateway'])])
  })
})

async function sign(made: Passport, account: LocalAccount): Promise<Passport> {
  const { chainId, contracts } = made.payment
  const signature = await account.signTypedData({
    domain: { name: 'ModelFactory passport', version: '1', chainId, verifyingContract: contracts.router },
    types: { Passport: [{ name: 'content', type: 'bytes32' }] },
    primaryType: 'Passport',
    message: { content: signedContent(made) },
  })
  return { ...made, gateway: { ...made.gateway, signature } }
}

/** A gateway of our own with the builder's word, so that it can sign whatever it likes. */
async function forger(): Promise<(made: Passport) => Promise<Passport>> {
  const account = privateKeyToAccount(generatePrivateKey())
  const gateway = account.address.toLowerCase() as Address
  const vouch = await bench.builder.signTypedData({
    domain: { name: 'ModelFactory passport', version: '1', chainId: 31337, verifyingContract: passport.payment.contracts.router },
    types: { Gateway: [{ name: 'gateway', type: 'address' }] },
    primaryType: 'Gateway',
    message: { gateway },
  })
  let first = true
  return async (made) => {
    const changed = first ? { ...made, gateway: { ...made.gateway, address: gateway, vouch } } : made
    first = false
    return sign(changed, account).catch(() => changed)
  }
}

describe('x402 offers and receipts', () => {
  const now = 1_700_000_000
  const judge = (json: unknown, time = now) => {
    const [signed, second] = signedIn(json)
    if (!signed || second) throw new Error('There is not exactly one signed thing in it.')
    return verifySigned({ notary: notary() }, { signed, gateway: bench.gateway, now: time })
  }

  it('a 402 carries an offer of its very terms, signed by the gateway, once for all who ask alike', async () => {
    const ask = async () => {
      const reply = await fetch(`${server.url}/v1/chat/completions`, { method: 'POST', body })
      return [JSON.parse(atob(reply.headers.get('payment-required')!)), await reply.json()]
    }
    const [header, told] = await ask()
    expect(told.extensions).toEqual(header.extensions)
    const [{ signed }] = signedIn(header) as [{ kind: 'offer'; signed: SignedOffer }]
    const { scheme, network, asset, payTo, amount } = header.accepts[0]
    expect(signed.payload).toEqual({ version: 1, resourceUrl: header.resource.url, scheme, network, asset, payTo, amount, validUntil: expect.any(Number) })
    expect(signed.payload.validUntil).toBeGreaterThan(Date.now() / 1000 + 3600)
    expect(failed(await judge(header))).toEqual([])
    expect(failed(await judge(header, signed.payload.validUntil + 1))).toEqual(['offer_expired'])
    expect((await ask())[0].extensions).toEqual(header.extensions)
    for (const { path, changed } of mutations(signed)) {
      if (path === 'acceptIndex') continue // Not signed, as the specification has it.
      const [found] = signedIn(changed)
      if (found) expect(failed(await verifySigned({ notary: notary() }, { signed: found, gateway: bench.gateway, now })), path).toContain('signature')
    }
  })

  it('a settled answer carries a receipt with its transaction, and no changed one passes', async () => {
    const response = JSON.parse(atob(settled!))
    expect(failed(await judge(response))).toEqual([])
    const [{ signed }] = signedIn(response) as [{ kind: 'receipt'; signed: SignedReceipt }]
    expect(signed.payload).toMatchObject({ version: 1, network: 'eip155:31337', transaction: passport.payment.tx })
    expect(signed.payload.payer.toLowerCase()).toBe(passport.payment.payer)
    let caught = 0
    for (const { path, changed } of mutations(signed)) {
      const [found] = signedIn(changed)
      if (!found) continue
      expect(failed(await verifySigned({ notary: notary() }, { signed: found, gateway: bench.gateway, now })), path).toContain('signature')
      caught++
    }
    expect(caught).toBeGreaterThan(3)
  })
})

describe('a builder who shares', () => {
  it('has a passport whose split is proven by the payout address itself', async () => {
    const { chain } = bench
    const holders = [3n, 2n].map((shares) => ({ recipient: privateKeyToAccount(generatePrivateKey()).address, shares }))
    const deployment = sharesDeployment(chain.contracts.token, holders)
    if (isRefusal(deployment)) throw new Error(deployment.message)
    const wallet = createWalletClient({ account: bench.payer, transport: http(chain.network.rpc) })
    await wallet.sendTransaction({ to: deployer, data: deployment.data, gas: 3_000_000n, chain: null })
    const registered = await chain.register({ owner: bench.owner, slug: 'shared', payout: deployment.address, price: PRICE })
    if (isRefusal(registered)) throw new Error(registered.message)
    const { modelId } = registered
    await chain.publishVersion({ owner: bench.owner, modelId, ...bench.published })
    const requestHash = hashText('a question')
    const settled = await chain.settle({ modelId, requestHash, authorization: await authorize(chain, bench.payer, deployment.address, { value: PRICE }) })
    if (settled.status !== 'settled') throw new Error(settled.message)
    const { tx, block, builder, payer } = settled
    const receipt = { modelId, model: 'shared', packageId: bench.published.packageId, requestHash, responseHash: hashText('an answer'), tx, block }
    await bench.database.receipts.put({ ...receipt, amount: `${PRICE}`, payer, builder, sources: [], at: 1 })
    const shared = await bench.factory.passport(tx)
    if (isRefusal(shared)) throw new Error(shared.message)
    expect(shared.split.map(({ amount }) => amount).sort()).toEqual([(PRICE * 2n) / 5n, (PRICE * 3n) / 5n].map(String).sort())
    expect(shared.gateway.vouch).toBeNull()
    expect(failed(await check(shared))).toEqual([])
    const [one, other] = shared.split
    const greedy = { ...shared, split: [{ ...one!, recipient: bench.payer.address.toLowerCase() as Address }, other!] }
    expect(failed(await check(greedy))).toEqual(['signature', 'recipients'])
  })
})

describe('proofs', () => {
  it('of a payment among many transactions of several types follow to the header', async () => {
    const { chain } = bench
    const wallet = createWalletClient({ account: bench.payer, transport: http(chain.network.rpc) })
    const ask = (method: string, params: unknown[]) => wallet.request({ method, params } as never) as Promise<unknown>
    const { signature, to, ...rest } = await authorize(chain, bench.payer, bench.builder.address, { value: PRICE })
    const [modelId, requestHash] = [passport.modelId, hashText('among many')]
    const args = [modelId, requestHash, { ...rest, signature }] as const
    const call = encodeFunctionData({ abi: royaltyRouter.abi, functionName: 'payWithAuthorization', args })
    const nonce = Number(await ask('eth_getTransactionCount', [bench.payer.address, 'latest']))
    const fees = [{ gasPrice: 10_000_000_000n }, { maxFeePerGas: 10_000_000_000n, maxPriorityFeePerGas: 0n }] as const
    const send = (place: number) =>
      wallet.sendTransaction({
        ...(place === 17 ? { to: chain.contracts.router, data: call, gas: 300_000n } : { to, value: 1n, gas: 30_000n }),
        ...fees[place % 2],
        nonce: nonce + place,
        chain: null,
      } as never)
    await ask('evm_setAutomine', [false])
    const hashes: Hex[] = []
    for (let place = 0; place < 20; place++) hashes.push(await send(place))
    await ask('evm_mine', [])
    await ask('evm_setAutomine', [true])
    const proven = await rpcEvidence({ chain, url: () => chain.network.rpc }).payment({ tx: hashes[17]!, modelId, payer: bench.payer.address, requestHash })
    if (isRefusal(proven)) throw new Error(proven.message)
    expect([proven.proof.index, proven.proof.receiptNodes.length > 1, proven.amount]).toEqual([17, true, PRICE])
    const followed = await notary().follow(proven.proof)
    expect(followed).toMatchObject({ number: proven.block, success: true, tx: hashes[17], chainId: 31337 })
    const { network, contracts } = chain
    const elsewhere = rpcEvidence({ chain: { contracts: { ...contracts, router: contracts.token } }, url: () => network.rpc })
    expect(await elsewhere.payment({ tx: hashes[17]!, modelId, payer: bench.payer.address, requestHash })).toMatchObject({ code: 'payment_not_routed' })
    expect(await elsewhere.payment({ tx: hashText('none'), modelId, payer: bench.payer.address, requestHash })).toMatchObject({ code: 'evidence_gone' })
  })

  it('of lists of any length are followed, and of none that is not theirs', async () => {
    for (const length of [1, 2, 16, 17, 127, 128, 129, 300]) {
      const entries = Array.from({ length }, (_, place): Hex => `0x${'ab'.repeat(40)}${place.toString(16).padStart(4, '0')}`)
      for (const index of new Set([0, length >> 1, length - 1])) {
        const { root, value, nodes } = await proveEntry(entries, index)
        expect(await entryIsProven(root, index, value, nodes)).toBe(true)
        expect(await entryIsProven(root, index + 1, value, nodes)).toBe(false)
        expect(await entryIsProven(root, index, `${value}00`, nodes)).toBe(false)
        expect(await entryIsProven(contentId('another root'), index, value, nodes)).toBe(false)
        expect(await entryIsProven(root, index, value, nodes.slice(1))).toBe(false)
      }
    }
  })
})
