/**
 * How tables were understood: the sentence of the planner, the part each column plays, to be changed by choosing another, and the first rows with
 * those columns marked. What stands in a cell is outside data and only ever text. Knows nothing of how columns are told apart.
 */
import { useId } from 'react'
import { useNumber, useWords } from '../language.ts'
import type { ColumnChoice, Understood } from './build-api.ts'
import { buildWords } from './words.ts'

const TABLES_SHOWN = 10

export function Tables({ view, onChoose }: { view: Understood; onChoose: (choice: ColumnChoice) => void }) {
  const { tables: words } = useWords(buildWords)
  const used = view.spec.files.flatMap((file) => {
    const table = view.tables.find(({ name }) => name === file.name)
    return table && file.use !== 'ignored' && file.use !== 'passages' ? [{ file, table }] : []
  })
  if (!used.length) return null
  return (
    <section className="panel min-w-0">
      <h2 className="text-title font-semibold">{words.heading}</h2>
      <p className="mt-1 text-small text-soft">{words.lead}</p>
      <ul className="mt-4 space-y-6">
        {used.slice(0, TABLES_SHOWN).map(({ file, table }) => (
          <One key={file.name} file={file} table={table} onChoose={onChoose} />
        ))}
      </ul>
    </section>
  )
}

type OneProps = { file: Understood['spec']['files'][number]; table: Understood['tables'][number]; onChoose: (choice: ColumnChoice) => void }

function One({ file, table, onChoose }: OneProps) {
  const { tables: words } = useWords(buildWords)
  const number = useNumber()
  const id = useId()
  const roles = Object.entries(file.columns).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  const roleOf = (column: string) => roles.find(([, one]) => one === column)?.[0]
  return (
    <li className="min-w-0">
      <h3 className="font-medium wrap-anywhere">
        {file.name} <span className="font-normal text-soft">{words.rows(number(table.rows))}</span>
      </h3>
      {file.why && (
        <p className="mt-1 max-w-prose text-small text-soft wrap-anywhere" dir="auto">
          {file.why}
        </p>
      )}
      <div className="mt-2 flex flex-wrap gap-x-6 gap-y-3 text-small">
        {roles.map(([role, column]) => (
          <div key={role} className="min-w-0">
            <label htmlFor={`${id}${role}`} className="block text-soft">
              {words.roles[role] ?? role}
            </label>
            <select
              id={`${id}${role}`}
              value={column}
              onChange={(event) => onChoose({ role, column: event.target.value, file: file.name })}
              className="field mt-1 min-h-11 max-w-64"
            >
              {table.columns.map((one) => (
                <option key={one} value={one}>
                  {one}
                </option>
              ))}
            </select>
          </div>
        ))}
      </div>
      <details className="mt-2 text-small">
        <summary className="min-h-9 content-center font-medium text-river">{words.first}</summary>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
        <section tabIndex={0} aria-label={`${words.first}: ${file.name}`} className="overflow-x-auto rounded-lg border border-line">
          <table className="w-full text-start">
            <thead>
              <tr>
                {table.columns.map((column) => {
                  const role = roleOf(column)
                  return (
                    <th
                      key={column}
                      scope="col"
                      className={`border-b border-line px-3 py-2 text-start align-bottom ${role ? 'bg-river-wash' : 'font-normal text-soft'}`}
                    >
                      {column}
                      {role && <span className="block text-tiny font-normal">{words.roles[role] ?? role}</span>}
                    </th>
                  )
                })}
              </tr>
            </thead>
            <tbody>
              {table.first.map((row, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: rows of a file never move
                <tr key={index}>
                  {table.columns.map((column) => (
                    <td
                      key={column}
                      dir="auto"
                      className={`max-w-96 min-w-32 border-b border-line px-3 py-2 align-top wrap-anywhere ${roleOf(column) ? '' : 'text-soft'}`}
                    >
                      {row[column]}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      </details>
    </li>
  )
}
