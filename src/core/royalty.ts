/**
 * Royalty: what a builder is paid for one query. Pure integer arithmetic in atomic units of OPEN (18 decimals);
 * knows nothing of chains. No floating point touches money.
 */
import { type Refusal, refuse } from './errors.ts'

/** OPEN has 18 decimals, like the native coin it wraps. */
export const OPEN_DECIMALS = 18
const UNIT = 10n ** BigInt(OPEN_DECIMALS)

/** The registry packs a price into 88 bits beside the payout address, so this is the largest price there is. */
export const MAXIMUM_PRICE = (1n << 88n) - 1n

/** Formats atomic units as a decimal string of OPEN without trailing zeros, e.g. `10000000000000000n` -> `0.01`. */
export function formatOpen(amount: bigint): string {
  const sign = amount < 0n ? '-' : ''
  const absolute = amount < 0n ? -amount : amount
  const fraction = (absolute % UNIT).toString().padStart(OPEN_DECIMALS, '0').replace(/0+$/, '')
  return `${sign}${absolute / UNIT}${fraction ? `.${fraction}` : ''}`
}

/** Parses a decimal string of OPEN exactly. Refuses exponents, signs, and more than 18 decimals. */
export function parseOpen(text: string): bigint | Refusal {
  const match = /^(\d{1,60})(?:\.(\d{1,60}))?$/.exec(text.trim())
  if (!match) return refuse('amount_not_decimal', `"${text}" is not an amount of OPEN.`, 'Write a plain decimal number such as 0.01.')
  const fraction = match[2] ?? ''
  if (fraction.length > OPEN_DECIMALS)
    return refuse('amount_too_fine', `"${text}" has more than ${OPEN_DECIMALS} decimals.`, 'OPEN has 18 decimals; round the amount.')
  return BigInt(match[1]!) * UNIT + BigInt(fraction.padEnd(OPEN_DECIMALS, '0'))
}

/** Parses a price per query: above 0 and at most {@link MAXIMUM_PRICE}. */
export function parsePrice(text: string): bigint | Refusal {
  const amount = parseOpen(text)
  if (typeof amount !== 'bigint')
    return refuse('price_not_decimal', `The price "${text}" is not a positive decimal number of OPEN.`, 'Give a price such as 0.01.')
  if (amount === 0n)
    return refuse('price_not_positive', `The price is ${text}, but a query must pay its builder something.`, 'Give a price above 0, such as 0.01.')
  if (amount > MAXIMUM_PRICE)
    return refuse(
      'price_too_large',
      `The price ${text} OPEN is above the largest the registry can hold, ${formatOpen(MAXIMUM_PRICE)}.`,
      'Give a smaller price.',
    )
  return amount
}

/** An amount as it is shown to programs: decimal string of OPEN and atomic units, both exact. */
export type Amount = { open: string; atomic: string }

/** Both exact forms of an amount. */
export function amount(atomic: bigint): Amount {
  return { open: formatOpen(atomic), atomic: atomic.toString() }
}

/**
 * What a builder should know of a price that is less than moving it costs: whoever runs the gateway pays that gas. `costs` are of one
 * payment by itself and as one of a hundred; undefined when the chain does not say. Null when there is nothing to say.
 */
export function priceWarning(price: bigint, costs: { alone: bigint; together: bigint } | undefined, currency: string): string | null {
  if (costs === undefined || price >= costs.alone) return null
  const [shown, alone, together] = [price, costs.alone, costs.together].map(formatOpen)
  const gas = `A query costs ${shown} ${currency}, and settling one costs the gateway ${alone} in gas now`
  if (price >= costs.together)
    return `${gas}, ${together} in batches of a hundred. Under load payments go in batches by themselves; a price of ${alone} carries itself always.`
  return `${gas}, ${together} even in batches of a hundred. Ask a higher price, or sell answers in larger pieces.`
}
