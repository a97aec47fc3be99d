/**
 * A wallet in this browser, as far as paying needs it: its account, the chain it is on, and EIP-712 signatures (EIP-1193 requests). Keys stay
 * in the wallet. Knows nothing of payments.
 */
type Provider = { request(call: { method: string; params?: unknown[] }): Promise<unknown> }

/** What went wrong with the wallet, by a code that the page has words for. */
export class WalletProblem extends Error {
  override readonly name = 'BrowserWallet.WalletProblem'
  readonly code: 'none' | 'rejected' | 'wrong_chain'
  constructor(code: WalletProblem['code'], cause?: unknown) {
    super(code, { cause })
    this.code = code
  }
}

const provider = (): Provider | undefined => (window as { ethereum?: Provider }).ethereum
export const hasWallet = (): boolean => provider() !== undefined

const rejected = (error: unknown): boolean => (error as { code?: unknown } | null)?.code === 4001

/** The account to pay from, on the chain of `chainId`; asks its owner for both. @throws {WalletProblem} */
export async function connectWallet(chainId: number) {
  const wallet = provider()
  if (!wallet) throw new WalletProblem('none')
  const ask = async (method: string, params: unknown[] = []): Promise<unknown> => {
    try {
      return await wallet.request({ method, params })
    } catch (error) {
      throw rejected(error) ? new WalletProblem('rejected', error) : error
    }
  }
  const accounts = await ask('eth_requestAccounts')
  const address = Array.isArray(accounts) ? (accounts[0] as `0x${string}` | undefined) : undefined
  if (!address) throw new WalletProblem('rejected')
  const wanted = `0x${chainId.toString(16)}`
  const there = async () => Number(await ask('eth_chainId')) === chainId
  if (!(await there())) {
    // A wallet that does not know the chain says so by an error of its own; either way it is then on another one.
    await ask('wallet_switchEthereumChain', [{ chainId: wanted }]).catch((error: unknown) => {
      throw error instanceof WalletProblem ? error : new WalletProblem('wrong_chain', error)
    })
    if (!(await there())) throw new WalletProblem('wrong_chain')
  }
  return {
    address,
    /** A text in plain sight (EIP-191), as signing in asks for. */
    async signText(text: string): Promise<string> {
      const hex = Array.from(new TextEncoder().encode(text), (byte) => byte.toString(16).padStart(2, '0')).join('')
      return String(await ask('personal_sign', [`0x${hex}`, address]))
    },
    async signTypedData({ domain, types, primaryType, message }: Typed): Promise<`0x${string}`> {
      const fields = Object.entries({ name: 'string', version: 'string', chainId: 'uint256', verifyingContract: 'address' })
      const EIP712Domain = fields.filter(([name]) => name in domain).map(([name, type]) => ({ name, type }))
      const text = JSON.stringify({ domain, types: { EIP712Domain, ...types }, primaryType, message }, (_, value: unknown) =>
        typeof value === 'bigint' ? `${value}` : value,
      )
      return (await ask('eth_signTypedData_v4', [address, text])) as `0x${string}`
    },
  }
}

type Typed = { domain: Record<string, unknown>; types: Record<string, unknown>; primaryType: string; message: Record<string, unknown> }
