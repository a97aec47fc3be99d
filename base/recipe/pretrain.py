"""
Pre-training and the instruction stage of a modelfactory-base, by PyTorch: matrix products in bfloat16 where the processor has them
(CUDA; AVX-512 BF16 or AMX, about three times as fast), in float32 otherwise; compiled where there is a compiler.

    python base/recipe/pretrain.py --config base/xs.json --work DIR [--threads N] [--precision float32|bfloat16] [--stop-after-minutes M]

Reads a configuration and the token files of its work folder, writes checkpoints, curve.jsonl, result.json and
weights-pretrained.safetensors / weights.safetensors (float32, GGUF tensor names). Started again, it goes on from the last checkpoint.
Knows nothing of text, of tokenizers or of GGUF files. Needs torch and numpy, nothing else.
"""

import argparse
import json
import math
import os
import shutil
import signal
import struct
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

LABELS_AT_THE_END = 256
CHECKPOINT_MINUTES = 2.0
VALIDATION_LENGTH = 256
VALIDATION_EVERY = 0.05
# While training, one validation row in sixteen is measured: the curve costs minutes that training wants. The end measures all of them.
VALIDATION_THINNING = 16


def loss_and_slope(logits, wanted, weight):
    """Summed, weighted cross entropy of logits [rows, choices], and its slope in the logits' own precision. One pass where it is compiled."""
    logits32 = logits.float()
    total = torch.logsumexp(logits32, -1, keepdim=True)
    chances = (logits32 - total).exp()
    hot = torch.arange(logits.shape[1], device=logits.device)[None, :] == wanted
    loss = ((total - logits32.gather(1, wanted)) * weight).sum()
    return loss, (torch.where(hot, chances - 1, chances) * weight).to(logits.dtype)


class ChunkedCrossEntropy(torch.autograd.Function):
    """
    Summed, weighted cross entropy of hidden [tokens, width] against the first `choices` rows of embedding [vocabulary, width].
    Logits exist a chunk at a time and their gradient is taken at once: the [tokens, vocabulary] table is never held.
    """

    @staticmethod
    def forward(ctx, hidden, embedding, targets, weights, choices, chunk, slope_of):
        rows = embedding[:choices].to(hidden.dtype)
        hidden_gradient = torch.empty_like(hidden)
        embedding_gradient = torch.zeros_like(embedding)
        total = torch.zeros((), device=hidden.device, dtype=torch.float32)
        for start in range(0, hidden.shape[0], chunk):
            part = hidden[start : start + chunk]
            loss, slope = slope_of(part @ rows.T, targets[start : start + chunk, None], weights[start : start + chunk, None])
            total += loss
            hidden_gradient[start : start + chunk] = slope @ rows
            if embedding_gradient.dtype == hidden.dtype:
                embedding_gradient[:choices].addmm_(slope.T, part)
            else:
                embedding_gradient[:choices] += slope.T @ part
        ctx.save_for_backward(hidden_gradient, embedding_gradient)
        return total

    @staticmethod
    def backward(ctx, slope):
        hidden_gradient, embedding_gradient = ctx.saved_tensors
        return hidden_gradient * slope, embedding_gradient * slope, None, None, None, None, None


class Block(nn.Module):
    """
    One Llama layer. Queries and keys are held with the two halves of every rotated pair apart (rows 0..h/2 and h/2..h of a head):
    slices instead of strides. `exported` puts them back into the interleaved order GGUF's `llama` stores.
    """

    def __init__(self, shape):
        super().__init__()
        width, self.heads, self.groups = shape["width"], shape["heads"], shape["groups"]
        self.head_width = width // self.heads
        self.feed_forward, self.epsilon = shape["feedForward"], shape["epsilon"]
        self.attention_norm = nn.Parameter(torch.ones(width))
        self.feed_forward_norm = nn.Parameter(torch.ones(width))
        self.query_key_value = nn.Linear(width, (self.heads + 2 * self.groups) * self.head_width, bias=False)
        self.attention_output = nn.Linear(width, width, bias=False)
        self.gate_up = nn.Linear(width, 2 * self.feed_forward, bias=False)
        self.down = nn.Linear(self.feed_forward, width, bias=False)

    def forward(self, x, cosine, sine):
        rows, length, width = x.shape
        normal = F.rms_norm(x, (width,), self.attention_norm, self.epsilon)
        mixed = self.query_key_value(normal).view(rows, length, self.heads + 2 * self.groups, self.head_width).transpose(1, 2)
        turning, value = mixed[:, : self.heads + self.groups], mixed[:, self.heads + self.groups :]
        first, second = turning.chunk(2, -1)
        turned = torch.cat((first * cosine - second * sine, second * cosine + first * sine), -1)
        query, key = turned[:, : self.heads], turned[:, self.heads :]
        repeats = self.heads // self.groups
        if repeats > 1:
            key, value = key.repeat_interleave(repeats, 1), value.repeat_interleave(repeats, 1)
        seen = F.scaled_dot_product_attention(query.to(value.dtype), key.to(value.dtype), value, is_causal=True)
        x = x + self.attention_output(seen.transpose(1, 2).reshape(rows, length, width))
        gate, up = self.gate_up(F.rms_norm(x, (width,), self.feed_forward_norm, self.epsilon)).chunk(2, -1)
        return x + self.down(F.silu(gate) * up)


