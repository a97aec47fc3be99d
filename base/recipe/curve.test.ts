import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { addPoint, drawCurve, readCurve, trimCurve } from './curve.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'curve-'))
  path = join(folder, 'curve.jsonl')
  for (const step of [0, 10, 20, 30]) addPoint(path, { course: 'pretrain', step, tokens: step * 100, minutes: step / 10, loss: 8 - step / 10 })
  addPoint(path, { course: 'instruct', step: 10, tokens: 500, minutes: 1, loss: 3 })
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const steps = () => readCurve(path).map(({ course, step }) => `${course} ${step}`)

it('drops what was written after the last checkpoint, of that course alone', () => {
  trimCurve(path, 'pretrain', 20)
  expect(steps()).toEqual(['pretrain 0', 'pretrain 10', 'pretrain 20', 'instruct 10'])
  trimCurve(path, 'pretrain', 0)
  expect(steps()).toEqual(['instruct 10'])
})

it('leaves out a line that a killed run did not finish', () => {
  appendFileSync(path, '{"course":"pretrain","st')
  expect(steps().length).toBe(5)
})

it('draws losses and held-out text on scales of their own', () => {
  for (const [tokens, bits] of [
    [0, 2.5],
    [3000, 1.5],
  ] as const)
    addPoint(path, { course: 'pretrain', step: 40, tokens, minutes: 1, validationBitsPerByte: bits })
  const svg = drawCurve('a base', readCurve(path))
  // The first loss stands at the top left and the last at the bottom right; so does held-out text. The instruction stage is not drawn.
  expect(svg).toContain('<path class="l" d="M60.0 50.0L273.3 133.3L486.7 216.7L700.0 300.0"/>')
  expect(svg).toContain('<path class="v" d="M60.0 50.0L700.0 300.0"/>')
  expect(svg).toContain('last 1.500')
})
