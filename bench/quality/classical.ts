/**
 * Classical: npm run bench:classical -- [--tasks DIR] [--only NAME]...: what may be mixed into a classifier beside the engineer's SVM, both by
 * themselves, on the parts and the official tests of the tasks with one label a text. No language model is in it, and nothing is kept.
 */
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { isRefusal } from '../../src/core/errors.ts'
import { ngramCommittee } from '../../src/drivers/baseline/ngram-committee.ts'
import { ngramSvm } from '../../src/drivers/baseline/ngram-svm.ts'
import { partsOf } from './engineered.ts'
import { askedOf } from './results.ts'
import { compare, saidLabels, scorerOf } from './score.ts'
import { signed } from './table.ts'
import { readTask, taskNames } from './task.ts'

const { values } = parseArgs({
  options: { tasks: { type: 'string', default: fileURLToPath(new URL('../tasks', import.meta.url)) }, only: { type: 'string', multiple: true } },
})
console.log('| task | metric | committee | SVM | difference, 95 % | seconds | MB |\n|---|---|---|---|---|---|---|')
for (const name of taskNames(values.tasks).filter((one) => values.only?.includes(one) ?? true)) {
  const task = await readTask(values.tasks, name)
  if (isRefusal(task) || task.description.kind !== 'classify') continue
  const { training, practice } = partsOf(task)
  const labelled = (cases: typeof training) => cases.map(({ input, label }) => ({ input, label: label! }))
  const measured = []
  for (const baseline of [ngramCommittee(), ngramSvm()]) {
    const began = performance.now()
    const fitted = await baseline.fit({ training: labelled(training), practice: labelled(practice) })
    const said = saidLabels(task.labels, fitted.predict(task.cases.map(({ input }) => input)))
    measured.push({ scorer: scorerOf(askedOf(task, null), said), seconds: (performance.now() - began) / 1000, bytes: fitted.save().length })
  }
  const [ours, svm] = measured as [(typeof measured)[number], (typeof measured)[number]]
  const { difference, interval } = compare([ours.scorer], [svm.scorer])
  const points = ({ scorer }: typeof ours) => (100 * scorer.score()).toFixed(1)
  const both = (of: (one: typeof ours) => number) => `${of(ours).toFixed(1)} / ${of(svm).toFixed(1)}`
  console.log(
    `| ${name} | ${task.description.metric} | ${points(ours)} | ${points(svm)} | ${signed(difference)} [${interval.map(signed).join(', ')}] | ${both(({ seconds }) => seconds)} | ${both(({ bytes }) => bytes / 1e6)} |`,
  )
}
