/**
 * Fake trainer: keeps every promise of the port without learning anything, in milliseconds, for tests of what stands above
 * it. Its losses fall along a curve that depends on the seed only. Knows nothing of models.
 */
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { refuse } from '../../core/errors.ts'
import { random } from '../../core/report.ts'
import type { CurvePoint } from '../../core/weights.ts'
import { openGguf } from '../../engine/gguf.ts'
import { writeAdapter } from '../../engine/gguf-writer.ts'
import type { Trainer } from '../../ports/trainer.ts'
import { prepare, type Tokenizer } from './prepare.ts'

/** Words are tokens, markers too. */
const words: Tokenizer = {
  contextLength: 256,
  tokenize(prompt) {
    const tokens: number[] = []
    const reads: { position: number; label?: number; weight?: number; labels?: readonly number[] }[] = []
    const learned: number[] = []
    for (const segment of prompt) {
      if (segment.kind === 'special') {
        if (segment.learned && tokens.length) learned.push(tokens.length)
        tokens.push(segment.token === 'start' ? 1 : 2)
      } else if (segment.kind === 'text')
        for (const word of segment.text.split(/\s+/)) {
          if (segment.learned && tokens.length) learned.push(tokens.length)
          tokens.push([...word].reduce((sum, c) => sum * 31 + c.codePointAt(0)!, 7) % 8192)
        }
      else {
        const { kind: _, ...read } = segment
        reads.push({ position: tokens.length - 1, ...read })
      }
    }
    return { tokens, reads, learned }
  },
}

/** `bases` other than existing files are refused. */
export function createFakeTrainer(): Trainer {
  const missing = (base: string) =>
    statSync(base, { throwIfNoEntry: false })?.isFile()
      ? undefined
      : refuse('base_missing', `There is no base model at "${base}".`, 'Give the path of a GGUF file.')
  return {
    inspect: async (base) => missing(base) ?? { width: 256, parameters: 1e6, contextTokens: words.contextLength },
    async size({ base, recipe }) {
      const tokens = recipe.tokensPerStep / recipe.accumulate
      const memory = { weights: 4e6, trained: recipe.rank * 1e4, held: tokens * 1e4, made: tokens * 1e4 }
      return missing(base) ?? { memory, operations: { step: recipe.tokensPerStep * 4e6, forward: recipe.tokensPerStep * 2e6 } }
    },
    async fit(job, { signal, onProgress } = {}) {
      signal?.throwIfAborted()
      const refused = missing(job.base)
      if (refused) return refused
      const sets = prepare(
        job,
        words,
        job.labelTokens.map((_, index) => index),
      )
      if ('refused' in sets) return sets
      const kind = job.recipe.method === 'full' ? 'model' : 'adapter'
      const start = job.from === undefined ? undefined : reached(job.from, kind)
      if (start === null) return refuse('start_unfit', 'The weights to go on from do not fit this training: they are of another kind.', 'Train from the base.')
      mkdirSync(job.folder, { recursive: true })
      const checkpoint = join(job.folder, 'checkpoint.json')
      const found = readStep(checkpoint, job.id)
      const { steps, validateEvery, seed } = job.recipe
      const next = random(seed)
      const noise = Array.from({ length: steps + 1 }, () => next() * 0.01)
      const curve: CurvePoint[] = []
      for (let step = 0; step <= steps; step++) {
        const loss = start === undefined ? 0.1 + 0.6 * Math.exp((-3 * step) / steps) + noise[step]! : start - 0.01 * (step / steps)
        const validates = step % validateEvery === 0 || step === steps
        const point = { step, trainingLoss: loss, validationLoss: validates ? loss + (start === undefined ? 0.01 : 0) : null, seconds: step / 1000 }
        curve.push(point)
        if (found !== undefined && step <= found) continue
        if (validates) writeFileSync(checkpoint, JSON.stringify({ id: job.id, step }))
        onProgress?.({ ...point, steps, tokensPerSecond: job.recipe.tokensPerStep, secondsLeft: (steps - step) / 1000 })
        await setImmediate()
        signal?.throwIfAborted()
      }
      const best = curve
        .filter(({ step, validationLoss }) => validationLoss !== null && (step > 0 || start === undefined))
        .reduce((a, b) => (b.validationLoss! < a.validationLoss! ? b : a))
      const file = join(job.folder, `${kind}.gguf`)
      const pair = {
        tensor: 'blk.0.attn_q.weight',
        rank: 1,
        inputs: 2,
        outputs: 2,
        down: Float32Array.of(seed, best.validationLoss!),
        up: Float32Array.of(0, 0),
      }
      writeFileSync(file, writeAdapter({ architecture: 'llama', alpha: job.recipe.alpha, name: kind, pairs: [pair] }))
      return { kind, file, bestStep: best.step, curve, seconds: steps / 1000, peakBytes: 0, resumed: found !== undefined, notices: [] }
    },
  }
}

/** The loss that weights of this kind reached, which the fake keeps among them; null when the file is none of those. */
function reached(path: string, kind: string): number | null {
  try {
    const file = openGguf(path)
    return file.metadata.get('general.name') === kind ? file.tensor('blk.0.attn_q.weight.lora_a')[1]! : null
  } catch {
    return null
  }
}

function readStep(path: string, id: string): number | undefined {
  try {
    const checkpoint: { id: string; step: number } = JSON.parse(readFileSync(path, 'utf8'))
    return checkpoint.id === id ? checkpoint.step : undefined
  } catch {
    return undefined
  }
}
