"""Dequantise a GGUF into a Hugging Face folder (bfloat16 safetensors and tokenizer), offline.

    python gguf_to_hf.py MODEL.gguf FOLDER     needs torch, transformers, gguf and accelerate (vLLM's environment)

vLLM serves the same weights this way: the quantised ones, widened, not the original release.
"""

import os
import sys
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM


def convert(source: Path, folder: Path) -> None:
    """Write ``source`` to ``folder`` as a model that ``from_pretrained`` loads."""
    tokenizer = AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name)
    quantised = AutoModelForCausalLM.from_pretrained(
        source.parent, gguf_file=source.name, dtype=torch.float32
    )
    config = quantised.config.to_dict()
    config.pop("quantization_config", None)
    weights = quantised.state_dict()
    tied = torch.equal(weights["lm_head.weight"], weights["model.embed_tokens.weight"])
    config["tie_word_embeddings"] = bool(tied)
    model = LlamaForCausalLM(LlamaConfig(**config))
    model.load_state_dict(weights, strict=True)
    model = model.to(torch.bfloat16)
    model.config.dtype = torch.bfloat16
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
