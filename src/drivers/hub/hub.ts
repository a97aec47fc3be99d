/**
 * The Hugging Face hub: finds a GGUF file in a repository and fetches it, going on where an earlier download stopped, checked
 * by size and SHA-256. Knows nothing of what the file is for. The token goes to the hub alone and into no sentence.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { isRefusal, type Refusal, refuse } from '../../core/errors.ts'
import { Id } from '../../core/id.ts'
import { syncFolder, writeFailure } from '../files/durable.ts'

export type HubReference = { owner: string; name: string; file: string | undefined }
/** One file of a repository; `sha256` is its LFS object id. */
export type HubFile = { reference: string; owner: string; name: string; file: string; bytes: number; sha256: Id }
export type Progress = { done: number; bytes: number; secondsLeft: number | undefined }

export interface Hub {
  /** Which file a reference means. Refuses with code `hub_unreachable` when there is no way to the hub. */
  find(reference: HubReference, signal?: AbortSignal): Promise<HubFile | Refusal>
  /** Fetches into `path`. @throws the signal's reason; what was fetched so far stays for the next time. */
  fetch(
    file: HubFile,
    path: string,
    options?: { onProgress?: ((progress: Progress) => void) | undefined; signal?: AbortSignal | undefined },
  ): Promise<Refusal | undefined>
}

/** Milliseconds to wait for an answer, and between pieces of a download, before the hub counts as gone. */
const PATIENCE = 30_000
/** Times a download that breaks off is taken up again at once. */
const ATTEMPTS = 4

/** `hf:owner/name` or `hf:owner/name:file.gguf`. */
export function parseReference(text: string): HubReference | Refusal {
  const match = /^hf:([\w.-]{1,96})\/([\w.-]{1,96})(?::([^:]{1,300}))?$/.exec(text)
  const parts = match?.[3]?.split('/') ?? []
  if (!match || [match[1], match[2], ...parts].some((part) => part === '..' || part === '.' || part === '') || /[\\\0]/.test(match[3] ?? ''))
    return refuse('bad_hub_reference', `"${text}" does not name a model on the hub.`, 'Write hf:owner/name or hf:owner/name:file.gguf.')
  return { owner: match[1]!, name: match[2]!, file: match[3] }
}

export const referenceText = ({ owner, name, file }: HubReference): string => `hf:${owner}/${name}${file ? `:${file}` : ''}`

