/**
 * One paid query, as the command line makes it: a wallet of the data folder, our own paying client, a chat completion.
 * Knows nothing of printing.
 */

import type { Answer } from '../../core/answer.ts'
import { isRefusal, type Refusal } from '../../core/errors.ts'
import type { Hex } from '../../core/listing.ts'
import type { Amount } from '../../core/royalty.ts'
import type { StateView } from '../../core/view.ts'
import type { Config } from '../../factory/config.ts'
import { openWallet } from '../../factory/gateway.ts'
import { answerOf } from '../client/answer.ts'
import { explain, openClient, PayError } from '../client/client.ts'
import { request } from './requests.ts'

export type Purchase = {
  answer: string
  sources?: unknown
  label?: string
  scores?: unknown
  /** Null when nothing was charged; `free` says why. */
  receipt: { tx: string; amount: Amount; payer: string; builder: string; modelId: string } | null
  free?: string
}

/** `requestHash` is what a passport of the query is asked for by, `texts` only the payer holds, `currency` is what the chain's money is called. */
export type Bought = { shown: Purchase; currency: string; requestHash: string; texts: { request: string; answer: Answer | undefined } }

type ChatCompletion = {
  choices: { message: { content: string } }[]
  modelfactory: {
    sources?: unknown
    label?: string
    scores?: unknown
    receipt: (NonNullable<Purchase['receipt']> & { requestHash: string }) | null
    free?: string | null
  }
}

/** A buyer of one server's queries; ask for the server's chain once, pay many times. */
export async function openBuyer(
  config: Config,
  options: { url: string; wallet: string; maximum: bigint; store?: boolean | undefined },
): Promise<((model: string, text: string) => Promise<Bought | Refusal>) | Refusal> {
  // The server is asked first, so that it, and not this process, makes the data folder's first keys.
  const state = await request<StateView>(options.url, '/api/state')
  if (isRefusal(state)) return state
  const account = await openWallet(config, options.wallet)
  if (isRefusal(account)) return account
  const { url, maximum } = options
  const client = await openClient({ url, account, network: state.network.caip2, asset: state.contracts.token as Hex, maximum })
  return async (model, text) => {
    const body = JSON.stringify({ model, messages: [{ role: 'user', content: text }], ...(options.store && { store: true }) })
    try {
      const response = await client.fetch(`${url}/v1/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
      const refused = await explain(response)
      if (refused) return refused
      const completion = (await response.json()) as ChatCompletion
      const requestHash = completion.modelfactory.receipt?.requestHash ?? ''
      return { shown: purchase(completion), currency: state.network.currency, requestHash, texts: { request: body, answer: answerOf(completion) } }
    } catch (error) {
      if (error instanceof PayError) return error.refusal
      throw error
    }
  }
}

function purchase({ choices, modelfactory }: ChatCompletion): Purchase {
  const { sources, label, scores, receipt, free } = modelfactory
  return {
    answer: choices[0]?.message.content ?? '',
    ...(sources === undefined ? {} : { sources }),
    ...(label === undefined ? {} : { label, scores }),
    ...(free ? { free } : {}),
    receipt: receipt && { tx: receipt.tx, amount: receipt.amount, payer: receipt.payer, builder: receipt.builder, modelId: receipt.modelId },
  }
}
