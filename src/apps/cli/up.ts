/**
 * `up`: serves until stopped, and with examples walks each through the whole river first: words, spec, dataset, training,
 * exam, package, listing, five paid queries, royalty. Queries go over HTTP, paid by x402.
 * Knows nothing of how an arrow works.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isRefusal, type Refusal, refuse } from '../../core/errors.ts'
import { amount } from '../../core/royalty.ts'
import type { BuildView, EarningsView, StateView } from '../../core/view.ts'
import { type Config, ROOT } from '../../factory/config.ts'
import { follow } from './commands.ts'
import { serve } from './connect.ts'
import { arrowLine, type Printer } from './print.ts'
import { openBuyer } from './purchase.ts'
import { filesUnder, request } from './requests.ts'

/** Price of one query in the examples, and how many are paid. */
const PRICE = '0.01'
const QUERIES = 5

export async function up(options: { config: Config; out: Printer; examples: boolean }): Promise<Refusal | undefined> {
  const { config, out } = options
  const server = await serve(config, config.port, (text) => out.progress(text))
  if (isRefusal(server)) return server
  process.env.MODELFACTORY_SERVING = '1'
  let stopping = false
  const stop = async () => {
    if (stopping) return
    stopping = true
    out.line('Stopping.')
    await server.close().catch((error: unknown) => out.line(`Closing failed: ${error instanceof Error ? error.message : String(error)}`))
    process.exit(0)
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  out.line(`Studio: ${server.url}`)
  if (options.examples) {
    for (const example of await examples()) {
      if (stopping) return undefined
      // One example that fails must not hide the others, nor close the studio.
      const outcome = await runExample(config, out, server.url, example).catch((error: unknown) =>
        refuse('fault', error instanceof Error ? error.message : String(error), ''),
      )
      if (isRefusal(outcome)) out.line(arrowLine(example.folder, 'note', `${outcome.message} ${outcome.hint}`))
    }
  }
  if (!stopping) out.line(`Ready: ${server.url} (stop with Ctrl-C)`)
  return undefined
}

type Example = { folder: string; words: string; path: string; questions: string[] }

async function examples(): Promise<Example[]> {
  const root = join(ROOT, 'examples')
  const folders = (await readdir(root, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  return Promise.all(
    folders.sort().map(async (folder) => {
      const read = (name: string) => readFile(join(root, folder, name), 'utf8')
      const questions = (await read('queries.txt'))
        .split('\n')
        .map((line) => line.trim())
        .filter(Boolean)
      return { folder, words: (await read('words.txt')).trim(), path: join(root, folder), questions: questions.slice(0, QUERIES) }
    }),
  )
}

async function runExample(config: Config, out: Printer, url: string, example: Example): Promise<Refusal | undefined> {
  const files = await filesUnder(join(example.path, 'files'))
  if (isRefusal(files)) return files
  files.push({ name: 'SOURCE.txt', base64: (await readFile(join(example.path, 'SOURCE.txt'))).toString('base64') })
  out.line(arrowLine(example.folder, 'words', `“${example.words}” + ${files.length - 1} files`))
  const started = await request<BuildView>(url, '/api/builds', { words: example.words, files, name: example.folder })
  if (isRefusal(started)) return started
  const build = await follow(out, url, started.id)
  if (isRefusal(build)) return build
  const state = await request<StateView>(url, '/api/state')
  if (isRefusal(state)) return state
  const model = state.models.find((one) => one.name === build.name)
  if (!model) return refuse('model_missing', `The model ${build.name} was built but is not listed.`, 'Look at the server’s output.')
  // Fewer than were asked, when the model had no answer to one.
  if (model.queries >= QUERIES - 1) {
    out.line(arrowLine(model.name, 'royalty', `already built and paid: ${model.queries} queries, ${model.earned.open} ${state.network.currency}`))
    return undefined
  }
  if (!model.modelId) {
    const published = await request<{ price: { open: string } }>(url, `/api/models/${model.name}/publish`, { price: PRICE })
    if (isRefusal(published)) return published
    const after = await request<BuildView>(url, `/api/builds/${build.id}`)
    if (isRefusal(after)) return after
    for (const event of after.events.filter((one) => one.arrow === 'publish')) out.line(arrowLine(model.name, 'publish', event.text))
  }
  return payQueries(config, out, url, state, model.name, example.questions.slice(model.queries))
}

async function payQueries(
  config: Config,
  out: Printer,
  url: string,
  state: StateView,
  model: string,
  questions: readonly string[],
): Promise<Refusal | undefined> {
  const buy = await openBuyer(config, { url, wallet: 'payer', maximum: 10n ** 18n })
  if (isRefusal(buy)) return buy
  const before = await request<EarningsView>(url, '/api/earnings')
  if (isRefusal(before)) return before
  let paid = 0
  for (const question of questions) {
    const bought = await buy(model, question)
    if (isRefusal(bought)) return bought
    const { answer, receipt } = bought.shown
    if (receipt) paid++
    out.line(
      arrowLine(
        model,
        'query',
        `${short(question, 60)} -> ${short(answer, 80)} (${receipt ? `paid ${receipt.amount.open}, tx ${receipt.tx.slice(0, 12)}…` : 'not covered: nothing was charged'})`,
      ),
    )
  }
  const after = await request<EarningsView>(url, '/api/earnings')
  if (isRefusal(after)) return after
  const difference = BigInt(after.balance.atomic) - BigInt(before.balance.atomic)
  out.line(
    arrowLine(
      model,
      'royalty',
      `builder ${after.builder} held ${before.balance.open} and now holds ${after.balance.open} ${state.network.currency}: + ${amount(difference).open} for ${paid} paid queries`,
    ),
  )
  return undefined
}

function short(text: string, length: number): string {
  const line = text.replace(/\s+/g, ' ')
  return line.length > length ? `${line.slice(0, length - 1)}…` : line
}
