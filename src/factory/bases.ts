/**
 * Bases: every base model this data folder knows, by hash: the one in the repository, GGUF files on this disk, files of the hub
 * kept under `bases/`. What was fetched once is used from disk, so models keep their base and nothing is asked of the network
 * twice. Knows nothing of builds.
 */
import { copyFile, mkdir, readFile, rename, stat } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, resolve } from 'node:path'
import { z } from 'zod'
import { isRefusal, type Refusal, refuse } from '../core/errors.ts'
import { Id } from '../core/id.ts'
import type { Base } from '../core/weights.ts'
import { writeDurably } from '../drivers/files/durable.ts'
import { fileHash } from '../drivers/files/hash.ts'
import { type Hub, type Progress, parseReference } from '../drivers/hub/hub.ts'
import { llamaOf } from '../engine/architecture.ts'
import { FormatError, openGguf } from '../engine/gguf.ts'

/** A base that can be opened now. */
export type ReadyBase = Base & { path: string }

/** `path` is relative to the folder for files fetched into it. `file` names a hub file, for fetching. */
const Known = z.object({
  references: z.array(z.string()),
  name: z.string(),
  sha256: Id,
  bytes: z.number(),
  path: z.string(),
  hub: z.tuple([z.string(), z.string(), z.string()]).nullable(),
})
type Known = z.infer<typeof Known>

export type Bases = Awaited<ReturnType<typeof openBases>>

