/**
 * Serving: what llama.cpp makes of a base on this machine: tokens a second read and written, and memory. The measuring runs in a process of
 * its own, started by {@link serving}, so that memory is the base's alone. Knows nothing of what the text says.
 */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Token } from 'node-llama-cpp'
import { z } from 'zod'
import { llama } from '../../src/drivers/llama/vocabulary.ts'

const ServingFigures = z.object({
  threads: z.number(),
  /** Tokens a second while a prompt is read, and while an answer is written one by one; medians. */
  readPerSecond: z.number(),
  writtenPerSecond: z.number(),
  /** Resident bytes that the base and one context added to the process. */
  bytes: z.number(),
})
export type ServingFigures = z.infer<typeof ServingFigures>

const PROMPT = 448
const WRITTEN = 48
const REPEATS = 5

/** Measures the base at `path` in a process of its own. @throws {Error} when that process fails. */
export function serving(path: string, { threads }: { threads: number }): Promise<ServingFigures> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', 'tsx', fileURLToPath(import.meta.url), path, String(threads)], { stdio: ['ignore', 'pipe', 'inherit'] })
    let printed = ''
    child.stdout.on('data', (text) => {
      printed += text
    })
    child.once('error', reject)
    child.once('close', (code) => {
      if (code === 0) resolve(ServingFigures.parse(JSON.parse(printed.trim().split('\n').at(-1)!)))
      else reject(new Error(`Measuring how ${path} is served ended with code ${code}.`))
    })
  })
}

async function measureHere(path: string, threads: number): Promise<ServingFigures> {
  const runtime = await llama()
  const before = process.memoryUsage.rss()
  const model = await runtime.loadModel({ modelPath: path })
  const context = await model.createContext({ contextSize: 512, threads })
  const [reading, writing]: [number[], number[]] = [[], []]
  const words = model.tokenize('The tenant pays the rent before the first day of each month, and the owner of the house keeps it. '.repeat(40), false)
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    const sequence = context.getSequence()
    const prompt = words.slice(repeat, repeat + PROMPT) as Token[]
    const began = performance.now()
    await sequence.evaluateWithoutGeneratingNewTokens(prompt.slice(0, -1))
    const read = performance.now()
    let written = 0
    for await (const _ of sequence.evaluate(prompt.slice(-1), { temperature: 0 })) if (++written >= WRITTEN) break
    const done = performance.now()
    reading.push((1000 * (PROMPT - 1)) / (read - began))
    writing.push((1000 * written) / (done - read))
    await sequence.clearHistory()
    sequence.dispose()
  }
  const bytes = process.memoryUsage.rss() - before
  await context.dispose()
  await model.dispose()
  const median = (values: number[]) => Math.round(values.sort((a, b) => a - b)[values.length >> 1]!)
  return { threads, readPerSecond: median(reading), writtenPerSecond: median(writing), bytes }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(JSON.stringify(await measureHere(process.argv[2]!, Number(process.argv[3]))))
  process.exit()
}
