import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'studio/src/**/*.test.ts', 'test/**/*.test.ts', 'scripts/**/*.test.ts', 'base/**/*.test.ts', 'bench/**/*.test.ts'],
    // The machines have two cores, and several tests start real servers, chains and training runs.
    maxWorkers: 2,
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
})
