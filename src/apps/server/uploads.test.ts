/** Files in pieces, over HTTP and on a real disk: gone on with after a break, and nothing taken that does not fit. Knows nothing of the rest of the server. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { isRefusal } from '../../core/errors.ts'
import { LARGEST_FILE_BYTES, openUploads, type Uploads, type UploadView } from '../../factory/uploads.ts'
import { uploadRoutes } from './uploads.ts'

let folder: string
let uploads: Uploads
let time = Date.now()
const fresh = () => openUploads({ folder: join(folder, 'uploads'), now: () => time })

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'modelfactory-uploads-'))
  time = Date.now()
  uploads = fresh()
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function call<Value = UploadView>(method: string, path: string, body?: string | Uint8Array): Promise<{ status: number; body: Value; code?: string }> {
  const reply = await uploadRoutes(uploads).request(path, { method, ...(body === undefined ? {} : { body: body as BodyInit }) })
  const value = (await reply.json()) as Value & { error?: { code: string } }
  return { status: reply.status, body: value, ...(value.error ? { code: value.error.code } : {}) }
}
const begin = async (bytes: number) => (await call('POST', '/', JSON.stringify({ bytes }))).body.id

it('takes a file piece by piece, goes on after a restart, and gives it whole', async () => {
  const id = await begin(10)
  expect((await call('PUT', `/${id}?offset=0`, 'abcd')).body).toEqual({ id, bytes: 10, received: 4 })
  expect(await uploads.read(id)).toMatchObject({ code: 'upload_unfinished' })
  uploads = fresh()
  expect((await call('GET', `/${id}`)).body.received).toBe(4)
  // The same piece once more, as after a reply that was lost: told where to go on.
  expect(await call('PUT', `/${id}?offset=0`, 'abcd')).toMatchObject({ code: 'upload_offset', status: 422 })
  expect((await call('PUT', `/${id}?offset=4`, 'efghij')).body.received).toBe(10)
  expect(Buffer.from((await uploads.read(id)) as Uint8Array).toString()).toBe('abcdefghij')
})

it('two windows at once do not write into each other', async () => {
  const id = await begin(8)
  const replies = await Promise.all([call('PUT', `/${id}?offset=0`, 'aaaa'), call('PUT', `/${id}?offset=0`, 'bbbb')])
  expect(replies.map(({ status }) => status).sort()).toEqual([200, 422])
  await call('PUT', `/${id}?offset=4`, 'cccc')
  expect(Buffer.from((await uploads.read(id)) as Uint8Array).toString()).toMatch(/^(aaaa|bbbb)cccc$/)
})

it('refuses in a sentence what cannot be', async () => {
  const id = await begin(3)
  expect((await call('POST', '/', JSON.stringify({ bytes: LARGEST_FILE_BYTES + 1 }))).code).toBe('file_too_large')
  expect((await call('POST', '/', '{"bytes": 0}')).status).toBe(400)
  expect((await call('PUT', `/${id}?offset=0`, 'more')).code).toBe('upload_too_long')
  expect((await call('PUT', `/${id}?offset=x`, 'abc')).code).toBe('offset_invalid')
  expect((await call('PUT', `/${id}?offset=0`, 'x'.repeat(9 << 20))).status).toBe(413)
  await writeFile(join(folder, 'secret'), 'not an upload')
  for (const name of ['0'.repeat(32), '..%2Fsecret', `${id}.json`]) expect((await call('GET', `/${name}`)).code, name).toBe('upload_unknown')
  expect(await uploads.read('../secret')).toMatchObject({ code: 'upload_unknown' })
})

it('forgets a day after the last touch, and not before', async () => {
  const id = await begin(3)
  await call('PUT', `/${id}?offset=0`, 'abc')
  time += 20 * 3600 * 1000
  expect(isRefusal(await uploads.read(id))).toBe(false)
  time += 20 * 3600 * 1000
  await begin(1)
  expect(isRefusal(await uploads.read(id))).toBe(false)
  time += 25 * 3600 * 1000
  await begin(1)
  expect(await uploads.read(id)).toMatchObject({ code: 'upload_unknown' })
  expect((await readdir(join(folder, 'uploads'))).filter((name) => name.startsWith(id))).toEqual([])
})

it('does not promise more room than it keeps', async () => {
  for (let count = 0; count < 8; count++) expect((await call('POST', '/', JSON.stringify({ bytes: LARGEST_FILE_BYTES }))).status).toBe(200)
  expect((await call('POST', '/', '{"bytes": 1}')).code).toBe('uploads_full')
})
