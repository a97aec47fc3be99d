/** The seal of an exam: the tree of RFC 6962, halves that open apart, and no way to change a case afterwards. */
import { expect, it } from 'vitest'
import { type Example, exampleOf } from './dataset.ts'
import { examRoot, included, inclusion, leafOf, type OpenedExam, openedExam, rootOf, sealed } from './exam.ts'
import { hashBytes, hashText, type Id } from './id.ts'

/** Leaves and roots of Certificate Transparency's own tests (google/certificate-transparency, cpp/merkletree/merkle_tree_test.cc). */
const INPUTS = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f']
const ROOTS: Record<number, string> = {
  1: '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  2: 'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  3: 'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  5: '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  8: '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
}
const leaves = INPUTS.map((hex) => hashBytes(Uint8Array.of(0, ...Buffer.from(hex, 'hex'))))

it('is the Merkle tree of RFC 6962', () => {
  for (const [size, root] of Object.entries(ROOTS)) expect(rootOf(leaves.slice(0, Number(size)))).toBe(`0x${root}`)
})

it('proves that a leaf stands at its place, and at no other', () => {
  for (let n = 1; n <= leaves.length; n++) {
    const some = leaves.slice(0, n)
    const root = rootOf(some)
    for (const [place, leaf] of some.entries()) {
      const proof = inclusion(some, place)
      expect(included(root, leaf, place, n, proof)).toBe(true)
      expect(included(root, hashText('another'), place, n, proof)).toBe(false)
      for (let other = 0; other < n; other++) if (other !== place) expect(included(root, leaf, other, n, proof)).toBe(false)
      expect(included(root, leaf, place, n, [...proof, leaf])).toBe(false)
      if (proof.length) expect(included(root, leaf, place, n, proof.slice(1))).toBe(false)
    }
    expect(included(root, leaves[0]!, n, n, inclusion(some, 0))).toBe(false)
  }
})

const source = { file: 'clauses.csv', row: 1 }
const salt: Id = hashText('drawn at random')
const labelled: Example[] = ['the first', 'the second', 'the third'].map((input, index) =>
  exampleOf({ input, label: index % 2 ? 'Insurance' : 'Audit' }, source, undefined),
)
const asking: Example[] = [
  exampleOf({ input: 'What is angina?', answer: 'A pain in the chest.' }, source, undefined),
  exampleOf({ input: 'What is gout?', answer: null }, source, undefined),
]

it('fixes every case, its place and what is right', () => {
  const root = examRoot(openedExam(labelled, salt))
  const changed = (change: (cases: Example[]) => Example[]) => examRoot(openedExam(change(structuredClone(labelled)), salt))
  expect(changed((cases) => cases)).toBe(root)
  const cheats: [string, (cases: Example[]) => Example[]][] = [
    ['another text', ([first, ...rest]) => [{ ...first!, input: 'the easier' }, ...rest]],
    ['another label', ([first, ...rest]) => [{ ...first!, label: 'Insurance' }, ...rest]],
    ['swapped', ([first, second, ...rest]) => [second!, first!, ...rest]],
    ['one left out', ([, ...rest]) => rest],
    ['one twice', (cases) => [...cases, cases[2]!]],
  ]
  for (const [what, cheat] of cheats) expect(changed(cheat), what).not.toBe(root)
  expect(examRoot(openedExam(labelled, hashText('another salt')))).not.toBe(root)
  const [covered, not] = asking as [Example, Example]
  const answers = examRoot(openedExam([covered, not], salt))
  expect(examRoot(openedExam([{ ...covered, answer: 'A pain.' }, not], salt))).not.toBe(answers)
  expect(examRoot(openedExam([{ ...covered, answer: null }, not], salt))).not.toBe(answers)
})

it('shows what is right and hides what is asked', () => {
  const shown = sealed(openedExam(asking, salt))
  expect(shown.map(({ truth }) => truth)).toEqual([{ covered: true }, { covered: false }])
  const told = JSON.stringify([shown, sealed(openedExam(labelled, salt))])
  for (const hidden of ['angina', 'pain', 'gout', 'first', salt]) expect(told).not.toContain(hidden)
  // What is shown of a case cannot be swapped: its leaf is another one then.
  const [first, second] = sealed(openedExam(labelled, salt))
  expect(leafOf({ ...first!, truth: second!.truth })).not.toBe(leafOf(first!))
  // Two cases that say the same do not look the same.
  const twins = sealed(openedExam([labelled[0]!, labelled[0]!], salt))
  expect(new Set(twins.map(({ closed }) => closed)).size).toBe(2)
  expect(new Set(twins.map(leafOf)).size).toBe(2)
})

it('cannot be guessed from without the salt', () => {
  const shown = sealed(openedExam(labelled, salt))
  // Whoever has the very text and every published key still cannot tell that it is in the exam.
  for (const key of shown.map((one) => one.key)) {
    const guess: OpenedExam = openedExam(labelled, key)
    expect(sealed(guess)[0]!.closed).not.toBe(shown[0]!.closed)
  }
})
