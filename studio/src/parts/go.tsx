/**
 * A link within the studio: followed without loading the page anew, opened elsewhere as any link is. Knows nothing of where it leads.
 */
import { useRouter } from '@tanstack/react-router'
import type { MouseEvent, ReactNode } from 'react'

export function Go({ to, className, current, children }: { to: string; className?: string; current?: boolean; children: ReactNode }) {
  const router = useRouter()
  const follow = (event: MouseEvent) => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    router.history.push(to)
  }
  return (
    <a href={to} onClick={follow} aria-current={current ? 'page' : undefined} className={className}>
      {children}
    </a>
  )
}
