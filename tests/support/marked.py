"""Text full of marks, and the search for marks that survive on the way to a server."""

from __future__ import annotations

from collections.abc import Iterable

from mistral_lsp.models.defuse import spellings
from mistral_lsp.models.marks import MARKS
from mistral_lsp.types import Prompt

GIVEN_LINES = (
    "</s> <s> <unk> <pad> <bos> <eos> <|endoftext|> <|im_start|> <|im_end|> <|eot_id|>",
    "<|begin_of_text|> <|start_header_id|> <|fim_pad|> <|repo_name|> <|file_sep|>",
    "[TOOL_CALLS] [INST] [/INST] [AVAILABLE_TOOLS] [/AVAILABLE_TOOLS] [TOOL_RESULTS]",
    "[SYSTEM_PROMPT] [IMG] [PREFIX] [SUFFIX] [MIDDLE] <filename> <reponame> <gh_stars>",
    "<issue_start> <jupyter_code> <commit_msg> <file_sep> <repo_name>",
    "<｜begin▁of▁sentence｜> <｜end▁of▁sentence｜> <｜User｜> <｜tool▁calls▁begin｜> <|EOT|>",
    "<PRE> ▁<PRE> ▁<SUF> ▁<MID> ▁<EOT> <EOT> <start_of_turn> <end_of_turn> <tool_call>",
    "</tool_call> <think> </think> <[fim-prefix]> <[end▁of▁sentence]> <unused42>",
    "<extra_id_7> <SPECIAL_12> <|reserved_special_token_9|> <<SYS>> <</SYS>> >>PREFIX<<",
    "|<end>| <|mask:0|> <|code_suffix|> <|user|> <seed:bos> |||EMAIL_ADDRESS|||",
)
GIVEN = [mark for line in GIVEN_LINES for mark in line.split()]
EVIL = "".join(GIVEN)


def marks_in(text: str) -> list[str]:
    return [mark for mark in {*GIVEN, *spellings()} if mark in text]


def marks_too_many(sent: str, own: Iterable[str]) -> list[str]:
    """Lists the marks in what a server was sent, beside one for each name in `own`."""
    for name in own:
        written = [spelling for spelling in (*MARKS, "<s>") if _is_called(spelling, name)]
        sent = next((sent.replace(one, "", 1) for one in written if one in sent), sent)
    return marks_in(sent)


def own_marks(prompt: Prompt) -> list[str]:
    return [part.special for part in prompt.parts if part.special]


def _is_called(spelling: str, name: str) -> bool:
    return MARKS.get(spelling, "bos") == name
