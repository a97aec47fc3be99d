/**
 * Teaching: a build's dataset with what a teacher adds, told as it goes. Without a teacher, or when one answers nothing, the dataset stays as it is.
 * Knows nothing of which model teaches.
 */
import type { Dataset } from '../core/dataset.ts'
import type { BuildEvent, Database } from '../ports/database.ts'
import type { Teacher } from '../ports/teacher.ts'
import { describeTaught, teach } from '../steps/teach.ts'
import type { Material } from './material.ts'

export type Teach = (material: Material, tell: (arrow: BuildEvent['arrow'], text: string) => Promise<void>, signal: AbortSignal) => Promise<Dataset>

/** How often progress is told. */
const TELL_MS = 5000

export function openTeaching(ports: { teacher: Teacher | undefined; database: Database }): Teach {
  const { teacher, database } = ports
  return async (material, tell, signal) => {
    const { dataset, spec } = material
    if (!teacher || spec.task !== 'answer') return dataset
    let last = 0
    let telling: Promise<void> = Promise.resolve()
    const onProgress = ({ done, of, examples }: { done: number; of: number; examples: number }) => {
      if (Date.now() - last < TELL_MS) return
      last = Date.now()
      telling = telling.then(() => tell('note', `${teacher.name} has read ${done} of ${of} passages and written ${examples} examples.`))
    }
    const taught = await teach({ teacher, kept: database.settings }, material, { signal, onProgress })
    await telling
    if (taught.examples.length || taught.note || taught.passages) await tell('note', describeTaught(taught, teacher.name))
    // What people wrote comes first.
    return taught.examples.length ? { ...dataset, training: [...dataset.training, ...taught.examples] } : dataset
  }
}
