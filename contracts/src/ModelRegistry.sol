// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC721} from "solady/tokens/ERC721.sol";
import {ModelCard} from "./ModelCard.sol";
import {IModelRegistry} from "./interfaces/IModelRegistry.sol";

/// @title Model registry
/// @notice See {IModelRegistry}.
contract ModelRegistry is IModelRegistry, ERC721 {
    enum Status {
        Unknown,
        Live,
        Rising,
        Retired
    }

    /// @dev Exactly one slot, so that quoting a price costs one cold read.
    struct Terms {
        address payout;
        uint88 price;
        Status status;
    }

    /// @dev Read only while `Terms.status` is Rising.
    struct Rise {
        uint88 price;
        uint64 effectiveAt;
    }

    struct Version {
        bytes32 packageHash;
        bytes32 reportHash;
    }

    /// @inheritdoc IModelRegistry
    uint256 public constant PRICE_RISE_DELAY = 1 days;
    /// @inheritdoc IModelRegistry
    uint256 public constant MAXIMUM_PRICE = type(uint88).max;

    mapping(bytes32 modelId => Terms) private _terms;
    mapping(bytes32 modelId => Rise) private _rises;
    mapping(bytes32 modelId => address) private _pendingPayouts;
    mapping(bytes32 modelId => uint32) private _versionCounts;
    mapping(bytes32 modelId => mapping(uint32 version => Version)) private _versions;
    mapping(bytes32 modelId => mapping(bytes32 examRoot => Exam)) private _exams;

    modifier onlyModelOwner(bytes32 modelId) {
        _checkModelOwner(modelId);
        _;
    }

    /// @inheritdoc IModelRegistry
    function register(bytes32 slugHash, address payout, uint96 price) external returns (bytes32 modelId) {
        modelId = modelIdOf(msg.sender, slugHash);
        if (_terms[modelId].status != Status.Unknown) revert ModelExists(modelId);
        if (payout == address(0)) revert ZeroPayout();
        _terms[modelId] = Terms(payout, _checkPrice(price), Status.Live);
        _mint(msg.sender, uint256(modelId));
        emit ModelRegistered(modelId, msg.sender, slugHash, payout, price);
    }

    /// @inheritdoc IModelRegistry
    function publishVersion(bytes32 modelId, bytes32 packageHash, bytes32 reportHash) external onlyModelOwner(modelId) {
        _checkLive(modelId);
        if (packageHash == 0 || reportHash == 0) revert ZeroHash();
        uint32 version = ++_versionCounts[modelId];
        _versions[modelId][version] = Version(packageHash, reportHash);
        emit VersionPublished(modelId, version, packageHash, reportHash);
    }

    /// @inheritdoc IModelRegistry
    function commitExam(bytes32 modelId, bytes32 examRoot) external onlyModelOwner(modelId) {
        _checkLive(modelId);
        if (examRoot == 0) revert ZeroHash();
        if (_exams[modelId][examRoot].committedAt != 0) revert ExamExists(modelId, examRoot);
        _exams[modelId][examRoot].committedAt = uint64(block.timestamp);
        emit ExamCommitted(modelId, examRoot);
    }

    /// @inheritdoc IModelRegistry
    function recordAttempt(bytes32 modelId, bytes32 examRoot) external onlyModelOwner(modelId) {
        _checkLive(modelId);
        Exam storage exam = _exams[modelId][examRoot];
        if (exam.committedAt == 0) revert UnknownExam(modelId, examRoot);
        emit ExamAttempted(modelId, examRoot, ++exam.attempts);
    }

    /// @inheritdoc IModelRegistry
    function setPrice(bytes32 modelId, uint96 price) external onlyModelOwner(modelId) {
        _checkLive(modelId);
        uint88 next = _checkPrice(price);
        Terms storage terms = _terms[modelId];
        uint88 present = _presentPrice(modelId);
        if (next <= present) {
            terms.price = next;
            terms.status = Status.Live;
            delete _rises[modelId];
            emit PriceChanged(modelId, next);
        } else {
            uint64 effectiveAt = uint64(block.timestamp + PRICE_RISE_DELAY);
            terms.price = present;
            terms.status = Status.Rising;
            _rises[modelId] = Rise(next, effectiveAt);
            emit PriceRiseScheduled(modelId, next, effectiveAt);
        }
    }

    /// @inheritdoc IModelRegistry
    function proposePayout(bytes32 modelId, address payout) external onlyModelOwner(modelId) {
        _pendingPayouts[modelId] = payout;
        emit PayoutProposed(modelId, payout);
    }

    /// @inheritdoc IModelRegistry
    function acceptPayout(bytes32 modelId) external {
        if (msg.sender != _pendingPayouts[modelId]) revert NotPendingPayout(modelId, msg.sender);
        delete _pendingPayouts[modelId];
        _terms[modelId].payout = msg.sender;
        emit PayoutChanged(modelId, msg.sender);
    }

    /// @inheritdoc IModelRegistry
    function retire(bytes32 modelId) external onlyModelOwner(modelId) {
        _checkLive(modelId);
        _terms[modelId].price = _presentPrice(modelId);
        _terms[modelId].status = Status.Retired;
        delete _rises[modelId];
        emit ModelRetired(modelId);
    }

    /// @inheritdoc IModelRegistry
    function modelOf(bytes32 modelId) public view returns (Model memory model) {
        Terms storage terms = _terms[modelId];
        if (terms.status == Status.Unknown) revert UnknownModel(modelId);
        model.owner = ownerOf(uint256(modelId));
        model.payout = terms.payout;
        model.price = _presentPrice(modelId);
        model.version = _versionCounts[modelId];
        model.packageHash = _versions[modelId][model.version].packageHash;
        model.reportHash = _versions[modelId][model.version].reportHash;
        model.retired = terms.status == Status.Retired;
        model.pendingPayout = _pendingPayouts[modelId];
        if (block.timestamp < _rises[modelId].effectiveAt) {
            model.nextPrice = _rises[modelId].price;
            model.nextPriceAt = _rises[modelId].effectiveAt;
        }
    }

    /// @inheritdoc IModelRegistry
    function quote(bytes32 modelId) external view returns (address payout, uint256 price) {
        bytes memory refusal;
        (payout, price, refusal) = _quote(modelId);
        if (refusal.length != 0) _revertWith(refusal);
    }

    /// @inheritdoc IModelRegistry
    function versionOf(bytes32 modelId, uint32 version) external view returns (bytes32 packageHash, bytes32 reportHash) {
        Version storage published = _versions[modelId][version];
        return (published.packageHash, published.reportHash);
    }

    /// @inheritdoc IModelRegistry
    function examOf(bytes32 modelId, bytes32 examRoot) external view returns (Exam memory) {
        return _exams[modelId][examRoot];
    }

    /// @inheritdoc IModelRegistry
    function modelIdOf(address owner, bytes32 slugHash) public view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(this), owner, slugHash));
    }

    /// @inheritdoc ERC721
    function name() public pure override returns (string memory) {
        return "ModelFactory Models";
    }

    /// @inheritdoc ERC721
    function symbol() public pure override returns (string memory) {
        return "MODEL";
    }

    /// @inheritdoc ERC721
    function tokenURI(uint256 id) public view override returns (string memory) {
        return ModelCard.dataURI(bytes32(id), modelOf(bytes32(id)));
    }

    /// @dev Whoever holds the token is paid; a payout proposed by the former holder is void.
    function _afterTokenTransfer(address from, address to, uint256 id) internal override {
        if (from == address(0)) return;
        bytes32 modelId = bytes32(id);
        delete _pendingPayouts[modelId];
        _terms[modelId].payout = to;
        emit PayoutChanged(modelId, to);
    }

    function _checkModelOwner(bytes32 modelId) private view {
        if (_terms[modelId].status == Status.Unknown) revert UnknownModel(modelId);
        if (msg.sender != _ownerOf(uint256(modelId))) revert NotModelOwner(modelId, msg.sender);
    }

    function _checkLive(bytes32 modelId) private view {
        if (_terms[modelId].status == Status.Retired) revert ModelIsRetired(modelId);
    }

    function _checkPrice(uint96 price) private pure returns (uint88) {
        if (price == 0 || price > MAXIMUM_PRICE) revert PriceOutOfRange(price, MAXIMUM_PRICE);
        return uint88(price);
    }

    /// @dev What `quote` returns, or the error that it ends with.
    function _quote(bytes32 modelId) internal view returns (address payout, uint256 price, bytes memory refusal) {
        Terms storage terms = _terms[modelId];
        Status status;
        (payout, price, status) = (terms.payout, terms.price, terms.status);
        if (status == Status.Rising) price = _presentPrice(modelId);
        if (status == Status.Retired) refusal = abi.encodeWithSelector(ModelIsRetired.selector, modelId);
        if (status == Status.Unknown) refusal = abi.encodeWithSelector(UnknownModel.selector, modelId);
    }

    function _revertWith(bytes memory reason) internal pure {
        assembly ("memory-safe") {
            revert(add(reason, 0x20), mload(reason))
        }
    }

    function _presentPrice(bytes32 modelId) private view returns (uint88) {
        if (_terms[modelId].status == Status.Rising && block.timestamp >= _rises[modelId].effectiveAt) return _rises[modelId].price;
        return _terms[modelId].price;
    }
}
