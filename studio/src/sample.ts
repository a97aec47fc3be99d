/**
 * Sample views for the tests: whole and valid, each changed in what the test is about. Knows nothing of the tests.
 */
import type { Amount, BuildView, EarningsView, ModelView, ReceiptView, StateView } from './api.ts'

export function amount(open: string): Amount {
  const [whole, fraction = ''] = open.split('.')
  return { open, atomic: BigInt(whole + fraction.padEnd(18, '0')).toString() }
}

export function build(patch: Partial<BuildView>): BuildView {
  return { id: 'build', name: 'heart', words: 'Answer questions.', state: 'running', events: [], training: null, createdAt: 1, ...patch }
}

export function model(patch: Partial<ModelView>): ModelView {
  return {
    name: 'heart',
    packageId: '0x1',
    task: 'answer',
    words: 'Answer questions.',
    modelId: null,
    price: null,
    payout: null,
    labels: null,
    exam: { n: 1, metric: 'accuracy', arms: [] },
    queries: 0,
    earned: amount('0'),
    ...patch,
  }
}

export function receipt(patch: Partial<ReceiptView>): ReceiptView {
  return {
    id: 'receipt',
    model: 'heart',
    modelId: '0xa',
    tx: '0x2',
    block: 1,
    amount: amount('0.01'),
    payer: '0x3',
    builder: '0x4',
    sources: [],
    final: true,
    at: 1,
    ...patch,
  }
}

export function earnings(total: string, models: { modelId: string; queries: number; open: string }[]): EarningsView {
  return {
    builder: '0x4',
    balance: amount(total),
    total: amount(total),
    models: models.map((one) => ({ name: one.modelId, modelId: one.modelId, queries: one.queries, earned: amount(one.open) })),
  }
}

export function state(patch: Partial<StateView> = {}): StateView {
  return {
    network: { chainId: 31337, caip2: 'eip155:31337', test: true, currency: 'test OPEN', rpc: 'http://127.0.0.1:8545' },
    contracts: { token: '0x5', registry: '0x6', router: '0x7' },
    builds: [],
    models: [],
    receipts: [],
    earnings: earnings('0', []),
    warnings: [],
    ...patch,
  }
}
