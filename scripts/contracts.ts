/**
 * The contracts in full, for releases: `npm run test:contracts [-- --jobs N] [--only PATTERN] [--no-tests] [--no-mutants]`. Fuzz tests and
 * invariants at the full tier, every line of contracts/src covered, the verification inputs compiled anew to the bytes that are deployed, and
 * every mutant killed. Mutants are made in copies, never in the sources. Knows nothing of what the contracts do.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { deployed, generate } from './abi.ts'
import { forge, forgeBeside, repository } from './forge.ts'
import { type Mutant, mutants } from './mutants.ts'

const { values } = parseArgs({
  options: {
    jobs: { type: 'string', default: String(Math.min(availableParallelism(), 4)) },
    only: { type: 'string', default: '' },
    tests: { type: 'boolean', default: true },
    mutants: { type: 'boolean', default: true },
  },
  allowNegative: true,
})
const faults: string[] = []
const seconds = (began: number) => `${((Date.now() - began) / 1000).toFixed(0)} s`

function step(name: string, work: () => string | undefined): void {
  const began = Date.now()
  const fault = work()
  if (fault) faults.push(name)
  console.log(`${fault ? 'FAIL' : 'ok  '} ${name}, ${seconds(began)}${fault ? `\n${fault}` : ''}`)
}

/** Fuzz 10,000, invariants 500 x 100; see `profile.full` in foundry.toml. */
function fullTier(): string | undefined {
  const run = forge(['test'], { environment: { FOUNDRY_PROFILE: 'full' } })
  const output = `${run.stdout}${run.stderr}`
  for (const line of output.match(/^.*\(runs: .*$/gm) ?? []) console.log(`       ${line}`)
  return run.status === 0 ? undefined : output.slice(-6_000)
}

function everyLineCovered(): string | undefined {
  // Gas is measured of optimized code only, so those tests would fail here and say nothing.
  const run = forge(['coverage', '--report', 'summary', '--no-match-contract', 'GasTest', '--no-match-coverage', 'contracts/test'])
  const rows = [...`${run.stdout}`.matchAll(/^\| (contracts\/src\/\S+)\s*\| ([\d.]+)% \((\d+)\/(\d+)\)\s*\| [^|]*\| ([\d.]+)% /gm)]
  for (const [, file, , covered, all, branches] of rows) console.log(`       ${file}: ${covered} of ${all} lines, ${branches} % of branches`)
  if (run.status !== 0 || rows.length < 4) return `${run.stdout}${run.stderr}`.slice(-4_000)
  const short = rows.filter(([, , , covered, all]) => covered !== all).map(([, file]) => file)
  return short.length ? `Not every line is covered: ${short.join(', ')}` : undefined
}

/** What an explorer would do with the inputs we keep. */
function inputsCompile(): string | undefined {
  const { compile } = createRequire(import.meta.url)('solc') as { compile: (input: string) => string }
  const generated = generate()
  for (const name of deployed) {
    const output = JSON.parse(compile(readFileSync(join(repository, 'contracts/deployments', `${name}.input.json`), 'utf8')))
    const bytecode = output.contracts?.[`contracts/src/${name}.sol`]?.[name]?.evm.bytecode.object
    if (!bytecode || !generated.includes(`bytecode: '0x${bytecode}'`)) return `${name}.input.json compiles to other bytes than are deployed.`
  }
  return undefined
}

/** A copy of the contracts that compiles without the optimizer, which takes half the time. */
function copy(): string {
  const folder = mkdtempSync(join(tmpdir(), 'modelfactory-mutants-'))
  cpSync(join(repository, 'contracts'), join(folder, 'contracts'), { recursive: true, filter: (path) => !/contracts\/(out|cache)$/.test(path) })
  symlinkSync(join(repository, 'node_modules'), join(folder, 'node_modules'))
  return folder
}

const environment = { FOUNDRY_OPTIMIZER: 'false' }
const test = (folder: string, ...filter: string[]) => forgeBeside(['test', '--fail-fast', '--no-match-contract', 'GasTest', ...filter], { folder, environment })

/** The test that notices the mutant, or undefined when none does. */
async function killer(folder: string, mutant: Mutant): Promise<string | undefined> {
  const path = join(folder, 'contracts/src', `${mutant.file}.sol`)
  const source = readFileSync(path, 'utf8')
  const places = source.split(mutant.old).length - 1
  if (places !== 1) throw new Error(`${mutant.name}: its text stands ${places} times in ${mutant.file}.sol; correct the list.`)
  writeFileSync(
    path,
    source.replace(mutant.old, () => mutant.new),
  )
  try {
    // The tests of the same name first: they alone kill most.
    let run = await test(folder, '--match-path', `contracts/test/${mutant.file}.t.sol`)
    if (run.status === 0) run = await test(folder)
    if (/Compiler run failed/.test(run.output)) throw new Error(`${mutant.name} does not compile:\n${run.output.slice(-2_000)}`)
    const failure = /\[FAIL:? ?([^;\n]*?)(?:\]|;|\n)/.exec(run.output)?.[1]
    if (run.status !== 0 && failure === undefined) throw new Error(`${mutant.name}: forge failed without a failing test:\n${run.output.slice(-2_000)}`)
    return failure
  } finally {
    writeFileSync(path, source)
  }
}

async function killAll(): Promise<void> {
  const began = Date.now()
  const queue = mutants.filter(({ name }) => new RegExp(values.only).test(name))
  const count = queue.length
  const survivors: string[] = []
  const worker = async (): Promise<void> => {
    const folder = copy()
    try {
      // A whole sound run first shows that the copy works, and what is unchanged stays compiled.
      const sound = await test(folder)
      if (sound.status !== 0) throw new Error(`The tests fail before anything is broken:\n${sound.output.slice(-4_000)}`)
      for (let mutant = queue.shift(); mutant; mutant = queue.shift()) {
        const started = Date.now()
        const failure = await killer(folder, mutant)
        if (failure === undefined) survivors.push(mutant.name)
        console.log(`       ${failure === undefined ? 'SURVIVED' : 'killed  '} ${mutant.file}: ${mutant.name} (${failure}), ${seconds(started)}`)
      }
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
  await Promise.all(Array.from({ length: Math.max(1, Math.min(Number(values.jobs) || 1, count)) }, worker))
  if (survivors.length) faults.push('mutants')
  console.log(
    `${survivors.length ? 'FAIL' : 'ok  '} ${count - survivors.length} of ${count} mutants killed, ${seconds(began)}${survivors.map((name) => `\n     ${name}`).join('')}`,
  )
}

const began = Date.now()
if (values.tests) {
  step('full tier: fuzz and invariants', fullTier)
  step('coverage', everyLineCovered)
  step('verification inputs', inputsCompile)
}
if (values.mutants) await killAll()
console.log(`${faults.length ? `FAILED: ${faults.join(', ')}` : 'All of it holds'}, ${seconds(began)}`)
process.exitCode = faults.length ? 1 : 0
