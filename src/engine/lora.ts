/**
 * LoRA (Hu et al. 2021): a frozen matrix plus a trained product of two thin ones. Knows nothing of models or files.
 */
import type { Graph, Tensor } from './graph.ts'
import { gemm } from './ops.ts'

/** `down` is [rank, in], `up` is [out, rank], as GGUF's lora_a and lora_b. */
export type LoraPair = { down: Tensor; up: Tensor; scale: number }

/** The matrix with its update merged in, W + scale * up down. It is small beside the activations, so merging every step costs under 1 %. */
export function merge(graph: Graph, weight: Tensor, { down, up, scale }: LoraPair): Tensor {
  return gemm(graph, up, down, { alpha: scale, addend: weight })
}

/**
 * y[n, out] = x[n, in] (W + scale * up down)^T. The product runs over the merged matrix, forward and back; the thin
 * gradients come from x and dy directly, so the full matrix's gradient is never formed.
 */
export function adaptedLinear(graph: Graph, x: Tensor, weight: Tensor, pair: LoraPair): Tensor {
  const merged = merge(graph, weight, pair)
  const y = gemm(graph, x, merged, { transposeB: true })
  return graph.differentiable(y, [x, pair.down, pair.up], (dy) => [
    x.differentiable ? gemm(graph, dy, merged) : undefined,
    gemm(graph, gemm(graph, dy, pair.up), x, { transposeA: true, alpha: pair.scale }),
    gemm(graph, dy, gemm(graph, x, pair.down, { transposeB: true }), { transposeA: true, alpha: pair.scale }),
  ])
}
