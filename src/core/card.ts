/**
 * The quality card: one page about one version of a model that an expert of its field understands, as JSON, Markdown and HTML with a
 * plot. It follows from spec, weights and report alone, and its hash stands in the package. Knows nothing of who is paid for it.
 */
import { z } from 'zod'
import { type Id, Id as IdSchema } from './id.ts'
import { Arm, type Report, Verdict } from './report.ts'
import { languageName, type Spec } from './spec.ts'
import { Base, type Weights } from './weights.ts'

export const Card = z.object({
  format: z.literal('modelfactory/card@1'),
  name: z.string(),
  words: z.string(),
  task: z.string(),
  languages: z.array(z.string()),
  base: Base,
  exam: z.object({
    n: z.number(),
    metric: z.string(),
    id: IdSchema,
    root: IdSchema.nullable(),
    committedAt: z.number().nullable(),
    attempt: z.number().nullable(),
    bootstrap: z.object({ draws: z.number(), seed: z.number() }).nullable(),
  }),
  verdict: Verdict.nullable(),
  arms: z.array(Arm),
  /** Counts are null where the package does not hold them. */
  training: z.object({ examples: z.number().nullable(), practice: z.number().nullable(), seed: z.number(), steps: z.number() }),
  latencyMs: z.number(),
  licences: z.array(z.string()),
  /** What the figures do not show, in plain words. */
  limits: z.array(z.string()),
})
export type Card = z.infer<typeof Card>

/** What a reader is told beside the card, as it is today: a line each. Not part of the card's hash. */
export type CardToday = { cardId: Id | null; lines: readonly string[] }

const LIMITS = [
  'The exam was set aside before the training, and nothing nearly like its cases was learned from. Settings were chosen on other cases, never on these.',
  'The cases come from the same source as what the model learned from. On texts of another kind it may do worse.',
  'An interval says where the score would fall for other cases of the same kind, in 95 of 100 draws. Differences that such a draw can turn around are called a tie.',
  'A builder who controls their own machine can still cheat: train on the exam, or write down answers that were never given. The commitment on chain, the count of attempts and the published answers make it harder and leave traces; they do not make it impossible.',
  'What takes that away is an independent examiner: somebody who holds sealed cases of their own, asks them through the paid endpoint, and compares (modelfactory exam run MODEL --url GATEWAY --budget OPEN --cases FILE).',
]

const TASKS: Record<Spec['task'], string> = {
  answer: 'answers questions by quoting its pages, or says that they do not cover one',
  classify: 'says of which kind a text is',
  extract: 'finds things in a text',
  transform: 'rewrites a text',
}

export function cardOf(options: {
  name: string
  spec: Spec
  weights: Weights
  report: Report
  examples: { training: number; practice: number } | null
  licences: readonly string[]
}): Card {
  const { spec, weights, report, examples } = options
  return {
    ...{ format: 'modelfactory/card@1', name: options.name, words: spec.words, task: TASKS[spec.task], languages: spec.language.map(languageName) },
    base: weights.base,
    exam: {
      ...{ n: report.n, metric: report.metric, id: report.examId, root: report.root ?? null },
      ...{ committedAt: report.committedAt ?? null, attempt: report.attempt ?? null, bootstrap: report.bootstrap ?? null },
    },
    ...{ verdict: report.verdict ?? null, arms: report.arms },
    training: { examples: examples?.training ?? null, practice: examples?.practice ?? null, seed: weights.recipe.seed, steps: weights.curve.at(-1)?.step ?? 0 },
    ...{ latencyMs: report.latencyMs, licences: [...options.licences], limits: LIMITS },
  }
}

const NAMES: Record<Arm['name'], string> = {
  tuned: 'This model, as sold',
  neural: 'Its trained part alone',
  classical: 'Its word-counting part alone',
  base: 'The base without training',
  baseline: 'A simple method',
}
const FIGURES: Record<string, string> = {
  accuracy: 'right',
  macroF1: 'F1, every kind alike',
  weightedF1: 'F1, by frequency',
  calibrationError: 'how far confidence is off',
  allRight: 'wholly right',
  precision: 'found and right',
  recall: 'right and found',
  tokenF1: 'words shared with the right answer',
  rougeL: 'ROUGE-L',
  exactMatch: 'word for word',
  coverage: 'covered questions answered',
  refusalPrecision: 'refusals that were right',
  refusalRecall: 'uncovered questions refused',
  citationPrecision: 'quotes that support the answer',
  citationRecall: 'of the answer that was quoted',
}
const VERDICTS: Record<Verdict['outcome'], string> = {
  proven: 'Proven: better than its base, and not worse than a simple method',
  unproven: 'Unproven: it is not shown to be better than its base and no worse than a simple method',
  worse: 'Worse than its own base: it cannot be published',
}
const OUTCOMES = { win: 'better', tie: 'a tie', loss: 'worse' }

