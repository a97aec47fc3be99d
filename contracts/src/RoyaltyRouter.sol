// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";
import {ModelRegistry} from "./ModelRegistry.sol";
import {IRoyaltyRouter} from "./interfaces/IRoyaltyRouter.sol";

/// @title Royalty router
/// @notice See {IRoyaltyRouter}. It is the registry as well, so that a payment reads its terms without calling another contract.
contract RoyaltyRouter is IRoyaltyRouter, ModelRegistry {
    /// @dev Whose balance a batch knows from the row before.
    struct Known {
        address builder;
        uint256 balance;
    }

    /// @dev What the token may burn for one row of a batch, so that a signer that is a contract cannot eat the gas of the rows behind it.
    uint256 private constant ROW_GAS = 250_000;
    /// @dev The form with the signature in one piece; it shares its name with the form in three.
    bytes4 private constant TRANSFER_WITH_AUTHORIZATION = bytes4(keccak256("transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)"));

    /// @inheritdoc IRoyaltyRouter
    address public immutable token;

    constructor(address token_) {
        token = token_;
    }

    /// @inheritdoc IRoyaltyRouter
    function payWithAuthorization(bytes32 modelId, bytes32 requestHash, Authorization calldata authorization) external {
        (address payer, uint256 value) = (authorization.from, authorization.value);
        (address builder, uint256 price, bytes memory reason) = _quoteFor(modelId, payer);
        if (reason.length != 0) _revertWith(reason);
        if (value != price) revert WrongAmount(value, price);
        uint256 before = SafeTransferLib.balanceOf(token, builder);
        bool moved;
        (moved, reason) = token.call(_transferOf(authorization, builder));
        if (!moved) _revertWith(reason);
        _checkReceived(builder, before, price);
        emit QueryPaid(modelId, payer, builder, price, requestHash, authorization.nonce);
    }

    /// @inheritdoc IRoyaltyRouter
    function payMany(bytes32[] calldata modelIds, bytes32[] calldata requestHashes, Authorization[] calldata authorizations) external returns (uint256 paid) {
        if (modelIds.length != authorizations.length || requestHashes.length != authorizations.length) revert LengthMismatch();
        Known memory known;
        for (uint256 row; row < authorizations.length; ++row) {
            (bool moved, bytes memory reason) = _payRow(known, row, modelIds[row], requestHashes[row], authorizations[row]);
            if (moved) ++paid;
            else emit PaymentSkipped(modelIds[row], authorizations[row].from, row, authorizations[row].nonce, reason);
        }
    }

    /// @inheritdoc IRoyaltyRouter
    function payForQuery(bytes32 modelId, bytes32 requestHash, uint256 maxPrice) external {
        (address builder, uint256 price, bytes memory reason) = _quoteFor(modelId, msg.sender);
        if (reason.length != 0) _revertWith(reason);
        if (price > maxPrice) revert PriceExceedsMaximum(price, maxPrice);
        uint256 before = SafeTransferLib.balanceOf(token, builder);
        SafeTransferLib.safeTransferFrom(token, msg.sender, builder, price);
        _checkReceived(builder, before, price);
        emit QueryPaid(modelId, msg.sender, builder, price, requestHash, bytes32(0));
    }

    /// @inheritdoc IRoyaltyRouter
    function payForQueryNative(bytes32 modelId, bytes32 requestHash) external payable {
        (address builder, uint256 price, bytes memory reason) = _quoteFor(modelId, msg.sender);
        if (reason.length != 0) _revertWith(reason);
        if (msg.value != price) revert WrongAmount(msg.value, price);
        // Before the call: the builder may be a contract that passes the money on or pays another query.
        emit QueryPaid(modelId, msg.sender, builder, price, requestHash, bytes32(0));
        (bool accepted,) = builder.call{value: price}("");
        if (!accepted) revert NativePaymentFailed(builder);
    }

    /// @dev Pays one row, or says why not and leaves everything as it was. A builder's balance is not read again when the row before paid
    /// the same one: within the batch nothing else moves the money of who is paid here, and if it did, this row would end the batch.
    function _payRow(Known memory known, uint256 row, bytes32 modelId, bytes32 requestHash, Authorization calldata authorization)
        private
        returns (bool moved, bytes memory reason)
    {
        (address payer, uint256 value) = (authorization.from, authorization.value);
        address builder;
        uint256 price;
        (builder, price, reason) = _quoteFor(modelId, payer);
        if (reason.length != 0) return (false, reason);
        if (value != price) return (false, abi.encodeWithSelector(WrongAmount.selector, value, price));
        if (known.builder != builder) (known.builder, known.balance) = (builder, SafeTransferLib.balanceOf(token, builder));
        bytes memory transfer = _transferOf(authorization, builder);
        // A call forwards at most 63/64 of what is left.
        if (gasleft() - gasleft() / 64 < ROW_GAS) revert NotEnoughGas(row);
        (moved, reason) = token.call{gas: ROW_GAS}(transfer);
        if (!moved) return (false, reason);
        known.balance = _checkReceived(builder, known.balance, price);
        emit QueryPaid(modelId, payer, builder, price, requestHash, authorization.nonce);
    }

    /// @dev What this payer would pay and to whom, or the error that says why they cannot.
    function _quoteFor(bytes32 modelId, address payer) private view returns (address builder, uint256 price, bytes memory refusal) {
        (builder, price, refusal) = _quote(modelId);
        if (builder == payer) refusal = abi.encodeWithSelector(PayerIsBuilder.selector, builder);
        if (builder == address(this) || builder == token) refusal = abi.encodeWithSelector(InvalidBuilder.selector, builder);
    }

    function _checkReceived(address builder, uint256 before, uint256 price) private view returns (uint256 present) {
        present = SafeTransferLib.balanceOf(token, builder);
        if (present != before + price) revert BuilderUnderpaid(builder, present < before ? 0 : present - before, price);
    }

    /// @dev The call of the token that this authorization is for. There too the signature comes last and the rest stands in the same order
    /// behind the payee, so it is copied as it came.
    function _transferOf(Authorization calldata authorization, address builder) private pure returns (bytes memory data) {
        bytes4 selector = TRANSFER_WITH_AUTHORIZATION;
        bytes calldata signature = authorization.signature;
        assembly ("memory-safe") {
            data := mload(0x40)
            mstore(add(data, 0x20), selector)
            mstore(add(data, 0x24), calldataload(authorization)) // from
            mstore(add(data, 0x44), builder)
            calldatacopy(add(data, 0x64), add(authorization, 0x20), 0x80) // value, validAfter, validBefore, nonce
            mstore(add(data, 0xe4), 0xe0)
            mstore(add(data, 0x104), signature.length)
            calldatacopy(add(data, 0x124), signature.offset, signature.length)
            let end := add(add(data, 0x124), signature.length)
            mstore(end, 0)
            mstore(data, add(0x104, and(add(signature.length, 0x1f), not(0x1f))))
            mstore(0x40, and(add(end, 0x3f), not(0x1f)))
        }
    }
}
