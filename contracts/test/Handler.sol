// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ModelRegistry} from "../src/ModelRegistry.sol";
import {RoyaltyRouter} from "../src/RoyaltyRouter.sol";
import {RoyaltyShares} from "../src/RoyaltyShares.sol";
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
    /// @dev One of the builders is a contract that three people share, 5 to 3 to 2.
    RoyaltyShares public immutable shares;

    uint256[3] internal keys = [uint256(0xA1), 0xA2, 0xA3];
    address[5] public builders = [address(0xB1), address(0xB2), address(0xB3), address(0xB4), address(0)];
    address[3] public people = [address(0xC1), address(0xC2), address(0xC3)];
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
    /// @dev Whom each model pays, what it costs, and whether it is retired, by the rules and not by the registry.
    mapping(bytes32 id => address) public payoutOf;
    mapping(bytes32 id => bool) public retired;
    mapping(bytes32 id => uint256) internal priceNow;
    mapping(bytes32 id => uint256) internal priceLater;
    mapping(bytes32 id => uint256) internal laterAt;
    /// @dev What went out of the shared contract, and how often.
    uint256 public distributed;
    uint256 public distributions;
    IRoyaltyRouter.Authorization internal last;
    bytes32 internal lastModel;

    constructor(WrappedOpen token_, RoyaltyRouter router_) {
        (token, registry, router) = (token_, router_, router_);
        address[] memory recipients = new address[](3);
        uint96[] memory parts = new uint96[](3);
        (recipients[0], recipients[1], recipients[2]) = (people[0], people[1], people[2]);
        (parts[0], parts[1], parts[2]) = (5, 3, 2);
        shares = new RoyaltyShares(address(token_), recipients, parts);
        builders[4] = address(shares);
        for (uint256 i; i < 4; ++i) {
            address to = i == 3 ? address(shares) : builders[i];
            vm.prank(builders[i % 3]);
            bytes32 id = router_.register(bytes32(i), to, uint96(0.001 ether * (i + 1)));
            (models[i], payoutOf[id], priceNow[id]) = (id, to, 0.001 ether * (i + 1));
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
        if (retired[id]) return;
        price = price % 0.01 ether + 1;
        vm.prank(registry.ownerOf(uint256(id)));
        registry.setPrice(id, price);
        priceNow[id] = priceOf(id);
        if (price <= priceNow[id]) (priceNow[id], laterAt[id]) = (price, 0);
        else (priceLater[id], laterAt[id]) = (price, block.timestamp + 1 days);
    }

    function movePayout(uint256 which, uint256 to) external {
        bytes32 id = models[which % 4];
        vm.prank(registry.ownerOf(uint256(id)));
        registry.proposePayout(id, builders[to % 5]);
        if (to % 5 == 4) {
            shares.acceptPayout(registry, id);
        } else {
            vm.prank(builders[to % 5]);
            registry.acceptPayout(id);
        }
        payoutOf[id] = builders[to % 5];
    }

    function sell(uint256 which, uint256 to) external {
        uint256 id = uint256(models[which % 4]);
        address owner = registry.ownerOf(id);
        vm.prank(owner);
        registry.transferFrom(owner, builders[to % 5], id);
        payoutOf[bytes32(id)] = builders[to % 5];
    }

    function retire(uint256 which, uint8 chance) external {
        bytes32 id = models[which % 4];
        if (chance > 8 || retired[id]) return;
        vm.prank(registry.ownerOf(uint256(id)));
        registry.retire(id);
        (priceNow[id], laterAt[id], retired[id]) = (priceOf(id), 0, true);
    }

    /// @dev Anyone sends on what the shared contract has gathered.
    function distribute() external {
        uint256 amount = token.balanceOf(address(shares)) + address(shares).balance;
        if (amount == 0) return;
        require(shares.distribute() == amount, "distributed another amount");
        distributed += amount;
        owed[address(shares)] -= amount;
        ++distributions;
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

    function priceOf(bytes32 id) public view returns (uint256) {
        return laterAt[id] != 0 && block.timestamp >= laterAt[id] ? priceLater[id] : priceNow[id];
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

    /// @dev Any success here breaks the run. A batch takes another way through the router than a single payment, so both are tried.
    function refusedByRouter(bytes32 id, IRoyaltyRouter.Authorization memory a) internal {
        try router.payWithAuthorization(id, "attack", a) {
            revert("the router took what it must refuse");
        } catch {}
        bytes32[] memory ids = new bytes32[](1);
        IRoyaltyRouter.Authorization[] memory list = new IRoyaltyRouter.Authorization[](1);
        (ids[0], list[0]) = (id, a);
        require(router.payMany(ids, new bytes32[](1), list) == 0, "the batch took what it must refuse");
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
