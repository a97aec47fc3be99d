// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ModelRegistry} from "../src/ModelRegistry.sol";
import {RoyaltyRouter} from "../src/RoyaltyRouter.sol";
import {WrappedOpen} from "../src/WrappedOpen.sol";
import {IModelRegistry} from "../src/interfaces/IModelRegistry.sol";
import {IRoyaltyRouter} from "../src/interfaces/IRoyaltyRouter.sol";
import {vm} from "./Vm.sol";

/// @dev Signs EIP-3009 messages from their text, independently of the contracts' own hashing.
library Signing {
    bytes32 internal constant DOMAIN = keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 internal constant TRANSFER =
        keccak256("TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)");
    bytes32 internal constant RECEIVE =
        keccak256("ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)");
    bytes32 internal constant CANCEL = keccak256("CancelAuthorization(address authorizer,bytes32 nonce)");
    bytes32 internal constant PERMIT = keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
    uint256 internal constant ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    function digest(uint256 chain, address token, bytes32 structHash) internal pure returns (bytes32) {
        bytes32 domain = keccak256(abi.encode(DOMAIN, keccak256("Wrapped OPEN"), keccak256("1"), chain, token));
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }

    function pack(uint256 key, bytes32 hash) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, hash);
        return abi.encodePacked(r, s, v);
    }

    /// @dev The other signature that recovers to the same address.
    function malleate(bytes memory signature) internal pure returns (bytes memory) {
        (bytes32 r, bytes32 s) = abi.decode(signature, (bytes32, bytes32));
        return abi.encodePacked(r, bytes32(ORDER - uint256(s)), uint8(signature[64]) == 27 ? uint8(28) : uint8(27));
    }

    function split(bytes memory signature) internal pure returns (uint8 v, bytes32 r, bytes32 s) {
        (r, s) = abi.decode(signature, (bytes32, bytes32));
        v = uint8(signature[64]);
    }

    function transfer(uint256 chain, address token, uint256 key, address to, IRoyaltyRouter.Authorization memory a)
        internal
        pure
        returns (IRoyaltyRouter.Authorization memory)
    {
        bytes32 structHash = keccak256(abi.encode(TRANSFER, a.from, to, a.value, a.validAfter, a.validBefore, a.nonce));
        a.signature = pack(key, digest(chain, token, structHash));
        return a;
    }
}

/// @dev The three contracts deployed, one builder with one model, one payer with money.
abstract contract Fixture {
    uint256 internal constant PAYER_KEY = 0xA11CE;
    uint256 internal constant STRANGER_KEY = 0xBAD;
    uint96 internal constant PRICE = 0.01 ether;
    bytes32 internal constant REQUEST = keccak256("request");

    address internal payer = vm.addr(PAYER_KEY);
    address internal stranger = vm.addr(STRANGER_KEY);
    address internal builder = address(0xB01D);
    address internal payout = address(0xCA5);

    WrappedOpen internal token;
    ModelRegistry internal registry;
    RoyaltyRouter internal router;
    bytes32 internal modelId;

    function setUp() public virtual {
        vm.warp(1_800_000_000);
        token = new WrappedOpen();
        router = new RoyaltyRouter(address(token));
        registry = router;
        vm.prank(builder);
        modelId = registry.register(keccak256("heart"), payout, PRICE);
        fund(payer, 100 ether);
    }

    function fund(address account, uint256 amount) internal {
        vm.deal(account, account.balance + amount);
        vm.prank(account);
        token.deposit{value: amount}();
    }

    function unsigned(address from, uint256 value, bytes32 nonce) internal view returns (IRoyaltyRouter.Authorization memory) {
        return IRoyaltyRouter.Authorization(from, value, block.timestamp - 1, block.timestamp + 1 hours, nonce, "");
    }

    function authorize(uint256 key, address to, uint256 value, bytes32 nonce) internal view returns (IRoyaltyRouter.Authorization memory) {
        return Signing.transfer(block.chainid, address(token), key, to, unsigned(vm.addr(key), value, nonce));
    }

    function selector(bytes4 code) internal pure returns (bytes memory) {
        return abi.encodePacked(code);
    }

    function equal(uint256 a, uint256 b, string memory what) internal pure {
        require(a == b, what);
    }
}
