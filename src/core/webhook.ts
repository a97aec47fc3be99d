/**
 * The webhook as its owner sees it. Knows nothing of how messages are sent.
 */

/** `failing` is why the last try failed, and since when (Unix milliseconds); null where the last one was taken. `signer` signs each message. */
export type WebhookView = { url: string | null; told: number; waiting: number; failing: { why: string; since: number } | null; signer: string }
