/**
 * Exporter over GGUF files: the adapter as it is, merged into its base, as a PEFT folder, or for Ollama. Files are written into
 * a temporary folder that takes its name only when it is whole. Knows nothing of packages' stores or of who asks.
 */
import { randomBytes } from 'node:crypto'
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type Refusal, refuse } from '../../core/errors.ts'
import { type ExportedFile, exportSettings, type Markers, modelfile, peftConfig } from '../../core/export.ts'
import { FormatError, type Gguf, openGguf } from '../../engine/gguf.ts'
import { type MetadataEntry, writeModel } from '../../engine/gguf-writer.ts'
import { checkFit, mergedTensor, onlyLabels, openAdapter, type StoredAdapter } from '../../engine/merge.ts'
import { writeSafetensors } from '../../engine/safetensors.ts'
import type { Exporter, ExportJob } from '../../ports/exporter.ts'
import { syncFolder, writeFailure } from '../files/durable.ts'
import { fileHash } from '../files/hash.ts'
import { refuseOtherBase } from '../llama/fit.ts'
import { llama, vocabularyOf } from '../llama/vocabulary.ts'
import { peftTensors } from './peft.ts'

export function ggufExporter(): Exporter {
  return {
    async write(job) {
      const temporary = `${job.folder}.${randomBytes(6).toString('hex')}.part`
      try {
        job.signal?.throwIfAborted()
        const parts = await openParts(job)
        if ('refused' in parts) return parts
        await mkdir(temporary, { recursive: true })
        const refused = await writers[job.kind](job, parts, temporary)
        if (refused) return refused
        const files = await listed(temporary)
        await rm(job.folder, { recursive: true, force: true })
        await rename(temporary, job.folder)
        await syncFolder(dirname(job.folder))
        return files
      } catch (error) {
        if (job.signal?.aborted) throw job.signal.reason
        if (error instanceof FormatError)
          return refuse(
            'export_unsupported',
            `The model ${job.model.manifest.name} cannot be exported: ${error.message}.`,
            'Build it again, or choose another kind.',
          )
        if ((error as NodeJS.ErrnoException).code === undefined) throw error
        const { message, hint } = writeFailure(job.folder, error)
        return refuse('export_unwritable', message, hint)
      } finally {
        await rm(temporary, { recursive: true, force: true }).catch(() => {})
      }
    },
  }
}

/** What is written from: one file with the base's tensors, and the adapter on them. Fully trained weights are such a file alone. */
type Parts = { source: string; base: Gguf; adapter: StoredAdapter | undefined; settings: MetadataEntry[] }
type Writer = (job: ExportJob, parts: Parts, folder: string) => Promise<Refusal | undefined>

/** Opens the files and checks, by hash and by shape, that they belong together. */
async function openParts(job: ExportJob): Promise<Parts | Refusal> {
  const { weights } = job.model
  const settings: MetadataEntry[] = Object.entries(exportSettings(job.model)).map(([key, value]) => [key, value, 'string'])
  if (weights.kind === 'model') return { source: job.adapter, base: openGguf(job.adapter), adapter: undefined, settings }
  if (!(await stat(job.base).catch(() => undefined))?.isFile()) return refuse('base_missing', `There is no base model at "${job.base}".`, 'Give --base.')
  const other = await refuseOtherBase(job.adapter, job.base, weights.base.sha256)
  if (other) return other
  const base = openGguf(job.base)
  const adapter = openAdapter(job.adapter)
  checkFit(base, adapter)
  return { source: job.base, base, adapter, settings }
}

/** Fully trained weights have no adapter to give. */
const noAdapter = ({ model, kind }: ExportJob): Refusal =>
  refuse('export_without_adapter', `The model ${model.manifest.name} was trained whole, so there is no adapter to export as ${kind}.`, 'Export it as gguf-f16.')

const merged =
  (type: 'F16' | 'Q8_0' | 'Q4_0'): Writer =>
  async ({ model, signal }, { source, base, adapter, settings }, folder) => {
    const name = model.manifest.name
    await writeModel({
      ...{ source, path: join(folder, `${name}.${type.toLowerCase()}.gguf`), type, signal },
      tensors: (tensor) => adapter && mergedTensor(base, adapter, tensor),
      metadata: [['general.name', name, 'string'], ...settings],
    })
    return undefined
  }

