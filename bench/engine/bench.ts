/**
 * Bench of the engine: `npm run bench:engine [-- --json FILE --quick --only NAME --repeats N]`. Trains random models of known shapes side by
 * side with PyTorch, transformers and PEFT on this machine (PYTHON names the interpreter; without it those columns say so)
 * and prints what was found beside what was aimed at. Ratios are of medians; losses of speed stay in the table.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Graph } from '../../src/engine/graph.ts'
import { gemm } from '../../src/engine/ops.ts'
import { openSession } from '../../src/engine/session.ts'
import { drawGrowth, type Growth } from './growth.ts'
import { ask, type Form, forget, gigabytes, measure, PYTHON, type Result } from './measure.ts'
import { operationsPerToken, type Work } from './work.ts'

const { values: options } = parseArgs({
  options: {
    json: { type: 'string' },
    plot: { type: 'string' },
    quick: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true },
    repeats: { type: 'string' },
    threads: { type: 'string' },
  },
})
const threads = Number(options.threads ?? availableParallelism())
const repeats = Number(options.repeats ?? (options.quick ? 1 : 5))
const wanted = (name: string) => !options.only || options.only.includes(name)
const tell = (line: string) => console.error(line)

type Row = { name: string; reach: string; work: Work; results: Record<Form, Result>; found: string; reached: boolean | null }
const rows: Row[] = []
const FORMS: Form[] = options.quick ? ['ours', 'eager'] : ['ours', 'eager', 'compiled']

const speedOf = (result: Result) => ('missing' in result ? undefined : result.tokensPerSecond)
const peakOf = (result: Result) => ('missing' in result ? undefined : result.peakBytes)

/** A row that asks for a ratio of tokens a second to PyTorch eager. */
async function speedRow(name: string, atLeast: number, work: Work): Promise<Row> {
  const results = await measure(work, FORMS, repeats, tell)
  const ours = speedOf(results.ours)
  const theirs = speedOf(results.eager)
  const compiled = speedOf(results.compiled)
  const ratio = ours && theirs ? ours / theirs : undefined
  const found = [ratio && `${ratio.toFixed(2)} x eager`, ours && compiled && `${(ours / compiled).toFixed(2)} x compiled`].filter(Boolean).join(', ')
  return { name, reach: `>= ${atLeast} x eager`, work, results, found: found || 'no peer', reached: ratio === undefined ? null : ratio >= atLeast }
}

/** A row that asks for the base to fit. */
async function memoryRow(name: string, atMost: number, work: Work): Promise<Row> {
  const results = await measure(work, ['ours'], 1, tell)
  const peak = peakOf(results.ours)
  const reached = peak === undefined ? false : peak <= atMost
  return { name, reach: `<= ${gigabytes(atMost)} GB`, work, results, found: peak === undefined ? 'did not run' : `${gigabytes(peak)} GB`, reached }
}

const base = { threads, steps: options.quick ? 2 : 5 }
const small = { ...base, rows: 8, length: 256 }
const lora = { method: 'lora' as const }

/** What this machine's cores multiply 32-bit matrices at, in operations a second: the best of ours and the peer's library. */
async function matrixRate(): Promise<{ ours: number; peer: number | null; versions: Record<string, string> }> {
  const graph = new Graph()
  const side = 1024
  const y = gemm(graph, graph.input('a', [side, side]), graph.input('b', [side, side]))
  const session = await openSession(graph, [y], { threads })
  const values = { a: new Float32Array(side * side).fill(0.5), b: new Float32Array(side * side).fill(0.25) }
  let best = 0
  for (let turn = 0; turn < 20; turn++) {
    const started = performance.now()
    await session.run(values)
    best = Math.max(best, (2 * side ** 3) / ((performance.now() - started) / 1000))
  }
  await session.close()
  if (!PYTHON) return { ours: best, peer: null, versions: {} }
  const peerFile = fileURLToPath(new URL('./peer.py', import.meta.url))
  const peer = (await ask(PYTHON, [peerFile, JSON.stringify({ threads }), '{}', 'sgemm']).catch(() => null)) as {
    operationsPerSecond: number
    versions: Record<string, string>
  } | null
  return { ours: best, peer: peer?.operationsPerSecond ?? null, versions: peer?.versions ?? {} }
}

