/**
 * Breaks the contracts one check at a time and runs their tests on each: `npx tsx scripts/mutants.ts [--only PATTERN]`.
 * A mutant that no test notices is a check nobody tests; the script then fails. Takes about ten seconds a mutant, so it is
 * not part of `npm test`. Works on a copy, never on the sources.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { forge, repository } from './forge.ts'

/** Replaces the only place where `old` stands. */
type Mutant = { name: string; file: 'WrappedOpen' | 'ModelRegistry' | 'RoyaltyRouter'; old: string; new: string }

const mutants: Mutant[] = [
  {
    name: 'no signature check, one piece',
    file: 'WrappedOpen',
    old: 'if (!SignatureCheckerLib.isValidERC1271SignatureNowCalldata(signer, digest, signature)) revert InvalidSignature(signer);',
    new: '',
  },
  {
    name: 'no signature check, v r s',
    file: 'WrappedOpen',
    old: 'if (!SignatureCheckerLib.isValidERC1271SignatureNow(signer, digest, v, r, s)) revert InvalidSignature(signer);',
    new: '',
  },
  { name: 'high s taken', file: 'WrappedOpen', old: 'uint256(s) <= HALF_ORDER && ', new: '' },
  { name: 'zero address signs', file: 'WrappedOpen', old: 'signer != address(0) && ', new: '' },
  {
    name: 'any recovered signer',
    file: 'WrappedOpen',
    old: 'ECDSA.tryRecover(digest, v, r, s) == signer',
    new: 'ECDSA.tryRecover(digest, v, r, s) != address(0)',
  },
  { name: 'nonce not checked', file: 'WrappedOpen', old: 'if (bits & bit != 0) revert AuthorizationAlreadyUsed(authorizer, nonce);', new: '' },
  { name: 'nonce not kept', file: 'WrappedOpen', old: 'words[uint256(nonce) >> 8] = bits | bit;', new: '' },
  { name: 'nonce forgets its word', file: 'WrappedOpen', old: 'words[uint256(nonce) >> 8] = bits | bit;', new: 'words[uint256(nonce) >> 8] = bit;' },
  {
    name: 'cancelling keeps nothing',
    file: 'WrappedOpen',
    old: '        _useNonce(authorizer, nonce);\n        emit AuthorizationCanceled(authorizer, nonce);\n    }\n\n    /// @inheritdoc IWrappedOpen\n    function authorizationState',
    new: '        emit AuthorizationCanceled(authorizer, nonce);\n    }\n\n    /// @inheritdoc IWrappedOpen\n    function authorizationState',
  },
  { name: 'never too early', file: 'WrappedOpen', old: 'if (block.timestamp <= validAfter) revert AuthorizationNotYetValid(validAfter);', new: '' },
  { name: 'never expires', file: 'WrappedOpen', old: 'if (block.timestamp >= validBefore) revert AuthorizationExpired(validBefore);', new: '' },
  { name: 'expires one second late', file: 'WrappedOpen', old: 'block.timestamp >= validBefore', new: 'block.timestamp > validBefore' },
  { name: 'anyone receives', file: 'WrappedOpen', old: 'if (msg.sender != payee) revert CallerIsNotPayee(msg.sender, payee);', new: '' },
  { name: 'withdraw without burning', file: 'WrappedOpen', old: '_burn(msg.sender, amount);', new: '' },
  { name: 'mint one more', file: 'WrappedOpen', old: '_mint(msg.sender, msg.value);', new: '_mint(msg.sender, msg.value + 1);' },
  { name: 'Permit2 may take all', file: 'WrappedOpen', old: 'return false;', new: 'return true;' },
  {
    name: 'value not compared with price',
    file: 'RoyaltyRouter',
    old: 'if (authorization.value != price) revert WrongAmount(authorization.value, price);',
    new: '',
  },
  {
    name: 'value only at least the price',
    file: 'RoyaltyRouter',
    old: 'if (authorization.value != price) revert WrongAmount(authorization.value, price);',
    new: 'if (authorization.value < price) revert WrongAmount(authorization.value, price); else price = authorization.value;',
  },
  { name: 'native value not compared', file: 'RoyaltyRouter', old: 'if (msg.value != price) revert WrongAmount(msg.value, price);', new: '' },
  { name: 'native refusal ignored', file: 'RoyaltyRouter', old: 'if (!accepted) revert NativePaymentFailed(builder);', new: 'accepted;' },
  { name: 'maximum ignored', file: 'RoyaltyRouter', old: 'if (price > maxPrice) revert PriceExceedsMaximum(price, maxPrice);', new: '' },
  { name: 'no post-condition', file: 'RoyaltyRouter', old: 'if (received != price) revert BuilderUnderpaid(builder, received, price);', new: '' },
  { name: 'post-condition only at least', file: 'RoyaltyRouter', old: 'if (received != price) revert', new: 'if (received < price) revert' },
  { name: 'builder pays themself', file: 'RoyaltyRouter', old: 'if (builder == payer) revert PayerIsBuilder(builder);', new: '' },
  { name: 'router as builder', file: 'RoyaltyRouter', old: 'builder == address(this) || ', new: '' },
  { name: 'token as builder', file: 'RoyaltyRouter', old: ' || builder == token', new: '' },
  {
    name: 'uneven lists',
    file: 'RoyaltyRouter',
    old: 'if (modelIds.length != authorizations.length || requestHashes.length != authorizations.length) revert LengthMismatch();',
    new: '',
  },
  { name: 'a batch may starve', file: 'RoyaltyRouter', old: 'if ((gasleft() / 64) * 63 < ROW_GAS) revert NotEnoughGas(row);', new: '' },
  { name: 'a row may eat all gas', file: 'RoyaltyRouter', old: 'payWithAuthorization{gas: ROW_GAS}', new: 'payWithAuthorization' },
  {
    name: 'allowance of another',
    file: 'RoyaltyRouter',
    old: 'safeTransferFrom(token, msg.sender, builder, price)',
    new: 'safeTransferFrom(token, tx.origin, builder, price)',
  },
  {
    name: 'a stranger owns models',
    file: 'ModelRegistry',
    old: 'if (msg.sender != _ownerOf(uint256(modelId))) revert NotModelOwner(modelId, msg.sender);',
    new: '',
  },
  {
    name: 'a stranger accepts the payout',
    file: 'ModelRegistry',
    old: 'if (msg.sender != _pendingPayouts[modelId]) revert NotPendingPayout(modelId, msg.sender);',
    new: '',
  },
  {
    name: 'acceptance stays pending',
    file: 'ModelRegistry',
    old: '        delete _pendingPayouts[modelId];\n        _terms[modelId].payout = msg.sender;',
    new: '        _terms[modelId].payout = msg.sender;',
  },
  {
    name: 'retired models sell',
    file: 'ModelRegistry',
    old: 'if (terms.status == Status.Retired) revert ModelIsRetired(modelId);\n        revert UnknownModel(modelId);',
    new: 'if (terms.status == Status.Retired) return (terms.payout, terms.price);\n        revert UnknownModel(modelId);',
  },
  {
    name: 'unknown models sell',
    file: 'ModelRegistry',
    old: 'revert ModelIsRetired(modelId);\n        revert UnknownModel(modelId);',
    new: 'revert ModelIsRetired(modelId);',
  },
  { name: 'retired models change', file: 'ModelRegistry', old: 'if (_terms[modelId].status == Status.Retired) revert ModelIsRetired(modelId);', new: '' },
  { name: 'rises at once', file: 'ModelRegistry', old: 'if (next <= present) {', new: 'if (next != 0) {' },
  {
    name: 'rises a second early',
    file: 'ModelRegistry',
    old: 'block.timestamp >= _rises[modelId].effectiveAt',
    new: 'block.timestamp + 1 >= _rises[modelId].effectiveAt',
  },
  { name: 'a rise that came true is lost', file: 'ModelRegistry', old: 'terms.price = present;', new: '' },
  { name: 'a cut leaves the rise', file: 'ModelRegistry', old: 'terms.status = Status.Live;\n            delete', new: 'delete' },
  { name: 'a sale keeps the payout', file: 'ModelRegistry', old: '_terms[modelId].payout = to;', new: '' },
  {
    name: 'a sale keeps the proposal',
    file: 'ModelRegistry',
    old: '        delete _pendingPayouts[modelId];\n        _terms[modelId].payout = to;',
    new: '        _terms[modelId].payout = to;',
  },
  { name: 'registering over a model', file: 'ModelRegistry', old: 'if (_terms[modelId].status != Status.Unknown) revert ModelExists(modelId);', new: '' },
  { name: 'no payout address', file: 'ModelRegistry', old: 'if (payout == address(0)) revert ZeroPayout();', new: '' },
  { name: 'free models', file: 'ModelRegistry', old: 'price == 0 || ', new: '' },
  { name: 'price cut to 88 bits', file: 'ModelRegistry', old: ' || price > MAXIMUM_PRICE', new: '' },
  {
    name: 'names can be squatted',
    file: 'ModelRegistry',
    old: 'abi.encode(block.chainid, address(this), owner, slugHash)',
    new: 'abi.encode(block.chainid, address(this), slugHash)',
  },
  {
    name: 'an exam committed twice',
    file: 'ModelRegistry',
    old: 'if (_exams[modelId][examRoot].committedAt != 0) revert ExamExists(modelId, examRoot);',
    new: '',
  },
  { name: 'an exam never committed', file: 'ModelRegistry', old: 'if (exam.committedAt == 0) revert UnknownExam(modelId, examRoot);', new: '' },
]

