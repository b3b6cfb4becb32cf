"""The contract of each server of docs/SERVERS.md, by the heading of its section."""

from __future__ import annotations

from tests.contract import openai, others
from tests.contract.contract import Contract
from tests.contract.llama import SAID, Router, Swap
from tests.support.played_server import Answer
from tests.support.servers_page import settings_of

CONTRACTS: dict[str, Contract] = {
    "vLLM": openai.VLLM,
    "Together.ai": openai.TOGETHER,
    "Azure": openai.AZURE,
    "TabbyAPI": openai.TABBY,
    "LM Studio": openai.LM_STUDIO,
    "mlx-lm": openai.MLX,
    "TGI by OpenAI's interface": openai.TGI_OPENAI,
    "Ollama": others.OLLAMA,
    "Mistral": others.MISTRAL,
    "TGI": others.TGI,
    "Hugging Face's endpoints": others.ENDPOINT,
    "Amazon Bedrock": others.BEDROCK,
}
PLAYED: dict[str, Answer] = {
    **CONTRACTS,
    "llama-server": SAID,
    "llama-server as a router": Router(settings_of("llama-server as a router").http_model, "other"),
    "llama-swap": Swap(settings_of("llama-swap").http_model, "other"),
}
"""Every server. The contract of those with llama-server behind them is in test_loading.py."""
