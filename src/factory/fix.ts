/**
 * Fix: one wrong answer put right. A quick build that goes on from the model with the correction is made beside it; which practice cases would
 * change is shown; only when it is accepted does it take the model's place, and the correction is kept. Knows nothing of how models train.
 */
import { z } from 'zod'
import type { Answer } from '../core/answer.ts'
import { Correction, outcomeFrom } from '../core/corrections.ts'
import { type Example, outcomeText } from '../core/dataset.ts'
import { isRefusal, type Refusal, refuse } from '../core/errors.ts'
import type { Id } from '../core/id.ts'
import { entityTally, labelTally, tallied } from '../core/report.ts'
import type { BuildView, FixView } from '../core/view.ts'
import type { Database } from '../ports/database.ts'
import { answer, type Served } from '../steps/answer.ts'
import { worth } from '../steps/worth.ts'
import type { openBuilds } from './builds.ts'
import type { openMaterial } from './material.ts'
import type { openReview } from './review.ts'

/** Seconds the whole quick build may take: half of the two minutes in which the expert is to see it, which leaves the other half to slower machines. */
const SECONDS = 60
/** A case whose score moves less than this did not change. */
const MOVED = 0.1
/** Practice cases asked of both models. */
const ASKED = 200

const Pending = z.object({ buildId: z.string(), correction: Correction })
const key = (name: string): string => `fix:${name}`

export function openFix(
  ports: { database: Database },
  options: {
    material: ReturnType<typeof openMaterial>
    review: ReturnType<typeof openReview>
    builds: () => ReturnType<typeof openBuilds>
    load: (packageId: Id) => Promise<{ served: Served }>
    changed: () => Promise<void>
  },
) {
  async function modelOf(name: string) {
    return (await ports.database.models.get(name)) ?? refuse('unknown_model', `There is no model "${name}" here.`, 'Build one first.')
  }

  async function pendingOf(name: string): Promise<z.infer<typeof Pending> | Refusal> {
    const found = Pending.safeParse(await ports.database.settings.get(key(name)))
    return found.success ? found.data : refuse('no_fix', `No fix of ${name} is waiting.`, `Make one: modelfactory fix ${name} --question "..." --answer "..."`)
  }

  return {
    /** Begins the quick build; the model itself stays as it is. */
    async start(name: string, question: string, right: string): Promise<BuildView | Refusal> {
      const model = await modelOf(name)
      if (isRefusal(model)) return model
      const build = (await ports.database.builds.list()).find(({ packageId }) => packageId === model.packageId)
      if (!build) return refuse('build_gone', `The build of ${name} is not in this data folder.`, 'Build the model again here.')
      const { served } = await options.load(model.packageId)
      const outcome = outcomeFrom(served.spec, question, right)
      if (isRefusal(outcome)) return outcome
      const correction: Correction = { kind: 'add', input: question, outcome }
      const kept = await options.review.keptOf(model.name)
      const { input, files } = await options.builds().inputOf(build.id as Id)
      const { columns, mask, exam, spec, recipe } = input
      const started = await options.builds().start(build.words, files, {
        ...{ name: `${model.name.slice(0, 44)}-fix`, columns, mask, exam, spec, recipe, seconds: SECONDS, baseId: input.base, from: model.packageId },
        ...{ corrections: [...kept.corrections, correction], withhold: kept.withhold },
      })
      if (!isRefusal(started)) await ports.database.settings.set(key(model.name), { buildId: started.id, correction })
      return started
    },

    /** What the fixed model says, and which practice cases change; once its build is done. */
    async preview(name: string): Promise<FixView | Refusal> {
      const [model, pending] = [await modelOf(name), await pendingOf(name)]
      if (isRefusal(model)) return model
      if (isRefusal(pending)) return pending
      const build = await ports.database.builds.get(pending.buildId)
      if (!build?.packageId) return refuse('fix_not_ready', `The fix of ${name} is ${build?.state ?? 'gone'}.`, 'Wait for its build to be done.')
      const { input, files } = await options.builds().inputOf(build.id as Id)
      const material = await options.material.prepare(build.words, files, input)
      if (isRefusal(material)) return material
      const before = (await options.load(model.packageId)).served
      const after = (await options.load(build.packageId)).served
      const question = (pending.correction as { input: string }).input
      const flips: FixView['flips'] = []
      const practice = material.dataset.practice.filter(({ input: asked }) => asked !== question).slice(0, ASKED)
      for (const example of practice) {
        const [was, is] = [await said(before, example.input), await said(after, example.input)]
        const change = scoreOf(is, example) - scoreOf(was, example)
        if (Math.abs(change) < MOVED && (example.answer !== undefined || was.text === is.text)) continue
        const kind = change >= MOVED ? 'better' : change <= -MOVED ? 'worse' : 'other'
        flips.push({ input: example.input, right: outcomeText(example), before: was.text, after: is.text, change: kind })
      }
      return {
        name: model.name,
        question,
        before: (await said(before, question)).text,
        after: (await said(after, question)).text,
        practice: practice.length,
        flips,
      }
    },

    /** The fix is not wanted: its build is stopped if it still runs, and the model stays as it is. */
    async drop(name: string): Promise<BuildView | Refusal> {
      const [model, pending] = [await modelOf(name), await pendingOf(name)]
      if (isRefusal(model)) return model
      if (isRefusal(pending)) return pending
      const build = await ports.database.builds.get(pending.buildId)
      if (!build) return refuse('build_gone', `The build of the fix of ${name} is not in this data folder.`, 'Make the fix again.')
      const running = build.state === 'queued' || build.state === 'running'
      const standing = running ? await options.builds().cancel(build.id) : options.builds().view(build)
      // It may have ended by itself in this moment: then there is nothing to stop.
      if (isRefusal(standing) && standing.code !== 'build_not_running') return standing
      await ports.database.settings.set(key(model.name), undefined)
      return isRefusal(standing) ? options.builds().view(build) : standing
    },

    /** The fixed model takes the model's place, and the correction holds through every rebuild. */
    async accept(name: string): Promise<FixView | Refusal> {
      const preview = await this.preview(name)
      if (isRefusal(preview)) return preview
      const [model, pending] = [await modelOf(name), await pendingOf(name)]
      if (isRefusal(model)) return model
      if (isRefusal(pending)) return pending
      const build = await ports.database.builds.get(pending.buildId)
      await options.review.keep(model.name, [pending.correction])
      await ports.database.models.put({ ...model, packageId: build!.packageId!, updatedAt: Date.now() })
      await ports.database.settings.set(key(model.name), undefined)
      await options.changed()
      return preview
    },
  }
}

async function said(served: Served, input: string): Promise<Answer> {
  for await (const part of answer(served, input)) if ('answer' in part) return part.answer
  throw new Error('The model ended without an answer.')
}

/** How right an answer is, 0 to 1. */
function scoreOf(given: Answer, example: Example): number {
  if (example.entities) return tallied([entityTally(given.entities ?? [], example.entities)]).f1
  if (example.labels) return tallied([labelTally(given.labels ?? [], example.labels)]).f1
  if (example.label !== undefined) return given.label === example.label ? 1 : 0
  return worth(given.abstained ? null : given.citations.map(({ quote }) => quote).join(' '), example.answer ?? null)
}
