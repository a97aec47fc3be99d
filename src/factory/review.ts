/**
 * Review: the examples of a build as the expert sees them, what the expert changed in them, and which documents strangers may
 * see quoted. Changes are kept by the model's name and hold through every rebuild. Knows nothing of training.
 */
import { z } from 'zod'
import { type Change, Correction, corrected, outcomeFrom } from '../core/corrections.ts'
import { type Example, outcomeText, type Passage } from '../core/dataset.ts'
import { isRefusal, type Refusal, refuse } from '../core/errors.ts'
import { describeFindings } from '../core/findings.ts'
import type { Id } from '../core/id.ts'
import type { BuildView, ExamplesQuestion, ExamplesView, QuotationView } from '../core/view.ts'
import type { Build, Database } from '../ports/database.ts'
import type { ColumnChoice } from '../steps/columns.ts'
import type { openBuilds } from './builds.ts'
import type { Material, openMaterial } from './material.ts'
import type { Teaching } from './teaching.ts'

const Kept = z.object({ corrections: z.array(Correction).default([]), withhold: z.array(z.string()).default([]) })
type Kept = z.infer<typeof Kept>

const key = (name: string): string => `review:${name}`
const MOST_SHOWN = 1000
/** Characters of an id that name an example on the command line. */
const LEAST_ID = 6

