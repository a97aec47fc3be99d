/**
 * Pre-training and the instruction stage by our own engine: what pretrain.py does, from the same configuration and work folder, into
 * files of the same names, slower and without Python. Knows nothing of text, of tokenizers or of GGUF files.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { adamw } from '../../src/engine/adamw.ts'
import type { Llama } from '../../src/engine/architecture.ts'
import { readCheckpoint, writeCheckpoint, writeWhole } from '../../src/engine/checkpoint.ts'
import { trainableModel } from '../../src/engine/full.ts'
import { type Gradient, openGradient } from '../../src/engine/gradient.ts'
import { globalNorm, type Part, partViews } from '../../src/engine/parameters.ts'
import { writeSafetensors } from '../../src/engine/safetensors.ts'
import type { BaseConfig } from './config.ts'
import { type Course, type CourseState, learningRate, progress, stageAt, startOf } from './course.ts'
import { addPoint, trimCurve } from './curve.ts'
import { measure, Reader } from './measure.ts'
import { type Muon, openMuon } from './muon.ts'
import { NumberFile, type Rows, rowsOf, stageRows } from './rows.ts'
import { modelOf, parameterCount, untrained } from './shape.ts'

export type PretrainOptions = {
  config: BaseConfig
  work: string
  threads: number
  /** What is trained, label rows included; without it a fresh model. */
  start?: Llama | undefined
  /** Stop, with a checkpoint, after so many minutes of this run. */
  stopAfterMinutes?: number | undefined
  checkpointMinutes?: number | undefined
  /** When it is aborted the run writes a checkpoint and stops. */
  signal?: AbortSignal | undefined
  tell: (line: string) => void
}

type Saved = CourseState & { parameters: Float32Array; moments: Float32Array; best: Float32Array }
type Result = Record<string, unknown>

const CHECKPOINT_MINUTES = 2
const VALIDATION_LENGTH = 256
const VALIDATION_EVERY = 0.05
/** While training, one validation row in so many is measured; the end measures all. */
const VALIDATION_THINNING = 16
/** Tokens computed together; a batch above it is summed in parts. */
const TOGETHER = 4096
const NOTHING = new Float32Array(0)

/**
 * Trains until the configuration's end, from the last checkpoint if there is one.
 * @returns "stopped" when it was told to stop before; the same call goes on from there.
 * @throws {DivergedError} when the loss is not a number.
 */
export async function pretrain(options: PretrainOptions): Promise<'finished' | 'stopped'> {
  const { config, work, tell } = options
  const id = `${config.name} ${JSON.stringify(config.shape)}`
  const path = join(work, 'checkpoint.own')
  const saved = existsSync(path) ? readCheckpoint<Saved>(path, id) : undefined
  if (existsSync(path) && !saved) throw new Error(`${path} is damaged or of another model than ${config.name}: choose an empty work folder, or remove it.`)
  const run = new Run(options, (state) => writeCheckpoint(path, id, state))
  const short = Math.min(VALIDATION_LENGTH, config.shape.contextTokens)

  async function finish(course: Course, state: CourseState, file: string) {
    const result: Result = existsSync(join(work, 'result.json')) ? JSON.parse(readFileSync(join(work, 'result.json'), 'utf8')) : {}
    const found: Result = { steps: state.step, tokens: state.tokens, minutes: Math.round(state.minutes * 100) / 100 }
    for (const length of new Set([short, config.shape.contextTokens])) {
      const { bitsPerByte, sources } = await run.measure(length, 1)
      found[`bitsPerByte${length}`] = bitsPerByte
      found[`sources${length}`] = sources
      tell(`${course.name}: ${bitsPerByte.toFixed(4)} bits per byte in rows of ${length}`)
    }
    const whole = { ...result, name: config.name, engine: 'own', threads: options.threads, [course.name]: found }
    writeWhole(join(work, 'result.json'), [new TextEncoder().encode(JSON.stringify(whole, null, 2))])
    // Last: where weights are, all else is.
    writeWhole(join(work, file), [run.weights()])
  }

  if (saved) run.parameters.set(saved.parameters)
  const { instruct } = config
  const course: Course = {
    ...{ name: 'instruct', stages: instruct ? [{ ...instruct, name: 'instruct', share: 1 }] : [], tokens: instruct?.tokens || 1 },
    ...{ maximumMinutes: instruct?.maximumMinutes, learningRate: instruct?.learningRate ?? 0, warmupSteps: instruct?.warmupSteps ?? 20 },
    replayedRows: instruct?.replayedRows,
  }
  if (!saved || saved.course === 'pretrain') {
    const { learningRate, warmupSteps } = config.optimiser
    const first: Course = { name: 'pretrain', stages: config.stages, tokens: config.tokens, maximumMinutes: config.maximumMinutes, learningRate, warmupSteps }
    const state = await run.train(first, join(work, 'train.bin'), undefined, saved)
    if (progress(first, state) < 1) return 'stopped'
    await finish(first, state, 'weights-pretrained.safetensors')
    run.moments.fill(0)
    run.save(startOf(course))
  }
  let state = startOf(course)
  if (instruct?.tokens && existsSync(join(work, 'instruct.bin'))) {
    state = await run.train(course, join(work, 'instruct.bin'), join(work, 'instruct.mask'), saved?.course === 'instruct' ? saved : undefined)
    if (progress(course, state) < 1) return 'stopped'
  }
  await finish(course, state, 'weights.safetensors')
  return 'finished'
}

