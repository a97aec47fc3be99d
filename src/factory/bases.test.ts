/** Bases by hash: files of this disk and of a local stand-in for the hub, on and off line. */
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CATALOGUE } from '../core/catalogue.ts'
import { isRefusal, type Refusal } from '../core/errors.ts'
import { openHub } from '../drivers/hub/hub.ts'
import { openStandIn, type StandIn } from '../drivers/hub/stand-in.suite.ts'
import { writeGguf, writeModel } from '../engine/gguf-writer.ts'
import { openBases, progressText } from './bases.ts'
import { baseReference, OWN_BASE } from './config.ts'

const root = mkdtempSync(join(tmpdir(), 'bases-'))
const given = <T>(value: T | Refusal): T => {
  if (isRefusal(value)) throw new Error(value.message)
  return value
}
const offline = () => openHub({ HF_HUB_OFFLINE: '1' })
let standIn: StandIn
let folder: string
beforeEach(async () => {
  standIn = await openStandIn()
  folder = mkdtempSync(join(root, 'case-'))
})
afterEach(() => standIn.close())
afterAll(() => rmSync(root, { recursive: true, force: true }))
const online = () => openHub({ HF_ENDPOINT: standIn.url })
const open = (hub = online()) => openBases(hub, { folder: join(folder, 'bases'), own: OWN_BASE })

describe('a base on this disk', () => {
  it('of the repository is found by its name alone, wherever the command is given', async () => {
    for (const { reference } of CATALOGUE.filter(({ home }) => home === 'base/README.md')) {
      const path = reference === null ? OWN_BASE : baseReference(reference)
      expect(existsSync(path), path).toBe(true)
      const bases = await open(offline())
      const base = given(await bases.ensure(given(await bases.identify(path)).sha256))
      expect(base.licence).toBe('Apache-2.0')
      // Kept with the data: a later version of this program brings other bases.
      expect(dirname(base.path)).toBe(join(folder, 'bases'))
    }
    expect(baseReference('modelfactory-base-none')).toBe(join(process.cwd(), 'modelfactory-base-none'))
  })

  it('is named, hashed, and has the licence its metadata state', async () => {
    const bases = await open(offline())
    const own = given(await bases.ensure(given(await bases.identify(OWN_BASE)).sha256))
    expect(own).toMatchObject({ name: basename(OWN_BASE, '.gguf'), licence: expect.stringMatching(/^(see base\/README.md|Apache-2.0)$/) })
    expect(readFileSync(own.path).equals(readFileSync(OWN_BASE))).toBe(true)
    const stated = join(folder, 'stated.gguf')
    await writeModel({ source: OWN_BASE, path: stated, type: 'Q8_0', metadata: [['general.license', 'mit', 'string']] })
    const base = given(await bases.ensure(given(await bases.identify(stated)).sha256))
    expect(base).toMatchObject({ name: 'stated', licence: 'mit' })
    expect(base.sha256).not.toBe(own.sha256)
    // Both are known to the next process, and a file that changed since is not taken for the one it was.
    const again = await open(offline())
    expect(await again.find(base.sha256)).toEqual({ path: stated, sha256: base.sha256 })
    writeFileSync(stated, readFileSync(OWN_BASE))
    expect(await again.ensure(base.sha256)).toMatchObject({ code: 'base_changed', message: expect.stringContaining('stated.gguf') })
  })

  it('of the repository lives on in the data folder when the repository brings another', async () => {
    const shipped = join(folder, 'shipped.gguf')
    copyFileSync(OWN_BASE, shipped)
    const options = { folder: join(folder, 'bases'), own: shipped }
    const { sha256 } = given(await (await openBases(offline(), options)).identify(shipped))
    rmSync(shipped)
    const later = given(await (await openBases(offline(), { ...options, own: join(folder, 'newer.gguf') })).ensure(sha256))
    expect(later).toMatchObject({ name: 'shipped', sha256 })
    expect(readFileSync(later.path).equals(readFileSync(OWN_BASE))).toBe(true)
  })

  it('is not lost with a copy of it', async () => {
    const bases = await open(offline())
    const copy = join(folder, 'copy.gguf')
    copyFileSync(OWN_BASE, copy)
    const { sha256 } = given(await bases.identify(OWN_BASE))
    const { path } = given(await bases.ensure(sha256))
    expect(given(await bases.identify(copy)).sha256).toBe(sha256)
    rmSync(copy)
    expect(given(await bases.ensure(sha256)).path).toBe(path)
  })

  it.each<[string, Uint8Array | undefined, string, RegExp]>([
    ['is not there', undefined, 'base_missing', /no base model at ".*x\.gguf"/],
    ['is no GGUF file', new TextEncoder().encode('PK..........................'), 'base_unsupported', /x\.gguf" cannot be a base: it begins with "PK/],
    ['is of another architecture', writeGguf([['general.architecture', 'mamba', 'string']], []), 'base_unsupported', /architecture is "mamba"/],
  ])('that %s is refused', async (_, bytes, code, message) => {
    const path = join(folder, 'x.gguf')
    if (bytes) writeFileSync(path, bytes)
    expect(await (await open(offline())).identify(path)).toMatchObject({ code, message: expect.stringMatching(message) })
  })
})

