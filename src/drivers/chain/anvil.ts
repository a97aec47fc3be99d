/**
 * Anvil: an EVM in memory, run from its npm package as a child that dies with this process. Knows nothing of contracts or
 * journals: it takes a genesis and answers JSON-RPC on 127.0.0.1.
 */
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BaseError } from '../../core/errors.ts'

export type Anvil = {
  readonly url: string
  /** Settles when anvil ends, with its last words. */
  readonly ended: Promise<string>
  close(): Promise<void>
}

/** `past`: every state there was; `present`: the latest state and every transaction; a number: transactions of so many blocks. */
export type Keep = 'past' | 'present' | number

const STATES_KEPT = 32
const startDeadlineMilliseconds = 30_000
const supervisor = fileURLToPath(new URL('./supervise.mjs', import.meta.url))

/**
 * Starts anvil on the genesis file: no development accounts, no CORS headers, a port the system chooses unless one is
 * named.
 * @throws {AnvilError} when there is no binary for this machine or it does not start.
 */
export async function startAnvil(options: {
  genesis: string
  timestamp: number
  chainId: number
  cache: string
  host?: string
  port?: number | undefined
  keep?: Keep
}): Promise<Anvil> {
  const parameters = [
    ...[
      '--host',
      options.host ?? '127.0.0.1',
      '--port',
      String(options.port ?? 0),
      '--accounts',
      '0',
      '--no-cors',
      '--no-request-size-limit',
      '--color',
      'never',
    ],
    ...['--init', options.genesis, '--timestamp', String(options.timestamp), '--chain-id', String(options.chainId)],
    // Old states are never asked for, except to take blocks back, and would fill the memory and then a folder. A few are kept, because a
    // question about the latest block is answered after the next has come.
    ...(options.keep === 'past' ? [] : [`--prune-history=${STATES_KEPT}`]),
    ...(typeof options.keep === 'number' ? ['--transaction-block-keeper', String(options.keep)] : []),
    ...['--cache-path', options.cache],
  ]
  // A process group of its own: Ctrl-C in a terminal must stop us first, so that we can stop anvil in order.
  const child = spawn(process.execPath, [supervisor, binary(), ...parameters], { stdio: ['pipe', 'pipe', 'pipe'], detached: true, windowsHide: true })
  let output = ''
  let finish: (words: string) => void = () => {}
  const ended = new Promise<string>((resolve) => {
    finish = resolve
  })
  child.once('exit', () => finish(lastWords(output)))
  child.once('error', (error) => finish(error.message))
  child.stdin.on('error', () => {})

  const listening = new Promise<string>((resolve, reject) => {
    const read = (data: Buffer): void => {
      output = (output + data.toString()).slice(-4000)
      const address = /Listening on (127\.\d+\.\d+\.\d+:\d+)/.exec(output)?.[1]
      if (address) resolve(`http://${address}`)
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    ended.then((words) => reject(new AnvilError(`The embedded chain (anvil) ended before it was ready: ${words}`)))
    setTimeout(
      () => reject(new AnvilError(`The embedded chain (anvil) was not ready after ${startDeadlineMilliseconds / 1000} s.`)),
      startDeadlineMilliseconds,
    ).unref()
  })
  const close = async (): Promise<void> => {
    child.stdin.end()
    await ended
  }
  try {
    return { url: await listening, ended, close }
  } catch (error) {
    child.stdin.end()
    throw error
  }
}

/** The anvil binary itself, not the package's launcher: that one would put a process between us and it. */
function binary(): string {
  const cpu = ({ x64: 'amd64', arm64: 'arm64' } as Record<string, string>)[process.arch]
  const name = `@foundry-rs/anvil-${process.platform}-${cpu}`
  const require = createRequire(import.meta.url)
  // The platform package stands beside the launcher's, or inside it, as npm pleases.
  const launcher = createRequire(require.resolve('@foundry-rs/anvil/package.json'))
  for (const resolve of [launcher.resolve, require.resolve]) {
    try {
      return join(dirname(resolve(`${name}/package.json`)), 'bin', process.platform === 'win32' ? 'anvil.exe' : 'anvil')
    } catch {
      // Tried the next way.
    }
  }
  throw new AnvilError(`There is no anvil for ${process.platform} ${process.arch} (${name}). Run npm install again, or connect a chain by its RPC address.`)
}

function lastWords(output: string): string {
  return output.trim().split('\n').slice(-3).join(' ').trim() || 'it said nothing'
}

/** Anvil is missing, does not start, or ended. */
export class AnvilError extends BaseError {
  override readonly name = 'Chain.AnvilError'
}
