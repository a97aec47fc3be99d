// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "solady/tokens/ERC20.sol";
import {ECDSA} from "solady/utils/ECDSA.sol";
import {EIP712} from "solady/utils/EIP712.sol";
import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";
import {SignatureCheckerLib} from "solady/utils/SignatureCheckerLib.sol";
import {IWrappedOpen} from "./interfaces/IWrappedOpen.sol";

/// @title Wrapped OPEN
/// @notice See {IWrappedOpen}.
contract WrappedOpen is IWrappedOpen, ERC20, EIP712 {
    bytes32 public constant TRANSFER_WITH_AUTHORIZATION_TYPEHASH =
        keccak256("TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)");
    bytes32 public constant RECEIVE_WITH_AUTHORIZATION_TYPEHASH =
        keccak256("ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)");
    bytes32 public constant CANCEL_AUTHORIZATION_TYPEHASH = keccak256("CancelAuthorization(address authorizer,bytes32 nonce)");

    /// @dev Half the order of secp256k1: the other half of `s` would be a second signature for the same message.
    uint256 private constant HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;

    mapping(address authorizer => mapping(uint256 word => uint256 bits)) private _usedNonces;

    receive() external payable {
        deposit();
    }

    /// @inheritdoc IWrappedOpen
    function deposit() public payable {
        _mint(msg.sender, msg.value);
        emit Deposit(msg.sender, msg.value);
    }

    /// @inheritdoc IWrappedOpen
    function withdraw(uint256 amount) external {
        _burn(msg.sender, amount);
        emit Withdrawal(msg.sender, amount);
        SafeTransferLib.safeTransferETH(msg.sender, amount);
    }

    /// @inheritdoc IWrappedOpen
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
    ) external {
        _checkTime(validAfter, validBefore);
        _checkSignature(from, _authorizationDigest(TRANSFER_WITH_AUTHORIZATION_TYPEHASH), v, r, s);
        _move(from, to, value, nonce);
    }

    /// @inheritdoc IWrappedOpen
    function transferWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external {
        _checkTime(validAfter, validBefore);
        _checkSignature(from, _authorizationDigest(TRANSFER_WITH_AUTHORIZATION_TYPEHASH), signature);
        _move(from, to, value, nonce);
    }

    /// @inheritdoc IWrappedOpen
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
    ) external {
        _checkPayee(to);
        _checkTime(validAfter, validBefore);
        _checkSignature(from, _authorizationDigest(RECEIVE_WITH_AUTHORIZATION_TYPEHASH), v, r, s);
        _move(from, to, value, nonce);
    }

    /// @inheritdoc IWrappedOpen
    function receiveWithAuthorization(address from, address to, uint256 value, uint256 validAfter, uint256 validBefore, bytes32 nonce, bytes calldata signature)
        external
    {
        _checkPayee(to);
        _checkTime(validAfter, validBefore);
        _checkSignature(from, _authorizationDigest(RECEIVE_WITH_AUTHORIZATION_TYPEHASH), signature);
        _move(from, to, value, nonce);
    }

    /// @inheritdoc IWrappedOpen
    function cancelAuthorization(address authorizer, bytes32 nonce, uint8 v, bytes32 r, bytes32 s) external {
        _checkSignature(authorizer, _hashTypedData(keccak256(abi.encode(CANCEL_AUTHORIZATION_TYPEHASH, authorizer, nonce))), v, r, s);
        _useNonce(authorizer, nonce);
        emit AuthorizationCanceled(authorizer, nonce);
    }

    /// @inheritdoc IWrappedOpen
    function cancelAuthorization(address authorizer, bytes32 nonce, bytes calldata signature) external {
        _checkSignature(authorizer, _hashTypedData(keccak256(abi.encode(CANCEL_AUTHORIZATION_TYPEHASH, authorizer, nonce))), signature);
        _useNonce(authorizer, nonce);
        emit AuthorizationCanceled(authorizer, nonce);
    }

    /// @inheritdoc IWrappedOpen
    function authorizationState(address authorizer, bytes32 nonce) external view returns (bool) {
        return (_usedNonces[authorizer][uint256(nonce) >> 8] >> (uint256(nonce) & 0xff)) & 1 == 1;
    }

    /// @inheritdoc IWrappedOpen
    function version() external pure returns (string memory) {
        return "1";
    }

    /// @inheritdoc ERC20
    function name() public pure override returns (string memory) {
        return "Wrapped OPEN";
    }

    /// @inheritdoc ERC20
    function symbol() public pure override returns (string memory) {
        return "OPEN";
    }

    function _checkPayee(address payee) private view {
        if (msg.sender != payee) revert CallerIsNotPayee(msg.sender, payee);
    }

    function _checkTime(uint256 validAfter, uint256 validBefore) private view {
        if (block.timestamp <= validAfter) revert AuthorizationNotYetValid(validAfter);
        if (block.timestamp >= validBefore) revert AuthorizationExpired(validBefore);
    }

    /// @dev The key is tried first for contracts as well, so that an EIP-7702 account can pay with its own.
    function _checkSignature(address signer, bytes32 digest, bytes calldata signature) private view {
        if (signature.length == 65) {
            uint256 s;
            assembly ("memory-safe") {
                s := calldataload(add(signature.offset, 0x20))
            }
            if (s <= HALF_ORDER && _is(signer, ECDSA.tryRecoverCalldata(digest, signature))) return;
        }
        if (!SignatureCheckerLib.isValidERC1271SignatureNowCalldata(signer, digest, signature)) revert InvalidSignature(signer);
    }

    function _checkSignature(address signer, bytes32 digest, uint8 v, bytes32 r, bytes32 s) private view {
        if (uint256(s) <= HALF_ORDER && _is(signer, ECDSA.tryRecover(digest, v, r, s))) return;
        if (!SignatureCheckerLib.isValidERC1271SignatureNow(signer, digest, v, r, s)) revert InvalidSignature(signer);
    }

    /// @dev A failed recovery gives the zero address, which signs nothing.
    function _is(address signer, address recovered) private pure returns (bool) {
        return recovered == signer && signer != address(0);
    }

    function _useNonce(address authorizer, bytes32 nonce) private {
        mapping(uint256 word => uint256 bits) storage words = _usedNonces[authorizer];
        uint256 bit = 1 << (uint256(nonce) & 0xff);
        uint256 bits = words[uint256(nonce) >> 8];
        if (bits & bit != 0) revert AuthorizationAlreadyUsed(authorizer, nonce);
        words[uint256(nonce) >> 8] = bits | bit;
    }

    function _move(address from, address to, uint256 value, bytes32 nonce) private {
        _useNonce(from, nonce);
        emit AuthorizationUsed(from, nonce);
        _transfer(from, to, value);
    }

    /// @dev Hash of the message whose six fields are the first six words after the selector, which they are in all four calls that move
    /// tokens by signature. The decoder has refused addresses with dirty upper bits, so the words are the fields.
    function _authorizationDigest(bytes32 typehash) private view returns (bytes32) {
        bytes32 structHash;
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, typehash)
            calldatacopy(add(free, 0x20), 0x04, 0xc0)
            structHash := keccak256(free, 0xe0)
        }
        return _hashTypedData(structHash);
    }

    function _domainNameAndVersion() internal pure override returns (string memory, string memory) {
        return ("Wrapped OPEN", "1");
    }

    function _constantNameHash() internal pure override returns (bytes32) {
        return keccak256("Wrapped OPEN");
    }

    /// @dev Solady gives Permit2 an endless allowance by default; here nobody has an allowance that was not given.
    function _givePermit2InfiniteAllowance() internal pure override returns (bool) {
        return false;
    }
}