export function openReview(
  ports: { database: Database },
  options: {
    material: Pick<ReturnType<typeof openMaterial>, 'prepare'>
    /** The dataset with what a teacher wrote for it before. */
    recall?: Teaching['recall']
    builds: () => ReturnType<typeof openBuilds>
  },
) {
  /** The last examples looked at: whoever pages through ten thousand of them must not have the files read anew for each page. */
  let last: { key: string; material: Promise<Material | Refusal> } | undefined

  /** What was changed for models of this name. */
  async function keptOf(name: string): Promise<Kept> {
    return Kept.parse((await ports.database.settings.get(key(name))) ?? {})
  }

  /** The latest build of a name, or the build of an id; one that came to a dataset. */
  async function find(nameOrId: string): Promise<Build | Refusal> {
    const builds = await ports.database.builds.list()
    const found =
      builds.find(({ id }) => id === nameOrId) ??
      builds.find(({ name, state }) => name === nameOrId && state === 'done') ??
      builds.find(({ name }) => name === nameOrId)
    if (found) return found
    const names = [...new Set(builds.map(({ name }) => name))]
    return refuse(
      'unknown_build',
      `There is no build or model "${nameOrId}" here.`,
      names.length ? `There are: ${names.slice(0, 10).join(', ')}.` : 'Build one first.',
    )
  }

  async function open(nameOrId: string): Promise<{ build: Build; kept: Kept; material: Material } | Refusal> {
    const build = await find(nameOrId)
    if (isRefusal(build)) return build
    const kept = await keptOf(build.name)
    const key = `${build.id} ${JSON.stringify(kept)}`
    if (last?.key !== key) last = { key, material: prepared(build, kept) }
    const material = await last.material.catch((error: unknown) => {
      // A file that could not be read may be there again.
      last = undefined
      throw error
    })
    return isRefusal(material) ? material : { build, kept, material }
  }

  async function prepared(build: Build, kept: Kept): Promise<Material | Refusal> {
    const { input, files } = await options.builds().inputOf(build.id as Id)
    const material = await options.material.prepare(build.words, files, { ...input, ...kept })
    if (isRefusal(material) || !options.recall) return material
    return { ...material, dataset: await options.recall(material, kept.corrections) }
  }

  async function data(nameOrId: string, question: ExamplesQuestion = {}): Promise<ExamplesView | Refusal> {
    const opened = await open(nameOrId)
    if (isRefusal(opened)) return opened
    const { build, kept, material } = opened
    const part = question.part ?? 'training'
    const wanted = question.find?.toLowerCase()
    const all = { training: material.dataset.training, practice: material.dataset.practice, exam: material.exam.cases }[part]
    const found = wanted ? all.filter((one) => one.input.toLowerCase().includes(wanted) || outcomeText(one).toLowerCase().includes(wanted)) : all
    const offset = question.offset ?? 0
    return {
      name: build.name,
      task: material.spec.task,
      findings: material.findings,
      sentences: describeFindings(material.findings),
      part,
      total: found.length,
      offset,
      examples: found.slice(offset, offset + Math.min(MOST_SHOWN, question.limit ?? 50)).map((one) => shown(one, material.dataset.passages)),
      corrections: kept.corrections.length,
      withheld: kept.withhold,
    }
  }

  return {
    keptOf,
    data,
    /** Adds to what is kept for a name. */
    async keep(name: string, corrections: readonly Correction[]): Promise<void> {
      const kept = await keptOf(name)
      await ports.database.settings.set(key(name), { ...kept, corrections: [...kept.corrections, ...corrections] })
    },

    /** Keeps changes; they hold from the next build on. All of them or none. */
    async correct(nameOrId: string, changes: readonly Change[]): Promise<ExamplesView | Refusal> {
      const opened = await open(nameOrId)
      if (isRefusal(opened)) return opened
      const { build, kept, material } = opened
      const examples = [...material.dataset.training, ...material.dataset.practice, ...material.exam.cases]
      const made: Correction[] = []
      for (const change of changes) {
        if ('add' in change) {
          const outcome = outcomeFrom(material.spec, change.add, change.to)
          if (isRefusal(outcome)) return outcome
          made.push({ kind: 'add', input: change.add, outcome })
          continue
        }
        const named = 'remove' in change ? change.remove : change.replace
        const matching = named.length < LEAST_ID ? [] : corrected(examples, made).filter(({ id }) => id.startsWith(named))
        if (matching.length !== 1)
          return refuse(
            'example_unknown',
            `${matching.length ? `${matching.length} examples` : 'No example'} of ${build.name} ${matching.length ? 'have' : 'has'} an id that begins with "${named}".`,
            `Give the id as modelfactory data ${build.name} shows it.`,
          )
        const { id, input } = matching[0]!
        if ('remove' in change) made.push({ kind: 'remove', id })
        else {
          const outcome = outcomeFrom(material.spec, input, change.to)
          if (isRefusal(outcome)) return outcome
          made.push({ kind: 'replace', id, outcome })
        }
      }
      await ports.database.settings.set(key(build.name), { ...kept, corrections: [...kept.corrections, ...made] })
      return data(nameOrId)
    },

    /**
     * Builds again from the same words and files, with all that was changed since; `columns` say anew which column plays which part
     * (then a plan that was kept is filled anew with them).
     */
    async rebuild(nameOrId: string, chosen: readonly ColumnChoice[] = []): Promise<BuildView | Refusal> {
      const build = await find(nameOrId)
      if (isRefusal(build)) return build
      const { input, files } = await options.builds().inputOf(build.id as Id)
      const { mask, exam, spec, recipe } = input
      // What is said now goes before what was said for the same part.
      const earlier = (input.columns ?? []).filter(({ role, file }) => !chosen.some((one) => one.role === role && (one.file ?? file) === file))
      const columns = [...earlier, ...chosen]
      const seconds = input.budget === 'build' ? { seconds: input.seconds } : {}
      return options.builds().start(build.words, files, { name: build.name, columns, mask, exam, spec, recipe, ...seconds, baseId: input.base })
    },

    /** What strangers would see quoted, by document; of a model that quotes nothing, nothing. */
    async quotations(nameOrId: string): Promise<QuotationView | Refusal> {
      const build = await find(nameOrId)
      if (isRefusal(build)) return build
      const kept = await keptOf(build.name)
      const { input, files } = await options.builds().inputOf(build.id as Id)
      const material = await options.material.prepare(build.words, files, { ...input, ...kept, withhold: [] })
      if (isRefusal(material)) return material
      const documents = new Map<string, Passage[]>()
      for (const one of material.dataset.passages) documents.set(one.source.file, [...(documents.get(one.source.file) ?? []), one])
      return {
        name: build.name,
        documents: [...documents].map(([file, passages]) => ({
          file,
          passages: passages.length,
          withheld: kept.withhold.includes(file),
          shown: passages.slice(0, 3).map((one) => one.sentences.join(' ').slice(0, 300)),
        })),
      }
    },

    /** Says which documents are kept out of quotation from the next build on; an empty list lets all in. */
    async withhold(nameOrId: string, withheld: readonly string[]): Promise<QuotationView | Refusal> {
      const quotations = await this.quotations(nameOrId)
      if (isRefusal(quotations)) return quotations
      const unknown = withheld.find((file) => !quotations.documents.some((one) => one.file === file))
      if (unknown !== undefined)
        return refuse(
          'document_unknown',
          `"${unknown}" is no document that ${quotations.name} quotes.`,
          `They are ${
            quotations.documents
              .map(({ file }) => file)
              .slice(0, 10)
              .join(', ') || 'none'
          }.`,
        )
      const kept = await keptOf(quotations.name)
      await ports.database.settings.set(key(quotations.name), { ...kept, withhold: [...withheld] })
      return this.quotations(nameOrId)
    },
  }
}

/** An example with the passage it comes from. */
function shown(example: Example, passages: readonly Passage[]): ExamplesView['examples'][number] {
  const { source } = example
  const from = passages.find(
    (one) =>
      one.source.file === source.file &&
      (source.row === undefined ? source.heading !== undefined && one.source.heading === source.heading : one.source.row === source.row),
  )
  return {
    id: example.id,
    input: example.input,
    outcome: outcomeText(example),
    source,
    ...(example.made ? { made: example.made } : {}),
    ...(from ? { passage: from.sentences.join(' ') } : {}),
  }
}
