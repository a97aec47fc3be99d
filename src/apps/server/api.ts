/**
 * The routes of the studio and the command line: the builder's side of the river, and its live events. Knows nothing of
 * how anything is done: each route is one method of the factory.
 */
import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { type Context, Hono } from 'hono'
import { z } from 'zod'
import { Change } from '../../core/corrections.ts'
import { outcomeText } from '../../core/dataset.ts'
import { earningsCsv } from '../../core/earnings.ts'
import { isRefusal, type Refusal, refuse } from '../../core/errors.ts'
import { Id } from '../../core/id.ts'
import { pagesOf } from '../../core/pages.ts'
import { describeReadiness } from '../../core/readiness.ts'
import { Spec } from '../../core/spec.ts'
import type { LiveEvent } from '../../core/view.ts'
import type { InputFile, ModelFactory } from '../../factory/factory.ts'
import { MOST_FREE } from '../../factory/trial.ts'
import { readJson } from './chat.ts'
import { limit, visitorOf } from './guard.ts'
import { refusal, wrongField } from './replies.ts'

const HEARTBEAT_MS = 15_000
/** Events a listener may lag behind before it is cut off; it comes back by itself and reads the state anew. */
const BACKLOG = 500

/** Its bytes in base64, or the upload that brought them. */
const File = z.object({ name: z.string().min(1).max(1024), base64: z.string().optional(), upload: z.string().max(100).optional() })
const Columns = z.array(z.object({ role: z.string(), column: z.string(), file: z.string().optional() })).max(200)
const PlanRequest = z.object({ words: z.string(), files: z.array(File).max(10_000).default([]), columns: Columns.optional() })
/** A plan is sent back whole; what is refined is what the expert saw. */
const RefineRequest = z.object({ spec: Spec, words: z.string().trim().min(1).max(20_000) })
const DatasetRequest = PlanRequest.extend({
  spec: Spec.optional(),
  mask: z.boolean().optional(),
  /** Names of files that are the exam. */
  exam: z.array(z.string()).max(100).optional(),
})
const BuildRequest = DatasetRequest.extend({
  name: z.string().optional(),
  seconds: z.number().positive().max(864_000).optional(),
  /** The exam that was looked at and confirmed. */
  examId: Id.optional(),
  base: z.string().min(1).max(4096).optional(),
  recipe: z.unknown().optional(),
})
const RebuildRequest = z.object({ columns: Columns.optional() })
const ChangesRequest = z.object({ changes: z.array(Change).min(1).max(10_000) })
const FixRequest = z.object({ question: z.string().trim().min(1).max(100_000), answer: z.string().max(100_000) })
const WithholdRequest = z.object({ withhold: z.array(z.string()).max(10_000) })
const DataQuery = z.object({
  part: z.enum(['training', 'practice', 'exam']).optional(),
  find: z.string().max(1000).optional(),
  offset: z.coerce.number().int().nonnegative().optional(),
  limit: z.coerce.number().int().min(1).max(1000).optional(),
})
/** Exam cases shown before they are confirmed. */
const SHOWN_CASES = 200
const PublishRequest = z.object({ price: z.string(), abstention: z.enum(['free', 'paid']).optional(), free: z.number().int().min(0).max(MOST_FREE).optional() })
const FreeRequest = z.object({ questions: z.number().int().min(0).max(MOST_FREE) })
const ExportRequest = z.object({ kind: z.string() })
const AskRequest = z.object({ text: z.string().trim().min(1) })

