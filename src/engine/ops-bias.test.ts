import { expect, it } from 'vitest'
import { gradients } from './autodiff.ts'
import { Graph, size } from './graph.ts'
import { linear, multiply, sum } from './ops.ts'
import { addBias } from './ops-bias.ts'
import { generator } from './random.ts'
import { openSession } from './session.ts'

it('a bias: its gradient and that of what it is added to agree with central differences', async () => {
  const graph = new Graph()
  const x = graph.parameter('x', [5, 3])
  const w = graph.parameter('w', [4, 3])
  const bias = graph.parameter('bias', [4])
  const y = addBias(graph, linear(graph, x, w), bias)
  const loss = sum(graph, multiply(graph, y, y))
  const slopes = gradients(graph, loss)
  expect([...slopes.keys()]).toEqual(['x', 'w', 'bias'])
  const next = generator(5)
  const values = Object.fromEntries(graph.parameters.map(({ name, shape }) => [name, Float32Array.from({ length: size(shape) }, () => 2 * next() - 1)]))
  const session = await openSession(graph, [loss, ...slopes.values()], { threads: 1 })
  const exact = (await session.run(values)).map((array) => array.slice())
  for (const [index, name] of [...slopes.keys()].entries())
    for (let element = 0; element < values[name]!.length; element++) {
      const kept = values[name]![element]!
      values[name]![element] = kept + 0.01
      const above = (await session.run(values))[0]![0]!
      values[name]![element] = kept - 0.01
      const below = (await session.run(values))[0]![0]!
      values[name]![element] = kept
      // The loss is quadratic, so only its rounding is left: some 1e-6 of 20, over a step of 0.02.
      expect(Math.abs((above - below) / 0.02 - exact[index + 1]![element]!), `${name} ${element}`).toBeLessThan(3e-3)
    }
  await session.close()
})
