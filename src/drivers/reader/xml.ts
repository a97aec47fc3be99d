/**
 * XML of a document's parts -> events, with nothing declared, nothing fetched and nothing nested without end.
 * Knows nothing of what the elements mean.
 */
import { SaxesParser } from 'saxes'
import { type Refusal, refuse } from '../../core/errors.ts'

export const deepest = 256

export type Handlers = {
  /** `element` is the name without its prefix; attributes keep theirs. */
  open?: (element: string, attributes: Record<string, string>) => void
  close?: (element: string) => void
  text?: (text: string) => void
}

const SLICE = 1 << 16

/** Parses a part. Refuses document types (entities live there), nesting beyond {@link deepest} and what is no XML. */
export function parseXml(name: string, part: string, bytes: Uint8Array, handlers: Handlers = {}): Refusal | undefined {
  const parser = new SaxesParser()
  let refusal: Refusal | undefined
  let depth = 0
  parser.on('doctype', () => {
    refusal ??= refuse(
      'xml_declares_entities',
      `"${part}" in ${name} declares a document type, which can pull in or multiply other text; such documents are not read.`,
      'Open it in the program that made it, save it again, and hand that over.',
    )
  })
  parser.on('opentag', (tag) => {
    if (++depth > deepest)
      refusal ??= refuse(
        'nested_too_deeply',
        `"${part}" in ${name} is nested more than ${deepest} levels deep.`,
        'Copy its text into a new document, and hand that over.',
      )
    if (!refusal) handlers.open?.(local(tag.name), tag.attributes as Record<string, string>)
  })
  parser.on('closetag', (tag) => {
    depth--
    if (!refusal) handlers.close?.(local(tag.name))
  })
  if (handlers.text) {
    const text = handlers.text
    parser.on('text', (said) => text(said))
    parser.on('cdata', (said) => text(said))
  }
  try {
    const decoder = new TextDecoder(encodingOf(bytes), { fatal: true })
    for (let start = 0; start < bytes.length && !refusal; start += SLICE)
      parser.write(decoder.decode(bytes.subarray(start, start + SLICE), { stream: start + SLICE < bytes.length }))
    if (!refusal) parser.close()
  } catch (error) {
    refusal ??= refuse(
      'document_damaged',
      `"${part}" in ${name} is damaged (${reasonOf(error)}).`,
      'Open it in the program that made it, save it again, and hand that over.',
    )
  }
  return refusal
}

/** A library's error in a few words. */
export function reasonOf(error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error)
  return reason
    .split('\n')[0]!
    .replace(/[.\s]+$/, '')
    .slice(0, 160)
}

const local = (name: string): string => name.slice(name.indexOf(':') + 1)

function encodingOf(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le'
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be'
  const declared = /^[^>]{0,200}encoding=["']([\w-]+)["']/.exec(
    Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 300)).toString('latin1'),
  )?.[1]
  return declared ?? 'utf-8'
}
