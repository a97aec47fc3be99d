#!/usr/bin/env node
/** The `modelfactory` command: makes the clone ready, then runs the command line's TypeScript as it stands. */
import { buildStudio, install } from './prepare.mjs'

// What preparation says goes to standard error, so that `--json` keeps standard output to itself.
const log = console.log
console.log = console.error
install()
if (process.argv[2] === 'up') buildStudio()
console.log = log

const { register } = await import('tsx/esm/api')
register()
await import('../src/apps/cli/main.ts')
