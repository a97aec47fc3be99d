/**
 * Catalogue: bases worth starting from, our own first, then by size. Data only: where a model's makers do not state a fact, or we
 * are not sure of it, it is left out. Knows nothing of how a base is fetched.
 */

export type CatalogueEntry = {
  name: string
  /** What `--base` takes; null is the default. */
  reference: string | null
  /** Where the makers publish it. */
  home: string
  /** SPDX id where there is one, else the licence's own name. */
  licence: string
  /** Millions of parameters. */
  parameters: number
  /** Languages its makers name, BCP-47. */
  languages: readonly string[]
  /** What it is good for, one line. */
  goodFor: string
}

export const CATALOGUE: readonly CatalogueEntry[] = [
  {
    name: 'modelfactory-base-xs-v2',
    reference: null,
    home: 'base/README.md',
    licence: 'Apache-2.0',
    parameters: 8,
    languages: ['en', 'fr', 'es', 'pl'],
    goodFor: 'Ready at once: classifying short texts and quoting from pages, in a minute or two of training on any machine.',
  },
  {
    name: 'modelfactory-base-s-v1',
    reference: 'modelfactory-base-s-v1',
    home: 'base/README.md',
    licence: 'Apache-2.0',
    parameters: 38,
    languages: ['en', 'fr', 'es', 'pl'],
    goodFor: 'Ready at once too: has read more and knows more, and takes about seven times as long to train and to ask.',
  },
  {
    name: 'SmolLM2-135M-Instruct',
    reference: 'hf:HuggingFaceTB/SmolLM2-135M-Instruct-GGUF',
    home: 'https://huggingface.co/HuggingFaceTB/SmolLM2-135M-Instruct',
    licence: 'Apache-2.0',
    parameters: 135,
    languages: ['en'],
    goodFor: 'English on a laptop: small, but its makers trained it on 2 trillion tokens.',
  },
  {
    name: 'SmolLM2-360M-Instruct',
    reference: 'hf:HuggingFaceTB/SmolLM2-360M-Instruct-GGUF',
    home: 'https://huggingface.co/HuggingFaceTB/SmolLM2-360M-Instruct',
    licence: 'Apache-2.0',
    parameters: 362,
    languages: ['en'],
    goodFor: 'English with more knowledge of the world, at the price of slower training.',
  },
  {
    name: 'Qwen2.5-0.5B-Instruct',
    reference: 'hf:Qwen/Qwen2.5-0.5B-Instruct-GGUF',
    home: 'https://huggingface.co/Qwen/Qwen2.5-0.5B-Instruct',
    licence: 'Apache-2.0',
    parameters: 494,
    languages: ['en', 'zh', 'fr', 'es', 'pt', 'de', 'it', 'ru', 'ja', 'ko', 'vi', 'th', 'ar'],
    goodFor: 'Languages other than English on a small machine.',
  },
  {
    name: 'Qwen3-0.6B',
    reference: 'hf:Qwen/Qwen3-0.6B-GGUF',
    home: 'https://huggingface.co/Qwen/Qwen3-0.6B',
    licence: 'Apache-2.0',
    parameters: 596,
    languages: ['en', 'zh', 'fr', 'es', 'pt', 'de', 'it', 'ru', 'ja', 'ko', 'vi', 'th', 'ar', 'id', 'hi', 'sw'],
    goodFor: 'Many languages (its makers name 119) on a small machine.',
  },
  {
    name: 'TinyLlama-1.1B-Chat',
    reference: 'hf:TheBloke/TinyLlama-1.1B-Chat-v1.0-GGUF',
    home: 'https://huggingface.co/TinyLlama/TinyLlama-1.1B-Chat-v1.0',
    licence: 'Apache-2.0',
    parameters: 1100,
    languages: ['en'],
    goodFor: 'Comparing with what others report on it; newer bases of its size know more.',
  },
  {
    name: 'Llama-3.2-1B-Instruct',
    reference: 'hf:bartowski/Llama-3.2-1B-Instruct-GGUF',
    home: 'https://huggingface.co/meta-llama/Llama-3.2-1B-Instruct',
    licence: 'Llama 3.2 Community License',
    parameters: 1236,
    languages: ['en', 'de', 'fr', 'it', 'pt', 'hi', 'es', 'th'],
    goodFor: 'General English and seven more languages; its licence asks for "Built with Llama" and is not open source.',
  },
  {
    name: 'Qwen2.5-1.5B-Instruct',
    reference: 'hf:Qwen/Qwen2.5-1.5B-Instruct-GGUF',
    home: 'https://huggingface.co/Qwen/Qwen2.5-1.5B-Instruct',
    licence: 'Apache-2.0',
    parameters: 1544,
    languages: ['en', 'zh', 'fr', 'es', 'pt', 'de', 'it', 'ru', 'ja', 'ko', 'vi', 'th', 'ar'],
    goodFor: 'Many languages, with more knowledge than the 0.5B; slow to train on two cores.',
  },
  {
    name: 'Qwen3-1.7B',
    reference: 'hf:Qwen/Qwen3-1.7B-GGUF',
    home: 'https://huggingface.co/Qwen/Qwen3-1.7B',
    licence: 'Apache-2.0',
    parameters: 1721,
    languages: ['en', 'zh', 'fr', 'es', 'pt', 'de', 'it', 'ru', 'ja', 'ko', 'vi', 'th', 'ar', 'id', 'hi', 'sw'],
    goodFor: 'Many languages (its makers name 119) with more knowledge.',
  },
  {
    name: 'Mistral-7B-Instruct-v0.3',
    reference: 'hf:bartowski/Mistral-7B-Instruct-v0.3-GGUF',
    home: 'https://huggingface.co/mistralai/Mistral-7B-Instruct-v0.3',
    licence: 'Apache-2.0',
    parameters: 7248,
    languages: ['en'],
    goodFor: 'Servers with memory to spare; on a laptop training it takes too long to be useful.',
  },
]

/** Bytes of a Q8_0 file: 34 bytes for 32 weights. An estimate to within a few percent, from the parameters alone. */
export function diskEstimate({ parameters }: Pick<CatalogueEntry, 'parameters'>): number {
  return Math.round((parameters * 1e6 * 34) / 32)
}

/**
 * Bytes of memory a LoRA training is likely to need: the file twice, for the weights and what is kept between the passes, and a
 * third of a gigabyte for everything else. A rough estimate; `estimate` replaces it where a better one is at hand.
 */
export function memoryEstimate(entry: Pick<CatalogueEntry, 'parameters'>, estimate: (bytes: number) => number = (bytes) => 2 * bytes + 0.33e9): number {
  return Math.round(estimate(diskEstimate(entry)))
}
