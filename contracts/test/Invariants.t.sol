// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ModelRegistry} from "../src/ModelRegistry.sol";
import {RoyaltyRouter} from "../src/RoyaltyRouter.sol";
import {WrappedOpen} from "../src/WrappedOpen.sol";
import {Attacker} from "./Attacker.sol";
import {vm} from "./Vm.sol";

/// @title What holds after any sequence of what anybody may do or try
/// @dev The numbers are those of contracts/README.md.
contract InvariantsTest {
    WrappedOpen internal token;
    RoyaltyRouter internal router;
    Attacker internal world;

    function setUp() public {
        vm.warp(1_800_000_000);
        token = new WrappedOpen();
        router = new RoyaltyRouter(address(token));
        world = new Attacker(token, router);
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
        check7_sharesAddUp();
        check8_termsFollowTheRules();
    }

    function check1_routerIsEmpty() internal view {
        require(held(address(router)) == 0, "the router holds something");
    }

    function check2_announcedIsReceived() internal view {
        uint256 received;
        for (uint256 i; i < 5; ++i) {
            received += held(world.builders(i));
        }
        received += world.distributed();
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

    function check7_sharesAddUp() internal view {
        uint256[3] memory parts = [uint256(5), 3, 2];
        uint256 sum;
        for (uint256 i; i < 3; ++i) {
            uint256 got = held(world.people(i));
            uint256 exact = world.distributed() * parts[i] / 10;
            require(got + world.distributions() + 1 >= exact && got <= exact + world.distributions() + 1, "a part is more than a unit a time away");
            sum += got;
        }
        require(sum == world.distributed(), "shares do not add up");
    }

    function check8_termsFollowTheRules() internal view {
        for (uint256 i; i < 4; ++i) {
            bytes32 id = world.models(i);
            ModelRegistry.Model memory model = router.modelOf(id);
            require(model.payout == world.payoutOf(id) && model.price == world.priceOf(id) && model.retired == world.retired(id), "other terms");
            (bool open, bytes memory quote) = address(router).staticcall(abi.encodeCall(router.quote, (id)));
            require(open == !model.retired, "retired models sell, or live ones do not");
            if (open) require(keccak256(quote) == keccak256(abi.encode(model.payout, uint256(model.price))), "two prices");
        }
    }
}
