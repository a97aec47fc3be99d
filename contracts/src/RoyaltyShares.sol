// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";
import {IModelRegistry} from "./interfaces/IModelRegistry.sol";
import {IRoyaltyShares} from "./interfaces/IRoyaltyShares.sol";
import {IWrappedOpen} from "./interfaces/IWrappedOpen.sol";

/// @title Royalty shares
/// @notice See {IRoyaltyShares}.
contract RoyaltyShares is IRoyaltyShares {
    struct Holder {
        address recipient;
        uint96 shares;
    }

    /// @dev So that sending to all always fits a block.
    uint256 private constant MAXIMUM_RECIPIENTS = 100;

    /// @inheritdoc IRoyaltyShares
    address public immutable token;
    /// @inheritdoc IRoyaltyShares
    uint256 public immutable totalShares;

    /// @dev Written by the constructor and never again.
    Holder[] private _holders;

    constructor(address token_, address[] memory recipients, uint96[] memory shares) {
        if (recipients.length == 0 || recipients.length > MAXIMUM_RECIPIENTS) revert WrongRecipientCount(recipients.length, MAXIMUM_RECIPIENTS);
        if (recipients.length != shares.length) revert SharesMismatch(recipients.length, shares.length);
        uint256 total;
        address previous;
        for (uint256 i; i < recipients.length; ++i) {
            address recipient = recipients[i];
            if (recipient == address(0) || recipient == token_ || recipient == address(this)) revert InvalidRecipient(recipient);
            if (recipient <= previous) revert RecipientsNotAscending(recipient);
            if (shares[i] == 0) revert ZeroShare(recipient);
            _holders.push(Holder(recipient, shares[i]));
            total += shares[i];
            previous = recipient;
        }
        token = token_;
        totalShares = total;
    }

    receive() external payable {}

    /// @inheritdoc IRoyaltyShares
    function distribute() external returns (uint256 amount) {
        if (address(this).balance != 0) IWrappedOpen(token).deposit{value: address(this).balance}();
        amount = SafeTransferLib.balanceOf(token, address(this));
        if (amount == 0) revert NothingToDistribute();
        // What the first holders together are owed, less what the ones before were sent: these parts add up to the amount exactly.
        uint256 reached;
        uint256 sent;
        for (uint256 i; i < _holders.length; ++i) {
            Holder memory holder = _holders[i];
            reached += holder.shares;
            uint256 owed = amount * reached / totalShares;
            if (owed != sent) SafeTransferLib.safeTransfer(token, holder.recipient, owed - sent);
            sent = owed;
        }
        emit Distributed(amount);
    }

    /// @inheritdoc IRoyaltyShares
    function acceptPayout(IModelRegistry registry, bytes32 modelId) external {
        registry.acceptPayout(modelId);
    }

    /// @inheritdoc IRoyaltyShares
    function holders() external view returns (address[] memory recipients, uint96[] memory shares) {
        (recipients, shares) = (new address[](_holders.length), new uint96[](_holders.length));
        for (uint256 i; i < _holders.length; ++i) {
            (recipients[i], shares[i]) = (_holders[i].recipient, _holders[i].shares);
        }
    }
}
