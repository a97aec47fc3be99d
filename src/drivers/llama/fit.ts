/**
 * Fit: whether an adapter file was made for a base file, by the hash it carries. Knows nothing of what either computes.
 */
import { type Refusal, refuse } from '../../core/errors.ts'
import { BASE_KEY } from '../../core/export.ts'
import { openGguf } from '../../engine/gguf.ts'
import { fileHash } from '../files/hash.ts'

/**
 * Refuses an adapter that names another base, or, when it names none (made by other software), is known to be made for `otherwise`.
 * @throws {FormatError} when the adapter is no GGUF file.
 */
export async function refuseOtherBase(adapter: string, base: string, otherwise?: string): Promise<Refusal | undefined> {
  const named = openGguf(adapter).metadata.get(BASE_KEY) ?? otherwise
  if (named === undefined) return undefined
  const found = await fileHash(base)
  if (named === found) return undefined
  return refuse(
    'adapter_for_another_base',
    `The adapter "${adapter}" was trained on the base ${String(named).slice(0, 10)}..., but "${base}" is ${found.slice(0, 10)}...`,
    'Use the base it was trained on, or build the model again on this one.',
  )
}
