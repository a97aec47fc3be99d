// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Model registry
/// @notice Which models are for sale, what a query costs, and who is paid. Each model is an ERC-721 token whose holder is its builder;
/// the token's number is the model's id. Nobody owns the registry. It knows nothing of payments.
interface IModelRegistry {
    /// @notice A model as it stands.
    /// @param payout Where every query's money goes.
    /// @param price Atomic units of OPEN per query, at this moment.
    /// @param version Count of published versions; 0 before the first.
    /// @param packageHash Content hash of the latest package; zero before the first version.
    /// @param reportHash Content hash of that package's exam report.
    /// @param pendingPayout Address that may accept to become the payout; zero when none.
    /// @param nextPrice A higher price that was announced; zero when none.
    /// @param nextPriceAt Unix seconds from which `nextPrice` holds.
    struct Model {
        address owner;
        address payout;
        uint96 price;
        uint32 version;
        bytes32 packageHash;
        bytes32 reportHash;
        bool retired;
        address pendingPayout;
        uint96 nextPrice;
        uint64 nextPriceAt;
    }

    /// @notice What is known of a sealed exam.
    /// @param committedAt Unix seconds; 0 when never committed.
    /// @param attempts How often a model sat it.
    struct Exam {
        uint64 committedAt;
        uint64 attempts;
    }

    event ModelRegistered(bytes32 indexed modelId, address indexed owner, bytes32 slugHash, address payout, uint256 price);
    event VersionPublished(bytes32 indexed modelId, uint32 indexed version, bytes32 packageHash, bytes32 reportHash);
    event ExamCommitted(bytes32 indexed modelId, bytes32 indexed examRoot);
    event ExamAttempted(bytes32 indexed modelId, bytes32 indexed examRoot, uint64 attempts);
    /// @notice The price holds from now on.
    event PriceChanged(bytes32 indexed modelId, uint256 price);
    /// @notice The price will hold from `effectiveAt` on, in Unix seconds, unless another change comes first.
    event PriceRiseScheduled(bytes32 indexed modelId, uint256 price, uint256 effectiveAt);
    event PayoutProposed(bytes32 indexed modelId, address indexed payout);
    event PayoutChanged(bytes32 indexed modelId, address indexed payout);
    event ModelRetired(bytes32 indexed modelId);

    /// @notice No model has this id.
    error UnknownModel(bytes32 modelId);
    /// @notice The builder took the model off the market for good.
    error ModelIsRetired(bytes32 modelId);
    /// @notice This owner already registered this name.
    error ModelExists(bytes32 modelId);
    error NotModelOwner(bytes32 modelId, address caller);
    error NotPendingPayout(bytes32 modelId, address caller);
    /// @notice A price is at least 1 atomic unit and at most `maximum`.
    error PriceOutOfRange(uint256 price, uint256 maximum);
    /// @notice The zero address cannot be paid.
    error ZeroPayout();
    /// @notice A hash of zero names nothing.
    error ZeroHash();
    error ExamExists(bytes32 modelId, bytes32 examRoot);
    error UnknownExam(bytes32 modelId, bytes32 examRoot);

    /// @notice How long a price rise is announced before it holds, in seconds.
    function PRICE_RISE_DELAY() external view returns (uint256);

    /// @notice The highest price a query can have, in atomic units.
    function MAXIMUM_PRICE() external view returns (uint256);

    /// @notice Registers a model and gives its token to the caller.
    /// @param slugHash Hash of the model's name; names belong to their registrant, so nobody can take another's.
    /// @return modelId keccak256(abi.encode(chain id, registry, caller, slugHash)).
    function register(bytes32 slugHash, address payout, uint96 price) external returns (bytes32 modelId);

    /// @notice Publishes the next version of a model.
    function publishVersion(bytes32 modelId, bytes32 packageHash, bytes32 reportHash) external;

    /// @notice Fixes a sealed exam before training; a root can be committed once.
    function commitExam(bytes32 modelId, bytes32 examRoot) external;

    /// @notice Counts one sitting of a committed exam.
    function recordAttempt(bytes32 modelId, bytes32 examRoot) external;

    /// @notice Sets the price per query: at once when it is not higher than the present one, which also calls off an announced rise;
    /// after `PRICE_RISE_DELAY` when it is higher. Announcing again begins the delay anew.
    function setPrice(bytes32 modelId, uint96 price) external;

    /// @notice Names a new payout address, which must accept. Zero calls a proposal off.
    function proposePayout(bytes32 modelId, address payout) external;

    /// @notice Called by the proposed address: from now on it is paid.
    function acceptPayout(bytes32 modelId) external;

    /// @notice Takes a model off the market for good. What was paid stays paid.
    function retire(bytes32 modelId) external;

    /// @notice The model, also when retired. Reverts with UnknownModel.
    function modelOf(bytes32 modelId) external view returns (Model memory);

    /// @notice Whom a query of this model pays and how much, at this moment. Reverts with UnknownModel or ModelIsRetired.
    function quote(bytes32 modelId) external view returns (address payout, uint256 price);

    /// @notice Hashes of version `version`, counted from 1; zero when there is no such version.
    function versionOf(bytes32 modelId, uint32 version) external view returns (bytes32 packageHash, bytes32 reportHash);

    function examOf(bytes32 modelId, bytes32 examRoot) external view returns (Exam memory);

    /// @notice The id a model of this owner and name has, registered or not.
    function modelIdOf(address owner, bytes32 slugHash) external view returns (bytes32);
}
