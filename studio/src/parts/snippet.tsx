/**
 * Snippet: commands that ask a published model from outside the page. Knows nothing of the protocol beyond their text.
 */
import { shellQuote } from '../format.ts'
import { useWords } from '../language.ts'
import { studioWords } from '../words.ts'
import { Command } from './copy.tsx'

export function Snippet({ model }: { model: string }) {
  const words = useWords(studioWords)
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: words.use.question }] })
  const curl = `curl -i ${window.location.origin}/v1/chat/completions \\\n  -H 'content-type: application/json' \\\n  -d ${shellQuote(body)}`
  const pay = `npx modelfactory query ${/^[a-z0-9-]+$/.test(model) ? model : shellQuote(model)} ${shellQuote(words.use.question)}`
  return (
    <section className="min-w-0">
      <h3 className="text-large font-semibold">{words.use.heading}</h3>
      <p className="mt-1 text-small text-soft">{words.use.text}</p>
      <Command text={curl} what={words.use.curl} />
      <p className="mt-3 text-small text-soft">{words.use.textPay}</p>
      <Command text={pay} what={words.use.pay} />
    </section>
  )
}
