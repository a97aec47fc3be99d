/**
 * Configuration: environment and flags parsed once, with the embedded defaults. Knows nothing of what is opened with it.
 */
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { type Refusal, refuse } from '../core/errors.ts'

/** The repository, where the base model and the studio's build are. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
/** A base of the repository by its name. */
const ownBase = (name: string): string => join(ROOT, 'base', `${name}.q8_0.gguf`)
/** The base that is trained on unless another is named. */
export const OWN_BASE = ownBase('modelfactory-base-xs-v2')
export const DEFAULT_PORT = 4020

const text = (what: string) => z.string().min(1, what).optional()
/** Digits only: an empty value is no number, though JavaScript would read it as 0. */
const whole = (least: number, most: number) => {
  const what = `a whole number from ${least} to ${most}`
  return z
    .string()
    .regex(/^\d{1,9}$/, what)
    .transform(Number)
    .pipe(z.number().min(least, what).max(most, what))
    .optional()
}
const Environment = z.object({
  MODELFACTORY_DATA: text('the path of a folder'),
  MODELFACTORY_URL: z.url({ protocol: /^https?$/, error: 'an address such as http://127.0.0.1:4020' }).optional(),
  MODELFACTORY_HOST: text('an address to listen on'),
  MODELFACTORY_PORT: whole(0, 65535),
  MODELFACTORY_BASE: text('the path of a GGUF file, or hf:owner/name'),
  MODELFACTORY_PASSPHRASE: text('a passphrase'),
  MODELFACTORY_THREADS: whole(1, 1024),
  MODELFACTORY_RPC_URL: z.url({ protocol: /^https?$/, error: 'the RPC address of a node, such as http://127.0.0.1:8545' }).optional(),
  MODELFACTORY_CHAIN_ID: whole(1, 999_999_999),
  MODELFACTORY_RELAYERS: whole(1, 64),
  MODELFACTORY_CONFIRMATIONS: whole(0, 10_000),
  MODELFACTORY_PLANNER_URL: z
    .url({ protocol: /^https?$/, error: 'the base address of an OpenAI-compatible server, such as http://127.0.0.1:11434/v1' })
    .optional(),
  MODELFACTORY_PLANNER_MODEL: text('the name of a model'),
  MODELFACTORY_PLANNER_KEY: text('a key'),
  MODELFACTORY_TEACHER_URL: z
    .url({ protocol: /^https?$/, error: 'the base address of an OpenAI-compatible server, such as http://127.0.0.1:11434/v1' })
    .optional(),
  MODELFACTORY_TEACHER_MODEL: text('the name of a model'),
  MODELFACTORY_TEACHER_KEY: text('a key'),
  MODELFACTORY_DATABASE_URL: z
    .url({ protocol: /^postgres(ql)?$/, error: 'the address of a PostgreSQL database, such as postgresql://user@127.0.0.1/modelfactory' })
    .optional(),
})

export type Config = {
  /** Everything this gateway keeps: keys, database, store, checkpoints. One process at a time. */
  data: string
  host: string
  port: number
  /** Of the keystore; undefined lets the embedded chain generate one. Never logged. */
  passphrase: string | undefined
  /** What new models are trained on unless they say otherwise: the path of a GGUF file, or `hf:owner/name[:file]`. */
  base: string
  /** Cores a training run may use. */
  trainingThreads: number
  /** Cores serving may use: less than all, because llama.cpp's threads spin. */
  servingThreads: number
  /** Language model that plans, if one is configured. The key is never logged. */
  planner: { url: string; model: string; key: string | undefined } | undefined
  /** Language model that writes further examples from documents, if one is configured. The key is never logged. */
  teacher: { url: string; model: string; key: string | undefined } | undefined
  /** Address of a PostgreSQL database; undefined is the embedded one. It may hold a password and is never logged. */
  database: string | undefined
  /** A chain that others run; undefined is the embedded one. The address may hold a key and is never logged. */
  chain: { rpc: string; chainId: number; relayers: number | undefined; confirmations: number | undefined } | undefined
  /** Seconds one build's training may take, unless the builder says otherwise. */
  trainingSeconds: number
}

