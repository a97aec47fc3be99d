// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "solady/utils/EIP712.sol";
import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";
import {SignatureCheckerLib} from "solady/utils/SignatureCheckerLib.sol";
import {IModelBounties} from "./interfaces/IModelBounties.sol";
import {IModelRegistry} from "./interfaces/IModelRegistry.sol";
import {IRoyaltyRouter} from "./interfaces/IRoyaltyRouter.sol";
import {IWrappedOpen} from "./interfaces/IWrappedOpen.sol";

/// @title Model bounties
/// @notice See {IModelBounties}.
contract ModelBounties is IModelBounties, EIP712 {
    bytes32 public constant AWARD_TYPEHASH = keccak256("Award(bytes32 bountyId,bytes32 modelId,bytes32 packageHash,bytes32 evidence)");
    /// @inheritdoc IModelBounties
    uint256 public constant LONGEST = 366 days;

    /// @inheritdoc IModelBounties
    address public immutable token;
    /// @inheritdoc IModelBounties
    IModelRegistry public immutable registry;

    mapping(bytes32 bountyId => Bounty) private _bounties;
    mapping(bytes32 bountyId => mapping(bytes32 modelId => mapping(bytes32 packageHash => bool))) private _entered;

    constructor(address token_, IModelRegistry registry_) {
        token = token_;
        registry = registry_;
    }

    /// @inheritdoc IModelBounties
    function post(Terms calldata terms, IRoyaltyRouter.Authorization calldata authorization) external returns (bytes32 bountyId) {
        (address poster, uint256 amount) = (authorization.from, authorization.value);
        bountyId = bountyIdOf(poster, amount, terms);
        if (authorization.nonce != bountyId) revert NonceIsNotBounty(authorization.nonce, bountyId);
        if (amount == 0 || amount > type(uint96).max) revert AmountOutOfRange(amount, type(uint96).max);
        if (terms.deadline <= block.timestamp || terms.deadline > block.timestamp + LONGEST) revert DeadlineOutOfRange(terms.deadline);
        if (terms.examiner == address(0)) revert ZeroExaminer();
        if (terms.casesHash == 0) revert ZeroHash();
        _bounties[bountyId] = Bounty(poster, uint96(amount), terms.examiner, terms.deadline, 0, terms.casesHash, Status.Open);
        // The token takes a nonce once, so a bounty is posted once.
        IWrappedOpen(token)
            .receiveWithAuthorization(
                poster, address(this), amount, authorization.validAfter, authorization.validBefore, authorization.nonce, authorization.signature
            );
        emit BountyPosted(bountyId, poster, amount, terms);
    }

    /// @inheritdoc IModelBounties
    function enter(bytes32 bountyId, bytes32 modelId) external {
        Bounty storage bounty = _open(bountyId);
        if (block.timestamp > bounty.deadline) revert BountyOver(bountyId, bounty.deadline);
        IModelRegistry.Model memory model = registry.modelOf(modelId);
        if (msg.sender != model.owner) revert NotModelOwner(modelId, msg.sender);
        if (model.packageHash == 0) revert ZeroHash();
        if (_entered[bountyId][modelId][model.packageHash]) revert AlreadyEntered(bountyId, modelId, model.packageHash);
        _entered[bountyId][modelId][model.packageHash] = true;
        ++bounty.entries;
        emit BountyEntered(bountyId, modelId, model.packageHash);
    }

    /// @inheritdoc IModelBounties
    function award(bytes32 bountyId, bytes32 modelId, bytes32 evidence, bytes calldata signature) external {
        Bounty storage bounty = _open(bountyId);
        IModelRegistry.Model memory model = registry.modelOf(modelId);
        if (!_entered[bountyId][modelId][model.packageHash]) revert NotEntered(bountyId, modelId, model.packageHash);
        bytes32 digest = _hashTypedData(keccak256(abi.encode(AWARD_TYPEHASH, bountyId, modelId, model.packageHash, evidence)));
        if (!SignatureCheckerLib.isValidSignatureNowCalldata(bounty.examiner, digest, signature)) revert InvalidAward(bounty.examiner);
        bounty.status = Status.Paid;
        SafeTransferLib.safeTransfer(token, model.payout, bounty.amount);
        emit BountyPaid(bountyId, modelId, model.payout, bounty.amount, model.packageHash, evidence);
    }

    /// @inheritdoc IModelBounties
    function withdraw(bytes32 bountyId, bytes32 salt, string calldata cases) external {
        Bounty storage bounty = _open(bountyId);
        if (block.timestamp <= bounty.deadline) revert BountyNotOver(bountyId, bounty.deadline);
        if (bounty.entries != 0) {
            if (casesHashOf(salt, cases) != bounty.casesHash) revert CasesNotOpened(bountyId);
            emit CasesOpened(bountyId, salt, cases);
        }
        bounty.status = Status.Withdrawn;
        SafeTransferLib.safeTransfer(token, bounty.poster, bounty.amount);
        emit BountyWithdrawn(bountyId, bounty.poster, bounty.amount);
    }

    /// @inheritdoc IModelBounties
    function bountyOf(bytes32 bountyId) external view returns (Bounty memory) {
        return _bounties[bountyId];
    }

    /// @inheritdoc IModelBounties
    function bountyIdOf(address poster, uint256 amount, Terms calldata terms) public view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(this), poster, amount, terms));
    }

    /// @inheritdoc IModelBounties
    function casesHashOf(bytes32 salt, string calldata cases) public pure returns (bytes32) {
        return keccak256(abi.encode(salt, cases));
    }

    function _open(bytes32 bountyId) private view returns (Bounty storage bounty) {
        bounty = _bounties[bountyId];
        if (bounty.status != Status.Open) revert BountyNotOpen(bountyId);
    }

    function _domainNameAndVersion() internal pure override returns (string memory, string memory) {
        return ("Model Bounties", "1");
    }
}
