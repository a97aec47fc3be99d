/**
 * Prepare: turns a training job's prompts into labelled token sequences, or says why they cannot be trained on. Used by
 * every trainer, so that all refuse the same things. Knows nothing of how training is done.
 */
import { type Refusal, refuse } from '../../core/errors.ts'
import type { Prompt } from '../../core/prompt.ts'
import type { TrainingJob } from '../../ports/trainer.ts'

/** The part of a vocabulary that preparing needs. */
export type Tokenizer = {
  tokenize(prompt: Prompt): {
    tokens: number[]
    reads: { position: number; label?: number; weight?: number; labels?: readonly number[] }[]
    /** Indices of the tokens that are to be learned. */
    learned: number[]
  }
  contextLength: number
}

export type LabelledSequence = { tokens: number[]; reads: { position: number; label: number; weight: number; labels?: readonly number[] }[] }

/** What the reads' labels are: indices of label tokens, or token ids of the whole vocabulary, which learned text needs. */
export type Prepared = { training: LabelledSequence[]; validation: LabelledSequence[]; among: 'labels' | 'vocabulary' }

/** Tokenises both sets and refuses what cannot teach anything or does not fit. `labelIds` are the token ids of the job's labels. */
export function prepare(job: TrainingJob, vocabulary: Tokenizer, labelIds: readonly number[]): Prepared | Refusal {
  const among = [...job.training, ...job.validation].some((prompt) => prompt.some((segment) => segment.kind === 'text' && segment.learned))
    ? 'vocabulary'
    : 'labels'
  if (among === 'labels' && new Set(labelIds).size < 2)
    return refuse('too_few_labels', `${new Set(labelIds).size} distinct label tokens were given.`, 'Training needs at least two labels.')
  if (!job.training.length) return refuse('training_empty', 'There are 0 training examples.', 'Give at least two examples with different labels.')
  const tokenizer = { ...vocabulary, labelIds, among } as const
  const training = sequences(job.training, 'Training', job, tokenizer)
  if ('refused' in training) return training
  const validation = sequences(job.validation, 'Validation', job, tokenizer)
  if ('refused' in validation) return validation
  const labels = new Set(training.flatMap(({ reads }) => reads.filter(({ weight }) => weight > 0).map(({ label }) => label)))
  if (among === 'labels' && labels.size < 2)
    return refuse(
      'training_one_label',
      `All ${training.length} training examples have the same label${labels.size ? ` (number ${[...labels][0]})` : ''}, so there is nothing to tell apart.`,
      'Give examples of at least two labels.',
    )
  if (training.length > 1 && new Set(training.map(({ tokens }) => tokens.join())).size === 1)
    return refuse('training_identical', `All ${training.length} training examples have the same text.`, 'Give examples that differ.')
  return { training, validation, among }
}

function sequences(
  prompts: readonly Prompt[],
  part: string,
  job: TrainingJob,
  vocabulary: Tokenizer & { labelIds: readonly number[]; among: Prepared['among'] },
): LabelledSequence[] | Refusal {
  const most = Math.min(job.recipe.maximumTokens, vocabulary.contextLength)
  const found: LabelledSequence[] = []
  for (const [index, prompt] of prompts.entries()) {
    const name = `${part} example ${index + 1}`
    const { tokens, reads, learned } = vocabulary.tokenize(prompt)
    if (tokens.length > most)
      return refuse(
        'prompt_too_long',
        `${name} is ${tokens.length} tokens long, but the model reads at most ${most}.`,
        'Cut the text into windows that fit before training.',
      )
    const labelled: LabelledSequence['reads'] = []
    for (const { position, label, weight = 1, labels } of reads) {
      if (label === undefined) continue
      if (!Number.isInteger(label) || label < 0 || label >= job.labelTokens.length)
        return refuse('label_unknown', `${name} has label number ${label}, but there are ${job.labelTokens.length} label tokens.`, 'Number labels from 0.')
      if (!(weight >= 0) || weight > 1e6) return refuse('weight_invalid', `${name} has a read of weight ${weight}.`, 'Give weights from 0 to 1000000.')
      if (vocabulary.among === 'vocabulary') {
        labelled.push({ position, label: vocabulary.labelIds[label]!, weight })
        continue
      }
      if (labels && (!labels.includes(label) || labels.some((one) => !Number.isInteger(one) || one < 0 || one >= job.labelTokens.length)))
        return refuse(
          'labels_invalid',
          `${name} has label number ${label} among the labels [${labels.join(', ')}] of ${job.labelTokens.length}.`,
          'Name label numbers that exist, the right one among them.',
        )
      labelled.push({ position, label, weight, ...(labels ? { labels } : {}) })
    }
    for (const index of learned) labelled.push({ position: index - 1, label: tokens[index]!, weight: 1 })
    if (!labelled.length) return refuse('prompt_without_label', `${name} has no labelled place to learn from.`, 'Give every example a label.')
    found.push({ tokens, reads: labelled })
  }
  return found
}
