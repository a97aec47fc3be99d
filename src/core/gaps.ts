/**
 * Gaps: questions that a model had no answer to, of callers who said that its builder may read them: what to improve next. Pure; knows nothing of where
 * they are kept.
 */

/** One question, as often as it was asked; `last` in Unix seconds. */
export type Gap = { model: string; question: string; tags: string[]; times: number; last: number }
export type GapTopic = { topic: string | null; times: number; questions: { question: string; times: number; last: number }[] }
export type GapsView = { models: { model: string; times: number; topics: GapTopic[] }[] }

/** By model and topic, what was asked most first; a question stands under the first of its topics that most others of the model share. */
export function gapsView(gaps: readonly Gap[]): GapsView {
  const models = new Map<string, Gap[]>()
  for (const gap of gaps) models.set(gap.model, [...(models.get(gap.model) ?? []), gap])
  const sum = (some: readonly { times: number }[]) => some.reduce((total, { times }) => total + times, 0)
  const most = <One extends { times: number; key: string }>(one: One, other: One) => other.times - one.times || (one.key < other.key ? -1 : 1)
  return {
    models: [...models]
      .map(([model, own]) => {
        const weight = new Map<string, number>()
        for (const { tags, times } of own) for (const tag of tags) weight.set(tag, (weight.get(tag) ?? 0) + times)
        const topicOf = ({ tags }: Gap) => [...tags].sort((a, b) => weight.get(b)! - weight.get(a)! || (a < b ? -1 : 1))[0] ?? null
        const topics = new Map<string | null, Gap[]>()
        for (const gap of own) topics.set(topicOf(gap), [...(topics.get(topicOf(gap)) ?? []), gap])
        return {
          ...{ key: model, model, times: sum(own) },
          topics: [...topics]
            .map(([topic, some]) => ({
              ...{ key: topic ?? '\uffff', topic, times: sum(some) },
              questions: some.map(({ question, times, last }) => ({ key: question, question, times, last })).sort(most),
            }))
            .sort(most),
        }
      })
      .sort(most)
      .map(({ model, times, topics }) => ({
        ...{ model, times },
        topics: topics.map(({ topic, times: asked, questions }) => ({
          ...{ topic, times: asked },
          questions: questions.map(({ question, times: often, last }) => ({ question, times: often, last })),
        })),
      })),
  }
}
