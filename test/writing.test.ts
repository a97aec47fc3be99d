/** A model that writes, from one sentence and a table of pairs to an answer and an exam that anyone recomputes. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dataFolder, modelfactory, type Running, startServer } from './process.ts'

const THINGS = ['lift', 'pool', 'garden', 'office', 'library', 'car park', 'laundry', 'gate', 'kitchen', 'roof', 'hall', 'clinic'] as const
const STATES = ['closed', 'open', 'being cleaned', 'under repair', 'full', 'ready again', 'being painted'] as const
const DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday'] as const

/** A notice and its headline; all of them differ. */
const pairs = THINGS.flatMap((thing, index) =>
  STATES.map((state, place) => {
    const day = DAYS[(index + place) % DAYS.length]!
    return [`Dear residents, please note that on ${day} the ${thing} of our house is ${state}.`, `${day}: ${thing} ${state}`] as const
  }),
)

describe('a model that writes', () => {
  let folder: Awaited<ReturnType<typeof dataFolder>>
  let server: Running | undefined
  let files: string
  beforeAll(async () => {
    folder = await dataFolder()
    files = join(await mkdtemp(join(tmpdir(), 'modelfactory-writing-')), 'files')
    await mkdir(files)
    await writeFile(join(files, 'notices.csv'), ['notice,headline', ...pairs.map(([notice, headline]) => `"${notice}","${headline}"`)].join('\n'))
    server = await startServer(folder.data)
  })
  afterAll(async () => {
    await server?.stop()
    await folder?.remove()
    await rm(join(files, '..'), { recursive: true, force: true })
  })

  it('learns from pairs, is examined by chrF beside its base and a cheap way, and answers', { timeout: 300_000 }, async () => {
    const words = 'Rewrite each notice to our residents as a short headline.'
    const built = await modelfactory(['build', words, '--files', files, '--name', 'headlines', '--minutes', '1', '--json'], folder)
    expect(built.code, built.stderr).toBe(0)
    const [, tuned, base] = /chrF: tuned ([\d.]+) .*base ([\d.]+) .*baseline [\d.]+ /.exec(built.stderr) ?? []
    console.log(/Exam, .*/.exec(built.stderr)?.[0])
    expect(Number(tuned), built.stderr).toBeGreaterThan(Number(base))
    const asked = await modelfactory(['ask', 'headlines', 'Dear residents, please note that on Friday the pool of our house is full.', '--json'], folder)
    expect(asked.code, asked.stderr).toBe(0)
    const { text } = asked.json as { text: string }
    console.log(text)
    expect(text.length).toBeGreaterThan(0)
    expect(text.length).toBeLessThan(200)
    const verified = await modelfactory(['exam', 'verify', 'headlines', '--json'], folder)
    expect(verified.code, verified.stderr).toBe(0)
    expect(verified.json).toMatchObject({ holds: true })
    const long = await modelfactory(['ask', 'headlines', 'word '.repeat(6000)], folder)
    expect(long.code).toBe(1)
    expect(long.stderr).toMatch(/The text has \d+ tokens, and this model reads at most \d+/)
  })
})
