// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Wrapped OPEN
/// @notice The native coin as an ERC-20, one for one, that can be paid by signature (EIP-3009) and approved by signature (EIP-2612).
/// Nobody owns it, nobody can mint without depositing, nothing can be paused. It knows nothing of models or queries.
/// @dev Nonces of authorizations are kept as a bitmap: the high 248 bits choose a word, the low 8 bits a bit in it. A payer who counts
/// nonces up by one pays for a fresh storage slot only every 256 payments; random nonces work as the standard says.
interface IWrappedOpen {
    /// @notice An authorization of `authorizer` was used to move tokens.
    event AuthorizationUsed(address indexed authorizer, bytes32 indexed nonce);
    /// @notice An authorization of `authorizer` was cancelled before it was used.
    event AuthorizationCanceled(address indexed authorizer, bytes32 indexed nonce);
    /// @notice Native coin came in and as many tokens were made for `account`.
    event Deposit(address indexed account, uint256 amount);
    /// @notice Tokens of `account` were destroyed and as much native coin went out.
    event Withdrawal(address indexed account, uint256 amount);

    /// @notice The authorization begins only after `validAfter`, in Unix seconds.
    error AuthorizationNotYetValid(uint256 validAfter);
    /// @notice The authorization ended at `validBefore`, in Unix seconds.
    error AuthorizationExpired(uint256 validBefore);
    /// @notice This nonce was used or cancelled before.
    error AuthorizationAlreadyUsed(address authorizer, bytes32 nonce);
    /// @notice The signature is not `signer`'s over this message on this chain and contract, or is not in its one canonical form.
    error InvalidSignature(address signer);
    /// @notice The caller's address refused the native coin of a withdrawal (the name is Solady's).
    error ETHTransferFailed();
    /// @notice Only `payee` may call `receiveWithAuthorization`.
    error CallerIsNotPayee(address caller, address payee);

    /// @notice Wraps the native coin sent along. Plainly sending native coin to this contract does the same.
    function deposit() external payable;

    /// @notice Unwraps: destroys `amount` of the caller's tokens and sends the caller as much native coin.
    function withdraw(uint256 amount) external;

    /// @notice Moves `value` from `from` to `to`; anyone may submit it.
    /// @param from Payer and signer, an externally owned account or an EIP-1271 contract.
    /// @param value Atomic units, 18 decimals.
    /// @param validAfter Unix seconds; valid strictly after.
    /// @param validBefore Unix seconds; valid strictly before.
    /// @param nonce Any 32 bytes the payer has not used before.
    function transferWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external;

    /// @notice As above with the signature in one piece: 65 bytes (r, s, v), or whatever an EIP-1271 signer accepts.
    function transferWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external;

    /// @notice Moves `value` from `from` to `to`; only `to` may submit it, so nobody can run ahead of a contract that is paid this way.
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external;

    /// @notice As above with the signature in one piece.
    function receiveWithAuthorization(address from, address to, uint256 value, uint256 validAfter, uint256 validBefore, bytes32 nonce, bytes calldata signature)
        external;

    /// @notice Makes an unused authorization worthless.
    function cancelAuthorization(address authorizer, bytes32 nonce, uint8 v, bytes32 r, bytes32 s) external;

    /// @notice As above with the signature in one piece.
    function cancelAuthorization(address authorizer, bytes32 nonce, bytes calldata signature) external;

    /// @notice True when the nonce was used or cancelled.
    function authorizationState(address authorizer, bytes32 nonce) external view returns (bool);

    /// @notice Version of the EIP-712 domain.
    function version() external pure returns (string memory);
}
