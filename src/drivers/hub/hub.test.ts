/** The hub against a local stand-in: which file, going on, checking, and what is said when it does not work. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { isRefusal, type Refusal } from '../../core/errors.ts'
import { hashBytes } from '../../core/id.ts'
import { type HubReference, openHub, type Progress, parseReference } from './hub.ts'
import { openStandIn, type StandIn } from './stand-in.suite.ts'

const root = mkdtempSync(join(tmpdir(), 'hub-'))
const bytes = new Uint8Array(300_000).map((_, index) => index * 7 + (index >> 8))
const given = <T>(value: T | Refusal): T => {
  if (isRefusal(value)) throw new Error(value.message)
  return value
}
const reference = (text: string) => given(parseReference(text)) as HubReference
let standIn: StandIn
let folder: string
beforeEach(async () => {
  standIn = await openStandIn()
  standIn.files.set('README.md', new Uint8Array(10))
  standIn.files.set('model-q8_0.gguf', bytes)
  folder = mkdtempSync(join(root, 'case-'))
})
afterEach(() => standIn.close())
afterAll(() => rmSync(root, { recursive: true, force: true }))

describe('references', () => {
  it('are owner, name and perhaps a file', () => {
    expect(parseReference('hf:Qwen/Qwen2.5-0.5B')).toEqual({ owner: 'Qwen', name: 'Qwen2.5-0.5B', file: undefined })
    expect(parseReference('hf:a/b:c/d-q4.gguf')).toEqual({ owner: 'a', name: 'b', file: 'c/d-q4.gguf' })
  })
  it.each(['hf:', 'hf:a', 'hf:a/b/c', 'hf:../b', 'hf:a/b:../c', 'hf:a/b:', 'hf:a/b:c//d', 'a/b', 'hf:a/b?x'])('refuses %s', (text) => {
    const refused = parseReference(text)
    expect(refused).toMatchObject({ refused: true, code: 'bad_hub_reference', message: expect.stringContaining(text) })
  })
})

describe('choosing a file', () => {
  const hub = () => openHub({ HF_ENDPOINT: standIn.url })
  const find = (text: string) => hub().find(reference(text))

  it('prefers Q8_0, then F16, and takes the one that is named', async () => {
    for (const name of ['model-q4_k_m.gguf', 'model-fp16.gguf', 'mmproj-q8_0.gguf', 'model-q8_0-00001-of-00002.gguf'])
      standIn.files.set(name, new Uint8Array(5))
    expect(await find('hf:someone/model')).toMatchObject({ file: 'model-q8_0.gguf', bytes: bytes.length, sha256: hashBytes(bytes) })
    expect(await find('hf:someone/model:model-q4_k_m.gguf')).toMatchObject({ file: 'model-q4_k_m.gguf', bytes: 5 })
    standIn.files.delete('model-q8_0.gguf')
    expect(await find('hf:someone/model')).toMatchObject({ file: 'model-fp16.gguf' })
  })

  it('refuses to guess, with the list', async () => {
    standIn.files.delete('model-q8_0.gguf')
    expect(await find('hf:someone/model')).toMatchObject({ code: 'hub_without_gguf' })
    standIn.files.set('model-q4_k_m.gguf', new Uint8Array(5))
    expect(await find('hf:someone/model')).toMatchObject({ file: 'model-q4_k_m.gguf' })
    standIn.files.set('model-q2_k.gguf', new Uint8Array(5))
    expect(await find('hf:someone/model')).toMatchObject({ code: 'hub_file_unclear', message: expect.stringContaining('model-q4_k_m.gguf, model-q2_k.gguf') })
    expect(await find('hf:someone/model:other.gguf')).toMatchObject({ code: 'hub_file_not_found', hint: expect.stringContaining('model-q2_k.gguf') })
    expect(await find('hf:someone/else')).toMatchObject({ code: 'hub_model_not_found' })
  })

  it('says what stands in the way, and never the token', async () => {
    const token = 'hf_secretsecretsecret'
    const says = async (environment: Record<string, string>) => {
      const refused = await openHub({ HF_TOKEN: token, ...environment }).find(reference('hf:someone/model'))
      expect(JSON.stringify(refused)).not.toContain('secret')
      return isRefusal(refused) ? `${refused.code}: ${refused.message}` : 'found'
    }
    expect(await says({ HF_ENDPOINT: standIn.url })).toBe('found')
    expect(standIn.seen.at(-1)?.token).toBe(`Bearer ${token}`)
    standIn.status = 401
    expect(await says({ HF_ENDPOINT: standIn.url })).toMatch(/^hub_forbidden: .*\(401\)/)
    standIn.status = 500
    expect(await says({ HF_ENDPOINT: standIn.url })).toMatch(/^hub_unreachable: .*answered 500/)
    expect(await says({ HF_ENDPOINT: 'http://127.0.0.1:9' })).toMatch(/^hub_unreachable: The hub at http:\/\/127.0.0.1:9 does not answer/)
    expect(await says({ HF_HUB_OFFLINE: '1', HF_ENDPOINT: standIn.url })).toMatch(/^hub_unreachable: .*HF_HUB_OFFLINE/)
    expect(await says({ HF_TOKEN: 'secret' })).toMatch(/^bad_environment: HF_TOKEN \(not shown\)/)
    expect(await says({ HF_ENDPOINT: 'ftp://x' })).toMatch(/^bad_environment: HF_ENDPOINT/)
  })
})

describe('fetching', () => {
  const hub = () => openHub({ HF_ENDPOINT: standIn.url })
  const path = () => join(folder, 'model.gguf')
  const found = async () => given(await hub().find(reference('hf:someone/model')))
  const downloads = () => standIn.seen.filter(({ path, range }) => path.includes('/resolve/') && range !== 'bytes=0-0').map(({ range }) => range)

  it('writes the file and tells how far it is', async () => {
    const told: Progress[] = []
    expect(await hub().fetch(await found(), path(), { onProgress: (progress) => told.push(progress) })).toBeUndefined()
    expect(readFileSync(path()).equals(bytes)).toBe(true)
    expect(readdirSync(folder)).toEqual(['model.gguf'])
    expect(told.at(-1)).toMatchObject({ done: bytes.length, bytes: bytes.length, secondsLeft: 0 })
  })

  it('goes on by itself when the line breaks, and from where an earlier run stopped', async () => {
    standIn.breakAfter = [100_000]
    expect(await hub().fetch(await found(), path())).toBeUndefined()
    expect(readFileSync(path()).equals(bytes)).toBe(true)
    expect(downloads()[1]).toMatch(/^bytes=[1-9]\d*-299999$/)
    rmSync(path())
    standIn.seen.length = 0
    const file = await found()
    writeFileSync(`${path()}.${file.sha256.slice(2, 14)}.part`, bytes.subarray(0, 123_456))
    expect(await hub().fetch(file, path())).toBeUndefined()
    expect(readFileSync(path()).equals(bytes)).toBe(true)
    expect(downloads()).toEqual(['bytes=123456-299999'])
  })

  it('gives up after some tries, keeps what it has, and says so', async () => {
    standIn.breakAfter = [1000, 1000, 1000, 1000, 1000]
    const refused = await hub().fetch(await found(), path())
    expect(refused).toMatchObject({ code: 'hub_unreachable' })
    expect(existsSync(path())).toBe(false)
    expect(readdirSync(folder)).toEqual([expect.stringMatching(/^model\.gguf\.[0-9a-f]{12}\.part$/)])
  })

  it('throws away what has the wrong hash, and what an older version left', async () => {
    writeFileSync(`${path()}.000000000000.part`, 'older')
    standIn.claimed.set('model-q8_0.gguf', 'ab'.repeat(32))
    expect(await hub().fetch(await found(), path())).toMatchObject({ code: 'download_damaged', message: expect.stringContaining('0xabababab') })
    expect(readdirSync(folder)).toEqual([])
  })

  it('stops when told to and keeps what it has; a folder that cannot be written is said', async () => {
    standIn.breakAfter = [150_000]
    const controller = new AbortController()
    const file = await found()
    const stopped = hub().fetch(file, path(), { signal: controller.signal, onProgress: () => controller.abort(new Error('enough')) })
    await expect(stopped).rejects.toThrow('enough')
    expect(readdirSync(folder).length).toBe(1)
    writeFileSync(join(folder, 'file'), '')
    expect(await hub().fetch(file, join(folder, 'file', 'model.gguf'))).toMatchObject({ code: 'download_unwritable' })
  })
})
