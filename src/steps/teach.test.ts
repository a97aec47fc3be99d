/**
 * A teacher against a local OpenAI-compatible server whose replies are scripted. No model runs here; what is tested is that nothing the passages do not
 * say is learned, that nobody's exam leaks, and that a teacher that fails costs nothing. Nothing is said of quality.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { type Dataset, type Exam, type Example, exampleOf, type Passage } from '../core/dataset.ts'
import { hashText } from '../core/id.ts'
import { planOffline } from '../drivers/planner/offline.ts'
import { llmTeacher } from '../drivers/teacher/llm.ts'
import { describeTaught, teach } from './teach.ts'

const KEY = 'sk-scripted-teacher'
type Step = { lessons?: { question: string; answer: string }[]; scores?: number[]; text?: string; finish?: string; status?: number; delay?: number }

const open: (() => void)[] = []
afterEach(() => {
  for (const close of open.splice(0)) close()
})

/** A server that gives the steps in order, the last one again and again. */
async function scripted(...steps: Step[]) {
  const requests: string[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const step = steps[Math.min(requests.length, steps.length - 1)]!
      requests.push(Buffer.concat(chunks).toString())
      const content = step.text ?? JSON.stringify(step.scores ? { scores: step.scores } : { lessons: step.lessons ?? [] })
      const body = step.status
        ? { error: { message: 'scripted failure', type: 'server_error' } }
        : {
            ...{ id: 'scripted', object: 'chat.completion', created: 1, model: 'scripted', usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } },
            choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: step.finish ?? 'stop' }],
          }
      const reply = () => {
        response.writeHead(step.status ?? 200, { 'content-type': 'application/json' })
        response.end(JSON.stringify(body))
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
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
  return { requests, teacher: llmTeacher({ url, model: 'scripted', key: KEY, deadline: 2000 }) }
}

const passage = (file: string, heading: string, ...sentences: string[]): Passage => ({
  id: hashText(file + heading),
  title: file,
  heading,
  sentences,
  source: { file, heading },
})
const digoxin = passage(
  'drugs.md',
  'Digoxin',
  'Digoxin slows the heart and makes it beat with more force.',
  'The level of potassium in the blood must be checked while somebody takes it.',
  'Nausea and yellow vision are early signs that there is too much of it.',
)
const aspirin = passage(
  'drugs.md',
  'Aspirin',
  'Aspirin keeps platelets from sticking together, which lowers the risk of another heart attack.',
  'It can make the stomach bleed, so whoever had an ulcer tells the doctor first.',
)
const example = (input: string, answer: string, heading: string): Example => exampleOf({ input, answer }, { file: 'drugs.md', heading }, 'drugs.md')
const spec = planOffline('Answer questions of patients about heart drugs from these pages.', [])
const material = (patch: Partial<Dataset> = {}, cases: Example[] = [example('What does warfarin do?', 'It thins blood.', 'Warfarin')]) => ({
  spec,
  dataset: { specId: hashText('s'), examId: hashText('e'), training: [], practice: [], passages: [digoxin], notes: [], ...patch },
  exam: { specId: hashText('s'), salt: hashText('salt'), cases } as Exam,
})
const memory = () => {
  const values = new Map<string, unknown>()
  return { get: async (key: string) => values.get(key), set: async (key: string, value: unknown) => void values.set(key, value) }
}
const signal = new AbortController().signal
const potassium = {
  question: 'What must be checked while taking digoxin?',
  answer: 'The level of potassium in the blood must be checked while somebody takes it.',
}

