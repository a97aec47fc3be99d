/**
 * A link within the studio. Knows nothing of where it leads.
 */
import type { ReactNode } from 'react'

export function Go({ to, className, children, label }: { to: string; className?: string; children: ReactNode; label?: string }) {
  return (
    <a href={to} className={className} aria-label={label}>
      {children}
    </a>
  )
}
