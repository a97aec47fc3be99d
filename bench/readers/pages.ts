/**
 * How long a PDF of 1,000 pages takes to become passages, and how much memory: made on the fly, read by the driver the
 * factory uses. `npm run bench:readers [-- PAGES]`. Knows nothing of what the passages are for.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { isRefusal } from '../../src/core/errors.ts'
import { anyFiles } from '../../src/drivers/reader/any-files.ts'
import { pdfOf, prosePage } from '../../src/drivers/reader/samples.suite.ts'
import { passagesOf } from '../../src/steps/passages.ts'

const words = 'heart valve pressure muscle vessel rhythm doctor patient dose tablet morning evening week risk sign pain breath walk sleep salt'.split(' ')
/** Ten words and a number: no two sentences alike, or passages would be dropped as repeated. */
function sentence(index: number): string {
  let state = (index + 1) * 2654435761
  const chosen = Array.from({ length: 10 }, () => {
    state = (state * 1103515245 + 12345) % 2147483648
    return words[state % words.length]
  })
  return `The ${chosen.join(' ')} ${index}.`
}

/** Memory of the processes this one started, from the kernel; 0 where it does not tell. */
function childrenBytes(): number {
  let pages = 0
  try {
    for (const id of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      const [, parent] = /^\d+ \(.*\) \S (\d+)/.exec(readFileSync(`/proc/${id}/stat`, 'utf8')) ?? []
      if (Number(parent) === process.pid) pages += Number(readFileSync(`/proc/${id}/statm`, 'utf8').split(' ')[1])
    }
  } catch {
    // A process that ended while it was looked at.
  }
  return pages * 4096
}

const count = Number(process.argv[2] ?? 1000)
const bytes = pdfOf(Array.from({ length: count }, (_, index) => prosePage(index + 1, sentence)))
let children = 0
const watch = setInterval(() => {
  children = Math.max(children, childrenBytes())
}, 20)
const started = performance.now()
const read = await anyFiles().read({ name: 'handbook.pdf', bytes })
const seconds = (performance.now() - started) / 1000
clearInterval(watch)
if (isRefusal(read)) throw new Error(read.message)
const { passages } = passagesOf(
  read.flatMap((content) => (content.kind === 'text' ? [content] : [])),
  'en',
)
const whole = (performance.now() - started) / 1000
const megabytes = (amount: number): string => `${Math.round(amount / 1024 / 1024)} MB`
console.log(`${count} pages, ${megabytes(bytes.length)}: read in ${seconds.toFixed(1)} s, ${passages.length} passages after ${whole.toFixed(1)} s`)
console.log(`peak memory: ${megabytes(children)} in the process that reads, ${megabytes(process.resourceUsage().maxRSS * 1024)} in this one`)
if (whole > 60 || children > 1024 ** 3) {
  console.error('Beyond the target of 60 s and 1 GB.')
  process.exitCode = 1
}
