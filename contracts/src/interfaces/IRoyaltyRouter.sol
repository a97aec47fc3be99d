// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Royalty router
/// @notice Pays the builder of a model for one query, directly and whole: one movement from the payer to the address the registry names.
/// It never holds anything, has no owner, no fee and no switch. It knows nothing of what was asked or answered beyond a hash.
interface IRoyaltyRouter {
    /// @notice An EIP-3009 transfer signed by `from` to the builder; the payee is not part of it, the registry names it.
    struct Authorization {
        address from;
        uint256 value;
        uint256 validAfter;
        uint256 validBefore;
        bytes32 nonce;
        bytes signature;
    }

    /// @notice One query was paid.
    /// @param amount What left the payer and what reached the builder, in atomic units.
    /// @param requestHash Hash of the request, as the submitter states it.
    /// @param nonce Nonce of the authorization; zero when paid by allowance or in the native coin.
    event QueryPaid(bytes32 indexed modelId, address indexed payer, address indexed builder, uint256 amount, bytes32 requestHash, bytes32 nonce);
    /// @notice Row `row` of a batch was not paid and nothing of it happened; `reason` is the error it failed with.
    event PaymentSkipped(bytes32 indexed modelId, address indexed payer, uint256 row, bytes32 nonce, bytes reason);

    /// @notice The amount must be the model's present price, neither less nor more.
    error WrongAmount(uint256 amount, uint256 price);
    /// @notice The model costs more than the payer said they would pay.
    error PriceExceedsMaximum(uint256 price, uint256 maximum);
    /// @notice A builder cannot pay themself: nothing would move.
    error PayerIsBuilder(address builder);
    /// @notice The payout address is the router or the token, where money would be stuck.
    error InvalidBuilder(address builder);
    /// @notice The builder's balance did not rise by exactly the price.
    error BuilderUnderpaid(address builder, uint256 received, uint256 price);
    /// @notice The payer's tokens or allowance do not cover the price (the name is Solady's).
    error TransferFromFailed();
    /// @notice The builder's address refused the native coin.
    error NativePaymentFailed(address builder);
    /// @notice The lists of a batch differ in length.
    error LengthMismatch();
    /// @notice Too little gas is left for row `row`; without this error a batch sent with little gas would skip good rows.
    error NotEnoughGas(uint256 row);

    /// @notice The ERC-20 that queries are paid in.
    function token() external view returns (address);

    /// @notice Pays one query by the payer's signature. Anyone may submit it; only the payer's money moves, only to the builder.
    /// @dev Reverts with UnknownModel, ModelIsRetired, WrongAmount, PayerIsBuilder, InvalidBuilder, BuilderUnderpaid, or the token's errors.
    function payWithAuthorization(bytes32 modelId, bytes32 requestHash, Authorization calldata authorization) external;

    /// @notice Pays many queries in one transaction. A row that fails is skipped with {PaymentSkipped} and does not stop the others.
    /// @return paid How many rows were paid.
    function payMany(bytes32[] calldata modelIds, bytes32[] calldata requestHashes, Authorization[] calldata authorizations) external returns (uint256 paid);

    /// @notice Pays one query from the caller's tokens by allowance.
    /// @param maxPrice The caller pays the present price, at most this.
    function payForQuery(bytes32 modelId, bytes32 requestHash, uint256 maxPrice) external;

    /// @notice Pays one query in the native coin; the value sent must be the present price.
    function payForQueryNative(bytes32 modelId, bytes32 requestHash) external payable;
}
