/**
 * Which page is at which address; each is fetched when it is first opened. Knows nothing of what is on them.
 */
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { createRootRoute, createRoute, createRouter, RouterProvider } from '@tanstack/react-router'
import { type ComponentType, lazy, Suspense } from 'react'
import { Failed } from '../fetching.ts'
import { Broken, Loading, Lost, Main, Shell } from './shell.tsx'

const Home = lazy(() => import('../app.tsx').then(({ App }) => ({ default: App })))
const Build = lazy(() => import('../build/build.tsx').then((module) => ({ default: module.Build })))
const Review = lazy(() => import('../build/review.tsx').then((module) => ({ default: module.Review })))
const Earn = lazy(() => import('../earn/earn.tsx').then((module) => ({ default: module.Earn })))
const Market = lazy(() => import('../market/search.tsx').then((module) => ({ default: module.Market })))
const Listing = lazy(() => import('../market/listing.tsx').then((module) => ({ default: module.Listing })))
const Audition = lazy(() => import('../market/audition.tsx').then((module) => ({ default: module.Audition })))
const Compare = lazy(() => import('../market/compare.tsx').then((module) => ({ default: module.Compare })))
const Wanted = lazy(() => import('../market/wanted.tsx').then((module) => ({ default: module.Wanted })))
const Wallet = lazy(() => import('../market/wallet.tsx').then((module) => ({ default: module.Wallet })))
const Challenge = lazy(() => import('../challenge/challenge.tsx').then((module) => ({ default: module.Challenge })))
const Expert = lazy(() => import('../challenge/expert.tsx').then((module) => ({ default: module.Expert })))
const Operate = lazy(() => import('../operate/operate.tsx').then((module) => ({ default: module.Operate })))

const root = createRootRoute({ component: Shell, notFoundComponent: Lost, errorComponent: Broken })
const page = <Path extends string>(path: Path, Page: ComponentType) =>
  createRoute({
    getParentRoute: () => root,
    path,
    component: () => (
      <Suspense fallback={<Loading />}>
        <Main>
          <Page />
        </Main>
      </Suspense>
    ),
  })

const listing = createRoute({ getParentRoute: () => root, path: '/market/$id', component: ListingPage })
const expert = createRoute({ getParentRoute: () => root, path: '/expert/$name', component: ExpertPage })

const review = createRoute({ getParentRoute: () => root, path: '/review/$name', component: ReviewPage })

function ReviewPage() {
  const { name } = review.useParams()
  return (
    <Suspense fallback={<Loading />}>
      <Main>
        <Review key={name} name={name} />
      </Main>
    </Suspense>
  )
}

function ListingPage() {
  const { id } = listing.useParams()
  return (
    <Suspense fallback={<Loading />}>
      <Main>
        <Listing key={id} id={id} />
      </Main>
    </Suspense>
  )
}

function ExpertPage() {
  const { name } = expert.useParams()
  return (
    <Suspense fallback={<Loading />}>
      <Main>
        <Expert key={name} name={name} />
      </Main>
    </Suspense>
  )
}

/** The first page has a main part of its own. */
const home = createRoute({
  getParentRoute: () => root,
  path: '/',
  component: () => (
    <Suspense fallback={<Loading />}>
      <Home />
    </Suspense>
  ),
})

const router = createRouter({
  routeTree: root.addChildren([
    home,
    page('/build', Build),
    review,
    page('/earn', Earn),
    page('/market', Market),
    page('/market/audition', Audition),
    page('/market/compare', Compare),
    page('/market/wanted', Wanted),
    page('/market/wallet', Wallet),
    listing,
    page('/challenge', Challenge),
    expert,
    page('/operate', Operate),
  ]),
  scrollRestoration: true,
})
declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}

/** What the server refused it refuses again; what was away may be back. */
const queries = new QueryClient({
  // The server is often this very machine, and what the browser calls offline says nothing of it: asked always, so that who is away is told at once.
  defaultOptions: {
    queries: { networkMode: 'always', retry: (failed, error) => failed < 2 && !(error instanceof Failed && error.code !== 'server_away') },
    mutations: { networkMode: 'always' },
  },
})

export function Studio() {
  return (
    <QueryClientProvider client={queries}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  )
}
