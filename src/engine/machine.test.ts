import { freemem } from 'node:os'
import { expect, it } from 'vitest'
import { measureRate, readMachine } from './machine.ts'

const files = (found: Record<string, string>) => (path: string) => found[path]

it('counts what the container leaves free, in both versions of control groups', () => {
  const plain = readMachine(files({}))
  expect(plain.cores).toBeGreaterThan(0)
  // Free memory moves between two looks.
  expect(plain.availableBytes / freemem()).toBeCloseTo(1, 0)
  const second = { '/sys/fs/cgroup/memory.max': '1000000\n', '/sys/fs/cgroup/memory.current': '700000\n' }
  expect(readMachine(files(second))).toMatchObject({ totalBytes: 1_000_000, availableBytes: 300_000 })
  const idle = { ...second, '/sys/fs/cgroup/memory.stat': 'anon 5\ninactive_file 200000\n' }
  expect(readMachine(files(idle)).availableBytes).toBe(500_000)
  const first = {
    '/proc/self/cgroup': '5:cpu:/\n4:memory:/job\n',
    '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712',
    '/sys/fs/cgroup/memory/job/memory.limit_in_bytes': '2000000',
    '/sys/fs/cgroup/memory/job/memory.usage_in_bytes': '2500000',
  }
  expect(readMachine(files(first))).toMatchObject({ totalBytes: 2_000_000, availableBytes: 0 })
  expect(readMachine(files({ '/sys/fs/cgroup/memory.max': 'max\n', '/sys/fs/cgroup/memory.current': '5' })).availableBytes).toBeGreaterThan(1e6)
})

it('measures a rate that a computer can have', async () => {
  const rate = await measureRate({ threads: 1, seconds: 0.1 })
  expect(rate).toBeGreaterThan(1e8)
  expect(rate).toBeLessThan(1e13)
})
