/**
 * Receipts: the last paid questions, a table on wide screens and a list on narrow ones. Knows nothing of how they came.
 */
import { useRef } from 'react'
import type { ReceiptView } from '../api.ts'
import { clock, isoTime, shortDecimal } from '../format.ts'
import { useWords } from '../language.ts'
import { studioWords } from '../words.ts'
import { Hex } from './copy.tsx'

const SHOWN = 12
const SOURCES_SHOWN = 2

export function Receipts({ receipts, currency }: { receipts: readonly ReceiptView[]; currency: string }) {
  const words = useWords(studioWords)
  // What was there when the page opened is not news; what comes later lights up once.
  const first = useRef(new Set(receipts.map((receipt) => receipt.id)))
  return (
    <section className="panel @container" aria-labelledby="receipts">
      <h2 id="receipts" className="text-title font-semibold">
        {words.receipts.heading}
      </h2>
      <p className="text-small text-soft">{receipts.length === 0 ? words.receipts.none : words.receipts.what}</p>
      {receipts.length > 0 && (
        <table className="mt-4 block w-full text-left text-small @3xl:table">
          <thead className="sr-only @3xl:not-sr-only @3xl:table-header-group">
            <tr className="text-soft">
              {(['time', 'model', 'amount', 'payer', 'tx', 'sources'] as const).map((column) => (
                <th key={column} scope="col" className="border-b border-line py-2 pr-4 font-medium">
                  {words.receipts[column]}
                </th>
              ))}
            </tr>
          </thead>
          <tbody className="block @3xl:table-row-group">
            {receipts.slice(0, SHOWN).map((receipt) => (
              <tr
                key={receipt.id}
                className={`flex flex-wrap justify-between gap-x-4 gap-y-0.5 border-b border-line py-3 align-baseline last:border-b-0 @3xl:table-row @3xl:py-0 @3xl:[&>td]:border-b @3xl:[&>td]:border-line @3xl:[&>td]:py-2.5 @3xl:[&>td]:pr-4 ${first.current.has(receipt.id) ? '' : 'arrived'}`}
              >
                <td className="order-3 whitespace-nowrap text-soft tabular-nums">
                  <time dateTime={isoTime(receipt.at)}>{clock(receipt.at)}</time>
                </td>
                <td className="order-1 min-w-0 font-medium @3xl:max-w-56 @3xl:truncate" title={receipt.model}>
                  {receipt.model}
                </td>
                <td className="order-2 text-right font-medium whitespace-nowrap text-gain tabular-nums @3xl:text-left">
                  {shortDecimal(receipt.amount.open)} <span className="font-normal text-soft">{currency}</span>
                </td>
                <td className="order-5 basis-full">
                  <span className="text-soft @3xl:hidden">{words.receipts.payer} </span>
                  <Hex value={receipt.payer} what={words.receipts.address} />
                </td>
                <td className="order-4 text-right @3xl:text-left">
                  <span className="text-soft @3xl:hidden">{words.receipts.tx} </span>
                  <Hex value={receipt.tx} what={words.receipts.transaction} />
                </td>
                <td className="order-6 basis-full text-soft">
                  {receipt.sources.length === 0 ? words.receipts.noSources : receipt.sources.slice(0, SOURCES_SHOWN).join('; ')}
                  {receipt.sources.length > SOURCES_SHOWN && ` ${words.receipts.moreSources(receipt.sources.length - SOURCES_SHOWN)}`}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  )
}