/** `closing` aborts when the server stops, which ends the event streams. */
export function apiRoutes(factory: ModelFactory, closing: AbortSignal): Hono {
  const routes = new Hono()

  routes.get('/state', async (context) => context.json(await factory.state()))
  routes.get('/earnings', async (context) => context.json(await factory.earnings()))
  routes.get('/earnings/export.json', async (context) => {
    context.header('Content-Disposition', 'attachment; filename="earnings.json"')
    return context.json(await factory.earningsExport())
  })
  routes.get('/earnings/export.csv', async (context) => {
    context.header('Content-Disposition', 'attachment; filename="earnings.csv"')
    return context.body(earningsCsv(await factory.earningsExport()), 200, { 'Content-Type': 'text/csv; charset=utf-8' })
  })

  routes.get('/receipts', async (context) => {
    const wanted = context.req.query('limit')
    const count = z.coerce.number().int().min(1).max(10_000).optional().safeParse(wanted)
    if (!count.success)
      return refusal(context, refuse('limit_invalid', `The limit "${wanted}" is not a number from 1 to 10000.`, 'Leave it out, or give one.'), 400)
    return context.json(await factory.receipts(count.data))
  })

  routes.get('/receipts/:tx/passport', async (context) => {
    const made = await factory.passport(context.req.param('tx'), context.req.query('request'), context.req.query('nonce'))
    if (isRefusal(made)) return refusal(context, made)
    context.header('Content-Disposition', `attachment; filename="passport-${made.payment.tx.slice(2, 12)}.json"`)
    return context.json(made)
  })

  routes.get('/builds/:id', async (context) => {
    const id = context.req.param('id')
    const build = await factory.build(id)
    return build ? context.json(build) : refusal(context, refuse('build_not_found', `There is no build "${id}".`, 'See /api/state for the builds there are.'))
  })

  routes.post('/builds/:id/cancel', async (context) => answer(context, await factory.cancelBuild(context.req.param('id'))))

  routes.post('/builds/:id/go-on', async (context) => answer(context, await factory.goOn(context.req.param('id'))))

  routes.post('/plan', limit(64), async (context) => {
    const request = await read(context, PlanRequest, '{"words": ..., "files": [{"name": ..., "base64": ...}]}')
    if (isRefusal(request)) return refusal(context, request, 400)
    const files = await filesOf(factory, request.files)
    return isRefusal(files) ? refusal(context, files, 400) : answer(context, await factory.plan(request.words, files, request.columns))
  })

  routes.post('/dataset', limit(64), async (context) => {
    const request = await read(
      context,
      DatasetRequest,
      '{"words": ..., "files": [...], "columns": [{"role": "text", "column": ...}], "mask": true, "exam": ["test.csv"]}',
    )
    if (isRefusal(request)) return refusal(context, request, 400)
    const files = await filesOf(factory, request.files)
    if (isRefusal(files)) return refusal(context, files, 400)
    const made = await factory.prepare(request.words, files, request)
    if (isRefusal(made)) return refusal(context, made)
    const { spec, findings, exam, dataset, tables } = made
    const cases = exam.cases.slice(0, SHOWN_CASES).map((one) => ({ id: one.id, input: one.input, outcome: outcomeText(one), source: one.source }))
    return context.json({ spec, findings, tables, pages: pagesOf(dataset), sentences: dataset.notes, exam: { id: findings.examId, cases } })
  })

  routes.post('/readiness', limit(64), async (context) => {
    const request = await read(context, DatasetRequest, '{"words": ..., "files": [...]}, as /api/dataset takes them')
    if (isRefusal(request)) return refusal(context, request, 400)
    const files = await filesOf(factory, request.files)
    if (isRefusal(files)) return refusal(context, files, 400)
    const ready = await factory.ready(request.words, files, request)
    return isRefusal(ready) ? refusal(context, ready) : context.json({ ...ready, sentences: describeReadiness(ready) })
  })

  routes.post('/plan/refine', limit(2), async (context) => {
    const request = await read(context, RefineRequest, '{"spec": the plan as /api/plan gave it, "words": "make it shorter"}')
    return isRefusal(request) ? refusal(context, request, 400) : answer(context, await factory.refine(request.spec, request.words))
  })

  routes.post('/builds', limit(64), async (context) => {
    const request = await read(
      context,
      BuildRequest,
      '{"words": ..., "files": [{"name": ..., "base64": ...}], "name": ..., "seconds": ..., "spec": a refined plan, "recipe": {...}}',
    )
    if (isRefusal(request)) return refusal(context, request, 400)
    const files = await filesOf(factory, request.files)
    if (isRefusal(files)) return refusal(context, files, 400)
    const { words, files: _, ...wish } = request
    return answer(context, await factory.startBuild(words, files, wish))
  })

  routes.get('/models/:name/anatomy', async (context) => answer(context, await factory.anatomy(context.req.param('name'))))

  routes.get('/models/:name/data', async (context) => {
    const query = DataQuery.safeParse(context.req.query(), { reportInput: true })
    if (!query.success) {
      const wrong = wrongField(query.error.issues[0], 'The query is not understood.')
      return refusal(context, refuse('query_invalid', wrong, 'Give ?part=training|practice|exam&find=words&offset=0&limit=50.'), 400)
    }
    return answer(context, await factory.data(context.req.param('name'), query.data))
  })

  routes.post('/models/:name/data', limit(8), async (context) => {
    const request = await read(context, ChangesRequest, '{"changes": [{"replace": id, "to": "right"}, {"remove": id}, {"add": "text", "to": "right"}]}')
    return isRefusal(request) ? refusal(context, request, 400) : answer(context, await factory.correct(context.req.param('name'), request.changes))
  })

  routes.post('/models/:name/rebuild', limit(1), async (context) => {
    const request = await read(context, RebuildRequest, '{"columns": [{"role": "text", "column": ...}]}, or {}')
    return isRefusal(request) ? refusal(context, request, 400) : answer(context, await factory.rebuild(context.req.param('name'), request.columns))
  })

  routes.post('/models/:name/fix', limit(1), async (context) => {
    const request = await read(context, FixRequest, '{"question": "...", "answer": "the right answer, label, or JSON of what stands in it"}')
    return isRefusal(request) ? refusal(context, request, 400) : answer(context, await factory.fix(context.req.param('name'), request.question, request.answer))
  })

  routes.get('/models/:name/fix', async (context) => answer(context, await factory.fixed(context.req.param('name'))))

  routes.post('/models/:name/fix/drop', async (context) => answer(context, await factory.dropFix(context.req.param('name'))))

  routes.post('/models/:name/fix/accept', async (context) => answer(context, await factory.acceptFix(context.req.param('name'))))

  routes.get('/models/:name/quotations', async (context) => answer(context, await factory.quotations(context.req.param('name'))))

  routes.post('/models/:name/quotations', limit(1), async (context) => {
    const request = await read(context, WithholdRequest, '{"withhold": ["letters.pdf"]}, the documents that are not to be quoted')
    return isRefusal(request) ? refusal(context, request, 400) : answer(context, await factory.withhold(context.req.param('name'), request.withhold))
  })

  routes.post('/models/:name/publish', limit(1), async (context) => {
    const request = await read(context, PublishRequest, '{"price": "0.01"}, the price as a string')
    if (isRefusal(request)) return refusal(context, request, 400)
    return answer(context, await factory.publish(context.req.param('name'), request.price, { abstention: request.abstention, free: request.free }))
  })

  /** How many questions a visitor may ask a day before paying, and how many of them whoever asks has left. */
  const freeOf = async (context: Context, name: string) => {
    const model = await factory.model(name)
    if (!model) return refusal(context, refuse('unknown_model', `There is no model "${name}" here.`, 'See /v1/models for those there are.'))
    const [questions, left] = await Promise.all([factory.trials.questions(model.name), factory.trials.left(model.name, visitorOf(context))])
    return context.json({ questions, left })
  }
  routes.get('/models/:name/free', async (context) => freeOf(context, context.req.param('name')))
  routes.post('/models/:name/free', limit(1), async (context) => {
    const request = await read(context, FreeRequest, '{"questions": 5}, at most 100 a day for each visitor')
    if (isRefusal(request)) return refusal(context, request, 400)
    const model = await factory.model(context.req.param('name'))
    if (model) await factory.trials.set(model.name, request.questions)
    return freeOf(context, context.req.param('name'))
  })

  routes.post('/models/:name/export', limit(1), async (context) => {
    const request = await read(context, ExportRequest, '{"kind": "gguf-f16"}')
    if (isRefusal(request)) return refusal(context, request, 400)
    return answer(context, await factory.export(context.req.param('name'), request.kind))
  })

  routes.get('/models/:name/export/:kind/:file', async (context) => {
    const { name, kind, file } = context.req.param()
    return download(context, file, await factory.exportedFile(name, kind, file))
  })

  routes.post('/models/:name/ask', limit(1), async (context) => {
    const request = await read(context, AskRequest, '{"text": "your question"}')
    if (isRefusal(request)) return refusal(context, request, 400)
    return answer(context, await factory.ask(context.req.param('name'), request.text, context.req.raw.signal))
  })

  routes.get('/events', (context) => events(context, factory, closing))

  return routes
}

