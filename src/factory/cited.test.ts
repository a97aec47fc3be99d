/** What an exam's answers cite, from a package and its papers as they lie in the store. */
import { expect, it } from 'vitest'
import { isRefusal } from '../core/errors.ts'
import { hashText, type Id } from '../core/id.ts'
import type { Address } from '../core/listing.ts'
import type { ExamEvidence } from '../core/sheet.ts'
import type { Unpacked } from '../steps/pack.ts'
import { openCited } from './cited.ts'

const [builder, ada] = ['b', 'a'].map((digit) => `0x${digit.repeat(40)}` as Address) as [Address, Address]
const packageId = hashText('package') as Id
const leaf = { closed: hashText('closed'), key: hashText('key'), truth: { covered: true } }
const sheet = (kind: string, tuned: object[]) => ({
  format: 'modelfactory/sheet@1',
  ...{
    kind,
    examId: hashText('exam'),
    weightsId: hashText('weights'),
    root: hashText('root'),
    cases: [leaf, leaf, leaf],
    arms: { tuned, base: [{ quotes: ['Own.'] }] },
  },
})
const passage = (file: string, ...sentences: string[]) => ({ id: hashText(file), title: file, heading: '', sentences, source: { file } })

function cited(kind: string, tuned: object[], datasets?: object[]) {
  const manifest = { name: 'heart', reportId: hashText('report'), ...(datasets && { datasets }) }
  const unpacked = { manifest, passages: [passage('guide.pdf', 'Rest.', 'Call.'), passage('own.md', 'Own.')] } as unknown as Unpacked
  const papers = { format: 'modelfactory/exam-evidence@1', packageId, modelId: null, package: {}, report: {}, sheet: sheet(kind, tuned) } as ExamEvidence
  return openCited({ builder, evidence: async () => papers, open: async () => unpacked })
}
const given = [{ file: 'guide.pdf', sha256: hashText('g'), contributor: { name: 'Ada', recipient: ada } }]
const answers = [{ quotes: ['Rest.', 'Call.'] }, { quotes: null }, { quotes: ['Own.', 'Rest.'] }]

it('divides what is not the builder’s by the quotes of the answers as served, and of no other arm', async () => {
  const view = await cited('answer', answers, given)('heart', 20)
  if (isRefusal(view)) throw new Error(view.message)
  expect(view).toMatchObject({ model: 'heart', packageId, reportId: hashText('report'), own: 20, quotes: 4 })
  expect(view.files.map(({ file, quotes, contributor }) => [file, quotes, contributor?.name])).toEqual([
    ['guide.pdf', 3, 'Ada'],
    ['own.md', 1, undefined],
  ])
  expect(view.holders).toEqual([
    { recipient: builder, shares: '400000' },
    { recipient: ada, shares: '600000' },
  ])
})

it('says when there is nothing to divide, or nothing that is cited', async () => {
  expect(await cited('answer', answers)('heart', 0)).toMatchObject({ holders: [], quotes: 4 })
  expect(await cited('label', [{ label: 'x' }])('heart', 0)).toMatchObject({ code: 'nothing_cited' })
  for (const own of [-1, 100, Number.NaN]) expect(await cited('answer', answers, given)('heart', own)).toMatchObject({ code: 'own_part_out_of_range' })
})
