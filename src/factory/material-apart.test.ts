/** Large material in a process of its own: the same as here, nobody waits meanwhile, and what is too heavy is a sentence. Knows nothing of builds. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { afterEach, expect, it } from 'vitest'
import { isRefusal } from '../core/errors.ts'
import { offlinePlanner } from '../drivers/planner/offline.ts'
import { anyFiles } from '../drivers/reader/any-files.ts'
import { openMaterial } from './material.ts'
import { materialApart } from './material-apart.ts'

const here = openMaterial({ planner: offlinePlanner(), reader: anyFiles() })
const words = 'Sort letters into order and complaint'
const opened: ReturnType<typeof materialApart>[] = []
const apart = (options: { megabytes?: number; smallBytes?: number }) => {
  const made = materialApart(here, { planner: undefined, ...options })
  opened.push(made)
  return made
}
afterEach(() => {
  for (const one of opened.splice(0)) one.close()
})

/** Letters that no two are alike, `count` of them. */
function letters(count: number) {
  const lines = Array.from({ length: count }, (_, index) => {
    const kind = index % 2 ? 'order' : 'complaint'
    return `"${kind === 'order' ? 'Please send me' : 'I am not happy with'} number ${index} of ${(index * 7919) % 100_003} ${'and so on '.repeat(index % 5)}",${kind}`
  })
  return { name: 'letters.csv', bytes: new TextEncoder().encode(['text,kind', ...lines].join('\n')) }
}

it('gives what it gives here, refusals included', async () => {
  const file = letters(300)
  const other = apart({ smallBytes: 0 })
  expect(await other.prepare(words, [file])).toEqual(await here.prepare(words, [file]))
  expect(await other.plan(words, [file])).toEqual(await here.plan(words, [file]))
  const broken = { name: 'book.xlsx', bytes: new TextEncoder().encode('no book') }
  const refused = await other.prepare(words, [broken])
  expect(isRefusal(refused)).toBe(true)
  expect(refused).toEqual(await here.prepare(words, [broken]))
}, 60_000)

it('keeps this process free while a large table is understood', async () => {
  const file = letters(40_000)
  const delay = monitorEventLoopDelay({ resolution: 10 })
  const other = apart({})
  delay.enable()
  const made = await other.prepare(words, [file])
  delay.disable()
  expect(isRefusal(made)).toBe(false)
  // Handing over and taking back are copies; reading, cleaning and splitting took seconds and were elsewhere.
  expect(delay.max / 1e6).toBeLessThan(1500)
  expect(delay.percentile(50) / 1e6).toBeLessThan(100)
}, 120_000)

it('says in a sentence what needs more memory than there is, and goes on with the next', async () => {
  const other = apart({ megabytes: 48, smallBytes: 0 })
  expect(await other.prepare(words, [letters(40_000)])).toMatchObject({ code: 'material_too_heavy' })
  expect(await other.plan(words, [letters(50)])).toMatchObject({ task: 'classify' })
}, 120_000)
