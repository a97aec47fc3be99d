/**
 * `verify`: a passport from a file, checked where it lies, and told in plain words: what holds, what does not, and what the file
 * alone cannot tell. Needs no data folder and no server. Knows nothing of how a check is made.
 */
import { readFile } from 'node:fs/promises'
import { isRefusal, type Refusal, refuse } from '../../core/errors.ts'
import type { Address, Hex } from '../../core/listing.ts'
import type { Check } from '../../core/passport.ts'
import { answerOf } from '../client/answer.ts'
import type { Context } from './connect.ts'

export type VerifyFlags = { rpc?: string; header?: string[]; request?: string; answer?: string; gateway?: string; router?: string }

/** Larger than any passport: a hundred nodes of a proof, and the texts. */
const MOST_BYTES = 16 * 1024 * 1024

export async function verify(context: Context, file: string, flags: VerifyFlags): Promise<Refusal | undefined> {
  const passport = await readJsonFile(file)
  if (isRefusal(passport)) return passport
  const request = flags.request === undefined ? undefined : await readText(flags.request)
  if (isRefusal(request)) return request
  const answer = flags.answer === undefined ? undefined : await readAnswer(flags.answer)
  if (isRefusal(answer)) return answer
  const gateway = address('gateway', flags.gateway)
  if (isRefusal(gateway)) return gateway
  const router = address('router', flags.router)
  if (isRefusal(router)) return router
  // The other commands need no curve and no trie, so these come with this one alone.
  const { blockHashOf, checkPassport } = await import('../../factory/passports.ts')
  const headers: Hex[] = []
  for (const text of flags.header ?? []) {
    const hash = await blockHashOf(text)
    if (isRefusal(hash)) return hash
    headers.push(hash)
  }
  if (flags.rpc !== undefined && !/^https?:\/\//.test(flags.rpc))
    return refuse('rpc_invalid', `"${flags.rpc}" is not the address of a node.`, 'Give --rpc an address such as http://127.0.0.1:8545.')
  const verdict = await checkPassport({ passport, texts: { request, answer }, gateway, router, headers, rpc: flags.rpc })
  for (const check of verdict.checks) context.out.line(line(check))
  const failed = verdict.checks.filter(({ outcome }) => outcome === 'fails')
  if (!verdict.holds) {
    context.out.line(`This passport does NOT hold: ${failed.map(({ code }) => code).join(', ')}.`)
    return refuse('passport_does_not_hold', `${failed.length} of ${verdict.checks.length} checks failed: ${failed[0]!.says}`, 'Do not rely on it.')
  }
  context.out.result(verdict, 'Nothing in this passport contradicts anything. What is marked ? cannot be known from what was given.')
  return undefined
}

function line({ outcome, code, says }: Check): string {
  return `${{ holds: 'yes', fails: 'NO ', open: '?  ' }[outcome]} ${code.padEnd(18)} ${says}`
}

async function readText(path: string): Promise<string | Refusal> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) =>
    refuse('file_unreadable', `The file "${path}" cannot be read (${error.code ?? error.message}).`, 'Check the path.'),
  )
  if (isRefusal(bytes)) return bytes
  if (bytes.length > MOST_BYTES) return refuse('file_too_large', `The file "${path}" has ${bytes.length} bytes, more than any passport.`, 'Check the path.')
  return bytes.toString('utf8')
}

async function readJsonFile(path: string): Promise<unknown> {
  const text = await readText(path)
  if (isRefusal(text)) return text
  try {
    return JSON.parse(text) as unknown
  } catch {
    return refuse('file_not_json', `The file "${path}" is not JSON.`, 'Give the file as the gateway or the client wrote it.')
  }
}

/** A reply as it came over the wire, or the answer alone. */
async function readAnswer(path: string): Promise<unknown> {
  const json = await readJsonFile(path)
  return isRefusal(json) ? json : (answerOf(json) ?? json)
}

function address(what: string, text: string | undefined): Address | undefined | Refusal {
  if (text === undefined || /^0x[0-9a-fA-F]{40}$/.test(text)) return text as Address | undefined
  return refuse(`${what}_invalid`, `"${text}" is not an address.`, `Give --${what} 0x and 40 hex digits.`)
}
