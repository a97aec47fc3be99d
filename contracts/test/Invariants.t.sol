// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RoyaltyRouter} from "../src/RoyaltyRouter.sol";
import {WrappedOpen} from "../src/WrappedOpen.sol";
import {Attacker} from "./Attacker.sol";
import {vm} from "./Vm.sol";

/// @title What holds after any sequence of what anybody may do or try
/// @dev 1 the router is empty; 2 what QueryPaid announced is what builders got through the router; 3 each builder has exactly what they are
/// owed; 4 a payer's nonce pays once; 5 every token is backed by native coin; 6 payers lost exactly what they spent.
contract InvariantsTest {
    WrappedOpen internal token;
    RoyaltyRouter internal router;
    Attacker internal world;

    function setUp() public {
        vm.warp(1_800_000_000);
        token = new WrappedOpen();
        router = new RoyaltyRouter(address(token));
        world = new Attacker(token, router, router);
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(world);
    }

    function held(address account) internal view returns (uint256) {
        return token.balanceOf(account) + account.balance;
    }

    /// @dev One campaign for all, because forge runs a campaign of its own for each function named so.
    function invariant_moneyIsWhole() public view {
        check1_routerIsEmpty();
        check2_announcedIsReceived();
        check3_buildersAreWhole();
        check4_noncesPayOnce();
        check5_tokensAreBacked();
        check6_payersLoseWhatTheySpend();
    }

    function check1_routerIsEmpty() internal view {
        require(held(address(router)) == 0, "the router holds something");
    }

    function check2_announcedIsReceived() internal view {
        uint256 received;
        for (uint256 i; i < 5; ++i) {
            received += held(world.builders(i));
        }
        require(world.announced() == received - world.direct(), "QueryPaid and balances differ");
    }

    function check3_buildersAreWhole() internal view {
        for (uint256 i; i < 5; ++i) {
            require(held(world.builders(i)) == world.owed(world.builders(i)), "a builder has another sum");
        }
    }

    function check4_noncesPayOnce() internal view {
        require(!world.paidTwice(), "a nonce paid twice");
    }

    function check5_tokensAreBacked() internal view {
        require(token.totalSupply() == address(token).balance, "supply and native coin differ");
    }

    function check6_payersLoseWhatTheySpend() internal view {
        address[3] memory payers = world.payers();
        for (uint256 i; i < 3; ++i) {
            require(held(payers[i]) == world.funded(payers[i]) - world.spent(payers[i]), "a payer has another sum");
        }
    }
}
