// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IModelRegistry} from "./IModelRegistry.sol";
import {IRoyaltyRouter} from "./IRoyaltyRouter.sol";

/// @title Model bounties
/// @notice Money for a model that somebody needs and nobody has built yet. The poster's OPEN is held here until a model passes cases that only the
/// poster and an examiner know, and then goes whole to that model's payout address; or, when its time is over, back to the poster, who must then
/// open the cases, so that anyone can see whether a model should have been paid. No owner, no fee, no switch.
/// It knows nothing of what a case is or how an answer is graded: of that it holds a hash and asks for the examiner's signature.
interface IModelBounties {
    /// @notice What a poster promises. A bounty's id follows from all of it.
    /// @param needHash Hash of what is needed, in words.
    /// @param casesHash Hash of a salt and the sealed cases, as {withdraw} opens them.
    /// @param examiner Whose signature says that a model passed; a key or a contract (EIP-1271).
    /// @param deadline Until when models can be entered, in Unix seconds; after it the money may go back.
    struct Terms {
        bytes32 needHash;
        bytes32 casesHash;
        address examiner;
        uint64 deadline;
    }

    enum Status {
        Unknown,
        Open,
        Paid,
        Withdrawn
    }

    /// @param entries Versions of models that were entered.
    struct Bounty {
        address poster;
        uint96 amount;
        address examiner;
        uint64 deadline;
        uint32 entries;
        bytes32 casesHash;
        Status status;
    }

    /// @notice The money is here.
    event BountyPosted(bytes32 indexed bountyId, address indexed poster, uint256 amount, Terms terms);
    /// @notice A version of a model was entered, to be examined after those before it.
    event BountyEntered(bytes32 indexed bountyId, bytes32 indexed modelId, bytes32 packageHash);
    /// @notice The model passed and its builder was paid, whole. `evidence` is the hash of what the examiner found.
    event BountyPaid(bytes32 indexed bountyId, bytes32 indexed modelId, address indexed payout, uint256 amount, bytes32 packageHash, bytes32 evidence);
    /// @notice The money went back.
    event BountyWithdrawn(bytes32 indexed bountyId, address indexed poster, uint256 amount);
    /// @notice The sealed cases, for anyone to put to the models that were entered.
    event CasesOpened(bytes32 indexed bountyId, bytes32 salt, string cases);

    /// @notice The authorization's nonce must be the bounty's id: thus the poster's signature stands under the terms, and nobody can post others with it.
    error NonceIsNotBounty(bytes32 nonce, bytes32 bountyId);
    /// @notice A bounty is above 0 and at most `maximum`.
    error AmountOutOfRange(uint256 amount, uint256 maximum);
    /// @notice A deadline is ahead, and at most {LONGEST} away, so that a slip of the pen locks nothing up for ever.
    error DeadlineOutOfRange(uint256 deadline);
    /// @notice A bounty without an examiner could not be won.
    error ZeroExaminer();
    /// @notice A hash of zero names no cases.
    error ZeroHash();
    /// @notice No bounty that is open has this id.
    error BountyNotOpen(bytes32 bountyId);
    /// @notice The time to enter models is over.
    error BountyOver(bytes32 bountyId, uint256 deadline);
    /// @notice Before its deadline a bounty stays where it is.
    error BountyNotOver(bytes32 bountyId, uint256 deadline);
    /// @notice Only a model's owner enters it.
    error NotModelOwner(bytes32 modelId, address caller);
    /// @notice A version is entered once.
    error AlreadyEntered(bytes32 bountyId, bytes32 modelId, bytes32 packageHash);
    /// @notice The model's present version was not entered.
    error NotEntered(bytes32 bountyId, bytes32 modelId, bytes32 packageHash);
    /// @notice Not the examiner's signature over this award.
    error InvalidAward(address examiner);
    /// @notice With models entered, the money goes back only to a poster who opens the cases that were sealed.
    error CasesNotOpened(bytes32 bountyId);

    /// @notice The ERC-20 that bounties are held in.
    function token() external view returns (address);

    /// @notice Where models are registered.
    function registry() external view returns (IModelRegistry);

    /// @notice How far ahead a deadline may be.
    function LONGEST() external view returns (uint256);

    /// @notice Takes the poster's money by their EIP-3009 ReceiveWithAuthorization, whose payee is this contract and whose nonce is the bounty's id.
    /// Anyone may submit it.
    function post(Terms calldata terms, IRoyaltyRouter.Authorization calldata authorization) external returns (bytes32 bountyId);

    /// @notice Enters the present version of a model, by its owner.
    function enter(bytes32 bountyId, bytes32 modelId) external;

    /// @notice Pays the bounty to the payout address of a model whose entered version is its present one, by the examiner's EIP-712 signature over
    /// `Award(bytes32 bountyId,bytes32 modelId,bytes32 packageHash,bytes32 evidence)`. Anyone may submit it, until the money is withdrawn.
    function award(bytes32 bountyId, bytes32 modelId, bytes32 evidence, bytes calldata signature) external;

    /// @notice Sends the money back to the poster after the deadline. With models entered, `salt` and `cases` must be those that were sealed, and are
    /// published; with none, nothing needs opening. Anyone may submit it.
    function withdraw(bytes32 bountyId, bytes32 salt, string calldata cases) external;

    /// @notice What stands of a bounty; `status` is Unknown for an id that is none.
    function bountyOf(bytes32 bountyId) external view returns (Bounty memory);

    /// @notice The id of a bounty of these terms.
    function bountyIdOf(address poster, uint256 amount, Terms calldata terms) external view returns (bytes32);

    /// @notice What {withdraw} must open.
    function casesHashOf(bytes32 salt, string calldata cases) external pure returns (bytes32);
}
