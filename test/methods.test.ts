/** A build whose recipe is given by hand: all weights are trained, examined, packed and served, and every setting stays with them. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Id } from '../src/core/id.ts'
import type { StateView } from '../src/core/view.ts'
import { folderStore } from '../src/drivers/store/folder.ts'
import { openGguf } from '../src/engine/gguf.ts'
import { unpack } from '../src/steps/pack.ts'
import { dataFolder, modelfactory, type Running, startServer } from './process.ts'
import { clauses } from './rows.ts'

const words = 'Tell me which kind of clause this is.'

describe('a recipe given by hand', () => {
  let folder: Awaited<ReturnType<typeof dataFolder>>
  let server: Running
  let files: string
  beforeAll(async () => {
    folder = await dataFolder()
    files = join(folder.data, '..', `${folder.data.split('/').at(-1)}-files`)
    await mkdir(files)
    await writeFile(join(files, 'clauses.csv'), await clauses(['Governing Law', 'Insurance', 'Audit Rights'], 40))
    server = await startServer(folder.data)
  })
  afterAll(async () => {
    await server?.stop()
    await folder?.remove()
  })

  it('trains all weights, serves the whole model, and keeps every setting', { timeout: 400_000 }, async () => {
    const recipe = { method: 'full', optimiser: 'adafactor', classWeights: 'balanced', accumulate: 2, learningRate: 0.0005, steps: 24, validateEvery: 8 }
    const settings = ['--name', 'clauses', '--recipe', JSON.stringify(recipe), '--json']
    const built = await modelfactory(['build', words, '--files', files, ...settings], folder)
    expect(built.code, built.stderr).toBe(0)
    const exam = built.json.exam as { tuned: number; base: number }
    expect(exam.tuned).toBeGreaterThan(exam.base + 0.2)

    const { manifest, weights, report, adapterPath } = await unpack({ store: folderStore(join(folder.data, 'store')) }, built.json.package as Id)
    expect(weights).toMatchObject({ kind: 'model', recipe })
    // Where n-grams have a say in what is served, the network by itself is an arm of its own.
    const network = report.arms.find(({ name }) => name === 'neural') ?? report.arms.find(({ name }) => name === 'tuned')!
    expect(network.what).toContain('fully trained model')
    expect(network.score).toBeGreaterThan(exam.base + 0.2)
    expect(manifest.files.adapter).toBe(weights.adapter)
    const file = openGguf(adapterPath)
    expect(file.tensors.get('blk.0.attn_q.weight')?.type).toBe('F16')
    expect(file.metadata.get('tokenizer.ggml.model')).toBeDefined()

    const asked = await modelfactory(['ask', 'clauses', 'This Agreement shall be governed by the laws of the State of New York.', '--json'], folder)
    expect(asked.code, asked.stderr).toBe(0)
    expect(asked.json).toMatchObject({ label: 'Governing Law' })
    const state = (await (await fetch(`${server.url}/api/state`)).json()) as StateView
    expect(state.models.map(({ name }) => name)).toEqual(['clauses'])

    const otherwise = await modelfactory(['build', words, '--files', files, '--name', 'clauses', '--recipe', '{"rank":"x"}', '--json'], folder)
    expect([otherwise.code, otherwise.stderr]).toEqual([1, expect.stringContaining('rank cannot be "x"')])
    for (const [given, code, told] of [
      ['{"rnak":3}', 1, 'no setting "rnak"'],
      ['{"targets":["attn_x"],"steps":5}', 1, 'attn_x'],
      ['method=full', 2, 'method=full'],
      ['[1]', 1, '[1]'],
    ] as const) {
      const refused = await modelfactory(['build', words, '--files', files, '--recipe', given, '--json'], folder)
      expect([refused.code, refused.stderr], given).toEqual([code, expect.stringContaining(told)])
    }
  })
})
