// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Base64} from "solady/utils/Base64.sol";
import {LibString} from "solady/utils/LibString.sol";
import {IModelRegistry} from "./interfaces/IModelRegistry.sol";

/// @title Model card
/// @notice A model as the JSON that token explorers read, as a data URI, so that it needs no server. Knows nothing of storage.
library ModelCard {
    using LibString for uint256;
    using LibString for address;

    /// @notice `data:application/json;base64,...` with a name, a description and one attribute per fact. Nothing in it comes from free text.
    function dataURI(bytes32 modelId, IModelRegistry.Model memory model) internal pure returns (string memory) {
        string memory id = uint256(modelId).toHexString(32);
        bytes memory json = abi.encodePacked(
            '{"name":"ModelFactory model ',
            LibString.slice(id, 0, 10),
            '","description":"A specialized language model. Every query pays its payout address directly and whole.","attributes":[',
            _attribute("Model id", id),
            ",",
            _attribute("Payout", model.payout.toHexStringChecksummed()),
            ",",
            _attribute("Price per query in atomic units of OPEN", uint256(model.price).toString())
        );
        json = abi.encodePacked(
            json,
            ",",
            _attribute("Version", uint256(model.version).toString()),
            ",",
            _attribute("Package", uint256(model.packageHash).toHexString(32)),
            ",",
            _attribute("Exam report", uint256(model.reportHash).toHexString(32)),
            ",",
            _attribute("Retired", model.retired ? "yes" : "no"),
            "]}"
        );
        return string.concat("data:application/json;base64,", Base64.encode(json));
    }

    function _attribute(string memory trait, string memory value) private pure returns (bytes memory) {
        return abi.encodePacked('{"trait_type":"', trait, '","value":"', value, '"}');
    }
}
