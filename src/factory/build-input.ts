/**
 * Build input: what a build was asked for, kept in the store so that it can be run again after a crash, and looked at later. Knows nothing of
 * how it runs.
 */
import type { Id } from '../core/id.ts'
import type { Recipe } from '../core/recipe.ts'
import { Spec } from '../core/spec.ts'
import type { Base, Weights } from '../core/weights.ts'
import type { Store } from '../ports/store.ts'
import { unpack } from '../steps/pack.ts'
import type { InputFile } from './factory.ts'
import type { MaterialWish } from './material.ts'

export type BuildInput = {
  words: string
  name: string | null
  seconds: number
  /** `build`: the user stated the seconds, and the whole build keeps them. Without it they are those of the training alone. */
  budget?: 'build'
  base: Id
  /** The package whose weights are trained a little further; without it the training begins at the base. */
  from?: Id
  files: { name: string; hash: Id }[]
  recipe?: Partial<Recipe>
  spec?: Spec
} & Pick<MaterialWish, 'columns' | 'mask' | 'exam' | 'corrections' | 'withhold'>

/** What the build of this id was asked for, and its files. @throws when a part is not in the store. */
export async function buildInput(store: Store, id: Id): Promise<{ input: BuildInput; files: InputFile[] }> {
  const input = JSON.parse(new TextDecoder().decode(await store.get(id))) as BuildInput
  const spec = input.spec && Spec.parse(input.spec)
  const files = await Promise.all(input.files.map(async (file) => ({ name: file.name, bytes: await store.get(file.hash) })))
  return { input: { ...input, ...(spec ? { spec } : {}) }, files }
}

/** The weights a build goes on from, where it does and they are of its base. */
export async function startOf(store: Store, { from }: BuildInput, base: Base): Promise<{ weights: Weights; path: string } | undefined> {
  if (from === undefined) return undefined
  const { weights, adapterPath } = await unpack({ store }, from)
  return weights.base.sha256 === base.sha256 ? { weights, path: adapterPath } : undefined
}
