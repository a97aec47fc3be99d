/**
 * Findings: what was seen in the material while it became a dataset: what repeats, contradicts itself, is personal, is out of
 * proportion. Printed in plain words and given as JSON. Knows nothing of how it is found.
 */
import { z } from 'zod'
import { Id } from './id.ts'
import { languageName, Task } from './spec.ts'

/** What personal data can be told by its form. A name is only seen where a title or a field announces it. */
export const PersonalKind = z.enum(['name', 'mail', 'phone', 'iban', 'card', 'national id', 'patient number'])
export type PersonalKind = z.infer<typeof PersonalKind>

export const Findings = z.object({
  task: Task,
  /** Rows and documents that were read, and rows that could not be used. */
  rows: z.number().int(),
  documents: z.number().int(),
  unusable: z.number().int(),
  /** Rows that were left unread because there were more than a dataset takes. */
  beyond: z.number().int(),
  duplicates: z.object({ exact: z.number().int(), near: z.number().int() }),
  /** One input, several outcomes; `kept` is what most rows say, null when there is no such one and the input was left out. */
  contradictions: z.object({
    count: z.number().int(),
    shown: z.array(
      z.object({ input: z.string(), said: z.array(z.object({ outcome: z.string(), rows: z.array(z.number().int()) })), kept: z.string().nullable() }),
    ),
  }),
  /** Examples nearly like one of the exam, which may not be learned from. */
  leakage: z.number().int(),
  /** Text that stands on page after page and says nothing. */
  boilerplate: z.object({ count: z.number().int(), shown: z.array(z.string()) }),
  /** Share of texts by language, largest first; `und` where it cannot be told. */
  languages: z.array(z.object({ language: z.string(), share: z.number() })),
  /** Examples by label, most frequent first; empty where the task has none. */
  classes: z.array(z.object({ label: z.string(), count: z.number().int(), training: z.number().int(), exam: z.number().int() })),
  /** Samples are shown with all but their ends hidden. */
  personal: z.array(z.object({ kind: PersonalKind, count: z.number().int(), shown: z.array(z.string()) })),
  masked: z.boolean(),
  parts: z.object({ training: z.number().int(), practice: z.number().int(), exam: z.number().int(), passages: z.number().int() }),
  /** How many examples the factory made itself from documents. */
  made: z.number().int(),
  examId: Id,
  /** The exam came as a file of its own. */
  givenExam: z.boolean(),
})
export type Findings = z.infer<typeof Findings>

const number = (value: number): string => value.toLocaleString('en')
const some = (count: number, one: string, many: string): string => `${number(count)} ${count === 1 ? one : many}`

/** The findings as plain sentences, the most important first. */
export function describeFindings(findings: Findings): string[] {
  const { parts, duplicates, contradictions, boilerplate, classes, personal, languages } = findings
  const lines: string[] = []
  const whose = findings.givenExam ? 'The exam is the file you named' : 'The exam was set aside first'
  lines.push(
    `${number(parts.training)} examples to learn from, ${number(parts.practice)} to practise on. ${whose}: ${number(parts.exam)} sealed cases${parts.passages ? `; ${number(parts.passages)} passages to quote` : ''}.`,
  )
  if (findings.made) lines.push(`${number(findings.made)} of them were made from your documents, each with the passage it comes from.`)
  if (findings.unusable) lines.push(`${some(findings.unusable, 'row', 'rows')} without what is needed were left out.`)
  if (findings.beyond) lines.push(`${number(findings.beyond)} rows more than a dataset takes were left out, evenly over the table.`)
  if (duplicates.exact) lines.push(`${number(duplicates.exact)} repeated examples were left out.`)
  if (duplicates.near) lines.push(`${number(duplicates.near)} examples nearly the same as another were left out.`)
  if (contradictions.count) {
    lines.push(`${number(contradictions.count)} texts appear with different answers or labels, for example:`)
    for (const { input, said, kept } of contradictions.shown.slice(0, 3)) {
      const sides = said.map(({ outcome, rows }) => `"${short(outcome, 40)}" (row ${rows.slice(0, 4).join(', ')})`).join(' and ')
      lines.push(`  "${short(input, 60)}" is ${sides}; ${kept === null ? 'it was left out' : `"${short(kept, 40)}" was kept`}.`)
    }
  }
  if (findings.leakage) lines.push(`${number(findings.leakage)} examples nearly like one in the exam were left out of training.`)
  if (boilerplate.count)
    lines.push(
      `${some(boilerplate.count, 'line', 'lines')} that stand on page after page were left out, such as ${boilerplate.shown
        .slice(0, 2)
        .map((text) => `"${short(text, 50)}"`)
        .join(' and ')}.`,
    )
  for (const { label, training } of classes)
    if (training < 5) lines.push(`Only ${some(training, 'training example', 'training examples')} for "${label}": more would help.`)
  const [most, least] = [classes[0], classes.at(-1)]
  if (most && least && most.count > 10 * least.count)
    lines.push(`The kinds are far from balanced: "${most.label}" has ${number(most.count)} examples, "${least.label}" ${number(least.count)}.`)
  const mixed = languages.filter(({ language, share }) => language !== 'und' && share >= 0.02)
  if (mixed.length > 1)
    lines.push(`Languages: ${mixed.map(({ language, share }) => `${languageName(language)} ${Math.max(1, Math.round(100 * share))} %`).join(', ')}.`)
  if (personal.length) {
    const kinds = personal.map(({ kind, count, shown }) => `${number(count)} x ${kind} (${shown[0]})`).join(', ')
    lines.push(
      findings.masked
        ? `Personal data was masked: ${kinds}.`
        : `Personal data was found: ${kinds}. It is used as it stands; it can be hidden before the model learns (--mask on the command line).`,
    )
  }
  return lines
}

function short(text: string, characters: number): string {
  const even = text.replace(/\s+/g, ' ')
  return even.length > characters ? `${even.slice(0, characters - 1)}…` : even
}
