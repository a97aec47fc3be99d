/**
 * Merkle-Patricia tries of a block: lists of receipts or transactions keyed by the RLP of their place. Proofs are made and
 * followed by @ethereumjs/mpt. Knows nothing of what the entries say.
 */
import { createMerkleProof, createMPT, verifyMerkleProof } from '@ethereumjs/mpt'
import { bytesToHex, type Hex, hexToBytes, toRlp } from 'viem'

/** One entry of a list, the list's root, and the nodes from the root down to the entry. */
export async function proveEntry(entries: readonly Hex[], index: number): Promise<{ root: Hex; value: Hex; nodes: Hex[] }> {
  const trie = await createMPT()
  for (const [place, entry] of entries.entries()) await trie.put(keyOf(place), hexToBytes(entry))
  const nodes = await createMerkleProof(trie, keyOf(index))
  return { root: bytesToHex(trie.root()), value: entries[index]!, nodes: nodes.map((node) => bytesToHex(node)) }
}

/** True when the nodes lead from the root to exactly this entry at this place. */
export async function entryIsProven(root: Hex, index: number, value: Hex, nodes: readonly Hex[]): Promise<boolean> {
  const proof = nodes.map((node) => hexToBytes(node))
  const found = await verifyMerkleProof(keyOf(index), proof, { root: hexToBytes(root) }).catch(() => null)
  return found !== null && bytesToHex(found) === value
}

function keyOf(index: number): Uint8Array {
  const digits = index.toString(16)
  return hexToBytes(toRlp(index === 0 ? '0x' : `0x${digits.length % 2 ? '0' : ''}${digits}`))
}
