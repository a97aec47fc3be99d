/**
 * Probes: simple questions that a base of a few million parameters may or may not be able to answer without being trained for them. Each item
 * is a beginning and two endings; the base is right when it finds the right one likelier a byte. Chance is one half. Knows nothing of training.
 */
import type { Token } from 'node-llama-cpp'
import { llama } from '../../src/drivers/llama/vocabulary.ts'
import { openLlama } from '../../src/engine/architecture.ts'
import { openLoss } from '../../src/engine/gradient.ts'
import type { Trainable } from '../../src/engine/parameters.ts'
import { generator } from '../../src/engine/random.ts'
import { Reader } from '../recipe/measure.ts'

export type Probe = { start: string; right: string; wrong: string }
export type ProbeScore = { n: number; share: number; interval: [number, number] }

const ITEMS = 200
const LENGTH = 128
const NOTHING: Trainable = { layout: [], graph: {}, initial: () => new Float32Array(0) }
const EMPTY = new Float32Array(0)

type Pick = <T>(values: readonly T[]) => T

const NOUNS = [
  ...[
    ['key', 'keys'],
    ['report', 'reports'],
    ['nurse', 'nurses'],
    ['tenant', 'tenants'],
    ['beam', 'beams'],
    ['judge', 'judges'],
    ['child', 'children'],
  ],
  ...[
    ['law', 'laws'],
    ['river', 'rivers'],
    ['student', 'students'],
    ['cell', 'cells'],
    ['engine', 'engines'],
    ['company', 'companies'],
    ['book', 'books'],
  ],
] as const
const PLACES = [
  'near the old houses',
  'behind the wall',
  'of the doctors',
  'from the city',
  'with the long names',
  'under the bridges',
  'in the first part',
] as const
const VERBS = [
  ...[
    ['is', 'are'],
    ['was', 'were'],
    ['has', 'have'],
    ['does', 'do'],
  ],
] as const

/** Subject and verb agree in number, across a phrase between them (Linzen et al. 2016). */
function agreement(pick: Pick): Probe {
  const noun = pick(NOUNS)
  const verb = pick(VERBS)
  const many = pick([0, 1] as const)
  return { start: `The ${noun[many]} ${pick(PLACES)}`, right: ` ${verb[many]}`, wrong: ` ${verb[1 - many]!}` }
}

/** What goes with what: the ending of one beginning against the ending of another. */
const PAIRS = [
  ...[
    ['The heart pumps', ' blood'],
    ['Plants need light and', ' water'],
    ['The judge read the', ' law'],
    ['The nurse gave the patient', ' medicine'],
  ],
  ...[
    ['The baker made the', ' bread'],
    ['The student opened the', ' book'],
    ['The ship crossed the', ' sea'],
    ['The tenant pays the', ' rent'],
  ],
  ...[
    ['In winter there is', ' snow'],
    ['The farmer fed the', ' animals'],
    ['The program prints the', ' output'],
    ['The wall is made of', ' stone'],
  ],
  ...[
    ['The lungs take in', ' air'],
    ['The teacher asked the', ' question'],
    ['The bird flew into the', ' sky'],
    ['The company signed the', ' contract'],
  ],
  ...[
    ['The cook washed her', ' hands'],
    ['The king wore a', ' crown'],
    ['The letter was written on', ' paper'],
    ['The soldiers fought in the', ' war'],
  ],
] as const
function association(pick: Pick): Probe {
  const own = pick(PAIRS)
  const other = pick(PAIRS.filter((pair) => pair !== own))
  return { start: own[0], right: own[1], wrong: other[1] }
}

const WORDS = ['river', 'table', 'doctor', 'winter', 'music', 'garden', 'letter', 'market', 'summer', 'window', 'mother', 'number', 'paper', 'horse'] as const

/** A list said once goes on the same way when it is said again (Olsson et al. 2022, induction). */
function repetition(pick: Pick): Probe {
  const list: string[] = []
  while (list.length < 6) {
    const word = pick(WORDS)
    if (!list.includes(word)) list.push(word)
  }
  const place = pick([2, 3, 4] as const)
  return { start: `${list.join(', ')}. ${list.slice(0, place).join(', ')},`, right: ` ${list[place]!}`, wrong: ` ${list[place === 4 ? 1 : place + 1]!}` }
}

