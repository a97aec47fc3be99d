/**
 * Expert mode: every setting that made a model, the curve of its training, everything that was said while it was built, its exports and the
 * hash of each part. Knows nothing of how a model is made.
 */
import { useMutation, useQuery } from '@tanstack/react-query'
import type { AnatomyView } from '../../../src/core/anatomy.ts'
import type { ExportView } from '../../../src/core/export.ts'
import type { BuildView, StateView } from '../../../src/core/view.ts'
import { ask, get } from '../fetching.ts'
import { clock, fileSize } from '../format.ts'
import { useLanguage, useWords } from '../language.ts'
import { Hex } from '../parts/copy.tsx'
import { Curve } from '../parts/curve.tsx'
import { Fact, Fetched, Page, Trouble } from '../parts/fetched.tsx'
import { Go } from '../parts/go.tsx'
import { Term } from '../parts/term.tsx'
import { type ExpertWords, expertWords } from './expert-words.ts'

export function Expert({ name }: { name: string }) {
  const words = useWords(expertWords)
  const found = useQuery({ queryKey: ['anatomy', name], queryFn: ({ signal }) => get<AnatomyView>(`/api/models/${encodeURIComponent(name)}/anatomy`, signal) })
  const state = useQuery({
    queryKey: ['builds', name],
    queryFn: () => get<StateView>('/api/state'),
    select: ({ builds }) => builds.filter((build) => build.name === name),
  })
  return (
    <Page title={words.title(name)} lead={words.lead}>
      <p>
        <Go to="/challenge" className="text-river underline underline-offset-4">
          ← {words.back}
        </Go>
      </p>
      <Fetched found={found}>
        {(anatomy) => (
          <div className="grid gap-5 lg:grid-cols-2">
            <Settings anatomy={anatomy} words={words} />
            <div className="min-w-0 space-y-5">
              <section className="panel min-w-0">
                <h2 className="sr-only">{words.curve}</h2>
                <Curve of="loss" training={trainingOf(anatomy)} underWay={false} learning={false} />
              </section>
              <Exports anatomy={anatomy} words={words} />
              <section className="panel min-w-0">
                <h2 className="text-large font-semibold">
                  <Term term={words.hashTerm} explanation={words.hashWhat}>
                    {words.hashes}
                  </Term>
                </h2>
                <dl className="@container mt-3 space-y-2 text-small">
                  {Object.entries(anatomy.hashes).map(([part, hash]) => (
                    <Fact key={part} name={words.parts[part] ?? part}>
                      <Hex value={hash} what={words.parts[part] ?? part} />
                    </Fact>
                  ))}
                </dl>
              </section>
            </div>
          </div>
        )}
      </Fetched>
      {state.data && <Log builds={state.data} words={words} />}
    </Page>
  )
}

function trainingOf({ curve, recipe }: AnatomyView): BuildView['training'] {
  const last = curve.at(-1)?.step ?? 0
  return { points: curve, step: last, steps: recipe.steps, secondsLeft: 0, tokensPerSecond: 0 }
}

