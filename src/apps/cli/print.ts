/**
 * How the command line speaks: plain lines for people, one JSON object last for programs, and progress in between.
 * Knows nothing of what is said.
 */
import type { Refusal } from '../../core/errors.ts'
import type { BuildView } from '../../core/view.ts'

export type Printer = {
  /** A line for people; with `--json` it goes to standard error. */
  line(text: string): void
  /** A line that the next one overwrites, on a terminal; elsewhere printed now and then. */
  progress(text: string): void
  /** The command's result: the last line of standard output with `--json`. */
  result(value: unknown, text?: string): void
  refusal(refusal: Refusal): void
}

/** Seconds between progress lines where nothing can be overwritten, such as a log file. */
const PROGRESS_SECONDS = 10

export function printer(json: boolean): Printer {
  const out = json ? process.stderr : process.stdout
  let open = false
  let last = 0
  const clear = () => {
    if (open) out.write('\r\u001b[K')
    open = false
  }
  const line = (text: string) => {
    clear()
    out.write(`${text}\n`)
  }
  return {
    line,
    progress(text) {
      if (out.isTTY) {
        out.write(`\r\u001b[K${text.slice(0, (out.columns ?? 120) - 1)}`)
        open = true
      } else if (Date.now() - last > PROGRESS_SECONDS * 1000) {
        last = Date.now()
        out.write(`${text}\n`)
      }
    },
    result(value, text) {
      if (json) process.stdout.write(`${JSON.stringify(value)}\n`)
      else if (text !== undefined) line(text)
    },
    refusal(refusal) {
      clear()
      process.stderr.write(`${refusal.message} ${refusal.hint}\n`.trim().concat('\n'))
      if (json) process.stdout.write(`${JSON.stringify({ error: { code: refusal.code, message: refusal.message, hint: refusal.hint } })}\n`)
    },
  }
}

const ARROWS: Record<string, string> = {
  describe: 'words -> spec',
  collect: 'spec -> dataset',
  train: 'dataset -> weights',
  examine: 'weights -> report',
  pack: 'report -> package',
  publish: 'package -> listing',
  query: 'listing -> receipt',
  royalty: 'receipt -> royalty',
  note: 'note',
}

/** One arrow of the river as a line, the arrow's name first; further lines are indented below it. */
export function arrowLine(name: string, arrow: string, text: string): string {
  const head = `[${name}] ${(ARROWS[arrow] ?? arrow).padEnd(19)}`
  return text
    .split('\n')
    .map((part, index) => (index ? `${' '.repeat(head.length)} ${part}` : `${head} ${part}`))
    .join('\n')
}

/** How far a training run is, in words and minutes. */
export function trainingLine(name: string, training: NonNullable<BuildView['training']>): string {
  const validated = training.points.findLast((point) => point.validationLoss !== null)
  const minutes =
    training.secondsLeft >= 60 ? `${(training.secondsLeft / 60).toFixed(1)} minutes left` : `${Math.max(0, Math.round(training.secondsLeft))} seconds left`
  const practice = validated ? `, practice loss ${validated.validationLoss!.toFixed(3)}` : ''
  return `[${name}] training step ${training.step} of ${training.steps}, loss ${training.points.at(-1)?.trainingLoss.toFixed(3) ?? '-'}${practice}, ${minutes}`
}
