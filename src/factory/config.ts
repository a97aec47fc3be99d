/**
 * Configuration: environment and flags parsed once, with the embedded defaults. Knows nothing of what is opened with it.
 */
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { type Refusal, refuse } from '../core/errors.ts'

/** The repository, where the base model and the studio's build are. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
export const DEFAULT_PORT = 4020

const Environment = z.object({
  MODELFACTORY_DATA: z.string().min(1).optional(),
  MODELFACTORY_URL: z.url().optional(),
  MODELFACTORY_HOST: z.string().min(1).optional(),
  MODELFACTORY_PORT: z.coerce.number().int().min(0).max(65535).optional(),
  MODELFACTORY_BASE: z.string().min(1).optional(),
  MODELFACTORY_PASSPHRASE: z.string().min(1).optional(),
  MODELFACTORY_THREADS: z.coerce.number().int().min(1).max(1024).optional(),
})

export type Config = {
  /** Everything this gateway keeps: keys, database, store, checkpoints. One process at a time. */
  data: string
  host: string
  port: number
  /** Of the keystore; undefined lets the embedded chain generate one. Never logged. */
  passphrase: string | undefined
  /** GGUF file new models are trained on. */
  base: string
  /** Cores a training run may use. */
  trainingThreads: number
  /** Cores serving may use: less than all, because llama.cpp's threads spin. */
  servingThreads: number
  /** Seconds one build's training may take, unless the builder says otherwise. */
  trainingSeconds: number
}

export function readConfig(
  flags: { data?: string | undefined; host?: string | undefined; port?: number | undefined } = {},
  environment: Record<string, string | undefined> = process.env,
): Config | Refusal {
  const parsed = Environment.safeParse(environment)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!
    const name = String(issue.path[0])
    const shown = name === 'MODELFACTORY_PASSPHRASE' ? '(not shown)' : `"${environment[name]}"`
    return refuse('bad_environment', `The environment variable ${name} is ${shown}: ${issue.message}.`, 'Correct or unset it.')
  }
  const cores = parsed.data.MODELFACTORY_THREADS ?? availableParallelism()
  return {
    data: resolve(flags.data ?? parsed.data.MODELFACTORY_DATA ?? join(ROOT, '.modelfactory')),
    host: flags.host ?? parsed.data.MODELFACTORY_HOST ?? '127.0.0.1',
    port: flags.port ?? parsed.data.MODELFACTORY_PORT ?? DEFAULT_PORT,
    passphrase: parsed.data.MODELFACTORY_PASSPHRASE,
    base: resolve(parsed.data.MODELFACTORY_BASE ?? join(ROOT, 'base', 'modelfactory-base-xs-v0.q8_0.gguf')),
    trainingThreads: cores,
    servingThreads: Math.max(1, Math.floor(cores / 2)),
    trainingSeconds: 150,
  }
}
