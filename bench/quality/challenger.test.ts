import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { isRefusal } from '../../src/core/errors.ts'
import { challengerCell, type Entry, readEntry } from './challenger.ts'
import { described, labelled, taskFolder } from './folders.suite.ts'
import { askedOf } from './results.ts'
import { scorerOf } from './score.ts'
import { readTask, type Task } from './task.ts'

let tasks: ReturnType<typeof taskFolder>
let folder: string
let task: Task
beforeAll(async () => {
  tasks = taskFolder()
  tasks.write('notes', { 'task.json': JSON.stringify(described), 'train.jsonl': labelled(40), 'test.jsonl': labelled(20, 70) })
  const read = await readTask(tasks.root, 'notes')
  if (isRefusal(read)) throw new Error(read.message)
  task = read
})
afterAll(() => tasks.remove())

function entry(program: string): Entry {
  folder = mkdtempSync(join(tmpdir(), 'quality-entry-'))
  writeFileSync(join(folder, 'predict.mjs'), program)
  writeFileSync(join(folder, 'words.json'), '["girder","span","pier","abutment","cable","truss","deck","bearing"]')
  const read = readEntry(folder)
  if (isRefusal(read)) throw new Error(read.message)
  return read
}
const enter = async (program: string, minutes = 1) => {
  const cell = await challengerCell(entry(program), task, minutes)
  rmSync(folder, { recursive: true, force: true })
  return cell
}
const score = (said: string) => scorerOf(askedOf(task, null), said).score()

const reading = `import { readFileSync } from 'node:fs'
let text = ''
for await (const chunk of process.stdin) text += chunk
const inputs = text.trim().split('\\n').map((line) => JSON.parse(line))
const say = (label) => console.log(JSON.stringify({ label }))
`

it('asks an entry every input, and scores what it says', async () => {
  const cell = await enter(`${reading}
const words = JSON.parse(readFileSync(new URL('./words.json', import.meta.url), 'utf8'))
for (const { input } of inputs) say(words.some((word) => input.includes('The ' + word)) ? 'bridge' : 'heart')`)
  expect(cell).toMatchObject({ refused: null, figures: {} })
  expect(score(cell.said.challenger!)).toBe(1)
  expect((await enter(`${reading}\nfor (const one of inputs) say('boat')`)).said.challenger).toBe(task.cases.map(() => '-').join(' '))
})

it('gives it the inputs alone: what is right cannot be read, nor anything be started or written', async () => {
  const exam = JSON.stringify(join(tasks.root, 'notes', 'test.jsonl'))
  const outcome = (attempt: string) => `${reading}
let label = 'heart'
try { ${attempt}; label = 'bridge' } catch (error) { if (error.code !== 'ERR_ACCESS_DENIED') throw error }
if (Object.keys(inputs[0]).join() !== 'input' || Object.keys(process.env).length) label = 'bridge'
for (const one of inputs) say(label)`
  const attempts = [
    `readFileSync(${exam})`,
    `(await import('node:fs')).writeFileSync(${JSON.stringify(join(tasks.root, 'written'))}, '')`,
    `(await import('node:child_process')).execFileSync('cat', [${exam}])`,
    `new (await import('node:worker_threads')).Worker('1', { eval: true })`,
  ]
  for (const attempt of attempts) {
    const { said, refused } = await enter(outcome(attempt))
    expect(refused, attempt).toBeNull()
    expect(new Set(said.challenger!.split(' ')), attempt).toEqual(new Set([String(task.labels.indexOf('heart'))]))
  }
})

it('refuses, by name, an entry that fails, is late or says something else', { timeout: 60_000 }, async () => {
  const code = async (program: string, minutes?: number) => (await enter(program, minutes)).refused?.code
  expect(await code('throw new Error("broken")')).toBe('challenger_failed')
  expect(await code('setInterval(() => {}, 1000)', 0.02)).toBe('challenger_late')
  expect(await code('console.log("{}")')).toBe('challenger_lines')
  expect(await code(`${reading}\nfor (const one of inputs) console.log('heart')`)).toBe('challenger_line')
  const nothing = readEntry(tasks.root)
  expect(isRefusal(nothing) && nothing.code).toBe('challenger_missing')
})

it('knows an entry by all its files, and takes none with a link out of its folder', () => {
  const first = entry('1')
  const { folder: real } = first
  writeFileSync(join(real, 'words.json'), '[]')
  const changed = readEntry(real)
  expect(isRefusal(changed) || changed.id).not.toBe(first.id)
  symlinkSync(join(tasks.root, 'notes', 'test.jsonl'), join(real, 'right.jsonl'))
  const linked = readEntry(real)
  expect(isRefusal(linked) && linked.code).toBe('challenger_link')
  rmSync(real, { recursive: true, force: true })
})
