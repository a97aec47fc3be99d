/**
 * Copying: a long hex string shown short, or a command shown whole, either copied by one press.
 * Knows nothing of what the text means.
 */
import { useEffect, useState } from 'react'
import { shortHex } from '../format.ts'
import { useWords } from '../language.ts'
import { partWords } from './part-words.ts'

/** Copies, and says for two seconds whether it did. */
function useCopy(text: string): [boolean, () => void] {
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    if (!copied) return
    const timer = setTimeout(() => setCopied(false), 2000)
    return () => clearTimeout(timer)
  }, [copied])
  const copy = () => {
    // Absent on a page served over plain HTTP from another machine; the text can still be selected there.
    navigator.clipboard?.writeText(text).then(
      () => setCopied(true),
      () => setCopied(false),
    )
  }
  return [copied, copy]
}

export function Hex({ value, what }: { value: string; what: string }) {
  const words = useWords(partWords)
  const [copied, copy] = useCopy(value)
  return (
    <button
      type="button"
      onClick={copy}
      title={value}
      aria-label={`${value}. ${words.copyWhat(what)}`}
      className="relative inline-block rounded font-mono text-small whitespace-nowrap underline decoration-line-strong decoration-dotted underline-offset-4 hover:text-river"
    >
      <span className={copied ? 'invisible' : ''}>{shortHex(value)}</span>
      {copied && <span className="absolute inset-0 text-gain">{words.copied}</span>}
    </button>
  )
}

export function Command({ text, what }: { text: string; what: string }) {
  const words = useWords(partWords)
  const [copied, copy] = useCopy(text)
  return (
    <div className="relative mt-2">
      <pre className="rounded-lg bg-sunken p-3 pr-20 font-mono text-tiny whitespace-pre-wrap wrap-anywhere">{text}</pre>
      <button
        type="button"
        onClick={copy}
        aria-label={words.copyWhat(what)}
        className="absolute top-1.5 right-1.5 min-h-8 min-w-16 rounded-md border border-line-strong bg-surface px-2 text-tiny font-medium hover:border-river"
      >
        {copied ? words.copied : words.copy}
      </button>
    </div>
  )
}
