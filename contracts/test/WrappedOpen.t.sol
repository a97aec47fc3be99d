// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {WrappedOpen} from "../src/WrappedOpen.sol";
import {IRoyaltyRouter} from "../src/interfaces/IRoyaltyRouter.sol";
import {IWrappedOpen} from "../src/interfaces/IWrappedOpen.sol";
import {Fixture, Signing} from "./Fixture.sol";
import {vm} from "./Vm.sol";

/// @dev A wallet that is a contract: accepts exactly one hash, whatever the signature.
contract Wallet {
    bytes32 public accepted;

    function accept(bytes32 hash) external {
        accepted = hash;
    }

    function isValidSignature(bytes32 hash, bytes calldata) external view returns (bytes4) {
        return hash == accepted ? bytes4(0x1626ba7e) : bytes4(0);
    }
}

/// @dev Refuses native coin.
contract Refuser {
    function withdraw(WrappedOpen token, uint256 amount) external {
        token.withdraw(amount);
    }
}

contract WrappedOpenTest is Fixture {
    address internal constant TO = address(0x70);

    function structHash(bytes32 typehash, address from, address to, uint256 value, bytes32 nonce) internal view returns (bytes32) {
        return keccak256(abi.encode(typehash, from, to, value, block.timestamp - 1, block.timestamp + 1 hours, nonce));
    }

    function signed(uint256 key, bytes32 typehash, address to, uint256 value, bytes32 nonce) internal view returns (bytes memory) {
        return Signing.pack(key, Signing.digest(block.chainid, address(token), structHash(typehash, vm.addr(key), to, value, nonce)));
    }

    function send(IRoyaltyRouter.Authorization memory a, address to) internal {
        token.transferWithAuthorization(a.from, to, a.value, a.validAfter, a.validBefore, a.nonce, a.signature);
    }

    function announced() internal {
        vm.expectEmit(true, true, true, true, address(token));
    }

    function test_everythingIsSaid() public {
        vm.deal(payer, 3);
        announced();
        emit IWrappedOpen.Deposit(payer, 3);
        vm.prank(payer);
        token.deposit{value: 3}();
        announced();
        emit IWrappedOpen.Withdrawal(payer, 2);
        vm.prank(payer);
        token.withdraw(2);
        announced();
        emit IWrappedOpen.AuthorizationUsed(payer, "n");
        send(authorize(PAYER_KEY, TO, 1, "n"), TO);
        bytes32 digest = Signing.digest(block.chainid, address(token), keccak256(abi.encode(Signing.CANCEL, payer, bytes32("c"))));
        announced();
        emit IWrappedOpen.AuthorizationCanceled(payer, "c");
        token.cancelAuthorization(payer, "c", Signing.pack(PAYER_KEY, digest));
        (uint8 v, bytes32 r, bytes32 s) =
            Signing.split(Signing.pack(PAYER_KEY, Signing.digest(block.chainid, address(token), keccak256(abi.encode(Signing.CANCEL, payer, bytes32("d"))))));
        announced();
        emit IWrappedOpen.AuthorizationCanceled(payer, "d");
        token.cancelAuthorization(payer, "d", v, r, s);
    }

    function test_names() public view {
        require(keccak256(bytes(token.name())) == keccak256("Wrapped OPEN") && keccak256(bytes(token.symbol())) == keccak256("OPEN"), "name");
        (, string memory name, string memory version, uint256 chain, address location,,) = token.eip712Domain();
        bytes32 domain = keccak256(abi.encode(Signing.DOMAIN, keccak256(bytes(name)), keccak256(bytes(version)), chain, location));
        require(token.DOMAIN_SEPARATOR() == domain, "EIP-2612 and EIP-3009 share one domain");
        require(keccak256(bytes(token.version())) == keccak256(bytes(version)) && token.decimals() == 18, "version");
    }

    function testFuzz_wrapAndUnwrap(uint96 put, uint96 taken) public {
        taken = uint96(uint256(taken) % (uint256(put) + 1));
        vm.deal(TO, put);
        vm.prank(TO);
        (bool accepted,) = address(token).call{value: put}("");
        require(accepted && token.balanceOf(TO) == put && TO.balance == 0, "plain sending wraps");
        vm.prank(TO);
        token.withdraw(taken);
        require(token.balanceOf(TO) == put - taken && TO.balance == taken, "withdraw");
        equal(token.totalSupply(), address(token).balance, "supply");
    }

    function test_withdrawRefusesMoreThanHeld() public {
        vm.expectRevert(selector(bytes4(keccak256("InsufficientBalance()"))));
        vm.prank(stranger);
        token.withdraw(1);
    }

    function test_withdrawToRefuserChangesNothing() public {
        Refuser refuser = new Refuser();
        vm.prank(payer);
        token.transfer(address(refuser), 1 ether);
        vm.expectRevert(selector(IWrappedOpen.ETHTransferFailed.selector));
        refuser.withdraw(token, 1 ether);
        equal(token.balanceOf(address(refuser)), 1 ether, "kept");
    }

    function testFuzz_transferMovesExactlyOnce(uint96 value, bytes32 nonce) public {
        value = uint96(uint256(value) % 100 ether);
        IRoyaltyRouter.Authorization memory a = authorize(PAYER_KEY, TO, value, nonce);
        require(!token.authorizationState(payer, nonce), "fresh");
        send(a, TO);
        require(token.balanceOf(TO) == value && token.balanceOf(payer) == 100 ether - value, "moved");
        require(token.authorizationState(payer, nonce), "used");
        vm.expectRevert(abi.encodeWithSelector(IWrappedOpen.AuthorizationAlreadyUsed.selector, payer, nonce));
        send(a, TO);
    }

    /// @dev The bitmap keeps neighbours apart: using one nonce marks no other.
    function testFuzz_noncesAreApart(bytes32 used, bytes32 other) public {
        vm.assume(used != other);
        send(authorize(PAYER_KEY, TO, 1, used), TO);
        require(!token.authorizationState(payer, other), "other");
        bytes32 neighbour = bytes32(uint256(used) ^ 1);
        require(!token.authorizationState(payer, neighbour), "neighbour");
        require(!token.authorizationState(payer, bytes32(uint256(used) ^ 256)), "word");
        send(authorize(PAYER_KEY, TO, 1, neighbour), TO);
        equal(token.balanceOf(TO), 2, "both");
    }

    function test_splitSignatureForms() public {
        (uint8 v, bytes32 r, bytes32 s) = Signing.split(signed(PAYER_KEY, Signing.TRANSFER, TO, 5, "a"));
        token.transferWithAuthorization(payer, TO, 5, block.timestamp - 1, block.timestamp + 1 hours, "a", v, r, s);
        equal(token.balanceOf(TO), 5, "transfer");
        (v, r, s) = Signing.split(signed(PAYER_KEY, Signing.RECEIVE, TO, 6, "b"));
        vm.prank(TO);
        token.receiveWithAuthorization(payer, TO, 6, block.timestamp - 1, block.timestamp + 1 hours, "b", v, r, s);
        equal(token.balanceOf(TO), 11, "receive");
        (v, r, s) =
            Signing.split(Signing.pack(PAYER_KEY, Signing.digest(block.chainid, address(token), keccak256(abi.encode(Signing.CANCEL, payer, bytes32("c"))))));
        token.cancelAuthorization(payer, "c", v, r, s);
        require(token.authorizationState(payer, "c"), "cancelled");
        (v, r, s) = Signing.split(signed(STRANGER_KEY, Signing.TRANSFER, TO, 5, "d"));
        vm.expectRevert(abi.encodeWithSelector(IWrappedOpen.InvalidSignature.selector, payer));
        token.transferWithAuthorization(payer, TO, 5, block.timestamp - 1, block.timestamp + 1 hours, "d", v, r, s);
    }

    function test_receiveOnlyByPayee() public {
        bytes memory signature = signed(PAYER_KEY, Signing.RECEIVE, TO, 6, "b");
        vm.expectRevert(abi.encodeWithSelector(IWrappedOpen.CallerIsNotPayee.selector, address(this), TO));
        token.receiveWithAuthorization(payer, TO, 6, block.timestamp - 1, block.timestamp + 1 hours, "b", signature);
        (uint8 v, bytes32 r, bytes32 s) = Signing.split(signature);
        vm.expectRevert(abi.encodeWithSelector(IWrappedOpen.CallerIsNotPayee.selector, address(this), TO));
        token.receiveWithAuthorization(payer, TO, 6, block.timestamp - 1, block.timestamp + 1 hours, "b", v, r, s);
        vm.prank(TO);
        token.receiveWithAuthorization(payer, TO, 6, block.timestamp - 1, block.timestamp + 1 hours, "b", signature);
        equal(token.balanceOf(TO), 6, "received");
    }

    /// @dev A receive signature is no transfer signature.
    function test_typesAreApart() public {
        bytes memory signature = signed(PAYER_KEY, Signing.RECEIVE, TO, 6, "b");
        vm.expectRevert(abi.encodeWithSelector(IWrappedOpen.InvalidSignature.selector, payer));
        token.transferWithAuthorization(payer, TO, 6, block.timestamp - 1, block.timestamp + 1 hours, "b", signature);
    }

    function test_cancelledCannotBeUsed() public {
        bytes32 digest = Signing.digest(block.chainid, address(token), keccak256(abi.encode(Signing.CANCEL, payer, bytes32("c"))));
        vm.expectRevert(abi.encodeWithSelector(IWrappedOpen.InvalidSignature.selector, payer));
        token.cancelAuthorization(payer, "c", Signing.pack(STRANGER_KEY, digest));
        token.cancelAuthorization(payer, "c", Signing.pack(PAYER_KEY, digest));
        IRoyaltyRouter.Authorization memory a = authorize(PAYER_KEY, TO, 1, "c");
        vm.expectRevert(abi.encodeWithSelector(IWrappedOpen.AuthorizationAlreadyUsed.selector, payer, bytes32("c")));
        send(a, TO);
        vm.expectRevert(abi.encodeWithSelector(IWrappedOpen.AuthorizationAlreadyUsed.selector, payer, bytes32("c")));
        token.cancelAuthorization(payer, "c", Signing.pack(PAYER_KEY, digest));
    }

    function test_timesAreStrict() public {
        IRoyaltyRouter.Authorization memory a = authorize(PAYER_KEY, TO, 1, "t");
        vm.warp(a.validAfter);
        vm.expectRevert(abi.encodeWithSelector(IWrappedOpen.AuthorizationNotYetValid.selector, a.validAfter));
        send(a, TO);
        vm.warp(a.validBefore);
        vm.expectRevert(abi.encodeWithSelector(IWrappedOpen.AuthorizationExpired.selector, a.validBefore));
        send(a, TO);
        vm.warp(a.validBefore - 1);
        send(a, TO);
    }

    function testFuzz_forgedSignatures(uint256 key, bytes memory junk) public {
        key = key % (Signing.ORDER - 1) + 1;
        vm.assume(key != PAYER_KEY);
        IRoyaltyRouter.Authorization memory a = Signing.transfer(block.chainid, address(token), key, TO, unsigned(payer, 1, "f"));
        vm.expectRevert(abi.encodeWithSelector(IWrappedOpen.InvalidSignature.selector, payer));
        send(a, TO);
        a.signature = junk;
        vm.expectRevert(abi.encodeWithSelector(IWrappedOpen.InvalidSignature.selector, payer));
        send(a, TO);
    }

    /// @dev A failed recovery gives the zero address, which must not be able to pay.
    function test_zeroAddressCannotPay() public {
        vm.deal(address(this), 1 ether);
        token.deposit{value: 1 ether}();
        token.transfer(address(0), 1 ether);
        IRoyaltyRouter.Authorization memory a = unsigned(address(0), 1 ether, "z");
        a.signature = abi.encodePacked(bytes32(uint256(1)), bytes32(uint256(1)), uint8(99));
        vm.expectRevert(abi.encodeWithSelector(IWrappedOpen.InvalidSignature.selector, address(0)));
        send(a, TO);
    }

    /// @dev Each message has one signature: neither its mirror image nor the short form (EIP-2098) is another. Several messages, because
    /// the short form tells the two values of v apart.
    function test_highSAndShortFormsAreRefused() public {
        bytes memory refusal = abi.encodeWithSelector(IWrappedOpen.InvalidSignature.selector, payer);
        for (uint256 i; i < 8; ++i) {
            IRoyaltyRouter.Authorization memory a = authorize(PAYER_KEY, TO, 1, bytes32(i));
            bytes memory good = a.signature;
            a.signature = Signing.malleate(good);
            vm.expectRevert(refusal);
            send(a, TO);
            (uint8 v, bytes32 r, bytes32 s) = Signing.split(a.signature);
            vm.expectRevert(refusal);
            token.transferWithAuthorization(a.from, TO, a.value, a.validAfter, a.validBefore, a.nonce, v, r, s);
            (v, r, s) = Signing.split(good);
            a.signature = abi.encodePacked(r, uint256(s) | (uint256(v - 27) << 255));
            vm.expectRevert(refusal);
            send(a, TO);
            a.signature = good;
            send(a, TO);
        }
    }

    function testFuzz_otherChainOrDeployment(uint64 chain) public {
        vm.assume(chain != block.chainid && chain != 0);
        IRoyaltyRouter.Authorization memory a = Signing.transfer(chain, address(token), PAYER_KEY, TO, unsigned(payer, 1, "x"));
        vm.expectRevert(abi.encodeWithSelector(IWrappedOpen.InvalidSignature.selector, payer));
        send(a, TO);
        a = Signing.transfer(block.chainid, address(new WrappedOpen()), PAYER_KEY, TO, unsigned(payer, 1, "x"));
        vm.expectRevert(abi.encodeWithSelector(IWrappedOpen.InvalidSignature.selector, payer));
        send(a, TO);
        a = authorize(PAYER_KEY, TO, 1, "x");
        vm.chainId(chain);
        vm.expectRevert(abi.encodeWithSelector(IWrappedOpen.InvalidSignature.selector, payer));
        send(a, TO);
    }

    /// @dev Every signed field is covered by the signature.
    function testFuzz_fieldsAreBound(uint8 field, uint64 delta) public {
        vm.assume(delta != 0);
        IRoyaltyRouter.Authorization memory a = authorize(PAYER_KEY, TO, 1 ether, "b");
        address to = TO;
        if (field % 5 == 0) a.value += delta;
        if (field % 5 == 1) a.validAfter -= delta % 1_000_000 + 1;
        if (field % 5 == 2) a.validBefore += delta;
        if (field % 5 == 3) a.nonce = bytes32(uint256(a.nonce) + delta);
        if (field % 5 == 4) to = address(uint160(TO) + delta);
        vm.expectRevert(abi.encodeWithSelector(IWrappedOpen.InvalidSignature.selector, payer));
        send(a, to);
    }

    function test_contractWalletsPay() public {
        Wallet wallet = new Wallet();
        vm.prank(payer);
        token.transfer(address(wallet), 10);
        IRoyaltyRouter.Authorization memory a = unsigned(address(wallet), 4, "w");
        a.signature = hex"1234";
        vm.expectRevert(abi.encodeWithSelector(IWrappedOpen.InvalidSignature.selector, address(wallet)));
        send(a, TO);
        wallet.accept(Signing.digest(block.chainid, address(token), structHash(Signing.TRANSFER, address(wallet), TO, 4, "w")));
        send(a, TO);
        wallet.accept(Signing.digest(block.chainid, address(token), structHash(Signing.TRANSFER, address(wallet), TO, 4, "v")));
        token.transferWithAuthorization(address(wallet), TO, 4, block.timestamp - 1, block.timestamp + 1 hours, "v", 27, "r", "s");
        equal(token.balanceOf(TO), 8, "paid twice with two nonces");
    }

    /// @dev EIP-7702: an account with code can still pay with its own key.
    function test_delegatedAccountsPay() public {
        vm.etch(payer, hex"ef0100000000000000000000000000000000000000beef");
        send(authorize(PAYER_KEY, TO, 1, "7"), TO);
        equal(token.balanceOf(TO), 1, "paid");
    }

    function test_permit() public {
        bytes32 hash = keccak256(abi.encode(Signing.PERMIT, payer, TO, 5, 0, block.timestamp));
        bytes memory good = Signing.pack(PAYER_KEY, Signing.digest(block.chainid, address(token), hash));
        (uint8 v, bytes32 r, bytes32 s) = Signing.split(Signing.pack(STRANGER_KEY, Signing.digest(block.chainid, address(token), hash)));
        vm.expectRevert(selector(bytes4(keccak256("InvalidPermit()"))));
        token.permit(payer, TO, 5, block.timestamp, v, r, s);
        (v, r, s) = Signing.split(good);
        token.permit(payer, TO, 5, block.timestamp, v, r, s);
        vm.prank(TO);
        token.transferFrom(payer, TO, 5);
        equal(token.balanceOf(TO), 5, "moved");
        vm.expectRevert(selector(bytes4(keccak256("InvalidPermit()"))));
        token.permit(payer, TO, 5, block.timestamp, v, r, s);
    }

    function test_nobodyHasAnAllowanceUnasked() public {
        address permit2 = 0x000000000022D473030F116dDEE9F6B43aC78BA3;
        equal(token.allowance(payer, permit2), 0, "Permit2");
        vm.expectRevert(selector(bytes4(keccak256("InsufficientAllowance()"))));
        vm.prank(permit2);
        token.transferFrom(payer, permit2, 1);
    }
}
