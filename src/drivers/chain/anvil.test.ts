/** Anvil dies with the process that started it, however that one dies. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, it } from 'vitest'
import { AnvilError, startAnvil } from './anvil.ts'
import { GAS_ALONE, GAS_TOGETHER } from './settler.ts'

const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

async function options() {
  const folder = await mkdtemp(join(tmpdir(), 'modelfactory-test-anvil-'))
  const genesis = join(folder, 'genesis.json')
  await writeFile(genesis, JSON.stringify({ config: { chainId: 31337 }, timestamp: '0x1', gasLimit: '0x1c9c380', difficulty: '0x0', alloc: {} }))
  return { genesis, timestamp: 1_700_000_000, chainId: 31337, cache: join(folder, 'cache') }
}

async function answers(url: string): Promise<boolean> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] })
  return fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body }).then(
    (response) => response.ok,
    () => false,
  )
}

async function silent(url: string): Promise<boolean> {
  for (let wait = 0; wait < 50; wait++) {
    if (!(await answers(url))) return true
    await sleep(100)
  }
  return false
}

it.each(['SIGKILL', 'SIGTERM'] as const)('ends when its parent alone gets %s', async (signal) => {
  const program = `
    import { startAnvil } from ${JSON.stringify(join(import.meta.dirname, 'anvil.ts'))}
    const anvil = await startAnvil(${JSON.stringify(await options())})
    console.log(anvil.url)
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  const url: string = (await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next()).value
  expect(await answers(url)).toBe(true)
  child.kill(signal)
  expect(await silent(url)).toBe(true)
})

it('gives every caller a port of its own, and is gone after close', async () => {
  const [one, other] = await Promise.all([startAnvil(await options()), startAnvil(await options())])
  expect(one.url).not.toBe(other.url)
  await one.close()
  expect(await answers(one.url)).toBe(false)
  expect(await answers(other.url)).toBe(true)
  await other.close()
})

it('reckons with the gas that was measured', async () => {
  const gas = JSON.parse(await readFile(new URL('../../../contracts/gas.json', import.meta.url), 'utf8')) as Record<string, number>
  expect(Number(GAS_ALONE) / gas['payWithAuthorization, random nonce']!).toBeCloseTo(1, 2)
  expect((Number(GAS_TOGETHER) * 100) / gas['payMany of 100, random nonces']!).toBeCloseTo(1, 2)
})

it('says what anvil said when it does not start', async () => {
  await expect(startAnvil({ ...(await options()), genesis: '/nowhere/genesis.json' })).rejects.toThrow(AnvilError)
  await expect(startAnvil({ ...(await options()), genesis: '/nowhere/genesis.json' })).rejects.toThrow(/ended before it was ready: .*genesis/)
})