describe('a teacher', () => {
  it('adds what the passage supports, in the passage’s own words, and says so', async () => {
    const vision = { question: 'How do I notice too much digoxin?', answer: 'nausea and YELLOW vision are early signs that there is too much of it' }
    const { teacher, requests } = await scripted({ lessons: [potassium, vision] }, { scores: [5, 4] })
    const taught = await teach({ teacher, kept: memory() }, material(), { signal })
    expect(taught.examples).toMatchObject([
      { input: potassium.question, answer: digoxin.sentences[1], made: 'teacher', source: { file: 'drugs.md', heading: 'Digoxin' } },
      { input: vision.question, answer: digoxin.sentences[2], made: 'teacher' },
    ])
    expect(requests[0]).toContain('potassium')
    expect(requests[0]).toContain('patients')
    expect(describeTaught(taught, teacher.name)).toBe('2 examples more were written by scripted from 1 passages, each answered in the passage’s own words.')
  })

  it('learns nothing that the passage does not say, nor what was judged unfit, nor what stands in the exam in nearly the same words', async () => {
    const invented = { question: 'What is the dose of digoxin?', answer: 'Take 250 micrograms every morning after breakfast with water.' }
    const unfit = { question: 'What about it then, in the text?', answer: potassium.answer }
    const known = { question: 'What does digoxin do to the heart?', answer: digoxin.sentences[0]! }
    const { teacher } = await scripted({ lessons: [invented, unfit, known, potassium] }, { scores: [5, 2, 5, 5] })
    const long = { ...digoxin, sentences: [...digoxin.sentences, ...aspirin.sentences, 'Words that fill the page say nothing more. '.repeat(8)] }
    const taught = await teach(
      { teacher, kept: memory() },
      material({ passages: [long] }, [example('What does digoxin do to the heart', 'It slows it.', 'Other')]),
      { signal },
    )
    expect(taught.dropped).toEqual({ unsupported: 1, judged: 1, known: 1, silent: 0 })
    expect(taught.examples.map(({ input }) => input)).toEqual([potassium.question])
  })

  it('does not teach from the part of a document that the exam or practice stands on', async () => {
    const { teacher, requests } = await scripted({ lessons: [] })
    const taken = [example('Something quite different?', 'x', 'Digoxin')]
    expect((await teach({ teacher, kept: memory() }, material({}, taken), { signal })).passages).toBe(0)
    expect((await teach({ teacher, kept: memory() }, material({ practice: taken }, []), { signal })).passages).toBe(0)
    expect(requests).toEqual([])
  })

  it('asks nothing twice, and goes on where it was cut off', async () => {
    const { teacher, requests } = await scripted({ lessons: [potassium] }, { scores: [5] })
    const kept = memory()
    const first = await teach({ teacher, kept }, material(), { signal })
    expect(await teach({ teacher, kept }, material(), { signal })).toEqual(first)
    expect(requests).toHaveLength(2)
  })

  it('never puts itself before what people wrote: with enough examples it is not asked', async () => {
    const { teacher, requests } = await scripted({ lessons: [potassium] }, { scores: [5] })
    const many = Array.from({ length: 600 }, (_, index) => example(`Question ${index}?`, 'x', 'Elsewhere'))
    expect((await teach({ teacher, kept: memory() }, material({ training: many }), { signal })).examples).toEqual([])
    expect(requests).toEqual([])
  })

  it.each<[string, Step]>([
    ['malformed', { text: '{"lessons": [{"question": 5}]}' }],
    ['cut off', { text: '{"lessons": [{"quest', finish: 'length' }],
    ['refused', { text: 'I cannot help with that.' }],
    ['failing', { status: 500 }],
    ['slow', { delay: 4000, lessons: [] }],
    ['judged for another number of lessons', { lessons: [potassium] }],
  ])('costs nothing but its examples when replies are %s', { timeout: 20_000 }, async (_, step) => {
    const { teacher, requests } = await scripted(step)
    const passages = Array.from({ length: 6 }, (_, index) => ({ ...aspirin, id: hashText(String(index)), heading: `Aspirin ${index}` }))
    const taught = await teach({ teacher, kept: memory() }, material({ passages }), { signal })
    expect(taught.examples).toEqual([])
    expect(taught.dropped.silent).toBe(3)
    expect(taught.note).toContain('3 times in a row')
    expect(taught.note).not.toContain(KEY)
    expect(requests.length).toBeLessThanOrEqual(6)
  })

  it('is not shown what must stay on the expert’s machines, unless it is one of them', async () => {
    const away = llmTeacher({ url: 'https://teacher.example/v1', model: 'big' })
    const local = { ...material(), spec: { ...spec, privacy: 'local' as const } }
    expect((await teach({ teacher: away, kept: memory() }, local, { signal })).note).toContain('nothing may leave')
    const { teacher } = await scripted({ lessons: [potassium] }, { scores: [5] })
    expect((await teach({ teacher, kept: memory() }, local, { signal })).examples).toHaveLength(1)
  })

  it('stops when the build is cancelled', async () => {
    const { teacher } = await scripted({ lessons: [] })
    const controller = new AbortController()
    controller.abort(new Error('cancelled'))
    await expect(teach({ teacher, kept: memory() }, material(), { signal: controller.signal })).rejects.toThrow('cancelled')
  })
})
