/**
 * Live data: the state as fetched once, moved on by server-sent events, fetched again after every reconnection so that
 * nothing missed stays missed. The reducer is pure; `connect` does the talking. Knows nothing of React.
 */
import { type EarningsView, getState, isProblem, type LiveEvent, type ModelView, parse, type StateView } from './api.ts'
import { told } from './language.ts'
import { studioWords } from './words.ts'

export type Live = {
  /** `connecting` until the first state; `reconnecting` while the server is away, when `state` is the last known. */
  link: 'connecting' | 'live' | 'reconnecting'
  state: StateView | null
  /** The latest news in one sentence, for screen readers. */
  news: string
}

export const NOTHING_YET: Live = { link: 'connecting', state: null, news: '' }
const EVENT_TYPES = ['build', 'training', 'receipt', 'models'] as const
const RECEIPTS_KEPT = 100
const SLOWEST_RETRY = 5000

/** The state after an event. Events may come twice; the second time changes nothing. */
export function reduce(state: StateView, event: LiveEvent): StateView {
  switch (event.type) {
    case 'build': {
      const known = state.builds.some((build) => build.id === event.build.id)
      return { ...state, builds: known ? state.builds.map((build) => (build.id === event.build.id ? event.build : build)) : [event.build, ...state.builds] }
    }
    case 'training':
      return { ...state, builds: state.builds.map((build) => (build.id === event.buildId ? { ...build, training: event.training } : build)) }
    case 'receipt': {
      const known = state.receipts.some((receipt) => receipt.id === event.receipt.id)
      const receipts = known ? state.receipts : [event.receipt, ...state.receipts].slice(0, RECEIPTS_KEPT)
      return { ...state, receipts, earnings: event.earnings, models: withEarnings(state.models, event.earnings) }
    }
    case 'models':
      return { ...state, models: event.models }
  }
}

/** A receipt carries the earnings of every model, so the models need no message of their own. */
function withEarnings(models: readonly ModelView[], earnings: EarningsView): ModelView[] {
  return models.map((model) => {
    const found = earnings.models.find((entry) => entry.modelId === model.modelId)
    return found ? { ...model, queries: found.queries, earned: found.earned } : model
  })
}

/** An event as it came over the wire, or null when it is not one this version understands. */
export function readEvent(type: string, data: string): LiveEvent | null {
  const value = parse(data)
  if (typeof value !== 'object' || value === null) return null
  const record = value as Record<string, unknown>
  const has = (key: string): boolean => typeof record[key] === 'object' && record[key] !== null
  const whole =
    (type === 'build' && has('build')) ||
    (type === 'training' && typeof record.buildId === 'string' && has('training')) ||
    (type === 'receipt' && has('receipt') && has('earnings')) ||
    (type === 'models' && Array.isArray(record.models))
  return whole ? ({ ...record, type } as LiveEvent) : null
}

/** What to tell a person who cannot see the page, or null when the event is not worth interrupting for. */
export function newsOf(before: StateView, event: LiveEvent): string | null {
  const words = told(studioWords)
  if (event.type === 'receipt') {
    if (before.receipts.some((receipt) => receipt.id === event.receipt.id)) return null
    return words.news.paid(event.receipt.model, event.receipt.amount.open, before.network.currency)
  }
  if (event.type !== 'build') return null
  const heard = before.builds.find((build) => build.id === event.build.id)?.events.length ?? 0
  const latest = event.build.events.at(-1)
  return latest && event.build.events.length > heard ? `${event.build.name}: ${latest.text}` : null
}

/** Keeps a {@link Live} up to date until the returned function is called. */
export function connect(onChange: (live: Live) => void): () => void {
  let live = NOTHING_YET
  let source: EventSource | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let attempt = 0
  let closed = false
  const set = (patch: Partial<Live>): void => {
    if (closed) return
    live = { ...live, ...patch }
    onChange(live)
  }

  const open = (): void => {
    // Events that overtake the state are held until it is there; a new stream has its own list.
    let early: LiveEvent[] | null = []
    const stream = new EventSource('/api/events')
    source = stream
    const take = (event: LiveEvent): void => {
      if (early || !live.state) {
        early?.push(event)
        return
      }
      const news = newsOf(live.state, event)
      set(news ? { state: reduce(live.state, event), news } : { state: reduce(live.state, event) })
    }
    for (const type of EVENT_TYPES)
      stream.addEventListener(type, (message) => {
        const event = readEvent(type, String((message as MessageEvent<unknown>).data))
        if (event && source === stream) take(event)
      })
    stream.addEventListener('error', () => source === stream && retry())
    stream.addEventListener('open', async () => {
      const state = await getState()
      if (closed || source !== stream) return
      if (isProblem(state)) return retry()
      attempt = 0
      const missed = early ?? []
      early = null
      set({ link: 'live', state })
      for (const event of missed) take(event)
    })
  }

  const shut = (): void => {
    source?.close()
    source = undefined
    clearTimeout(timer)
  }

  // The browser's own retry gives up on an HTTP error, so every failure goes through this one.
  const retry = (): void => {
    shut()
    set({ link: live.state || attempt > 0 ? 'reconnecting' : 'connecting' })
    timer = setTimeout(open, Math.min(SLOWEST_RETRY, 500 * 2 ** attempt++))
  }

  // A browser gives one server six connections over HTTP/1.1, and every stream holds one. Pages nobody looks at, in other
  // tabs or kept for the back button, give theirs up and fetch what they missed when they are seen again.
  const seen = (): void => {
    shut()
    if (document.visibilityState === 'visible') open()
  }

  seen()
  document.addEventListener('visibilitychange', seen)
  window.addEventListener('pageshow', reseen)
  window.addEventListener('pagehide', shut)
  return () => {
    closed = true
    shut()
    document.removeEventListener('visibilitychange', seen)
    window.removeEventListener('pageshow', reseen)
    window.removeEventListener('pagehide', shut)
  }

  function reseen(event: PageTransitionEvent): void {
    if (event.persisted) seen()
  }
}
