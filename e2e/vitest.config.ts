/**
 * How the journeys are run: one after the other, against servers they start themselves. Knows nothing of what they do.
 */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: { root: import.meta.dirname, include: ['*.e2e.ts'], fileParallelism: false, testTimeout: 120_000, hookTimeout: 600_000, retry: 1 },
})
