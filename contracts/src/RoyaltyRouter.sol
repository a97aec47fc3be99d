// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";
import {IModelRegistry} from "./interfaces/IModelRegistry.sol";
import {IRoyaltyRouter} from "./interfaces/IRoyaltyRouter.sol";
import {IWrappedOpen} from "./interfaces/IWrappedOpen.sol";

/// @title Royalty router
/// @notice See {IRoyaltyRouter}.
contract RoyaltyRouter is IRoyaltyRouter {
    /// @dev What one row of a batch may burn, so that a signer that is a contract cannot eat the gas of the rows behind it.
    uint256 private constant ROW_GAS = 250_000;

    /// @inheritdoc IRoyaltyRouter
    address public immutable token;
    /// @inheritdoc IRoyaltyRouter
    IModelRegistry public immutable registry;

    constructor(address token_, IModelRegistry registry_) {
        token = token_;
        registry = registry_;
    }

    /// @inheritdoc IRoyaltyRouter
    function payWithAuthorization(bytes32 modelId, bytes32 requestHash, Authorization calldata authorization) external {
        (address builder, uint256 price) = _quote(modelId, authorization.from);
        if (authorization.value != price) revert WrongAmount(authorization.value, price);
        uint256 before = SafeTransferLib.balanceOf(token, builder);
        IWrappedOpen(token)
            .transferWithAuthorization(
                authorization.from, builder, price, authorization.validAfter, authorization.validBefore, authorization.nonce, authorization.signature
            );
        _checkReceived(builder, before, price);
        emit QueryPaid(modelId, authorization.from, builder, price, requestHash, authorization.nonce);
    }

    /// @inheritdoc IRoyaltyRouter
    function payMany(bytes32[] calldata modelIds, bytes32[] calldata requestHashes, Authorization[] calldata authorizations) external returns (uint256 paid) {
        if (modelIds.length != authorizations.length || requestHashes.length != authorizations.length) revert LengthMismatch();
        for (uint256 row; row < authorizations.length; ++row) {
            // A call forwards at most 63/64 of what is left.
            if ((gasleft() / 64) * 63 < ROW_GAS) revert NotEnoughGas(row);
            try this.payWithAuthorization{gas: ROW_GAS}(modelIds[row], requestHashes[row], authorizations[row]) {
                ++paid;
            } catch (bytes memory reason) {
                emit PaymentSkipped(modelIds[row], authorizations[row].from, row, authorizations[row].nonce, reason);
            }
        }
    }

    /// @inheritdoc IRoyaltyRouter
    function payForQuery(bytes32 modelId, bytes32 requestHash, uint256 maxPrice) external {
        (address builder, uint256 price) = _quote(modelId, msg.sender);
        if (price > maxPrice) revert PriceExceedsMaximum(price, maxPrice);
        uint256 before = SafeTransferLib.balanceOf(token, builder);
        SafeTransferLib.safeTransferFrom(token, msg.sender, builder, price);
        _checkReceived(builder, before, price);
        emit QueryPaid(modelId, msg.sender, builder, price, requestHash, bytes32(0));
    }

    /// @inheritdoc IRoyaltyRouter
    function payForQueryNative(bytes32 modelId, bytes32 requestHash) external payable {
        (address builder, uint256 price) = _quote(modelId, msg.sender);
        if (msg.value != price) revert WrongAmount(msg.value, price);
        // Before the call: the builder may be a contract that passes the money on or pays another query.
        emit QueryPaid(modelId, msg.sender, builder, price, requestHash, bytes32(0));
        (bool accepted,) = builder.call{value: price}("");
        if (!accepted) revert NativePaymentFailed(builder);
    }

    function _quote(bytes32 modelId, address payer) private view returns (address builder, uint256 price) {
        (builder, price) = registry.quote(modelId);
        if (builder == payer) revert PayerIsBuilder(builder);
        if (builder == address(this) || builder == token) revert InvalidBuilder(builder);
    }

    function _checkReceived(address builder, uint256 before, uint256 price) private view {
        uint256 received = SafeTransferLib.balanceOf(token, builder) - before;
        if (received != price) revert BuilderUnderpaid(builder, received, price);
    }
}
