/**
 * Train: the command of pretrain.ts. `npx tsx base/recipe/train.ts --config base/xs.json --work DIR [--threads N]
 * [--stop-after-minutes M] [--checkpoint-minutes M]`; SIGTERM and Ctrl-C write a checkpoint first.
 */
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { readConfig } from './config.ts'
import { pretrain } from './pretrain.ts'

const { values } = parseArgs({
  options: {
    ...{ config: { type: 'string' }, work: { type: 'string' }, threads: { type: 'string' } },
    ...{ 'stop-after-minutes': { type: 'string' }, 'checkpoint-minutes': { type: 'string' } },
  },
})
const stop = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort())
const number = (name: 'threads' | 'stop-after-minutes' | 'checkpoint-minutes'): number | undefined => {
  const text = values[name]
  if (text === undefined) return undefined
  if (!(Number(text) >= 0) || text.trim() === '') throw new Error(`--${name} is "${text}": give a number.`)
  return Number(text)
}
try {
  if (!values.config || !values.work) throw new Error('Say which base and where: --config base/xs.json --work DIR.')
  const outcome = await pretrain({
    ...{ config: await readConfig(values.config), work: values.work, threads: number('threads') || availableParallelism() },
    ...{ stopAfterMinutes: number('stop-after-minutes'), checkpointMinutes: number('checkpoint-minutes') },
    ...{ signal: stop.signal, tell: (line) => console.log(line) },
  })
  if (outcome === 'stopped') process.exitCode = 3
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