describe('a base of the hub', () => {
  beforeEach(() => standIn.files.set('tiny-q8_0.gguf', readFileSync(OWN_BASE)))

  it('is known by its hash before it is fetched, then used from disk without asking again', async () => {
    const bases = await open()
    const wanted = given(await bases.identify('hf:someone/model'))
    expect(wanted).toMatchObject({ name: 'someone/model:tiny-q8_0.gguf', bytes: readFileSync(OWN_BASE).length })
    expect(await bases.find(wanted.sha256)).toBeUndefined()
    const told: string[] = []
    const base = given(await bases.ensure(wanted.sha256, { onProgress: (progress) => told.push(progressText('it', progress)) }))
    expect(base).toMatchObject({ name: 'someone/model:tiny-q8_0.gguf', sha256: wanted.sha256, licence: 'Apache-2.0' })
    const megabytes = Math.round(readFileSync(OWN_BASE).length / 1e6)
    expect(told.at(-1)).toBe(`Fetching it: 100 % (${megabytes} of ${megabytes} MB), about 0 seconds left`)
    standIn.seen.length = 0
    const later = await open(offline())
    expect(given(await later.identify('hf:someone/model')).sha256).toBe(wanted.sha256)
    expect(given(await later.ensure(wanted.sha256)).path).toBe(base.path)
    expect(standIn.seen).toEqual([])
    // What is here is said when something else is asked for.
    expect(await later.identify('hf:someone/else')).toMatchObject({ code: 'hub_unreachable', hint: expect.stringContaining('hf:someone/model') })
  })

  it('is not fetched when the same bytes are here already', async () => {
    const bases = await open()
    const own = given(await bases.identify(OWN_BASE))
    expect(given(await bases.identify('hf:someone/model')).sha256).toBe(own.sha256)
    given(await bases.ensure(own.sha256))
    expect(standIn.seen.some(({ path }) => path.includes('/resolve/'))).toBe(false)
    expect(given(await (await open(offline())).identify('hf:someone/model')).sha256).toBe(own.sha256)
  })

  it('is fetched again when its file rotted, and refused when the hub gives something that is no model', async () => {
    const bases = await open()
    const wanted = given(await bases.identify('hf:someone/model'))
    const { path } = given(await bases.ensure(wanted.sha256))
    const rotten = readFileSync(path)
    rotten[rotten.length - 1]! ^= 1
    writeFileSync(path, rotten)
    given(await bases.ensure(wanted.sha256))
    expect(readFileSync(path).equals(readFileSync(OWN_BASE))).toBe(true)
    standIn.files.set('other.gguf', new TextEncoder().encode('not a model at all, only text'))
    const other = given(await bases.identify('hf:someone/model:other.gguf'))
    expect(await bases.ensure(other.sha256)).toMatchObject({ code: 'base_unsupported', message: expect.stringContaining('other.gguf') })
  })

  it('keeps a damaged list from standing in the way', async () => {
    await (await open()).identify('hf:someone/model')
    writeFileSync(join(folder, 'bases', 'bases.json'), '{"oops')
    expect(isRefusal(await (await open()).identify('hf:someone/model'))).toBe(false)
  })
})