/** A value, or the refusal in its place. */
export function answer(context: Context, value: object): Response {
  return isRefusal(value) ? refusal(context, value) : context.json(value)
}

async function read<Value>(context: Context, schema: z.ZodType<Value>, shape: string) {
  const parsed = schema.safeParse(readJson(await context.req.text()), { reportInput: true })
  if (parsed.success) return parsed.data
  return refuse('invalid_request', wrongField(parsed.error.issues[0], 'The body is not a JSON object.'), `Send ${shape}.`)
}

/** What the files of one request may come to. */
const ALL_FILES_BYTES = 1024 * 2 ** 20

/** Files as bytes. Names stay inside the folder they will be put in. */
async function filesOf(factory: ModelFactory, files: readonly z.infer<typeof File>[]) {
  const found: InputFile[] = []
  let total = 0
  for (const file of files) {
    const { name } = file
    const parts = name.split(/[\\/]/)
    if (name.includes('\0') || parts.includes('..') || parts[0] === '' || /^[a-zA-Z]:$/.test(parts[0]!))
      return refuse('file_name_invalid', `The file name "${name}" leaves its folder.`, 'Give a relative path without "..".')
    if ((file.base64 === undefined) === (file.upload === undefined))
      return refuse('file_empty', `The file "${name}" must come with either "base64" or "upload".`, 'Send its bytes, or the id of an upload of it.')
    if (file.base64 !== undefined && /[^A-Za-z0-9+/=\s]/.test(file.base64))
      return refuse('file_not_base64', `The content of "${name}" is not base64.`, 'Encode the bytes of the file as base64.')
    const bytes = file.base64 !== undefined ? new Uint8Array(Buffer.from(file.base64, 'base64')) : await factory.uploads.read(file.upload!)
    if (isRefusal(bytes)) return bytes
    total += bytes.length
    if (total > ALL_FILES_BYTES)
      return refuse('files_too_large', `The files come to more than ${ALL_FILES_BYTES / 2 ** 20} MB together.`, 'Leave out what the model need not know.')
    found.push({ name, bytes })
  }
  return found
}

