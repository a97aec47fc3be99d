/**
 * Makes a clone ready, with Node alone: checks Node's version, installs when node_modules does not match the lockfile,
 * builds the studio's page when its sources changed. Called first by every other file here.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** Hash of files' names and contents, in order. */
function fingerprint(paths) {
  const hash = createHash('sha256')
  for (const path of paths) hash.update(path.slice(root.length)).update('\0').update(readFileSync(path)).update('\0')
  return hash.digest('hex')
}

function run(command, args, options = {}) {
  const done = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], ...options })
  if (done.status !== 0) {
    console.error(
      `${command} ${args.join(' ')} ended with ${done.status ?? done.signal ?? done.error?.message}. Correct what it says above and run the same command again.`,
    )
    process.exit(1)
  }
}

/** Installs the exact packages of the lockfile, once per lockfile. */
export function install() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 19)) {
    console.error(`This is Node ${process.versions.node}, but ModelFactory needs 20.19 or later: install a newer Node and run the same command again.`)
    process.exit(1)
  }
  const stamp = join(root, 'node_modules', '.modelfactory-lockfile')
  // The lockfile repeats what both package.json ask for; their scripts change nothing that is installed.
  const wanted = fingerprint([join(root, 'package-lock.json')])
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  console.log('Installing packages (once; about a minute) ...')
  // npm is started through the very Node that runs this, so that a version manager cannot mix two of them.
  const npm = process.env.npm_execpath
  if (npm && /\.[cm]?js$/.test(npm)) run(process.execPath, [npm, 'ci', '--no-audit', '--no-fund'])
  else run('npm', ['ci', '--no-audit', '--no-fund'], { shell: process.platform === 'win32' })
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, wanted)
}

/** Builds the studio's page, once per change of its sources. */
export function buildStudio() {
  const studio = join(root, 'studio')
  const sources = readdirSync(studio, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .filter((path) => !/[\\/](dist|node_modules)[\\/]/.test(path) && !/\.test\.tsx?$/.test(path))
  const core = readdirSync(join(root, 'src', 'core')).map((name) => join(root, 'src', 'core', name))
  const wanted = fingerprint([...sources, ...core].sort())
  const stamp = join(studio, 'dist', '.fingerprint')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  console.log('Building the studio ...')
  run(process.execPath, [join(root, 'node_modules', 'vite', 'bin', 'vite.js'), 'build', 'studio', '--logLevel', 'warn'])
  writeFileSync(stamp, wanted)
}
