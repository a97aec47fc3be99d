/**
 * Automatic differentiation: walks the tape backwards and emits the backward pass as more graph (reverse mode). Knows
 * nothing of particular operators; each brings its own derivative.
 */
import type { Graph, Tensor } from './graph.ts'

/**
 * Gradients of a scalar with respect to the graph's parameters, by parameter name. A parameter the scalar does not depend
 * on has no entry.
 */
export function gradients(graph: Graph, loss: Tensor): Map<string, Tensor> {
  if (loss.shape.length) throw new RangeError(`Only a scalar can be differentiated, and this is of shape [${loss.shape}].`)
  return pullback(graph, loss, graph.scalar(1))
}

/** The gradient of an output of any shape carried back to the parameters (a vector-Jacobian product), by parameter name. */
export function pullback(graph: Graph, output: Tensor, gradient: Tensor): Map<string, Tensor> {
  if (gradient.shape.join() !== output.shape.join())
    throw new RangeError(`A gradient of shape [${gradient.shape}] is not that of an output of [${output.shape}].`)
  const found = new Map<string, Tensor>([[output.name, gradient]])
  for (const entry of graph.tape.toReversed()) {
    const flowing = found.get(entry.output.name)
    if (!flowing) continue
    for (const [index, part] of entry.derivative(flowing).entries()) {
      const input = entry.inputs[index]!
      if (!part || !input.differentiable) continue
      if (part.shape.join() !== input.shape.join()) throw new RangeError(`The gradient of ${input.name} has shape [${part.shape}] instead of [${input.shape}].`)
      const sum = found.get(input.name)
      found.set(input.name, sum ? graph.node('Add', [sum, part], input.shape) : part)
    }
  }
  return new Map(graph.parameters.filter(({ name }) => found.has(name)).map(({ name }) => [name, found.get(name)!]))
}
