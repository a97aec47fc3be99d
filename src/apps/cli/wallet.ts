/**
 * `wallet`: addresses and balances of the data folder's wallets, keys in and keys out, always encrypted. Passphrases come from a
 * file or the environment, never from the command line, where others can read them. Knows nothing of how a key is kept.
 */
import { open, readFile } from 'node:fs/promises'
import { isRefusal, type Refusal, refuse } from '../../core/errors.ts'
import type { Address } from '../../core/listing.ts'
import { amount } from '../../core/royalty.ts'
import type { StateView } from '../../core/view.ts'
import type { Context } from './connect.ts'
import { withServer } from './connect.ts'
import { request } from './requests.ts'

const wallets = async (context: Context) => (await import('../../factory/wallets.ts')).openWallets(context.config)

export async function walletList(context: Context): Promise<Refusal | undefined> {
  const opened = await wallets(context)
  if (isRefusal(opened)) return opened
  const list = await opened.list()
  context.out.result({ wallets: list }, list.length ? list.map(({ name, address }) => `${address} ${name}`).join('\n') : 'No wallets yet.')
  return undefined
}

export async function walletAddress(context: Context, name: string): Promise<Refusal | undefined> {
  const opened = await wallets(context)
  if (isRefusal(opened)) return opened
  const address = await opened.address(name)
  if (isRefusal(address)) return address
  context.out.result({ name, address }, address)
  return undefined
}

export async function walletBalance(context: Context, name: string): Promise<Refusal | undefined> {
  const held = await withServer(context, async (url) => {
    // The server is asked first, so that it, and not this process, makes the data folder's first keys.
    const state = await request<StateView>(url, '/api/state')
    if (isRefusal(state)) return state
    const opened = await wallets(context)
    if (isRefusal(opened)) return opened
    const address = await opened.address(name)
    if (isRefusal(address)) return address
    const { balanceOf } = await import('../../factory/wallets.ts')
    const { open: tokens, native } = await balanceOf(state.network.rpc, state.contracts.token as Address, address)
    return { name, address, open: amount(tokens), native: amount(native), currency: state.network.currency }
  })
  if (isRefusal(held)) return held
  context.out.result(held, `${held.address} holds ${held.open.open} ${held.currency} to pay with, and ${held.native.open} for gas.`)
  return undefined
}

export async function walletImport(context: Context, name: string, file: string, flags: { passphraseFile?: string }): Promise<Refusal | undefined> {
  const text = await readText(file)
  if (isRefusal(text)) return text
  const passphrase = await passphraseOf(flags)
  if (isRefusal(passphrase)) return passphrase
  const opened = await wallets(context)
  if (isRefusal(opened)) return opened
  const imported = await opened.import(name, text, passphrase)
  if (isRefusal(imported)) return imported
  context.out.result(
    { name, ...imported },
    `Imported ${imported.address} as "${name}". The file you gave still opens the same wallet: keep it safe, or destroy it.`,
  )
  return undefined
}

export async function walletExport(context: Context, name: string, path: string, flags: { passphraseFile?: string }): Promise<Refusal | undefined> {
  const passphrase = await passphraseOf(flags)
  if (isRefusal(passphrase)) return passphrase
  if (passphrase === undefined)
    return refuse(
      'passphrase_missing',
      'A key leaves only encrypted, and no passphrase was given.',
      'Give --passphrase-file, or set MODELFACTORY_WALLET_PASSPHRASE.',
    )
  const opened = await wallets(context)
  if (isRefusal(opened)) return opened
  const exported = await opened.export(name, passphrase)
  if (isRefusal(exported)) return exported
  // `wx`: nothing is overwritten, and only this user can read what is written.
  const written = await open(path, 'wx', 0o600)
    .then(async (target) => {
      await target.writeFile(`${JSON.stringify(exported.file, null, 2)}\n`)
      await target.close()
    })
    .catch((error: NodeJS.ErrnoException) =>
      refuse('file_not_writable', `The file "${path}" cannot be written (${error.code ?? error.message}).`, 'Give a path where there is nothing yet.'),
    )
  if (isRefusal(written)) return written
  context.out.result({ name, address: exported.address, file: path }, `Wrote ${exported.address}, encrypted, to ${path}.`)
  return undefined
}

async function passphraseOf({ passphraseFile }: { passphraseFile?: string }): Promise<string | undefined | Refusal> {
  if (passphraseFile === undefined) return process.env.MODELFACTORY_WALLET_PASSPHRASE
  const text = await readText(passphraseFile)
  return isRefusal(text) ? text : text.replace(/\r?\n$/, '')
}

function readText(path: string): Promise<string | Refusal> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) =>
    refuse('file_unreadable', `The file "${path}" cannot be read (${error.code ?? error.message}).`, 'Check the path.'),
  )
}

/** Turns earnings back into the coin of the chain. */
export async function walletUnwrap(context: Context, sum: string): Promise<Refusal | undefined> {
  const done = await withServer(context, (url) => request<{ tx: string }>(url, '/api/wallet/unwrap', { amount: sum }))
  if (isRefusal(done)) return done
  context.out.result(done, `${sum} OPEN of the builder's are coins of the chain again, transaction ${done.tx}.`)
  return undefined
}
