/**
 * Page: the results as a page for people, docs/benchmark.md with its plot: table, sums, cost, effort, where the engineer wins and why, and what
 * others published. Everything on it is computed from the results file, so a test can tell when it is stale. Knows nothing of how a cell is
 * measured.
 */
import { mkdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { writeWhole } from '../../src/engine/checkpoint.ts'
import { plotOf } from './plot.ts'
import type { Cell, Stored } from './results.ts'
import { summaryText } from './summary.ts'
import { challengerLines, missingLine, percent, reachLine, refusedLines, signed, sumLine, sums, type TableRow, tableLines, tableRows } from './table.ts'

const COMMAND = 'npm run bench:quality'
/** Points between the SVM and the neural part alone from which on n-grams must have decided. */
const FAR = 0.1

/** Writes the page, and the plot and the summary beside it under the page's name. */
export function writePage(path: string, stored: Readonly<Stored>): void {
  mkdirSync(dirname(path), { recursive: true })
  const plot = `${basename(path, '.md')}.svg`
  writeWhole(join(dirname(path), plot), [new TextEncoder().encode(plotOf(tableRows(stored)))])
  writeWhole(path, [new TextEncoder().encode(pageOf(stored, plot))])
  writeWhole(path.replace(/(\.md)?$/, '.json'), [new TextEncoder().encode(summaryText(stored))])
}

/** The page's Markdown. */
export function pageOf(stored: Readonly<Stored>, plot: string): string {
  const rows = tableRows(stored)
  const cells = rows.flatMap(({ vibe, engineered }) => [...vibe, ...(engineered ? [engineered] : [])])
  const head = [
    '# One sentence against an engineer',
    '',
    `Written by \`${COMMAND}\` from \`bench/quality/results/results.json\`; changes by hand are lost.`,
    '',
    'A domain expert types one sentence, hands over the training and validation files of a public task, and gets a model through the command line. An',
    'engineer with full control tunes a strong classifier on the same files, on the same machine. Both are asked the official test set.',
    '',
  ]
  const { plan } = stored
  if (!plan || !cells.length) return [...head, 'No cell has been measured yet.', '', ...missingPart(stored)].join('\n')
  const entries = challengerLines(stored)
  return [
    ...head,
    `![Differences with intervals](${plot})`,
    '',
    ...tableLines(stored),
    '',
    `Scores in percent of the task's own metric. The difference is vibe less engineer on the same cases${plan.seeds.length > 1 ? `, the mean of ${plan.seeds.length} seeds` : ', one seed'}; its interval is a paired bootstrap of 1,000`,
    'draws, and a tie is where it holds zero. "Elsewhere" is what another program (scikit-learn, below) reached with the same kind of classifier. Minutes are wall-clock',
    'minutes of the whole command; words and settings are counted from what the command was given.',
    '',
    '## Where the engineer wins, and why',
    '',
    ...whyLines(rows),
    '',
    '## Cost, minutes and effort',
    '',
    ...costLines(cells, plan.budgetMinutes),
    '',
    '## What was typed',
    '',
    ...rows.map(({ task, asked }) => `- ${task}: “${asked.sentence}”${asked.from === 'inferred' ? ' (nobody wrote one; made from the columns)' : ''}`),
    '',
    '## Oddities of the exams',
    '',
    ...oddities(rows),
    '',
    '## What others published',
    '',
    'Word for word from the READMEs of the tasks, with their caveats. Most are of far larger models, of other training sets or of other splits; "[recalled]" is from memory',
    'and unchecked. None was measured here.',
    '',
    ...rows.flatMap(({ task, asked }) => (asked.published === null || asked.published === 'none' ? [] : [`- ${task}: ${asked.published}`])),
    ...quotedLines(rows),
    '',
    '## Entries of others',
    '',
    ...(entries.length ? entries : ['None yet. Anybody may enter: `npx modelfactory bench --task NAME --challenger FOLDER`.']),
    '',
    '## What is not here',
    '',
    'No LoRA tuned by hand on the same base, no PEFT and no classifier on frozen features was run: the engineer of this page has n-grams alone.',
    'An engineer with a large pre-trained encoder would do better on most languages it was trained on, as the published figures show.',
    '',
    '## The cells',
    '',
    ...cellLines(cells),
    '',
  ].join('\n')
}

const missingPart = (stored: Readonly<Stored>): string[] => (stored.plan ? [missingLine(stored), ...refusedLines(stored.plan), ''] : [])

/** Losses one by one, then what the figures say of the reason. */
function whyLines(rows: readonly TableRow[]): string[] {
  const compared = rows.filter(({ comparison }) => comparison !== null)
  const lost = compared.filter(({ comparison }) => comparison!.verdict === 'loss')
  const { all, reach } = sums(rows)
  const lines = [`${sumLine('All tasks', all)} ${reachLine(reach)}`, '']
  if (!compared.length) return [...lines, 'Nothing can be compared yet.']
  if (!lost.length)
    lines.push('No compared task was lost by more than its interval. A tie is no win: it says that the cases are too few to tell the two apart.')
  for (const { task, asked, comparison, other, beside, score, vibe } of lost) {
    const served = vibe.find(({ refused }) => refused === null)?.what.tuned
    const parts = [
      `${signed(comparison!.difference)} points on ${asked.rows.exam} cases, learned from ${asked.rows.train + asked.rows.validation} rows${asked.labels.length ? ` of ${asked.labels.length} kinds` : ''}`,
      score ? `${percent(score.mean)} against ${percent(other!.score)}` : `no model came of it: ${vibe[0]?.refused?.message ?? ''}`,
      ...(beside.neural === undefined ? [] : [`the neural part alone ${percent(beside.neural)}`]),
      ...(beside.classical === undefined ? [] : [`the classical part alone ${percent(beside.classical)}`]),
      ...(beside.base === undefined ? [] : [`the untrained base ${percent(beside.base)}`]),
      ...(served === undefined ? [] : [`served was ${served}`]),
    ]
    lines.push(`- **${task}**: ${parts.join('; ')}.`)
  }
  const labels = compared.filter(({ asked, other, beside }) => asked.kind === 'classify' && other && beside.neural !== undefined)
  const far = labels.filter(({ other, beside }) => other!.score - beside.neural! > FAR)
  lines.push('')
  if (labels.length)
    lines.push(
      `In ${far.length} of ${labels.length} label tasks with a classical part the neural part alone is more than ${FAR * 100} points below the SVM. There the n-grams that ModelFactory mixes in`,
      `decide nearly everything${classicalAlone(labels)}. The neural part adds most where the base has read the language and the trade.`,
    )
  lines.push(
    'The engineer also learns from all rows and chooses on the official validation part. ModelFactory pools the files, sets practice cases of its own aside and drops whatever is',
    'nearly like an exam case, which costs it examples and, where test texts stand in the training part, cases the engineer has seen before.',
  )
  return lines
}

function costLines(cells: readonly Cell[], budget: number): string[] {
  const of = (arm: Cell['arm']) => cells.filter((cell) => cell.arm === arm)
  const [vibe, engineered] = [of('vibe'), of('engineered')]
  const minutes = (among: readonly Cell[]) => among.reduce((sum, cell) => sum + cell.minutes, 0)
  const coreHours = (among: readonly Cell[]) => among.reduce((sum, cell) => sum + (cell.minutes * cell.machine.cores) / 60, 0)
  const range = (values: readonly number[]) =>
    Math.min(...values) === Math.max(...values) ? `${values[0]}` : `${Math.min(...values)} to ${Math.max(...values)}`
  const machines = [
    ...new Set(
      cells.map(({ machine: { processor, cores, memoryGb, platform, node } }) => `${processor}, ${cores} cores, ${memoryGb} GB, ${platform}, Node ${node}`),
    ),
  ]
  const dates = cells.map(({ date }) => date.slice(0, 10)).sort()
  const lines = [
    `Measured ${dates[0] === dates.at(-1) ? `on ${dates[0]}` : `from ${dates[0]} to ${dates.at(-1)}`} on ${machines.join('; and on ')}. No graphics card, and nothing was paid to anyone.`,
    '',
  ]
  if (vibe.length)
    lines.push(
      `- **vibe**: ${minutes(vibe).toFixed(0)} minutes for ${vibe.length} builds of a budget of ${budget} minutes each, at most ${coreHours(vibe).toFixed(1)} core hours; ${range(vibe.map(({ effort }) => effort.words))} words typed and ${range(
        vibe.map(({ effort }) => effort.settings.length),
      )} settings touched a task (${[...new Set(vibe.flatMap(({ effort }) => effort.settings))].join(', ')}), no line of code.`,
    )
  if (engineered.length)
    lines.push(
      `- **engineer**: ${minutes(engineered).toFixed(1)} minutes for ${engineered.length} tasks; ${range(engineered.map(({ effort }) => effort.linesOfCode))} lines of code (\`ngram-svm.ts\`, \`grams.ts\` and \`gram-model.ts\` in \`src/drivers/baseline\`, without the optimiser) with ${range(
        engineered.map(({ effort }) => effort.settings.length),
      )} settings decided (${engineered[0]!.effort.settings.join(', ')}), the last two by trying them on validation.`,
    )
  return lines
}

function oddities(rows: readonly TableRow[]): string[] {
  const lines = rows.flatMap(({ task, asked, vibe }) => [
    ...asked.inferred.map((line) => `- ${task}: inferred ${line}.`),
    ...asked.flags.map(({ code, text }) => `- ${task}: ${text} (${code})`),
    ...vibe.flatMap(({ seed, refused }) => (refused ? [`- ${task}, seed ${seed}: the build was refused: ${refused.message} (${refused.code})`] : [])),
    ...vibe
      .slice(0, 1)
      .flatMap(({ figures: { coverage, citationsRight, citations } }) =>
        coverage === undefined || citationsRight === undefined
          ? []
          : [
              `- ${task}: ${percent(coverage)} % of the answerable questions were answered (refusing all scores 0), and ${percent(citationsRight)} % of ${citations ?? 0} quoted passages hold a sentence of the right answer.`,
            ],
      ),
  ])
  return lines.length ? lines : ['None.']
}

function quotedLines(rows: readonly TableRow[]): string[] {
  const methods = new Set(rows.flatMap(({ asked }) => (asked.quoted ? [asked.quoted.how] : [])))
  return methods.size ? ['', ...[...methods].map((how) => `"Elsewhere" in the table: ${how}.`)] : []
}

function cellLines(cells: readonly Cell[]): string[] {
  return [
    '| task | arm | seed | date | minutes | package |',
    '|---|---|---|---|---|---|',
    ...cells.map(
      ({ task, arm, seed, date, minutes, package: id }) =>
        `| ${task} | ${arm} | ${arm === 'engineered' ? '' : seed} | ${date.slice(0, 16).replace('T', ' ')} | ${minutes.toFixed(1)} | ${id === null ? '' : `\`${id.slice(0, 18)}…\``} |`,
    ),
  ]
}

/** What the classical part reaches by itself, beside the engineer's, on the tasks that say so. */
function classicalAlone(rows: readonly TableRow[]): string {
  const said = rows.filter(({ beside }) => beside.classical !== undefined)
  if (!said.length) return ''
  const mean = (values: readonly number[]): string => percent(values.reduce((sum, value) => sum + value, 0) / values.length)
  return `: an SVM like the engineer’s, one weighed by naive Bayes, or both, as texts held back decide (alone ${mean(said.map(({ beside }) => beside.classical!))} where the engineer has ${mean(said.map(({ other }) => other!.score))}, over ${said.length} tasks)`
}
