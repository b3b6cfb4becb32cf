"""The chat forms, as data, and the form of a model by its chat template.

Sources: the models' published templates. A template is a program of an untrusted file, so it is not
run. It is searched for the texts that a form writes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

LONGEST_TEMPLATE = 200_000
"""Characters. A longer template is not searched; the longest published ones have 20,000."""


@dataclass(frozen=True, slots=True)
class Chat:
    """The texts that a chat form writes around the user's message.

    `opening` is before the message, `end` after it, and `answer` before the model's answer. A mark
    in them is a special token; a model without it gets it as text. `<eos>` is the token that ends
    this model's answers. `trims`: the template removes blanks around a message.

    A template is of this form if it contains all `signs`, by default `end` and `answer`.
    """

    opening: str
    end: str
    answer: str
    signs: tuple[str, ...] = ()
    trims: bool = False

    def is_written_by(self, template: str) -> bool:
        """Whether a template with `_plain` literals writes this form."""
        return all(sign in template for sign in self.signs or (self.end, self.answer))


CHATS = {
    # Qwen, Yi, Hermes, SmolLM and many others.
    "chatml": Chat("<|im_start|>user\n", "<|im_end|>\n", "<|im_start|>assistant\n"),
    "llama-3": Chat(
        "<|start_header_id|>user<|end_header_id|>\n\n",
        "<|eot_id|>",
        "<|start_header_id|>assistant<|end_header_id|>\n\n",
        trims=True,
    ),
    # Gemma 1 to 3.
    "gemma": Chat("<start_of_turn>user\n", "<end_of_turn>\n", "<start_of_turn>model\n", trims=True),
    "phi-3": Chat("<|user|>\n", "<|end|>\n", "<|assistant|>\n"),
    "phi-4": Chat("<|im_start|>user<|im_sep|>", "<|im_end|>", "<|im_start|>assistant<|im_sep|>"),
    "phi-4-mini": Chat(
        "<|user|>", "<|end|>", "<|assistant|>", signs=("'<|end|>' }}", "'<|assistant|>' }}")
    ),
    # DeepSeek V2.5 to V3 and R1. The user's message has no end.
    "deepseek": Chat("<｜User｜>", "", "<｜Assistant｜>", signs=("<｜User｜>", "<｜Assistant｜>")),
    # Granite 3 and 4.
    "granite": Chat(
        "<|start_of_role|>user<|end_of_role|>",
        "<|end_of_text|>\n",
        "<|start_of_role|>assistant<|end_of_role|>",
    ),
    # Zephyr and TinyLlama.
    "zephyr": Chat(
        "<|user|>\n",
        "<eos>\n",
        "<|assistant|>\n",
        signs=("'<|user|>\n' + message['content'] + eos_token", "'<|assistant|>"),
    ),
    # Mistral's models with the vocabulary Tekken, as Nemo; "instructed" is the form of the others.
    "tekken": Chat("[INST]", "", "[/INST]", signs=("[INST]'", "[/INST]'")),
}
"""The chat forms, by our names."""
INSTRUCTED_SIGNS = ("[INST] ", "[/INST]'")
WRITTEN_OUT = frozenset({"zephyr", "instructed"})
"""Chat forms whose marks are plain text to most of their models. The other forms are used only for
a vocabulary with their marks: llama-server tells a ChatML template of models that have none.
"""

_EOS = "<eos>"
_MARK = re.compile(r"(<[^\s<>]+>|\[/?INST\])")
_JOINT = re.compile(r"'\s*[+~]\s*'")


def pieces(text: str) -> list[str]:
    """Splits a form's text into its marks and the texts between them."""
    return [piece for piece in _MARK.split(text) if piece]


def is_mark(piece: str) -> bool:
    """Whether a piece is a mark."""
    return _MARK.fullmatch(piece) is not None


def chat_marks(forms: Iterable[str] = CHATS) -> list[str]:
    """Lists the marks of chat forms, each once, as they are written in a vocabulary."""
    chats = [CHATS[form] for form in forms]
    texts = [text for chat in chats for text in (chat.opening, chat.end, chat.answer)]
    found = [piece for text in texts for piece in pieces(text)]
    return [mark for mark in dict.fromkeys(found) if is_mark(mark) and mark != _EOS]


def form_of_chat(template: str) -> str:
    """Gives the form that a template writes; "" if no form or several forms fit."""
    if len(template) > LONGEST_TEMPLATE:
        return ""
    plain = _plain(template)
    found = [name for name, chat in CHATS.items() if chat.is_written_by(plain)]
    if all(sign in plain for sign in INSTRUCTED_SIGNS):
        found.append("instructed")
    return found[0] if len(found) == 1 else ""


def _plain(template: str) -> str:
    """Gives a template with its literals joined, in single quotes, and without escapes."""
    return _JOINT.sub("", template.replace('"', "'").replace("\\n", "\n"))
