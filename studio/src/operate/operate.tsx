/**
 * Operate: how the gateway is, what needs its owner first and what to do, then the figures. Read anew every few seconds while somebody
 * looks. Knows nothing of where the figures come from.
 */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import type { Attention, OperatingView } from '../../../src/core/operating.ts'
import { ask, get } from '../fetching.ts'
import { fileSize, shortDecimal } from '../format.ts'
import { useAge, useNumber, useWords } from '../language.ts'
import { Hex } from '../parts/copy.tsx'
import { Fact, Fetched, Page, Trouble } from '../parts/fetched.tsx'
import { Term } from '../parts/term.tsx'
import { type OperateWords, operateWords } from './words.ts'

type Operating = OperatingView & { attention: Attention[] }
const EVERY_MS = 5000

export function Operate() {
  const words = useWords(operateWords)
  const found = useQuery({ queryKey: ['operate'], queryFn: () => get<Operating>('/api/operate'), refetchInterval: EVERY_MS, retry: false })
  return (
    <Page title={words.title} lead={words.lead}>
      <Fetched found={found}>
        {(view) => (
          <>
            <NeedsYou attention={view.attention} words={words} />
            <div className="grid gap-5 lg:grid-cols-2">
              <Builds view={view} words={words} />
              <Chain view={view} words={words} />
              <Payments view={view} words={words} />
              <Storage view={view} words={words} />
              <Models view={view} words={words} />
              <Machine view={view} words={words} />
            </div>
            <Reports words={words} />
            <p className="text-small text-soft">{words.live}.</p>
          </>
        )}
      </Fetched>
    </Page>
  )
}

function NeedsYou({ attention, words }: { attention: Attention[]; words: OperateWords }) {
  // Told to screen readers when it changes, and not every five seconds.
  return (
    <section aria-live="polite" className={`panel ${attention.some(({ level }) => level === 'act') ? 'border-alarm' : ''}`}>
      {attention.length === 0 ? (
        <p className="flex items-center gap-3 text-large font-semibold text-gain">
          <span aria-hidden="true">✓</span> {words.well}
        </p>
      ) : (
        <>
          <h2 className="text-large font-semibold">{words.attention}</h2>
          <ul className="mt-3 space-y-3">
            {attention.map(({ code, level, values }) => {
              const { is, todo } = words.says[code]
              const shown = Object.fromEntries(
                Object.entries(values).map(([key, value]) => [
                  key,
                  (key === 'free' || key === 'available') && typeof value === 'number' ? fileSize(value) : value,
                ]),
              )
              return (
                <li key={`${code} ${JSON.stringify(values)}`} className={`border-l-4 pl-3 ${level === 'act' ? 'border-alarm' : 'border-practice'}`}>
                  <p className="font-medium wrap-anywhere">
                    {is(shown)} <span className={`text-small font-normal ${level === 'act' ? 'text-alarm' : 'text-soft'}`}>({words[level]})</span>
                  </p>
                  <p className="text-small text-soft">
                    {todo} {code === 'gas_low' && <Hex value={String(values.address)} what={words.relayers} />}
                  </p>
                </li>
              )
            })}
          </ul>
        </>
      )}
    </section>
  )
}

function Panel({ title, children }: { title: ReactNode; children: ReactNode }) {
  return (
    <section className="panel min-w-0">
      <h2 className="text-large font-semibold">{title}</h2>
      <dl className="@container mt-3 space-y-2 text-small">{children}</dl>
    </section>
  )
}

function Builds({ view: { builds, at }, words }: Seen) {
  const age = useAge()
  const { running, queued, failed, done } = builds
  return (
    <Panel title={words.builds}>
      <Fact name={words.running}>
        {running ? (
          <>
            <strong className="font-semibold">{running.name}</strong>{' '}
            {running.secondsLeft !== null && <span className="text-soft">{words.left(age(running.secondsLeft * 1000))}</span>}
          </>
        ) : (
          words.nothingRuns
        )}
      </Fact>
      <Fact name={words.queue}>
        {queued.length === 0
          ? words.queueEmpty
          : queued.map(({ id, name, since }) => (
              <span key={id} className="block">
                {name} <span className="text-soft">{words.since(age(at - since))}</span>
              </span>
            ))}
      </Fact>
      <Fact name={words.done(done)}>{''}</Fact>
      {failed.length > 0 && (
        <Fact name={words.failed}>
          {failed.map(({ id, name, text, at: when }) => (
            <span key={id} className="mb-1 block">
              <strong className="font-medium">{name}</strong> <span className="text-soft">({words.since(age(at - when))})</span> {text}
            </span>
          ))}
        </Fact>
      )}
    </Panel>
  )
}

type Seen = { view: Operating; words: OperateWords }

function Chain({ view: { chain, at }, words }: Seen) {
  const age = useAge()
  const number = useNumber()
  const { newest, finalBlock, relayers } = chain
  return (
    <Panel
      title={
        <Term term={words.chainTerm} explanation={words.chainWhat}>
          {words.chain}
        </Term>
      }
    >
      <Fact name={words.network}>
        {chain.caip2} {chain.test && <span className="text-soft">({words.testMoney})</span>}
      </Fact>
      {newest && (
        <>
          <Fact name={words.newest}>
            {number(newest.block)},{' '}
            <span className="text-soft">
              {words.since(age(at - newest.at))}. {chain.test && words.onDemand}
            </span>
          </Fact>
          <Fact name={words.lag}>{words.blocks(Math.max(0, newest.block - finalBlock))}</Fact>
        </>
      )}
      <Fact
        name={
          <Term term={words.relayerTerm} explanation={words.relayerWhat}>
            {words.relayers}
          </Term>
        }
      >
        {relayers.map(({ address, holds, payments }) => (
          <span key={address} className="block">
            <Hex value={address} what={words.relayers} /> {shortDecimal(holds.open)}{' '}
            <span className="text-soft">({payments > 1e6 ? words.enough : words.enoughFor(number(payments))})</span>
          </span>
        ))}
      </Fact>
    </Panel>
  )
}

