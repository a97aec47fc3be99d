/**
 * Tasks: openly licensed labelled texts with fixed parts (bench/tasks, licences in each README), and what a TF-IDF + linear SVM reaches
 * on each. Knows nothing of models.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { z } from 'zod'

/** The tasks of the card, and the three that `--quick` takes: a wide one, a professional one, a language the corpus hardly holds. */
export const TASKS = [
  ...['intent_banking77', 'contract_clause_cuad', 'structural_building_regs_part', 'medqa_pubmedqa'],
  ...['topic_sib200_swh', 'topic_sib200_quy', 'sentiment_afrisenti_swa', 'topic_nusapara_btk'],
] as const
export const QUICK = ['intent_banking77', 'structural_building_regs_part', 'topic_sib200_swh'] as const

export type Labelled = { input: string; label: string }
export type Task = { name: string; labels: string[]; training: Labelled[]; practice: Labelled[]; exam: Labelled[] }

const Row = z.union([
  z.object({ text: z.string().min(1), label: z.string() }).transform(({ text, label }) => ({ input: text, label })),
  z
    .object({ question: z.string(), context: z.string(), answer: z.string() })
    .transform((row) => ({ input: `${row.question}\n${row.context}`, label: row.answer })),
])
const Engineered = z.object({ method: z.string(), tasks: z.record(z.string(), z.object({ acc: z.number(), macro_f1: z.number() })) })

/** Reads a task. @throws {Error} naming the file that is not there, or the first row that is no labelled text. */
export function readTask(folder: string, name: string): Task {
  const part = (file: string) => {
    const path = join(folder, name, `${file}.jsonl.gz`)
    let text: string
    try {
      text = gunzipSync(readFileSync(path)).toString('utf8')
    } catch (cause) {
      throw new Error(`The task ${name} cannot be read from ${path}: --tasks names the folder of the tasks.`, { cause })
    }
    return text
      .split('\n')
      .filter((line) => line.trim())
      .map((line, index) => {
        const row = Row.safeParse(JSON.parse(line))
        if (!row.success) throw new Error(`Row ${index + 1} of ${path} is no labelled text.`, { cause: row.error })
        return row.data
      })
  }
  const training = part('train')
  return { name, labels: [...new Set(training.map(({ label }) => label))].sort(), training, practice: part('validation'), exam: part('test') }
}

/** What TF-IDF + linear SVM reaches, by task; tasks it was not measured on are absent. */
export function readEngineered(folder: string): Map<string, { accuracy: number; macroF1: number }> {
  const { tasks } = Engineered.parse(JSON.parse(readFileSync(join(folder, 'engineered.json'), 'utf8')))
  return new Map(Object.entries(tasks).map(([name, { acc, macro_f1 }]) => [name, { accuracy: acc, macroF1: macro_f1 }]))
}