/** A file as an attachment, streamed from disk. */
function download(context: Context, name: string, file: { path: string; bytes: number } | Refusal): Response {
  if (isRefusal(file)) return refusal(context, file)
  return context.body(Readable.toWeb(createReadStream(file.path)) as ReadableStream<Uint8Array>, 200, {
    'Content-Type': 'application/octet-stream',
    'Content-Length': String(file.bytes),
    'Content-Disposition': `attachment; filename="${name.replace(/[^\w.-]/g, '_')}"`,
  })
}

/** Server-sent events: each live event by its type, and a comment now and then so that a dead connection is noticed. */
function events(context: Context, factory: ModelFactory, closing: AbortSignal): Response {
  const encoder = new TextEncoder()
  let end = () => {}
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const send = (text: string) => {
          if ((controller.desiredSize ?? 0) <= 0) return end()
          controller.enqueue(encoder.encode(text))
        }
        const unlisten = factory.listen((event: LiveEvent) => {
          const { type, ...rest } = event
          send(`event: ${type}\ndata: ${JSON.stringify(rest)}\n\n`)
        })
        const heartbeat = setInterval(send, HEARTBEAT_MS, ': still here\n\n')
        let open = true
        end = () => {
          if (!open) return
          open = false
          unlisten()
          clearInterval(heartbeat)
          closing.removeEventListener('abort', end)
          try {
            controller.close()
          } catch {
            // The reader has left already, which is what closing is for.
          }
        }
        closing.addEventListener('abort', end)
        if (closing.aborted) end()
        else send('retry: 1000\n\n')
      },
      cancel: () => end(),
    },
    { highWaterMark: BACKLOG },
  )
  return context.body(body, 200, { 'Content-Type': 'text/event-stream; charset=utf-8', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' })
}
