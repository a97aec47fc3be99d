/**
 * Around every page: where one can go, the language, light or dark; and the focus led to the page that was opened. Knows nothing of the pages.
 */
import { Outlet, useRouterState } from '@tanstack/react-router'
import { type ReactNode, useEffect, useId, useRef } from 'react'
import { LANGUAGES, speak, useLanguage, useWords } from '../language.ts'
import { Go } from '../parts/go.tsx'
import { SignIn } from './sign-in.tsx'
import { chooseTheme, THEMES, type Theme, useTheme } from './theme.ts'
import { shellWords } from './words.ts'

const PAGES = ['/', '/build', '/earn', '/market', '/market/wanted', '/market/wallet', '/challenge', '/operate'] as const

export function Shell() {
  const words = useWords(shellWords)
  const path = useRouterState({ select: ({ location }) => location.pathname })
  const first = useRef(true)
  const places = useRef<HTMLElement>(null)
  // biome-ignore lint/correctness/useExhaustiveDependencies: the path is not read but is what has changed
  useEffect(() => {
    // The browser places the focus on the first page by itself.
    if (!first.current) document.getElementById('main')?.focus({ preventScroll: true })
    first.current = false
    // On a phone the places do not all fit: the one that is open is the one to be seen. The page itself stays where it is.
    const [row, open] = [places.current, places.current?.querySelector('[aria-current]')]
    if (row && open) row.scrollBy({ left: middle(open) - middle(row) })
  }, [path])
  const here = [...PAGES].reverse().find((page) => (page === '/' ? path === '/' : path === page || path.startsWith(`${page}/`)))
  return (
    <>
      <button
        type="button"
        onClick={() => document.getElementById('main')?.focus()}
        className="sr-only rounded-lg bg-surface focus:not-sr-only focus:absolute focus:top-2 focus:left-2 focus:z-20 focus:px-4 focus:py-2"
      >
        {words.skip}
      </button>
      <header className="border-b border-line">
        <div className="mx-auto flex max-w-[82rem] flex-wrap items-center gap-x-6 gap-y-2 px-4 py-2 sm:px-6">
          <Go to="/" className="min-h-9 content-center text-large font-semibold">
            ModelFactory
          </Go>
          <nav ref={places} aria-label={words.menu} className="fading order-last -mx-1 w-full overflow-x-auto lg:order-none lg:w-auto lg:flex-1">
            <ul className="flex w-max gap-1 p-1 pe-8 lg:pe-1">
              {PAGES.map((page) => (
                <li key={page}>
                  <Go
                    to={page}
                    current={page === here}
                    className={`block min-h-9 content-center rounded-lg px-3 text-small whitespace-nowrap ${page === here ? 'bg-river-wash font-semibold' : 'text-soft hover:text-ink'}`}
                  >
                    {words.pages[page]}
                  </Go>
                </li>
              ))}
            </ul>
          </nav>
          <Choices />
        </div>
      </header>
      <Outlet />
    </>
  )
}

/** Where an element's middle is across the window, in pixels. */
function middle(element: Element): number {
  const { left, width } = element.getBoundingClientRect()
  return left + width / 2
}

function Choices() {
  const words = useWords(shellWords)
  const id = useId()
  const language = useLanguage()
  const theme = useTheme()
  const field = 'min-h-9 rounded-lg border border-line-strong bg-surface px-2 text-small'
  return (
    <div className="ms-auto flex flex-wrap items-center justify-end gap-2">
      <SignIn />
      <label htmlFor={`${id}language`} className="sr-only">
        {words.language}
      </label>
      <select id={`${id}language`} value={language} onChange={(event) => speak(event.target.value as typeof language)} className={field}>
        {Object.entries(LANGUAGES).map(([tag, name]) => (
          <option key={tag} value={tag} lang={tag}>
            {name}
          </option>
        ))}
      </select>
      <label htmlFor={`${id}theme`} className="sr-only">
        {words.theme}
      </label>
      <select id={`${id}theme`} value={theme} onChange={(event) => chooseTheme(event.target.value as Theme)} className={`${field} max-w-24 sm:max-w-none`}>
        {THEMES.map((one) => (
          <option key={one} value={one}>
            {words.themes[one]}
          </option>
        ))}
      </select>
    </div>
  )
}

/** The place of a page within the shell. */
export function Main({ children }: { children: ReactNode }) {
  return (
    <main id="main" tabIndex={-1} className="mx-auto max-w-[82rem] px-4 py-6 outline-none sm:px-6">
      {children}
    </main>
  )
}

export function Lost() {
  const words = useWords(shellWords)
  return (
    <Main>
      <h1 className="text-title font-semibold">{words.lost}</h1>
      <p className="mt-3">
        <Go to="/" className="button">
          {words.home}
        </Go>
      </p>
    </Main>
  )
}

export function Broken() {
  const words = useWords(shellWords)
  return (
    <Main>
      <h1 className="text-title font-semibold">{words.broken}</h1>
      <p className="mt-3">
        <button type="button" className="button" onClick={() => window.location.reload()}>
          {words.again}
        </button>
      </p>
    </Main>
  )
}

export function Loading() {
  const words = useWords(shellWords)
  return (
    <Main>
      <p role="status" className="text-soft">
        {words.loading}
      </p>
    </Main>
  )
}
