/**
 * Runs the command line the way a person does: as a process of its own, on a data folder of its own.
 * Knows nothing of what is tested.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))
const bin = join(root, 'bin', 'modelfactory.mjs')

export type Finished = { code: number | null; stdout: string; stderr: string; json: Record<string, unknown> }

/** A fresh data folder under the system's temporary folder, and its removal. */
export async function dataFolder(): Promise<{ data: string; remove: () => Promise<void> }> {
  const data = await mkdtemp(join(tmpdir(), 'modelfactory-test-'))
  return { data, remove: () => rm(data, { recursive: true, force: true, maxRetries: 5 }) }
}

/** Runs one command to its end. `json` is the last line of standard output when it is an object. */
export async function modelfactory(args: readonly string[], options: { data?: string; env?: Record<string, string> } = {}): Promise<Finished> {
  const child = spawn(process.execPath, [bin, ...args], {
    cwd: root,
    env: { ...process.env, ...(options.data ? { MODELFACTORY_DATA: options.data } : {}), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => (stdout += chunk))
  child.stderr.on('data', (chunk) => (stderr += chunk))
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  let json: Record<string, unknown> = {}
  try {
    json = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, unknown>
  } catch {}
  return { code, stdout, stderr, json }
}

/** A port nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

export type Running = { url: string; child: ChildProcess; output: () => string; stop: () => Promise<number | null>; kill: () => Promise<void> }

/** Starts `up` as the leader of its own process group and waits until the studio's address is printed. */
export async function startServer(data: string, args: readonly string[] = [], seconds = 180): Promise<Running> {
  const { child, output, exited } = spawnServer(data, args)
  for (const until = Date.now() + seconds * 1000; Date.now() < until && child.exitCode === null; ) {
    const url = /Studio: (http:\S+)/.exec(output())?.[1]
    if (url)
      return {
        url,
        child,
        output,
        stop: async () => {
          child.kill('SIGTERM')
          return exited
        },
        kill: async () => {
          killGroup(child)
          await exited
        },
      }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  killGroup(child)
  throw new Error(`The server did not start within ${seconds} s:\n${output()}`)
}

/** Starts `up` and returns at once. */
export function spawnServer(data: string, args: readonly string[] = []): { child: ChildProcess; output: () => string; exited: Promise<number | null> } {
  const child = spawn(process.execPath, [bin, 'up', '--port', '0', ...args], {
    cwd: root,
    env: { ...process.env, MODELFACTORY_DATA: data },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  let text = ''
  child.stdout.on('data', (chunk) => (text += chunk))
  child.stderr.on('data', (chunk) => (text += chunk))
  return { child, output: () => text, exited: new Promise((resolve) => child.on('close', resolve)) }
}

/** `kill -9` of the whole process group: server, trainer and chain at once. */
export function killGroup(child: ChildProcess): void {
  try {
    process.kill(-child.pid!, 'SIGKILL')
  } catch {}
}
