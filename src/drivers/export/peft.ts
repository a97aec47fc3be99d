/**
 * PEFT names: a GGUF LoRA adapter as the tensors of a PEFT checkpoint of the transformers model that the base came from.
 * Knows nothing of files.
 */
import { type Refusal, refuse } from '../../core/errors.ts'
import type { Gguf } from '../../engine/gguf.ts'
import type { StoredAdapter } from '../../engine/merge.ts'

/** The module each matrix of a layer is in transformers' Llama, Qwen2, Qwen3 and Mistral. */
const MODULES: Record<string, string> = {
  attn_q: 'self_attn.q_proj',
  attn_k: 'self_attn.k_proj',
  attn_v: 'self_attn.v_proj',
  attn_output: 'self_attn.o_proj',
  ffn_gate: 'mlp.gate_proj',
  ffn_up: 'mlp.up_proj',
  ffn_down: 'mlp.down_proj',
}
const ARCHITECTURES = ['llama', 'qwen2', 'qwen3']

export type PeftTensor = { name: string; shape: [number, number]; values: Float32Array }

/** The tensors, and the last names of their modules. Refuses architectures and tensors whose PEFT names we do not know. */
export function peftTensors(base: Gguf, adapter: StoredAdapter): { tensors: PeftTensor[]; modules: string[] } | Refusal {
  const { architecture } = adapter
  if (!ARCHITECTURES.includes(architecture))
    return refuse('peft_architecture_unknown', `PEFT's names for the architecture "${architecture}" are not known here.`, `Known: ${ARCHITECTURES.join(', ')}.`)
  const heads = Number(base.metadata.get(`${architecture}.attention.head_count`))
  const groups = Number(base.metadata.get(`${architecture}.attention.head_count_kv`) ?? heads)
  const tensors: PeftTensor[] = []
  const modules = new Set<string>()
  for (const { tensor, rank, inputs, outputs, down, up } of adapter.pairs.values()) {
    const [, layer, stem] = /^blk\.(\d+)\.(\w+)\.weight$/.exec(tensor) ?? []
    const module = stem && MODULES[stem]
    if (!module) return refuse('peft_tensor_unknown', `The adapter changes "${tensor}", which has no name in PEFT.`, 'Export it as gguf-lora instead.')
    modules.add(module.split('.')[1]!)
    const turned = architecture === 'llama' && (stem === 'attn_q' || stem === 'attn_k')
    const prefix = `base_model.model.model.layers.${layer}.${module}`
    tensors.push({ name: `${prefix}.lora_A.weight`, shape: [rank, inputs], values: down })
    tensors.push({ name: `${prefix}.lora_B.weight`, shape: [outputs, rank], values: turned ? halfSplitRows(up, rank, stem === 'attn_q' ? heads : groups) : up })
  }
  return { tensors, modules: [...modules] }
}

/**
 * Rows of q or k from the order of GGUF's `llama` files, where rotary positions turn neighbours (2i, 2i + 1), into that of
 * transformers, where they turn (i, i + half). The inverse of `permute` in llama.cpp's convert_hf_to_gguf.py.
 */
export function halfSplitRows(rows: Float32Array, width: number, heads: number): Float32Array {
  const turned = new Float32Array(rows.length)
  const half = rows.length / width / heads / 2
  for (let head = 0; head < heads; head++)
    for (let pair = 0; pair < half; pair++)
      for (let side = 0; side < 2; side++) {
        const from = (head * half * 2 + pair * 2 + side) * width
        turned.set(rows.subarray(from, from + width), (head * half * 2 + side * half + pair) * width)
      }
  return turned
}
