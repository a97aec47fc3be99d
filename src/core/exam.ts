/**
 * The exam's seal: a Merkle root over its cases, salted, so that the cases are fixed before training without being shown. Each leaf
 * has a closed half (what is asked) and an open half (what a score is recomputed from), each under a salt of its own, so that one
 * can be shown without the other. The tree is RFC 6962's. Pure; the salt is drawn elsewhere. Knows nothing of chains.
 */
import { concatBytes, hexToBytes } from '@noble/hashes/utils.js'
import { z } from 'zod'
import { Entity, type Example } from './dataset.ts'
import { contentId, hashBytes, Id } from './id.ts'

/** What is right in a case, as far as it is shown while the exam is sealed: of an answer, whether the pages cover it; of a text to write, nothing. */
export const Truth = z.object({
  label: z.string().optional(),
  labels: z.array(z.string()).optional(),
  entities: z.array(Entity).optional(),
  covered: z.boolean().optional(),
})
export type Truth = z.infer<typeof Truth>

/** What stays closed of a case until the exam retires. */
export const Asked = z.object({ input: z.string(), answer: z.string().nullable().optional() })
export type Asked = z.infer<typeof Asked>

/** One case as it is published: the hash of its closed half, and its open half with the salt that proves it. */
export const SealedCase = z.object({ closed: Id, key: Id, truth: Truth })
export type SealedCase = z.infer<typeof SealedCase>

/** The sealed cases with the salt that opens them: what an examiner holds, and what is published when the exam retires. */
export const OpenedExam = z.object({ format: z.literal('modelfactory/exam@1'), salt: Id, cases: z.array(Asked.extend({ truth: Truth })).min(1) })
export type OpenedExam = z.infer<typeof OpenedExam>

/** Opens an exam: what its owner keeps, and an examiner runs. */
export function openedExam(cases: readonly Example[], salt: Id): OpenedExam {
  return { format: 'modelfactory/exam@1', salt, cases: cases.map((one) => ({ ...askedOf(one), truth: truthOf(one) })) }
}

export function truthOf(example: Example): Truth {
  if (example.label !== undefined) return { label: example.label }
  if (example.labels) return { labels: example.labels }
  if (example.entities) return { entities: example.entities }
  if (example.output !== undefined) return {}
  return { covered: (example.answer ?? null) !== null }
}

function askedOf(example: Example): Asked {
  const answer = example.output ?? example.answer
  return answer === undefined ? { input: example.input } : { input: example.input, answer }
}

/** The cases as they are published while the exam is sealed. */
export function sealed(exam: OpenedExam): SealedCase[] {
  return exam.cases.map(({ truth, ...asked }, place) => ({
    closed: half(keyOf(exam.salt, place, 'closed'), asked),
    key: keyOf(exam.salt, place, 'open'),
    truth,
  }))
}

/** A case's leaf: `SHA-256(0x00 | closed half | open half)`. */
export function leafOf({ closed, key, truth }: SealedCase): Id {
  return hashBytes(concatBytes(Uint8Array.of(0), bytes(closed), bytes(half(key, truth))))
}

/** The root over leaves in their order (RFC 6962, 2.1): left subtrees are full, so that no two lists have one root. */
export function rootOf(leaves: readonly Id[]): Id {
  if (leaves.length === 0) throw new RangeError('An exam without cases has no root.')
  if (leaves.length === 1) return leaves[0]!
  const left = leftOf(leaves.length)
  return node(rootOf(leaves.slice(0, left)), rootOf(leaves.slice(left)))
}

/** The root of an exam that is open. */
export const examRoot = (exam: OpenedExam): Id => rootOf(sealed(exam).map(leafOf))

/** What proves that a leaf stands at a place: the hashes beside its way to the root, from the leaf up. */
export function inclusion(leaves: readonly Id[], place: number): Id[] {
  if (leaves.length === 1) return []
  const left = leftOf(leaves.length)
  return place < left
    ? [...inclusion(leaves.slice(0, left), place), rootOf(leaves.slice(left))]
    : [...inclusion(leaves.slice(left), place - left), rootOf(leaves.slice(0, left))]
}

/** Whether a leaf stands at a place among `n` under a root. */
export function included(root: Id, leaf: Id, place: number, n: number, proof: readonly Id[]): boolean {
  if (!Number.isInteger(place) || place < 0 || place >= n) return false
  return rootFrom(leaf, place, n, proof) === root
}

function rootFrom(leaf: Id, place: number, n: number, proof: readonly Id[]): Id | undefined {
  if (n === 1) return proof.length === 0 ? leaf : undefined
  const beside = proof.at(-1)
  if (beside === undefined) return undefined
  const left = leftOf(n)
  const goesLeft = place < left
  const below = rootFrom(leaf, goesLeft ? place : place - left, goesLeft ? left : n - left, proof.slice(0, -1))
  return below && (goesLeft ? node(below, beside) : node(beside, below))
}

/** The largest power of two below n. */
function leftOf(n: number): number {
  let left = 1
  while (2 * left < n) left *= 2
  return left
}

function node(left: Id, right: Id): Id {
  return hashBytes(concatBytes(Uint8Array.of(1), bytes(left), bytes(right)))
}

/** Each half of each case has a key of its own, so that showing one tells nothing of another. */
function keyOf(salt: Id, place: number, part: 'closed' | 'open'): Id {
  return contentId({ salt, place, part })
}

function half(key: Id, value: unknown): Id {
  return contentId({ key, value })
}

function bytes(id: Id): Uint8Array {
  return hexToBytes(id.slice(2))
}
