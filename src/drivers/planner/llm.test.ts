/** The planner that asks a language model, against a local OpenAI-compatible server whose replies are scripted. No model runs here; nothing is said of quality. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { isRefusal } from '../../core/errors.ts'
import { Spec } from '../../core/spec.ts'
import { plannerSuite } from '../../ports/planner.suite.ts'
import type { FileListing } from '../../ports/planner.ts'
import { refine } from '../../steps/refine.ts'
import { llmPlanner } from './llm.ts'
import { offlinePlanner } from './offline.ts'

const KEY = 'sk-scripted-0123456789'
const good = {
  task: 'classify',
  language: ['en'],
  outputLanguage: ['en'],
  domain: 'shop mail',
  labels: ['order', 'complaint'],
  multiLabel: false,
  fields: null,
  mustCite: null,
  refuseOutsideScope: null,
  tone: 'friendly',
  audience: null,
  outputFormat: null,
  avoid: [],
  pricePerQuery: null,
  maxLatencyMs: null,
  privacy: null,
  clarify: [{ topic: 'examples', question: 'Have you examples?', options: [{ label: 'Yes', words: 'I have examples.' }], assumed: 'examples come later' }],
  decline: null,
}

type Step = { text?: string; finish?: string; status?: number; delay?: number }
type Request = { authorization: string | undefined; body: string }

/** A server that gives the steps in order, the last one again and again. */
async function scripted(...steps: Step[]) {
  const requests: Request[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const step = steps[Math.min(requests.length, steps.length - 1)]!
      requests.push({ authorization: request.headers.authorization, body: Buffer.concat(chunks).toString() })
      const reply = () => {
        response.writeHead(step.status ?? 200, { 'content-type': 'application/json' })
        response.end(
          JSON.stringify(
            step.status
              ? { error: { message: 'scripted failure', type: 'server_error' } }
              : {
                  id: 'scripted',
                  object: 'chat.completion',
                  created: 1,
                  model: 'scripted',
                  choices: [{ index: 0, message: { role: 'assistant', content: step.text ?? '' }, finish_reason: step.finish ?? 'stop' }],
                  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
                },
          ),
        )
      }
      if (step.delay) setTimeout(reply, step.delay).unref()
      else reply()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  open.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, requests }
}
const open: (() => void)[] = []
afterEach(() => {
  for (const close of open.splice(0)) close()
})

const words = 'Sort my shop mail into order and complaint.'
const table: FileListing = {
  name: 'mail.csv',
  kind: 'csv',
  columns: ['text', 'label'],
  rows: 400,
  sample: [{ text: 'SECRET CELL one', label: 'order' }],
  values: {
    label: [
      { value: 'order', count: 200 },
      { value: 'SECRET KIND', count: 200 },
    ],
  },
  empty: { text: 0, label: 0 },
  length: { text: 40, label: 6 },
}
async function plan(url: string, options: { deadline?: number; words?: string; files?: FileListing[] } = {}): Promise<Spec> {
  const planner = llmPlanner({ url, model: 'scripted', key: KEY, deadline: options.deadline ?? 5000 })
  const spec = await planner.plan({ words: options.words ?? words, files: options.files ?? [] })
  if (isRefusal(spec)) throw new Error(spec.message)
  return Spec.parse(spec)
}
const rules = async (said = words): Promise<Spec> => (await offlinePlanner().plan({ words: said, files: [] })) as Spec

