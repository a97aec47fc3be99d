/**
 * Snippets: how a listing is asked from a program, in the terminal, TypeScript and Python, with its name and this server's address filled in.
 * Knows nothing of the protocol beyond their text.
 */
import { useState } from 'react'
import type { StateView } from '../../../src/core/view.ts'
import { shellQuote } from '../format.ts'
import { useWords } from '../language.ts'
import { Command } from '../parts/copy.tsx'
import { marketWords } from './words.ts'

type Place = { url: string; network: Pick<StateView['network'], 'caip2' | 'rpc'>; token: string }

/** The texts, apart from the page so that a test can run them. `price` is in atomic units. */
export function snippetsOf(model: string, price: string, { url, network, token }: Place, question = 'What do you do?') {
  const json = JSON.stringify
  const body = json({ model, messages: [{ role: 'user', content: question }] })
  return {
    curl: `curl -i ${url}/v1/chat/completions \\\n  -H 'content-type: application/json' \\\n  -d ${shellQuote(body)}`,
    pay: `npx modelfactory query ${/^[a-z0-9-]+$/.test(model) ? model : shellQuote(model)} ${shellQuote(question)} --url ${url}`,
    typescript: `import OpenAI from 'openai'
import { privateKeyToAccount } from 'viem/accounts'
import { openClient } from 'modelfactory/client'

const client = await openClient({
  url: ${json(url)},
  account: privateKeyToAccount(process.env.PAYER_KEY as \`0x\${string}\`),
  network: ${json(network.caip2)},
  asset: ${json(token)},
  maximum: ${price}n, // one question, in atomic units of OPEN
  budget: { perDay: ${price}n * 100n },
})
const openai = new OpenAI({ baseURL: ${json(`${url}/v1`)}, apiKey: 'none', fetch: client.fetch })
const reply = await openai.chat.completions.create({
  model: ${json(model)},
  messages: [{ role: 'user', content: ${json(question)} }],
})
console.log(reply.choices[0]?.message.content, client.paid())`,
    python: `import os
from eth_account import Account
from x402 import x402ClientSync
from x402.http.clients import x402_requests
from x402.mechanisms.evm import EthAccountSigner
from x402.mechanisms.evm.exact.register import register_exact_evm_client

client = x402ClientSync()
register_exact_evm_client(client, EthAccountSigner(Account.from_key(os.environ["PAYER_KEY"])))
with x402_requests(client) as session:
    reply = session.post(
        ${json(`${url}/v1/chat/completions`)},
        json={"model": ${json(model)}, "messages": [{"role": "user", "content": ${json(question)}}]},
    )
    print(reply.json()["choices"][0]["message"]["content"])`,
  }
}

const KINDS = [
  ['curl', 'curl'],
  ['pay', 'modelfactory'],
  ['typescript', 'TypeScript'],
  ['python', 'Python'],
] as const

export function Snippets({ model, price, place }: { model: string; price: string; place: Place }) {
  const words = useWords(marketWords)
  const [chosen, choose] = useState<(typeof KINDS)[number][0]>('curl')
  const texts = snippetsOf(model, price, place)
  const explained = { curl: words.curlText, pay: words.payText, typescript: words.tsText, python: words.pyText }
  return (
    <section className="panel min-w-0">
      <h2 className="text-large font-semibold">{words.use}</h2>
      <p className="mt-1 max-w-prose text-small text-soft">{words.useText}</p>
      <fieldset className="mt-3 flex flex-wrap gap-2">
        <legend className="sr-only">{words.use}</legend>
        {KINDS.map(([kind, name]) => (
          <button
            key={kind}
            type="button"
            aria-pressed={chosen === kind}
            onClick={() => choose(kind)}
            className={`min-h-9 rounded-lg border px-3 text-small ${chosen === kind ? 'border-river bg-river-wash font-semibold text-ink' : 'border-line-strong text-soft hover:text-ink'}`}
          >
            {name}
          </button>
        ))}
      </fieldset>
      <p className="mt-3 text-small text-soft">{explained[chosen]}</p>
      <Command text={texts[chosen]} what={words.snippet} />
    </section>
  )
}
