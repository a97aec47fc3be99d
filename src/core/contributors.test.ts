/** Who gave what, as builders write it, and what falls to whom by citations. */
import { expect, it } from 'vitest'
import { citedFiles, citedShares, isOf, parseContributors, withContributors } from './contributors.ts'
import { hashText } from './id.ts'
import type { Address } from './listing.ts'

const [ada, ben, builder] = ['a', 'b', 'c'].map((digit) => `0x${digit.repeat(40)}` as Address) as [Address, Address, Address]

it('reads who gave which file', () => {
  expect(parseContributors(`# ours\nguide.pdf = Dr. Ada Okoye ${ada}\n\n a = b.md=<${ben}> # late\nnotes.md = The village school\n`)).toEqual([
    { file: 'guide.pdf', name: 'Dr. Ada Okoye', recipient: ada },
    { file: 'a = b.md', name: ben, recipient: ben },
    { file: 'notes.md', name: 'The village school', recipient: null },
  ])
  for (const [line, text] of [
    ['1', 'guide.pdf Dr. Ada'],
    ['2', '# x\n= Dr. Ada'],
    ['1', 'guide.pdf ='],
    ['1', 'guide.pdf = Ada 0x12'],
    ['1', `guide.pdf = Ada ${ada}00`],
  ] as const)
    expect(parseContributors(text), text).toMatchObject({ code: 'contributors_unreadable', message: expect.stringContaining(`Line ${line} `) })
})

it('knows a file in folders and archives, and refuses who gave none', () => {
  expect([
    isOf('guide.pdf', 'guide.pdf'),
    isOf('docs/guide.pdf', 'guide.pdf'),
    isOf('all.zip/guide.pdf', 'all.zip'),
    isOf('x/all.zip/y.md', 'all.zip'),
  ]).toEqual(new Array(4).fill(true))
  expect([isOf('myguide.pdf', 'guide.pdf'), isOf('guide.pdf.md', 'guide.pdf')]).toEqual([false, false])
  const files = [
    { file: 'docs/guide.pdf', sha256: hashText('g') },
    { file: 'rows.csv', sha256: hashText('r') },
  ]
  expect(withContributors(files, [{ file: 'guide.pdf', name: 'Ada', recipient: ada }])).toEqual([
    { ...files[0], contributor: { name: 'Ada', recipient: ada } },
    files[1],
  ])
  expect(withContributors(files, [{ file: 'nothing.pdf', name: 'Ada', recipient: ada }])).toMatchObject({ code: 'contributor_without_file' })
})

it('divides by what was cited, and leaves to the builder what nobody else gave', () => {
  const passage = (file: string, ...sentences: string[]) => ({ sentences, source: { file } })
  const passages = [passage('ada.pdf', 'One.', 'Two.'), passage('ben.md', 'Three.', 'One.'), passage('own.md', 'Four.')]
  const datasets = [
    { file: 'ada.pdf', sha256: hashText('a'), contributor: { name: 'Ada', recipient: ada } },
    { file: 'ben.md', sha256: hashText('b'), contributor: { name: 'Ben', recipient: ben } },
    { file: 'own.md', sha256: hashText('o') },
  ]
  const cited = citedFiles(['One.', 'Two.', 'One.', 'Three.', 'Four.', 'Four.', 'Nowhere.'], passages, datasets)
  expect(cited.map(({ file, quotes }) => [file, quotes])).toEqual([
    ['ada.pdf', 3],
    ['own.md', 2],
    ['ben.md', 1],
  ])
  expect(citedShares(cited, builder, 0)).toEqual([
    { recipient: builder, shares: 333_334n },
    { recipient: ada, shares: 500_000n },
    { recipient: ben, shares: 166_666n },
  ])
  expect(citedShares(cited, builder, 40).map(({ shares }) => shares)).toEqual([600_000n, 300_000n, 100_000n])
  // The builder may have given files too, and alone there is nothing to divide.
  expect(citedShares(cited, ada, 0)).toEqual([
    { recipient: ada, shares: 833_334n },
    { recipient: ben, shares: 166_666n },
  ])
  expect(citedShares(cited.slice(1, 2), builder, 0)).toEqual([])
  expect(citedShares([], builder, 0)).toEqual([])
  expect(citedShares(cited.slice(0, 1), builder, 0)).toEqual([{ recipient: ada, shares: 1_000_000n }])
})
