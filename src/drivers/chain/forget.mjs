/**
 * The thread in which a state of anvil's loses its old blocks, see `forgetful` in snapshot.ts. Plain JavaScript, so that it starts without a
 * loader. Knows nothing of what a state is for; anything that is not one makes it fail.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { gunzipSync, gzipSync } from 'node:zlib'

const { state, keptBlocks } = workerData
const whole = JSON.parse(gunzipSync(Buffer.from(state.slice(2), 'hex')).toString())
const newest = whole.blocks.reduce((most, { header }) => Math.max(most, Number(header.number)), 0)
if (!Number.isSafeInteger(newest)) throw new TypeError('The blocks of the state have no numbers.')
const oldest = newest - keptBlocks
const blocks = whole.blocks.filter(({ header }) => Number(header.number) > oldest)
const transactions = whole.transactions
  .filter(({ block_number: block }) => block > oldest)
  // What every call of it did, four fifths of a state; only debuggers ask for it.
  .map((transaction) => ({ ...transaction, info: { ...transaction.info, traces: [] } }))
parentPort.postMessage(`0x${gzipSync(JSON.stringify({ ...whole, blocks, transactions })).toString('hex')}`)
