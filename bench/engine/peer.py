"""Peer: the same measurement in PyTorch, transformers and PEFT, 32-bit, eager or compiled. Prints what ours.ts prints."""
import json
import resource
import sys
import time

import torch
from transformers import AutoConfig, AutoModelForCausalLM

work, model, form = json.loads(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3]
torch.set_num_threads(work["threads"])
if form == "sgemm":
    best = 0.0
    for size in (512, 1024, 2048):
        a, b, c = torch.randn(size, size), torch.randn(size, size), torch.empty(size, size)
        for _ in range(8):
            started = time.perf_counter()
            torch.mm(a, b, out=c)
            best = max(best, 2 * size**3 / (time.perf_counter() - started))
    print(json.dumps({"operationsPerSecond": best, "versions": {"torch": torch.__version__}}))
    sys.exit()

torch.manual_seed(1)
config = AutoConfig.for_model(
    model["architecture"],
    hidden_size=model["width"],
    num_hidden_layers=model["layers"],
    num_attention_heads=model["heads"],
    num_key_value_heads=model["groups"],
    intermediate_size=model["feedForward"],
    vocab_size=model["vocabulary"],
    tie_word_embeddings=model["tied"],
    max_position_embeddings=8192,
    use_cache=False,
)
net = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
if work["method"] == "lora":
    from peft import LoraConfig, get_peft_model

    targets = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    net = get_peft_model(net, LoraConfig(r=model["rank"], lora_alpha=2 * model["rank"], target_modules=targets))
net.train()
trained = [parameter for parameter in net.parameters() if parameter.requires_grad]
optimiser = torch.optim.AdamW(trained, lr=1e-4, weight_decay=0.01, fused=True)
run = torch.compile(net) if form == "compiled" else net
shape = (work["rows"], work["length"])
tokens = torch.randint(0, model["vocabulary"], shape)
labels = torch.randint(0, model["vocabulary"], shape)
labels[torch.rand(shape) >= work["share"]] = -100
seconds, losses = [], []
for step in range(work["steps"] + (2 if form == "compiled" else 1)):
    started = time.perf_counter()
    loss = run(input_ids=tokens, labels=labels).loss
    loss.backward()
    torch.nn.utils.clip_grad_norm_(trained, 1.0)
    optimiser.step()
    optimiser.zero_grad(set_to_none=True)
    losses.append(loss.item())
    seconds.append(time.perf_counter() - started)
seconds = seconds[-work["steps"] :]
print(json.dumps({"seconds": seconds, "losses": losses, "peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))
