/**
 * Who is signed in with this browser, and signing in and out with a wallet (EIP-4361). Knows nothing of pages.
 */
import { useQuery } from '@tanstack/react-query'
import type { Challenge, Session } from '../../../src/core/session.ts'
import { ask, get } from '../fetching.ts'
import { connectWallet } from '../market/browser-wallet.ts'

export const useSession = () =>
  useQuery({
    queryKey: ['session'],
    queryFn: async ({ signal }) => (await get<{ session: Session | null }>('/api/session', signal)).session,
    staleTime: 60_000,
    retry: false,
  })

/** Asks the wallet for its account and one signature of a text that says where it is for. @throws {WalletProblem} or {Failed} */
export async function signIn(): Promise<void> {
  const challenge = await ask<Challenge>('POST', '/api/session/nonce', {})
  const [{ createSiweMessage }, account] = await Promise.all([import('viem/siwe'), connectWallet(challenge.chainId)])
  const { getAddress } = await import('viem')
  const message = createSiweMessage({
    ...{
      address: getAddress(account.address),
      chainId: challenge.chainId,
      domain: challenge.domain,
      nonce: challenge.nonce,
      uri: challenge.origin,
      version: '1',
    },
    issuedAt: new Date(),
  })
  await ask<unknown>('POST', '/api/session', { message, signature: await account.signText(message) })
}

export const signOut = () => ask<unknown>('DELETE', '/api/session')
