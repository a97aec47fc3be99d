/** Bases that are not ours, from words to a served answer: small random models of the shapes and vocabularies people bring. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RandomModel, writeRandomModel } from '../src/engine/random-model.ts'
import { dataFolder, modelfactory, type Running, startServer } from './process.ts'
import { clauses } from './rows.ts'

const words = 'Which kind of clause is this?'
const shapes: Record<string, RandomModel> = {
  // Biases of q, k and v, half-split positions, tied, <|im_start|> and <|im_end|>, no opening token.
  qwen2: {
    ...{ architecture: 'qwen2', width: 64, layers: 2, heads: 4, groups: 2, feedForward: 128, tied: true, type: 'Q8_0' },
    ...{ ropeBase: 1e6, contextLength: 256, control: ['<|im_start|>', '<|im_end|>'], markers: { begin: '<|endoftext|>', end: '<|endoftext|>' } },
  },
  // Three heads on one group, interleaved positions, 4-bit blocks, no chat markers.
  smollm2: {
    ...{ architecture: 'llama', width: 96, layers: 2, heads: 3, groups: 1, feedForward: 128, tied: true, type: 'Q4_0' },
    ...{ ropeBase: 1e5, contextLength: 256, markers: { begin: '<|endoftext|>', end: '<|endoftext|>' } },
  },
}

describe('a base of another shape', () => {
  let folder: Awaited<ReturnType<typeof dataFolder>>
  let server: Running | undefined
  let own: string
  let files: string
  const write = (name: string, model: RandomModel) => {
    const path = join(own, `${name}-shaped.gguf`)
    writeRandomModel(path, model)
    return path
  }
  beforeAll(async () => {
    folder = await dataFolder()
    own = await mkdtemp(join(tmpdir(), 'modelfactory-bases-'))
    files = join(own, 'files')
    await mkdir(files)
    await writeFile(join(files, 'clauses.csv'), await clauses(['Governing Law', 'Insurance'], 30))
    server = await startServer(folder.data)
  })
  afterAll(async () => {
    await server?.stop()
    await folder?.remove()
    await rm(own, { recursive: true, force: true })
  })

  it.each(Object.entries(shapes))('%s: words to a trained, examined model that answers', { timeout: 300_000 }, async (name, model) => {
    const flags = ['--files', files, '--name', name, '--base', write(name, model), '--minutes', '1', '--json']
    const built = await modelfactory(['build', words, ...flags], folder)
    expect(built.code, built.stderr).toBe(0)
    expect(built.json).toMatchObject({ model: name, package: expect.stringMatching(/^0x[0-9a-f]{64}$/) })
    // How well is not asked: what a random model makes of a few examples in a minute is chance. That it learns is tested in methods.test.ts.
    expect(Number(/best practice loss ([\d.]+)/.exec(built.stderr)?.[1]), built.stderr).toBeGreaterThan(0)
    // It is served on the base it was built on, without being told again.
    const asked = await modelfactory(['ask', name, 'This agreement is governed by the laws of Ohio.', '--json'], folder)
    expect(asked.code, asked.stderr).toBe(0)
    expect(asked.json).toMatchObject({ label: expect.stringMatching(/^(Governing Law|Insurance)$/) })
  })

  it('is refused by name when it is of no architecture or type that can be trained', { timeout: 120_000 }, async () => {
    const path = write('other', shapes.qwen2!)
    const bytes = await readFile(path)
    const refusal = async (changed: Buffer) => {
      await writeFile(path, changed)
      const built = await modelfactory(['build', words, '--files', files, '--name', 'other', '--base', path, '--json'], folder)
      expect(built.code).toBe(1)
      return built.stderr
    }
    // Every key of the architecture's own begins with its name: another of the same length is all it takes.
    const other = Buffer.from(bytes.toString('latin1').replaceAll('qwen2', 'gemma'), 'latin1')
    expect(await refusal(other)).toMatch(/"gemma".*llama, qwen2, qwen3/)
    const typed = Buffer.from(bytes)
    const place = typed.indexOf('blk.0.attn_q.weight') + 'blk.0.attn_q.weight'.length + 4 + 16
    expect(typed.readUInt32LE(place)).toBe(8)
    typed.writeUInt32LE(20, place)
    expect(await refusal(typed)).toMatch(/"blk\.0\.attn_q\.weight" is IQ4_NL.*F32, F16, BF16, Q8_0/)
  })
})
