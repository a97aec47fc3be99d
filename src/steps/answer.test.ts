/** What a model reads before it answers: how many passages, and how much of them. No weights run here. */
import { expect, it } from 'vitest'
import type { Passage } from '../core/dataset.ts'
import { hashText } from '../core/id.ts'
import type { Prompt } from '../core/prompt.ts'
import { miniSearchRetriever } from '../drivers/retriever/minisearch.ts'
import { judge, PASSAGES, type Served } from './answer.ts'
import { matcher } from './match.ts'

const passages: Passage[] = Array.from({ length: 12 }, (_, index) => ({
  ...{ id: hashText(`${index}`), title: 'Drugs', heading: `Drug ${index}`, source: { file: 'drugs.md' } },
  sentences: ['This drug helps the heart.', `Number ${index} is taken with water.`, 'Ask about the dose of the drug.'],
}))

/** How many different passages are read where a word is so many tokens. */
async function read(tokensOfWord: number): Promise<number> {
  let prompts: readonly Prompt[] = []
  const served = {
    index: miniSearchRetriever().index(passages, 'en'),
    match: matcher(passages),
    vocabulary: { count: (text: string) => text.split(/\s+/).length * tokensOfWord, contextLength: 100_000 },
    scorer: {
      score: async (asked: readonly Prompt[]) => {
        prompts = asked
        return asked.map((prompt) => prompt.filter((segment) => segment.kind === 'read').map(() => [0.5, 0.5]))
      },
    },
  } as unknown as Served
  const judged = await judge(served, 'Which drug helps the heart?')
  expect(prompts.length).toBeGreaterThan(0)
  return new Set(judged.map(({ passage }) => passage.id)).size
}

it('reads eight passages where they are short, fewer where a script takes many tokens, and two however long they are', async () => {
  expect(await read(1)).toBe(PASSAGES)
  // 17 words and 3 line ends a passage.
  expect(await read(40)).toBe(4)
  expect(await read(1000)).toBe(2)
})
