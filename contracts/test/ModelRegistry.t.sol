// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Base64} from "solady/utils/Base64.sol";
import {LibString} from "solady/utils/LibString.sol";
import {ModelRegistry} from "../src/ModelRegistry.sol";
import {IModelRegistry} from "../src/interfaces/IModelRegistry.sol";
import {Fixture} from "./Fixture.sol";
import {vm} from "./Vm.sol";

contract ModelRegistryTest is Fixture {
    address internal buyer = address(0xB0B);

    function price() internal view returns (uint256 amount) {
        (, amount) = registry.quote(modelId);
    }

    function test_register() public view {
        IModelRegistry.Model memory model = registry.modelOf(modelId);
        require(modelId == keccak256(abi.encode(block.chainid, address(registry), builder, keccak256("heart"))), "id");
        require(model.owner == builder && model.payout == payout && model.price == PRICE && model.version == 0 && !model.retired, "model");
        require(registry.ownerOf(uint256(modelId)) == builder && registry.balanceOf(builder) == 1, "token");
        (address to, uint256 amount) = registry.quote(modelId);
        require(to == payout && amount == PRICE, "quote");
    }

    function test_registerRefusals() public {
        vm.prank(builder);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.ModelExists.selector, modelId));
        registry.register(keccak256("heart"), payout, PRICE);
        vm.expectRevert(selector(IModelRegistry.ZeroPayout.selector));
        registry.register("x", address(0), PRICE);
        uint256 maximum = registry.MAXIMUM_PRICE();
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.PriceOutOfRange.selector, 0, maximum));
        registry.register("x", payout, 0);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.PriceOutOfRange.selector, maximum + 1, maximum));
        registry.register("x", payout, uint96(maximum + 1));
    }

    /// @dev A stranger with the same name gets another id, so names cannot be squatted.
    function testFuzz_namesBelongToTheirOwner(address other, bytes32 slug) public {
        vm.assume(other != address(0) && other != builder);
        vm.prank(other);
        bytes32 theirs = registry.register(slug, other, 1);
        vm.prank(builder);
        bytes32 ours = registry.register(slug == keccak256("heart") ? bytes32("y") : slug, builder, 1);
        require(theirs != ours && registry.ownerOf(uint256(theirs)) == other, "apart");
    }

    function test_onlyTheOwner() public {
        bytes memory refusal = abi.encodeWithSelector(IModelRegistry.NotModelOwner.selector, modelId, stranger);
        bytes[] memory calls = ownerCalls(modelId);
        for (uint256 i; i < calls.length; ++i) {
            vm.prank(stranger);
            (bool done, bytes memory reason) = address(registry).call(calls[i]);
            require(!done && keccak256(reason) == keccak256(refusal), "stranger");
        }
        refusal = abi.encodeWithSelector(IModelRegistry.UnknownModel.selector, bytes32("none"));
        calls = ownerCalls("none");
        for (uint256 i; i < calls.length; ++i) {
            (bool done, bytes memory reason) = address(registry).call(calls[i]);
            require(!done && keccak256(reason) == keccak256(refusal), "unknown");
        }
        vm.expectRevert(refusal);
        registry.quote("none");
        vm.expectRevert(refusal);
        registry.modelOf("none");
    }

    function ownerCalls(bytes32 id) internal view returns (bytes[] memory calls) {
        calls = new bytes[](6);
        calls[0] = abi.encodeCall(registry.publishVersion, (id, "p", "r"));
        calls[1] = abi.encodeCall(registry.commitExam, (id, "e"));
        calls[2] = abi.encodeCall(registry.recordAttempt, (id, "e"));
        calls[3] = abi.encodeCall(registry.setPrice, (id, 1));
        calls[4] = abi.encodeCall(registry.proposePayout, (id, stranger));
        calls[5] = abi.encodeCall(registry.retire, (id));
    }

    function test_versions() public {
        vm.prank(builder);
        registry.publishVersion(modelId, "p1", "r1");
        vm.prank(builder);
        registry.publishVersion(modelId, "p2", "r2");
        IModelRegistry.Model memory model = registry.modelOf(modelId);
        require(model.version == 2 && model.packageHash == "p2" && model.reportHash == "r2", "latest");
        (bytes32 package, bytes32 report) = registry.versionOf(modelId, 1);
        require(package == "p1" && report == "r1", "first");
        vm.prank(builder);
        vm.expectRevert(selector(IModelRegistry.ZeroHash.selector));
        registry.publishVersion(modelId, 0, "r");
        vm.prank(builder);
        vm.expectRevert(selector(IModelRegistry.ZeroHash.selector));
        registry.publishVersion(modelId, "p", 0);
    }

    function test_exams() public {
        vm.prank(builder);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.UnknownExam.selector, modelId, bytes32("e")));
        registry.recordAttempt(modelId, "e");
        vm.prank(builder);
        vm.expectRevert(selector(IModelRegistry.ZeroHash.selector));
        registry.commitExam(modelId, 0);
        vm.prank(builder);
        registry.commitExam(modelId, "e");
        vm.prank(builder);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.ExamExists.selector, modelId, bytes32("e")));
        registry.commitExam(modelId, "e");
        vm.prank(builder);
        registry.recordAttempt(modelId, "e");
        vm.prank(builder);
        registry.recordAttempt(modelId, "e");
        IModelRegistry.Exam memory exam = registry.examOf(modelId, "e");
        require(exam.attempts == 2 && exam.committedAt == block.timestamp, "counted");
    }

    function testFuzz_cutsAtOnceRisesLater(uint96 next, uint32 wait) public {
        next = uint96(uint256(next) % registry.MAXIMUM_PRICE()) + 1;
        uint256 start = block.timestamp;
        vm.prank(builder);
        registry.setPrice(modelId, next);
        if (next <= PRICE) {
            equal(price(), next, "cut");
        } else {
            equal(price(), PRICE, "announced only");
            require(registry.modelOf(modelId).nextPrice == next && registry.modelOf(modelId).nextPriceAt == start + 1 days, "visible");
            vm.warp(start + wait);
            equal(price(), wait >= 1 days ? next : PRICE, "after the delay");
            equal(registry.modelOf(modelId).price, price(), "one price");
        }
    }

    function test_aCutCallsARiseOff() public {
        vm.prank(builder);
        registry.setPrice(modelId, PRICE * 3);
        vm.prank(builder);
        registry.setPrice(modelId, PRICE);
        vm.warp(block.timestamp + 2 days);
        equal(price(), PRICE, "called off");
        require(registry.modelOf(modelId).nextPriceAt == 0, "forgotten");
    }

    function test_aRiseOnARise() public {
        uint256 start = block.timestamp;
        vm.prank(builder);
        registry.setPrice(modelId, PRICE * 2);
        vm.warp(start + 1 days - 1);
        vm.prank(builder);
        registry.setPrice(modelId, PRICE * 3);
        vm.warp(start + 1 days);
        equal(price(), PRICE, "the delay began anew");
        vm.warp(start + 2 days);
        equal(price(), PRICE * 3, "risen");
        vm.prank(builder);
        registry.setPrice(modelId, PRICE * 4);
        equal(price(), PRICE * 3, "a rise that came true stays while the next waits");
    }

    function test_priceOutOfRange() public {
        uint256 maximum = registry.MAXIMUM_PRICE();
        vm.prank(builder);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.PriceOutOfRange.selector, 0, maximum));
        registry.setPrice(modelId, 0);
        vm.prank(builder);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.PriceOutOfRange.selector, type(uint96).max, maximum));
        registry.setPrice(modelId, type(uint96).max);
    }

    function test_payoutMustAccept() public {
        vm.prank(builder);
        registry.proposePayout(modelId, buyer);
        require(registry.modelOf(modelId).payout == payout && registry.modelOf(modelId).pendingPayout == buyer, "proposed");
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.NotPendingPayout.selector, modelId, stranger));
        registry.acceptPayout(modelId);
        vm.prank(buyer);
        registry.acceptPayout(modelId);
        require(registry.modelOf(modelId).payout == buyer && registry.modelOf(modelId).pendingPayout == address(0), "accepted");
        vm.prank(buyer);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.NotPendingPayout.selector, modelId, buyer));
        registry.acceptPayout(modelId);
    }

    function test_saleOfTheToken() public {
        vm.prank(builder);
        registry.proposePayout(modelId, stranger);
        vm.prank(builder);
        registry.transferFrom(builder, buyer, uint256(modelId));
        IModelRegistry.Model memory model = registry.modelOf(modelId);
        require(model.owner == buyer && model.payout == buyer && model.pendingPayout == address(0) && model.price == PRICE, "sold");
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.NotPendingPayout.selector, modelId, stranger));
        registry.acceptPayout(modelId);
        vm.prank(builder);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.NotModelOwner.selector, modelId, builder));
        registry.setPrice(modelId, 1);
        vm.prank(builder);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.ModelExists.selector, modelId));
        registry.register(keccak256("heart"), builder, PRICE);
    }

    function test_retiredForGood() public {
        vm.prank(builder);
        registry.setPrice(modelId, PRICE * 2);
        vm.warp(block.timestamp + 1 days);
        vm.prank(builder);
        registry.retire(modelId);
        require(registry.modelOf(modelId).retired && registry.modelOf(modelId).price == PRICE * 2, "retired at its last price");
        bytes memory refusal = abi.encodeWithSelector(IModelRegistry.ModelIsRetired.selector, modelId);
        vm.expectRevert(refusal);
        registry.quote(modelId);
        bytes[] memory calls = ownerCalls(modelId);
        for (uint256 i; i < calls.length; ++i) {
            if (i == 4) continue; // A payout can still be proposed; nothing is paid to it.
            vm.prank(builder);
            (bool done, bytes memory reason) = address(registry).call(calls[i]);
            require(!done && keccak256(reason) == keccak256(refusal), "retired");
        }
    }

    function announced() internal {
        vm.expectEmit(true, true, true, true, address(registry));
    }

    /// @dev Whoever follows the events knows everything; forge compares each with the one announced before the call.
    function test_everythingIsSaid() public {
        bytes32 id = registry.modelIdOf(builder, "said");
        announced();
        emit IModelRegistry.ModelRegistered(id, builder, "said", payout, PRICE);
        vm.prank(builder);
        registry.register("said", payout, PRICE);
        announced();
        emit IModelRegistry.VersionPublished(id, 1, "p", "r");
        vm.prank(builder);
        registry.publishVersion(id, "p", "r");
        announced();
        emit IModelRegistry.ExamCommitted(id, "e");
        vm.prank(builder);
        registry.commitExam(id, "e");
        announced();
        emit IModelRegistry.ExamAttempted(id, "e", 1);
        vm.prank(builder);
        registry.recordAttempt(id, "e");
        announced();
        emit IModelRegistry.PriceChanged(id, 7);
        vm.prank(builder);
        registry.setPrice(id, 7);
        announced();
        emit IModelRegistry.PriceRiseScheduled(id, 8, block.timestamp + 1 days);
        vm.prank(builder);
        registry.setPrice(id, 8);
        announced();
        emit IModelRegistry.PayoutProposed(id, buyer);
        vm.prank(builder);
        registry.proposePayout(id, buyer);
        announced();
        emit IModelRegistry.PayoutChanged(id, buyer);
        vm.prank(buyer);
        registry.acceptPayout(id);
        announced();
        emit IModelRegistry.PayoutChanged(id, stranger);
        vm.prank(builder);
        registry.transferFrom(builder, stranger, uint256(id));
        announced();
        emit IModelRegistry.ModelRetired(id);
        vm.prank(stranger);
        registry.retire(id);
    }

    /// @dev What wallets and explorers ask an ERC-721 before they show it.
    function test_isAToken() public {
        require(keccak256(bytes(registry.name())) == keccak256("ModelFactory Models") && keccak256(bytes(registry.symbol())) == keccak256("MODEL"), "names");
        require(registry.supportsInterface(0x01ffc9a7) && registry.supportsInterface(0x80ac58cd) && registry.supportsInterface(0x5b5e139f), "ERC-165, 721");
        vm.prank(builder);
        registry.approve(stranger, uint256(modelId));
        vm.prank(stranger);
        registry.transferFrom(builder, buyer, uint256(modelId));
        require(registry.modelOf(modelId).payout == buyer, "sold through an approval, as by a marketplace");
    }

    function test_cardIsJson() public {
        vm.prank(builder);
        registry.publishVersion(modelId, "p", "r");
        string memory uri = registry.tokenURI(uint256(modelId));
        require(LibString.startsWith(uri, "data:application/json;base64,"), "data URI");
        string memory json = string(Base64.decode(LibString.slice(uri, 29)));
        require(LibString.startsWith(json, '{"name":"ModelFactory model 0x') && LibString.endsWith(json, '"}]}'), "shape");
        require(LibString.contains(json, '"trait_type":"Price per query in atomic units of OPEN","value":"10000000000000000"'), "price");
        require(LibString.contains(json, LibString.toHexString(uint256(modelId), 32)), "id");
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.UnknownModel.selector, bytes32(uint256(1))));
        registry.tokenURI(1);
    }
}