class Llama(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.shape = shape
        width, layers = shape["width"], shape["layers"]
        self.embedding = nn.Parameter(torch.empty(shape["vocabulary"], width))
        self.blocks = nn.ModuleList(Block(shape) for _ in range(layers))
        self.output_norm = nn.Parameter(torch.ones(width))
        head_width = width // shape["heads"]
        angles = torch.arange(shape["contextTokens"], dtype=torch.float64)[:, None] / shape["ropeBase"] ** (torch.arange(0, head_width, 2, dtype=torch.float64) / head_width)
        self.register_buffer("cosine", angles.cos().float(), persistent=False)
        self.register_buffer("sine", angles.sin().float(), persistent=False)

    def start(self, seed):
        """Normal, 0.02; what writes into the residual stream is smaller by sqrt(2 layers) (GPT-2, section 2.3)."""
        random = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for name, parameter in self.named_parameters():
                if parameter.dim() == 2:
                    deviation = 0.02 / math.sqrt(2 * self.shape["layers"]) if "attention_output" in name or "down" in name else 0.02
                    parameter.normal_(0, deviation, generator=random)

    def forward(self, tokens):
        length = tokens.shape[1]
        cosine, sine = self.cosine[:length], self.sine[:length]
        x = F.embedding(tokens, self.embedding)
        for block in self.blocks:
            x = block(x, cosine, sine)
        return F.rms_norm(x, (self.shape["width"],), self.output_norm, self.shape["epsilon"])

    def matrices(self):
        """What Muon steps: each matrix of the blocks with the heights of the matrices that stand in it one above the other."""
        heads, groups, head = self.shape["heads"], self.shape["groups"], self.shape["width"] // self.shape["heads"]
        for block in self.blocks:
            yield block.query_key_value.weight, (heads * head, groups * head, groups * head)
            yield block.attention_output.weight, (self.shape["width"],)
            yield block.gate_up.weight, (self.shape["feedForward"], self.shape["feedForward"])
            yield block.down.weight, (self.shape["width"],)

    def exported(self):
        """Tensors by their GGUF names, float32, queries and keys interleaved."""
        head = self.shape["width"] // self.shape["heads"]
        heads, groups = self.shape["heads"], self.shape["groups"]

        def interleaved(weight):
            return weight.view(-1, 2, head // 2, weight.shape[1]).transpose(1, 2).reshape(weight.shape)

        tensors = {"token_embd.weight": self.embedding, "output_norm.weight": self.output_norm}
        for index, block in enumerate(self.blocks):
            query, key, value = block.query_key_value.weight.split((heads * head, groups * head, groups * head))
            gate, up = block.gate_up.weight.chunk(2)
            tensors |= {
                f"blk.{index}.attn_norm.weight": block.attention_norm,
                f"blk.{index}.attn_q.weight": interleaved(query),
                f"blk.{index}.attn_k.weight": interleaved(key),
                f"blk.{index}.attn_v.weight": value,
                f"blk.{index}.attn_output.weight": block.attention_output.weight,
                f"blk.{index}.ffn_norm.weight": block.feed_forward_norm,
                f"blk.{index}.ffn_gate.weight": gate,
                f"blk.{index}.ffn_up.weight": up,
                f"blk.{index}.ffn_down.weight": block.down.weight,
            }
        return {name: tensor.detach().float().cpu().contiguous() for name, tensor in tensors.items()}


def atomically(path, write):
    """A reader, or a restart after a power cut, finds the old file or the new one, never half of one."""
    temporary = path + ".part"
    with open(temporary, "wb") as file:
        write(file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def write_safetensors(path, tensors):
    header, offset = {"__metadata__": {"format": "gguf-names"}}, 0
    for name, tensor in tensors.items():
        size = tensor.numel() * 4
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)

    def write(file):
        file.write(struct.pack("<Q", len(text)) + text)
        for tensor in tensors.values():
            file.write(tensor.numpy().astype("<f4").tobytes())

    atomically(path, write)


def orthogonal(matrices):
    """The nearest matrices with orthonormal rows or columns of a stack [count, rows, columns], roughly: five Newton-Schulz steps (Jordan 2024)."""
    x = matrices.mT if matrices.shape[-2] > matrices.shape[-1] else matrices
    x = x / (x.float().norm(dim=(-2, -1), keepdim=True) + 1e-7).to(x.dtype)
    for _ in range(5):
        a = x @ x.mT
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * (a @ a)) @ x
    return x.mT if matrices.shape[-2] > matrices.shape[-1] else x


class Muon:
    """
    Steps matrices by their momentum made orthogonal (Jordan 2024), as large as AdamW's steps usually are: 0.2 sqrt(longer side)
    (Liu et al. 2025, "Muon is scalable for LLM training", section 2.2) times `rate`. Matrices that share a tensor are stepped each for itself.
    """

    def __init__(self, matrices, momentum, rate, weight_decay, dtype):
        self.matrices, self.momentum, self.rate, self.weight_decay, self.dtype = list(matrices), momentum, rate, weight_decay, dtype
        self.means = [torch.zeros_like(parameter) for parameter, _ in self.matrices]

    @torch.no_grad()
    def step(self, learning_rate):
        stacks = {}
        for (parameter, heights), mean in zip(self.matrices, self.means):
            mean.lerp_(parameter.grad, 1 - self.momentum)
            ahead = parameter.grad.lerp(mean, self.momentum)
            for part, update in zip(parameter.split(heights), ahead.split(heights)):
                stacks.setdefault(tuple(part.shape), []).append((part, update))
        size = learning_rate * self.rate
        for shape, pairs in stacks.items():
            updates = orthogonal(torch.stack([update for _, update in pairs]).to(self.dtype)).float()
            for (part, _), update in zip(pairs, updates):
                part.mul_(1 - size * self.weight_decay).add_(update, alpha=-size * 0.2 * math.sqrt(max(shape)))


class Steps:
    """AdamW for everything, or for all but what Muon steps; saved and loaded as one."""

    def __init__(self, adamw, muon):
        self.adamw, self.muon = adamw, muon

    def zero_grad(self):
        self.adamw.zero_grad(set_to_none=True)
        for parameter, _ in self.muon.matrices if self.muon else ():
            parameter.grad = None

    def step(self, learning_rate):
        for group in self.adamw.param_groups:
            group["lr"] = learning_rate
        self.adamw.step()
        if self.muon:
            self.muon.step(learning_rate)

    def state_dict(self):
        return {"adamw": self.adamw.state_dict(), "means": self.muon.means if self.muon else []}

    def load_state_dict(self, state):
        self.adamw.load_state_dict(state["adamw"])
        for mean, saved in zip(self.muon.means if self.muon else [], state["means"]):
            mean.copy_(saved)


class Rows:
    """
    Rows of `length` + 1 tokens out of [start, end) of a token file. Row i stands at window (i * stride + shift) mod windows, stride near the
    golden section of the count and prime to it: every window comes once before any comes twice, neighbours in a batch lie far apart,
    and where one is follows from i alone, so a resumed run reads on where it stopped. Each further pass is cut at other places.
    """

    def __init__(self, tokens, length, start, end, seed):
        self.tokens, self.length, self.start = tokens, length, start
        self.windows = (end - start - 1) // length - 1
        if self.windows < 1:
            raise SystemExit(f"{end - start} tokens are too few for rows of {length}: at least {2 * length + 1} are needed.")
        self.stride = max(1, round(self.windows * 0.6180339887498949))
        while math.gcd(self.stride, self.windows) != 1:
            self.stride += 1
        self.seed = seed

    def places(self, first, count):
        for i in range(first, first + count):
            passed = i // self.windows
            window = (i * self.stride + self.seed * 7919) % self.windows
            yield self.start + window * self.length + (passed * 0x9E37 + self.seed) % self.length

    def take(self, first, count, other=None):
        source = self.tokens if other is None else other
        return np.stack([source[at : at + self.length + 1] for at in self.places(first, count)]).astype(np.int64)


class Course:
    """One stretch of training: which rows at which progress, the learning rate, and where the run stands (its state is what is saved)."""

    def __init__(self, name, stages, tokens, minutes, learning_rate, warmup, replayed=0):
        self.name, self.stages, self.tokens, self.maximum_minutes = name, stages, tokens, minutes
        self.learning_rate, self.warmup, self.replayed = learning_rate, warmup, replayed
        self.state = {"course": name, "step": 0, "tokens": 0, "minutes": 0.0, "rows": [0] * (len(stages) + (1 if replayed else 0))}

    def progress(self):
        shares = [self.state["tokens"] / self.tokens]
        if self.maximum_minutes:
            shares.append(self.state["minutes"] / self.maximum_minutes)
        return min(1.0, max(shares))

    def stage(self):
        reached = 0.0
        for index, stage in enumerate(self.stages):
            reached += stage["share"]
            if self.progress() < reached - 1e-9:
                return index
        return len(self.stages) - 1

    def rate(self):
        warm = min(1.0, (self.state["step"] + 1) / max(1, self.warmup))
        return self.learning_rate * warm * (1 - self.progress())


class Trainer:
    def __init__(self, config, work, device, micro_tokens, compiled, precision="float32"):
        self.config, self.work, self.device, self.micro_tokens = config, work, device, micro_tokens
        self.precision = getattr(torch, precision)
        self.choices = config["shape"]["vocabulary"] - config["tokenizer"]["labels"]
        self.model = Llama(config["shape"])
        self.model.start(config["seed"])
        self.model.to(device)
        self.compiled = compiled
        self.run = torch.compile(self.model, dynamic=False) if compiled else self.model
        self.slope_of = torch.compile(loss_and_slope, dynamic=False) if compiled else loss_and_slope
        # On a CPU a chunk's logits stay in the cache.
        self.chunk = 8192 if device == "cuda" else 256
        self.stopping = False
        self.short = min(VALIDATION_LENGTH, config["shape"]["contextTokens"])
        self.started = time.monotonic()

    def optimiser(self):
        """AdamW; norms and the embedding do not decay, so that label rows, which no gradient reaches, stay where they began."""
        settings = self.config["optimiser"]
        muon = settings.get("muon")
        apart = {id(parameter) for parameter, _ in self.model.matrices()} if muon else set()
        decaying, free = [], []
        for name, parameter in self.model.named_parameters():
            if id(parameter) not in apart:
                (free if parameter.dim() < 2 or name == "embedding" else decaying).append(parameter)
        groups = [{"params": params, "weight_decay": decay} for params, decay in ((decaying, settings["weightDecay"]), (free, 0.0)) if params]
        adamw = torch.optim.AdamW(groups, lr=settings["learningRate"], betas=(settings["beta1"], settings["beta2"]), eps=1e-8, fused=True)
        return Steps(adamw, Muon(self.model.matrices(), muon["momentum"], muon["rate"], settings["weightDecay"], self.precision) if muon else None)

    def lower(self):
        return torch.autocast(self.device, dtype=self.precision, enabled=self.precision != torch.float32)

    def loss(self, inputs, targets, weights):
        with self.lower():
            hidden = self.run(inputs)
            hidden = hidden.reshape(-1, hidden.shape[-1]).to(self.precision)
        with torch.autocast(self.device, enabled=False):
            return ChunkedCrossEntropy.apply(hidden, self.model.embedding, targets.reshape(-1), weights.reshape(-1), self.choices, self.chunk, self.slope_of)

    def step(self, optimiser, rows, mask, rate):
        """One update on rows [count, length + 1]; mask of the same shape says which tokens are learned. Returns nats a learned token."""
        learned = np.ones_like(rows[:, 1:], dtype=np.float32) if mask is None else mask[:, 1:].astype(np.float32)
        learned *= rows[:, 1:] < self.choices
        count = max(1.0, float(learned.sum()))
        together = max(1, self.micro_tokens // (rows.shape[1] - 1))
        total = 0.0
        optimiser.zero_grad()
        for first in range(0, len(rows), together):
            part = torch.from_numpy(rows[first : first + together]).to(self.device, non_blocking=True)
            weights = torch.from_numpy(learned[first : first + together]).to(self.device, non_blocking=True)
            targets = part[:, 1:].clamp_max(self.choices - 1)
            loss = self.loss(part[:, :-1], targets, weights) / count
            loss.backward()
            total += loss.detach()
        nn.utils.clip_grad_norm_(self.model.parameters(), self.config["optimiser"]["clipNorm"])
        optimiser.step(rate)
        return total

    @torch.no_grad()
    def validate(self, length, thinning=1):
        """Bits per byte of validation.bin read in rows of `length`, and by source. Each row starts without what stood before it."""
        facts = json.load(open(os.path.join(self.work, "validation.json"), encoding="utf-8"))
        tokens = np.fromfile(os.path.join(self.work, "validation.bin"), dtype="<u2").astype(np.int64)
        count = (len(tokens) - 1) // length
        together = max(1, self.micro_tokens // length)
        nats, measured = np.zeros(len(tokens)), np.zeros(len(tokens), dtype=bool)
        chosen = list(range(0, count, thinning))
        rows = self.model.embedding[: self.choices]
        for first in range(0, len(chosen), together):
            starts = [row * length for row in chosen[first : first + together]]
            batch = torch.from_numpy(np.stack([tokens[at : at + length + 1] for at in starts])).to(self.device)
            with self.lower():
                hidden = self.model(batch[:, :-1]).float().reshape(-1, self.config["shape"]["width"])
            targets = batch[:, 1:].reshape(-1).clamp_max(self.choices - 1)
            parts = []
            for start in range(0, len(hidden), self.chunk):
                parts.append(F.cross_entropy(hidden[start : start + self.chunk] @ rows.T, targets[start : start + self.chunk], reduction="none"))
            found = torch.cat(parts).cpu().numpy().reshape(len(starts), length)
            for at, row in zip(starts, found):
                nats[at + 1 : at + 1 + length], measured[at + 1 : at + 1 + length] = row, True

        def bits(start, end, bytes_):
            mean = nats[start:end][measured[start:end]].mean() if measured[start:end].any() else float("nan")
            return mean / math.log(2) * (end - start) / bytes_

        sources = {}
        for name, part in facts.get("sources", {}).items():
            if part.get("bytes") and "from" in part and measured[part["from"] : part["to"]].any():
                sources[name] = round(float(bits(part["from"], part["to"], part["bytes"])), 4)
        return float(bits(0, len(tokens), facts["bytes"])), sources

    def checkpoint_path(self):
        return os.path.join(self.work, "checkpoint.pt")

    def save(self, course, optimiser):
        state = {"model": self.model.state_dict(), "optimiser": optimiser.state_dict(), "state": course.state, "name": self.config["name"], "shape": self.config["shape"]}
        atomically(self.checkpoint_path(), lambda file: torch.save(state, file))

    def load(self):
        if not os.path.exists(self.checkpoint_path()):
            return None
        saved = torch.load(self.checkpoint_path(), map_location=self.device, weights_only=True)
        if saved["shape"] != self.config["shape"]:
            raise SystemExit(f"The checkpoint in {self.work} is of another shape than {self.config['name']}: choose an empty work folder, or its configuration.")
        self.model.load_state_dict(saved["model"])
        return saved

    def compile(self, stages):
        """Compiles what the stages need, before a clock runs: on a GPU that can take longer than the first hundred steps."""
        for rows, length in {(min(stage["rows"], max(1, self.micro_tokens // stage["length"])), stage["length"]) for stage in stages}:
            tokens = torch.zeros(rows, length + 1, dtype=torch.int64, device=self.device)
            self.loss(tokens[:, :-1], tokens[:, 1:], torch.ones(rows, length, device=self.device)).backward()
        self.model.zero_grad(set_to_none=True)

    def train(self, course, rows_of, mask, saved, stop_after, replay=None):
        """Runs a course to its end; of each batch `course.replayed` rows are read from `replay` and learned whole. Returns false when it was told to stop before."""
        optimiser = self.optimiser()
        state = course.state
        if saved is not None and saved["state"]["course"] == course.name:
            optimiser.load_state_dict(saved["optimiser"])
            state.update(saved["state"])
            say(f"{course.name}: goes on at step {state['step']}, {state['tokens']:,} tokens, {state['minutes']:.1f} minutes")
        curve = Curve(os.path.join(self.work, "curve.jsonl"), course.name, state["step"])
        if self.compiled and course.progress() < 1:
            self.compile(course.stages)
        base, began = state["minutes"], time.monotonic()
        saved_at, told_at, validated, losses, tokens_at = began, began, course.progress(), [], state["tokens"]
        if state["step"] == 0:
            bits, _ = self.validate(self.short, VALIDATION_THINNING)
            curve.add(step=0, tokens=0, minutes=0, validationBitsPerByte=round(bits, 4))
            say(f"{course.name}: {sum(p.numel() for p in self.model.parameters()):,} parameters, untrained {bits:.3f} bits per byte")
            began = saved_at = told_at = time.monotonic()
        while course.progress() < 1:
            index = course.stage()
            stage, rows = course.stages[index], rows_of[index]
            first, own = state["rows"][index], stage["rows"] - course.replayed
            batch = rows.take(first, own)
            learned = None if mask is None else rows.take(first, own, mask)
            if course.replayed:
                plain = replay.take(state["rows"][-1], course.replayed)
                batch, learned = np.concatenate((batch, plain)), np.concatenate((learned, np.ones_like(plain)))
                state["rows"][-1] += course.replayed
            rate = course.rate()
            losses.append(self.step(optimiser, batch, learned, rate))
            state["rows"][index] += own
            state["step"] += 1
            state["tokens"] += stage["rows"] * stage["length"]
            now = time.monotonic()
            state["minutes"] = base + (now - began) / 60
            progress = course.progress()
            validation = None
            if progress - validated >= VALIDATION_EVERY and progress < 1:
                validation, _ = self.validate(self.short, VALIDATION_THINNING)
                validated = progress
            if state["step"] % 10 == 0 or validation is not None or progress >= 1:
                loss = float(torch.stack(losses).mean())
                if not math.isfinite(loss):
                    raise SystemExit(f"{course.name}: the loss is {loss} at step {state['step']}: lower the learning rate ({rate:.2e}) and start again from the checkpoint.")
                entry = {"step": state["step"], "tokens": state["tokens"], "minutes": round(state["minutes"], 3), "loss": round(loss, 4), "lr": rate}
                if validation is not None:
                    entry["validationBitsPerByte"] = round(validation, 4)
                curve.add(**entry)
                losses = []
                if validation is not None or now - told_at >= 30 or progress >= 1:
                    speed = (state["tokens"] - tokens_at) / max(1e-9, now - told_at)
                    left = state["minutes"] / progress * (1 - progress)
                    held = "" if validation is None else f"  validation {validation:.4f} bits per byte"
                    say(f"{course.name} {progress * 100:5.1f} %  step {state['step']}  {stage['name']}  loss {loss:.3f}  {speed:,.0f} tokens/s  {left:.0f} min left{held}")
                    told_at, tokens_at = time.monotonic(), state["tokens"]
            stop = self.stopping or (stop_after is not None and (time.monotonic() - self.started) / 60 >= stop_after)
            if stop or time.monotonic() - saved_at >= CHECKPOINT_MINUTES * 60:
                self.save(course, optimiser)
                saved_at = time.monotonic()
            if stop:
                say(f"{course.name}: stopped at step {state['step']}; the same command goes on from here")
                return False
        # A kill between here and the last figures takes the figures again, not the training.
        self.save(course, optimiser)
        return True


class Curve:
    """curve.jsonl. What a killed run wrote after its last checkpoint is dropped: those steps are taken again."""

    def __init__(self, path, course, step):
        self.path, self.course = path, course
        kept = []
        if os.path.exists(path):
            for line in open(path, encoding="utf-8"):
                entry = json.loads(line) if line.endswith("\n") else None
                if entry and (entry["course"] != course or 0 < step and entry["step"] <= step):
                    kept.append(line)
            atomically(path, lambda file: file.write("".join(kept).encode()))

    def add(self, **entry):
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps({"course": self.course, **entry}) + "\n")


def say(line):
    print(line, flush=True)


def has_bfloat16():
    """Whether this processor multiplies in bfloat16 faster than in float32."""
    asks = [getattr(torch.cpu, name, None) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported")]
    return any(ask() for ask in asks if ask)


def stage_rows(tokens, stages, seed):
    """Each stage reads its own part of the file, as long as its share: nothing is read twice before all of it was read once."""
    rows, reached, shares = [], 0.0, sum(stage["share"] for stage in stages)
    for stage in stages:
        start, reached = int(len(tokens) * reached), reached + stage["share"] / shares
        rows.append(Rows(tokens, stage["length"], start, int(len(tokens) * min(1.0, reached)), seed))
    return rows


def main():
    parser = argparse.ArgumentParser(description="Pre-trains a modelfactory-base; started again, goes on from the last checkpoint.")
    parser.add_argument("--config", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--threads", type=int, default=max(1, (os.cpu_count() or 1)))
    parser.add_argument("--stop-after-minutes", type=float, default=None, help="stop this run, with a checkpoint, after so many minutes")
    parser.add_argument("--resume", action="store_true", help="said or not: a checkpoint that is there is gone on from")
    parser.add_argument("--micro-tokens", type=int, default=None, help="tokens held in memory at once; a batch above it is summed in parts")
    parser.add_argument("--compile", choices=("yes", "no"), default=None)
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default=None, help="of the matrix products; weights and their updates are float32")
    asked = parser.parse_args()
    config = json.load(open(asked.config, encoding="utf-8"))
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.set_num_threads(asked.threads)
    torch.set_float32_matmul_precision("high")
    micro = asked.micro_tokens or (65536 if device == "cuda" else 4096)
    precision = asked.precision or ("bfloat16" if device == "cuda" or has_bfloat16() else "float32")
    compiled = (device == "cuda" or shutil.which("g++") is not None) if asked.compile is None else asked.compile == "yes"
    say(f"{device}, {asked.threads} threads, matrix products in {precision}{', compiled' if compiled else ''}")
    trainer = Trainer(config, asked.work, device, micro, compiled, precision)

    def stop(*_):
        trainer.stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)

    optimiser, seed = config["optimiser"], config["seed"]
    saved = trainer.load()
    result_path = os.path.join(asked.work, "result.json")
    result = json.load(open(result_path, encoding="utf-8")) if saved and os.path.exists(result_path) else {"name": config["name"], "engine": "pytorch", "device": device, "threads": asked.threads, "precision": precision}

    def finish(course, file):
        for length in sorted({trainer.short, config["shape"]["contextTokens"]}):
            bits, sources = trainer.validate(length)
            result.setdefault(course.name, {})[f"bitsPerByte{length}"] = round(bits, 4)
            result[course.name][f"sources{length}"] = sources
            say(f"{course.name}: {bits:.4f} bits per byte in rows of {length}")
        result[course.name] |= {"steps": course.state["step"], "tokens": course.state["tokens"], "minutes": round(course.state["minutes"], 2)}
        atomically(result_path, lambda out: out.write(json.dumps(result, indent=2).encode()))
        # Last: where weights are, all else is.
        write_safetensors(os.path.join(asked.work, file), trainer.model.exported())

    train_tokens = np.memmap(os.path.join(asked.work, "train.bin"), dtype="<u2", mode="r")
    settings = config.get("instruct") or {}
    stage = {"name": "instruct", "share": 1.0, **settings}
    instruct = Course("instruct", [stage], settings.get("tokens") or 1, settings.get("maximumMinutes"), settings.get("learningRate", 0), settings.get("warmupSteps", 20), settings.get("replayedRows", 0))
    if saved is None or saved["state"]["course"] == "pretrain":
        course = Course("pretrain", config["stages"], config["tokens"], config.get("maximumMinutes"), optimiser["learningRate"], optimiser["warmupSteps"])
        if not trainer.train(course, stage_rows(train_tokens, config["stages"], seed), None, saved, asked.stop_after_minutes):
            return 3
        finish(course, "weights-pretrained.safetensors")
        saved = None
        trainer.save(instruct, trainer.optimiser())

    course = instruct
    if settings.get("tokens") and os.path.exists(os.path.join(asked.work, "instruct.bin")):
        tokens = np.memmap(os.path.join(asked.work, "instruct.bin"), dtype="<u2", mode="r")
        mask = np.memmap(os.path.join(asked.work, "instruct.mask"), dtype="u1", mode="r")
        replay = Rows(train_tokens, settings["length"], 0, len(train_tokens), seed) if course.replayed else None
        if not trainer.train(course, stage_rows(tokens, course.stages, seed), mask, saved, asked.stop_after_minutes, replay):
            return 3
    finish(course, "weights.safetensors")
    return 0


if __name__ == "__main__":
    sys.exit(main())
