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
  // By unit and fuzz tests alone: what only the invariants reach would be reached by chance.
  const run = forge(['coverage', '--report', 'summary', '--no-match-contract', 'GasTest|InvariantsTest', '--no-match-coverage', 'contracts/test'])
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

/** Copies of the contracts with all tests or with those of one contract alone, which compile in a third of the time. */
function copies(): { folder(file: Mutant['file'] | 'all'): string; remove(): void } {
  const made = new Map<string, string>()
  const make = (file: string): string => {
    const folder = mkdtempSync(join(tmpdir(), 'modelfactory-mutants-'))
    made.set(file, folder)
    const near = new RegExp(`test$|test/(Fixture|Vm|${file}\\.t)\\.sol$`)
    const filter = (path: string) => !/contracts\/(out|cache|deployments)$/.test(path) && (file === 'all' || !path.includes('/test') || near.test(path))
    cpSync(join(repository, 'contracts'), join(folder, 'contracts'), { recursive: true, filter })
    symlinkSync(join(repository, 'node_modules'), join(folder, 'node_modules'))
    return folder
  }
  return {
    folder: (file) => made.get(file) ?? make(file),
    remove() {
      for (const folder of made.values()) rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The tests of one contract run without the optimizer, which takes longer than they do; all tests run on the code as it is deployed. */
const test = (folder: string, file: Mutant['file'] | 'all') =>
  forgeBeside(['test', '--fail-fast', '--no-match-contract', 'GasTest'], { folder, environment: { FOUNDRY_OPTIMIZER: String(file === 'all') } })

/** The first test that fails on the mutant in this copy, or undefined when none does. */
async function killerIn(folder: string, mutant: Mutant, tests: Mutant['file'] | 'all'): Promise<string | undefined> {
  const path = join(folder, 'contracts/src', `${mutant.file}.sol`)
  const source = readFileSync(path, 'utf8')
  const places = source.split(mutant.old).length - 1
  if (places !== 1) throw new Error(`${mutant.name}: its text stands ${places} times in ${mutant.file}.sol; correct the list.`)
  writeFileSync(
    path,
    source.replace(mutant.old, () => mutant.new),
  )
  try {
    const { status, output } = await test(folder, tests)
    if (/Compiler run failed/.test(output)) throw new Error(`${mutant.name} does not compile:\n${output.slice(-2_000)}`)
    const failure = /\[FAIL:? ?([^;\n]*?)(?:\]|;|\n)/.exec(output)?.[1]
    if (status !== 0 && failure === undefined) throw new Error(`${mutant.name}: forge failed without a failing test:\n${output.slice(-2_000)}`)
    return failure
  } finally {
    writeFileSync(path, source)
  }
}

async function killAll(): Promise<void> {
  const began = Date.now()
  const queue = mutants.filter(({ file, name }) => new RegExp(values.only).test(`${file}: ${name}`))
  const count = queue.length
  const survivors: string[] = []
  const worker = async (): Promise<void> => {
    const at = copies()
    const sound = new Set<string>()
    /** A whole run before anything is broken shows that the copy works, and what stays unchanged is compiled once. */
    const checked = async (file: Mutant['file'] | 'all'): Promise<string> => {
      const folder = at.folder(file)
      if (sound.has(file)) return folder
      const { status, output } = await test(folder, file)
      if (status !== 0) throw new Error(`The tests fail before anything is broken:\n${output.slice(-4_000)}`)
      sound.add(file)
      return folder
    }
    try {
      for (let mutant = queue.shift(); mutant; mutant = queue.shift()) {
        const started = Date.now()
        // Its own tests first: they kill nearly all.
        const failure = (await killerIn(await checked(mutant.file), mutant, mutant.file)) ?? (await killerIn(await checked('all'), mutant, 'all'))
        if (failure === undefined) survivors.push(mutant.name)
        console.log(`       ${failure === undefined ? 'SURVIVED' : 'killed  '} ${mutant.file}: ${mutant.name} (${failure}), ${seconds(started)}`)
      }
    } finally {
      at.remove()
    }
  }
  const outcomes = await Promise.allSettled(Array.from({ length: Math.max(1, Math.min(Number(values.jobs) || 1, count)) }, worker))
  const broken = outcomes.find((outcome) => outcome.status === 'rejected')
  if (broken) throw broken.reason
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
