/**
 * Gas of the paid query paths. `npx tsx scripts/gas.ts` measures and writes `contracts/gas.json`, which is committed and
 * checked by the contracts' test. Knows nothing of what gas costs.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { forge, repository } from './forge.ts'

const committedPath = join(repository, 'contracts/gas.json')
const measuredPath = join(repository, 'contracts/cache/gas/queries.json')

function read(path: string): Record<string, number> {
  return Object.fromEntries(Object.entries(JSON.parse(readFileSync(path, 'utf8')) as Record<string, string | number>).map(([name, gas]) => [name, Number(gas)]))
}

/** Gas by path as committed. */
export const committedGas = (): Record<string, number> => read(committedPath)

/**
 * Runs the tests in `contracts/test/Gas.t.sol`. Gas by path, whole transactions, calldata and base fee in it.
 * @throws when forge fails.
 */
export function measureGas(): Record<string, number> {
  // Forge adds to the file, so a path that is gone would stay; and it writes none when asked for JSON.
  rmSync(measuredPath, { force: true })
  const run = forge(['test', '--match-contract', 'GasTest'])
  if (run.status !== 0) throw new Error(run.error?.message ?? `${run.stdout}${run.stderr}`)
  return read(measuredPath)
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const gas = measureGas()
  writeFileSync(committedPath, `${JSON.stringify(gas, null, 2)}\n`)
  for (const [name, amount] of Object.entries(gas)) console.log(`${String(amount).padStart(10)}  ${name}`)
}
