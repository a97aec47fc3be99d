/**
 * Guard: when a part of the page throws, says so and offers a way on instead of a blank page. Knows nothing of the parts.
 */
import { Component, type ReactNode } from 'react'
import { told } from '../language.ts'
import { studioWords } from '../words.ts'

export class Guard extends Component<{ children: ReactNode }, { fault: unknown }> {
  override state: { fault: unknown } = { fault: null }

  static getDerivedStateFromError(fault: unknown): { fault: unknown } {
    return { fault: fault ?? true }
  }

  override render(): ReactNode {
    if (this.state.fault === null) return this.props.children
    return (
      <main className="mx-auto max-w-xl p-8" role="alert">
        <p className="text-title font-semibold">{told(studioWords).problems.broken}</p>
        <p className="mt-2 text-soft">{told(studioWords).problems.reload}</p>
        <p className="mt-4 font-mono text-small text-soft">{this.state.fault instanceof Error ? this.state.fault.message : ''}</p>
      </main>
    )
  }
}
