/** The whole river through the command line, on real parts: words to royalty, twenty queries, to the last unit. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ExactEvmScheme } from '@x402/evm/exact/client'
import { wrapFetchWithPaymentFromConfig } from '@x402/fetch'
import { getLlama } from 'node-llama-cpp'
import OpenAI from 'openai'
import { createPublicClient, http, parseAbiItem } from 'viem'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isRefusal } from '../src/core/errors.ts'
import { hashText } from '../src/core/id.ts'
import type { StateView } from '../src/core/view.ts'
import { ngramSvm } from '../src/drivers/baseline/ngram-svm.ts'
import { folderStore } from '../src/drivers/store/folder.ts'
import { readConfig } from '../src/factory/config.ts'
import { openWallet } from '../src/factory/gateway.ts'
import { aligned, mix } from '../src/steps/mix.ts'
import { unpack } from '../src/steps/pack.ts'
import { dataFolder, modelfactory, type Running, root, startServer } from './process.ts'
import { clauses } from './rows.ts'

const words = 'Tell me which kind of clause this is.'
const paidEvent = parseAbiItem(
  'event QueryPaid(bytes32 indexed modelId, address indexed payer, address indexed builder, uint256 amount, bytes32 requestHash, bytes32 nonce)',
)
const transferEvent = parseAbiItem('event Transfer(address indexed from, address indexed to, uint256 value)')

describe('the royalty loop', () => {
  let folder: Awaited<ReturnType<typeof dataFolder>>
  let server: Running
  let files: string
  beforeAll(async () => {
    folder = await dataFolder()
    files = join(folder.data, '..', `${folder.data.split('/').at(-1)}-files`)
    await mkdir(files)
    await writeFile(join(files, 'clauses.csv'), await clauses(['Governing Law', 'Insurance', 'Audit Rights'], 40))
    server = await startServer(folder.data)
  })
  afterAll(async () => {
    await server?.stop()
    await folder?.remove()
  })

  it('builds, publishes, and pays the builder of every query in full', { timeout: 400_000 }, async () => {
    const planned = await modelfactory(['plan', words, '--files', files, '--json'], folder)
    expect(planned.code, planned.stderr).toBe(0)
    expect(planned.json).toMatchObject({ task: 'classify', labels: ['Audit Rights', 'Governing Law', 'Insurance'] })

    const built = await modelfactory(['build', words, '--files', files, '--name', 'clauses', '--minutes', '0.4', '--json'], folder)
    expect(built.code, built.stderr).toBe(0)
    expect(built.json).toMatchObject({ model: 'clauses', exam: { metric: 'macro-F1' } })
    const exam = built.json.exam as { n: number; tuned: number; base: number; baseline: number }
    expect(exam.n).toBeGreaterThanOrEqual(20)
    // Three quite different kinds of clause: a trained adapter tells them apart far better than the bare base.
    expect(exam.tuned).toBeGreaterThan(exam.base + 0.2)

    const again = await modelfactory(['build', words, '--files', files, '--name', 'clauses', '--minutes', '0.4', '--json'], folder)
    expect(again.json.package).toBe(built.json.package)

    const unpublished = await modelfactory(['query', 'clauses', 'x', '--json'], folder)
    expect(unpublished.code).toBe(1)
    expect(unpublished.stderr).toContain('not published')

    for (const price of ['0', '-1', '1e30', 'abc', '309485010']) {
      const refused = await modelfactory(['publish', 'clauses', `--price=${price}`, '--json'], folder)
      expect(refused.code, price).toBe(1)
      expect(refused.stderr, price).toContain(price)
    }
    const published = await modelfactory(['publish', 'clauses', '--price', '0.01', '--json'], folder)
    expect(published.code, published.stderr).toBe(0)
    expect(published.json).toMatchObject({ model: 'clauses', price: { open: '0.01', atomic: '10000000000000000' } })

    const state = (await (await fetch(`${server.url}/api/state`)).json()) as StateView
    const client = createPublicClient({ transport: http(state.network.rpc) })
    const before = await balances(client, state)
    const receipts: { tx: `0x${string}`; amount: { atomic: string }; payer: `0x${string}`; builder: string }[] = []
    for (let number = 0; number < 20; number++) {
      const text = `This Agreement is governed by the laws of the State number ${number}.`
      const query = await modelfactory(['query', 'clauses', text, '--json'], folder)
      expect(query.code, query.stderr).toBe(0)
      expect(Object.keys(query.json)).toEqual(expect.arrayContaining(['answer', 'label', 'scores', 'receipt']))
      receipts.push(query.json.receipt as (typeof receipts)[number])
    }
    const price = 10n ** 16n
    const after = await balances(client, state)
    const events = await client.getLogs({ address: state.contracts.router as `0x${string}`, event: paidEvent, fromBlock: 0n })
    expect(events.length).toBe(20)
    expect(new Set(receipts.map(({ tx }) => tx)).size).toBe(20)
    expect(events.map((event) => event.transactionHash).sort()).toEqual(receipts.map(({ tx }) => tx).sort())
    expect(events.reduce((sum, event) => sum + event.args.amount!, 0n)).toBe(20n * price)
    expect(after.builder - before.builder).toBe(20n * price)
    expect(before.payer - after.payer).toBe(20n * price)
    // Straight from payer to builder: the router never held a token.
    const moved = await client.getLogs({
      address: state.contracts.token as `0x${string}`,
      event: transferEvent,
      args: { to: state.earnings.builder as `0x${string}` },
      fromBlock: 0n,
    })
    expect(new Set(moved.map((event) => event.args.from?.toLowerCase()))).toEqual(new Set([receipts[0]!.payer.toLowerCase()]))

    const earned = await modelfactory(['earnings', '--json'], folder)
    expect(earned.json).toMatchObject({ total: { open: '0.2' }, models: [{ name: 'clauses', queries: 20, earned: { open: '0.2' } }] })
    const table = join(folder.data, '..', `${folder.data.split('/').at(-1)}-earnings.csv`)
    const exported = await modelfactory(['earnings', '--export', table], folder)
    expect(exported.stdout).toContain('20 payments, 0.2 test OPEN in all')
    expect((await readFile(table, 'utf8')).trimEnd().split('\r\n')).toHaveLength(21)
    await rm(table)
    const nameless = await modelfactory(['earnings', '--export', 'earnings.txt', '--json'], folder)
    expect([nameless.code, nameless.stderr.includes('"earnings.txt"')]).toEqual([1, true])

    const poor = await modelfactory(['query', 'clauses', 'x', '--wallet', 'empty', '--json'], folder)
    expect(poor.code).toBe(1)
    expect(poor.stderr).toMatch(/holds 0 .*OPEN|without OPEN|has 0/i)
    const unknown = await modelfactory(['query', 'nobody', 'x', '--json'], folder)
    expect(unknown.code).toBe(1)
    expect(unknown.stderr).toContain('"nobody"')
  })

  it('answers an openai client whose fetch is wrapped by @x402/fetch, streaming and not', { timeout: 60_000 }, async () => {
    const state = (await (await fetch(`${server.url}/api/state`)).json()) as StateView
    const config = readConfig({ data: folder.data })
    if (isRefusal(config)) throw new Error(config.message)
    const account = await openWallet(config, 'payer')
    if (isRefusal(account)) throw new Error(account.message)
    const network = state.network.caip2 as `${string}:${string}`
    const pay = wrapFetchWithPaymentFromConfig(fetch, {
      schemes: [{ network, client: new ExactEvmScheme(account) }],
      spendControls: { allowedAssets: [{ network, asset: state.contracts.token, maxAmountPerPayment: (10n ** 17n).toString() }] },
    })
    const openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none', fetch: pay })
    const before = BigInt(state.earnings.balance.atomic)
    const messages = [{ role: 'user' as const, content: 'Licensee shall keep insurance of at least one million dollars.' }]
    const whole = await openai.chat.completions.create({ model: 'clauses', messages })
    expect(['Audit Rights', 'Governing Law', 'Insurance']).toContain(whole.choices[0]!.message.content)
    let streamed = ''
    for await (const chunk of await openai.chat.completions.create({ model: 'clauses', messages, stream: true }))
      streamed += chunk.choices[0]?.delta.content ?? ''
    expect(streamed).toBe(whole.choices[0]!.message.content)
    const after = (await (await fetch(`${server.url}/api/earnings`)).json()) as { balance: { atomic: string } }
    expect(BigInt(after.balance.atomic) - before).toBe(2n * 10n ** 16n)
  })

  it('gives an adapter that plain node-llama-cpp loads and answers with alike', { timeout: 120_000 }, async () => {
    const text = 'This Agreement shall be governed by the laws of Delaware.'
    const asked = await modelfactory(['ask', 'clauses', text, '--json'], folder)
    expect(asked.code, asked.stderr).toBe(0)
    const scores = asked.json.scores as { label: string; probability: number }[]
    const state = (await (await fetch(`${server.url}/api/state`)).json()) as StateView
    const { adapterPath, weights } = await opened(folder.data, state.models[0]!.packageId)

    const llama = await getLlama({ gpu: false, build: 'never' })
    const model = await llama.loadModel({ modelPath: join(root, 'base', 'modelfactory-base-xs-v2.q8_0.gguf') })
    const context = await model.createContext({ contextSize: 256, lora: adapterPath, threads: 1 })
    const tokens = [...model.tokenize('<|im_start|>', true), ...model.tokenize(text), ...model.tokenize('<|im_end|>', true)]
    const results = await context.getSequence().controlledEvaluate([...tokens.slice(0, -1), [tokens.at(-1)!, { generateNext: { probabilities: true } }]])
    const probabilities = results.at(-1)!.next.probabilities!
    const labels = ['Audit Rights', 'Governing Law', 'Insurance']
    const raw = labels.map((_, index) => probabilities.get(model.tokenize(`<|l${index}|>`, true)[0]!)!)
    const total = raw.reduce((sum, weight) => sum + weight, 0)
    const neural = raw.map((weight) => weight / total)
    // What is served has the classical part mixed in, when practice gave it a share.
    let expected = neural
    if (weights.expert) {
      const classical = ngramSvm().load(await folderStore(join(folder.data, 'store')).get(weights.expert.file))
      expected = mix(neural, aligned(classical, labels, classical.scores([text])[0]!), weights.expert)
    }
    for (const [index, label] of labels.entries())
      expect(Math.abs(expected[index]! - scores.find((score) => score.label === label)!.probability)).toBeLessThan(1e-4)
    await context.dispose()
    await model.dispose()
  })

  it('examined what it sells: sealed before the training, counted, checked again by anyone, asked again through the paid endpoint', {
    timeout: 120_000,
  }, async () => {
    const shown = await modelfactory(['exam', 'show', 'clauses', '--json'], folder)
    expect(shown.code, shown.stderr).toBe(0)
    expect(shown.json).toMatchObject({
      beforeTraining: true,
      uncounted: 0,
      others: 0,
      committed: { attempts: 1 },
      verdict: { outcome: expect.stringMatching(/^(un)?proven$/) },
    })
    const state = (await (await fetch(`${server.url}/api/state`)).json()) as StateView
    expect(state.models[0]).toMatchObject({ standing: shown.json.standing, exam: { verdict: shown.json.verdict } })
    const cases = join(files, '..', `${folder.data.split('/').at(-1)}-cases.json`)
    const papers = join(files, '..', `${folder.data.split('/').at(-1)}-papers.json`)
    expect((await modelfactory(['exam', 'cases', 'clauses', '--to', cases, '--json'], folder)).code).toBe(0)
    const verified = await modelfactory(['exam', 'verify', 'clauses', '--rpc', state.network.rpc, '--cases', cases, '--save', papers, '--json'], folder)
    expect(verified.code, verified.stderr).toBe(0)
    expect((verified.json.checks as { outcome: string; code: string }[]).filter(({ outcome }) => outcome !== 'holds')).toEqual([])
    // One answer of the file changed: whoever checks it is told.
    const forged = JSON.parse(await readFile(papers, 'utf8')) as { sheet: { arms: { tuned: { label: string }[] } } }
    forged.sheet.arms.tuned[0]!.label = forged.sheet.arms.tuned[0]!.label === 'Insurance' ? 'Audit Rights' : 'Insurance'
    await writeFile(papers, JSON.stringify(forged))
    const caught = await modelfactory(['exam', 'verify', papers, '--json'], folder)
    expect(caught.code).toBe(1)
    expect(caught.stderr).toContain('NO  sheet')

    const poor = await modelfactory(['exam', 'run', 'clauses', '--budget', '0.01', '--limit', '4', '--json'], folder)
    expect(poor.json).toMatchObject({ error: { code: 'budget_exceeded' } })
    const examined = await modelfactory(['exam', 'run', 'clauses', '--budget', '0.04', '--limit', '4', '--cases', cases, '--url', server.url, '--json'], folder)
    expect(examined.code, examined.stderr).toBe(0)
    expect(examined.json).toMatchObject({ n: 4, paid: '0.04', drop: { beyondChance: false } })
    const again = await modelfactory(['exam', 'run', 'clauses', '--json'], folder)
    expect(again.code, again.stderr).toBe(0)
    expect(again.json).toMatchObject({ committed: { attempts: 2 }, twin: { outcome: 'verified' } })

    const [page, json] = await Promise.all(['card', 'card.json'].map(async (name) => (await fetch(`${server.url}/models/clauses/${name}`)).text()))
    const { manifest } = await opened(folder.data, state.models[0]!.packageId)
    expect(hashText(json!)).toBe(manifest.files.card)
    expect(page).toContain('<svg')
    expect(page).toContain('2 attempts counted')
    await Promise.all([cases, papers].map((path) => rm(path)))
  })
})

async function balances(client: ReturnType<typeof createPublicClient>, state: StateView): Promise<{ builder: bigint; payer: bigint }> {
  const abi = [parseAbiItem('function balanceOf(address) view returns (uint256)')]
  const read = (address: string) =>
    client.readContract({ address: state.contracts.token as `0x${string}`, abi, functionName: 'balanceOf', args: [address as `0x${string}`] })
  const funded = await client.getLogs({ address: state.contracts.token as `0x${string}`, event: transferEvent, fromBlock: 0n })
  // The one funded wallet is the payer's: at start the faucet sent it its allowance.
  const payer = funded.find((event) => event.args.value === 1000n * 10n ** 18n && event.args.from !== '0x0000000000000000000000000000000000000000')!.args.to!
  return { builder: await read(state.earnings.builder), payer: await read(payer) }
}

/** A package as it lies in the store. */
function opened(data: string, packageId: string) {
  return unpack({ store: folderStore(join(data, 'store')) }, packageId as `0x${string}`)
}
