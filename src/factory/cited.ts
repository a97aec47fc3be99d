/**
 * What a model's answers cite, file by file, in its sealed exam, and the shares that follow for those who gave the files: from the package and the exam's
 * papers alone, so that anyone who has both comes to the same. Knows nothing of how shares are paid.
 */
import { type Cited, type CitedView, citedFiles, citedShares } from '../core/contributors.ts'
import { isRefusal, type Refusal, refuse } from '../core/errors.ts'
import type { Id } from '../core/id.ts'
import type { Address } from '../core/listing.ts'
import { type ExamEvidence, Sheet } from '../core/sheet.ts'
import type { Unpacked } from '../steps/pack.ts'

/** Counts quotes of an exam's answers by file. Refuses papers of a model that answers without quoting. */
export function citedIn(papers: ExamEvidence, { manifest, passages }: Pick<Unpacked, 'manifest' | 'passages'>): { quotes: number; files: Cited[] } | Refusal {
  const sheet = Sheet.safeParse(papers.sheet).data
  if (sheet?.kind !== 'answer')
    return refuse(
      'nothing_cited',
      `The model "${manifest.name}" quotes no pages, so nothing is cited.`,
      'Divide by hand: share NAME --mine 70 --with 0x12...ef=30',
    )
  const quotes = (sheet.arms.tuned ?? []).flatMap(({ quotes: said }) => said ?? [])
  return { quotes: quotes.length, files: citedFiles(quotes, passages, manifest.datasets ?? []) }
}

export function openCited(parts: {
  builder: Address
  evidence: (model: string) => Promise<ExamEvidence | Refusal>
  open: (packageId: Id) => Promise<Pick<Unpacked, 'manifest' | 'passages'>>
}): (model: string, own: number) => Promise<CitedView | Refusal> {
  return async (model, own) => {
    if (!(own >= 0 && own < 100))
      return refuse('own_part_out_of_range', `${own} percent for yourself is not at least 0 and below 100.`, 'Give a part such as 50.')
    const papers = await parts.evidence(model)
    if (isRefusal(papers)) return papers
    const unpacked = await parts.open(papers.packageId)
    const found = citedIn(papers, unpacked)
    if (isRefusal(found)) return found
    const holders = citedShares(found.files, parts.builder, own).map(({ recipient, shares }) => ({ recipient, shares: shares.toString() }))
    return { model, packageId: papers.packageId, reportId: unpacked.manifest.reportId, own, ...found, holders }
  }
}
