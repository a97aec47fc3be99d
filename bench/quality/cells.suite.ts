/** Made-up results for the tests of tables and pages: two label tasks and one of answers, with the figures one can check by hand. */
import type { Asked, Cell, Stored } from './results.ts'

export const dataId = (digit: string) => `0x${digit.repeat(64)}` as const
const machine = { processor: 'A processor', cores: 2, memoryGb: 8, node: 'v20.19.0', platform: 'linux x64' }
const cases = 40

/** Truth of 40 cases of two labels, and a guess of it with so many of the first cases wrong. */
export const truth = Array.from({ length: cases }, (_, index) => index % 2).join(' ')
export const wrongIn = (count: number): string => Array.from({ length: cases }, (_, index) => (index < count ? 1 - (index % 2) : index % 2)).join(' ')

export const asked = (change: Partial<Asked> = {}): Asked => ({
  ...{ dataId: dataId('1'), sentence: 'Tell me which it is.', kind: 'classify', metric: 'accuracy', from: 'task.json', inferred: [], flags: [] },
  ...{ rows: { train: 100, validation: 20, exam: cases, files: 2 }, labels: ['a', 'b'], truth, published: null, quoted: null },
  ...change,
})

export const vibe = (task: string, said: string, change: Partial<Cell> = {}): Cell => ({
  ...{ task, dataId: dataId('1'), arm: 'vibe', seed: 1, budgetMinutes: 5, date: '2026-01-02T03:04:05.000Z', machine, minutes: 5.5, refused: null },
  ...{
    said: { tuned: said, neural: wrongIn(30), baseline: said },
    what: { tuned: 'the model as served: a mixture', baseline: 'BM25' },
    package: dataId('a'),
    base: dataId('b'),
  },
  ...{ effort: { words: 5, settings: ['--exam', '--minutes'], linesOfCode: 0 }, figures: {} },
  ...change,
})

export const engineered = (task: string, said: string, change: Partial<Cell> = {}): Cell => ({
  ...vibe(task, said),
  ...{
    arm: 'engineered',
    seed: 0,
    budgetMinutes: null,
    minutes: 0.2,
    package: null,
    base: null,
    said: { engineered: said },
    what: { engineered: 'a tuned SVM' },
  },
  effort: { words: 0, settings: ['penalty', 'class weights'], linesOfCode: 150 },
  ...change,
})

export const stored = (change: Partial<Stored> = {}): Stored => ({
  format: 'modelfactory/quality@1',
  plan: { tasks: ['good', 'bad'], seeds: [1], budgetMinutes: 5, refused: [] },
  tasks: { good: asked({ quoted: { how: 'another program', figures: { accuracy: 0.701 } }, published: '[recalled] 99.9' }), bad: asked() },
  cells: [vibe('good', wrongIn(2)), engineered('good', wrongIn(20)), vibe('bad', wrongIn(20)), engineered('bad', wrongIn(2))],
  ...change,
})