const only = new RegExp(process.argv.includes('--only') ? (process.argv[process.argv.indexOf('--only') + 1] ?? '') : '')
const copy = mkdtempSync(join(tmpdir(), 'modelfactory-mutants-'))
const survivors: string[] = []
try {
  cpSync(join(repository, 'contracts'), join(copy, 'contracts'), { recursive: true })
  symlinkSync(join(repository, 'node_modules'), join(copy, 'node_modules'))
  // Forge skips unchanged files by content and time; a whole sound run first also shows that the copy works.
  const sound = forge(['test', '--fail-fast'], { folder: copy })
  if (sound.status !== 0) throw new Error(`The tests fail before anything is broken:\n${sound.stdout}${sound.stderr}`)
  for (const mutant of mutants.filter(({ name }) => only.test(name))) {
    const path = join(copy, 'contracts/src', `${mutant.file}.sol`)
    const source = readFileSync(path, 'utf8')
    const places = source.split(mutant.old).length - 1
    if (places !== 1) throw new Error(`${mutant.name}: its text stands ${places} times in ${mutant.file}.sol; correct the list.`)
    writeFileSync(
      path,
      source.replace(mutant.old, () => mutant.new),
    )
    const started = Date.now()
    // The tests of the same name first: they alone kill most, and compile faster than all.
    let run = forge(['test', '--fail-fast', '--match-path', `contracts/test/${mutant.file}.t.sol`], { folder: copy })
    if (run.status === 0) run = forge(['test', '--fail-fast'], { folder: copy })
    writeFileSync(path, source)
    const output = `${run.stdout}${run.stderr}`
    if (/Compiler run failed/.test(output)) throw new Error(`${mutant.name} does not compile:\n${output.slice(-2_000)}`)
    const killer = /\[FAIL:? ?([^;\n]*?)(?:\]|;|\n)/.exec(output)?.[1]
    if (run.status !== 0 && !killer) throw new Error(`${mutant.name}: forge failed without a failing test:\n${output.slice(-2_000)}`)
    if (!killer) survivors.push(mutant.name)
    console.log(
      `${killer ? 'killed  ' : 'SURVIVED'} ${mutant.file}: ${mutant.name}${killer ? ` (${killer})` : ''}, ${Math.round((Date.now() - started) / 1000)} s`,
    )
  }
} finally {
  rmSync(copy, { recursive: true, force: true })
}
console.log(`${survivors.length} survivors${survivors.length ? `: ${survivors.join('; ')}` : ''}`)
process.exit(survivors.length ? 1 : 0)