function Payments({ view: { payments, at }, words }: Seen) {
  const age = useAge()
  const number = useNumber()
  return (
    <Panel title={words.payments}>
      {payments.open.map(({ state, count, oldest }) => (
        <Fact key={state} name={words.states[state]}>
          {number(count)} {oldest !== null && <span className="text-soft">({words.oldest(age(at - oldest))})</span>}
        </Fact>
      ))}
      <Fact name={words.unconfirmed}>{number(payments.unconfirmed)}</Fact>
    </Panel>
  )
}

function Storage({ view: { storage }, words }: Seen) {
  const share = storage.size > 0 ? 1 - storage.free / storage.size : 0
  return (
    <Panel title={words.storage}>
      <div>
        <dt className="sr-only">{words.storage}</dt>
        <dd>
          {words.free(fileSize(storage.free), fileSize(storage.size))}
          <span aria-hidden="true" className="mt-1 block h-2 overflow-hidden rounded bg-sunken">
            <svg aria-hidden="true" width="100%" height="8" className="block">
              <rect width={`${(100 * share).toFixed(1)}%`} height="8" className="fill-river" />
            </svg>
          </span>
        </dd>
      </div>
      <Fact name={words.used}>{fileSize(storage.total)}</Fact>
      {storage.parts
        .filter(({ name }) => name !== 'lock')
        .slice(0, 7)
        .map(({ name, bytes }) => (
          <Fact key={name} name={Object.hasOwn(words.parts, name) ? words.parts[name] : name}>
            {fileSize(bytes)}
          </Fact>
        ))}
      <Fact name={words.folder}>
        <span className="font-mono text-tiny">{storage.folder}</span>
      </Fact>
    </Panel>
  )
}

function Models({ view: { models }, words }: Seen) {
  return (
    <Panel title={words.models}>
      <Fact name={words.known(models.known)}>{''}</Fact>
      <Fact
        name={
          <Term term={words.inMemoryTerm} explanation={words.inMemoryWhat}>
            {words.inMemory}
          </Term>
        }
      >
        {words.of(models.inMemory.length, models.most)}
        {models.inMemory.map((name) => (
          <span key={name} className="block text-soft">
            {name}
          </span>
        ))}
      </Fact>
    </Panel>
  )
}

function Machine({ view, words }: Seen) {
  const age = useAge()
  const { memory, load, faults, version, runtime, at, startedAt } = view
  return (
    <Panel title={words.machine}>
      <Fact name={words.memory}>{words.memoryIs(fileSize(memory.process), fileSize(memory.available), fileSize(memory.total))}</Fact>
      <Fact name={words.load}>{words.loadIs(load.one.toFixed(1), load.cores)}</Fact>
      <Fact name={words.uptime}>{words.since(age(at - startedAt))}</Fact>
      <Fact name={words.faults}>
        {faults.count === 0 ? words.faultsNone : `${faults.count}${faults.lastAt === null ? '' : ` (${words.since(age(at - faults.lastAt))})`}`}
      </Fact>
      <Fact name={words.version}>
        {version}, Node {runtime.node}, {runtime.platform}
      </Fact>
    </Panel>
  )
}

type Told = { modelId: string; reason: string; from: string | null; at: number }

/** What people said is wrong with listings, and taking one out of the market of this gateway. */
function Reports({ words }: { words: OperateWords }) {
  const age = useAge()
  const queries = useQueryClient()
  const found = useQuery({ queryKey: ['reports'], queryFn: () => get<{ reports: Told[] }>('/api/market/reports'), refetchInterval: 6 * EVERY_MS, retry: false })
  const hiding = useMutation({
    mutationFn: (modelId: string) => ask<unknown>('POST', `/api/market/listings/${encodeURIComponent(modelId)}/hide`, { hidden: true }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['reports'] }),
  })
  if (!found.data) return null
  return (
    <section className="panel min-w-0">
      <h2 className="text-large font-semibold">{words.reports}</h2>
      {found.data.reports.length === 0 ? (
        <p className="mt-1 text-small text-soft">{words.noReports}</p>
      ) : (
        <ul className="mt-3 space-y-3 text-small">
          {found.data.reports.map(({ modelId, reason, at }) => (
            <li key={`${modelId} ${at} ${reason}`} className="flex flex-wrap items-start justify-between gap-3">
              <p dir="auto" className="min-w-0 flex-1 basis-60 wrap-anywhere">
                <Hex value={modelId} what={words.models} /> {reason} <span className="text-soft">({words.since(age(Date.now() - at))})</span>
              </p>
              <button
                type="button"
                className="min-h-9 rounded-lg border border-line-strong px-3"
                aria-disabled={hiding.isPending}
                onClick={() => !hiding.isPending && hiding.mutate(modelId)}
              >
                {hiding.isSuccess && hiding.variables === modelId ? words.hidden : words.hide}
              </button>
            </li>
          ))}
        </ul>
      )}
      {hiding.error && <Trouble error={hiding.error} />}
    </section>
  )
}
