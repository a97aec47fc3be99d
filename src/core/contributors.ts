/**
 * Contributors: who gave the files a model was made of, as a builder writes it beside them, and how royalties fall to them by what the model cites. Pure;
 * knows nothing of how files are read or shares are paid.
 */
import { z } from 'zod'
import { type Refusal, refuse } from './errors.ts'
import { Id } from './id.ts'
import type { Address } from './listing.ts'
import type { Holder } from './shares.ts'

const Recipient = z.custom<Address>((value) => typeof value === 'string' && /^0x[0-9a-fA-F]{40}$/.test(value))

/** A file a model was made of: its SHA-256, and who gave it where the builder says so. */
export const DatasetFile = z.object({
  file: z.string(),
  sha256: Id,
  contributor: z.object({ name: z.string(), recipient: Recipient.nullable() }).optional(),
})
export type DatasetFile = z.infer<typeof DatasetFile>

export type Contribution = { file: string; name: string; recipient: Address | null }

/** Files whose text says who gave the others. */
export const CONTRIBUTORS_FILE = /(^|\/)contributors?(\.(txt|md))?$/i

/**
 * A line each: `guide.pdf = Dr. Ada Okoye 0x12...ef`; the address may stand alone or be left out, and `#` begins a remark. Refuses a line that is none.
 */
export function parseContributors(text: string): Contribution[] | Refusal {
  const found: Contribution[] = []
  for (const [place, line] of text.split(/\r?\n/).entries()) {
    const said = line.replace(/(^|\s)#.*$/, '').trim()
    if (!said) continue
    const at = said.lastIndexOf('=')
    const file = said.slice(0, at).trim()
    const [, name = '', recipient] = /^(.*?)\s*<?(0x[0-9a-fA-F]{40})?>?$/.exec(said.slice(at + 1).trim()) ?? []
    if (at < 1 || !file || (!name && !recipient) || /0x/i.test(name))
      return refuse(
        'contributors_unreadable',
        `Line ${place + 1} of the contributors, "${said.slice(0, 80)}", does not say who gave which file.`,
        'Write: guide.pdf = Dr. Ada Okoye 0x and 40 hex digits',
      )
    found.push({ file, name: name || recipient!, recipient: (recipient as Address | undefined) ?? null })
  }
  return found
}

/** Whether a source is of this file: itself, in a folder, or inside an archive of this name. */
export const isOf = (source: string, file: string): boolean =>
  source === file || source.endsWith(`/${file}`) || source.startsWith(`${file}/`) || source.includes(`/${file}/`)

/** The files with who gave them. Refuses who gave a file that is not there. */
export function withContributors(files: readonly { file: string; sha256: Id }[], contributions: readonly Contribution[]): DatasetFile[] | Refusal {
  const missing = contributions.find((one) => !files.some(({ file }) => isOf(file, one.file)))
  if (missing)
    return refuse('contributor_without_file', `"${missing.file}" has a contributor, but is not among the files.`, 'Hand it over too, or correct its name.')
  return files.map(({ file, sha256 }) => {
    const by = contributions.find((one) => isOf(file, one.file))
    return { file, sha256, ...(by && { contributor: { name: by.name, recipient: by.recipient } }) }
  })
}

export type Cited = { file: string; quotes: number; contributor: DatasetFile['contributor'] | null }

/** `own`: percent for the builder before the rest is divided. `holders` is empty where nobody else gave anything that was cited. */
export type CitedView = {
  model: string
  packageId: string
  reportId: string
  own: number
  quotes: number
  files: Cited[]
  holders: { recipient: string; shares: string }[]
}

/**
 * How often answers quote each file: of every quote the file whose passages hold it as a sentence. `quotes` are those of one exam's answers, so that
 * anyone with the package and the exam's papers counts the same.
 */
export function citedFiles(
  quotes: readonly string[],
  passages: readonly { sentences: readonly string[]; source: { file: string } }[],
  datasets: readonly DatasetFile[],
): Cited[] {
  const fileOf = new Map<string, string>()
  for (const { sentences, source } of passages) for (const sentence of sentences) if (!fileOf.has(sentence)) fileOf.set(sentence, source.file)
  const counts = new Map<string, number>()
  for (const quote of quotes) {
    const file = fileOf.get(quote)
    if (file !== undefined) counts.set(file, (counts.get(file) ?? 0) + 1)
  }
  return [...counts]
    .map(([file, count]) => ({ file, quotes: count, contributor: datasets.find((one) => isOf(file, one.file))?.contributor ?? null }))
    .sort((one, other) => other.quotes - one.quotes || (one.file < other.file ? -1 : 1))
}

/** Shares are parts of a million, which divides by any share of citations closely enough to be told in percent. */
const WHOLE = 1_000_000n

/**
 * Shares by what was cited: `own` percent for the builder first, the rest by quotes; what nobody with an address gave is the builder's. Empty when nobody
 * else gave anything that was cited. Rounding falls to the builder.
 */
export function citedShares(cited: readonly Cited[], builder: Address, own: number): Holder[] {
  const all = BigInt(cited.reduce((sum, { quotes }) => sum + quotes, 0))
  const divided = (WHOLE * BigInt(Math.round((100 - own) * 100))) / 10_000n
  const given = new Map<Address, bigint>()
  for (const { quotes, contributor } of cited) {
    const recipient = contributor?.recipient?.toLowerCase() as Address | undefined
    if (recipient && recipient !== builder.toLowerCase()) given.set(recipient, (given.get(recipient) ?? 0n) + BigInt(quotes))
  }
  const others = [...given].map(([recipient, quotes]) => ({ recipient, shares: (divided * quotes) / all })).filter(({ shares }) => shares > 0n)
  if (others.length === 0) return []
  const rest = WHOLE - others.reduce((sum, { shares }) => sum + shares, 0n)
  return rest > 0n ? [{ recipient: builder, shares: rest }, ...others] : others
}
