/** Both trainers from the same first weights, over the whole course and the instruction stage. PYTHON names an interpreter with PyTorch. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { generator } from '../../src/engine/random.ts'
import { readSafetensors } from '../../src/engine/safetensors.ts'
import { readConfig } from './config.ts'
import { readCurve } from './curve.ts'
import { pretrain } from './pretrain.ts'
import { llamaShape, modelOf } from './shape.ts'

const python = process.env.PYTHON
if (!python) console.log('Skipped: both trainers side by side (PYTHON names no interpreter).')
const configPath = fileURLToPath(new URL('../smoke.json', import.meta.url))
const trainer = fileURLToPath(new URL('./pretrain.py', import.meta.url))
const config = await readConfig(configPath)
/** Writes the weights that pretrain.py begins with. */
const FIRST = `import json, sys; sys.path.insert(0, ${JSON.stringify(fileURLToPath(new URL('.', import.meta.url)))}); import pretrain
trainer = pretrain.Trainer(json.load(open(sys.argv[1])), sys.argv[2], "cpu", 4096, False)
pretrain.write_safetensors(sys.argv[2] + "/first.safetensors", trainer.model.exported())`

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pretrain-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A work folder of tokens that are likelier the smaller they are, and follow each other in pairs. */
function workFolder(name: string): string {
  const work = join(folder, name)
  mkdirSync(work)
  const next = generator(11)
  const tokens = (count: number) => {
    const drawn = Uint16Array.from({ length: count }, () => Math.floor(512 * next() ** 3))
    for (let at = 1; at < count; at += 2) drawn[at] = (drawn[at - 1]! + 7) % 512
    return new Uint8Array(drawn.buffer)
  }
  writeFileSync(join(work, 'train.bin'), tokens(20_000))
  writeFileSync(join(work, 'validation.bin'), tokens(3000))
  const half = (from: number, to: number) => ({ bytes: 4500, tokens: 1500, from, to })
  writeFileSync(join(work, 'validation.json'), JSON.stringify({ bytes: 9000, tokens: 3000, sources: { a: half(0, 1500), b: half(1500, 3000) } }))
  writeFileSync(join(work, 'instruct.bin'), tokens(3000))
  writeFileSync(
    join(work, 'instruct.mask'),
    Uint8Array.from({ length: 3000 }, (_, at) => (at % 5 ? 1 : 0)),
  )
  return work
}

describe.skipIf(!python)('both trainers', () => {
  it('take the same steps from the same weights, to the same weights', { timeout: 300_000 }, async () => {
    const [theirs, ours] = [workFolder('theirs'), workFolder('ours')]
    const quietly = { env: { ...process.env, OMP_NUM_THREADS: '1' }, stdio: 'ignore' as const }
    execFileSync(python!, ['-c', FIRST, configPath, theirs], quietly)
    execFileSync(python!, [trainer, '--config', configPath, '--work', theirs, '--threads', '1', '--precision', 'float32', '--compile', 'no'], quietly)
    const read = (path: string) => readSafetensors(readFileSync(path))
    const first = new Map([...read(join(theirs, 'first.safetensors'))].map(([name, { values }]) => [name, values]))
    await pretrain({ config, work: ours, threads: 1, start: modelOf(llamaShape(config.shape), first), tell: () => {} })

    const [their, our] = [readCurve(join(theirs, 'curve.jsonl')), readCurve(join(ours, 'curve.jsonl'))]
    expect(our.length).toBe(their.length)
    for (const [index, point] of our.entries()) {
      const { course, step, tokens, lr, loss, validationBitsPerByte } = their[index]!
      expect(point).toMatchObject({ course, step, tokens })
      if (lr !== undefined) expect(point.lr).toBeCloseTo(lr, 9)
      if (loss !== undefined) expect(Math.abs(point.loss! - loss), `loss at ${step}`).toBeLessThan(5e-4)
      if (validationBitsPerByte !== undefined) expect(Math.abs(point.validationBitsPerByte! - validationBitsPerByte), `bits at ${step}`).toBeLessThan(2e-4)
    }
    for (const file of ['weights-pretrained.safetensors', 'weights.safetensors']) {
      const [a, b] = [read(join(theirs, file)), read(join(ours, file))]
      for (const [name, { values }] of a) {
        const most = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0)
        const apart = values.reduce((largest, value, index) => Math.max(largest, Math.abs(value - b.get(name)!.values[index]!)), 0)
        // Adam's first steps divide by the size of the slope: where that is all rounding, so is the step.
        expect(apart / most, `${file} ${name}`).toBeLessThan(0.02)
      }
    }
    const result = (work: string) => JSON.parse(readFileSync(join(work, 'result.json'), 'utf8'))
    for (const course of ['pretrain', 'instruct'])
      for (const source of ['a', 'b']) expect(result(ours)[course].sources128[source]).toBeCloseTo(result(theirs)[course].sources128[source], 3)
  })
})
