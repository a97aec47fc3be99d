/**
 * Calls that come together go to the database together: while one statement is under way, those that come wait and make up the next. Nobody
 * waits for company, so a call by itself is as quick as before. Knows nothing of what is asked.
 */

/** Rows in one statement at most: PostgreSQL takes 65,535 values in one, and an answer may be long. */
const MOST_ROWS = 64

type Waiting<Item, Result> = { item: Item; resolve: (result: Result) => void; reject: (fault: unknown) => void }

/**
 * `run` gives one result an item, in their order, all by one statement. No batch holds two items of one key; the later goes with the next.
 * When a batch fails, each of its items is tried by itself, so that none fails for another's fault.
 */
export function gathered<Item, Result>(options: {
  key: (item: Item) => string
  run: (items: readonly Item[]) => Promise<readonly Result[]>
}): (item: Item) => Promise<Result> {
  const { key, run } = options
  let waiting: Waiting<Item, Result>[] = []
  let running = false

  const alone = async ({ item, resolve, reject }: Waiting<Item, Result>): Promise<void> => {
    try {
      resolve((await run([item]))[0]!)
    } catch (fault) {
      reject(fault)
    }
  }

  const together = async (batch: readonly Waiting<Item, Result>[]): Promise<void> => {
    if (batch.length === 1) return alone(batch[0]!)
    let results: readonly Result[]
    try {
      results = await run(batch.map(({ item }) => item))
    } catch {
      for (const one of batch) await alone(one)
      return
    }
    for (const [place, { resolve }] of batch.entries()) resolve(results[place]!)
  }

  const drain = async (): Promise<void> => {
    while (waiting.length > 0) {
      const keys = new Set<string>()
      const batch: Waiting<Item, Result>[] = []
      const later: Waiting<Item, Result>[] = []
      for (const one of waiting) {
        const name = key(one.item)
        const next = batch.length === MOST_ROWS || keys.has(name)
        keys.add(name)
        ;(next ? later : batch).push(one)
      }
      waiting = later
      await together(batch)
    }
    running = false
  }

  return (item) =>
    new Promise<Result>((resolve, reject) => {
      waiting.push({ item, resolve, reject })
      if (running) return
      running = true
      // What else this turn of the event loop asks comes along.
      setImmediate(drain)
    })
}
