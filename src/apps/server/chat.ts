/**
 * The OpenAI-compatible routes: the models for sale, and one paid query. Knows nothing of how a query is paid or answered:
 * the factory's replies go out as they are.
 */
import { randomUUID } from 'node:crypto'
import { type Context, Hono } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { Answer } from '../../core/answer.ts'
import { type Refusal, refuse } from '../../core/errors.ts'
import type { PaidPart, Receipt } from '../../core/receipt.ts'
import type { ModelFactory, PaidQuery } from '../../factory/factory.ts'
import { FREE_WISH } from '../../factory/trial.ts'
import { limit, visitorOf } from './guard.ts'
import { ChatRequest, chunk, completion, extra, type Head, inputOf, modelObject } from './openai.ts'
import { errorBody, openaiRefusal, wrongField } from './replies.ts'

type Report = (fault: unknown) => void

export function chatRoutes(factory: ModelFactory, report: Report): Hono {
  const routes = new Hono()

  routes.get('/models', async (context) => {
    const models = await factory.models()
    return context.json({ object: 'list', data: models.filter((model) => model.modelId !== null).map(modelObject) })
  })

  routes.get('/models/:name', async (context) => {
    const name = context.req.param('name')
    const model = await factory.model(name)
    return model?.modelId ? context.json(modelObject(model)) : openaiRefusal(context, 404, await missing(factory, name), 'model')
  })

  routes.post('/chat/completions', limit(1), async (context) => {
    const body = await context.req.text()
    const parsed = ChatRequest.safeParse(readJson(body), { reportInput: true })
    if (!parsed.success) {
      const issue = parsed.error.issues[0]
      const where = issue?.path.join('.') ?? ''
      const wrong = wrongField(issue, 'The body is not a JSON object.')
      return openaiRefusal(
        context,
        400,
        refuse('invalid_request', wrong, 'Send {"model": ..., "messages": [{"role": "user", "content": ...}]}.'),
        where || null,
      )
    }
    const request = parsed.data
    const text = inputOf(request)
    if (text === '')
      return openaiRefusal(
        context,
        400,
        refuse('input_empty', 'There is no user message with text in it.', 'Put the question into the last message of role "user".'),
        'messages',
      )
    const terms = request.terms ?? undefined
    if (terms && request.stream)
      return openaiRefusal(
        context,
        400,
        refuse(
          'terms_not_streamed',
          'The request has terms and "stream": true, but an answer is judged whole before a piece of it is sent.',
          'Leave out one of the two.',
        ),
        'terms',
      )
    const model = await factory.model(request.model)
    if (!model?.modelId) return openaiRefusal(context, 404, await missing(factory, request.model), 'model')
    const payment = context.req.header('payment-signature')
    let query: PaidQuery
    try {
      query = await factory.query({
        ...{ model: request.model, text, requestBody: body, payment, terms, store: request.store ?? false },
        ...{ resource: context.req.url, signal: context.req.raw.signal },
        visitor: context.req.header(FREE_WISH) === 'no' ? undefined : visitorOf(context),
      })
    } catch (fault) {
      if (payment === undefined) throw fault
      report(fault)
      return context.json(unsure, 503, { 'Retry-After': '2', ...doNotRetry })
    }
    for (const [name, value] of Object.entries(query.headers)) context.header(name, value)
    if (query.kind === 'reply') return context.json(query.body, query.status as ContentfulStatusCode)
    const head = { id: `chatcmpl-${randomUUID()}`, created: Math.floor(Date.now() / 1000), model: model.name }
    return request.stream ? streamed(context, head, query.parts, report) : whole(context, head, query.parts, report)
  })

  return routes
}

async function missing(factory: ModelFactory, name: string): Promise<Refusal> {
  const models = await factory.models()
  const known = models.filter((model) => model.modelId !== null).map((model) => model.name)
  const sentence = models.some((model) => model.name === name) ? `The model "${name}" is not published.` : `There is no model "${name}" here.`
  return refuse('model_not_found', sentence, known.length ? `Published are: ${known.slice(0, 10).join(', ')}.` : 'No model is published yet.')
}

// An OpenAI client retries many failures by itself; that retry would carry no payment, and buy a second one.
const doNotRetry = { 'x-should-retry': 'false' }

const samePayment = 'Send the same request with the same PAYMENT-SIGNATURE again; do not sign a new payment.'
/** A fault while a payment was in hand: it may or may not have been made. */
const unsure = errorBody(refuse('payment_outcome_unknown', 'Something broke inside the server while it held your payment.', samePayment), 'server_error')
/** A fault after the payment: the payer must not pay again to get the rest. */
const cutOff = errorBody(
  refuse('answer_cut_off', 'The query is paid, but its answer was cut off.', `${samePayment} You get it without paying again.`),
  'server_error',
)

async function whole(context: Context, head: Head, parts: AsyncIterable<PaidPart>, report: Report): Promise<Response> {
  try {
    let receipt: Receipt | undefined
    let free: string | undefined
    let answer: Answer | undefined
    for await (const part of parts) {
      if ('answer' in part) answer = part.answer
      else if ('receipt' in part) receipt = part.receipt
      else if ('free' in part) free = part.free
    }
    if (answer) return context.json(completion(head, answer, extra(answer, receipt, free)))
  } catch (fault) {
    report(fault)
  }
  return context.json(cutOff, 500, doNotRetry)
}

function streamed(context: Context, head: Head, parts: AsyncIterable<PaidPart>, report: Report): Response {
  const encoder = new TextEncoder()
  const iterator = wire(head, parts, report)
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value, done } = await iterator.next()
      if (done) controller.close()
      else controller.enqueue(encoder.encode(`data: ${value}\n\n`))
    },
    async cancel() {
      await iterator.return(undefined)
    },
  })
  return context.body(body, 200, { 'Content-Type': 'text/event-stream; charset=utf-8', 'X-Accel-Buffering': 'no' })
}

/** The data lines of a stream, `[DONE]` last. */
async function* wire(head: Head, parts: AsyncIterable<PaidPart>, report: Report): AsyncGenerator<string, void> {
  let said = false
  let answer: Answer | undefined
  let receipt: Receipt | undefined
  let free: string | undefined
  try {
    yield JSON.stringify(chunk(head, { role: 'assistant', content: '' }))
    for await (const part of parts) {
      if ('delta' in part) {
        said = true
        yield JSON.stringify(chunk(head, { content: part.delta }))
      } else if ('answer' in part) {
        if (!said && part.answer.text) yield JSON.stringify(chunk(head, { content: part.answer.text }))
        answer = part.answer
      } else if ('receipt' in part) receipt = part.receipt
      else free = part.free
    }
    if (answer) {
      yield JSON.stringify(chunk(head, {}, extra(answer, receipt, free)))
      yield '[DONE]'
      return
    }
  } catch (fault) {
    report(fault)
  }
  yield JSON.stringify(cutOff)
}

/** Outside text as JSON, undefined when it is not. */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