/** `own` is the default base of the repository, beside which its others lie; their licence stands in their card. */
export async function openBases(hub: Hub, options: { folder: string; own: string }) {
  const list = join(options.folder, 'bases.json')
  const known = new Map<Id, Known>()
  const text = await readFile(list, 'utf8').catch(() => '[]')
  let stored: unknown
  try {
    stored = JSON.parse(text)
  } catch {
    stored = []
  }
  // A damaged list costs nothing but asking the hub again.
  for (const one of Known.array().safeParse(stored).data ?? []) known.set(one.sha256, one)
  const fetching = new Map<Id, Promise<Refusal | undefined>>()

  const placeOf = ({ path }: Known) => (isAbsolute(path) ? path : join(options.folder, path))
  const present = async (base: Known) => (await stat(placeOf(base)).catch(() => undefined))?.size === base.bytes

  async function remember(base: Known): Promise<Known> {
    known.set(base.sha256, base)
    await mkdir(options.folder, { recursive: true })
    await writeDurably(list, `${JSON.stringify([...known.values()], null, 2)}\n`)
    return base
  }

  /** Which base a path or `hf:` reference means, without fetching it. */
  async function identify(reference: string, signal?: AbortSignal): Promise<Known | Refusal> {
    if (!reference.startsWith('hf:')) return identifyFile(resolve(reference))
    const parsed = parseReference(reference)
    if (isRefusal(parsed)) return parsed
    for (const one of known.values()) if (one.references.includes(reference) && (await present(one))) return one
    const found = await hub.find(parsed, signal)
    if (isRefusal(found)) {
      if (found.code !== 'hub_unreachable') return found
      const fromHub = [...known.values()].filter((one) => one.hub)
      const here: string[] = []
      for (const one of fromHub) if (await present(one)) here.push(...one.references)
      return here.length ? refuse(found.code, found.message, `On this disk are: ${here.join(', ')}. ${found.hint}`) : found
    }
    const same = known.get(found.sha256)
    if (same && (await present(same))) return remember({ ...same, references: [...new Set([...same.references, reference])] })
    const path = join(`${found.owner}--${found.name}`, found.file.replace(/[\\/]/g, '--'))
    return remember({
      references: [...new Set([...(known.get(found.sha256)?.references ?? []), reference])],
      name: `${found.owner}/${found.name}:${found.file}`,
      sha256: found.sha256,
      bytes: found.bytes,
      path,
      hub: [found.owner, found.name, found.file],
    })
  }

  async function identifyFile(path: string): Promise<Known | Refusal> {
    const file = await stat(path).catch(() => undefined)
    if (!file?.isFile())
      return refuse('base_missing', `There is no base model at "${path}".`, 'Give --base (or MODELFACTORY_BASE) a GGUF file or hf:owner/name.')
    const wrong = unsupported(path)
    if (wrong) return wrong
    const sha256 = await fileHash(path)
    // The same bytes elsewhere, still there, are as good: a copy that is deleted later must not take them away.
    const found = known.get(sha256)
    if (found && (await present(found))) return found
    return remember({ references: [path], name: basename(path, '.gguf'), sha256, bytes: file.size, path: await placeFor(path, sha256), hub: null })
  }

  /** Our own bases are kept with the data: a later version of this program brings others, and the models made on these must live on. */
  async function placeFor(path: string, sha256: Id): Promise<string> {
    if (dirname(path) !== dirname(options.own)) return path
    const kept = `${sha256.slice(2, 18)}.gguf`
    const whole = join(options.folder, kept)
    await mkdir(options.folder, { recursive: true })
    await copyFile(path, `${whole}.part`)
    await rename(`${whole}.part`, whole)
    return kept
  }

  /** The base of that hash, fetched if it is not here yet, checked and ready to be opened. */
  async function ensure(
    sha256: Id,
    { onProgress, signal }: { onProgress?: (progress: Progress) => void; signal?: AbortSignal | undefined } = {},
  ): Promise<ReadyBase | Refusal> {
    const base = known.get(sha256)
    if (!base) return refuse('base_unknown', `This data folder does not know the base ${sha256.slice(0, 10)}...`, 'Give it with --base.')
    const path = placeOf(base)
    if (!(await present(base)) || (await fileHash(path)) !== sha256) {
      if (!base.hub)
        return refuse(
          'base_changed',
          `The base "${path}" (${sha256.slice(0, 10)}...) is gone or has changed.`,
          'Put the file back, or build again on another base.',
        )
      const [owner, name, file] = base.hub
      const run =
        fetching.get(sha256) ??
        hub.fetch({ reference: `hf:${owner}/${name}:${file}`, owner, name, file, bytes: base.bytes, sha256 }, path, { onProgress, signal })
      fetching.set(sha256, run)
      const refused = await run.finally(() => fetching.delete(sha256))
      if (refused) return refused
    }
    const wrong = unsupported(path)
    if (wrong) return wrong
    const licence = openGguf(path).metadata.get('general.license')
    return {
      name: base.name,
      sha256,
      licence:
        typeof licence === 'string' && licence
          ? licence
          : base.references.some((one) => dirname(one) === dirname(options.own))
            ? 'see base/README.md'
            : 'unknown',
      path,
    }
  }

  return {
    identify,
    ensure,
    /** Where the base of that hash lies, if it is here. */
    async find(sha256: Id): Promise<{ path: string; sha256: Id } | undefined> {
      const base = known.get(sha256)
      return base && (await present(base)) ? { path: placeOf(base), sha256: await fileHash(placeOf(base)) } : undefined
    },
  }
}

/** Why a file cannot be a base, if it cannot. */
function unsupported(path: string): Refusal | undefined {
  try {
    llamaOf(openGguf(path))
    return undefined
  } catch (error) {
    if (error instanceof FormatError)
      return refuse('base_unsupported', `"${path}" cannot be a base: ${error.message}.`, 'Use a GGUF file of a supported model; see: modelfactory bases.')
    const code = (error as NodeJS.ErrnoException).code
    if (code === undefined) throw error
    return refuse('base_unreadable', `"${path}" cannot be read (${code}).`, 'Make the file readable, or give another with --base.')
  }
}

/** How far a download is, in words. */
export function progressText(name: string, { done, bytes, secondsLeft }: Progress): string {
  const megabytes = (count: number) => Math.round(count / 1e6)
  const left =
    secondsLeft === undefined
      ? ''
      : secondsLeft >= 90
        ? `, about ${Math.round(secondsLeft / 60)} minutes left`
        : `, about ${Math.ceil(secondsLeft)} seconds left`
  return `Fetching ${name}: ${Math.floor((100 * done) / bytes)} % (${megabytes(done)} of ${megabytes(bytes)} MB)${left}`
}
