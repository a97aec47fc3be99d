/**
 * The routes of sealed exams and quality cards. Papers and cards are for everybody; the cases are for their owner, and are only
 * handed out where the owner's other examples are. Knows nothing of how an exam is kept or scored.
 */
import { Hono } from 'hono'
import { cardHtml, cardMarkdown } from '../../core/card.ts'
import { isRefusal } from '../../core/errors.ts'
import { canonical } from '../../core/id.ts'
import type { ModelFactory } from '../../factory/factory.ts'
import { answer } from './api.ts'
import { refusal } from './replies.ts'

/** Below `/api`. */
export function examRoutes({ exams }: Pick<ModelFactory, 'exams'>): Hono {
  const routes = new Hono()
  routes.get('/models/:name/exam', async (context) => answer(context, await exams.show(context.req.param('name'))))
  routes.get('/models/:name/exam/evidence', async (context) => answer(context, await exams.evidence(context.req.param('name'))))
  routes.get('/models/:name/exam/cases', async (context) => answer(context, await exams.opened(context.req.param('name'))))
  routes.post('/models/:name/exam/run', async (context) => answer(context, await exams.run(context.req.param('name'))))
  return routes
}

/** Below `/models`: the card as a page, as JSON whose SHA-256 the package names, and as Markdown. */
export function cardRoutes({ exams }: Pick<ModelFactory, 'exams'>): Hono {
  const routes = new Hono()
  for (const file of ['card', 'card.json', 'card.md'])
    routes.get(`/:name/${file}`, async (context) => {
      const found = await exams.card(context.req.param('name')!)
      if (isRefusal(found)) return refusal(context, found)
      const { card, today } = found
      if (file === 'card.json') return context.body(canonical(card), 200, { 'Content-Type': 'application/json; charset=utf-8' })
      if (file === 'card.md') return context.body(cardMarkdown(card, today), 200, { 'Content-Type': 'text/markdown; charset=utf-8' })
      // Nothing is loaded and nothing runs, whatever a builder put into the words.
      context.header('Content-Security-Policy', "default-src 'none'; style-src 'unsafe-inline'")
      return context.html(cardHtml(card, today))
    })
  return routes
}
