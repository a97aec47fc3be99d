/**
 * Calls that come together go to the database together: while one statement is under way, those that come wait and make up the next. Nobody
 * waits for company, so a call by itself is as quick as before. Knows nothing of what is asked.
 */

/** Rows in one statement at most: PostgreSQL takes 65,535 values in one, and an answer may be long. */
const MOST_ROWS = 64

type Waiting<Item, Result> = { item: Item; resolve: (result: Result) => void; reject: (fault: unknown) => void }

/**
 * `run` gives one result an item, in their order, all by one statement. No batch holds two items of one key; the later goes with the next.
 * When the database refuses a batch for what is in it, each of its items is tried by itself, so that none fails for another's fault; when it
 * is not known whether it was written, a connection having broken, all fail. `sync`, awaited once after every statement, makes it durable: when
 * it fails nothing is tried again, since all is written already, and every item of the batch fails.
 */
export function gathered<Item, Result>(options: {
  key: (item: Item) => string
  run: (items: readonly Item[]) => Promise<readonly Result[]>
  sync?: (results: readonly Result[]) => Promise<void>
}): (item: Item) => Promise<Result> {
  const { key, run, sync = async () => {} } = options
  let waiting: Waiting<Item, Result>[] = []
  let running = false

  const together = async (batch: readonly Waiting<Item, Result>[]): Promise<void> => {
    let results: readonly Result[]
    try {
      results = await run(batch.map(({ item }) => item))
    } catch (fault) {
      if (batch.length > 1 && undone(fault)) for (const one of batch) await together([one])
      else for (const { reject } of batch) reject(fault)
      return
    }
    try {
      await sync(results)
    } catch (fault) {
      for (const { reject } of batch) reject(fault)
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

/** Whether the database said that it did nothing: SQLSTATE classes of data, constraints, transactions rolled back and limits. */
function undone(fault: unknown): boolean {
  for (let at = fault; at instanceof Error; at = at.cause) if (/^(22|23|40|54)[0-9A-Z]{3}$/.test(String((at as { code?: unknown }).code))) return true
  return false
}