const writers: Record<ExportJob['kind'], Writer> = {
  // The stored adapter's own tensors, copied, with every setting beside them.
  'gguf-lora': async (job, { adapter, settings }, folder) => {
    if (!adapter) return noAdapter(job)
    const name = job.model.manifest.name
    await writeModel({
      ...{ source: job.adapter, path: join(folder, `${name}.lora.gguf`), type: 'F32', signal: job.signal },
      metadata: [['general.name', name, 'string'], ...settings],
    })
    return undefined
  },
  'gguf-f16': merged('F16'),
  'gguf-q8_0': merged('Q8_0'),
  'gguf-q4_0': merged('Q4_0'),

  peft: async (job, { base, adapter }, folder) => {
    if (!adapter) return noAdapter(job)
    const converted = peftTensors(base, adapter)
    if ('refused' in converted) return converted
    const settings = exportSettings(job.model)
    await write(join(folder, 'adapter_model.safetensors'), writeSafetensors(converted.tensors, settings))
    await write(join(folder, 'adapter_config.json'), `${JSON.stringify(peftConfig(job.model, converted.modules), null, 2)}\n`)
    await write(join(folder, 'modelfactory.json'), `${JSON.stringify(settings, null, 2)}\n`)
    return undefined
  },

  ollama: async ({ model, signal }, { source, base, adapter, settings }, folder) => {
    const vocabulary = await readVocabulary(source, model.weights.labelTokens)
    if ('refused' in vocabulary) return vocabulary
    const { markers, labels } = vocabulary
    const name = model.manifest.name
    const file = `${name}.f16.gguf`
    const embedding = base.tensors.get('token_embd.weight')
    if (embedding?.shape.length !== 2) throw new FormatError('it has no matrix "token_embd.weight"')
    const changed = (tensor: string) => adapter && mergedTensor(base, adapter, tensor)
    const output = (tensor: string) => onlyLabels(changed(tensor) ?? base.tensor(tensor), embedding.shape[1]!, labels)
    await writeModel({
      ...{ source, path: join(folder, file), type: 'F16', signal },
      tensors: (tensor) => (tensor === 'output.weight' ? output(tensor) : changed(tensor)),
      added: base.tensors.has('output.weight')
        ? []
        : [{ name: 'output.weight', shape: embedding.shape, type: 'F16', values: () => output('token_embd.weight') }],
      metadata: [['general.name', name, 'string'], ...settings],
    })
    await write(join(folder, 'Modelfile'), modelfile(model, file, markers))
    return undefined
  },
}

/** The texts of the base's turn markers and the ids of the label tokens, from the vocabulary that training used. */
async function readVocabulary(path: string, labelTokens: readonly string[]): Promise<{ markers: Markers; labels: number[] } | Refusal> {
  const model = await (await llama()).loadModel({ modelPath: path, vocabOnly: true, ignoreMemorySafetyChecks: true })
  try {
    const vocabulary = vocabularyOf(model)
    if ('refused' in vocabulary) return vocabulary
    const marker = (token: 'start' | 'end') => {
      const { tokens } = vocabulary.tokenize([{ kind: 'special', token }])
      return tokens.at(-1)! as Parameters<typeof model.detokenize>[0][number]
    }
    // A begin token that the tokenizer puts first by itself must not be written a second time.
    const start = model.tokens.shouldPrependBosToken && model.tokens.bos === marker('start') ? '' : model.detokenize([marker('start')], true)
    return {
      markers: { start, end: model.detokenize([marker('end')], true), contextLength: vocabulary.contextLength },
      labels: vocabulary.labelIds(labelTokens),
    }
  } finally {
    await model.dispose()
  }
}

async function write(path: string, bytes: Uint8Array | string): Promise<void> {
  const file = await open(path, 'w')
  try {
    await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function listed(folder: string): Promise<ExportedFile[]> {
  const files: ExportedFile[] = []
  for (const name of (await readdir(folder)).sort())
    files.push({ name, bytes: (await stat(join(folder, name))).size, sha256: await fileHash(join(folder, name)) })
  return files
}
