import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { adafactor } from './adafactor.ts'
import { adamw } from './adamw.ts'
import { globalNorm, layOut, totalLength } from './parameters.ts'

type Values = Record<string, number[]>
/** Made by scripts/fixtures/optimisers.py with torch's AdamW and transformers' Adafactor. */
const fixture: {
  shapes: Values
  scale: number
  rates: number[]
  decay: number
  start: Values
  slopes: Values[]
  adamw: Values[]
  adafactor: Values[]
} = JSON.parse(readFileSync(new URL('fixtures/optimisers.json', import.meta.url), 'utf8'))
const layout = layOut(Object.entries(fixture.shapes).map(([name, shape]) => ({ name, shape })))
const joined = (values: Values) => Float32Array.from(layout.flatMap(({ name }) => values[name]!))

it.each([['adamw', adamw] as const, ['adafactor', adafactor] as const])('%s walks with its reference for five steps', (name, open) => {
  const optimiser = open(layout)
  const parameters = joined(fixture.start)
  const moments = new Float32Array(optimiser.length)
  for (const [index, slopes] of fixture.slopes.entries()) {
    const parts = layout.map((part) => Float32Array.from(slopes[part.name]!))
    optimiser.step(parameters, parts, moments, { step: index + 1, learningRate: fixture.rates[index]!, weightDecay: fixture.decay, scale: fixture.scale })
    const expected = joined(fixture[name][index]!)
    // Both sides compute in 32 bits, in another order; a step moves a weight by about 0.02.
    for (const [place, value] of parameters.entries()) expect(Math.abs(value - expected[place]!), `step ${index + 1}, place ${place}`).toBeLessThan(1e-6)
  }
})

it('adafactor keeps rows and columns where adamw keeps two numbers a weight', () => {
  const model = layOut([
    { name: 'matrix', shape: [300, 200] },
    { name: 'vector', shape: [300] },
  ])
  expect(adafactor(model).length).toBe(300 + 200 + 300)
  expect(adamw(model).length).toBe(2 * totalLength(model))
})

it('adafactor takes slopes that are all zero, and rows that are', () => {
  const optimiser = adafactor(layOut([{ name: 'matrix', shape: [2, 3] }]))
  const parameters = Float32Array.of(1, 2, 3, 4, 5, 6)
  const moments = new Float32Array(optimiser.length)
  const step = { step: 1, learningRate: 0.1, weightDecay: 0, scale: 1 }
  optimiser.step(parameters, [new Float32Array(6)], moments, step)
  expect([...parameters]).toEqual([1, 2, 3, 4, 5, 6])
  optimiser.step(parameters, [Float32Array.of(0, 0, 0, 1, 2, 3)], moments, { ...step, step: 2 })
  expect([...parameters.slice(0, 3)]).toEqual([1, 2, 3])
  expect(parameters.every(Number.isFinite)).toBe(true)
  expect(parameters[5]).toBeLessThan(6)
})

it('adamw takes other betas, and lets decay only what is to', () => {
  const parts = layOut([
    { name: 'embedding', shape: [1, 1] },
    { name: 'matrix', shape: [1, 1] },
  ])
  const optimiser = adamw(parts, { betas: [0.9, 0.95], decays: ({ name }) => name === 'matrix' })
  const parameters = Float32Array.of(1, 1)
  const moments = new Float32Array(optimiser.length)
  const walk = [1, -0.5, 0.25].map((slope, index) => {
    optimiser.step(parameters, [new Float32Array(1), Float32Array.of(slope)], moments, { step: index + 1, learningRate: 0.1, weightDecay: 0.5, scale: 1 })
    return parameters[1]!
  })
  // torch.optim.AdamW with betas (0.9, 0.95), weight decay 0.5, learning rate 0.1 on the same three slopes.
  for (const [index, wanted] of [0.85, 0.78066307, 0.70696175].entries()) expect(walk[index]).toBeCloseTo(wanted, 6)
  expect(parameters[0]).toBe(1)
})

it('measures all slopes together', () => {
  expect(globalNorm([Float32Array.of(3, 0), Float32Array.of(0, 4)])).toBe(5)
})
