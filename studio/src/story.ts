/**
 * Stories: builds and models put together by name, and how far each has come down the river from words to royalty.
 * Pure; knows nothing of the page or of how the state arrived.
 */
import type { BuildView, ModelView, StateView } from './api.ts'

export type Story = { name: string; words: string; build: BuildView | null; model: ModelView | null }

/** The eight nouns of the river, left to right. */
export const NOUNS = ['words', 'spec', 'dataset', 'weights', 'package', 'listing', 'receipt', 'royalty'] as const
export type Noun = (typeof NOUNS)[number]
export type Step = { noun: Noun; state: 'done' | 'active' | 'waiting' | 'stopped' }

const PACKAGE = NOUNS.indexOf('package')

/** The noun that each arrow leads to. */
const LEADS_TO: Record<string, Noun> = {
  describe: 'spec',
  collect: 'dataset',
  train: 'weights',
  examine: 'package',
  pack: 'package',
  publish: 'listing',
  query: 'receipt',
  royalty: 'royalty',
}

/** The noun an event belongs to; null for notes and for arrows this version does not know. */
export function nounOf(arrow: string): Noun | null {
  return Object.hasOwn(LEADS_TO, arrow) ? LEADS_TO[arrow]! : null
}

export function isUnderWay(build: BuildView | null): boolean {
  return build !== null && (build.state === 'queued' || build.state === 'running')
}

/** The name of the copy that a correction is tried on. */
const copyName = (name: string): string => `${name.slice(0, 44)}-fix`

/** The latest build of the copy that a correction of a model is tried on. */
export function copyOf(state: Pick<StateView, 'builds'>, { name, model }: Story): BuildView | null {
  const builds = model ? state.builds.filter((build) => build.name === copyName(name)) : []
  return builds.reduce<BuildView | null>((latest, build) => (latest && latest.createdAt > build.createdAt ? latest : build), null)
}

/**
 * One story per name, work under way first, then newest first. Of several builds with one name the latest counts. Copies on which corrections
 * are tried are part of their model's story.
 */
export function stories(state: StateView): Story[] {
  const byName = new Map<string, Story>()
  for (const model of state.models) byName.set(model.name, { name: model.name, words: model.words, build: null, model })
  for (const build of state.builds) {
    const story = byName.get(build.name) ?? { name: build.name, words: build.words, build: null, model: null }
    if (!story.build || build.createdAt >= story.build.createdAt) byName.set(build.name, { ...story, words: build.words || story.words, build })
  }
  for (const model of state.models) byName.delete(copyName(model.name))
  return [...byName.values()].sort(
    (left, right) => Number(isUnderWay(right.build)) - Number(isUnderWay(left.build)) || (right.build?.createdAt ?? 0) - (left.build?.createdAt ?? 0),
  )
}

/** How far a story has come. An arrow's event is told when it is done, so what follows the furthest is being worked on. */
export function steps(story: Story): Step[] {
  const { build, model } = story
  const working = isUnderWay(build)
  const stopped = build !== null && (build.state === 'refused' || build.state === 'failed' || build.state === 'cancelled')
  // The words are there from the start. Progress in training shows that the dataset is done.
  const reached = Math.max(0, build?.training ? NOUNS.indexOf('dataset') : 0, ...(build?.events ?? []).map((event) => reachedBy(event.arrow)))
  return NOUNS.map((noun, index) => {
    if (index === 0) return { noun, state: 'done' }
    if (index > PACKAGE) {
      const there = noun === 'listing' ? model?.modelId != null : (model?.queries ?? 0) > 0
      return { noun, state: there ? 'done' : 'waiting' }
    }
    if (!working && !stopped) return { noun, state: build?.state === 'done' || model ? 'done' : 'waiting' }
    if (index <= reached) return { noun, state: 'done' }
    if (index > reached + 1) return { noun, state: 'waiting' }
    return { noun, state: stopped ? 'stopped' : 'active' }
  })
}

/** The exam belongs to the package, which is not whole before it is packed. */
function reachedBy(arrow: string): number {
  const index = NOUNS.indexOf(nounOf(arrow) ?? 'words')
  return arrow === 'examine' ? index - 1 : index
}

/** True while the training itself runs: not before its first progress, and not once the exam has begun. */
export function isLearning(story: Story): boolean {
  const training = story.build?.training
  return training != null && training.step < training.steps && steps(story).some((step) => step.noun === 'weights' && step.state === 'active')
}

/** How one arm of the exam stands to another, by their 95 % intervals. Overlap is called unclear, never a win. */
export function compare(one: { interval: [number, number] }, other: { interval: [number, number] }): 'better' | 'worse' | 'unclear' {
  if (one.interval[0] > other.interval[1]) return 'better'
  if (one.interval[1] < other.interval[0]) return 'worse'
  return 'unclear'
}
