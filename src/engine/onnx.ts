/**
 * ONNX: writes a model file (onnx.proto3, IR version 9, opset 18 and com.microsoft 1) from a graph. Knows nothing of what
 * the nodes mean.
 */
import type { Attribute, DataType, Graph, Tensor } from './graph.ts'
import { Message } from './protobuf.ts'

const TYPE: Record<DataType, number> = { float32: 1, int64: 7 }

/**
 * Bytes of an ONNX model that computes `outputs` from the graph's inputs and parameters. Nodes nothing needs are left out.
 * Tensors in `given` are fed instead of computed; what was not given and is needed is computed again.
 */
export function writeModel(graph: Graph, outputs: readonly Tensor[], given: readonly Tensor[] = []): Uint8Array {
  const fed = new Set(given.map(({ name }) => name))
  const needed = new Set(outputs.map(({ name }) => name))
  const nodes = graph.nodes.toReversed().filter((node) => {
    if (!node.outputs.some((name) => needed.has(name) && !fed.has(name))) return false
    for (const name of node.inputs) needed.add(name)
    return true
  })
  const body = new Message()
  for (const node of nodes.reverse()) {
    const message = new Message()
    for (const name of node.inputs) message.bytes(1, name)
    // An output that is fed has another producer; an empty name says that this one is not wanted.
    for (const name of node.outputs) message.bytes(2, fed.has(name) ? '' : name)
    message.bytes(4, node.operator)
    for (const [name, value] of Object.entries(node.attributes)) message.bytes(5, attribute(name, value))
    if (node.domain) message.bytes(7, node.domain)
    body.bytes(1, message)
  }
  body.bytes(2, 'model')
  for (const { tensor, data } of graph.constants) {
    if (!needed.has(tensor.name)) continue
    const message = new Message()
    for (const length of tensor.shape) message.varint(1, length)
    message
      .varint(2, TYPE[tensor.type])
      .bytes(8, tensor.name)
      .bytes(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    body.bytes(5, message)
  }
  for (const tensor of [...graph.inputs, ...given]) if (needed.has(tensor.name)) body.bytes(11, valueInfo(tensor))
  for (const tensor of outputs) body.bytes(12, valueInfo(tensor))
  const opset = (domain: string, version: number) => new Message().bytes(1, domain).varint(2, version)
  return new Message().varint(1, 9).bytes(2, 'modelfactory').bytes(7, body).bytes(8, opset('', 18)).bytes(8, opset('com.microsoft', 1)).join()
}

function attribute(name: string, value: Attribute): Message {
  const message = new Message().bytes(1, name)
  if (typeof value === 'string') return message.bytes(4, value).varint(20, 3)
  if (typeof value === 'number') return message.varint(3, value).varint(20, 2)
  if ('float' in value) return message.float(2, value.float).varint(20, 1)
  for (const item of value.integers) message.varint(8, item)
  return message.varint(20, 7)
}

function valueInfo(tensor: Tensor): Message {
  const shape = new Message()
  for (const length of tensor.shape) shape.bytes(1, new Message().varint(1, length))
  return new Message().bytes(1, tensor.name).bytes(2, new Message().bytes(1, new Message().varint(1, TYPE[tensor.type]).bytes(2, shape)))
}
