/**
 * Watch: looks again and again at payments whose outcome is open, and tells whoever runs the gateway what to see to. Knows nothing of models.
 */
import type { Chain } from '../ports/chain.ts'
import type { Database } from '../ports/database.ts'
import { confirm, recheck } from '../steps/reconcile.ts'

/** How often payments whose outcome is not known are asked of the chain again. */
const RECHECK_MS = 5000
/** How often gas and other things that run out are looked at. */
const WATCH_MS = 60_000

export function watchPayments(ports: { chain: Chain; database: Database }, now: () => number): { warnings(): Promise<string[]>; stop(): void } {
  let undone = 0
  const look = async () => {
    await recheck(ports, { now })
    const confirmed = await confirm(ports, { now })
    if (confirmed.undone > undone) console.error(undoneWarning(confirmed.undone))
    undone = confirmed.undone
  }
  let looking = false
  const rechecking = setInterval(() => {
    if (looking) return
    looking = true
    look()
      .catch((error: unknown) => console.error('Payments could not be looked up:', error))
      .finally(() => {
        looking = false
      })
  }, RECHECK_MS)
  rechecking.unref()
  /** Said once each in the log, and in the state for as long as they hold. */
  const said = new Set<string>()
  async function warnings(): Promise<string[]> {
    return [...(await ports.chain.warnings()), ...(undone ? [undoneWarning(undone)] : [])]
  }
  const watching = setInterval(() => {
    warnings()
      .then((present) => {
        for (const warning of present) if (!said.has(warning)) console.error(warning)
        said.clear()
        for (const warning of present) said.add(warning)
      })
      .catch(() => {})
  }, WATCH_MS)
  watching.unref()
  return {
    warnings,
    stop() {
      clearInterval(rechecking)
      clearInterval(watching)
    },
  }
}

function undoneWarning(count: number): string {
  return `${count === 1 ? '1 payment was' : `${count} payments were`} undone by a reorganisation of the chain and cannot be made again.`
}
