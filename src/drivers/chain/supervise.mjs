/**
 * Runs one program and sees to it that the program dies with the process that started this one, even when that is killed
 * with SIGKILL: the system then closes our standard input. Plain JavaScript, so that it starts without a loader.
 * Knows nothing of what it runs: `node supervise.mjs PROGRAM ARGUMENT...`.
 */
import { spawn } from 'node:child_process'

const [program, ...parameters] = process.argv.slice(2)
const child = spawn(program, parameters, { stdio: ['ignore', 'inherit', 'inherit'], windowsHide: true })
const stop = () => child.kill('SIGKILL')

child.once('error', (error) => {
  console.error(`${program} does not start: ${error.message}`)
  process.exit(127)
})
child.once('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)))
process.stdin.once('end', stop)
process.stdin.once('error', stop)
process.stdin.resume()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {})
process.once('exit', stop)
