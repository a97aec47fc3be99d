// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RoyaltyRouter} from "../src/RoyaltyRouter.sol";
import {IModelRegistry} from "../src/interfaces/IModelRegistry.sol";
import {IRoyaltyRouter} from "../src/interfaces/IRoyaltyRouter.sol";
import {IWrappedOpen} from "../src/interfaces/IWrappedOpen.sol";
import {Fixture, Signing} from "./Fixture.sol";
import {vm} from "./Vm.sol";

/// @dev A token that says yes and moves something else than it was told.
contract CrookedToken {
    mapping(address => uint256) public balanceOf;
    int256 private immutable difference;

    constructor(int256 difference_) {
        difference = difference_;
    }

    function transferFrom(address, address to, uint256 value) external returns (bool) {
        balanceOf[to] += uint256(int256(value) + difference);
        return true;
    }

    function transferWithAuthorization(address, address to, uint256 value, uint256, uint256, bytes32, bytes calldata) external {
        balanceOf[to] += uint256(int256(value) + difference);
    }
}

/// @dev A builder that is a contract: refuses native coin, or pays for another query with it.
contract BuilderContract {
    RoyaltyRouter private immutable router;
    bytes32 public next;
    bool public refuses;

    constructor(RoyaltyRouter router_) {
        router = router_;
    }

    function set(bytes32 next_, bool refuses_) external {
        (next, refuses) = (next_, refuses_);
    }

    receive() external payable {
        require(!refuses);
        if (next != 0) router.payForQueryNative{value: msg.value}(next, "nested");
    }
}

/// @dev A wallet that burns all gas it is given when asked for a signature.
contract GasEater {
    function isValidSignature(bytes32, bytes calldata) external view returns (bytes4) {
        while (gasleft() > 100) {}
        return 0;
    }
}

/// @dev A wallet that needs much gas, though not more than a row may have, to say yes.
contract SlowWallet {
    uint256 private immutable need;

    constructor(uint256 need_) {
        need = need_;
    }

    function isValidSignature(bytes32, bytes calldata) external view returns (bytes4) {
        uint256 start = gasleft();
        while (start - gasleft() < need) {}
        return 0x1626ba7e;
    }
}

/// @dev A wallet that accepts one signature, whatever was signed.
contract StrictWallet {
    bytes32 private immutable accepted;

    constructor(bytes32 accepted_) {
        accepted = accepted_;
    }

    function isValidSignature(bytes32, bytes calldata signature) external view returns (bytes4) {
        return keccak256(signature) == accepted ? bytes4(0x1626ba7e) : bytes4(0);
    }
}