export function readConfig(
  flags: { data?: string | undefined; base?: string | undefined; host?: string | undefined; port?: number | undefined } = {},
  environment: Record<string, string | undefined> = process.env,
): Config | Refusal {
  const parsed = Environment.safeParse(environment)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!
    const name = String(issue.path[0])
    const shown = /_(PASSPHRASE|PLANNER_KEY|TEACHER_KEY|RPC_URL|DATABASE_URL)$/.test(name) ? '(not shown)' : `"${environment[name]}"`
    return refuse('bad_environment', `The environment variable ${name} is ${shown}, but must be ${issue.message}.`, 'Correct or unset it.')
  }
  const { MODELFACTORY_PLANNER_URL: url, MODELFACTORY_PLANNER_MODEL: model, MODELFACTORY_PLANNER_KEY: key } = parsed.data
  if ((url === undefined) !== (model === undefined))
    return refuse(
      'bad_environment',
      `Of MODELFACTORY_PLANNER_URL and MODELFACTORY_PLANNER_MODEL only ${url === undefined ? 'the second' : 'the first'} is set.`,
      'Set both for a language model that plans, or neither.',
    )
  const { MODELFACTORY_TEACHER_URL: teacherUrl, MODELFACTORY_TEACHER_MODEL: teacherModel } = parsed.data
  if ((teacherUrl === undefined) !== (teacherModel === undefined))
    return refuse(
      'bad_environment',
      `Of MODELFACTORY_TEACHER_URL and MODELFACTORY_TEACHER_MODEL only ${teacherUrl === undefined ? 'the second' : 'the first'} is set.`,
      'Set both for a language model that writes examples, or neither.',
    )
  const { MODELFACTORY_RPC_URL: rpc, MODELFACTORY_CHAIN_ID: chainId, MODELFACTORY_RELAYERS: relayers, MODELFACTORY_CONFIRMATIONS: confirmations } = parsed.data
  if ((rpc === undefined) !== (chainId === undefined))
    return refuse(
      'bad_environment',
      `Of MODELFACTORY_RPC_URL and MODELFACTORY_CHAIN_ID only ${rpc === undefined ? 'the second' : 'the first'} is set.`,
      'Set both for a chain that others run, or neither for the embedded one.',
    )
  const cores = parsed.data.MODELFACTORY_THREADS ?? availableParallelism()
  return {
    data: resolve(flags.data ?? parsed.data.MODELFACTORY_DATA ?? join(ROOT, '.modelfactory')),
    host: flags.host ?? parsed.data.MODELFACTORY_HOST ?? '127.0.0.1',
    port: flags.port ?? parsed.data.MODELFACTORY_PORT ?? DEFAULT_PORT,
    passphrase: parsed.data.MODELFACTORY_PASSPHRASE,
    base: baseReference(flags.base ?? parsed.data.MODELFACTORY_BASE ?? OWN_BASE),
    trainingThreads: cores,
    servingThreads: Math.max(1, Math.floor(cores / 2)),
    planner: url === undefined || model === undefined ? undefined : { url, model, key },
    teacher:
      teacherUrl === undefined || teacherModel === undefined ? undefined : { url: teacherUrl, model: teacherModel, key: parsed.data.MODELFACTORY_TEACHER_KEY },
    database: parsed.data.MODELFACTORY_DATABASE_URL,
    chain: rpc === undefined || chainId === undefined ? undefined : { rpc, chainId, relayers, confirmations },
    trainingSeconds: 150,
  }
}

/** A base as it was named: one of the repository's by its name alone, or a path, made absolute so that it means the same to the server. */
export function baseReference(text: string): string {
  if (text.startsWith('hf:')) return text
  return /^[\w-]+$/.test(text) && existsSync(ownBase(text)) ? ownBase(text) : resolve(text)
}
