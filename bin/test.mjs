/** `npm test`: installs when needed, checks the house, then runs every test. Further arguments go to vitest. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { buildStudio, install, root } from './prepare.mjs'

install()
buildStudio()
const done = spawnSync(process.execPath, [join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run', ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' })
process.exit(done.status ?? 1)
