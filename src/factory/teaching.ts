/**
 * Teaching: a build's dataset with what a teacher adds, told as it goes. Without a teacher, or when one answers nothing, the dataset stays as it is.
 * Knows nothing of which model teaches.
 */
import type { Correction } from '../core/corrections.ts'
import type { Dataset } from '../core/dataset.ts'
import type { BuildEvent, Database } from '../ports/database.ts'
import type { Teacher } from '../ports/teacher.ts'
import { describeTaught, teach } from '../steps/teach.ts'
import type { Material } from './material.ts'

type Tell = (arrow: BuildEvent['arrow'], text: string) => Promise<void>

export type Teaching = {
  /** The dataset with what a teacher adds, as the expert corrected it. */
  teach(material: Material, corrections: readonly Correction[], tell: Tell, signal: AbortSignal): Promise<Dataset>
  /** The same from what it said before: nothing is asked. */
  recall(material: Material, corrections: readonly Correction[]): Promise<Dataset>
}

/** How often progress is told. */
const TELL_MS = 5000

export function openTeaching(ports: { teacher: Teacher | undefined; database: Pick<Database, 'settings'> }): Teaching {
  const { teacher, database } = ports
  const nothing = async () => ({ silent: 'unreachable' as const })

  async function recall(material: Material, corrections: readonly Correction[]): Promise<Dataset> {
    const { dataset, spec } = material
    if (!teacher || spec.task !== 'answer') return dataset
    // It is known by its name, under which its replies are kept, and has no other reply to give.
    const remembered: Teacher = { name: teacher.name, local: teacher.local, generate: nothing, judge: nothing }
    const { examples } = await teach({ teacher: remembered, kept: database.settings }, material, { signal: new AbortController().signal, corrections })
    return examples.length ? { ...dataset, training: [...dataset.training, ...examples] } : dataset
  }

  async function teachAnew(material: Material, corrections: readonly Correction[], tell: Tell, signal: AbortSignal): Promise<Dataset> {
    const { dataset, spec } = material
    if (!teacher || spec.task !== 'answer') return dataset
    let last = 0
    let telling: Promise<void> = Promise.resolve()
    const onProgress = ({ done, of, examples }: { done: number; of: number; examples: number }) => {
      if (Date.now() - last < TELL_MS) return
      last = Date.now()
      telling = telling.then(() => tell('note', `${teacher.name} has read ${done} of ${of} passages and written ${examples} examples.`))
    }
    const taught = await teach({ teacher, kept: database.settings }, material, { signal, corrections, onProgress })
    await telling
    if (taught.examples.length || taught.note || taught.passages) await tell('note', describeTaught(taught, teacher.name))
    // What people wrote comes first.
    return taught.examples.length ? { ...dataset, training: [...dataset.training, ...taught.examples] } : dataset
  }

  return { teach: teachAnew, recall }
}
