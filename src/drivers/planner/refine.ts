/** Changes of a plan by a sentence, offline. Knows nothing of files. */
import type { Spec } from '../../core/spec.ts'

export function refineOffline(spec: Spec, _words: string): Spec {
  return spec
}
