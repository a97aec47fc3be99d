/**
 * Build: corpus and tasks -> work folder -> trained weights -> GGUF files, the drawn curve and the figures of the card. A step whose
 * result is there is not taken again, and one that was interrupted goes on. Knows nothing of command lines.
 */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writeWhole } from '../../src/engine/checkpoint.ts'
import type { BaseConfig } from './config.ts'
import { drawCurve, readCurve } from './curve.ts'
import { exportFile } from './export.ts'
import { type Prepared, prepare } from './prepare.ts'
import { pretrain } from './pretrain.ts'
import { parameterCount } from './shape.ts'

export type BuildOptions = {
  config: BaseConfig
  /** Where the configuration was read from: pretrain.py reads it too. */
  configPath: string
  corpus: string
  tasks: string
  work: string
  engine: 'pytorch' | 'own'
  /** Name of a Python that has PyTorch. */
  python: string
  threads: number
  signal: AbortSignal
  tell: (line: string) => void
}

const TRAINER = fileURLToPath(new URL('./pretrain.py', import.meta.url))
/** What pretrain.py exits with when it was told to stop and wrote a checkpoint. */
const STOPPED = 3

/** @returns "stopped" when it was told to stop; the same call goes on from there. @throws {TrainerFailedError} */
export async function build(options: BuildOptions): Promise<'finished' | 'stopped'> {
  const { config, corpus, tasks, work, tell } = options
  const inWork = (file: string) => join(work, file)
  tell(`${config.name}: ${parameterCount(config.shape)} parameters`)
  const prepared = await prepare(config, { corpus, tasks, work, tell })
  if (existsSync(inWork('weights.safetensors'))) tell('trained already: weights.safetensors is there')
  else if ((await (options.engine === 'own' ? pretrain(options) : byPython(options))) === 'stopped') return 'stopped'
  const trained = statSync(inWork('weights.safetensors')).mtimeMs
  for (const type of ['F16', 'Q8_0'] as const) {
    const path = inWork(`${config.name}.${type.toLowerCase()}.gguf`)
    if (existsSync(path) && statSync(path).mtimeMs >= trained) continue
    const { bytes } = await exportFile(config, { weights: inWork('weights.safetensors'), tokenizer: inWork('tokenizer.json'), path, type })
    tell(`wrote ${path}, ${(bytes / 1e6).toFixed(1)} MB`)
  }
  writeWhole(inWork(`${config.name}.curve.svg`), [new TextEncoder().encode(drawCurve(config.name, readCurve(inWork('curve.jsonl'))))])
  for (const line of figures(config, prepared, JSON.parse(readFileSync(inWork('result.json'), 'utf8')) as Result)) tell(line)
  return 'finished'
}

function byPython({ configPath, work, threads, python, signal }: BuildOptions): Promise<'finished' | 'stopped'> {
  return new Promise((resolve, reject) => {
    const child = spawn(python, [TRAINER, '--config', configPath, '--work', work, '--threads', String(threads)], { stdio: 'inherit' })
    const stop = () => child.kill('SIGTERM')
    signal.addEventListener('abort', stop, { once: true })
    child.once('error', (cause) => reject(new TrainerFailedError(`"${python}" cannot be started; PYTHON names one that has PyTorch`, cause)))
    child.once('close', (code, killedBy) => {
      signal.removeEventListener('abort', stop)
      if (code === 0) resolve('finished')
      else if (code === STOPPED) resolve('stopped')
      else reject(new TrainerFailedError(`pretrain.py ended with ${killedBy ?? `code ${code}`}`))
    })
  })
}

type Trained = { steps: number; tokens: number; minutes: number } & Record<string, number | Record<string, number>>
type Result = { engine: string; threads: number; device?: string; pretrain?: Trained; instruct?: Trained }

/** What the card says, a line each. */
function figures(config: BaseConfig, prepared: Prepared, result: Result): string[] {
  const { shape } = config
  const lines = [
    '',
    `| Architecture | Llama: d ${shape.width}, ${shape.layers} layers, ${shape.heads} heads (${shape.groups} key/value heads), feed-forward ${shape.feedForward}, tied embeddings |`,
    `| Parameters | ${(parameterCount(shape) / 1e6).toFixed(1)} M |`,
    `| Trained by | ${result.engine}${result.device ? ` on ${result.device}` : ''}, ${result.threads} threads |`,
  ]
  for (const stage of ['pretrain', 'instruct'] as const) {
    const found = result[stage]
    if (found === undefined) continue
    lines.push(`| ${stage} | ${found.steps} steps, ${(found.tokens / 1e6).toFixed(2)} M tokens, ${found.minutes.toFixed(0)} minutes |`)
    for (const [name, value] of Object.entries(found))
      if (name.startsWith('bitsPerByte'))
        lines.push(`| bits per byte, held-out, after ${stage}, rows of ${name.slice('bitsPerByte'.length)} | ${String(value)} |`)
  }
  const sources = Object.entries((result.instruct ?? result.pretrain)?.[`sources${shape.contextTokens}`] ?? {})
  lines.push('', '| source | share of tokens | bits per byte, held-out | bytes a token |', '|---|---|---|---|')
  for (const [source, bits] of sources) {
    const share = ((prepared.training.sources[source] ?? 0) / prepared.training.tokens) * 100
    lines.push(`| ${source} | ${share.toFixed(1)} % | ${String(bits)} | ${prepared.tokenizer.bytesPerToken[source]?.toFixed(2) ?? ''} |`)
  }
  return lines
}

/** Python or its trainer failed; the last checkpoint stays. */
export class TrainerFailedError extends Error {
  override readonly name = 'Build.TrainerFailedError'
  constructor(reason: string, cause?: unknown) {
    super(`Training stopped: ${reason}. The same command goes on from the last checkpoint; --engine own needs no Python.`, { cause })
  }
}
