// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IModelRegistry} from "./IModelRegistry.sol";

/// @title Royalty shares
/// @notice A payout address that several people hold in shares fixed for ever: whoever built a model, gave data to it or wrote with them.
/// What queries pay gathers here until anyone sends it on; nobody can change who gets what, and nothing stays behind. Of what queries pay it is
/// the only one of our contracts that ever holds any. It knows nothing of queries.
/// @dev Deployed by CREATE2 with the shares in its creation code, so that its address is a commitment to them and it needs no factory.
interface IRoyaltyShares {
    /// @notice All that had gathered went out: `amount`, in atomic units of OPEN.
    event Distributed(uint256 amount);

    /// @notice Between 1 and `maximum` people can hold shares.
    error WrongRecipientCount(uint256 count, uint256 maximum);
    /// @notice The lists of recipients and of shares differ in length.
    error SharesMismatch(uint256 recipients, uint256 shares);
    /// @notice Money sent to the zero address, the token or this contract itself would be lost.
    error InvalidRecipient(address recipient);
    /// @notice Recipients stand in strictly ascending order, so that each set of shares has one address and nobody stands in it twice.
    error RecipientsNotAscending(address recipient);
    /// @notice A share of zero is no share.
    error ZeroShare(address recipient);
    /// @notice Nothing has gathered since the last time.
    error NothingToDistribute();

    /// @notice The ERC-20 that goes out. Native coin that came in is wrapped first, since a transfer of it cannot be refused.
    function token() external view returns (address);

    /// @notice Sum of all shares.
    function totalShares() external view returns (uint256);

    /// @notice Who holds shares and how many of `totalShares`.
    function holders() external view returns (address[] memory recipients, uint96[] memory shares);

    /// @notice Sends everything that has gathered to the recipients, by shares; anyone may call it.
    /// Each gets the whole units of their part, and what rounding leaves (less than one atomic unit for each) goes to a later one in the list.
    /// @return amount What went out, to the last unit.
    function distribute() external returns (uint256 amount);

    /// @notice Accepts to be the payout of a model whose owner proposed this address; anyone may call it.
    function acceptPayout(IModelRegistry registry, bytes32 modelId) external;
}
