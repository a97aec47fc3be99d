/**
 * Ops with a bias: a row added to every row of a matrix, beside its derivative. Knows nothing of models.
 */
import type { Graph, Tensor } from './graph.ts'

/** y[n, width] = x[n, width] + bias[width]. onnxruntime folds it into the product before it. */
export function addBias(graph: Graph, x: Tensor, bias: Tensor): Tensor {
  const y = graph.node('Add', [x, bias], x.shape)
  return graph.differentiable(y, [x, bias], (dy) => [
    x.differentiable ? dy : undefined,
    bias.differentiable ? graph.node('ReduceSum', [dy, graph.integers([0])], bias.shape, { keepdims: 0 }) : undefined,
  ])
}
