/**
 * Numbers and names as people read them. Money is handled as decimal text, never as a floating-point number.
 * Knows nothing of the page.
 */
import { locale, told } from './language.ts'
import { studioWords } from './words.ts'

/** First and last digits of a long hex string. */
export function shortHex(hex: string): string {
  return hex.length > 13 ? `${hex.slice(0, 6)}…${hex.slice(-4)}` : hex
}

/** A decimal string with grouped thousands, cut (never rounded up) to `decimals`; an ellipsis says that more follows. */
export function shortDecimal(decimal: string, decimals = 6): string {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(decimal)
  if (!match) return decimal
  const whole = new Intl.NumberFormat(locale()).format(BigInt(match[2]!))
  const fraction = match[3] ?? ''
  const kept = fraction.slice(0, decimals)
  const cut = /[1-9]/.test(fraction.slice(decimals))
  const shown = cut ? kept : kept.replace(/0+$/, '')
  return `${match[1]}${whole}${shown ? `${separator()}${shown}` : ''}${cut ? '…' : ''}`
}

/** What stands before the decimals: a comma in Spanish, where the point groups thousands. */
const separator = (): string => new Intl.NumberFormat(locale()).formatToParts(0.5).find(({ type }) => type === 'decimal')?.value ?? '.'

/** A share as whole percent, e.g. 0.826 -> `83 %`. */
export function percent(share: number): string {
  return `${percentNumber(share)} %`
}

/** A share as whole percent without the sign; 0 and 100 are said only when they are exact. */
export function percentNumber(share: number): string {
  if (!Number.isFinite(share)) return '–'
  if (share > 0 && share < 0.005) return '<1'
  if (share < 1 && share >= 0.995) return '>99'
  return String(Math.round(share * 100))
}

/** Time left, rounded as a person would say it. */
export function timeLeft(seconds: number): string {
  const words = told(studioWords)
  if (!Number.isFinite(seconds) || seconds < 0) return words.training.timeUnknown
  if (seconds < 10) return words.training.almostDone
  if (seconds < 60) return words.training.secondsLeft(Math.ceil(seconds / 10) * 10)
  return words.training.minutesLeft(Math.round(seconds / 60))
}

/** Hours, minutes and seconds of a moment given in Unix milliseconds. */
export function clock(at: number): string {
  return new Intl.DateTimeFormat(locale(), { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false }).format(at)
}

/** A machine-readable date for `<time>`; empty when the moment is not a valid one. */
export function isoTime(at: number): string {
  const date = new Date(at)
  return Number.isNaN(date.getTime()) ? '' : date.toISOString()
}

/** Bytes in the largest unit that keeps the number above 1. */
export function fileSize(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`
  if (bytes < 1_000_000) return `${Math.round(bytes / 1000)} kB`
  if (bytes < 1e9) return `${(bytes / 1e6).toFixed(1)} MB`
  return `${(bytes / 1e9).toFixed(1)} GB`
}

/** A loss to three decimals. */
export function loss(value: number): string {
  return Number.isFinite(value) ? value.toFixed(3) : '–'
}

/** A count with grouped thousands. */
export function count(value: number): string {
  return new Intl.NumberFormat(locale()).format(value)
}

/** Text between single quotes of a POSIX shell. */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

/** The address when it is a web link, else undefined: a source's address is outside data and may be `javascript:`. */
export function webLink(address: string | undefined): string | undefined {
  return address && /^https?:\/\//i.test(address) ? address : undefined
}
