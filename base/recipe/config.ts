/**
 * The configuration of one base, from corpus to instruction stage: one JSON file drives the recipe, both trainers and the export.
 * Knows nothing of what any of them does with it.
 */
import { readFile } from 'node:fs/promises'
import { z } from 'zod'

const count = z.number().int().positive()
const share = z.number().positive().max(1)

const stage = z.strictObject({ name: z.string().min(1), rows: count, length: count, share })

const Schema = z
  .strictObject({
    name: z.string().regex(/^[a-z0-9][a-z0-9.-]*$/),
    seed: z.number().int().min(0).max(65_535),
    /** Of the weights, as SPDX names it; written into the file. */
    licence: z.string().optional(),
    shape: z.strictObject({
      width: count,
      layers: count,
      heads: count,
      /** Key/value heads (grouped-query attention). */
      groups: count,
      feedForward: count,
      vocabulary: count.max(65_536),
      contextTokens: count,
      ropeBase: z.number().positive(),
      epsilon: z.number().positive(),
    }),
    tokenizer: z.strictObject({ vocabulary: count, labels: count, sampleBytes: count }),
    corpus: z.strictObject({
      /** How often a source's documents are read, relative to each other. */
      sources: z.record(z.string(), z.number().nonnegative()),
      /** Sources that are measured on, not learned from. */
      validationOnly: z.array(z.string()).optional(),
      validationBytes: count,
      /** Sources of prompt and response, and the repositories whose pairs are left out because tasks come from them. */
      instructions: z.array(z.string()),
      withoutInstructionsOf: z.array(z.string()),
    }),
    stages: z.array(stage).min(1),
    /** Training ends at whichever comes first: so many tokens, or so many minutes. */
    tokens: count,
    maximumMinutes: z.number().positive().optional(),
    optimiser: z.strictObject({
      learningRate: z.number().positive(),
      warmupSteps: z.number().int().min(0),
      weightDecay: z.number().min(0),
      beta1: z.number().min(0).lt(1),
      beta2: z.number().min(0).lt(1),
      clipNorm: z.number().positive(),
      /** Steps the matrices of the blocks instead of AdamW; `rate` is a multiple of the learning rate. */
      muon: z.strictObject({ momentum: z.number().min(0).lt(1), rate: z.number().positive() }).optional(),
    }),
    instruct: z
      .strictObject({
        tokens: z.number().int().min(0),
        rows: count,
        length: count,
        /** Of the rows of a batch, so many are plain text of the pre-training, learned whole: what was read is not forgotten over the answers. */
        replayedRows: z.number().int().min(0).optional(),
        learningRate: z.number().positive(),
        warmupSteps: z.number().int().min(0).optional(),
        maximumMinutes: z.number().positive().optional(),
      })
      .optional(),
  })
  .superRefine((config, context) => {
    const { shape, tokenizer, stages, instruct } = config
    const wrong = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message })
    if (shape.width % shape.heads !== 0 || (shape.width / shape.heads) % 2 !== 0)
      wrong(['shape', 'heads'], `the width ${shape.width} must split into ${shape.heads} heads of an even width`)
    if (shape.heads % shape.groups !== 0) wrong(['shape', 'groups'], `${shape.heads} heads do not share ${shape.groups} groups evenly`)
    if (shape.width % 32 !== 0 || shape.feedForward % 32 !== 0) wrong(['shape'], 'width and feedForward must be multiples of 32, the block of Q8_0')
    if (tokenizer.vocabulary !== shape.vocabulary)
      wrong(['tokenizer', 'vocabulary'], `${tokenizer.vocabulary} is not the shape's vocabulary of ${shape.vocabulary}`)
    if (tokenizer.vocabulary < 3 + 256 + tokenizer.labels) wrong(['tokenizer', 'vocabulary'], 'there is no room for 3 markers, 256 bytes and the labels')
    for (const { length } of instruct === undefined ? stages : [...stages, instruct])
      if (length > shape.contextTokens) wrong(['stages'], `rows of ${length} tokens are longer than the context of ${shape.contextTokens}`)
    if (instruct?.replayedRows && instruct.replayedRows >= instruct.rows)
      wrong(['instruct', 'replayedRows'], `${instruct.replayedRows} of ${instruct.rows} rows leave none for instructions`)
    const whole = stages.reduce((sum, one) => sum + one.share, 0)
    if (Math.abs(whole - 1) > 1e-6) wrong(['stages'], `the shares add up to ${whole}, not to 1`)
  })

export type BaseConfig = z.infer<typeof Schema>

/**
 * Reads a configuration file.
 * @throws Error naming the file and the first field that is wrong.
 */
export async function readConfig(path: string): Promise<BaseConfig> {
  let content: unknown
  try {
    content = JSON.parse(await readFile(path, 'utf8'))
  } catch (cause) {
    throw new Error(`${path} is not a JSON file that can be read.`, { cause })
  }
  return parseConfig(content, path)
}

/** Checks a configuration that is already read; `name` is what a message calls it. */
export function parseConfig(content: unknown, name: string): BaseConfig {
  const parsed = Schema.safeParse(content)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new Error(`${name}: ${issue?.path.join('.') || 'the configuration'}: ${issue?.message}.`, { cause: parsed.error })
}
