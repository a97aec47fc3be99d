/**
 * Problem: a refusal as a person reads it, what is wrong and then what to do. Knows nothing of where it came from.
 */
export function ProblemNote({ problem }: { problem: { message: string; hint: string } | null }) {
  return (
    <div role="alert" className="empty:sr-only">
      {problem && (
        <p className="rounded-lg border border-alarm bg-alarm-wash px-3 py-2 text-small">
          <strong className="font-semibold text-alarm">{problem.message}</strong> {problem.hint}
        </p>
      )}
    </div>
  )
}