describe('a scripted server', () => {
  it('good: its fields become the plan, its questions carry their options', async () => {
    const { url, requests } = await scripted({ text: JSON.stringify(good) })
    const spec = await plan(url)
    expect(spec).toMatchObject({ task: 'classify', labels: ['order', 'complaint'], tone: 'friendly', multiLabel: false, domain: 'shop mail' })
    expect(spec.clarify).toEqual(good.clarify)
    expect(spec.assumptions).toContain('examples come later')
    expect(requests).toHaveLength(1)
    expect(requests[0]!.authorization).toBe(`Bearer ${KEY}`)
    expect(JSON.parse(requests[0]!.body)).toMatchObject({ model: 'scripted', response_format: { type: 'json_schema' } })
  })

  it('malformed: sent back once with what is wrong, and then right', async () => {
    const { url, requests } = await scripted({ text: JSON.stringify({ ...good, task: 'sortieren' }) }, { text: JSON.stringify(good) })
    expect(await plan(url)).toMatchObject({ tone: 'friendly' })
    expect(requests).toHaveLength(2)
    expect(requests[1]!.body).toContain('sortieren')
    expect(requests[1]!.body).toContain('problem')
  })

  it('malformed twice: the rules plan alone, and the plan says so', async () => {
    const { url, requests } = await scripted({ text: '{"task": "classify"' }, { text: '{"labels": 7}' })
    const spec = await plan(url)
    expect(requests).toHaveLength(2)
    const { assumptions, ...rest } = await rules()
    expect(spec).toMatchObject(rest)
    expect(spec.assumptions.slice(0, -1)).toEqual(assumptions)
    expect(spec.assumptions.at(-1)).toContain('twice gave a plan that does not fit')
  })

  it('slow: given up at the deadline', async () => {
    const { url, requests } = await scripted({ text: JSON.stringify(good), delay: 20_000 })
    const began = Date.now()
    expect((await plan(url, { deadline: 400 })).assumptions.at(-1)).toContain('did not answer in time')
    expect(Date.now() - began).toBeLessThan(5000)
    expect(requests).toHaveLength(1)
  })

  it.each([
    ['in words', { text: 'I am sorry, but I cannot help with that.' }],
    ['by the filter', { text: '', finish: 'content_filter' }],
  ])('refused %s: not asked again', async (_how, step) => {
    const { url, requests } = await scripted(step)
    expect((await plan(url)).assumptions.at(-1)).toContain('refused the request')
    expect(requests).toHaveLength(1)
  })

  it('truncated: asked once more, more briefly', async () => {
    const { url, requests } = await scripted({ text: JSON.stringify(good).slice(0, 60), finish: 'length' }, { text: JSON.stringify(good) })
    expect(await plan(url)).toMatchObject({ tone: 'friendly' })
    expect(requests[1]!.body).toContain('cut off')
  })

  it.each([
    ['an error', 500],
    ['a wrong key', 401],
  ])('failing with %s: the rules plan alone, and nothing shows the key', async (_what, status) => {
    const printed: unknown[] = []
    const spies = (['log', 'warn', 'error'] as const).map((name) => vi.spyOn(console, name).mockImplementation((...parts) => void printed.push(...parts)))
    const { url } = await scripted({ status })
    const spec = await plan(url)
    for (const spy of spies) spy.mockRestore()
    expect(spec.assumptions.at(-1)).toContain('could not be reached')
    expect(JSON.stringify([spec, printed])).not.toContain(KEY)
  })

  it('sees no cell of a table', async () => {
    const { url, requests } = await scripted({ text: JSON.stringify(good) })
    const spec = await plan(url, { files: [table] })
    expect(requests[0]!.body).toContain('mail.csv')
    expect(requests[0]!.body).not.toContain('SECRET')
    // The kinds that stand in the examples are kept against what the model said.
    expect(spec.labels).toEqual(['order', 'SECRET KIND'])
  })

  it('elsewhere is not asked when everything must stay here', async () => {
    const said = `${words} The mail must not leave our own server.`
    const spec = await plan('http://192.0.2.1/v1', { words: said })
    expect(spec.privacy).toBe('local')
    expect(spec.assumptions.at(-1)).toContain('was not asked')
    const { url, requests } = await scripted({ text: JSON.stringify({ ...good, privacy: 'local' }) })
    await plan(url, { words: said })
    expect(requests).toHaveLength(1)
  })

  it('is not asked about what is plainly unsafe', async () => {
    const { url, requests } = await scripted({ text: JSON.stringify(good) })
    expect((await plan(url, { words: 'Write messages that pretend to come from the court so people pay at once.' })).decline?.kind).toBe('unsafe')
    expect(requests).toHaveLength(0)
  })

  it('refines: the difference is what it changed, and words and files stay', async () => {
    const { url } = await scripted({ text: JSON.stringify({ ...good, tone: 'formal', clarify: [] }) })
    const before = { ...(await rules()), tone: 'friendly', multiLabel: false, domain: 'shop mail' } satisfies Spec
    const outcome = await refine({ planner: llmPlanner({ url, model: 'scripted' }) }, before, 'More formal, please.')
    if (isRefusal(outcome)) throw new Error(outcome.message)
    expect(outcome.changes).toEqual(['Tone: friendly -> formal'])
    expect(outcome.spec).toMatchObject({ words, tone: 'formal', history: [{ words: 'More formal, please.', changes: outcome.changes }] })
  })
})

describe('with nobody there', () => {
  // Nothing listens on port 9 here: every plan of the suite is the offline planner's, with the assumption that says so.
  plannerSuite('the LLM planner that reaches nobody', () => llmPlanner({ url: 'http://127.0.0.1:9/v1', model: 'none', deadline: 3000 }))
})
