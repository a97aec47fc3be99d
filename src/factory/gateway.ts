/**
 * The data folder and the wallets in it, for the apps: who holds it, taking it, opening a wallet.
 * One process at a time may open a data folder; everyone else talks to that process.
 */
import { join } from 'node:path'
import { isRefusal, type Refusal } from '../core/errors.ts'
import { localAccount, openKeystore } from '../drivers/keystore/keystore.ts'
import { acquire, holder } from '../drivers/lock/lock.ts'
import type { Config } from './config.ts'
import type { ModelFactory } from './factory.ts'

export type Gateway = { factory: ModelFactory; announce(url: string): Promise<void>; close(): Promise<void> }

/** Takes the data folder and opens the factory on it; refuses, naming the holder, when another process has it. */
export async function openGateway(config: Config, tell?: (text: string) => void): Promise<Gateway | Refusal> {
  const lock = await acquire(config.data)
  if (isRefusal(lock)) return lock
  let factory: ModelFactory | Refusal
  try {
    // All drivers come with it; a command that talks to a running server needs none of them.
    const { openFactory } = await import('./open.ts')
    factory = await openFactory(config, tell)
  } catch (error) {
    await lock.release()
    throw error
  }
  if (isRefusal(factory)) {
    await lock.release()
    return factory
  }
  const opened = factory
  return {
    factory: opened,
    announce: (url) => lock.announce(url),
    async close() {
      await opened.close()
      await lock.release()
    },
  }
}

/** The process that has the data folder, and its address once it listens. */
export function whoHolds(config: Config): Promise<{ pid: number; url: string | undefined } | undefined> {
  return holder(config.data)
}

/** A wallet of this data folder by name, made on first use. */
export async function openWallet(config: Config, name: string) {
  const keystore = await openKeystore({ folder: join(config.data, 'keys'), passphrase: config.passphrase, embedded: config.chain === undefined })
  return isRefusal(keystore) ? keystore : localAccount(await keystore.account(name))
}
