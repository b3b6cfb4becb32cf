"""The llama.cpp backend chooses flash attention by the features that the library reports."""

from __future__ import annotations

import llama_cpp.llama_cpp as lib
import pytest

from mistral_lsp.inference.backends.llama_cpp import _flash_attention


@pytest.mark.parametrize(
    ("system", "offloads", "expected"),
    [
        (b"CPU : AVX2 = 1 | FMA = 1 | ", False, lib.LLAMA_FLASH_ATTN_TYPE_DISABLED),
        (b"CPU : AVX2 = 1 | AVX512 = 1 | ", False, lib.LLAMA_FLASH_ATTN_TYPE_AUTO),
        (b"CPU : NEON = 1 | ", False, lib.LLAMA_FLASH_ATTN_TYPE_AUTO),
        (b"CPU : AVX2 = 1 | ", True, lib.LLAMA_FLASH_ATTN_TYPE_AUTO),
    ],
)
def test_flash_attention_is_off_only_where_vectors_are_narrow(
    system, offloads, expected, monkeypatch
) -> None:
    monkeypatch.setattr(lib, "llama_print_system_info", lambda: system)
    monkeypatch.setattr(lib, "llama_supports_gpu_offload", lambda: offloads)
    assert _flash_attention() == expected
