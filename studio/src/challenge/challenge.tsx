/**
 * Challenge: the benchmark as it was measured, losses as plainly as wins, its data to take away, and how to beat it. Knows nothing of how
 * anything was measured.
 */
import { useQuery } from '@tanstack/react-query'
import { useId, useState } from 'react'
import type { Benchmark } from '../../../src/core/benchmark.ts'
import { get } from '../fetching.ts'
import { useWords } from '../language.ts'
import { Command } from '../parts/copy.tsx'
import { Fact, Fetched, Page } from '../parts/fetched.tsx'
import { Term } from '../parts/term.tsx'
import { Forest, signed } from './forest.tsx'
import { OwnModels } from './models.tsx'
import { type ChallengeWords, challengeWords } from './words.ts'

type Task = Benchmark['tasks'][number]

const percent = (share: number): string => (100 * share).toFixed(1)

export function Challenge() {
  const words = useWords(challengeWords)
  const found = useQuery({ queryKey: ['benchmark'], queryFn: () => get<Benchmark>('/api/benchmark') })
  return (
    <Page title={words.title} lead={words.lead}>
      <Fetched found={found}>{(benchmark) => <Figures benchmark={benchmark} words={words} />}</Fetched>
      <OwnModels />
    </Page>
  )
}

function Figures({ benchmark, words }: { benchmark: Benchmark; words: ChallengeWords }) {
  const { tasks, sums, measured } = benchmark
  if (!tasks.length) return <p className="panel text-soft">{words.none}</p>
  return (
    <div className="space-y-5">
      <Sums sums={sums} words={words} />
      <section className="panel min-w-0">
        <h2 className="text-large font-semibold">{words.plot}</h2>
        <p className="mt-1 max-w-prose text-small text-soft">
          <Term term={words.intervalTerm} explanation={words.intervalWhat}>
            {words.plotWhat}
          </Term>
        </p>
        <div className="mt-4 max-w-3xl">
          <Forest rows={rowsOf(tasks, words)} label={words.plot} worse={words.worse} better={words.better} />
        </div>
      </section>
      <Table tasks={tasks} words={words} />
      <Enter tasks={tasks} words={words} />
      <Entries benchmark={benchmark} words={words} />
      <Details tasks={tasks} words={words} />
      <section className="panel">
        <h2 className="text-large font-semibold">{words.open}</h2>
        <p className="mt-1 max-w-prose text-small text-soft">{words.openText}</p>
        <p className="mt-3">
          <a className="button button-quiet" href="/api/benchmark/results.json" download>
            {words.download}
          </a>
        </p>
        <p className="mt-3 text-small text-soft">
          {measured.from && measured.to && `${words.measured(measured.from, measured.to)} ${words.on} ${measured.machines.join('; ')}. `}
          {words.page}.
        </p>
        {benchmark.missing.length > 0 && (
          <p className="mt-3 text-small">
            <strong className="font-semibold">{words.missing}:</strong> {benchmark.missing.join('; ')}
          </p>
        )}
        {benchmark.notExamined.map(({ task, message }) => (
          <p key={task} className="mt-3 text-small">
            <strong className="font-semibold">{words.notExamined}:</strong> {task}. {message}
          </p>
        ))}
        <h3 className="mt-5 font-semibold">{words.notHere}</h3>
        <p className="mt-1 max-w-prose text-small text-soft">{words.notHereText}</p>
      </section>
    </div>
  )
}

