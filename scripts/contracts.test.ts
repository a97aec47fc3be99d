/**
 * The contracts, as `npm test` sees them: forge's own unit, fuzz and invariant tests in one offline run, then whether the
 * generated ABI and the committed gas figures still say what the source says.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { addresses, generate, generatedPath, verificationInputs } from './abi.ts'
import { forge, repository } from './forge.ts'
import { committedGas, measureGas } from './gas.ts'

type Suite = { test_results: Record<string, { status: 'Success' | 'Failure' | 'Skipped'; reason: string | null }> }

describe('contracts', () => {
  const results = new Map<string, string>()
  beforeAll(() => {
    const run = forge(['test', '--json'])
    const line = run.stdout?.split('\n').find((text) => text.startsWith('{'))
    if (!line) throw new Error(`forge did not run: ${run.error?.message ?? ''}\n${run.stdout}\n${run.stderr}`)
    for (const [suite, { test_results }] of Object.entries(JSON.parse(line) as Record<string, Suite>))
      for (const [name, { status, reason }] of Object.entries(test_results))
        results.set(`${suite.split(':').at(-1)}.${name.replace(/\(.*/, '')}`, status === 'Success' ? 'passed' : `${status}: ${reason ?? 'no reason given'}`)
  }, 600_000)

  it('pass their own tests', () => {
    const failed = [...results].filter(([, outcome]) => outcome !== 'passed')
    console.log(`forge: ${results.size} tests, ${failed.length} failed`)
    expect(failed).toEqual([])
    // A run that silently found no tests of one kind would pass as well.
    for (const suite of ['WrappedOpenTest', 'ModelRegistryTest', 'RoyaltyRouterTest', 'RoyaltySharesTest', 'ModelBountiesTest', 'InvariantsTest', 'GasTest'])
      expect(
        [...results.keys()].some((name) => name.startsWith(`${suite}.`)),
        suite,
      ).toBe(true)
  })

  it('are what the generated ABI and bytecode say', async () => {
    expect(readFileSync(generatedPath, 'utf8') === generate(), 'stale: run npx tsx scripts/abi.ts').toBe(true)
    for (const { path, text } of [...verificationInputs(), await addresses()])
      expect(readFileSync(path, 'utf8') === text, `${path} is stale: run npx tsx scripts/abi.ts`).toBe(true)
  })

  it('cost what the committed figures say, within one percent', () => {
    const committed = committedGas()
    const measured = measureGas()
    expect(Object.keys(measured).sort(), 'run npx tsx scripts/gas.ts').toEqual(Object.keys(committed).sort())
    const away = Object.entries(measured).filter(([name, gas]) => Math.abs(gas - committed[name]!) > committed[name]! / 100)
    expect(away, 'if meant, run npx tsx scripts/gas.ts and commit').toEqual([])
  }, 240_000)

  it('are formatted', () => {
    const run = forge(['fmt', '--check', 'contracts/src', 'contracts/test'])
    expect(run.status, `run npx tsx scripts/forge.ts fmt contracts/src contracts/test\n${run.stdout}`).toBe(0)
  })

  it('stay within 260 lines a file', () => {
    for (const folder of ['contracts/src', 'contracts/src/interfaces'])
      for (const file of readdirSync(join(repository, folder)).filter((name) => name.endsWith('.sol')))
        expect(readFileSync(join(repository, folder, file), 'utf8').split('\n').length, file).toBeLessThanOrEqual(260)
  })
})
