/** Tiny task folders for the tests of this benchmark: written into a temporary folder, read as any task is. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'

export type Rows = Record<string, unknown>[]

/** A temporary folder of tasks; every file is a text, or rows that become JSON Lines, gzipped where the name says so. */
export function taskFolder(): { root: string; write: (task: string, files: Record<string, string | Rows>) => void; remove: () => void } {
  const root = mkdtempSync(join(tmpdir(), 'quality-test-'))
  return {
    root,
    write(task, files) {
      for (const [name, content] of Object.entries(files)) {
        const text = typeof content === 'string' ? content : `${content.map((row) => JSON.stringify(row)).join('\n')}\n`
        mkdirSync(dirname(join(root, task, name)), { recursive: true })
        writeFileSync(join(root, task, name), name.endsWith('.gz') ? gzipSync(text) : text)
      }
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  }
}

const SAID = {
  bridge: ['girder', 'span', 'pier', 'abutment', 'cable', 'truss', 'deck', 'bearing'],
  heart: ['valve', 'atrium', 'pulse', 'artery', 'rhythm', 'ventricle', 'stent', 'murmur'],
} as const

/** Different short texts about bridges or hearts, as many as asked for, from the given number on. */
export function texts(kind: keyof typeof SAID, count: number, from = 0): string[] {
  const words = SAID[kind]
  return Array.from({ length: count }, (_, place) => {
    const index = from + place
    const [first, second, third] = [words[index % 8], words[(index * 3 + 1) % 8], words[(index * 5 + 2) % 8]]
    return `The ${first} number ${index} has a ${second} near the ${third}, as seen ${index % 2 ? 'last' : 'this'} week in room ${index * 7}.`
  })
}

/** Labelled rows of both kinds. */
export const labelled = (each: number, from = 0): Rows => [
  ...texts('bridge', each, from).map((text) => ({ text, label: 'bridge' })),
  ...texts('heart', each, from).map((text) => ({ text, label: 'heart' })),
]

export const described = {
  sentence: 'Tell me whether a note is about a bridge or a heart.',
  kind: 'classify',
  metric: 'macro-F1',
  inputs: ['text'],
  target: 'label',
}
