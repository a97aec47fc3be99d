#!/usr/bin/env node
/**
 * Enough of the native solc command line for forge (`--version`, `--standard-json`), served by the WebAssembly compiler
 * of the npm package. Knows nothing of our contracts.
 */
const fs = require('node:fs')
const path = require('node:path')

const folder = path.dirname(require.resolve('solc/package.json'))

/** Asking the compiler for its version loads 9 MB of WebAssembly, so the answer is kept. */
function version() {
  const kept = path.join(__dirname, 'cache', `solc-${require(path.join(folder, 'package.json')).version}.txt`)
  try {
    const text = fs.readFileSync(kept, 'utf8')
    if (/^\d+\.\d+\.\d+\+commit\.[0-9a-f]+$/.test(text)) return text
  } catch {}
  const text = require(folder).version().replace(/\.Emscripten.*$/, '')
  try {
    fs.mkdirSync(path.dirname(kept), { recursive: true })
    fs.writeFileSync(`${kept}.${process.pid}.tmp`, text)
    fs.renameSync(`${kept}.${process.pid}.tmp`, kept)
  } catch {
    // A read-only checkout only asks again next time.
  }
  return text
}

const options = process.argv.slice(2)
if (options.includes('--version')) {
  process.stdout.write(`solc, the solidity compiler commandline interface\nVersion: ${version()}.Linux.g++\n`)
} else if (options.includes('--standard-json')) {
  process.stdout.write(require(folder).compile(fs.readFileSync(0, 'utf8')))
} else {
  process.stderr.write(`This solc stand-in knows --version and --standard-json, not: ${options.join(' ')}\n`)
  process.exitCode = 1
}
