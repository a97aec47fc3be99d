/**
 * Fine-tune: one base made a specialist on one task, by the steps the factory builds with, and examined on the task's test part.
 * The neural weights answer alone: no n-gram part is fitted. Knows nothing of tables or of which bases there are.
 */
import { mkdirSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Dataset, Example } from '../../src/core/dataset.ts'
import { isRefusal } from '../../src/core/errors.ts'
import { hashText } from '../../src/core/id.ts'
import type { Recipe } from '../../src/core/recipe.ts'
import { accuracy, macroF1 } from '../../src/core/report.ts'
import type { Spec } from '../../src/core/spec.ts'
import { servedFrom } from '../../src/core/weights.ts'
import { wordTagger } from '../../src/drivers/baseline/word-tagger.ts'
import { fileHash } from '../../src/drivers/files/hash.ts'
import { miniSearchRetriever } from '../../src/drivers/retriever/minisearch.ts'
import { openLlamaRuntime } from '../../src/drivers/runtime/llama.ts'
import { folderStore } from '../../src/drivers/store/folder.ts'
import { createOnnxTrainer } from '../../src/drivers/trainer/onnx.ts'
import { openLlama } from '../../src/engine/architecture.ts'
import { writeModel } from '../../src/engine/gguf-writer.ts'
import { machineView } from '../../src/factory/machine.ts'
import type { Baseline } from '../../src/ports/baseline.ts'
import { classify, shortened } from '../../src/steps/answer.ts'
import { train } from '../../src/steps/train.ts'
import { untrained } from '../recipe/shape.ts'
import type { Labelled, Task } from './tasks.ts'

export type FineTuning = {
  accuracy: number
  macroF1: number
  steps: number
  bestStep: number
  learningRate: number
  trainingSeconds: number
  examSeconds: number
}

export type FineTuneOptions = {
  /** GGUF file of the base. */
  base: string
  task: Task
  seed: number
  /** Budget of the training. */
  seconds: number
  /** Settings that differ from what the factory chooses. */
  recipe: Partial<Recipe>
  threads: number
  /** For what is made on the way; emptied at the end. */
  folder: string
  tell: (line: string) => void
}

/** @throws {Error} with the refusal of a step as its message. */
export async function fineTune(options: FineTuneOptions): Promise<FineTuning> {
  const { base, task, seed, seconds, recipe, threads, folder, tell } = options
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const runtime = openLlamaRuntime({ threads })
  const store = folderStore(join(folder, 'store'))
  try {
    const trained = await train(
      { trainer: createOnnxTrainer(), runtime, retriever: miniSearchRetriever(), classical: silent, tagger: wordTagger(), store },
      {
        ...{ spec: specOf(task), dataset: datasetOf(task), basePath: base, folder: join(folder, 'run'), threads, maximumSeconds: seconds },
        ...{ base: { name: basename(base), sha256: await fileHash(base), licence: '' }, machine: machineView(threads), now: () => performance.now() },
        ...{ override: { ...recipe, seed }, onNote: tell },
      },
    )
    if (isRefusal(trained)) throw new Error(`${trained.message} ${trained.hint}`)
    const { weights } = trained
    const began = performance.now()
    const vocabulary = await runtime.vocabulary(base)
    if (isRefusal(vocabulary)) throw new Error(vocabulary.message)
    const scorer = await runtime.open({
      ...servedFrom(weights.kind, { base, weights: await store.path(weights.adapter) }),
      ...{ labelTokens: weights.labelTokens, serving: { contextTokens: weights.recipe.maximumTokens } },
    })
    if (isRefusal(scorer)) throw new Error(scorer.message)
    const served = { vocabulary: shortened(vocabulary, weights.recipe.maximumTokens), scorer }
    const predicted: string[] = []
    for (const { input } of task.exam) {
      const chances = await classify(served, input)
      predicted.push(task.labels[chances.indexOf(Math.max(...chances))]!)
    }
    await scorer.close()
    const truth = task.exam.map(({ label }) => label)
    return {
      ...{ accuracy: accuracy(predicted, truth), macroF1: macroF1(predicted, truth), steps: weights.curve.at(-1)?.step ?? 0, bestStep: weights.bestStep },
      ...{
        learningRate: weights.recipe.learningRate,
        trainingSeconds: Math.round(trained.seconds),
        examSeconds: Math.round((performance.now() - began) / 1000),
      },
    }
  } finally {
    await runtime.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Writes a base of the same shape and tokenizer that has learned nothing: what pre-training is worth is measured against it. */
export async function writeUntrained(base: string, path: string, seed: number): Promise<void> {
  const { shape } = openLlama(base)
  const model = untrained({ ...shape, contextTokens: 0 }, seed)
  await writeModel({ source: base, path, type: 'Q8_0', tensors: (name) => model.tensor(name), metadata: [['general.name', 'untrained', 'string']] })
}

/** A classical part that knows nothing, so that practice gives it no say. */
const silent: Baseline = {
  what: 'none',
  fit: async ({ training, practice }) => {
    const labels = [...new Set(training.map(({ label }) => label))]
    const scores = (inputs: readonly unknown[]) => inputs.map(() => labels.map(() => 0))
    return { labels, scores, predict: (inputs) => inputs.map(() => labels[0]!), practiceScores: scores(practice), save: () => new Uint8Array() }
  },
  load: () => {
    throw new Error('There is no classical part to load.')
  },
}

function specOf(task: Task): Spec {
  return {
    ...{ words: `Tell the labels of ${task.name} apart.`, slug: 'task', task: 'classify', language: ['en'], outputLanguage: [], domain: null },
    ...{ labels: task.labels, multiLabel: null, fields: null, mustCite: null, refuseOutsideScope: null, tone: null, audience: null },
    ...{ pricePerQuery: null, maxLatencyMs: null, privacy: null, files: [], clarify: [], assumptions: [] },
  }
}

function datasetOf(task: Task): Dataset {
  const examples = (rows: readonly Labelled[], part: string): Example[] =>
    // Practice labels that training never shows cannot be learned.
    rows
      .filter(({ label }) => task.labels.includes(label))
      .map(({ input, label }, index) => ({
        id: hashText(`${part} ${index} ${label} ${input}`),
        input,
        label,
        source: { file: part },
        group: `${part} ${index}`,
      }))
  const nothing = hashText('')
  return {
    specId: nothing,
    examId: nothing,
    training: examples(task.training, 'train'),
    practice: examples(task.practice, 'validation'),
    passages: [],
    notes: [],
  }
}
