/**
 * Prepare: turns a training job's prompts into labelled token sequences, or says why they cannot be trained on. Used by
 * every trainer, so that all refuse the same things. Knows nothing of how training is done.
 */
import { type Refusal, refuse } from '../../core/errors.ts'
import type { Prompt } from '../../core/prompt.ts'
import type { TrainingJob } from '../../ports/trainer.ts'

/** The part of a vocabulary that preparing needs. */
export type Tokenizer = {
  tokenize(prompt: Prompt): { tokens: number[]; reads: { position: number; label?: number; weight?: number }[] }
  contextLength: number
}

export type LabelledSequence = { tokens: number[]; reads: { position: number; label: number; weight: number }[] }

/** Tokenises both sets and refuses what cannot teach anything or does not fit. */
export function prepare(job: TrainingJob, vocabulary: Tokenizer): { training: LabelledSequence[]; validation: LabelledSequence[] } | Refusal {
  if (!job.training.length) return refuse('training_empty', 'There are 0 training examples.', 'Give at least two examples with different labels.')
  const training = sequences(job.training, 'Training', job, vocabulary)
  if ('refused' in training) return training
  const validation = sequences(job.validation, 'Validation', job, vocabulary)
  if ('refused' in validation) return validation
  const labels = new Set(training.flatMap(({ reads }) => reads.filter(({ weight }) => weight > 0).map(({ label }) => label)))
  if (labels.size < 2)
    return refuse(
      'training_one_label',
      `All ${training.length} training examples have the same label${labels.size ? ` (number ${[...labels][0]})` : ''}, so there is nothing to tell apart.`,
      'Give examples of at least two labels.',
    )
  if (training.length > 1 && new Set(training.map(({ tokens }) => tokens.join())).size === 1)
    return refuse('training_identical', `All ${training.length} training examples have the same text.`, 'Give examples that differ.')
  return { training, validation }
}

function sequences(prompts: readonly Prompt[], part: string, job: TrainingJob, vocabulary: Tokenizer): LabelledSequence[] | Refusal {
  const most = Math.min(job.recipe.maximumTokens, vocabulary.contextLength)
  const found: LabelledSequence[] = []
  for (const [index, prompt] of prompts.entries()) {
    const name = `${part} example ${index + 1}`
    const { tokens, reads } = vocabulary.tokenize(prompt)
    if (tokens.length > most)
      return refuse(
        'prompt_too_long',
        `${name} is ${tokens.length} tokens long, but the model reads at most ${most}.`,
        'Cut the text into windows that fit before training.',
      )
    const labelled: LabelledSequence['reads'] = []
    for (const { position, label, weight = 1 } of reads) {
      if (label === undefined) continue
      if (!Number.isInteger(label) || label < 0 || label >= job.labelTokens.length)
        return refuse('label_unknown', `${name} has label number ${label}, but there are ${job.labelTokens.length} label tokens.`, 'Number labels from 0.')
      if (!(weight >= 0) || weight > 1e6) return refuse('weight_invalid', `${name} has a read of weight ${weight}.`, 'Give weights from 0 to 1000000.')
      labelled.push({ position, label, weight })
    }
    if (!labelled.length) return refuse('prompt_without_label', `${name} has no labelled place to learn from.`, 'Give every example a label.')
    found.push({ tokens, reads: labelled })
  }
  return found
}
