/** Both runtimes against the suite, and what only llama.cpp can do wrong. */
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { isRefusal } from '../../core/errors.ts'
import { BASE_KEY } from '../../core/export.ts'
import { hashText } from '../../core/id.ts'
import { writeAdapter } from '../../engine/gguf-writer.ts'
import { runtimeSuite } from '../../ports/runtime.suite.ts'
import { fileHash } from '../files/hash.ts'
import { fakeRuntime } from './fake.ts'
import { openLlamaRuntime } from './llama.ts'

const base = fileURLToPath(new URL('../../../base/modelfactory-base-xs-v2.q8_0.gguf', import.meta.url))

runtimeSuite('fake', fakeRuntime, base)
runtimeSuite('llama.cpp', () => openLlamaRuntime({ threads: 1 }), base)

describe('llama.cpp alone', () => {
  it('refuses a file that is no model and an adapter that is none, and still serves the base', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'modelfactory-runtime-'))
    const rubbish = join(folder, 'rubbish.gguf')
    await writeFile(rubbish, 'this is not a model')
    const runtime = openLlamaRuntime({ threads: 1 })
    const refused = await runtime.vocabulary(rubbish)
    expect(isRefusal(refused) && refused.message).toContain('rubbish.gguf')
    const adapter = await runtime.open({ base, adapter: rubbish, labelTokens: ['<|l0|>', '<|l1|>'] })
    expect(isRefusal(adapter) && adapter.message).toContain('rubbish.gguf')
    expect(isRefusal(await runtime.open({ base, adapter: null, labelTokens: ['<|l0|>', '<|l1|>'] }))).toBe(false)
    await runtime.close()
  })

  it('refuses an adapter trained on another base, by the hash it carries', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'modelfactory-runtime-'))
    const runtime = openLlamaRuntime({ threads: 1 })
    const pair = { tensor: 'blk.0.attn_q.weight', rank: 1, inputs: 256, outputs: 256, down: new Float32Array(256), up: new Float32Array(256) }
    const open = async (sha256: string) => {
      const adapter = join(folder, `${sha256}.gguf`)
      await writeFile(adapter, writeAdapter({ architecture: 'llama', alpha: 1, metadata: [[BASE_KEY, sha256, 'string']], pairs: [pair] }))
      return runtime.open({ base, adapter, labelTokens: ['<|l0|>', '<|l1|>'] })
    }
    const own = await fileHash(base)
    const refused = await open(hashText('another base'))
    expect(refused).toMatchObject({ refused: true, code: 'adapter_for_another_base', message: expect.stringContaining(own.slice(0, 10)) })
    expect(isRefusal(await open(own))).toBe(false)
    await runtime.close()
  })

  it('puts the likelier continuation first', async () => {
    const runtime = openLlamaRuntime({ threads: 1 })
    const scorer = await runtime.open({ base, adapter: null, labelTokens: ['<|l0|>', '<|l1|>'] })
    if (isRefusal(scorer)) throw new Error(scorer.message)
    const [likely, unlikely] = await scorer.likelihood([{ kind: 'text', text: 'Once upon' }], [' a', ' zx'])
    expect(likely).toBeGreaterThan(unlikely!)
    await runtime.close()
  })
})