const rate = await matrixRate()
if (wanted('lora-14M')) rows.push(await speedRow('LoRA r=16, 14 M, loss on all tokens', 1.2, { ...small, ...lora, model: '14M', share: 1 }))
if (wanted('lora-14M-quarter')) rows.push(await speedRow('LoRA r=16, 14 M, loss on a quarter', 1.6, { ...small, ...lora, model: '14M', share: 0.25 }))
if (wanted('full-14M')) rows.push(await speedRow('full training, 14 M', 1.1, { ...small, method: 'full', model: '14M', share: 1 }))
forget('14M')
if (wanted('lora-135M')) rows.push(await speedRow('LoRA r=16, 135 M shape', 1.2, { ...small, ...lora, model: '135M', share: 1, steps: options.quick ? 1 : 2 }))
forget('135M')
for (const [model, limit] of [
  ['0.5B', 2e9],
  ['1.5B', 4e9],
] as const) {
  const work: Work = { ...base, rows: 2, length: 256, method: 'qlora', model, share: 0.25, steps: options.quick ? 1 : 3 }
  if (wanted(`qlora-${model}`)) rows.push(await memoryRow(`LoRA r=16, 4-bit ${model} shape, 512 tokens a step`, limit, work))
}

const growth: Growth = { models: [], lengths: [] }
if (wanted('growth')) {
  for (const model of ['5M', '14M', '45M', '135M', '0.5B', '1.5B']) {
    const big = model.endsWith('B')
    const work: Work = {
      ...base,
      ...(big ? { rows: 2, length: 256, method: 'qlora' as const } : { rows: 8, length: 256, ...lora }),
      model,
      share: 0.25,
      steps: big ? 1 : 3,
    }
    const { ours } = await measure(work, ['ours'], 1, tell)
    const speed = speedOf(ours)
    if (speed) growth.models.push({ model, method: work.method, operations: operationsPerToken(work), tokensPerSecond: speed })
    if (model !== '14M') forget(model)
  }
  for (const length of [64, 128, 256, 512, 1024, 2048]) {
    const work: Work = { ...base, ...lora, model: '14M', rows: 2048 / length, length, share: 0.25, steps: 3 }
    const { ours } = await measure(work, ['ours'], 1, tell)
    const speed = speedOf(ours)
    if (speed) growth.lengths.push({ length, tokensPerSecond: speed })
  }
}

const best = Math.max(rate.ours, rate.peer ?? 0)
const loraRows = rows.filter(({ work }) => work.method === 'lora')
const shares = loraRows.map(({ name, work, results }) => ({ name, share: ((speedOf(results.ours) ?? 0) * operationsPerToken(work)) / best }))
const big = rows.find(({ work }) => work.model === '135M')
const memory = big && { ours: peakOf(big.results.ours), eager: peakOf(big.results.eager) }

const column = (result: Result) => ('missing' in result ? result.missing : `${Math.round(result.tokensPerSecond)} tokens/s, ${gigabytes(result.peakBytes)} GB`)
const mark = (reached: boolean | null) => (reached === null ? '-' : reached ? 'yes' : 'NO')
const table = [
  ['what', 'reach', 'found', 'reached', 'ours', 'PyTorch eager', 'torch.compile'],
  ...rows.map(({ name, reach, found, reached, results }) => [
    name,
    reach,
    found,
    mark(reached),
    column(results.ours),
    column(results.eager),
    column(results.compiled),
  ]),
  ...shares.map(({ name, share }) => [`share of sgemm: ${name}`, '>= 60 %', `${(100 * share).toFixed(0)} %`, mark(share >= 0.6), '', '', '']),
]
if (memory?.ours)
  table.push([
    ...['peak memory, LoRA, 135 M shape', '<= 0.5 x eager'],
    ...(memory.eager ? [`${(memory.ours / memory.eager).toFixed(2)} x`, mark(memory.ours <= 0.5 * memory.eager)] : ['no peer', '-']),
    ...['', '', ''],
  ])
const widths = table[0]!.map((_, index) => Math.max(...table.map((row) => row[index]!.length)))
console.log(table.map((row) => row.map((cell, index) => cell.padEnd(widths[index]!)).join(' | ')).join('\n'))
const machine = { processor: cpus()[0]?.model ?? 'unknown', threads, memoryBytes: totalmem(), node: process.version, repeats, ...rate.versions }
console.log(
  `\nsgemm: ${(rate.ours / 1e9).toFixed(0)} GFLOP/s by onnxruntime, ${rate.peer ? (rate.peer / 1e9).toFixed(0) : '-'} by torch. ${JSON.stringify(machine)}`,
)
if (growth.models.length) {
  const { svg, law } = drawGrowth(growth)
  console.log(law)
  if (options.plot) writeFileSync(options.plot, svg)
}
const version = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version as string
if (options.json) writeFileSync(options.json, `${JSON.stringify({ version, machine, rate, rows, shares, memory, growth }, null, 1)}\n`)
