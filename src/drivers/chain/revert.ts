/**
 * What the contracts say no with, as sentences for people. One table; knows nothing of how the call was made.
 */
import { BaseError as ViemError } from 'viem'
import { type Refusal, refuse } from '../../core/errors.ts'
import { formatOpen } from '../../core/royalty.ts'
import { modelBounties, modelRegistry, royaltyRouter, wrappedOpen } from './contracts.generated.ts'

/** Every error any of the contracts can end a call with; a call to the router may fail in the token. */
export const contractErrors = [...wrappedOpen.abi, ...modelRegistry.abi, ...royaltyRouter.abi, ...modelBounties.abi].filter((item) => item.type === 'error')

type Arguments = readonly unknown[]
const instant = (seconds: unknown): string => {
  const milliseconds = Number(seconds) * 1000
  return Number.isFinite(milliseconds) && milliseconds < 8.64e15 ? new Date(milliseconds).toISOString() : `second ${String(seconds)}`
}
const open = (amount: unknown): string => `${formatOpen(BigInt(amount as bigint))} OPEN`

const sentences: Record<string, (values: Arguments) => Refusal> = {
  AuthorizationExpired: ([validBefore]) => refuse('authorization_expired', `The payment authorization expired at ${instant(validBefore)}.`, 'Sign a new one.'),
  AuthorizationNotYetValid: ([validAfter]) =>
    refuse('authorization_not_yet_valid', `The payment authorization is not valid before ${instant(validAfter)}.`, 'Wait, or sign one that is valid now.'),
  AuthorizationAlreadyUsed: ([, nonce]) =>
    refuse('authorization_used', `The payment authorization with nonce ${nonce} was used or cancelled before.`, 'Sign a new one with another nonce.'),
  InvalidSignature: ([signer]) =>
    refuse(
      'signature_invalid',
      `The payment authorization is not signed by ${signer}.`,
      "Sign the very message with the payer's own key, for this token and chain.",
    ),
  InsufficientBalance: () => refuse('insufficient_open', 'The payer holds less OPEN than the price.', 'Add OPEN to the wallet and try again.'),
  WrongAmount: ([amount, price]) =>
    refuse('wrong_amount', `The authorization pays ${open(amount)}, but the price is ${open(price)}.`, 'Ask for the price again and sign exactly that.'),
  UnknownModel: ([modelId]) => refuse('model_unknown', `No model is registered under ${modelId}.`, 'Check the model id.'),
  ModelIsRetired: ([modelId]) => refuse('model_retired', `The model ${modelId} was retired by its owner.`, 'Ask another model.'),
  NotModelOwner: ([modelId, caller]) => refuse('not_owner', `The account ${caller} does not own the model ${modelId}.`, "Use the owner's account."),
  PayerIsBuilder: ([builder]) =>
    refuse(
      'payer_is_builder',
      `The payer ${builder} is the model's own payout address and cannot pay itself.`,
      'Pay from another wallet; your own questions to your own model are free.',
    ),
  InvalidBuilder: ([builder]) => refuse('payout_invalid', `The payout address ${builder} is one of the contracts.`, 'Set a payout address that you hold.'),
  BuilderUnderpaid: ([builder, received, price]) =>
    refuse(
      'builder_underpaid',
      `The builder ${builder} would have received ${open(received)} of ${open(price)}.`,
      'The token does not move whole amounts; use another.',
    ),
  PriceOutOfRange: ([price, maximum]) =>
    refuse('price_out_of_range', `The price ${open(price)} is not above 0 and at most ${open(maximum)}.`, 'Give a price such as 0.01.'),
  NothingToDistribute: () => refuse('nothing_gathered', 'Nothing has gathered since it was last sent on.', 'Wait for the next paid query.'),
  ZeroPayout: () => refuse('payout_missing', 'The payout address is the zero address.', 'Give an address that you hold.'),
  ZeroHash: () => refuse('hash_missing', 'A hash of zero names no package, report or exam.', 'Give the id of what is meant.'),
  ExamExists: ([, examRoot]) => refuse('exam_already_committed', `The exam ${examRoot} was committed before.`, 'An exam is committed once.'),
  AmountOutOfRange: ([amount, maximum]) =>
    refuse('amount_out_of_range', `A bounty of ${open(amount)} is not above 0 and at most ${open(maximum)}.`, 'Offer another sum.'),
  DeadlineOutOfRange: ([deadline]) =>
    refuse('deadline_out_of_range', `The deadline ${instant(deadline)} is not ahead, or more than 366 days away.`, 'Give 1 to 366 days.'),
  BountyNotOpen: ([bountyId]) => refuse('bounty_not_open', `No bounty ${bountyId} is open.`, 'It was paid or taken back, or never posted.'),
  BountyOver: ([bountyId, deadline]) => refuse('bounty_over', `The time of the bounty ${bountyId} was over at ${instant(deadline)}.`, 'Look for another one.'),
  BountyNotOver: ([bountyId, deadline]) =>
    refuse('bounty_not_over', `The bounty ${bountyId} stays where it is until ${instant(deadline)}.`, 'Take it back after that, if nobody won it.'),
  AlreadyEntered: ([, modelId, packageHash]) =>
    refuse('bounty_entered', `The package ${packageHash} of the model ${modelId} was entered before.`, 'Publish a better version, then enter again.'),
  NotEntered: ([, modelId, packageHash]) =>
    refuse('bounty_not_entered', `The package ${packageHash} of the model ${modelId} was not entered for this bounty.`, 'Enter it first.'),
  InvalidAward: ([examiner]) => refuse('award_invalid', `The award is not signed by the examiner ${examiner}.`, 'Only the examiner of a bounty awards it.'),
  CasesNotOpened: ([bountyId]) =>
    refuse(
      'cases_not_opened',
      `Models were entered for the bounty ${bountyId}, so its money goes back only with its cases opened.`,
      'Take it back on the gateway that posted it, which holds the cases.',
    ),
  UnknownExam: ([modelId, examRoot]) =>
    refuse('exam_not_committed', `The exam ${examRoot} was never committed for the model ${modelId}.`, 'Commit it, then count attempts.'),
}

/** The refusal a failed call stands for, or undefined when the call failed for another reason (the network, the node). */
export function refusalOf(error: unknown): Refusal | undefined {
  if (!(error instanceof ViemError)) return undefined
  const reverted = error.walk((cause) => (cause as Error).name === 'ContractFunctionRevertedError') as
    | (Error & { data?: { errorName: string; args?: Arguments }; reason?: string })
    | null
  if (!reverted) return undefined
  const { data } = reverted
  return refusalFor(data?.errorName ?? reverted.reason ?? 'no reason given', data?.args ?? [])
}

/** The refusal a contract error stands for. */
export function refusalFor(errorName: string, values: Arguments): Refusal {
  return sentences[errorName]?.(values) ?? refuse('contract_refused', `The contract refused: ${errorName}.`, 'Check the values and try again.')
}
