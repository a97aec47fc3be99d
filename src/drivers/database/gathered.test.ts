/** Calls gathered into batches: what goes together, what waits, and that none fails for another's fault. */
import { expect, it } from 'vitest'
import { gathered } from './gathered.ts'

function world() {
  const batches: string[][] = []
  let open: (() => void)[] = []
  const ask = gathered<string, string>({
    key: (item) => item.split(':')[0]!,
    async run(items) {
      batches.push([...items])
      await new Promise<void>((resolve) => open.push(resolve))
      if (items.some((item) => item.includes('bad'))) throw new Error('failed', { cause: Object.assign(new Error(`no: ${items.join()}`), { code: '23505' }) })
      if (items.some((item) => item.includes('lost'))) throw Object.assign(new Error('gone'), { code: 'ECONNRESET' })
      return items.map((item) => item.toUpperCase())
    },
  })
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  return {
    batches,
    ask,
    turn,
    /** Lets every statement end, those that come meanwhile too. */
    async finish() {
      for (let quiet = 0; quiet < 5; quiet++) {
        if (open.length) quiet = 0
        const ending = open
        open = []
        for (const end of ending) end()
        await turn()
      }
    },
  }
}

it('sends what one turn asks together, and what comes meanwhile with the next', async () => {
  const { batches, ask, turn, finish } = world()
  const first = [ask('a'), ask('b')]
  await turn()
  const second = [ask('c'), ask('d'), ask('e')]
  await turn()
  expect(batches).toEqual([['a', 'b']])
  await finish()
  expect(await Promise.all([...first, ...second])).toEqual(['A', 'B', 'C', 'D', 'E'])
  expect(batches).toEqual([
    ['a', 'b'],
    ['c', 'd', 'e'],
  ])
  const last = ask('f')
  await finish()
  expect(await last).toBe('F')
})

it('keeps the order of one key, in batches of their own', async () => {
  const { batches, ask, finish } = world()
  const all = Promise.all([ask('a:1'), ask('a:2'), ask('b:1'), ask('a:3')])
  await finish()
  expect(await all).toEqual(['A:1', 'A:2', 'B:1', 'A:3'])
  expect(batches).toEqual([['a:1', 'b:1'], ['a:2'], ['a:3']])
})

it('tries each by itself when a batch fails, and goes on', async () => {
  const { batches, ask, finish } = world()
  const all = Promise.allSettled([ask('a'), ask('bad'), ask('c')])
  await finish()
  expect((await all).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(batches).toEqual([['a', 'bad', 'c'], ['a'], ['bad'], ['c']])
  const next = ask('d')
  await finish()
  expect(await next).toBe('D')
})

it('tries nothing again that may have been written', async () => {
  const { batches, ask, finish } = world()
  const all = Promise.allSettled([ask('a'), ask('lost')])
  await finish()
  expect((await all).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect(batches).toEqual([['a', 'lost']])
})

it('sends no more than 64 in one', async () => {
  const { batches, ask, finish } = world()
  const all = Promise.all(Array.from({ length: 150 }, (_, number) => ask(`n${number}`)))
  await finish()
  expect(await all).toHaveLength(150)
  expect(batches.map(({ length }) => length)).toEqual([64, 64, 22])
})

it('makes a batch durable once before anyone hears of it, and tries nothing again when that fails', async () => {
  const order: string[] = []
  let full = false
  const ask = gathered<string, string>({
    key: (item) => item,
    run: async (items) => {
      order.push(`write ${items.join()}`)
      return items
    },
    sync: async (results) => {
      order.push(`sync ${results.join()}`)
      if (full) throw new Error('no space left')
    },
  })
  const heard = (item: string) =>
    ask(item).then(
      () => void order.push(`heard ${item}`),
      (fault: Error) => void order.push(`${item}: ${fault.message}`),
    )
  await Promise.all([heard('a'), heard('b')])
  full = true
  await Promise.all([heard('c'), heard('d')])
  expect(order).toEqual(['write a,b', 'sync a,b', 'heard a', 'heard b', 'write c,d', 'sync c,d', 'c: no space left', 'd: no space left'])
})
