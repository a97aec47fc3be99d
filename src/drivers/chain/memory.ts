/**
 * Chain in memory: a ledger that keeps the contracts' rules without a chain, for fast tests of what stands on top. It checks
 * signatures like the token does. Nothing of it survives the process. Knows nothing of RPC or gas.
 */
import { keccak256, toBytes, verifyTypedData } from 'viem'
import type { QueryPaid } from '../../core/earnings.ts'
import { isRefusal, refuse } from '../../core/errors.ts'
import type { Address, Hex, Listing } from '../../core/listing.ts'
import type { MarketEvent } from '../../core/market.ts'
import { splitByShares } from '../../core/passport.ts'
import type { Holder } from '../../core/shares.ts'
import type { Authorization, Chain, ExamRecord, Settlement } from '../../ports/chain.ts'
import { authorizationTypes, tokenDomain, wellFormed } from './authorization.ts'
import { deployments, inOrder, sharesDeployment } from './deploy.ts'
import { modelIdOf } from './evm.ts'
import { memoryBounties } from './memory-bounties.ts'
import { refusalFor } from './revert.ts'

const day = 86_400
/** The registry keeps a price in 88 bits. */
const maximumPrice = 2n ** 88n - 1n

/** An event without where it stands. */
type Said = MarketEvent extends infer One ? (One extends MarketEvent ? Omit<One, 'block' | 'place' | 'at'> : never) : never

type Model = Listing & { rise?: { price: bigint; at: number } | undefined }

/** What every account has of the native coin at first. */
const COIN = 10n ** 18n

