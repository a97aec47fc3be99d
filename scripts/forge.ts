/**
 * Runs forge in `contracts/`, offline, with the compiler and libraries of node_modules: `npx tsx scripts/forge.ts test`.
 * Finds the binary in the package of this platform, so no install script has to run. Knows nothing of what the contracts do.
 */
import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

export const repository = fileURLToPath(new URL('..', import.meta.url))

/**
 * Path of the forge binary.
 * @throws {MissingError} when npm left out the optional package of this platform.
 */
export function forgeBinary(): string {
  const platform = { win32: 'win32', linux: 'linux', darwin: 'darwin' }[process.platform as string] ?? process.platform
  const name = `@foundry-rs/forge-${platform}-${process.arch === 'x64' ? 'amd64' : process.arch}`
  const require = createRequire(createRequire(import.meta.url).resolve('@foundry-rs/forge/package.json'))
  try {
    const path = join(dirname(require.resolve(`${name}/package.json`)), 'bin', process.platform === 'win32' ? 'forge.exe' : 'forge')
    if (existsSync(path)) return path
  } catch (cause) {
    throw new MissingError(name, cause)
  }
  throw new MissingError(name)
}

type ForgeOptions = { inherit?: boolean; folder?: string; environment?: Record<string, string> }

/** Runs forge and waits; output is captured unless `inherit`. `folder` is another copy of the repository to run it in. */
export function forge(commandLine: readonly string[], options: ForgeOptions = {}): SpawnSyncReturns<string> {
  const { cwd, env } = setting(options)
  return spawnSync(forgeBinary(), [...commandLine, '--root', cwd], {
    cwd,
    env,
    encoding: 'utf8',
    stdio: options.inherit ? 'inherit' : 'pipe',
    maxBuffer: 256 * 1024 * 1024,
  })
}

/** As {@link forge}, without holding up others; `output` is what it wrote to both streams. */
export function forgeBeside(commandLine: readonly string[], options: Omit<ForgeOptions, 'inherit'> = {}): Promise<{ status: number; output: string }> {
  const { cwd, env } = setting(options)
  const child = spawn(forgeBinary(), [...commandLine, '--root', cwd], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const parts: Buffer[] = []
  child.stdout.on('data', (part: Buffer) => parts.push(part))
  child.stderr.on('data', (part: Buffer) => parts.push(part))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (status) => resolve({ status: status ?? 1, output: Buffer.concat(parts).toString() }))
  })
}

function setting({ folder = repository, environment }: ForgeOptions): { cwd: string; env: NodeJS.ProcessEnv } {
  return {
    cwd: folder,
    env: {
      ...process.env,
      FOUNDRY_CONFIG: join(folder, 'contracts/foundry.toml'),
      FOUNDRY_OFFLINE: 'true',
      FOUNDRY_DISABLE_NIGHTLY_WARNING: '1',
      ...environment,
    },
  }
}

/** npm did not install the forge binary. */
export class MissingError extends Error {
  override readonly name = 'Forge.MissingError'
  constructor(packageName: string, cause?: unknown) {
    super(`The forge binary of ${packageName} is not installed; run npm install with optional dependencies on a supported platform.`, { cause })
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [command = 'test', ...rest] = process.argv.slice(2)
  const result = forge([command, ...rest], { inherit: true })
  if (result.error) throw result.error
  process.exit(result.status ?? 1)
}