const fixed = (value: number): string => value.toFixed(3)
const signed = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(3)}`

function facts(card: Card): string[] {
  const { exam, training } = card
  return [
    `It ${card.task}, in ${card.languages.join(', ')}.`,
    `Examined on ${exam.n} sealed cases; ${exam.committedAt === null ? 'their hash was not on chain before the training' : `their hash is on chain since ${new Date(exam.committedAt * 1000).toISOString()}, before the training`}.`,
    ...(exam.attempt === null ? [] : [`This was attempt ${exam.attempt} at this exam.`]),
    training.examples === null
      ? `Learned in ${training.steps} steps (seed ${training.seed}).`
      : `Learned from ${training.examples} examples in ${training.steps} steps (seed ${training.seed}), with ${training.practice} kept apart to choose settings.`,
    `One answer takes about ${card.latencyMs} ms on the machine that examined it.`,
    `Base: ${card.base.name} (${card.base.licence || 'no licence stated'}).`,
    ...(exam.bootstrap ? [`Intervals: 95 %, ${exam.bootstrap.draws} draws of the cases, seed ${exam.bootstrap.seed}.`] : []),
  ]
}

/** The card as Markdown. */
export function cardMarkdown(card: Card, today: CardToday): string {
  const rows = card.arms.map((arm) => `| ${cell(NAMES[arm.name])} | ${fixed(arm.score)} | ${arm.interval.map(fixed).join(' to ')} | ${cell(arm.what)} |`)
  const differences = (card.verdict?.differences ?? []).map(
    (one) =>
      `| ${cell(NAMES[one.against])} | ${signed(one.difference)} | ${one.interval.map(signed).join(' to ')} | ${OUTCOMES[one.outcome]} | ${one.better} | ${one.worse} |`,
  )
  return [
    `# ${card.name}`,
    `> ${card.words.replace(/\s+/g, ' ')}`,
    `**${card.verdict ? VERDICTS[card.verdict.outcome] : 'Unproven: made before there was a gate'}.** ${card.verdict?.why ?? ''}`.trim(),
    `| | ${card.exam.metric} | 95 % interval | what it is |\n|---|---|---|---|\n${rows.join('\n')}`,
    ...(differences.length
      ? [`| This model beside | difference | 95 % interval | | cases better | cases worse |\n|---|---|---|---|---|---|\n${differences.join('\n')}`]
      : []),
    figureRows(card)
      .map(([name, values]) => `- ${name}: ${values}`)
      .join('\n'),
    facts(card).join('\n'),
    ...(today.lines.length ? [`## Today\n\n${today.lines.map((line) => `- ${line.trim()}`).join('\n')}`] : []),
    `## What this does not show\n\n${card.limits.map((limit) => `- ${limit}`).join('\n')}`,
    ...(card.licences.length ? [`## Sources and licences\n\n${card.licences.join('\n\n')}`] : []),
    `Exam ${card.exam.id}\n${card.exam.root ? `Root ${card.exam.root}\n` : ''}${today.cardId ? `Card ${today.cardId}` : 'The hash of this card is in no package.'}`,
  ]
    .filter(Boolean)
    .join('\n\n')
    .concat('\n')
}

function figureRows(card: Card): [name: string, values: string][] {
  const names = [...new Set(card.arms.flatMap((arm) => Object.keys(arm.figures)))]
  return names.map((name) => [
    FIGURES[name] ?? name,
    card.arms
      .filter((arm) => arm.figures[name] !== undefined)
      .map((arm) => `${NAMES[arm.name].toLowerCase()} ${fixed(arm.figures[name]!)}`)
      .join(', '),
  ])
}

function cell(text: string): string {
  return text.replace(/\|/g, '\\|').replace(/\s+/g, ' ')
}

const escaped = (text: string): string => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)