/** `now` is in Unix milliseconds. */
export function memoryChain(options: { now?: () => number } = {}): Chain {
  const seconds = () => Math.floor((options.now ?? Date.now)() / 1000)
  const { contracts } = deployments()
  const network: Chain['network'] = { chainId: 31337, caip2: 'eip155:31337', test: true, currency: 'test OPEN', rpc: 'http://127.0.0.1:0' }
  const token = { name: 'Wrapped OPEN', version: '1' }
  const natives = new Map<string, bigint>()
  const balances = new Map<string, bigint>()
  const models = new Map<Hex, Model>()
  const exams = new Map<string, ExamRecord>()
  const settled = new Map<string, Settlement>()
  const shared = new Map<string, Holder[]>()
  const payments: QueryPaid[] = []
  const events: MarketEvent[] = []
  let block = 0
  /** A transaction with what it says. */
  const mine = (...said: Said[]): Hex => {
    block++
    events.push(...said.map((one, place) => ({ ...one, block, place, at: seconds() })))
    return keccak256(toBytes(`memory chain transaction ${block}`))
  }

  const balanceOf = (address: Address) => balances.get(address.toLowerCase()) ?? 0n
  const present = (modelId: Hex): Model | undefined => {
    const model = models.get(modelId)
    if (model?.rise && seconds() >= model.rise.at) Object.assign(model, { price: model.rise.price, rise: undefined })
    return model
  }
  const owned = (owner: Address, modelId: Hex) => {
    const model = present(modelId)
    if (!model) return refusalFor('UnknownModel', [modelId])
    return model.owner === owner ? model : refusalFor('NotModelOwner', [modelId, owner])
  }

  const refusalTo = async (modelId: Hex, authorization: Authorization) => {
    const { from, to, value, validAfter, validBefore, signature } = authorization
    const model = present(modelId)
    if (!model) return refusalFor('UnknownModel', [modelId])
    if (model.payout.toLowerCase() !== to.toLowerCase())
      return refuse('wrong_payee', `The authorization pays ${to}, but the model's builder is paid at ${model.payout}.`, 'Sign for the payee that was quoted.')
    if (from.toLowerCase() === model.payout.toLowerCase()) return refusalFor('PayerIsBuilder', [from])
    if (value !== model.price) return refusalFor('WrongAmount', [value, model.price])
    if (BigInt(seconds()) <= validAfter) return refusalFor('AuthorizationNotYetValid', [validAfter])
    if (BigInt(seconds()) >= validBefore) return refusalFor('AuthorizationExpired', [validBefore])
    const { signature: _, ...message } = authorization
    const domain = tokenDomain({ network, contracts, token })
    const genuine = await verifyTypedData({
      address: from,
      domain,
      types: authorizationTypes,
      primaryType: 'TransferWithAuthorization',
      message,
      signature,
    }).catch(() => false)
    if (!genuine) return refusalFor('InvalidSignature', [from])
    return balanceOf(from) < value ? refusalFor('InsufficientBalance', []) : undefined
  }

  const move = (from: Address, to: Address, amount: bigint): void => {
    balances.set(from.toLowerCase(), balanceOf(from) - amount)
    balances.set(to.toLowerCase(), balanceOf(to) + amount)
  }

  return {
    network,
    contracts,
    token,
    bounties: memoryBounties({ chainId: network.chainId, contracts, seconds, present, balanceOf, move, mine: () => mine() }),
    async balance(address) {
      return { open: balanceOf(address), native: natives.get(address.toLowerCase()) ?? COIN }
    },

    async register({ owner, slug, payout, price }) {
      const modelId = modelIdOf(network.chainId, contracts.registry, owner.address, keccak256(toBytes(slug)))
      if (models.has(modelId)) return { modelId, tx: null }
      if (price <= 0n || price > maximumPrice) return refusalFor('PriceOutOfRange', [price, maximumPrice])
      if (/^0x0{40}$/.test(payout)) return refusalFor('ZeroPayout', [])
      const zero: Hex = `0x${'00'.repeat(32)}`
      models.set(modelId, { modelId, owner: owner.address, payout, price, version: 0, packageId: zero, reportId: zero, retired: false })
      return { modelId, tx: mine({ kind: 'registered', modelId, owner: owner.address, payout, price }) }
    },

    async publishVersion({ owner, modelId, packageId, reportId }) {
      const model = owned(owner.address, modelId)
      if (isRefusal(model)) return model
      Object.assign(model, { packageId, reportId, version: model.version + 1 })
      return { tx: mine({ kind: 'version', modelId, version: model.version, packageId, reportId }), version: model.version }
    },

    async setPrice({ owner, modelId, price }) {
      const model = owned(owner.address, modelId)
      if (isRefusal(model)) return model
      if (price <= 0n || price > maximumPrice) return refusalFor('PriceOutOfRange', [price, maximumPrice])
      if (price > model.price) {
        model.rise = { price, at: seconds() + day }
        return { tx: mine({ kind: 'price-rise', modelId, price, effectiveAt: model.rise.at }) }
      }
      Object.assign(model, { price, rise: undefined })
      return { tx: mine({ kind: 'price', modelId, price }) }
    },

    async listing(modelId) {
      const model = present(modelId)
      if (!model) return undefined
      const { rise: _, ...listing } = model
      return listing
    },

    async unwrap({ owner, amount }) {
      const held = balanceOf(owner.address)
      if (amount <= 0n || amount > held)
        return refuse('amount_out_of_range', `${amount} is not above 0 and at most the ${held} that is held.`, 'Take out less.')
      const key = owner.address.toLowerCase()
      balances.set(key, held - amount)
      natives.set(key, (natives.get(key) ?? COIN) + amount)
      return { tx: mine() }
    },

    async share({ owner, modelId, holders }) {
      const model = owned(owner.address, modelId)
      if (isRefusal(model)) return model
      const contract = holders.length === 0 ? undefined : sharesDeployment(contracts.token, holders)
      if (contract && isRefusal(contract)) return contract
      const payout = contract?.address ?? owner.address
      if (model.payout.toLowerCase() === payout.toLowerCase()) return { payout, tx: null }
      if (contract) shared.set(payout.toLowerCase(), inOrder(holders))
      model.payout = payout
      return { payout, tx: mine({ kind: 'payout', modelId, payout }) }
    },

    holders: async (payout) => shared.get(payout.toLowerCase()),

    async distribute({ payout }) {
      const holders = shared.get(payout.toLowerCase())
      if (!holders) return refuse('payout_not_shared', `${payout} is no address that several people hold in shares.`, 'Nothing has to be sent on.')
      const amount = balanceOf(payout)
      if (amount === 0n) return refusalFor('NothingToDistribute', [])
      balances.set(payout.toLowerCase(), 0n)
      const parts = splitByShares(
        amount,
        holders.map(({ shares }) => shares),
      )
      for (const [place, { recipient }] of holders.entries()) balances.set(recipient.toLowerCase(), balanceOf(recipient) + parts[place]!)
      return { tx: mine(), amount }
    },

    async commitExam({ owner, modelId, examRoot }) {
      const model = owned(owner.address, modelId)
      if (isRefusal(model)) return model
      if (/^0x0{64}$/.test(examRoot)) return refusalFor('ZeroHash', [])
      if (exams.has(examOf(modelId, examRoot))) return { tx: null }
      exams.set(examOf(modelId, examRoot), { committedAt: seconds(), attempts: 0 })
      return { tx: mine({ kind: 'exam', modelId, examRoot }) }
    },

    async recordAttempt({ owner, modelId, examRoot }) {
      const model = owned(owner.address, modelId)
      if (isRefusal(model)) return model
      const exam = exams.get(examOf(modelId, examRoot))
      if (!exam) return refusalFor('UnknownExam', [modelId, examRoot])
      exam.attempts++
      return { tx: mine({ kind: 'attempt', modelId, examRoot, attempts: exam.attempts }), attempts: exam.attempts }
    },

    async exam(modelId, examRoot) {
      const exam = exams.get(examOf(modelId, examRoot))
      return exam && { ...exam }
    },

    async settle({ modelId, requestHash, authorization }) {
      const sound = wellFormed(authorization)
      if (isRefusal(sound)) return { status: 'refused', code: sound.code, message: sound.message }
      const refusal = await refusalTo(modelId, sound)
      // Nothing is awaited from here on, so of two that come at once the second finds what the first did.
      const standing = settled.get(keyOf(sound))
      if (standing) return standing
      if (refusal) return { status: 'refused', code: refusal.code, message: refusal.message }
      const { from, to, value, nonce } = sound
      if (balanceOf(from) < value) return { status: 'refused', code: 'insufficient_open', message: refusalFor('InsufficientBalance', []).message }
      move(from, to, value)
      const tx = mine({ kind: 'paid', modelId, payer: from, builder: to, amount: value })
      const paid: Settlement = { status: 'settled', tx, block, payer: from, builder: to, amount: value, modelId, final: true }
      settled.set(keyOf(sound), paid)
      payments.push({ modelId, payer: from, builder: to, amount: value, requestHash, nonce, tx, block })
      return paid
    },

    async settlement(authorization) {
      const sound = wellFormed(authorization)
      return isRefusal(sound) ? { status: 'refused', code: sound.code, message: sound.message } : settled.get(keyOf(sound))
    },

    async queriesPaid({ modelId, builder, fromBlock = 0 } = {}) {
      return payments.filter(
        (paid) =>
          (modelId === undefined || paid.modelId === modelId) &&
          (builder === undefined || paid.builder.toLowerCase() === builder.toLowerCase()) &&
          paid.block >= fromBlock,
      )
    },

    marketEvents: async ({ fromBlock, toBlock }) => events.filter((event) => event.block >= fromBlock && event.block <= toBlock),
    finalBlock: async () => block,
    costs: async () => ({ alone: 0n, together: 0n }),
    pulse: async () => ({ block, at: seconds(), relayers: [] }),
    warnings: async () => [],

    async fund(address, amount) {
      if (amount <= 0n || amount > 2n ** 119n) return refuse('amount_out_of_range', `${amount} is no amount the faucet gives.`, 'Ask for another amount.')
      balances.set(address.toLowerCase(), balanceOf(address) + amount)
      return { tx: mine() }
    },

    async close() {},
  }
}

function examOf(modelId: Hex, examRoot: Hex): string {
  return `${modelId}:${examRoot}`.toLowerCase()
}

function keyOf({ from, nonce }: Authorization): string {
  return `${from}:${nonce}`.toLowerCase()
}
