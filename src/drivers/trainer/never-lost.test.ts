/** A training process that is killed, or whose disk is full: nothing but the last steps is lost, and what comes out is the same. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { classifyPrompt } from '../../core/prompt.ts'
import { chooseRecipe, type Recipe } from '../../core/recipe.ts'
import { random } from '../../core/report.ts'
import type { TrainingJob, TrainingResult } from '../../ports/trainer.ts'
import type { ChildMessage } from './messages.ts'

const base = fileURLToPath(new URL('../../../base/modelfactory-base-xs-v2.q8_0.gguf', import.meta.url))
const CHILD = fileURLToPath(new URL('./child.ts', import.meta.url))
const EVERY = 3

let root: string
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'never-lost-'))
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const job = (folder: string, override: Partial<Recipe> = {}): TrainingJob => ({
  id: 'job',
  base,
  training: Array.from({ length: 16 }, (_, index) => classifyPrompt(`${index % 2 ? 'heart' : 'rain'} ${index}`, index % 2)),
  validation: Array.from({ length: 4 }, (_, index) => classifyPrompt(`${index % 2 ? 'heart' : 'rain'} ${index + 20}`, index % 2)),
  labelTokens: ['<|l0|>', '<|l1|>'],
  recipe: chooseRecipe({
    ...{ trainingTokens: 500, maximumTokens: 64, threads: 1, maximumSeconds: 600 },
    override: {
      ...{ rank: 2, alpha: 4, targets: ['attn_q', 'ffn_down'], learningRate: 1e-3, steps: 18, warmupSteps: 2, tokensPerStep: 64 },
      ...{ validateEvery: EVERY, patience: 1000, ...override },
    },
  }),
  folder: join(root, folder),
})

type Ended = { steps: number[]; notices: string[]; last: ChildMessage | undefined }

/** Runs a job in the training process; `command` stands before it. `watch` sees every message. */
function run(which: TrainingJob, command: readonly string[] = [], watch: (child: ChildProcess, message: ChildMessage) => void = () => {}): Promise<Ended> {
  const [program, ...rest] = [...command, process.execPath, '--import', import.meta.resolve('tsx'), CHILD]
  const child = spawn(program!, rest, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const ended: Ended = { steps: [], notices: [], last: undefined }
  child.on('message', (message: ChildMessage) => {
    ended.last = message
    if (message.kind === 'progress') {
      ended.steps.push(message.progress.step)
      if (message.progress.notice) ended.notices.push(message.progress.notice)
    }
    watch(child, message)
  })
  child.send({ job: which })
  return new Promise((resolve) => child.once('exit', () => resolve(ended)))
}

const resultOf = ({ last }: Ended): TrainingResult => {
  if (last?.kind !== 'result') throw new Error(JSON.stringify(last))
  return last.result
}
const losses = ({ curve }: TrainingResult) => curve.map(({ step, trainingLoss, validationLoss }) => [step, trainingLoss, validationLoss])
/** `ulimit -f` counts half kilobytes in some shells and kilobytes in others; what is tested lies well clear of both. */
const limited = (blocks: number) => ['sh', '-c', `ulimit -f ${blocks} && exec "$@"`, 'sh']

it.each<[string, Partial<Recipe>]>([
  ['lora', {}],
  ['lora with adafactor, two runs a step', { optimiser: 'adafactor', accumulate: 2 }],
  ['qlora', { method: 'qlora' }],
  ['full, two threads', { method: 'full', threads: 2, steps: 9 }],
  ['full with adafactor', { method: 'full', optimiser: 'adafactor', steps: 9 }],
])('%s: killed at any moment, it loses at most one interval and ends in the same bytes', { timeout: 600_000 }, async (name, change) => {
  const whole = resultOf(await run(job(`${name}-whole`, change)))
  const broken = job(`${name}-broken`, change)
  const next = random(name.length)
  for (let kills = 0, reached = 0; kills < 2; kills++) {
    // Some time after the first step that is new, so that now a step, now a validation, now the writing of a checkpoint is hit.
    const wait = Math.floor(next() * 250)
    let armed = false
    const { steps } = await run(broken, [], (child, message) => {
      if (message.kind !== 'progress' || message.progress.step <= reached || armed) return
      armed = true
      setTimeout(() => child.kill('SIGKILL'), wait)
    })
    if (steps.length && reached) expect(steps[0]).toBeGreaterThan(reached - EVERY)
    reached = Math.max(reached, ...steps)
  }
  const resumed = resultOf(await run(broken))
  expect(resumed.resumed).toBe(true)
  expect(losses(resumed)).toEqual(losses(whole))
  expect(readFileSync(resumed.file).equals(readFileSync(whole.file))).toBe(true)
  expect(readdirSync(broken.folder).sort()).toEqual(['checkpoint.bin', whole.kind === 'model' ? 'model.gguf' : 'adapter.gguf'].sort())
})

it('goes on when a checkpoint no longer fits, says so once, and keeps the last whole one', { timeout: 600_000 }, async () => {
  const which = job('full-disk')
  await run(which, [], (child, message) => message.kind === 'progress' && message.progress.step >= 7 && child.kill('SIGKILL'))
  const kept = readFileSync(join(which.folder, 'checkpoint.bin'))
  expect(kept.length).toBeGreaterThan(220_000)
  const ended = await run(which, limited(200))
  expect(ended.notices).toEqual([expect.stringMatching(/^Cannot write to .*checkpoint\.bin .*(EFBIG|ENOSPC).* Training goes on/)])
  expect(resultOf(ended)).toMatchObject({ resumed: true, notices: ended.notices })
  expect(readFileSync(join(which.folder, 'checkpoint.bin')).equals(kept)).toBe(true)
  expect(readdirSync(which.folder).sort()).toEqual(['adapter.gguf', 'checkpoint.bin'])
  expect(readFileSync(resultOf(ended).file).equals(readFileSync(join(root, 'lora-whole', 'adapter.gguf')))).toBe(true)
})

it('refuses in one sentence when the weights themselves do not fit, and needs no training again once they do', { timeout: 600_000 }, async () => {
  const which = job('fuller-disk')
  await run(which, [], (child, message) => message.kind === 'progress' && message.progress.step >= 16 && child.kill('SIGKILL'))
  const { last } = await run(which, limited(60))
  expect(last).toMatchObject({
    kind: 'refused',
    refusal: { code: 'weights_unwritable', message: expect.stringMatching(/^Cannot write to .*adapter\.gguf .*(EFBIG|ENOSPC)/) },
  })
  expect(readdirSync(which.folder)).toEqual(['checkpoint.bin'])
  const again = resultOf(await run(which))
  expect(again.resumed).toBe(true)
  expect(readFileSync(again.file).equals(readFileSync(join(root, 'lora-whole', 'adapter.gguf')))).toBe(true)
})

/** A disk of its own inside the process's namespace; only Linux has it, and not every sandbox. */
const disk = (folder: string, size: string) => ['unshare', '-rm', 'sh', '-c', `mount -t tmpfs -o size=${size} none ${folder} && exec "$@"`, 'sh']
const mountable = spawnSync(disk('/tmp', '64k')[0]!, [...disk('/tmp', '64k').slice(1), 'true']).status === 0

it.skipIf(!mountable)('a disk that is really full is told by its name', { timeout: 600_000 }, async () => {
  const which = { ...job('disk'), folder: mkdtempSync(join(root, 'disk-')) }
  const ended = await run(which, disk(which.folder, '400k'))
  expect(ended.notices).toEqual([expect.stringMatching(/checkpoint\.bin: the disk is full \(ENOSPC\)\. Training goes on/)])
  expect(resultOf(ended).curve.at(-1)!.step).toBe(18)
  const { last } = await run(which, disk(which.folder, '48k'))
  expect(last).toMatchObject({ kind: 'refused', refusal: { code: 'weights_unwritable', message: expect.stringMatching(/the disk is full \(ENOSPC\)/) } })
})