/** One model in training. Label rows are kept apart: the model that learns has none, so nothing can move them. */
class Run {
  readonly parameters: Float32Array
  readonly moments: Float32Array
  readonly #options: PretrainOptions
  readonly #write: (state: Saved) => void
  readonly #base: Llama
  readonly #labels: Float32Array
  readonly #trainable
  readonly #optimiser
  #muon: Muon | undefined
  readonly #started = performance.now()

  constructor(options: PretrainOptions, write: (state: Saved) => void) {
    const { config } = options
    const whole = options.start ?? untrained(config.shape, config.seed)
    const vocabulary = config.shape.vocabulary - config.tokenizer.labels
    const embedding = whole.tensor('token_embd.weight')
    const trained = modelOf(whole.shape, new Map([['token_embd.weight', embedding.slice(0, vocabulary * config.shape.width)]]))
    this.#options = options
    this.#write = write
    this.#labels = embedding.slice(vocabulary * config.shape.width)
    this.#base = {
      shape: { ...whole.shape, vocabulary },
      tensor: (name, into) => (name === 'token_embd.weight' ? trained : whole).tensor(name, into),
    }
    this.#trainable = trainableModel(this.#base)
    const { beta1, beta2, muon } = config.optimiser
    // As in pretrain.py the embedding does not decay.
    this.#optimiser = adamw(this.#trainable.layout, { betas: [beta1, beta2], decays: inBlocks, steps: (part) => !muon || !inBlocks(part) })
    this.parameters = this.#trainable.initial(config.seed)
    this.moments = new Float32Array(this.#optimiser.length)
  }

