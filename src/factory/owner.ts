/**
 * What is the gateway's owner's alone: how it is, how each model was made, and the wallet that asks for them. Knows nothing of who asks.
 */
import type { Account } from '../ports/keystore.ts'
import { openBudget } from './budget.ts'
import { openCited } from './cited.ts'
import { type OperatingParts, openOperating } from './operating.ts'

export function openOwner(
  parts: OperatingParts & {
    builder: Account
    payer: Account
    exams: { evidence: Parameters<typeof openCited>[0]['evidence'] }
  },
) {
  const { chain, builder, exams, serving } = parts
  return {
    owner: builder.address,
    ...openOperating(parts),
    budget: openBudget(parts),
    cited: openCited({ builder: builder.address, evidence: exams.evidence, open: serving.open }),
    /** What was earned, out of its wrapping. */
    unwrap: (amount: bigint) => chain.unwrap({ owner: builder, amount }),
  }
}
