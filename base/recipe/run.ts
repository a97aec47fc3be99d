/**
 * Run: the command that makes a base, from corpus to GGUF: `npm run base:build -- --config base/s.json --corpus DIR --tasks DIR
 * --work DIR [--engine pytorch|own] [--threads N]`. Started again it goes on; SIGTERM and Ctrl-C write a checkpoint first.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { build } from './build.ts'
import { readConfig } from './config.ts'

const USE = 'npm run base:build -- --config base/xs.json --corpus DIR --tasks DIR --work DIR [--engine pytorch|own] [--threads N]'
const python = process.env.PYTHON ?? 'python3'
const stop = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort())

try {
  const { values } = parseArgs({
    options: {
      ...{ config: { type: 'string' }, corpus: { type: 'string' }, tasks: { type: 'string' }, work: { type: 'string' } },
      ...{ engine: { type: 'string' }, threads: { type: 'string', default: String(availableParallelism()) } },
    },
  })
  const { config, corpus, tasks, work, engine } = values
  if (!config || !corpus || !tasks || !work) throw new Error(`Say what to make of what, and where: ${USE}`)
  for (const folder of [corpus, tasks]) if (!existsSync(folder)) throw new Error(`There is no folder ${folder}: --corpus holds the sources, --tasks the tasks.`)
  if (engine !== undefined && engine !== 'pytorch' && engine !== 'own') throw new Error(`--engine is "${engine}": say pytorch or own.`)
  const threads = Number(values.threads)
  if (!Number.isInteger(threads) || threads < 1) throw new Error(`--threads is "${values.threads}": give a whole number from 1.`)
  mkdirSync(work, { recursive: true })
  const outcome = await build({
    ...{ config: await readConfig(config), configPath: config, corpus, tasks, work, threads, python },
    ...{ engine: engine ?? found(), signal: stop.signal, tell: (line: string) => console.log(line) },
  })
  if (outcome === 'stopped') process.exitCode = 3
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

/** PyTorch where there is one: it is faster, and it knows GPUs. */
function found(): 'pytorch' | 'own' {
  const has = spawnSync(python, ['-c', 'import torch, numpy'], { stdio: 'ignore' }).status === 0
  if (!has) console.log(`"${python}" has no PyTorch (PYTHON names another): training by our own engine.`)
  return has ? 'pytorch' : 'own'
}