  /** Runs a course to its end, or until it is told to stop. Returns where it stands. */
  async train(course: Course, file: string, maskFile: string | undefined, saved: Saved | undefined): Promise<CourseState> {
    const { config, work, threads, tell, signal, stopAfterMinutes, checkpointMinutes = CHECKPOINT_MINUTES } = this.#options
    const state = startOf(course)
    if (saved) {
      const { step, tokens, minutes, rows } = saved
      Object.assign(state, { step, tokens, minutes, rows })
      this.moments.set(saved.moments)
      tell(`${course.name}: goes on at step ${step}, ${tokens} tokens, ${minutes.toFixed(1)} minutes`)
    }
    const curve = join(work, 'curve.jsonl')
    trimCurve(curve, course.name, state.step)
    const short = Math.min(VALIDATION_LENGTH, config.shape.contextTokens)
    if (state.step === 0) {
      const { bitsPerByte } = await this.measure(short, VALIDATION_THINNING)
      addPoint(curve, { course: course.name, step: 0, tokens: 0, minutes: 0, validationBitsPerByte: rounded(bitsPerByte) })
      tell(`${course.name}: ${parameterCount(config.shape)} parameters, untrained ${bitsPerByte.toFixed(3)} bits per byte`)
    }
    const tokens = new NumberFile(file, 2)
    const mask = maskFile ? new NumberFile(maskFile, 1) : undefined
    const rows = stageRows(tokens.length, course.stages, config.seed)
    const { replayedRows = 0 } = course
    const plain = replayedRows > 0 ? new NumberFile(join(work, 'train.bin'), 2) : undefined
    const plainRows = plain && rowsOf({ length: course.stages[0]!.length, start: 0, end: plain.length, seed: config.seed })
    const before = state.minutes
    const began = performance.now()
    const since = (time: number) => (performance.now() - time) / 60_000
    let [savedAt, toldAt, toldTokens, validatedAt] = [began, began, state.tokens, progress(course, state)]
    let losses: number[] = []
    let open: { stage: number; gradient: Gradient; reader: Reader } | undefined
    const { muon } = config.optimiser
    if (muon) this.#muon = await openMuon(this.#trainable.layout, { ...muon, threads, chosen: inBlocks })
    try {
      for (let done = progress(course, state); done < 1; ) {
        const index = stageAt(course, state)
        const stage = course.stages[index]!
        if (open?.stage !== index) {
          await open?.gradient.close()
          const extent = { rows: Math.max(1, Math.min(stage.rows, Math.floor(TOGETHER / stage.length))), length: stage.length, reads: stage.length }
          const gradient = await openGradient(this.#base, extent, { trainable: this.#trainable, vocabulary: undefined, threads, keep: 'products' })
          open = { stage: index, gradient, reader: new Reader(extent, this.#base.shape.vocabulary) }
        }
        const rate = learningRate(course, state)
        const own = stage.rows - replayedRows
        const batch = [cut(rows[index]!, state.rows[index]!, own, tokens, mask), plain ? cut(plainRows!, state.rows.at(-1)!, replayedRows, plain) : []].flat()
        losses.push(await this.#step(open, { batch, rate, step: state.step + 1 }))
        state.rows[index]! += own
        if (plain) state.rows[state.rows.length - 1]! += replayedRows
        state.step++
        state.tokens += stage.rows * stage.length
        state.minutes = before + since(began)
        done = progress(course, state)
        let validation: number | undefined
        if (done - validatedAt >= VALIDATION_EVERY && done < 1) {
          validation = (await this.measure(short, VALIDATION_THINNING)).bitsPerByte
          validatedAt = done
        }
        if (state.step % 10 === 0 || validation !== undefined || done >= 1) {
          const loss = losses.reduce((sum, value) => sum + value, 0) / losses.length
          if (!Number.isFinite(loss)) throw new DivergedError(course.name, state.step, rate)
          losses = []
          addPoint(curve, {
            ...{ course: course.name, step: state.step, tokens: state.tokens, minutes: Math.round(state.minutes * 1000) / 1000, loss: rounded(loss), lr: rate },
            ...(validation === undefined ? {} : { validationBitsPerByte: rounded(validation) }),
          })
          if (validation !== undefined || since(toldAt) >= 0.5 || done >= 1) {
            const speed = (state.tokens - toldTokens) / Math.max(1e-9, since(toldAt) * 60)
            const left = (state.minutes / done) * (1 - done)
            const held = validation === undefined ? '' : `  validation ${validation.toFixed(4)} bits per byte`
            tell(
              `${course.name} ${(done * 100).toFixed(1)} %  step ${state.step}  ${stage.name}  loss ${loss.toFixed(3)}  ${Math.round(speed)} tokens/s  ${Math.round(left)} min left${held}`,
            )
            toldAt = performance.now()
            toldTokens = state.tokens
          }
        }
        const stop = signal?.aborted || (stopAfterMinutes !== undefined && since(this.#started) >= stopAfterMinutes)
        if (stop || since(savedAt) >= checkpointMinutes) {
          this.save(state)
          savedAt = performance.now()
        }
        if (stop) {
          tell(`${course.name}: stopped at step ${state.step}; the same command goes on from here`)
          return state
        }
      }
      // A kill between here and the last figures takes the figures again, not the training.
      this.save(state)
      return state
    } finally {
      await open?.gradient.close()
      await this.#muon?.close()
      tokens.close()
      mask?.close()
      plain?.close()
    }
  }

  /** One update. Returns nats a learned token. */
  async #step(
    { gradient, reader }: { gradient: Gradient; reader: Reader },
    { batch, rate, step }: { batch: readonly Cut[]; rate: number; step: number },
  ): Promise<number> {
    const count = batch.length
    const learned = batch.reduce((sum, row) => sum + (row.learned ? learnedOf(row.learned) : row.tokens.length - 1), 0)
    let loss = 0
    let sums: Float32Array[] | undefined
    for (let at = 0; at < count; at += reader.extent.rows) {
      const found = await gradient.run(this.parameters, reader.values(batch.slice(at, at + reader.extent.rows), 1 / Math.max(1, learned)))
      loss += found.loss
      if (count <= reader.extent.rows) sums = found.slopes as Float32Array[]
      else if (!sums) sums = found.slopes.map((slope) => slope.slice())
      else for (const [part, sum] of sums.entries()) for (let index = 0; index < sum.length; index++) sum[index]! += found.slopes[part]![index]!
    }
    const { clipNorm, weightDecay } = this.#options.config.optimiser
    const norm = globalNorm(sums!)
    const options = { step, learningRate: rate, weightDecay, scale: norm > clipNorm ? clipNorm / norm : 1 }
    this.#optimiser.step(this.parameters, sums!, this.moments, options)
    // Parts that Muon steps keep their means where AdamW would.
    await this.#muon?.step(this.parameters, sums!, this.moments, options)
    return loss
  }

  /** Bits per byte of validation.bin read in rows of `length`, one row in `thinning`, whole and by source. */
  async measure(length: number, thinning: number) {
    const { work, threads } = this.#options
    return measure(this.#base, { trainable: this.#trainable, parameters: this.parameters, work, threads, length, thinning, together: TOGETHER })
  }

  save(state: CourseState): void {
    this.#write({ ...state, parameters: this.parameters, moments: this.moments, best: NOTHING })
  }

  /** The model as a safetensors file, label rows included. */
  weights(): Uint8Array {
    const views = partViews(this.#trainable.layout, this.parameters)
    return writeSafetensors(
      this.#trainable.layout.map(({ name, shape }) => {
        if (name !== 'token_embd.weight') return { name, shape, values: views[name]! }
        const values = new Float32Array(views[name]!.length + this.#labels.length)
        values.set(views[name]!)
        values.set(this.#labels, views[name]!.length)
        return { name, shape: [this.#options.config.shape.vocabulary, shape[1]!], values }
      }),
    )
  }
}

type Cut = { tokens: ArrayLike<number>; learned: ArrayLike<number> | undefined }

/** Rows `first` to `first + count` with what of them is learned; all of it where there is no mask. */
function cut(rows: Rows, first: number, count: number, tokens: NumberFile, mask?: NumberFile): Cut[] {
  return rows.places(first, count).map((at) => ({ tokens: tokens.slice(at, at + rows.length + 1), learned: mask?.slice(at, at + rows.length + 1) }))
}

/** The matrices of the blocks: they decay, and Muon steps them where the configuration has it. */
function inBlocks({ name, shape }: Part): boolean {
  return shape.length > 1 && name !== 'token_embd.weight'
}

/** How many tokens of a row are learned: all but the first, which has nothing before it, as far as the mask says so. */
function learnedOf(mask: ArrayLike<number>): number {
  let count = 0
  for (let at = 1; at < mask.length; at++) if (mask[at]) count++
  return count
}

const rounded = (value: number): number => Math.round(value * 1e4) / 1e4

/** The loss of a run is not a number. */
export class DivergedError extends Error {
  override readonly name = 'Pretrain.DivergedError'
  constructor(course: string, step: number, rate: number) {
    super(`${course}: the loss is not a number at step ${step}: lower the learning rate (${rate.toExponential(2)}) and start again from the checkpoint.`)
  }
}