/** Lost first: nobody should have to look for it. */
function Sums({ sums, words }: { sums: Benchmark['sums']; words: ChallengeWords }) {
  const { all, reach } = sums
  const three = [
    { key: 'loss', name: words.lost, value: all.loss, tone: 'text-alarm' },
    { key: 'tie', name: words.tied, value: all.tie, tone: 'text-ink' },
    { key: 'win', name: words.won, value: all.win, tone: 'text-gain' },
  ]
  return (
    <section className="panel">
      <h2 className="text-large font-semibold">{words.sum(all.compared)}</h2>
      <dl className="mt-3 grid max-w-lg grid-cols-3 gap-3">
        {three.map(({ key, name, value, tone }) => (
          <div key={key} className="flex flex-col-reverse rounded-lg bg-sunken p-3">
            <dt className="text-small text-soft">
              {key === 'tie' ? (
                <Term term={words.tieTerm} explanation={words.tieWhat}>
                  {name}
                </Term>
              ) : (
                name
              )}
            </dt>
            <dd className={`text-figure font-semibold tabular-nums ${tone}`}>{value}</dd>
          </div>
        ))}
      </dl>
      <p className="mt-3 max-w-prose text-small text-soft">
        {words.reach(reach.win + reach.tie, reach.win, reach.compared, reach.of, reach.heldWanted, reach.wonWanted)}
      </p>
    </section>
  )
}

function rowsOf(tasks: readonly Task[], words: ChallengeWords) {
  return tasks
    .flatMap(({ task, comparison }) => {
      if (!comparison) return []
      const { difference, interval, verdict } = comparison
      const says = `${task}: ${signed(difference)}, ${words.from(signed(interval[0]), signed(interval[1]))}, ${verdictName(verdict, words)}.`
      return [{ name: task, difference, interval, verdict, says }]
    })
    .sort((one, other) => one.difference - other.difference)
}

const verdictName = (verdict: 'win' | 'tie' | 'loss', words: ChallengeWords): string => ({ win: words.won, tie: words.tied, loss: words.lost })[verdict]

