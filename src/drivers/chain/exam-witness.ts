/**
 * What a node says of a model's exam and of the version that is listed: two reads of the registry, for whoever checks papers and does
 * not want a gateway's word. Knows nothing of papers.
 */
import { createPublicClient, http } from 'viem'
import { type Refusal, refuse } from '../../core/errors.ts'
import type { Id } from '../../core/id.ts'
import type { Address, Hex } from '../../core/listing.ts'
import type { ExamRecord } from '../../ports/chain.ts'
import { modelRegistry } from './contracts.generated.ts'
import { deployments } from './deploy.ts'
import { refusalOf } from './revert.ts'
import { shortMessage } from './writer.ts'

/** `registry` is this version's own unless given. Refuses when the node does not answer. */
export async function examFromNode(
  rpc: string,
  { modelId, root, registry = deployments().contracts.registry }: { modelId: Hex; root: Id; registry?: Address | undefined },
): Promise<{ exam: ExamRecord | null; listed: { packageId: Id; reportId: Id } | null } | Refusal> {
  const client = createPublicClient({ transport: http(rpc) })
  try {
    const of = { address: registry, abi: modelRegistry.abi } as const
    const { committedAt, attempts } = await client.readContract({ ...of, functionName: 'examOf', args: [modelId, root] })
    const model = await client.readContract({ ...of, functionName: 'modelOf', args: [modelId] })
    return {
      exam: committedAt === 0n ? null : { committedAt: Number(committedAt), attempts: Number(attempts) },
      listed: model.version === 0 ? null : { packageId: model.packageHash, reportId: model.reportHash },
    }
  } catch (error) {
    const refusal = refusalOf(error)
    if (refusal?.code === 'model_unknown') return { exam: null, listed: null }
    return refusal ?? refuse('chain_unreachable', `The node did not answer: ${shortMessage(error)}.`, 'Check --rpc.')
  }
}
