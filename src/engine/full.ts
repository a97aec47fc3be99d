/**
 * Full: all weights of a model as something to train, started at the base's own values. Knows nothing of how they are
 * trained or written.
 */
import type { Llama } from './architecture.ts'
import type { Graph, Shape, Tensor } from './graph.ts'
import { buildLlama, type WeightSource } from './llama.ts'
import { layOut, type Trainable, totalLength } from './parameters.ts'

/** Every tensor the model is computed from, norms and biases included; an embedding that is the output matrix too is one part. */
export function trainableModel(base: Llama): Trainable {
  // The graph itself says which tensors there are, whatever the architecture; its extent does not matter for that.
  const { graph } = buildLlama(base, { rows: 1, length: 1, reads: 1 }, { weight: parameters })
  const layout = layOut(graph.parameters.map(({ name, shape }) => ({ name, shape })))
  return {
    layout,
    graph: { weight: parameters },
    initial() {
      const values = new Float32Array(totalLength(layout))
      for (const { name, offset } of layout) values.set(base.tensor(name), offset)
      return values
    },
  }
}

/** Each weight a parameter of the graph, once. */
function parameters(graph: Graph): WeightSource {
  const found = new Map<string, Tensor>()
  return (name: string, shape: Shape) => {
    const tensor = found.get(name) ?? graph.parameter(name, shape)
    found.set(name, tensor)
    return tensor
  }
}
