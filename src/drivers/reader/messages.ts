/**
 * Messages: what the reader and the process that opens documents say to each other. Knows nothing of either's work.
 */
import type { Refusal } from '../../core/errors.ts'
import type { Content } from '../../ports/reader.ts'

/** From the parent, one at a time. */
export type Job = { name: string; bytes: Uint8Array }

/** From the child, one for each job. */
export type Outcome = { contents: Content[] | Refusal }