contract RoyaltyRouterTest is Fixture {
    function pay(IRoyaltyRouter.Authorization memory a) internal {
        router.payWithAuthorization(modelId, REQUEST, a);
    }

    function registered(bytes32 slug, address to, uint96 price) internal returns (bytes32) {
        vm.prank(builder);
        return registry.register(slug, to, price);
    }

    function test_wiring() public view {
        require(router.token() == address(token), "wiring");
    }

    function testFuzz_authorizationPaysTheBuilderWhole(uint96 price, bytes32 nonce, bytes32 requestHash) public {
        price = price % 100 ether + 1;
        bytes32 id = registered("fuzz", payout, price);
        IRoyaltyRouter.Authorization memory a = authorize(PAYER_KEY, payout, price, nonce);
        vm.expectEmit(true, true, true, true, address(router));
        emit IRoyaltyRouter.QueryPaid(id, payer, payout, price, requestHash, nonce);
        vm.prank(stranger);
        router.payWithAuthorization(id, requestHash, a);
        require(token.balanceOf(payout) == price && token.balanceOf(payer) == 100 ether - price, "whole");
        require(token.balanceOf(address(router)) == 0 && token.balanceOf(stranger) == 0, "nothing between");
    }

    function testFuzz_wrongAmount(uint96 value) public {
        vm.assume(value != PRICE);
        IRoyaltyRouter.Authorization memory a = authorize(PAYER_KEY, payout, value, "w");
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyRouter.WrongAmount.selector, value, PRICE));
        pay(a);
    }

    function test_replay() public {
        IRoyaltyRouter.Authorization memory a = authorize(PAYER_KEY, payout, PRICE, "r");
        pay(a);
        vm.expectRevert(abi.encodeWithSelector(IWrappedOpen.AuthorizationAlreadyUsed.selector, payer, bytes32("r")));
        pay(a);
        a.signature = Signing.malleate(a.signature);
        vm.expectRevert(abi.encodeWithSelector(IWrappedOpen.InvalidSignature.selector, payer));
        pay(a);
        equal(token.balanceOf(payout), PRICE, "once");
    }

    function test_forgedSigner() public {
        IRoyaltyRouter.Authorization memory a = Signing.transfer(block.chainid, address(token), STRANGER_KEY, payout, unsigned(payer, PRICE, "f"));
        vm.expectRevert(abi.encodeWithSelector(IWrappedOpen.InvalidSignature.selector, payer));
        pay(a);
    }

    function test_expired() public {
        IRoyaltyRouter.Authorization memory a = authorize(PAYER_KEY, payout, PRICE, "e");
        vm.warp(a.validBefore);
        vm.expectRevert(abi.encodeWithSelector(IWrappedOpen.AuthorizationExpired.selector, a.validBefore));
        pay(a);
    }

    function test_poorPayer() public {
        IRoyaltyRouter.Authorization memory a = authorize(STRANGER_KEY, payout, PRICE, "p");
        vm.expectRevert(selector(bytes4(keccak256("InsufficientBalance()"))));
        pay(a);
        require(!token.authorizationState(stranger, "p"), "the nonce is not lost");
    }

    /// @dev Somebody submits the authorization to the token before us: the builder is paid once and the router says so.
    function test_frontRunAtTheToken() public {
        IRoyaltyRouter.Authorization memory a = authorize(PAYER_KEY, payout, PRICE, "fr");
        vm.prank(stranger);
        token.transferWithAuthorization(payer, payout, PRICE, a.validAfter, a.validBefore, "fr", a.signature);
        vm.expectRevert(abi.encodeWithSelector(IWrappedOpen.AuthorizationAlreadyUsed.selector, payer, bytes32("fr")));
        pay(a);
        equal(token.balanceOf(payout), PRICE, "once");
    }

    /// @dev Money signed for one builder cannot go to another.
    function test_otherBuilder() public {
        bytes32 other = registered("other", stranger, PRICE);
        IRoyaltyRouter.Authorization memory a = authorize(PAYER_KEY, payout, PRICE, "o");
        vm.expectRevert(abi.encodeWithSelector(IWrappedOpen.InvalidSignature.selector, payer));
        router.payWithAuthorization(other, REQUEST, a);
    }

    function test_unknownAndRetired() public {
        IRoyaltyRouter.Authorization memory a = authorize(PAYER_KEY, payout, PRICE, "u");
        bytes memory refusal = abi.encodeWithSelector(IModelRegistry.UnknownModel.selector, bytes32("none"));
        vm.expectRevert(refusal);
        router.payWithAuthorization("none", REQUEST, a);
        vm.expectRevert(refusal);
        router.payForQuery("none", REQUEST, PRICE);
        vm.prank(builder);
        registry.retire(modelId);
        refusal = abi.encodeWithSelector(IModelRegistry.ModelIsRetired.selector, modelId);
        vm.expectRevert(refusal);
        pay(a);
        vm.prank(payer);
        token.approve(address(router), PRICE);
        vm.prank(payer);
        vm.expectRevert(refusal);
        router.payForQuery(modelId, REQUEST, PRICE);
        vm.deal(payer, PRICE);
        vm.prank(payer);
        vm.expectRevert(refusal);
        router.payForQueryNative{value: PRICE}(modelId, REQUEST);
        equal(token.balanceOf(payout) + payout.balance, 0, "nothing paid");
    }

    /// @dev An older quote no longer pays after the token of the model was sold.
    function test_oldQuoteAfterSale() public {
        IRoyaltyRouter.Authorization memory a = authorize(PAYER_KEY, payout, PRICE, "q");
        vm.prank(builder);
        registry.transferFrom(builder, stranger, uint256(modelId));
        vm.expectRevert(abi.encodeWithSelector(IWrappedOpen.InvalidSignature.selector, payer));
        pay(a);
        pay(authorize(PAYER_KEY, stranger, PRICE, "q"));
        equal(token.balanceOf(stranger), PRICE, "the new holder");
    }

    function test_payerIsBuilder() public {
        bytes32 own = registered("own", payer, PRICE);
        IRoyaltyRouter.Authorization memory a = authorize(PAYER_KEY, payer, PRICE, "s");
        bytes memory refusal = abi.encodeWithSelector(IRoyaltyRouter.PayerIsBuilder.selector, payer);
        vm.expectRevert(refusal);
        router.payWithAuthorization(own, REQUEST, a);
        vm.prank(payer);
        vm.expectRevert(refusal);
        router.payForQuery(own, REQUEST, PRICE);
        vm.deal(payer, PRICE);
        vm.prank(payer);
        vm.expectRevert(refusal);
        router.payForQueryNative{value: PRICE}(own, REQUEST);
    }

    /// @dev Paid to the router or the token, money would be stuck; a native payment to the token would make tokens for the router.
    function test_stuckPayouts() public {
        address[2] memory stuck = [address(router), address(token)];
        vm.deal(payer, PRICE);
        for (uint256 i; i < 2; ++i) {
            bytes32 id = registered(bytes32(i + 1), stuck[i], PRICE);
            bytes memory refusal = abi.encodeWithSelector(IRoyaltyRouter.InvalidBuilder.selector, stuck[i]);
            IRoyaltyRouter.Authorization memory a = authorize(PAYER_KEY, stuck[i], PRICE, "i");
            vm.expectRevert(refusal);
            router.payWithAuthorization(id, REQUEST, a);
            vm.prank(payer);
            vm.expectRevert(refusal);
            router.payForQueryNative{value: PRICE}(id, REQUEST);
        }
        equal(token.balanceOf(address(router)), 0, "router");
    }

    function test_allowance() public {
        vm.prank(payer);
        vm.expectRevert(selector(IRoyaltyRouter.TransferFromFailed.selector));
        router.payForQuery(modelId, REQUEST, PRICE);
        vm.prank(payer);
        token.approve(address(router), type(uint256).max);
        vm.prank(payer);
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyRouter.PriceExceedsMaximum.selector, PRICE, PRICE - 1));
        router.payForQuery(modelId, REQUEST, PRICE - 1);
        vm.expectEmit(true, true, true, true, address(router));
        emit IRoyaltyRouter.QueryPaid(modelId, payer, payout, PRICE, REQUEST, 0);
        vm.prank(payer);
        router.payForQuery(modelId, REQUEST, PRICE + 1);
        require(token.balanceOf(payout) == PRICE && token.balanceOf(payer) == 100 ether - PRICE, "the price, not the maximum");
    }

    /// @dev An allowance to the router is no danger: only its owner can have it spent.
    function test_allowanceOfAnother() public {
        vm.prank(payer);
        token.approve(address(router), type(uint256).max);
        vm.prank(stranger);
        vm.expectRevert(selector(IRoyaltyRouter.TransferFromFailed.selector));
        router.payForQuery(modelId, REQUEST, PRICE);
        equal(token.balanceOf(payer), 100 ether, "untouched");
    }

    function testFuzz_native(uint96 value) public {
        vm.deal(payer, value);
        if (value != PRICE) vm.expectRevert(abi.encodeWithSelector(IRoyaltyRouter.WrongAmount.selector, value, PRICE));
        vm.prank(payer);
        router.payForQueryNative{value: value}(modelId, REQUEST);
        require(payout.balance == (value == PRICE ? PRICE : 0) && address(router).balance == 0, "whole");
    }

    function test_nativeToContracts() public {
        BuilderContract contractor = new BuilderContract(router);
        bytes32 id = registered("contract", address(contractor), PRICE);
        vm.deal(payer, PRICE);
        contractor.set(0, true);
        vm.prank(payer);
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyRouter.NativePaymentFailed.selector, address(contractor)));
        router.payForQueryNative{value: PRICE}(id, REQUEST);
        contractor.set(id, false); // Pays itself: refused, so the outer payment fails as a whole.
        vm.prank(payer);
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyRouter.NativePaymentFailed.selector, address(contractor)));
        router.payForQueryNative{value: PRICE}(id, REQUEST);
        contractor.set(modelId, false); // Reenters to pay another builder with what it got.
        vm.prank(payer);
        router.payForQueryNative{value: PRICE}(id, REQUEST);
        require(payout.balance == PRICE && address(contractor).balance == 0 && address(router).balance == 0, "passed on");
    }

    function test_plainCoinIsRefused() public {
        vm.deal(payer, 1);
        vm.prank(payer);
        (bool accepted,) = address(router).call{value: 1}("");
        require(!accepted, "the router takes nothing");
    }

    function test_crookedTokens() public {
        int256[2] memory differences = [int256(-1), int256(1)];
        for (uint256 i; i < 2; ++i) {
            RoyaltyRouter crooked = new RoyaltyRouter(address(new CrookedToken(differences[i])));
            vm.prank(builder);
            crooked.register(keccak256("heart"), payout, PRICE);
            bytes32 id = crooked.modelIdOf(builder, keccak256("heart"));
            bytes memory refusal =
                abi.encodeWithSelector(IRoyaltyRouter.BuilderUnderpaid.selector, payout, uint256(int256(uint256(PRICE)) + differences[i]), PRICE);
            IRoyaltyRouter.Authorization memory a = authorize(PAYER_KEY, payout, PRICE, "c");
            vm.expectRevert(refusal);
            crooked.payWithAuthorization(id, REQUEST, a);
            (bytes32[] memory ids, bytes32[] memory hashes, IRoyaltyRouter.Authorization[] memory list) = batch(1);
            ids[0] = id;
            vm.expectRevert(refusal);
            crooked.payMany(ids, hashes, list);
            vm.expectRevert(refusal);
            crooked.payForQuery(id, REQUEST, PRICE);
        }
    }

    function batch(uint256 rows) internal view returns (bytes32[] memory ids, bytes32[] memory hashes, IRoyaltyRouter.Authorization[] memory list) {
        ids = new bytes32[](rows);
        hashes = new bytes32[](rows);
        list = new IRoyaltyRouter.Authorization[](rows);
        for (uint256 i; i < rows; ++i) {
            (ids[i], hashes[i], list[i]) = (modelId, bytes32(i), authorize(PAYER_KEY, payout, PRICE, bytes32(i)));
        }
    }

    function test_manySkipsBadRows() public {
        (bytes32[] memory ids, bytes32[] memory hashes, IRoyaltyRouter.Authorization[] memory list) = batch(7);
        ids[1] = "none";
        list[2] = list[0];
        list[3].value = PRICE + 1;
        list[4].signature = hex"00";
        list[5].from = address(new GasEater());
        vm.expectEmit(true, true, true, true, address(router));
        emit IRoyaltyRouter.PaymentSkipped("none", payer, 1, bytes32(uint256(1)), abi.encodeWithSelector(IModelRegistry.UnknownModel.selector, bytes32("none")));
        equal(router.payMany{gas: 3_000_000}(ids, hashes, list), 2, "two good rows");
        equal(token.balanceOf(payout), 2 * PRICE, "paid");
        require(token.authorizationState(payer, bytes32(uint256(6))), "the row behind the gas eater");
    }

    /// @dev Rows of several builders in turn, so that what is known of one is never taken for another, and a builder who pays in between.
    function test_manyBuildersInTurn() public {
        uint256 key = 0x5EED;
        address second = vm.addr(key);
        bytes32 other = registered("second", second, PRICE / 2);
        fund(second, 1 ether);
        (bytes32[] memory ids, bytes32[] memory hashes, IRoyaltyRouter.Authorization[] memory list) = batch(5);
        (ids[1], list[1]) = (other, authorize(PAYER_KEY, second, PRICE / 2, bytes32(uint256(1))));
        list[2] = authorize(key, payout, PRICE, bytes32(uint256(2)));
        (ids[3], list[3]) = (other, authorize(PAYER_KEY, second, PRICE / 2, bytes32(uint256(3))));
        equal(router.payMany(ids, hashes, list), 5, "all rows");
        require(token.balanceOf(payout) == 3 * PRICE && token.balanceOf(second) == 1 ether, "all whole");
    }

    /// @dev A wallet that is a contract may sign with more than 65 bytes, and every one of them must reach it.
    function testFuzz_longSignatures(bytes memory signature) public {
        vm.assume(signature.length > 0 && signature.length < 2_000);
        StrictWallet wallet = new StrictWallet(keccak256(signature));
        vm.prank(payer);
        token.transfer(address(wallet), 10 * PRICE);
        IRoyaltyRouter.Authorization memory a = unsigned(address(wallet), PRICE, "w");
        a.signature = signature;
        pay(a);
        (bytes32[] memory ids, bytes32[] memory hashes, IRoyaltyRouter.Authorization[] memory list) = batch(3);
        (list[0], list[1]) = (unsigned(address(wallet), PRICE, "v"), unsigned(address(wallet), PRICE, "u"));
        (list[0].signature, list[1].signature) = (signature, abi.encodePacked(signature, uint8(1)));
        equal(router.payMany(ids, hashes, list), 2, "the longer one is another signature");
        equal(token.balanceOf(payout), 3 * PRICE, "paid");
    }

    function test_manyNeedsEqualLists() public {
        (bytes32[] memory ids, bytes32[] memory hashes, IRoyaltyRouter.Authorization[] memory list) = batch(2);
        vm.expectRevert(selector(IRoyaltyRouter.LengthMismatch.selector));
        router.payMany(new bytes32[](1), hashes, list);
        vm.expectRevert(selector(IRoyaltyRouter.LengthMismatch.selector));
        router.payMany(new bytes32[](3), hashes, list);
        vm.expectRevert(selector(IRoyaltyRouter.LengthMismatch.selector));
        router.payMany(ids, new bytes32[](1), list);
        vm.expectRevert(selector(IRoyaltyRouter.LengthMismatch.selector));
        router.payMany(ids, new bytes32[](3), list);
    }

    /// @dev A row that is paid when there is gas enough is never skipped because the batch was sent with little. Only a row that needs
    /// nearly all it may have shows it: when a cheaper one starves, too little is left to skip it.
    function test_manyStarvesNobody() public {
        (bytes32[] memory ids, bytes32[] memory hashes, IRoyaltyRouter.Authorization[] memory list) = batch(1);
        uint256 nonce = 1_000;
        uint256 refused;
        for (uint256 need = 190_000; need < 230_000; need += 2_000) {
            SlowWallet wallet = new SlowWallet(need);
            vm.prank(payer);
            token.transfer(address(wallet), 5 ether);
            list[0] = unsigned(address(wallet), PRICE, bytes32(++nonce << 8));
            if (router.payMany(ids, hashes, list) == 0) continue;
            for (uint256 gas = 236_000; gas < 262_000; gas += 500) {
                list[0] = unsigned(address(wallet), PRICE, bytes32(++nonce << 8));
                try router.payMany{gas: gas}(ids, hashes, list) returns (uint256 rows) {
                    equal(rows, 1, "a good row was skipped");
                } catch {
                    ++refused;
                }
            }
        }
        require(refused > 0, "there was always gas enough");
    }

    /// @dev Sent with too little gas, a batch fails whole and does not skip good rows.
    function testFuzz_manyWithLittleGas(uint32 gas) public {
        gas = gas % 700_000 + 60_000;
        (bytes32[] memory ids, bytes32[] memory hashes, IRoyaltyRouter.Authorization[] memory list) = batch(3);
        try router.payMany{gas: gas}(ids, hashes, list) returns (uint256 paid) {
            equal(paid, 3, "all or none");
        } catch {
            equal(token.balanceOf(payout), 0, "none");
        }
    }
}