/** A hub at HF_ENDPOINT (default huggingface.co), with HF_TOKEN where it is set, unless HF_HUB_OFFLINE says not to try. */
export function openHub(environment: Record<string, string | undefined> = process.env): Hub {
  const endpoint = (environment.HF_ENDPOINT || 'https://huggingface.co').replace(/\/+$/, '')
  const accessToken = environment.HF_TOKEN || undefined

  function unusable(reference: string): Refusal | undefined {
    if (/^(1|on|yes|true)$/i.test(environment.HF_HUB_OFFLINE ?? ''))
      return refuse('hub_unreachable', `${reference} is not on this disk, and HF_HUB_OFFLINE says not to ask the hub.`, OFFLINE)
    if (!/^https?:\/\//.test(endpoint)) return refuse('bad_environment', `HF_ENDPOINT is "${endpoint}", which is no address.`, 'Correct or unset it.')
    if (accessToken && !accessToken.startsWith('hf_'))
      return refuse('bad_environment', 'HF_TOKEN (not shown) does not begin with "hf_".', 'Correct or unset it.')
    return undefined
  }

  async function find(reference: HubReference, signal?: AbortSignal): Promise<HubFile | Refusal> {
    const text = referenceText(reference)
    const refused = unusable(text)
    if (refused) return refused
    const { owner, name } = reference
    const { listFiles } = await import('@huggingface/hub')
    const found: { path: string; size: number; sha256: string | undefined }[] = []
    try {
      const within = patient(signal)
      for await (const entry of listFiles({
        repo: `${owner}/${name}`,
        recursive: true,
        hubUrl: endpoint,
        fetch: within,
        ...(accessToken ? { accessToken } : {}),
      }))
        if (entry.type === 'file') found.push({ path: entry.path, size: entry.lfs?.size ?? entry.size, sha256: entry.lfs?.oid })
    } catch (error) {
      signal?.throwIfAborted()
      return failed(error, text, endpoint)
    }
    const chosen = choose(reference, found)
    if (isRefusal(chosen)) return chosen
    const sha256 = Id.safeParse(`0x${chosen.sha256 ?? ''}`)
    if (!sha256.success) return refuse('hub_file_unchecked', `The hub gives no SHA-256 for ${text}, so it could not be checked.`, 'Choose another file.')
    return { reference: text, owner, name, file: chosen.path, bytes: chosen.size, sha256: sha256.data }
  }

  return {
    find,
    async fetch(file, path, { onProgress, signal } = {}) {
      // Named by the hash too: what an earlier version of the file left is not gone on with.
      const partial = `${path}.${file.sha256.slice(2, 14)}.part`
      try {
        await mkdir(dirname(path), { recursive: true })
        for (const name of await readdir(dirname(path)))
          if (name.startsWith(`${basename(path)}.`) && name.endsWith('.part') && name !== basename(partial))
            await rm(join(dirname(path), name), { force: true })
        const began = { at: performance.now(), done: await length(partial) }
        const told = (done: number) => {
          const rate = (done - began.done) / ((performance.now() - began.at) / 1000)
          onProgress?.({ done, bytes: file.bytes, secondsLeft: rate > 0 ? (file.bytes - done) / rate : undefined })
        }
        for (let attempt = 1; (await length(partial)) < file.bytes; attempt++) {
          const refused = unusable(file.reference) ?? (await piece(file, partial, told, signal))
          if (refused && (attempt === ATTEMPTS || refused.code !== 'hub_unreachable')) return refused
        }
        const hash = await hashOf(partial)
        if ((await length(partial)) !== file.bytes || hash !== file.sha256) {
          await rm(partial, { force: true })
          return refuse(
            'download_damaged',
            `${file.reference} arrived as ${hash.slice(0, 10)}..., but the hub says ${file.sha256.slice(0, 10)}...`,
            'Try again.',
          )
        }
        await rename(partial, path)
        await syncFolder(dirname(path))
        return undefined
      } catch (error) {
        signal?.throwIfAborted()
        if ((error as NodeJS.ErrnoException).code === undefined) throw error
        const { message, hint } = writeFailure(path, error)
        return refuse('download_unwritable', message, hint)
      }
    },
  }

  /** Fetches what is missing after what is there, as far as the line holds. */
  async function piece(file: HubFile, partial: string, told: (done: number) => void, signal: AbortSignal | undefined): Promise<Refusal | undefined> {
    const { downloadFile } = await import('@huggingface/hub')
    const stalled = new AbortController()
    let timer = setTimeout(() => stalled.abort(), PATIENCE)
    const stop = signal ? AbortSignal.any([signal, stalled.signal]) : stalled.signal
    const to = await open(partial, 'a')
    try {
      let done = (await to.stat()).size
      const repo = `${file.owner}/${file.name}`
      const within: typeof fetch = (input, init) => fetch(input, { ...init, signal: stop })
      const blob = await downloadFile({ repo, path: file.file, hubUrl: endpoint, fetch: within, xet: false, ...(accessToken ? { accessToken } : {}) })
      if (!blob) return refuse('hub_file_not_found', `${file.reference} is no longer on the hub.`, 'Choose another file.')
      for await (const chunk of blob.slice(done, file.bytes).stream() as unknown as AsyncIterable<Uint8Array>) {
        clearTimeout(timer)
        timer = setTimeout(() => stalled.abort(), PATIENCE)
        await to.writeFile(chunk)
        done += chunk.length
        told(done)
        stop.throwIfAborted()
      }
      await to.sync()
      return done < file.bytes ? refuse('hub_unreachable', `The hub broke off ${file.reference} at byte ${done} of ${file.bytes}.`, RESUME) : undefined
    } catch (error) {
      signal?.throwIfAborted()
      if (['ENOSPC', 'EDQUOT', 'EIO', 'EFBIG'].includes(String((error as NodeJS.ErrnoException).code))) throw error
      return failed(error, file.reference, endpoint)
    } finally {
      clearTimeout(timer)
      await to.close()
    }
  }
}

const OFFLINE = 'Give a GGUF file on this disk with --base ./file.gguf, or go online.'
const RESUME = 'Try again: it goes on where it stopped.'

/** The file a reference means: the one it names, or the only or shortest-named Q8_0, then F16. */
function choose<File extends { path: string }>(reference: HubReference, files: readonly File[]): File | Refusal {
  const text = referenceText(reference)
  const models = files.filter(({ path }) => /\.gguf$/i.test(path) && !/mmproj|-\d{5}-of-\d{5}/i.test(path))
  const list = models.map(({ path }) => path).join(', ')
  if (reference.file) {
    const named = files.find(({ path }) => path === reference.file)
    if (named) return named
    return refuse('hub_file_not_found', `There is no file "${reference.file}" in hf:${reference.owner}/${reference.name}.`, list ? `It has: ${list}.` : NO_GGUF)
  }
  if (!models.length) return refuse('hub_without_gguf', `${text} has no GGUF file in one piece.`, NO_GGUF)
  for (const type of [/(^|[^a-z0-9])q8_0([^a-z0-9]|$)/i, /(^|[^a-z0-9])(fp|f)16([^a-z0-9]|$)/i]) {
    const [shortest] = models.filter(({ path }) => type.test(path)).sort((a, b) => a.path.length - b.path.length)
    if (shortest) return shortest
  }
  if (models.length === 1) return models[0]!
  return refuse('hub_file_unclear', `${text} has neither a Q8_0 nor an F16 file, but: ${list}.`, `Choose one: ${text}:${models[0]!.path}`)
}
const NO_GGUF = 'Look for a repository of the same model with GGUF in its name.'

/** An error of the library or the line, as a refusal. Neither the token nor a signed address is shown. */
function failed(error: unknown, reference: string, endpoint: string): Refusal {
  const status = (error as { statusCode?: unknown }).statusCode
  if (status === 401 || status === 403)
    return refuse(
      'hub_forbidden',
      `The hub does not give ${reference} out (${status}): it does not exist, is private, or asks for its terms to be accepted.`,
      'Correct the name, or accept the terms on its page and set HF_TOKEN.',
    )
  if (status === 404) return refuse('hub_model_not_found', `There is no ${reference} on the hub.`, 'Correct the name.')
  if (typeof status === 'number') return refuse('hub_unreachable', `The hub at ${endpoint} answered ${status} for ${reference}.`, 'Try again later.')
  return refuse('hub_unreachable', `The hub at ${endpoint} does not answer, and ${reference} is not on this disk.`, OFFLINE)
}

function patient(signal: AbortSignal | undefined): typeof fetch {
  return (input, init) => fetch(input, { ...init, signal: signal ? AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]) : AbortSignal.timeout(PATIENCE) })
}

async function length(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0
}

async function hashOf(path: string): Promise<Id> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer)
  return `0x${hash.digest('hex')}`
}
