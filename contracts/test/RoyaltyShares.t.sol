// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RoyaltyShares} from "../src/RoyaltyShares.sol";
import {IModelRegistry} from "../src/interfaces/IModelRegistry.sol";
import {IRoyaltyShares} from "../src/interfaces/IRoyaltyShares.sol";
import {Fixture} from "./Fixture.sol";
import {vm} from "./Vm.sol";

contract RoyaltySharesTest is Fixture {
    function split(uint96[] memory weights) internal returns (RoyaltyShares shares, address[] memory people) {
        people = new address[](weights.length);
        for (uint256 i; i < weights.length; ++i) {
            people[i] = address(uint160(0xFEED0000 + i));
        }
        shares = new RoyaltyShares(address(token), people, weights);
    }

    function three(uint96 a, uint96 b, uint96 c) internal pure returns (uint96[] memory weights) {
        weights = new uint96[](3);
        (weights[0], weights[1], weights[2]) = (a, b, c);
    }

    function test_whatItSaysOfItself() public {
        (RoyaltyShares shares, address[] memory people) = split(three(50, 30, 20));
        (address[] memory recipients, uint96[] memory weights) = shares.holders();
        require(shares.token() == address(token) && shares.totalShares() == 100, "token and total");
        require(recipients.length == 3 && recipients[2] == people[2] && weights[0] == 50 && weights[1] == 30 && weights[2] == 20, "holders");
    }

    /// @dev Sum in is sum out for any shares and any amount, and nobody is more than a unit away from their exact part.
    function testFuzz_sumInIsSumOut(uint96[] memory weights, uint96 tokens, uint96 coins) public {
        if (weights.length > 12) assembly { mstore(weights, 12) }
        uint256 total;
        for (uint256 i; i < weights.length; ++i) {
            if (weights[i] == 0) weights[i] = 1;
            total += weights[i];
        }
        vm.assume(weights.length > 0);
        (RoyaltyShares shares, address[] memory people) = split(weights);
        fund(payer, tokens);
        vm.prank(payer);
        token.transfer(address(shares), tokens);
        vm.deal(address(shares), coins);
        uint256 amount = uint256(tokens) + coins;
        if (amount == 0) vm.expectRevert(selector(IRoyaltyShares.NothingToDistribute.selector));
        uint256 said = shares.distribute();
        if (amount == 0) return;
        equal(said, amount, "what it says went out");
        uint256 got;
        for (uint256 i; i < people.length; ++i) {
            uint256 part = token.balanceOf(people[i]);
            uint256 exact = amount * weights[i] / total;
            require(part + 1 >= exact && part <= exact + 1, "more than a unit away");
            got += part;
        }
        equal(got, amount, "to the last unit");
        require(token.balanceOf(address(shares)) == 0 && address(shares).balance == 0, "nothing stays");
    }

    function test_distributesOnceAndAgain() public {
        (RoyaltyShares shares, address[] memory people) = split(three(1, 1, 1));
        vm.prank(payer);
        token.transfer(address(shares), 10);
        vm.expectEmit(true, true, true, true, address(shares));
        emit IRoyaltyShares.Distributed(10);
        vm.prank(stranger);
        shares.distribute();
        require(token.balanceOf(people[0]) == 3 && token.balanceOf(people[1]) == 3 && token.balanceOf(people[2]) == 4, "thirds");
        vm.expectRevert(selector(IRoyaltyShares.NothingToDistribute.selector));
        shares.distribute();
        vm.prank(payer);
        token.transfer(address(shares), 3);
        shares.distribute();
        require(token.balanceOf(people[0]) == 4 && token.balanceOf(people[1]) == 4 && token.balanceOf(people[2]) == 5, "thirds again");
    }

    /// @dev A part of less than a unit sends nothing, not an empty transfer.
    function test_aSingleUnit() public {
        (RoyaltyShares shares, address[] memory people) = split(three(1, 1, 1));
        vm.prank(payer);
        token.transfer(address(shares), 1);
        vm.recordLogs();
        shares.distribute();
        equal(vm.getRecordedLogs().length, 2, "one transfer and one event");
        equal(token.balanceOf(people[2]), 1, "the unit");
    }

    /// @dev As payout address: by authorization and in the native coin.
    function test_asPayout() public {
        (RoyaltyShares shares, address[] memory people) = split(three(2, 1, 1));
        vm.prank(builder);
        bytes32 id = registry.register("shared", address(shares), PRICE);
        router.payWithAuthorization(id, REQUEST, authorize(PAYER_KEY, address(shares), PRICE, "a"));
        vm.deal(payer, PRICE);
        vm.prank(payer);
        router.payForQueryNative{value: PRICE}(id, REQUEST);
        shares.distribute();
        require(token.balanceOf(people[0]) == PRICE && token.balanceOf(people[1]) == PRICE / 2 && token.balanceOf(people[2]) == PRICE / 2, "split");
    }

    function test_acceptsAPayoutThatIsProposed() public {
        (RoyaltyShares shares,) = split(three(2, 1, 1));
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.NotPendingPayout.selector, modelId, address(shares)));
        shares.acceptPayout(registry, modelId);
        vm.prank(builder);
        registry.proposePayout(modelId, address(shares));
        vm.prank(stranger);
        shares.acceptPayout(registry, modelId);
        (address to,) = registry.quote(modelId);
        require(to == address(shares), "accepted");
    }

    function test_refusals() public {
        address[] memory people = new address[](0);
        uint96[] memory weights = new uint96[](0);
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyShares.WrongRecipientCount.selector, 0, 100));
        new RoyaltyShares(address(token), people, weights);
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyShares.WrongRecipientCount.selector, 101, 100));
        new RoyaltyShares(address(token), new address[](101), new uint96[](101));
        people = new address[](2);
        weights = new uint96[](2);
        (people[0], people[1], weights[0], weights[1]) = (address(5), address(6), 1, 1);
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyShares.SharesMismatch.selector, 2, 3));
        new RoyaltyShares(address(token), people, new uint96[](3));
        people[1] = address(5);
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyShares.RecipientsNotAscending.selector, address(5)));
        new RoyaltyShares(address(token), people, weights);
        people[1] = address(token);
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyShares.InvalidRecipient.selector, address(token)));
        new RoyaltyShares(address(token), people, weights);
        people[1] = vm.computeCreateAddress(address(this), vm.getNonce(address(this)));
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyShares.InvalidRecipient.selector, people[1]));
        new RoyaltyShares(address(token), people, weights);
        people[1] = address(6);
        weights[1] = 0;
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyShares.ZeroShare.selector, address(6)));
        new RoyaltyShares(address(token), people, weights);
        (people[0], weights[1]) = (address(0), 1);
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyShares.InvalidRecipient.selector, address(0)));
        new RoyaltyShares(address(token), people, weights);
    }

    /// @dev The most recipients there can be, all new to the token, fit half a block.
    function test_aHundredHolders() public {
        uint96[] memory weights = new uint96[](100);
        for (uint256 i; i < 100; ++i) {
            weights[i] = uint96(i + 1);
        }
        (RoyaltyShares shares, address[] memory people) = split(weights);
        vm.prank(payer);
        token.transfer(address(shares), 5_050);
        uint256 gas = gasleft();
        shares.distribute();
        require(gas - gasleft() < 8_000_000, "gas");
        require(token.balanceOf(people[0]) == 1 && token.balanceOf(people[99]) == 100, "parts");
    }
}
