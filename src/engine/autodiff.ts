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
  const found = new Map<string, Tensor>([[loss.name, graph.scalar(1)]])
  for (const { output, inputs, derivative } of graph.tape.toReversed()) {
    const gradient = found.get(output.name)
    if (!gradient) continue
    for (const [index, part] of derivative(gradient).entries()) {
      const input = inputs[index]!
      if (!part || !input.differentiable) continue
      if (part.shape.join() !== input.shape.join()) throw new RangeError(`The gradient of ${input.name} has shape [${part.shape}] instead of [${input.shape}].`)
      const sum = found.get(input.name)
      found.set(input.name, sum ? graph.node('Add', [sum, part], input.shape) : part)
    }
  }
  return new Map(graph.parameters.filter(({ name }) => found.has(name)).map(({ name }) => [name, found.get(name)!]))
}
