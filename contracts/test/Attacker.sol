// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RoyaltyRouter} from "../src/RoyaltyRouter.sol";
import {WrappedOpen} from "../src/WrappedOpen.sol";
import {IRoyaltyRouter} from "../src/interfaces/IRoyaltyRouter.sol";
import {Handler} from "./Handler.sol";
import {Signing} from "./Fixture.sol";
import {vm} from "./Vm.sol";

/// @dev One attack for each check in the contracts: whatever is tried here must be refused, in any state the others made.
contract Attacker is Handler {
    uint256 private attempts;

    constructor(WrappedOpen token_, RoyaltyRouter router_) Handler(token_, router_) {}

    /// @dev Refused by the router, and by the token to the same builder, with the very same numbers.
    function refused(bytes32 id, address builder, IRoyaltyRouter.Authorization memory a) internal {
        refusedByRouter(id, a);
        try token.transferWithAuthorization(a.from, builder, a.value, a.validAfter, a.validBefore, a.nonce, a.signature) {
            revert("the token took what it must refuse");
        } catch {}
    }

    function forge(uint256 who, uint256 which, uint256 key) external {
        (bytes32 id, address builder, uint256 price,) = quoted(which);
        key = key % 1_000 + 1_000;
        address payer = vm.addr(keys[who % 3]);
        refused(id, builder, Signing.transfer(block.chainid, address(token), key, builder, unsigned(payer, price, bytes32(key))));
    }

    function replay(bool malleated) external {
        if (last.from == address(0)) return;
        IRoyaltyRouter.Authorization memory a = last;
        if (malleated) a.signature = Signing.malleate(a.signature);
        refused(lastModel, registry.modelOf(lastModel).payout, a);
    }

    function payAnotherAmount(uint256 who, uint256 which, uint96 value) external {
        (bytes32 id, address builder, uint256 price,) = quoted(which);
        if (value == price) ++value;
        refusedByRouter(id, authorize(keys[who % 3], builder, value % 1 ether, "attack: amount"));
    }

    function signForAnotherDomain(uint256 who, uint256 which, bool chain) external {
        (bytes32 id, address builder, uint256 price,) = quoted(which);
        IRoyaltyRouter.Authorization memory a = unsigned(vm.addr(keys[who % 3]), price, "attack: domain");
        uint256 key = keys[who % 3];
        if (chain) a = Signing.transfer(block.chainid + 1, address(token), key, builder, a);
        else a = Signing.transfer(block.chainid, address(router), key, builder, a);
        refused(id, builder, a);
    }

    function signForAnotherTime(uint256 who, uint256 which, bool late) external {
        (bytes32 id, address builder, uint256 price,) = quoted(which);
        IRoyaltyRouter.Authorization memory a = unsigned(vm.addr(keys[who % 3]), price, "attack: time");
        if (late) a.validBefore = block.timestamp;
        else a.validAfter = block.timestamp;
        refused(id, builder, Signing.transfer(block.chainid, address(token), keys[who % 3], builder, a));
    }

    function signWithHighS(uint256 who, uint256 which) external {
        (bytes32 id, address builder, uint256 price,) = quoted(which);
        IRoyaltyRouter.Authorization memory a = authorize(keys[who % 3], builder, price, "attack: high s");
        a.signature = Signing.malleate(a.signature);
        refused(id, builder, a);
    }

    /// @dev Signed for one builder, sent for a model of another.
    function redirect(uint256 who, uint256 from, uint256 to) external {
        (, address meant,,) = quoted(from);
        (bytes32 id, address builder, uint256 price,) = quoted(to);
        if (meant == builder) return;
        refused(id, builder, authorize(keys[who % 3], meant, price, "attack: redirect"));
    }

    function cancelForAnother(uint256 who, uint256 key) external {
        address payer = vm.addr(keys[who % 3]);
        bytes32 digest = Signing.digest(block.chainid, address(token), keccak256(abi.encode(Signing.CANCEL, payer, bytes32(key))));
        try token.cancelAuthorization(payer, bytes32(key), Signing.pack(key % 1_000 + 1_000, digest)) {
            revert("a stranger cancelled");
        } catch {}
    }

    function takeOver(uint256 which, uint256 what) external {
        bytes32 id = models[which % 4];
        bytes[6] memory calls = [
            abi.encodeCall(registry.setPrice, (id, 1)),
            abi.encodeCall(registry.proposePayout, (id, address(this))),
            abi.encodeCall(registry.acceptPayout, (id)),
            abi.encodeCall(registry.retire, (id)),
            abi.encodeCall(registry.publishVersion, (id, "p", "r")),
            abi.encodeCall(registry.transferFrom, (registry.ownerOf(uint256(id)), address(this), uint256(id)))
        ];
        (bool done,) = address(registry).call(calls[what % 6]);
        require(!done, "a stranger changed a model");
    }

    function spendAllowance(uint256 who, uint256 amount) external {
        address payer = vm.addr(keys[who % 3]);
        uint256 before = token.balanceOf(payer);
        try token.transferFrom(payer, address(this), amount % 1 ether + 1) {} catch {}
        require(token.balanceOf(payer) == before, "a stranger spent");
    }

    /// @dev A builder signs to pay themself for their own model, which would announce a payment that moves nothing.
    function payOneself(uint256 key) external {
        bytes32 slug = bytes32(++attempts);
        address self = vm.addr(key % 1_000 + 1_000);
        vm.deal(self, 1);
        vm.prank(self);
        token.deposit{value: 1}();
        vm.prank(self);
        bytes32 id = registry.register(slug, self, 1);
        refusedByRouter(id, Signing.transfer(block.chainid, address(token), key % 1_000 + 1_000, self, unsigned(self, 1, slug)));
        vm.prank(self);
        token.withdraw(1);
        vm.deal(self, 0);
    }

    /// @dev Nobody puts themself among those who share, and nobody makes the shared contract the payout of a model unasked.
    function takeShares(uint256 which) external {
        bytes32 id = models[which % 4];
        if (registry.modelOf(id).pendingPayout == address(shares)) return;
        try shares.acceptPayout(registry, id) {
            revert("the shared contract accepted what nobody proposed");
        } catch {}
    }

    function unwrapNothing(uint256 amount) external {
        try token.withdraw(amount % 1 ether + 1) {
            revert("withdrew without tokens");
        } catch {}
    }

    receive() external payable {}
}
