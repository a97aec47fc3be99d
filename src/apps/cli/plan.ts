/**
 * `plan` and `refine`: a plan is printed in plain words, kept in a file when asked, and changed by a sentence at a time.
 * Knows nothing of how plans are made.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { isRefusal, type Refusal, refuse } from '../../core/errors.ts'
import type { Readiness } from '../../core/readiness.ts'
import { describeSpec, Spec } from '../../core/spec.ts'
import { type Context, withServer } from './connect.ts'
import { columnChoices, type DatasetReply, examFile } from './dataset.ts'
import { filesUnder, request, type Upload } from './requests.ts'

export type PlanFlags = { save?: string; exam?: string; column?: string[]; mask?: boolean }

/** Prints the plan and, where files were given, what was found in them: the dataset that would be built, or why there would be none. */
export async function plan(context: Context, words: string, paths: readonly string[], flags: PlanFlags): Promise<Refusal | undefined> {
  const { save } = flags
  const found: Upload[] = []
  for (const path of paths) {
    const under = await filesUnder(path)
    if (isRefusal(under)) return under
    found.push(...under)
  }
  const examined = await examFile(found, flags.exam)
  if (isRefusal(examined)) return examined
  const columns = columnChoices(flags.column ?? [])
  if (isRefusal(columns)) return columns
  const { files, exam } = examined
  const outcome = await withServer(context, async (url) => {
    const spec = await request<Spec>(url, '/api/plan', { words, files, columns })
    if (isRefusal(spec) || !files.length || spec.decline) return isRefusal(spec) ? spec : { spec }
    return { spec, dataset: await request<DatasetReply>(url, '/api/dataset', { words, files, exam, mask: flags.mask, spec }) }
  })
  if (isRefusal(outcome)) return outcome
  const { spec, dataset } = outcome
  if (save !== undefined) {
    const failed = await writePlan(save, spec)
    if (failed) return failed
  }
  const next = save === undefined ? [] : [`Saved to ${save}. Change it: npx modelfactory refine ${save} "make it shorter"`]
  const lines = !dataset ? [] : isRefusal(dataset) ? [`It cannot be built yet: ${dataset.message} ${dataset.hint}`] : dataset.sentences
  const findings = dataset && !isRefusal(dataset) ? { findings: dataset.findings } : {}
  context.out.result({ ...spec, ...findings }, [...describeSpec(spec), ...lines, ...next].join('\n'))
  return undefined
}

/** Says how good a model of these files would be, and what more examples would do. */
export async function ready(context: Context, words: string, flags: PlanFlags & { files: string }): Promise<Refusal | undefined> {
  const found = await filesUnder(flags.files)
  if (isRefusal(found)) return found
  const examined = await examFile(found, flags.exam)
  if (isRefusal(examined)) return examined
  const columns = columnChoices(flags.column ?? [])
  if (isRefusal(columns)) return columns
  const ready = await withServer(context, (url) =>
    request<Readiness & { sentences: string[] }>(url, '/api/readiness', { words, ...examined, columns, mask: flags.mask }),
  )
  if (isRefusal(ready)) return ready
  context.out.result(ready, ready.sentences.join('\n'))
  return undefined
}

export async function refine(context: Context, file: string, words: string): Promise<Refusal | undefined> {
  const before = await readPlan(file)
  if (isRefusal(before)) return before
  const outcome = await withServer(context, (url) => request<{ spec: Spec; changes: string[] }>(url, '/api/plan/refine', { spec: before, words }))
  if (isRefusal(outcome)) return outcome
  const failed = await writePlan(file, outcome.spec)
  if (failed) return failed
  context.out.result(outcome, [...outcome.changes.map((change) => `Changed: ${change}`), '', ...describeSpec(outcome.spec)].join('\n'))
  return undefined
}

/** The plan in a file that `plan --save` wrote. */
export async function readPlan(file: string): Promise<Spec | Refusal> {
  const text = await readFile(file, 'utf8').catch(() => undefined)
  if (text === undefined)
    return refuse('no_such_plan', `There is no plan "${file}".`, 'Make one: npx modelfactory plan "what it should do" FILES --save plan.json')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return refuse('plan_not_json', `The file "${file}" is not a saved plan: it is not JSON.`, 'Give a file that plan --save wrote.')
  }
  const spec = Spec.safeParse(value)
  if (spec.success) return spec.data
  const issue = spec.error.issues[0]!
  return refuse(
    'plan_invalid',
    `The file "${file}" is not a saved plan: ${issue.path.join('.') || 'it'} ${issue.message}.`,
    'Give a file that plan --save wrote.',
  )
}

async function writePlan(file: string, spec: Spec): Promise<Refusal | undefined> {
  try {
    await writeFile(file, `${JSON.stringify(spec, null, 2)}\n`)
    return undefined
  } catch (error) {
    return refuse(
      'plan_not_written',
      `The plan cannot be written to "${file}" (${(error as NodeJS.ErrnoException).code ?? 'unknown'}).`,
      'Name a file in a folder you may write to.',
    )
  }
}