function Table({ tasks, words }: { tasks: readonly Task[]; words: ChallengeWords }) {
  const { columns } = words
  const head = [columns.task, columns.verdict, columns.difference, columns.vibe, columns.engineer, columns.metric, columns.cases, columns.minutes]
  return (
    <section className="panel min-w-0">
      <h2 id="benchmark-table" className="text-large font-semibold">
        {words.table}
      </h2>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <section className="mt-3 overflow-x-auto" tabIndex={0} aria-labelledby="benchmark-table">
        <table className="w-full text-small tabular-nums">
          <thead>
            <tr className="border-b border-line text-left text-soft">
              {head.map((name) => (
                <th key={name} scope="col" className="py-2 pr-4 font-medium whitespace-nowrap">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {tasks.map(({ task, comparison, score, other, metric, rows, minutes, refused }) => (
              <tr key={task} className="border-b border-line last:border-0">
                <th scope="row" className="py-2 pr-4 text-left font-medium">
                  {task}
                </th>
                <td className="py-2 pr-4">{comparison ? verdictName(comparison.verdict, words) : words.notCompared}</td>
                <td className="py-2 pr-4 whitespace-nowrap">
                  {comparison && `${signed(comparison.difference)} (${words.from(...(comparison.interval.map(signed) as [string, string]))})`}
                </td>
                <td className="py-2 pr-4">
                  {score ? `${percent(score.mean)}${score.spread === null ? '' : ` ± ${percent(score.spread)}`}` : refused.length ? words.refused : '–'}
                </td>
                <td className="py-2 pr-4">{other ? percent(other.score) : '–'}</td>
                <td className="py-2 pr-4 whitespace-nowrap">
                  <Metric metric={metric} words={words} />
                </td>
                <td className="py-2 pr-4">{rows.exam}</td>
                <td className="py-2">{minutes === null ? '–' : minutes.toFixed(1)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </section>
  )
}

function Metric({ metric, words }: { metric: string; words: ChallengeWords }) {
  const known = Object.hasOwn(words.metrics, metric) ? words.metrics[metric] : undefined
  const name = known?.name ?? metric
  return (
    <Term term={name} explanation={`${known?.what ?? metric} ${words.scoreWhat}`}>
      {name}
    </Term>
  )
}

/** The smallest entry there can be: it says the first label always, and is beaten by everything. */
const PROGRAM = `import { createInterface } from 'node:readline'
for await (const line of createInterface({ input: process.stdin })) {
  const { input } = JSON.parse(line)
  // Your program here. For classify say {"label"}, for answer {"answer"}, for extract {"entities"}.
  console.log(JSON.stringify({ label: input.length > 0 ? 'yes' : 'no' }))
}`

function Enter({ tasks, words }: { tasks: readonly Task[]; words: ChallengeWords }) {
  const id = useId()
  const [task, setTask] = useState(tasks[0]!.task)
  return (
    <section className="panel min-w-0" id="enter">
      <h2 className="text-large font-semibold">{words.enter}</h2>
      <p className="mt-1 max-w-prose text-small text-soft">{words.enterText}</p>
      <label htmlFor={id} className="mt-4 block text-small font-medium">
        {words.task}
      </label>
      <select id={id} value={task} onChange={(event) => setTask(event.target.value)} className="field mt-1 min-h-11 max-w-md">
        {tasks.map((one) => (
          <option key={one.task} value={one.task}>
            {one.task}
          </option>
        ))}
      </select>
      <p className="mt-4 text-small text-soft">{words.command}</p>
      <Command text={`npx modelfactory bench --task ${task} --challenger ./my-entry`} what={words.commandName} />
      <p className="mt-4 text-small text-soft">{words.program}</p>
      <Command text={PROGRAM} what={words.programName} />
    </section>
  )
}

function Entries({ benchmark, words }: { benchmark: Benchmark; words: ChallengeWords }) {
  return (
    <section className="panel">
      <h2 className="text-large font-semibold">{words.entries}</h2>
      {benchmark.entries.length === 0 ? (
        <p className="mt-1 text-small text-soft">{words.noEntries}</p>
      ) : (
        <ul className="mt-3 space-y-3 text-small">
          {benchmark.entries.map(({ task, name, package: id, score, why, against, date }) => (
            <li key={`${task} ${id} ${date}`}>
              <p className="font-medium">{words.entry(name, task, score === null ? (why ?? '–') : percent(score))}</p>
              {against.map(({ arm, comparison: { difference, interval, verdict } }) => (
                <p key={arm} className="text-soft">
                  {words.against[arm] ?? arm}: {signed(difference)} ({words.from(signed(interval[0]), signed(interval[1]))}), {verdictName(verdict, words)}
                </p>
              ))}
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

function Details({ tasks, words }: { tasks: readonly Task[]; words: ChallengeWords }) {
  return (
    <section className="panel">
      <h2 className="text-large font-semibold">{words.details}</h2>
      <div className="mt-2 divide-y divide-line">
        {tasks.map((task) => (
          <details key={task.task} className="py-2">
            <summary className="min-h-11 content-center font-medium">{task.task}</summary>
            <dl className="@container space-y-2 pb-2 text-small">
              <Fact name={words.typed}>
                <q className="font-serif">{task.sentence}</q>
              </Fact>
              <Fact name={columnsName(words)}>
                {words.learned(task.rows.train + task.rows.validation, task.rows.files)}.{' '}
                {task.settings.length ? words.settings(task.settings.join(', ')) : words.noSettings}.
              </Fact>
              {task.other && <Fact name={words.engineerUsed}>{task.other.what || task.other.name}</Fact>}
              {Object.entries(task.beside).map(([arm, score]) => (
                <Fact key={arm} name={words.beside[arm] ?? arm}>
                  {percent(score)}
                </Fact>
              ))}
              {task.quoted && (
                <Fact name={words.elsewhere}>
                  {percent(task.quoted.score)} <span className="text-soft">({task.quoted.how})</span>
                </Fact>
              )}
              {task.published && <Fact name={words.published}>{task.published}</Fact>}
              {task.oddities.length > 0 && <Fact name={words.odd}>{task.oddities.join(' ')}</Fact>}
              {task.refused.length > 0 && <Fact name={words.refused}>{task.refused.join(' ')}</Fact>}
            </dl>
          </details>
        ))}
      </div>
    </section>
  )
}

const columnsName = (words: ChallengeWords): string => words.columns.vibe
