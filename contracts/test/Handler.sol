// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ModelRegistry} from "../src/ModelRegistry.sol";
import {RoyaltyRouter} from "../src/RoyaltyRouter.sol";
import {WrappedOpen} from "../src/WrappedOpen.sol";
import {IRoyaltyRouter} from "../src/interfaces/IRoyaltyRouter.sol";
import {Signing} from "./Fixture.sol";
import {Vm, vm} from "./Vm.sol";

/// @dev Honest payers and builders doing everything they may, in any order, with sums kept on the side; `Attacker` adds the rest.
/// Payers are never builders, and builders keep what they get, so every movement can be told from the balances.
contract Handler {
    bytes32 internal constant QUERY_PAID = keccak256("QueryPaid(bytes32,address,address,uint256,bytes32,bytes32)");

    WrappedOpen public immutable token;
    ModelRegistry public immutable registry;
    RoyaltyRouter public immutable router;

    uint256[3] internal keys = [uint256(0xA1), 0xA2, 0xA3];
    address[5] public builders = [address(0xB1), address(0xB2), address(0xB3), address(0xB4), address(0xB5)];
    bytes32[4] public models;
    mapping(address payer => uint256) internal counter;

    /// @dev Sum of all QueryPaid amounts, and of money that reached builders past the router.
    uint256 public announced;
    uint256 public direct;
    /// @dev What each builder should hold, by what the handler asked for, token and native together.
    mapping(address builder => uint256) public owed;
    mapping(bytes32 payerAndNonce => uint256) internal timesPaid;
    bool public paidTwice;
    mapping(address payer => uint256) public spent;
    mapping(address payer => uint256) public funded;
    IRoyaltyRouter.Authorization internal last;
    bytes32 internal lastModel;

    constructor(WrappedOpen token_, ModelRegistry registry_, RoyaltyRouter router_) {
        (token, registry, router) = (token_, registry_, router_);
        for (uint256 i; i < 4; ++i) {
            vm.prank(builders[i % 3]);
            models[i] = registry_.register(bytes32(i), builders[i % 3], uint96(0.001 ether * (i + 1)));
        }
        for (uint256 i; i < 3; ++i) {
            deposit(i, 10 ether);
        }
    }

    // ---- what payers do

    function deposit(uint256 who, uint256 amount) public {
        address payer = vm.addr(keys[who % 3]);
        amount = amount % 10 ether;
        vm.deal(payer, payer.balance + amount);
        vm.prank(payer);
        token.deposit{value: amount}();
        funded[payer] += amount;
    }

    function withdraw(uint256 who, uint256 amount) external {
        address payer = vm.addr(keys[who % 3]);
        amount = amount % (token.balanceOf(payer) / 4 + 1);
        uint256 before = payer.balance;
        vm.prank(payer);
        token.withdraw(amount);
        require(payer.balance == before + amount, "withdrew another amount");
        vm.deal(payer, 0);
        funded[payer] -= amount + before;
    }

    function pay(uint256 who, uint256 which, bytes32 requestHash, bool sequential) external {
        (bytes32 id, address builder, uint256 price, bool open) = quoted(which);
        IRoyaltyRouter.Authorization memory a = authorize(keys[who % 3], builder, price, nextNonce(who, requestHash, sequential));
        if (!open || token.balanceOf(a.from) < price) {
            refusedByRouter(id, a);
            return;
        }
        vm.recordLogs();
        router.payWithAuthorization(id, requestHash, a);
        paid(a.from, builder, price, 1);
        (last, lastModel) = (a, id);
    }

    function payByAllowance(uint256 who, uint256 which, uint96 slack) external {
        (bytes32 id, address builder, uint256 price, bool open) = quoted(which);
        address payer = vm.addr(keys[who % 3]);
        if (!open || token.balanceOf(payer) < price) return;
        vm.prank(payer);
        token.approve(address(router), price);
        vm.recordLogs();
        vm.prank(payer);
        router.payForQuery(id, "allowance", price + slack);
        paid(payer, builder, price, 1);
    }

    function payNative(uint256 who, uint256 which) external {
        (bytes32 id, address builder, uint256 price, bool open) = quoted(which);
        if (!open) return;
        address payer = vm.addr(keys[who % 3]);
        vm.deal(payer, payer.balance + price);
        funded[payer] += price;
        vm.recordLogs();
        vm.prank(payer);
        router.payForQueryNative{value: price}(id, "native");
        paid(payer, builder, price, 1);
    }

    /// @dev Three rows: a good one, the same again, and one over another price.
    function payMany(uint256 who, uint256 which, bytes32 salt) external {
        (bytes32 id, address builder, uint256 price, bool open) = quoted(which);
        address payer = vm.addr(keys[who % 3]);
        bytes32[] memory ids = new bytes32[](3);
        IRoyaltyRouter.Authorization[] memory list = new IRoyaltyRouter.Authorization[](3);
        (ids[0], ids[1], ids[2]) = (id, id, id);
        list[0] = authorize(keys[who % 3], builder, price, nextNonce(who, salt, true));
        list[1] = list[0];
        list[2] = authorize(keys[who % 3], builder, price + 1, nextNonce(who, salt, true));
        bool payable_ = open && token.balanceOf(payer) >= price;
        vm.recordLogs();
        require(router.payMany(ids, new bytes32[](3), list) == (payable_ ? 1 : 0), "a bad row was paid or a good one skipped");
        if (payable_) paid(payer, builder, price, 1);
    }

    /// @dev Past the router, straight at the token: the builder is paid, and the router must not let it pay again.
    function payAtTheToken(uint256 who, uint256 which, bytes32 salt) external {
        (bytes32 id, address builder, uint256 price,) = quoted(which);
        IRoyaltyRouter.Authorization memory a = authorize(keys[who % 3], builder, price, nextNonce(who, salt, true));
        if (builder == address(0) || token.balanceOf(a.from) < price) return;
        token.transferWithAuthorization(a.from, builder, a.value, a.validAfter, a.validBefore, a.nonce, a.signature);
        direct += price;
        owed[builder] += price;
        spent[a.from] += price;
        refusedByRouter(id, a);
    }

    // ---- what builders do

    function setPrice(uint256 which, uint96 price) external {
        bytes32 id = models[which % 4];
        if (registry.modelOf(id).retired) return;
        vm.prank(registry.ownerOf(uint256(id)));
        registry.setPrice(id, price % 0.01 ether + 1);
    }

    function movePayout(uint256 which, uint256 to) external {
        bytes32 id = models[which % 4];
        vm.prank(registry.ownerOf(uint256(id)));
        registry.proposePayout(id, builders[to % 5]);
        vm.prank(builders[to % 5]);
        registry.acceptPayout(id);
    }

    function sell(uint256 which, uint256 to) external {
        uint256 id = uint256(models[which % 4]);
        address owner = registry.ownerOf(id);
        vm.prank(owner);
        registry.transferFrom(owner, builders[to % 5], id);
        require(registry.modelOf(bytes32(id)).payout == builders[to % 5], "the new holder is not paid");
    }

    function retire(uint256 which, uint8 chance) external {
        bytes32 id = models[which % 4];
        if (chance > 8 || registry.modelOf(id).retired) return;
        vm.prank(registry.ownerOf(uint256(id)));
        registry.retire(id);
    }

    function wait(uint32 time) external {
        vm.warp(block.timestamp + time % 2 days);
    }

    // ---- helpers

    function payers() external view returns (address[3] memory list) {
        for (uint256 i; i < 3; ++i) {
            list[i] = vm.addr(keys[i]);
        }
    }

    function quoted(uint256 which) internal view returns (bytes32 id, address builder, uint256 price, bool open) {
        id = models[which % 4];
        ModelRegistry.Model memory model = registry.modelOf(id);
        return (id, model.payout, model.price, !model.retired);
    }

    function nextNonce(uint256 who, bytes32 salt, bool sequential) internal returns (bytes32) {
        uint256 count = ++counter[vm.addr(keys[who % 3])];
        return sequential ? bytes32(count) : keccak256(abi.encode(salt, count));
    }

    function authorize(uint256 key, address to, uint256 value, bytes32 nonce) internal view returns (IRoyaltyRouter.Authorization memory) {
        return Signing.transfer(block.chainid, address(token), key, to, unsigned(vm.addr(key), value, nonce));
    }

    function unsigned(address from, uint256 value, bytes32 nonce) internal view returns (IRoyaltyRouter.Authorization memory) {
        return IRoyaltyRouter.Authorization(from, value, block.timestamp - 1, block.timestamp + 10 days, nonce, "");
    }

    /// @dev Any success here breaks the run.
    function refusedByRouter(bytes32 id, IRoyaltyRouter.Authorization memory a) internal {
        try router.payWithAuthorization(id, "attack", a) {
            revert("the router took what it must refuse");
        } catch {}
    }

    function paid(address payer, address builder, uint256 price, uint256 events) internal {
        owed[builder] += price;
        spent[payer] += price;
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 seen;
        for (uint256 i; i < logs.length; ++i) {
            if (logs[i].emitter != address(router) || logs[i].topics[0] != QUERY_PAID) continue;
            (uint256 amount,, bytes32 nonce) = abi.decode(logs[i].data, (uint256, bytes32, bytes32));
            require(logs[i].topics[2] == bytes32(uint256(uint160(payer))), "another payer");
            require(logs[i].topics[3] == bytes32(uint256(uint160(builder))), "another builder");
            announced += amount;
            ++seen;
            if (nonce != 0 && ++timesPaid[keccak256(abi.encode(payer, nonce))] > 1) paidTwice = true;
        }
        require(seen == events, "QueryPaid events");
    }
}
