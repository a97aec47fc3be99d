/**
 * Export: the forms in which a built model can leave the house, the settings that go with it, and the texts beside it.
 * Knows nothing of files or tensors.
 */
import { canonical, type Id } from './id.ts'
import type { Package } from './package.ts'
import type { Report } from './report.ts'
import type { Spec } from './spec.ts'
import { type Weights, weightsId } from './weights.ts'

/** Every form with what it is, in words. */
export const EXPORTS = {
  'gguf-lora': 'the LoRA adapter as GGUF, for llama.cpp beside its base',
  'gguf-f16': 'base and adapter merged into one GGUF of 16-bit floats',
  'gguf-q8_0': 'base and adapter merged into one GGUF of 8-bit blocks',
  'gguf-q4_0': 'base and adapter merged into one GGUF of 4-bit blocks',
  peft: 'the adapter as a PEFT folder (safetensors), for transformers',
  ollama: 'a merged GGUF that answers in label tokens only, and a Modelfile, for Ollama',
} as const
export type ExportKind = keyof typeof EXPORTS
export const EXPORT_KINDS = Object.keys(EXPORTS) as [ExportKind, ...ExportKind[]]

/** One file of an export as it lies on disk. */
export type ExportedFile = { name: string; bytes: number; sha256: Id }
export type ExportView = { model: string; kind: ExportKind; what: string; files: ExportedFile[]; notes: string[] }

/** What an export is made of. */
export type Exportable = { manifest: Package; spec: Spec; weights: Weights; report: Report }

/** The key by which an adapter names the base it fits, in GGUF metadata and everywhere else. */
export const BASE_KEY = 'modelfactory.base.sha256'

/** Everything a runtime would need to read the model's answers as we do, by key. JSON where a value is not text. */
export function exportSettings({ manifest, spec, weights }: Exportable): Record<string, string> {
  return {
    [BASE_KEY]: weights.base.sha256,
    'modelfactory.base.name': weights.base.name,
    'modelfactory.base.licence': weights.base.licence,
    'modelfactory.model': manifest.name,
    'modelfactory.weights': weightsId(weights),
    'modelfactory.weights.kind': weights.kind,
    'modelfactory.task': spec.task,
    'modelfactory.label_tokens': canonical(weights.labelTokens),
    'modelfactory.labels': canonical(labelNames(spec)),
    'modelfactory.threshold': canonical(weights.threshold),
    'modelfactory.recipe': canonical(weights.recipe),
  }
}

/** What label 0, 1, ... means, in words. */
export function labelNames(spec: Spec): string[] {
  return spec.task === 'classify' ? (spec.labels ?? []) : ['does not help answer the question', 'helps answer the question']
}

/** What the exported neural weights leave behind of the model that was examined, one plain sentence each. */
export function exportNotes({ spec, weights, report }: Exportable): string[] {
  const score = (name: string) => report.arms.find((arm) => arm.name === name)?.score.toFixed(3) ?? 'unknown'
  const notes: string[] = []
  if (weights.expert)
    notes.push(
      `On the exam this model scored ${score('tuned')} ${report.metric} with its classical part (${weights.expert.what}, share ${weights.expert.share}); ` +
        `the export holds the neural part alone, which scored ${score('neural')}.`,
    )
  if (spec.task === 'answer')
    notes.push('The export judges one sentence of a passage at a time. Finding the passages and quoting them is done by ModelFactory and is not in it.')
  return notes
}

/** Facts of the base that a Modelfile needs: the texts of its turn markers, and the longest prompt. */
export type Markers = { start: string; end: string; contextLength: number }

/**
 * An Ollama Modelfile (docs/modelfile.md) for the merged `file`, whose output matrix lets only label tokens win, so that one
 * greedy token is the answer.
 */
export function modelfile(model: Exportable, file: string, markers: Markers): string {
  const { manifest, spec, weights } = model
  const names = labelNames(spec)
  const comment = (text: string) => text.split(/\r\n|[\r\n\u2028\u2029]/).map((line) => `# ${line}`.trimEnd())
  const quoted = (text: string) => `"""${text.replaceAll('"""', "'''")}"""`
  const prompt = `${markers.start}{{ .Prompt }}${markers.end}`
  const licences = [`Base ${weights.base.name}: ${weights.base.licence}`, ...manifest.licences]
  return [
    ...comment(`${manifest.name}: ${JSON.stringify(spec.words)}`),
    ...comment('The answer is one token that stands for a label:'),
    ...weights.labelTokens.flatMap((token, index) => comment(`  ${token} = ${JSON.stringify(names[index] ?? String(index))}`)),
    '#',
    ...comment(
      [
        'The model was trained to tell these tokens apart and nothing else. In this file the output row of every other token is the mean of',
        'the label rows, so the likeliest token is always a label, the one that these weights find likeliest. Label probabilities cannot',
        'be read from Ollama; for probabilities, thresholds and texts longer than the context use ModelFactory or llama.cpp with the adapter.',
        'Text that spells a marker or label token is read as that token here; ModelFactory reads it as plain characters.',
        ...exportNotes(model),
      ].join('\n'),
    ),
    ...(spec.task === 'answer'
      ? comment(
          'The prompt is the question. The system text is what it is judged by: how well the passage matches in tenths, its place from 1,\nthe heading, a line break, the sentence. The same in ModelFactory: src/core/prompt.ts.',
        )
      : []),
    `FROM ./${file}`,
    `TEMPLATE ${quoted(spec.task === 'answer' ? `${prompt}{{ .System }}${markers.end}` : prompt)}`,
    ...(spec.task === 'answer' ? [`SYSTEM ${quoted('9 1 Heading\nThe sentence to judge.')}`] : []),
    'PARAMETER temperature 0',
    'PARAMETER top_k 1',
    'PARAMETER repeat_penalty 1',
    'PARAMETER num_predict 1',
    `PARAMETER num_ctx ${markers.contextLength}`,
    `LICENSE ${quoted(licences.join('\n\n'))}`,
    '',
  ].join('\n')
}

/** PEFT's `adapter_config.json` (LoraConfig). Our own settings stand in a file of their own: older PEFT refuses keys it does not know. */
export function peftConfig({ weights }: Exportable, modules: readonly string[]): Record<string, unknown> {
  return {
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    base_model_name_or_path: weights.base.name,
    r: weights.recipe.rank,
    lora_alpha: weights.recipe.alpha,
    target_modules: [...modules].sort(),
    lora_dropout: 0,
    bias: 'none',
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    modules_to_save: null,
  }
}
