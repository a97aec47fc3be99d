/** What of a gateway needs its owner, and what does not. */
import { expect, it } from 'vitest'
import { attentionOf, type OperatingView } from './operating.ts'
import { amount } from './royalty.ts'

const at = Date.UTC(2026, 10, 26, 12)
const relayer = { address: '0xab', holds: amount(10n ** 18n), payments: 5000 }
const well: OperatingView = {
  ...{ at, startedAt: at - 1000, version: '0.1.0', runtime: { node: 'v20', platform: 'linux x64', processor: '' } },
  builds: { running: null, queued: [], done: 3, failed: [] },
  models: { known: 1, inMemory: [], most: 8 },
  chain: { caip2: 'eip155:1612', test: false, currency: 'OPEN', newest: { block: 9, at: at - 3000 }, finalBlock: 5, relayers: [relayer], problem: null },
  payments: { open: [{ state: 'reserved', count: 1, oldest: at - 2000 }], unconfirmed: 2 },
  storage: { folder: '/data', total: 1, parts: [], free: 50e9, size: 100e9 },
  memory: { process: 1, available: 8e9, total: 16e9 },
  load: { cores: 2, one: 0, five: 0, fifteen: 0 },
  faults: { count: 0, lastAt: null, last: null },
  warnings: [],
}
const codes = (change: Partial<OperatingView>) => attentionOf({ ...well, ...change }).map(({ code, level }) => `${level} ${code}`)

it('is nothing while all is well, however old the last block of an embedded chain is', () => {
  expect(codes({})).toEqual([])
  expect(codes({ chain: { ...well.chain, test: true, newest: { block: 9, at: at - 3600_000 } } })).toEqual([])
})

it('is a chain that is silent or behind, and gas that runs out: said once, with its figures', () => {
  expect(codes({ chain: { ...well.chain, newest: { block: 9, at: at - 600_000 } } })).toEqual(['act chain_behind'])
  const silent = { chain: { ...well.chain, newest: null, relayers: [], problem: 'The chain did not answer.' }, warnings: ['The chain did not answer.'] }
  expect(codes(silent)).toEqual(['act chain_silent'])
  const poor = { chain: { ...well.chain, relayers: [relayer, { ...relayer, address: '0xcd', payments: 3 }] }, warnings: ['The account 0xcd holds little.'] }
  expect(attentionOf({ ...well, ...poor })).toEqual([{ level: 'act', code: 'gas_low', values: { address: '0xcd', holds: '1', payments: 3 } }])
  expect(codes({ chain: { ...well.chain, relayers: [{ ...relayer, payments: 100 }] } })).toEqual(['watch gas_low'])
  expect(codes({ warnings: ['2 payments were undone.'] })).toEqual(['act warning'])
})

it('is payments that hang, a disk or memory that fills, and what broke of late, the urgent first', () => {
  const open = [
    { state: 'reserved' as const, count: 1, oldest: at - 3600_000 },
    { state: 'sending' as const, count: 0, oldest: null },
    { state: 'unknown' as const, count: 2, oldest: at - 120_000 },
  ]
  expect(codes({ payments: { open, unconfirmed: 0 } })).toEqual(['watch payments_unknown', 'watch payments_stuck'])
  expect(codes({ storage: { ...well.storage, free: 1e9 } })).toEqual(['watch disk_low'])
  const failed = { id: 'b', name: 'x', at: at - 1000, state: 'failed' as const, text: 'No room.' }
  expect(
    codes({
      storage: { ...well.storage, free: 1e8 },
      memory: { ...well.memory, available: 1e8 },
      faults: { count: 3, lastAt: at - 60_000, last: 'x' },
      builds: { ...well.builds, failed: [failed] },
    }),
  ).toEqual(['act disk_low', 'watch memory_low', 'watch build_failed', 'watch faults'])
  expect(codes({ faults: { count: 3, lastAt: at - 2 * 3600_000, last: 'x' }, builds: { ...well.builds, failed: [{ ...failed, state: 'refused' }] } })).toEqual(
    [],
  )
})
