// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ModelBounties} from "../src/ModelBounties.sol";
import {IModelBounties} from "../src/interfaces/IModelBounties.sol";
import {IModelRegistry} from "../src/interfaces/IModelRegistry.sol";
import {IRoyaltyRouter} from "../src/interfaces/IRoyaltyRouter.sol";
import {IWrappedOpen} from "../src/interfaces/IWrappedOpen.sol";
import {Fixture, Signing} from "./Fixture.sol";
import {vm} from "./Vm.sol";

contract ModelBountiesTest is Fixture {
    uint256 internal constant EXAMINER_KEY = 0xE8A;
    uint256 internal constant AMOUNT = 50 ether;
    bytes32 internal constant SALT = "salt";
    string internal constant CASES = "[{\"input\":\"a\",\"output\":\"b\"}]";
    bytes32 internal constant EVIDENCE = keccak256("found");
    bytes32 internal constant PACKAGE = keccak256("package");

    ModelBounties internal bounties;
    IModelBounties.Terms internal terms;
    bytes32 internal otherModel;

    function setUp() public override {
        super.setUp();
        bounties = new ModelBounties(address(token), registry);
        terms = IModelBounties.Terms(keccak256("need"), keccak256(abi.encode(SALT, CASES)), vm.addr(EXAMINER_KEY), uint64(block.timestamp + 30 days));
        vm.prank(builder);
        registry.publishVersion(modelId, PACKAGE, keccak256("report"));
        vm.prank(stranger);
        otherModel = registry.register("other", stranger, PRICE);
    }

    function signed(uint256 key, uint256 amount, bytes32 nonce) internal view returns (IRoyaltyRouter.Authorization memory a) {
        a = unsigned(vm.addr(key), amount, nonce);
        bytes32 structHash = keccak256(abi.encode(Signing.RECEIVE, a.from, address(bounties), a.value, a.validAfter, a.validBefore, a.nonce));
        a.signature = Signing.pack(key, Signing.digest(block.chainid, address(token), structHash));
    }

    function idOf(IModelBounties.Terms memory t, uint256 amount) internal view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(bounties), payer, amount, t));
    }

    function posted() internal returns (bytes32 id) {
        id = idOf(terms, AMOUNT);
        vm.prank(stranger);
        equalIds(bounties.post(terms, signed(PAYER_KEY, AMOUNT, id)), id);
    }

    function entered() internal returns (bytes32 id) {
        id = posted();
        vm.prank(builder);
        bounties.enter(id, modelId);
    }

    /// @dev The digest from the text of EIP-712, not from the contract.
    function awardDigest(bytes32 id, bytes32 model, bytes32 package, bytes32 evidence) internal view returns (bytes32) {
        bytes32 domain = keccak256(abi.encode(Signing.DOMAIN, keccak256("Model Bounties"), keccak256("1"), block.chainid, address(bounties)));
        bytes32 typehash = keccak256("Award(bytes32 bountyId,bytes32 modelId,bytes32 packageHash,bytes32 evidence)");
        return keccak256(abi.encodePacked(hex"1901", domain, keccak256(abi.encode(typehash, id, model, package, evidence))));
    }

    function awarded(uint256 key, bytes32 id) internal view returns (bytes memory) {
        return Signing.pack(key, awardDigest(id, modelId, PACKAGE, EVIDENCE));
    }

    function equalIds(bytes32 a, bytes32 b) internal pure {
        require(a == b, "id");
    }

    function status(bytes32 id) internal view returns (IModelBounties.Status) {
        return bounties.bountyOf(id).status;
    }

    function test_whatItSaysOfItself() public view {
        require(bounties.token() == address(token) && address(bounties.registry()) == address(registry), "token and registry");
        equal(bounties.LONGEST(), 366 days, "longest");
        equalIds(bounties.bountyIdOf(payer, AMOUNT, terms), idOf(terms, AMOUNT));
        equalIds(bounties.casesHashOf(SALT, CASES), terms.casesHash);
        (, string memory name, string memory version,,,,) = bounties.eip712Domain();
        require(keccak256(bytes(name)) == keccak256("Model Bounties") && keccak256(bytes(version)) == keccak256("1"), "domain");
        require(status("none") == IModelBounties.Status.Unknown, "unknown");
    }

    function test_posts() public {
        bytes32 id = idOf(terms, AMOUNT);
        IRoyaltyRouter.Authorization memory authorization = signed(PAYER_KEY, AMOUNT, id);
        vm.expectEmit(true, true, true, true, address(bounties));
        emit IModelBounties.BountyPosted(id, payer, AMOUNT, terms);
        vm.prank(stranger);
        bounties.post(terms, authorization);
        IModelBounties.Bounty memory bounty = bounties.bountyOf(id);
        require(bounty.poster == payer && bounty.amount == AMOUNT && bounty.examiner == terms.examiner, "who and how much");
        require(bounty.deadline == terms.deadline && bounty.entries == 0 && bounty.casesHash == terms.casesHash, "until when and for what");
        require(bounty.status == IModelBounties.Status.Open, "open");
        equal(token.balanceOf(address(bounties)), AMOUNT, "held");
        vm.expectRevert(abi.encodeWithSelector(IWrappedOpen.AuthorizationAlreadyUsed.selector, payer, id));
        bounties.post(terms, authorization);
    }

    /// @dev A signature for one bounty posts no other: another examiner, sum, deadline, need or cases make another id.
    function test_signatureStandsUnderTheTerms() public {
        bytes32 id = idOf(terms, AMOUNT);
        IRoyaltyRouter.Authorization memory authorization = signed(PAYER_KEY, AMOUNT, id);
        for (uint256 i; i < 4; ++i) {
            IModelBounties.Terms memory other = terms;
            if (i == 0) other.examiner = stranger;
            if (i == 1) other.deadline += 1;
            if (i == 2) other.needHash = keccak256("else");
            if (i == 3) other.casesHash = keccak256("else");
            vm.expectRevert(abi.encodeWithSelector(IModelBounties.NonceIsNotBounty.selector, id, idOf(other, AMOUNT)));
            bounties.post(other, authorization);
            // With the nonce that fits, the signature does not.
            IRoyaltyRouter.Authorization memory forged = authorization;
            forged.nonce = idOf(other, AMOUNT);
            vm.expectRevert(abi.encodeWithSelector(IWrappedOpen.InvalidSignature.selector, payer));
            bounties.post(other, forged);
            forged.nonce = id;
        }
    }

    function test_refusesTermsThatCannotHold() public {
        IModelBounties.Terms memory other = terms;
        refuse(other, 0, abi.encodeWithSelector(IModelBounties.AmountOutOfRange.selector, 0, type(uint96).max));
        uint256 much = uint256(type(uint96).max) + 1;
        refuse(other, much, abi.encodeWithSelector(IModelBounties.AmountOutOfRange.selector, much, type(uint96).max));
        other.deadline = uint64(block.timestamp);
        refuse(other, AMOUNT, abi.encodeWithSelector(IModelBounties.DeadlineOutOfRange.selector, other.deadline));
        other.deadline = uint64(block.timestamp + 366 days + 1);
        refuse(other, AMOUNT, abi.encodeWithSelector(IModelBounties.DeadlineOutOfRange.selector, other.deadline));
        other = terms;
        other.examiner = address(0);
        refuse(other, AMOUNT, selector(IModelBounties.ZeroExaminer.selector));
        other = terms;
        other.casesHash = 0;
        refuse(other, AMOUNT, selector(IModelBounties.ZeroHash.selector));
        other = terms;
        other.deadline = uint64(block.timestamp + 366 days);
        bounties.post(other, signed(PAYER_KEY, AMOUNT, idOf(other, AMOUNT)));
    }

    function refuse(IModelBounties.Terms memory other, uint256 amount, bytes memory reason) internal {
        IRoyaltyRouter.Authorization memory authorization = signed(PAYER_KEY, amount, idOf(other, amount));
        vm.expectRevert(reason);
        bounties.post(other, authorization);
    }

    function test_entersByTheOwnerUntilTheDeadlineEachVersionOnce() public {
        bytes32 id = posted();
        vm.expectRevert(abi.encodeWithSelector(IModelBounties.NotModelOwner.selector, modelId, stranger));
        vm.prank(stranger);
        bounties.enter(id, modelId);
        vm.expectRevert(selector(IModelBounties.ZeroHash.selector));
        vm.prank(stranger);
        bounties.enter(id, otherModel);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.UnknownModel.selector, bytes32("none")));
        bounties.enter(id, "none");
        vm.expectRevert(abi.encodeWithSelector(IModelBounties.BountyNotOpen.selector, bytes32("none")));
        vm.prank(builder);
        bounties.enter("none", modelId);
        vm.warp(terms.deadline);
        vm.expectEmit(true, true, true, true, address(bounties));
        emit IModelBounties.BountyEntered(id, modelId, PACKAGE);
        vm.prank(builder);
        bounties.enter(id, modelId);
        equal(bounties.bountyOf(id).entries, 1, "entries");
        vm.expectRevert(abi.encodeWithSelector(IModelBounties.AlreadyEntered.selector, id, modelId, PACKAGE));
        vm.prank(builder);
        bounties.enter(id, modelId);
        vm.prank(builder);
        registry.publishVersion(modelId, "better", "report");
        vm.prank(builder);
        bounties.enter(id, modelId);
        equal(bounties.bountyOf(id).entries, 2, "a better version");
        vm.warp(terms.deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(IModelBounties.BountyOver.selector, id, terms.deadline));
        vm.prank(builder);
        bounties.enter(id, modelId);
    }

    function test_paysWhoPassedWholeAndOnce() public {
        bytes32 id = entered();
        bytes memory award = awarded(EXAMINER_KEY, id);
        // Late, but before anyone took it back.
        vm.warp(terms.deadline + 10 days);
        vm.expectEmit(true, true, true, true, address(bounties));
        emit IModelBounties.BountyPaid(id, modelId, payout, AMOUNT, PACKAGE, EVIDENCE);
        vm.prank(stranger);
        bounties.award(id, modelId, EVIDENCE, award);
        equal(token.balanceOf(payout), AMOUNT, "whole");
        equal(token.balanceOf(address(bounties)), 0, "nothing stays");
        require(status(id) == IModelBounties.Status.Paid, "paid");
        vm.expectRevert(abi.encodeWithSelector(IModelBounties.BountyNotOpen.selector, id));
        bounties.award(id, modelId, EVIDENCE, award);
        vm.expectRevert(abi.encodeWithSelector(IModelBounties.BountyNotOpen.selector, id));
        bounties.withdraw(id, SALT, CASES);
    }

    function test_anAwardIsTheExaminersForThisVersionAndBounty() public {
        bytes32 id = entered();
        bytes memory no = abi.encodeWithSelector(IModelBounties.InvalidAward.selector, terms.examiner);
        // Another key, and what the examiner signed for something else.
        deny(id, Signing.pack(PAYER_KEY, awardDigest(id, modelId, PACKAGE, EVIDENCE)), no);
        deny(id, Signing.pack(EXAMINER_KEY, awardDigest("else", modelId, PACKAGE, EVIDENCE)), no);
        deny(id, Signing.pack(EXAMINER_KEY, awardDigest(id, otherModel, PACKAGE, EVIDENCE)), no);
        deny(id, Signing.pack(EXAMINER_KEY, awardDigest(id, modelId, "else", EVIDENCE)), no);
        deny(id, Signing.pack(EXAMINER_KEY, awardDigest(id, modelId, PACKAGE, "else")), no);
        deny(id, "", no);
        // A version that came after the one that passed is not the one that passed.
        bytes memory award = awarded(EXAMINER_KEY, id);
        vm.prank(builder);
        registry.publishVersion(modelId, "worse", "report");
        deny(id, award, abi.encodeWithSelector(IModelBounties.NotEntered.selector, id, modelId, bytes32("worse")));
        vm.expectRevert(abi.encodeWithSelector(IModelBounties.BountyNotOpen.selector, bytes32("none")));
        bounties.award("none", modelId, EVIDENCE, award);
        require(status(id) == IModelBounties.Status.Open && token.balanceOf(address(bounties)) == AMOUNT, "untouched");
    }

    function deny(bytes32 id, bytes memory award, bytes memory reason) internal {
        vm.expectRevert(reason);
        bounties.award(id, modelId, EVIDENCE, award);
    }

    function test_goesBackWhenNobodyEntered() public {
        bytes32 id = posted();
        vm.warp(terms.deadline);
        vm.expectRevert(abi.encodeWithSelector(IModelBounties.BountyNotOver.selector, id, terms.deadline));
        bounties.withdraw(id, SALT, CASES);
        vm.warp(terms.deadline + 1);
        uint256 before = token.balanceOf(payer);
        vm.recordLogs();
        vm.prank(stranger);
        bounties.withdraw(id, 0, "");
        equal(vm.getRecordedLogs().length, 2, "a transfer and that it went back");
        equal(token.balanceOf(payer), before + AMOUNT, "whole");
        require(status(id) == IModelBounties.Status.Withdrawn, "withdrawn");
        vm.expectRevert(abi.encodeWithSelector(IModelBounties.BountyNotOpen.selector, id));
        bounties.withdraw(id, 0, "");
    }

    function test_goesBackOnlyWithTheCasesOpenWhenSomebodyEntered() public {
        bytes32 id = entered();
        vm.warp(terms.deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(IModelBounties.CasesNotOpened.selector, id));
        bounties.withdraw(id, SALT, "[]");
        vm.expectRevert(abi.encodeWithSelector(IModelBounties.CasesNotOpened.selector, id));
        bounties.withdraw(id, 0, CASES);
        vm.expectEmit(true, true, true, true, address(bounties));
        emit IModelBounties.CasesOpened(id, SALT, CASES);
        vm.expectEmit(true, true, true, true, address(bounties));
        emit IModelBounties.BountyWithdrawn(id, payer, AMOUNT);
        bounties.withdraw(id, SALT, CASES);
        bytes memory award = awarded(EXAMINER_KEY, id);
        deny(id, award, abi.encodeWithSelector(IModelBounties.BountyNotOpen.selector, id));
    }

    /// @dev Whatever happens to each of several bounties, what is held is what is open, and all that went in came out to somebody.
    function testFuzz_heldIsWhatIsOpen(uint96[6] memory amounts, uint8[6] memory fates) public {
        uint256 open;
        uint256 into;
        uint256 back;
        for (uint256 i; i < 6; ++i) {
            uint256 amount = uint256(amounts[i]) % 10 ether + 1;
            terms.needHash = bytes32(i);
            bytes32 id = idOf(terms, amount);
            bounties.post(terms, signed(PAYER_KEY, amount, id));
            into += amount;
            if (fates[i] % 4 > 0) {
                vm.prank(builder);
                bounties.enter(id, modelId);
            }
            if (fates[i] % 4 == 1) bounties.award(id, modelId, EVIDENCE, awarded(EXAMINER_KEY, id));
            if (fates[i] % 4 == 2) open += amount;
        }
        vm.warp(terms.deadline + 1);
        for (uint256 i; i < 6; ++i) {
            if (fates[i] % 4 == 1 || fates[i] % 4 == 2) continue;
            terms.needHash = bytes32(i);
            uint256 amount = uint256(amounts[i]) % 10 ether + 1;
            bounties.withdraw(idOf(terms, amount), SALT, CASES);
            back += amount;
        }
        equal(token.balanceOf(address(bounties)), open, "held");
        equal(token.balanceOf(payout), into - open - back, "won");
        equal(token.balanceOf(payer), 100 ether - into + back, "the poster's");
    }
}
