/**
 * Material child: the process in which large material is planned and collected, so that a table of a million rows never holds up a paid question.
 * Answers one call after the other and ends when its parent does. Knows nothing of who asks.
 */
import { llmPlanner } from '../drivers/planner/llm.ts'
import { offlinePlanner } from '../drivers/planner/offline.ts'
import { anyFiles } from '../drivers/reader/any-files.ts'
import { openMaterial } from './material.ts'
import type { Call, Reply } from './material-apart.ts'

const reader = anyFiles()

process.once('disconnect', () => process.exit(1))
process.on('message', async ({ planner, call }: Call) => {
  const material = openMaterial({ planner: planner ? llmPlanner(planner) : offlinePlanner(), reader })
  let reply: Reply
  try {
    reply = { value: call.method === 'plan' ? await material.plan(...call.values) : await material.prepare(...call.values) }
  } catch (error) {
    reply = { fault: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
  if (process.connected) process.send!(reply)
})
