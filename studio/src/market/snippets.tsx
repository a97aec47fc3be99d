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
    python: `import json, urllib.request

question = {"model": ${json(model)}, "text": ${json(question)}}
request = urllib.request.Request(
    ${json(`${url}/api/wallet/ask`)},
    data=json.dumps(question).encode(),
    headers={"content-type": "application/json"},
)
with urllib.request.urlopen(request) as reply:
    answer = json.load(reply)
print(answer["choices"][0]["message"]["content"])
print(answer["modelfactory"]["receipt"])`,
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
