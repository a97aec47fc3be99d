/**
 * The page: earnings, the box to describe a model in, the list of models, the chosen one's story, and the last receipts.
 * Follows the build under way until somebody chooses. Knows nothing of how the state arrives.
 */
import { useEffect, useMemo, useRef, useState } from 'react'
import type { StateView } from './api.ts'
import { useWords } from './language.ts'
import { connect, type Live, NOTHING_YET } from './live.ts'
import { Hex } from './parts/copy.tsx'
import { Earnings } from './parts/earnings.tsx'
import { Go } from './parts/go.tsx'
import { Receipts } from './parts/receipts.tsx'
import { River } from './parts/river.tsx'
import { StoryList } from './parts/story-list.tsx'
import { StoryView } from './parts/story-view.tsx'
import { copyOf, NOUNS, stories } from './story.ts'
import { studioWords } from './words.ts'

export function App() {
  const words = useWords(studioWords)
  const [live, setLive] = useState<Live>(NOTHING_YET)
  useEffect(() => connect(setLive), [])
  const { state } = live
  const all = useMemo(() => (state ? stories(state) : []), [state])
  const [chosen, choose] = useChoice()
  const story = all.find((one) => one.name === chosen) ?? all[0]
  const heading = useRef<HTMLHeadingElement>(null)
  const open = (name: string) => {
    choose(name)
    // After the next drawing, when the heading is that of the chosen one.
    requestAnimationFrame(() => heading.current?.focus())
  }

  return (
    <main id="main" tabIndex={-1} className="mx-auto max-w-[82rem] px-4 pb-12 outline-none sm:px-6">
      <div className="flex min-h-10 items-center justify-end">
        <LinkState link={live.link} network={state?.network} />
      </div>
      {live.link === 'reconnecting' && (
        <p className="fixed inset-x-4 bottom-4 z-20 mx-auto max-w-xl rounded-lg border border-practice bg-surface px-4 py-3 text-small shadow-lg">
          <strong className="font-semibold">{words.link.reconnecting}.</strong> {words.linkMore.reconnecting}
        </p>
      )}
      <p className="sr-only" role="status" aria-live="polite">
        {live.link === 'reconnecting' ? words.linkMore.reconnecting : live.news}
      </p>
      <div className="grid items-end gap-6 pt-2 pb-8 lg:grid-cols-[1fr_22rem]">
        <div>
          <h1 className="font-serif text-title font-semibold text-balance sm:text-figure">
            {words.promise.map((sentence) => (
              <span key={sentence} className="block">
                {sentence}{' '}
              </span>
            ))}
          </h1>
          <p className="mt-3 max-w-prose text-soft">{words.promiseMore}</p>
        </div>
        <Earnings state={state} />
      </div>
      <div className="grid gap-5 lg:grid-cols-[20rem_minmax(0,1fr)]">
        <div className="space-y-5 self-start lg:sticky lg:top-4 lg:-m-1 lg:max-h-[calc(100vh-2rem)] lg:overflow-y-auto lg:p-1">
          <Go to="/build" className="button w-full">
            {words.list.build}
          </Go>
          {all.length > 0 && state && <StoryList stories={all} chosen={story?.name ?? null} currency={state.network.currency} onChoose={open} />}
        </div>
        {/* Whoever is busy with a story must not have it replaced by the next build. */}
        {/* biome-ignore lint/a11y/noStaticElementInteractions: it only listens whether somebody is inside */}
        <div className="min-w-0 space-y-5" onFocus={(event) => event.target !== event.currentTarget && story && story.name !== chosen && choose(story.name)}>
          {story && state ? <StoryView story={story} copy={copyOf(state, story)} network={state.network} heading={heading} /> : <Empty loading={!state} />}
          {state && <Receipts receipts={state.receipts} currency={state.network.currency} />}
        </div>
      </div>
      {state && <Footer state={state} />}
    </main>
  )
}

/** The chosen name lives in the address, so that a link or a reload opens the same story. */
function useChoice(): [string | null, (name: string) => void] {
  const [chosen, setChosen] = useState(fromAddress)
  useEffect(() => {
    const changed = () => setChosen(fromAddress())
    window.addEventListener('hashchange', changed)
    window.addEventListener('popstate', changed)
    return () => {
      window.removeEventListener('hashchange', changed)
      window.removeEventListener('popstate', changed)
    }
  }, [])
  const choose = (name: string) => {
    if (name !== fromAddress()) window.history.pushState(null, '', `#${encodeURIComponent(name)}`)
    setChosen(name)
  }
  return [chosen, choose]
}

function fromAddress(): string | null {
  try {
    return decodeURIComponent(window.location.hash.slice(1)) || null
  } catch {
    return null
  }
}

function LinkState({ link, network }: { link: Live['link']; network: StateView['network'] | undefined }) {
  const words = useWords(studioWords)
  return (
    <p className="flex flex-wrap items-center justify-end gap-x-3 text-small text-soft">
      {network && (
        <span>
          {network.currency}, {words.footer.chain(network.chainId)}
        </span>
      )}
      <span className="flex items-center gap-2">
        <span aria-hidden="true" className={`size-2 rounded-full ${link === 'live' ? 'bg-gain' : 'pulse bg-practice'}`} />
        {words.link[link]}
      </span>
    </p>
  )
}

function Empty({ loading }: { loading: boolean }) {
  const words = useWords(studioWords)
  const text = loading ? words.loading : words.empty
  return (
    <section className="panel">
      <h2 className="text-title font-semibold">{text.heading}</h2>
      <p className="mt-1 mb-6 max-w-prose text-soft">{text.text}</p>
      <River steps={NOUNS.map((noun) => ({ noun, state: 'waiting' }))} facts={{}} />
    </section>
  )
}

function Footer({ state }: { state: StateView }) {
  const words = useWords(studioWords)
  const { contracts, network } = state
  return (
    <footer className="mt-10 flex flex-wrap gap-x-6 gap-y-1 border-t border-line pt-4 text-small text-soft">
      <p>
        {words.footer.heading}: {words.footer.chain(network.chainId)}. {network.test && words.footer.test}
      </p>
      <dl className="flex flex-wrap gap-x-5 gap-y-1">
        {(['token', 'registry', 'router'] as const).map((name) => (
          <div key={name} className="flex gap-2">
            <dt>{words.footer[name]}</dt>
            <dd>
              <Hex value={contracts[name]} what={words.footer[name]} />
            </dd>
          </div>
        ))}
      </dl>
    </footer>
  )
}
