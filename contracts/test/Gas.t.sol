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
        (bytes32[] memory ids, bytes32[] memory hashes, IRoyaltyRouter.Authorization[] memory list) = batch();
        for (uint256 i; i < 100; ++i) {
            ids[i] = modelId;
            list[i] = authorize(PAYER_KEY, payout, PRICE, bytes32(i + 1));
        }
        router.payMany(ids, hashes, list);
        vm.snapshotGasLastCall("queries", "payMany of 100, sequential nonces");
        equal(token.balanceOf(payout), 1 ether + 101 * PRICE, "all paid");
    }

    function test_many100RandomNonces() public {
        (bytes32[] memory ids, bytes32[] memory hashes, IRoyaltyRouter.Authorization[] memory list) = batch();
        for (uint256 i; i < 100; ++i) {
            ids[i] = modelId;
            list[i] = authorize(PAYER_KEY, payout, PRICE, hashes[i]);
        }
        equal(router.payMany(ids, hashes, list), 100, "all paid");
        vm.snapshotGasLastCall("queries", "payMany of 100, random nonces");
    }

    /// @dev Ten payers with sequential nonces and ten models of ten builders, so that no row follows one of the same builder.
    function test_many100Mixed() public {
        (bytes32[] memory ids, bytes32[] memory hashes, IRoyaltyRouter.Authorization[] memory list) = batch();
        for (uint256 i; i < 10; ++i) {
            address to = address(uint160(0xCA50 + i));
            fund(vm.addr(i + 1), 1 ether);
            fund(to, 1 ether);
            bytes32 id = router.register(bytes32(i), to, PRICE);
            router.payWithAuthorization(id, REQUEST, authorize(i + 1, to, PRICE, 0));
            for (uint256 row = i; row < 100; row += 10) {
                ids[row] = id;
                list[row] = authorize(i + 1, to, PRICE, bytes32(row + 1));
            }
        }
        equal(router.payMany(ids, hashes, list), 100, "all paid");
        vm.snapshotGasLastCall("queries", "payMany of 100, ten payers, ten builders, sequential nonces");
    }

    function batch() private pure returns (bytes32[] memory ids, bytes32[] memory hashes, IRoyaltyRouter.Authorization[] memory list) {
        (ids, hashes, list) = (new bytes32[](100), new bytes32[](100), new IRoyaltyRouter.Authorization[](100));
        for (uint256 i; i < 100; ++i) {
            hashes[i] = keccak256(abi.encode(i));
        }
    }
}
