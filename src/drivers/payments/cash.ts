/**
 * Payments in cash: a fake whose notes are plain JSON, signed by hashing with a secret each payer shared beforehand.
 * Passes the suite of the port, so steps can be tried without a wallet. Knows nothing of chains; its money is in a map.
 */
import { z } from 'zod'
import { type Refusal, refuse } from '../../core/errors.ts'
import { contentId } from '../../core/id.ts'
import type { Address, Hex } from '../../core/listing.ts'
import type { Authorization } from '../../ports/chain.ts'
import type { Payments } from '../../ports/payments.ts'

const hex = z.custom<Hex>((value) => typeof value === 'string' && /^0x[0-9a-fA-F]+$/.test(value))
const integer = z.string().regex(/^\d+$/).transform(BigInt)
const Note = z.object({ from: hex, to: hex, value: integer, validAfter: integer, validBefore: integer, nonce: hex, signature: hex })

export type CashPayments = Payments & {
  /** The header with which `message.from` pays, signed with the secret of `signedBy`. */
  sign(message: Omit<Authorization, 'signature'>, signedBy?: Address): string
}

/** `secrets` and `balances` are by lower-case address; `now` is Unix seconds. */
export function cashPayments(options: { secrets: Map<string, string>; balances: Map<string, bigint>; now: () => bigint }): CashPayments {
  const { secrets, balances, now } = options
  const words = (message: Omit<Authorization, 'signature'>) => ({
    from: message.from.toLowerCase() as Address,
    to: message.to.toLowerCase() as Address,
    value: message.value.toString(),
    validAfter: message.validAfter.toString(),
    validBefore: message.validBefore.toString(),
    nonce: message.nonce.toLowerCase() as Hex,
  })
  const mark = (message: Omit<Authorization, 'signature'>, signer: string): Hex =>
    contentId({ ...words(message), secret: secrets.get(signer.toLowerCase()) ?? null })
  const no = (code: string) => refuse(code, `The note is refused: ${code}.`, 'Write another note.')

  function read(header: string): { authorization: Authorization } | Refusal {
    try {
      const note = Note.safeParse(JSON.parse(atob(header)))
      return note.success ? { authorization: note.data } : no('payment_malformed')
    } catch {
      return no('payment_malformed')
    }
  }

  return {
    required: (quote, reason) => ({
      headers: { 'X-Cash': quote.price.toString() },
      body: {
        error: { message: `${reason.message} ${reason.hint}`, type: 'payment_required', code: reason.code, param: null },
        price: quote.price.toString(),
      },
    }),
    read,
    async verify(header, quote) {
      const note = read(header)
      if ('refused' in note) return note
      const { authorization } = note
      if (authorization.to !== quote.payTo.toLowerCase()) return no('payment_wrong_payee')
      if (authorization.value !== quote.price) return no('payment_wrong_amount')
      if (authorization.validAfter >= now()) return no('payment_not_yet_valid')
      if (authorization.validBefore <= now()) return no('payment_expired')
      if (authorization.validBefore < now() + 60n) return no('payment_expires_too_soon')
      if (!secrets.has(authorization.from) || mark(authorization, authorization.from) !== authorization.signature) return no('payment_forged')
      if ((balances.get(authorization.from) ?? 0n) < quote.price) return no('payer_without_open')
      return note
    },
    settled(settlement) {
      if (settlement.status === 'unknown') return {}
      return { 'X-Cash-Paid': settlement.status === 'settled' ? settlement.tx : 'no' }
    },
    sign: (message, signedBy = message.from) => btoa(JSON.stringify({ ...words(message), signature: mark(message, signedBy) })),
  }
}
