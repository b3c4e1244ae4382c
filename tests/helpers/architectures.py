"""Tiny random checkpoints of many architectures, as transformers names them."""

import torch
from transformers import AutoConfig, AutoModelForCausalLM

N_TOKENS = 300  # in the vocabulary
PLACES = 256  # tokens of the longest example
COMMON = {
    "vocab_size": N_TOKENS, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, "max_position_embeddings": PLACES,
    "bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0,
}  # fmt: skip
GPT = {"vocab_size": N_TOKENS, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": PLACES}
WINDOW = COMMON | {"sliding_window": 32, "num_hidden_layers": 4}
CONFIGS = {
    "biogpt": COMMON,
    "bloom": {"vocab_size": N_TOKENS, "hidden_size": 32, "n_layer": 2, "n_head": 4},
    "codegen": GPT | {"n_ctx": PLACES, "rotary_dim": 4},
    "cohere": COMMON | {"logit_scale": 0.1},
    "cohere2": WINDOW | {"logit_scale": 0.1},
    "exaone4": WINDOW | {"sliding_window_pattern": 2},
    "falcon": {"vocab_size": N_TOKENS, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4},
    "gemma": COMMON,
    "gemma2": WINDOW | {"query_pre_attn_scalar": 8},
    "gemma3_text": WINDOW | {"query_pre_attn_scalar": 8, "num_hidden_layers": 6},
    "glm": COMMON,
    "gpt2": GPT,
    "gpt_bigcode": GPT,
    "gpt_neo": COMMON | {"num_layers": 2, "num_heads": 4, "attention_types": [[["global", "local"], 1]]},
    "gpt_neox": COMMON | {"rotary_pct": 0.25},
    "gpt_oss": WINDOW | {"num_local_experts": 4},
    "gptj": GPT | {"rotary_dim": 4},
    "granite": COMMON | {"logits_scaling": 4.0, "embedding_multiplier": 2.0},
    "lfm2": COMMON | {"block_ff_dim": 64, "full_attn_idxs": [1]},
    "llama": COMMON,
    "mamba": {"vocab_size": N_TOKENS, "hidden_size": 32, "num_hidden_layers": 2, "state_size": 4},
    "mistral": WINDOW,
    "mixtral": COMMON | {"num_local_experts": 4},
    "mpt": {"vocab_size": N_TOKENS, "d_model": 32, "n_heads": 4, "n_layers": 2, "max_seq_len": PLACES},
    "nemotron": COMMON,
    "olmo": COMMON,
    "olmo3": WINDOW,
    "opt": COMMON | {"ffn_dim": 64, "word_embed_proj_dim": 32},
    "phi": COMMON,
    "qwen2_moe": COMMON | {"num_experts": 4, "moe_intermediate_size": 32, "shared_expert_intermediate_size": 32},
    "qwen3": COMMON,
    "smollm3": COMMON,
    "stablelm": COMMON,
    "starcoder2": WINDOW,
    "xglm": {"vocab_size": N_TOKENS, "d_model": 32, "num_layers": 2, "attention_heads": 4, "ffn_dim": 64},
}


def tiny(name, n_tokens=N_TOKENS):
    """A model of that architecture with random weights, wide enough that every fault shows."""
    torch.manual_seed(0)
    config = AutoConfig.for_model(name, **CONFIGS[name] | {"vocab_size": n_tokens})
    model = AutoModelForCausalLM.from_config(config).eval()
    for weight in model.parameters():
        if weight.dim() > 1:
            torch.nn.init.normal_(weight, std=0.15)
    return model