function Settings({ anatomy, words }: { anatomy: AnatomyView; words: ExpertWords }) {
  const { recipe, chosen, base, serving } = anatomy
  const rows: [string, string, string][] = [
    ...Object.entries(recipe).map(([key, value]): [string, string, string] => [
      key,
      Array.isArray(value) ? value.join(', ') : String(value),
      words.explained[key] ?? '',
    ]),
    ['base', `${base.name} (${base.licence})`, words.explained.base ?? ''],
    ['bestStep', String(chosen.bestStep), words.explained.bestStep ?? ''],
    ['threshold', chosen.threshold === null ? '–' : chosen.threshold.toFixed(3), words.explained.threshold ?? ''],
    ['classicalShare', chosen.expert ? `${chosen.expert.share} (${chosen.expert.what})` : '0', words.explained.classicalShare ?? ''],
    ...(serving
      ? Object.entries(serving.settings).map(([key, value]): [string, string, string] => [
          `serving.${key}`,
          String(value),
          words.explained[`serving.${key}`] ?? '',
        ])
      : []),
  ]
  return (
    <section className="panel min-w-0 self-start">
      <h2 className="text-large font-semibold">{words.settings}</h2>
      <p className="mt-1 text-small text-soft">{words.settingsText}</p>
      <table className="mt-3 w-full text-small">
        <thead className="sr-only">
          <tr>
            <th scope="col">{words.setting}</th>
            <th scope="col">{words.value}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([key, value, explanation]) => (
            <tr key={key} className="border-b border-line align-top last:border-0">
              <th scope="row" className="py-1.5 pr-4 text-left font-mono text-tiny font-normal wrap-anywhere">
                {explanation ? (
                  <Term term={key} explanation={explanation}>
                    {key}
                  </Term>
                ) : (
                  key
                )}
              </th>
              <td className="py-1.5 tabular-nums wrap-anywhere">{value}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

function Exports({ anatomy, words }: { anatomy: AnatomyView; words: ExpertWords }) {
  return (
    <section className="panel min-w-0">
      <h2 className="text-large font-semibold">{words.exports}</h2>
      <p className="mt-1 text-small text-soft">{words.exportsText}</p>
      <ul className="mt-2 divide-y divide-line">
        {anatomy.exports.map(({ kind, what }) => (
          <li key={kind} className="py-2">
            <Export model={anatomy.name} kind={kind} what={words.kinds[kind] ?? what} words={words} />
          </li>
        ))}
      </ul>
    </section>
  )
}

function Export({ model, kind, what, words }: { model: string; kind: string; what: string; words: ExpertWords }) {
  const making = useMutation({ mutationFn: () => ask<ExportView>('POST', `/api/models/${encodeURIComponent(model)}/export`, { kind }) })
  return (
    <div className="text-small">
      <div className="flex flex-wrap items-center justify-between gap-2">
        <p className="min-w-0 flex-1 basis-48">
          <strong className="font-mono text-tiny font-semibold">{kind}</strong> {what}
        </p>
        <button
          type="button"
          className="min-h-9 rounded-lg border border-line-strong px-3"
          aria-label={`${words.make}: ${kind}`}
          aria-disabled={making.isPending}
          onClick={() => !making.isPending && making.mutate()}
        >
          {making.isPending ? words.making : words.make}
        </button>
      </div>
      <div aria-live="polite">
        {making.data && (
          <ul className="mt-1 space-y-1">
            {making.data.files.map(({ name, bytes }) => (
              <li key={name}>
                <a
                  href={`/api/models/${encodeURIComponent(model)}/export/${kind}/${encodeURIComponent(name)}`}
                  download
                  className="text-river underline underline-offset-2 wrap-anywhere"
                >
                  {name}
                </a>{' '}
                <span className="text-soft">{fileSize(bytes)}</span>
              </li>
            ))}
            {making.data.notes.map((note) => (
              <li key={note} className="text-soft">
                {note}
              </li>
            ))}
          </ul>
        )}
        {making.error && <Trouble error={making.error} />}
      </div>
    </div>
  )
}

function Log({ builds, words }: { builds: BuildView[]; words: ExpertWords }) {
  const language = useLanguage()
  const day = new Intl.DateTimeFormat(language, { dateStyle: 'medium' })
  return (
    <section className="panel min-w-0">
      <h2 className="text-large font-semibold">{words.log}</h2>
      {builds.map((build) => (
        <details key={build.id} className="mt-2 text-small" open={build === builds[0]}>
          <summary className="min-h-9 content-center">
            {day.format(build.createdAt)} {clock(build.createdAt)}
          </summary>
          <ol className="space-y-2">
            {build.events.map((event) => (
              <li key={`${event.at} ${event.arrow} ${event.text}`} className="grid gap-x-4 sm:grid-cols-[9rem_minmax(0,1fr)]">
                <span className="text-soft tabular-nums">
                  {clock(event.at)} {event.arrow}
                </span>
                <span className="min-w-0 whitespace-pre-wrap wrap-anywhere">{event.text}</span>
              </li>
            ))}
          </ol>
        </details>
      ))}
    </section>
  )
}
