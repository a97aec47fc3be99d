// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRoyaltyRouter} from "../src/interfaces/IRoyaltyRouter.sol";
import {Fixture} from "./Fixture.sol";
import {vm} from "./Vm.sol";

/// @dev Gas of one paid query as a transaction of its own, base fee and calldata in it, to a builder who was paid before.
/// forge-config: default.isolate = true
contract GasTest is Fixture {
    function setUp() public override {
        super.setUp();
        fund(payout, 1 ether);
        vm.deal(payer, 1 ether);
        vm.prank(payer);
        token.approve(address(router), type(uint256).max);
        router.payWithAuthorization(modelId, REQUEST, authorize(PAYER_KEY, payout, PRICE, bytes32(0)));
    }

    function test_authorizationRandomNonce() public {
        router.payWithAuthorization(modelId, REQUEST, authorize(PAYER_KEY, payout, PRICE, keccak256("random")));
        vm.snapshotGasLastCall("queries", "payWithAuthorization, random nonce");
    }

    function test_authorizationSequentialNonce() public {
        router.payWithAuthorization(modelId, REQUEST, authorize(PAYER_KEY, payout, PRICE, bytes32(uint256(1))));
        vm.snapshotGasLastCall("queries", "payWithAuthorization, sequential nonce");
    }

    function test_direct() public {
        IRoyaltyRouter.Authorization memory a = authorize(PAYER_KEY, payout, PRICE, keccak256("random"));
        token.transferWithAuthorization(a.from, payout, a.value, a.validAfter, a.validBefore, a.nonce, a.signature);
        vm.snapshotGasLastCall("queries", "plain transferWithAuthorization, random nonce (anchor)");
    }

    function test_allowance() public {
        vm.prank(payer);
        router.payForQuery(modelId, REQUEST, PRICE);
        vm.snapshotGasLastCall("queries", "payForQuery");
    }

    function test_native() public {
        vm.prank(payer);
        router.payForQueryNative{value: PRICE}(modelId, REQUEST);
        vm.snapshotGasLastCall("queries", "payForQueryNative");
    }

    function test_many100() public {
        bytes32[] memory ids = new bytes32[](100);
        bytes32[] memory hashes = new bytes32[](100);
        IRoyaltyRouter.Authorization[] memory list = new IRoyaltyRouter.Authorization[](100);
        for (uint256 i; i < 100; ++i) {
            (ids[i], hashes[i]) = (modelId, keccak256(abi.encode(i)));
            list[i] = authorize(PAYER_KEY, payout, PRICE, bytes32(i + 1));
        }
        router.payMany(ids, hashes, list);
        vm.snapshotGasLastCall("queries", "payMany of 100, sequential nonces");
        equal(token.balanceOf(payout), 1 ether + 101 * PRICE, "all paid");
    }
}
