/**
 * `bases`: the catalogue of bases as a table. Needs no server and no network. Knows nothing of how a base is fetched.
 */
import { CATALOGUE, diskEstimate, memoryEstimate } from '../../core/catalogue.ts'
import type { Printer } from './print.ts'

export function printBases(out: Printer): void {
  const entries = CATALOGUE.map((entry) => ({
    ...entry,
    diskBytes: diskEstimate(entry),
    memoryBytes: memoryEstimate(entry),
    estimated: ['diskBytes', 'memoryBytes'],
  }))
  const rows = [
    ['base', 'parameters', 'disk *', 'memory *', 'licence', 'languages', '--base'],
    ...entries.map(({ name, parameters, diskBytes, memoryBytes, licence, languages, reference }) => [
      name,
      parameters < 1000 ? `${parameters} M` : `${(parameters / 1000).toFixed(1)} B`,
      gigabytes(diskBytes),
      gigabytes(memoryBytes),
      licence,
      languages.length > 4 ? `${languages.slice(0, 3).join(' ')} +${languages.length - 3}` : languages.join(' '),
      reference ?? '(the default)',
    ]),
  ]
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  )
  out.result(
    { bases: entries },
    [
      ...lines,
      '',
      ...entries.map(({ name, goodFor }) => `${name}: ${goodFor}`),
      '',
      '* Estimates for the Q8_0 file: size from the parameters, memory of training as twice the file and a third of a gigabyte.',
      'Any other GGUF file of a supported architecture works too: --base ./file.gguf, or --base hf:owner/name[:file].',
    ].join('\n'),
  )
}

function gigabytes(bytes: number): string {
  return bytes < 1e9 ? `${Math.round(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`
}