/** The arms as bars with their intervals, scores from 0 to 1. */
function plot(card: Card): string {
  const [left, width, step] = [210, 460, 44]
  const at = (score: number) => left + Math.min(1, Math.max(0, score)) * width
  const height = card.arms.length * step + 34
  const bars = card.arms.map((arm, index) => {
    const y = index * step + 8
    const [low, high] = arm.interval.map(at) as [number, number]
    return `<text x="${left - 10}" y="${y + 18}" text-anchor="end">${escaped(NAMES[arm.name])}</text>
<rect class="${arm.name}" x="${left}" y="${y}" width="${(at(arm.score) - left).toFixed(1)}" height="26"><title>${escaped(arm.what)}</title></rect>
<path d="M${low.toFixed(1)} ${y + 13}H${high.toFixed(1)}M${low.toFixed(1)} ${y + 7}v12M${high.toFixed(1)} ${y + 7}v12"/>
<text x="${(high + 8).toFixed(1)}" y="${y + 18}">${fixed(arm.score)} (${arm.interval.map(fixed).join(' to ')})</text>`
  })
  const axis = [0, 0.25, 0.5, 0.75, 1].map(
    (score) =>
      `<text class="axis" x="${at(score)}" y="${height - 8}" text-anchor="middle">${score}</text><path class="grid" d="M${at(score)} 0V${height - 24}"/>`,
  )
  const told = card.arms.map((arm) => `${NAMES[arm.name]} ${fixed(arm.score)}`).join(', ')
  return `<svg viewBox="0 0 ${left + width + 175} ${height}" role="img" aria-label="${escaped(`${card.exam.metric}: ${told}`)}">${axis.join('')}${bars.join('')}</svg>`
}

const STYLE = `body{font:16px/1.55 system-ui,sans-serif;max-width:46rem;margin:2.5rem auto;padding:0 1.2rem;color:#1c2024;background:#fff}
h1{margin:0 0 .2rem}h2{margin:2rem 0 .4rem;font-size:1.1rem}blockquote{margin:0 0 1.2rem;color:#555}
.verdict{padding:.8rem 1rem;border-left:5px solid #888;background:#f4f5f6}.proven{border-color:#18794e}.unproven{border-color:#ad5700}.worse{border-color:#ce2c31}
svg{width:100%;margin:1rem 0}svg text{font-size:14px;fill:#1c2024}svg .axis{fill:#777;font-size:12px}svg path{stroke:#1c2024;stroke-width:1.5;fill:none}svg .grid{stroke:#ddd;stroke-width:1}
rect{fill:#b8bfc6}rect.tuned{fill:#3e7fc1}rect.neural,rect.classical{fill:#9cc3e6}table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.25rem .5rem;border-bottom:1px solid #e3e5e7;vertical-align:top}
.hash{font:12px/1.5 ui-monospace,monospace;color:#666;overflow-wrap:anywhere}pre{white-space:pre-wrap;font-size:13px}
@media(prefers-color-scheme:dark){body,svg text{color:#e6e8ea;fill:#e6e8ea;background:#15181b}.verdict{background:#1f2428}svg path{stroke:#e6e8ea}svg .grid{stroke:#333}td,th{border-color:#333}blockquote{color:#aaa}}`

/** The card as one self-contained HTML page: no script, nothing loaded. */
export function cardHtml(card: Card, today: CardToday): string {
  const list = (lines: readonly string[]) => `<ul>${lines.map((line) => `<li>${escaped(line.trim())}</li>`).join('')}</ul>`
  const table = (rows: readonly (readonly string[])[]) =>
    `<table>${rows.map((row) => `<tr>${row.map((text) => `<td>${escaped(text)}</td>`).join('')}</tr>`).join('')}</table>`
  const differences = (card.verdict?.differences ?? []).map((one) => [
    `beside: ${NAMES[one.against].toLowerCase()}`,
    `${signed(one.difference)} (${one.interval.map(signed).join(' to ')})`,
    OUTCOMES[one.outcome],
    `better on ${one.better}, worse on ${one.worse} cases`,
  ])
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(card.name)}: quality card</title><style>${STYLE}</style></head><body>
<h1>${escaped(card.name)}</h1>
<blockquote>${escaped(card.words)}</blockquote>
<div class="verdict ${card.verdict?.outcome ?? 'unproven'}"><strong>${escaped(card.verdict ? VERDICTS[card.verdict.outcome] : 'Unproven: made before there was a gate')}.</strong> ${escaped(card.verdict?.why ?? '')}</div>
<h2>${escaped(card.exam.metric)} on ${card.exam.n} sealed cases, 1 is best</h2>
${plot(card)}
${differences.length ? table(differences) : ''}
<h2>Further figures</h2>
${table(figureRows(card))}
<h2>What it is</h2>
${list(facts(card))}
${today.lines.length ? `<h2>Today</h2>\n${list(today.lines)}` : ''}
<h2>What this does not show</h2>
${list(card.limits)}
${card.licences.length ? `<h2>Sources and licences</h2>\n<pre>${escaped(card.licences.join('\n\n'))}</pre>` : ''}
<p class="hash">Exam ${card.exam.id}<br>${card.exam.root ? `Root ${card.exam.root}<br>` : ''}${today.cardId ? `Card ${today.cardId}, named by the package` : 'The hash of this card is in no package.'}</p>
</body></html>
`
}
