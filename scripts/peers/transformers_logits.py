"""
Logits of a GGUF model by other people's software: read and expanded by the `gguf` package, run by transformers in 32-bit floats,
with a PEFT adapter where one is given. For src/drivers/export/python.test.ts.
Usage: python scripts/peers/transformers_logits.py MODEL.gguf PEFT_FOLDER|- OUT.f32 TOKEN...
Writes the logits of every position, row after row, as little-endian 32-bit floats. Architectures llama, qwen2, qwen3.
"""
import sys

import gguf
import numpy as np
import torch
import transformers

path, folder, out, *tokens = sys.argv[1:]
reader = gguf.GGUFReader(path)
field = lambda key, default=None: reader.fields[key].contents() if key in reader.fields else default
architecture = field("general.architecture")
setting = lambda key, default=None: field(f"{architecture}.{key}", default)
tensors = {tensor.name: gguf.dequantize(tensor.data, tensor.tensor_type).astype(np.float32).reshape([int(n) for n in reversed(tensor.shape)]) for tensor in reader.tensors}
heads = setting("attention.head_count")
groups = setting("attention.head_count_kv", heads)


def half_split(rows, count):
    """Undoes the reordering of q and k that convert_hf_to_gguf.py does for `llama`."""
    if architecture != "llama":
        return rows
    return rows.reshape(count, rows.shape[0] // count // 2, 2, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


names = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
state = {}
for name, values in tensors.items():
    if name.startswith("blk."):
        _, layer, stem, kind = name.split(".")
        if stem in ("attn_q", "attn_k"):
            values = half_split(values, heads if stem == "attn_q" else groups)
        state[f"model.layers.{layer}.{names[stem]}.{kind}"] = values
    else:
        state[{"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight", "output.weight": "lm_head.weight"}[name]] = values

kinds = {
    "llama": (transformers.LlamaConfig, transformers.LlamaForCausalLM),
    "qwen2": (transformers.Qwen2Config, transformers.Qwen2ForCausalLM),
    "qwen3": (transformers.Qwen3Config, transformers.Qwen3ForCausalLM),
}
config_class, model_class = kinds[architecture]
width = setting("embedding_length")
config = config_class(
    vocab_size=tensors["token_embd.weight"].shape[0],
    hidden_size=width,
    intermediate_size=setting("feed_forward_length"),
    num_hidden_layers=setting("block_count"),
    num_attention_heads=heads,
    num_key_value_heads=groups,
    head_dim=setting("attention.key_length", width // heads),
    rms_norm_eps=setting("attention.layer_norm_rms_epsilon"),
    rope_parameters={"rope_type": "default", "rope_theta": setting("rope.freq_base", 10000.0)},
    max_position_embeddings=setting("context_length"),
    tie_word_embeddings="output.weight" not in tensors,
    attn_implementation="eager",
)
torch.set_num_threads(1)
model = model_class(config).eval()
missing, unexpected = model.load_state_dict({name: torch.from_numpy(np.ascontiguousarray(values)) for name, values in state.items()}, strict=False)
assert not unexpected and set(missing) <= {"lm_head.weight"}, (missing, unexpected)
model.tie_weights()
if folder != "-":
    import peft

    model = peft.PeftModel.from_pretrained(model, folder).eval()
    # PEFT leaves lora_B at zero when the names in the file do not match; then nothing would be compared.
    assert all(parameter.abs().max() > 0 for name, parameter in model.named_parameters() if "lora_B" in name), "a lora_B was not loaded"
with torch.no_grad():
    logits = model(torch.tensor([[int(token) for token in tokens]])).logits[0]
logits.float().numpy().astype("<f4").tofile(out)
print(f"transformers {transformers.__version__}, torch {torch.__version__}" + ("" if folder == "-" else f", peft {peft.__version__}"))
