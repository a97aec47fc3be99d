/** The data folder's lock against real processes: refused, announced, taken over from the dead, and never held twice. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, describe, expect, it } from 'vitest'
import { isRefusal } from '../../core/errors.ts'
import { acquire, holder, type Lock } from './lock.ts'

const temporary = () => mkdtemp(join(tmpdir(), 'modelfactory-test-lock-'))
const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

/** Starts a process that takes the lock when told on its input, says what came of it, and holds on. */
function contender(folder: string): { child: ChildProcess; line: () => Promise<string> } {
  const program = `
    import { acquire } from ${JSON.stringify(join(import.meta.dirname, 'lock.ts'))}
    console.log('ready')
    process.stdin.once('data', async () => {
      const lock = await acquire(${JSON.stringify(folder)})
      if (!lock.refused) await lock.announce('http://127.0.0.1:4000')
      console.log(lock.refused ? lock.code : 'held')
    })
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], { stdio: ['pipe', 'pipe', 'inherit'] })
  children.push(child)
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
  return { child, line: async () => (await lines.next()).value ?? 'ended' }
}

async function take(folder: string): Promise<Lock> {
  const lock = await acquire(folder)
  if (isRefusal(lock)) throw new Error(lock.message)
  return lock
}

describe('lock of a data folder', () => {
  it('is held once, says by whom and where, and is free again after release', async () => {
    const folder = join(await temporary(), 'data')
    expect(await holder(folder)).toBeUndefined()
    const lock = await take(folder)
    expect(await holder(folder)).toEqual({ pid: process.pid, url: undefined })
    await lock.announce('http://127.0.0.1:8080')
    expect(await holder(folder)).toEqual({ pid: process.pid, url: 'http://127.0.0.1:8080' })
    expect(await acquire(folder)).toMatchObject({
      code: 'data_folder_locked',
      message: `The data folder ${folder} is in use by process ${process.pid}, which answers at http://127.0.0.1:8080.`,
    })
    await lock.release()
    expect(await holder(folder)).toBeUndefined()
    await (await take(folder)).release()
    expect(await readdir(join(folder, 'lock'))).toEqual([])
  })

  it('is held by exactly one of six processes that start at once, and outlives none of them', async () => {
    const folder = await temporary()
    const contenders = Array.from({ length: 6 }, () => contender(folder))
    for (const { line } of contenders) expect(await line()).toBe('ready')
    // What a killed process of an earlier time left, for all of them to find.
    await mkdir(join(folder, 'lock'))
    await writeFile(join(folder, 'lock', 'dead.json'), JSON.stringify({ pid: 2 ** 22 + 1, started: 'x', host: (await import('node:os')).hostname() }))
    for (const { child } of contenders) child.stdin!.write('go\n')
    const results = await Promise.all(contenders.map(({ line }) => line()))
    expect(results.filter((result) => result === 'held')).toHaveLength(1)
    expect(results.filter((result) => result === 'data_folder_locked')).toHaveLength(5)

    const winner = contenders[results.indexOf('held')]!.child
    expect(await holder(folder)).toEqual({ pid: winner.pid, url: 'http://127.0.0.1:4000' })
    const ended = new Promise((resolve) => winner.once('exit', resolve))
    winner.kill('SIGKILL')
    await ended
    expect(await holder(folder)).toBeUndefined()
    await (await take(folder)).release()
  })

  it.skipIf(process.platform !== 'linux')('is not held by a later process that got the same pid', async () => {
    const folder = await temporary()
    const lock = await take(folder)
    const name = (await readdir(join(folder, 'lock'))).find((entry) => entry.endsWith('.json'))
    const claim = JSON.parse(await readFile(join(folder, 'lock', name!), 'utf8'))
    await lock.release()
    await writeFile(join(folder, 'lock', 'reused.json'), JSON.stringify({ ...claim, started: 'another boot 1' }))
    await writeFile(join(folder, 'lock', 'reused.held'), '{}')
    expect(await holder(folder)).toBeUndefined()
    await (await take(folder)).release()
  })

  it('believes a process on another host while it shows signs of life', async () => {
    const folder = await temporary()
    const path = join(folder, 'lock', 'other.json')
    await mkdir(join(folder, 'lock'))
    await writeFile(path, JSON.stringify({ pid: 1, started: 'x', host: 'another-container' }))
    await writeFile(join(folder, 'lock', 'other.held'), '{}')
    expect(await acquire(folder)).toMatchObject({ message: `The data folder ${folder} is in use by process 1 on another-container.` })
    await utimes(path, 1, 1)
    await (await take(folder)).release()
  })

  it.skipIf(process.platform !== 'linux')('says so when the folder is read-only', async () => {
    expect(await acquire('/sys/modelfactory')).toMatchObject({ code: 'data_folder_not_writable', message: expect.stringContaining('read-only for this user') })
  })
})
