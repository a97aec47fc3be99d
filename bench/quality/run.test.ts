/** The command as it is typed, where nothing has to be trained. */
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { described, labelled, taskFolder } from './folders.suite.ts'
import { Results } from './results.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
let tasks: ReturnType<typeof taskFolder>
beforeAll(() => {
  tasks = taskFolder()
})
afterAll(() => tasks.remove())

async function node(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (chunk) => (stdout += chunk))
  child.stderr.on('data', (chunk) => (stderr += chunk))
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, stdout, stderr }
}
const quality = (...args: string[]) => node('--import', 'tsx', 'bench/quality/run.ts', ...args)

it('names what cannot be examined and what is not there, and measures nothing of it', { timeout: 120_000 }, async () => {
  const folder = join(tasks.root, 'bad')
  tasks.write('bad/one-class', { 'train.jsonl': labelled(40), 'test.jsonl': labelled(20, 60).slice(0, 20) })
  const [json, page] = [join(tasks.root, 'out.json'), join(tasks.root, 'page.md')]
  const { code, stdout, stderr } = await quality('--tasks', folder, '--json', json, '--page', page)
  expect(code, stderr).toBe(0)
  expect(stdout).toContain('one-class: not examined. Every exam case of one-class has the label "bridge".')
  expect(new Results(json).all).toMatchObject({ plan: { tasks: [], refused: [{ task: 'one-class', code: 'exam_one_class' }] }, cells: [] })
  expect(readFileSync(page, 'utf8')).toContain('(exam_one_class)')

  for (const [args, said] of [
    [['--only', 'nothing', '--tasks', folder], 'There is no task "nothing"'],
    [['--tasks', join(folder, 'nowhere')], 'There is no folder'],
    [['--seeds', '0'], '--seeds is "0"'],
    [['--budget', 'x'], '--budget is "x"'],
  ] as const) {
    const wrong = await quality(...args, '--json', json)
    expect(wrong, said).toMatchObject({ code: 1, stderr: expect.stringContaining(said) })
  }
})

it('lets anybody enter by the command line, and knows an entry again', { timeout: 120_000 }, async () => {
  const folder = join(tasks.root, 'open')
  tasks.write('open/notes', { 'task.json': JSON.stringify(described), 'train.jsonl': labelled(40), 'test.jsonl': labelled(20, 70) })
  const mine = join(tasks.root, 'mine')
  mkdirSync(mine)
  writeFileSync(
    join(mine, 'predict.mjs'),
    "let text = ''\nfor await (const part of process.stdin) text += part\nfor (const line of text.trim().split('\\n')) console.log('{\"label\":\"heart\"}')\n",
  )
  const results = join(tasks.root, 'entries.json')
  const enter = (...more: string[]) => node('bin/modelfactory.mjs', 'bench', '--task', 'notes', '--tasks', folder, '--results', results, '--json', ...more)
  for (const _ of [1, 2]) {
    const { code, stdout, stderr } = await enter('--challenger', mine)
    expect(code, stderr).toBe(0)
    expect(JSON.parse(stdout.trim().split('\n').at(-1)!)).toMatchObject({ task: 'notes', challenger: 'mine', metric: 'macro-F1', refused: null, score: 1 / 3 })
    expect(new Results(results).all.cells).toHaveLength(1)
  }
  const { code, stderr } = await enter('--challenger', folder)
  expect(code).toBe(1)
  expect(stderr).toContain('There is no predict.mjs')
})