const GOOD = ['wonderful', 'excellent', 'beautiful', 'very good', 'happy', 'pleasant', 'delightful', 'perfect'] as const
const BAD = ['terrible', 'awful', 'ugly', 'very bad', 'sad', 'painful', 'horrible', 'poor'] as const
const THINGS = ['The food', 'The room', 'The journey', 'The answer', 'The evening', 'The work', 'The weather', 'The book'] as const

/** Praise told from blame, after `shots` examples of each. */
function mood(shots: number): (pick: Pick) => Probe {
  return (pick) => {
    const line = (good: boolean) => `${pick(THINGS)} was ${pick(good ? GOOD : BAD)}. This is`
    const ending = (good: boolean) => (good ? ' good' : ' bad')
    const examples = Array.from({ length: 2 * shots }, (_, index) => `${line(index % 2 === 0)}${ending(index % 2 === 0)}.\n`)
    const good = pick([true, false])
    return { start: `${examples.join('')}${line(good)}`, right: ending(good), wrong: ending(!good) }
  }
}

export const PROBES: Readonly<Record<string, (pick: Pick) => Probe>> = {
  'agreement across a phrase': agreement,
  'what goes with what': association,
  'a list said again': repetition,
  'praise or blame, no example': mood(0),
  'praise or blame, four examples': mood(2),
}

/** The items of a probe; the same each time. */
export function itemsOf(name: string): Probe[] {
  const next = generator(29)
  const pick: Pick = (values) => values[Math.floor(next() * values.length)]!
  return Array.from({ length: ITEMS }, () => PROBES[name]!(pick))
}

/** Share of items whose right ending is the likelier one, with a 95 % interval (Wilson 1927), by probe. */
export async function probe(path: string, { threads }: { threads: number }): Promise<Record<string, ProbeScore>> {
  const base = openLlama(path)
  const model = await (await llama()).loadModel({ modelPath: path })
  // One row at a time: the engine gives the loss of a run, not of a row.
  const extent = { rows: 1, length: LENGTH, reads: LENGTH }
  const reader = new Reader(extent, base.shape.vocabulary)
  const loss = await openLoss(base, extent, { trainable: NOTHING, vocabulary: undefined, threads })
  const end = (model.tokens.bos ?? model.tokens.eos!) as Token
  /** Nats a byte of an ending after a beginning. */
  const surprise = async (start: string, ending: string): Promise<number> => {
    const before = [end, ...model.tokenize(start, false)] as number[]
    const tokens = [...before, ...model.tokenize(ending, false)] as number[]
    const row = tokens.slice(-(LENGTH + 1))
    const from = row.length - (tokens.length - before.length)
    const learned = Uint8Array.from({ length: LENGTH + 1 }, (_, at) => (at >= from && at < row.length ? 1 : 0))
    while (row.length < LENGTH + 1) row.push(0)
    return (await loss.run(EMPTY, reader.values([{ tokens: row, learned }], 1))).loss / Buffer.byteLength(ending)
  }
  try {
    const scores: Record<string, ProbeScore> = {}
    for (const name of Object.keys(PROBES)) {
      let right = 0
      const items = itemsOf(name)
      for (const item of items) if ((await surprise(item.start, item.right)) < (await surprise(item.start, item.wrong))) right++
      scores[name] = { n: items.length, share: right / items.length, interval: wilson(right, items.length) }
    }
    return scores
  } finally {
    await loss.close()
    await model.dispose()
  }
}

/** 95 % score interval of a share (Wilson 1927). */
export function wilson(right: number, n: number): [number, number] {
  const z = 1.959964
  const share = right / n
  const centre = (share + (z * z) / (2 * n)) / (1 + (z * z) / n)
  const half = (z / (1 + (z * z) / n)) * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n))
  return [centre - half, centre + half]
}
