/**
 * Signing in with a wallet of this browser, for owners who are elsewhere, buyers who review, and auditions. Where there is no wallet nothing is
 * shown. Knows nothing of what a session allows.
 */
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { shortHex } from '../format.ts'
import { useWords } from '../language.ts'
import { hasWallet, WalletProblem } from '../market/browser-wallet.ts'
import { useOnce } from '../parts/once.ts'
import { signIn, signOut, useSession } from './session.ts'

const signInWords = {
  en: {
    in: 'Sign in with a wallet',
    busy: 'Ask your wallet',
    out: (who: string) => `Sign out ${who}`,
    problems: { none: 'There is no wallet in this browser.', rejected: 'The wallet’s owner said no.', wrong_chain: 'The wallet is on another chain.' },
  },
  es: {
    in: 'Entrar con una cartera',
    busy: 'Mira tu cartera',
    out: (who: string) => `Salir ${who}`,
    problems: { none: 'No hay cartera en este navegador.', rejected: 'El dueño de la cartera dijo que no.', wrong_chain: 'La cartera está en otra cadena.' },
  },
}

export function SignIn() {
  const words = useWords(signInWords)
  const queries = useQueryClient()
  const session = useSession()
  const turning = useMutation({
    mutationFn: () => (session.data ? signOut() : signIn()),
    // What a page shows may depend on who looks at it.
    onSuccess: () => queries.invalidateQueries(),
  })
  const turn = useOnce<void>(() => turning.mutateAsync())
  if (!session.data && !hasWallet()) return null
  const problem = turning.error && (turning.error instanceof WalletProblem ? words.problems[turning.error.code] : turning.error.message)
  return (
    <div className="text-small">
      <button type="button" className="min-h-9 rounded-lg border border-line-strong bg-surface px-3" aria-disabled={turning.isPending} onClick={() => turn()}>
        {turning.isPending ? words.busy : session.data ? words.out(shortHex(session.data.id)) : words.in}
      </button>
      <span role="alert" className="ms-2 text-alarm empty:hidden">
        {problem}
      </span>
    </div>
  )
}
