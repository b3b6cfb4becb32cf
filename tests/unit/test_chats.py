"""Chat models without fill-in marks are asked, byte by byte, as their templates write it."""

from __future__ import annotations

import ctypes
import time
from pathlib import Path

import llama_cpp.llama_cpp as lib
import pytest
from llama_cpp.llama_chat_format import Jinja2ChatFormatter

from mistral_lsp.engine.frames import Load
from mistral_lsp.engine.host.load import load
from mistral_lsp.models import registry
from mistral_lsp.models.chats import CHATS, LONGEST_TEMPLATE, WRITTEN_OUT, form_of_chat
from mistral_lsp.models.marks import form_of, warning
from mistral_lsp.prompt.build import INSTRUCTION
from mistral_lsp.types import Excerpt
from tests.support.forms import PREFIX, SUFFIX, asked, header_of, written
from tests.support.tiny_models import write_gemma

BEGIN, ASK, END = (
    "{% for message in messages %}",
    "{% endfor %}{% if add_generation_prompt %}",
    "{% endif %}",
)
BLOCKS = (
    "{% for message in messages %}\n{% if message['role'] == 'user' %}\n",
    "\n{% endif %}\n{% if loop.last and add_generation_prompt %}\n",
    "\n{% endif %}\n{% endfor %}",
)
"""The lines around the two texts of Zephyr's template, which end in line ends that count."""

Row = tuple[str, tuple[str, str], str, list[str]]
# For each form: a model with it, the expressions of its published template that write a user's
# message and the beginning of an answer, llama.cpp's name of the form, and the model's marks.
# Source of each: `chat_template` in the tokenizer_config.json of the named repository on the
# Hugging Face hub, and the copies of these in tests/test-chat-template.cpp of llama.cpp.
FAMILIES: dict[str, Row] = {
    "chatml": (
        "teknium/OpenHermes-2.5-Mistral-7B",
        (
            r"{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>'"
            r" + '\n'}}",
            r"{{ '<|im_start|>assistant\n' }}",
        ),
        "chatml",
        ["<|im_start|>", "<|im_end|>"],
    ),
    "llama-3": (
        "meta-llama/Meta-Llama-3-8B-Instruct",
        (
            r"{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'"
            r"+ message['content'] | trim + '<|eot_id|>' }}",
            r"{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}",
        ),
        "llama3",
        ["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"],
    ),
    "gemma": (
        "google/gemma-7b-it",
        (
            r"{{ '<start_of_turn>' + message['role'] + '\n' + message['content'] | trim"
            r" + '<end_of_turn>\n' }}",
            r"{{'<start_of_turn>model\n'}}",
        ),
        "gemma",
        ["<start_of_turn>", "<end_of_turn>"],
    ),
    "phi-3": (
        "microsoft/Phi-3-small-8k-instruct",
        (
            r"{{'<|' + message['role'] + '|>' + '\n' + message['content'] + '<|end|>\n' }}",
            r"{{ '<|assistant|>\n' }}",
        ),
        "phi3",
        ["<|user|>", "<|end|>", "<|assistant|>"],
    ),
    "phi-4": (
        "microsoft/phi-4",
        (
            r"{{'<|im_start|>user<|im_sep|>' + message['content'] + '<|im_end|>'}}",
            r"{{ '<|im_start|>assistant<|im_sep|>' }}",
        ),
        "phi4",
        ["<|im_start|>", "<|im_sep|>", "<|im_end|>"],
    ),
    "phi-4-mini": (
        "microsoft/Phi-4-mini-instruct",
        (
            r"{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}",
            r"{{ '<|assistant|>' }}",
        ),
        "",
        ["<|user|>", "<|end|>", "<|assistant|>"],
    ),
    "deepseek": (
        "deepseek-ai/DeepSeek-R1-Distill-Llama-8B",
        (r"{{'<｜User｜>' + message['content']}}", r"{{'<｜Assistant｜>'}}"),
        "deepseek3",
        ["<｜User｜>", "<｜Assistant｜>"],
    ),
    "granite": (
        "ibm-granite/granite-3.0-8b-instruct",
        (
            r"{{- '<|start_of_role|>user<|end_of_role|>' + message['content']"
            r" + '<|end_of_text|>\n' }}",
            r"{{- '<|start_of_role|>assistant<|end_of_role|>' }}",
        ),
        "granite",
        ["<|start_of_role|>", "<|end_of_role|>", "<|end_of_text|>"],
    ),
    "zephyr": (
        "HuggingFaceH4/zephyr-7b-beta",
        (r"{{ '<|user|>\n' + message['content'] + eos_token }}", r"{{ '<|assistant|>' }}"),
        "zephyr",
        [],
    ),
    "tekken": (
        "mistralai/Mistral-Nemo-Instruct-2407",
        (r'{{- "[INST]" + message["content"] + "[/INST]" }}', ""),
        "mistral-v3-tekken",
        ["[INST]", "[/INST]"],
    ),
}


def template_of(form: str) -> str:
    begin, ask, end = BLOCKS if form == "zephyr" else (BEGIN, ASK, END)
    said, begun = FAMILIES[form][1]
    return f"{begin}{said}{ask}{begun}{end}"


def by_llama_cpp(form: str, message: str) -> str:
    """The prompt that llama.cpp's own code writes, which knows the forms by name."""
    messages = (lib.llama_chat_message * 1)()
    messages[0].role, messages[0].content = b"user", message.encode()
    room = ctypes.create_string_buffer(4096)
    length = lib.llama_chat_apply_template(form.encode(), messages, 1, True, room, len(room))
    assert length > 0
    return room.raw[:length].decode()


def test_every_form_has_its_source() -> None:
    assert FAMILIES.keys() == CHATS.keys()


@pytest.mark.parametrize("suffix", [SUFFIX, "", "\n    \n"])
@pytest.mark.parametrize("form", FAMILIES)
def test_a_model_is_asked_as_its_template_writes_it(tmp_path: Path, form: str, suffix: str) -> None:
    name, _, _, marks = FAMILIES[form]
    template = template_of(form)
    header = header_of(tmp_path, name, ["<s>", *marks], "gpt2", chat_template=template)
    assert registry.form(header) == form
    assert set(marks) <= set(header.spelt.values()), "each is one token"
    formatter = Jinja2ChatFormatter(template, eos_token="</s>", bos_token="<s>")
    message = {"role": "user", "content": INSTRUCTION + suffix}
    published = formatter(messages=[message]).prompt
    assert written(asked(form, suffix=suffix), header) == f"{published}{PREFIX}"


@pytest.mark.parametrize("form", [form for form in FAMILIES if FAMILIES[form][2]])
def test_llama_cpp_writes_a_message_the_same_way(tmp_path: Path, form: str) -> None:
    name, _, known, marks = FAMILIES[form]
    header = header_of(tmp_path, name, ["<s>", *marks], "gpt2")
    message = (INSTRUCTION + SUFFIX).rstrip()
    ours = written(asked(form, suffix=SUFFIX.rstrip()), header)
    expected = by_llama_cpp(known, message).replace("<|endoftext|>", "</s>")
    assert ours == f"{expected}{PREFIX}"


def test_other_files_are_in_the_message_without_marks(tmp_path: Path) -> None:
    header = header_of(tmp_path, "x", FAMILIES["chatml"][3], "gpt2")
    prompt = asked("chatml", related=(Excerpt("b.py", "class B:"),))
    assert written(prompt, header) == (
        f"<|im_start|>user\n{INSTRUCTION}b.py\nclass B:\n{SUFFIX}<|im_end|>\n"
        f"<|im_start|>assistant\n{PREFIX}"
    )
    labels = [part.label for part in prompt.parts]
    assert labels.index("suffix") < labels.index("prefix") == len(labels) - 1


UNKNOWN = (
    "",
    "{{ messages[0]['content'] }}",
    # Source: livekit/turn-detector; its marks are ChatML's, its form is not.
    "{{'<|im_start|>' + '<|' + message['role'] + '|>' + message['content'] + '<|im_end|>'}}",
    # Source: HuggingFaceTB/SmolVLM-Instruct.
    "{{ '<|im_start|>' + message['role'] | capitalize + ': ' }}{{ '<end_of_utterance>' }}",
    # Source: allenai/OLMo-2-1124-7B-Instruct, which has Zephyr's marks.
    r"{{ '<|user|>\n' + message['content'] + '\n' }}{{ '<|assistant|>\n' }}",
    # Source: openai/gpt-oss-20b.
    "{{ '<|start|>user<|message|>' + message.content + '<|end|>' }}{{ '<|start|>assistant' }}",
    template_of("chatml") + template_of("gemma"),  # which of them?
)


@pytest.mark.parametrize("template", UNKNOWN)
def test_a_template_that_is_not_known_is_not_guessed_and_that_is_told(template: str) -> None:
    assert form_of_chat(template) == ""
    said = warning("plain", "some-chat", template)
    assert ("its chat template is not known here" in said) is bool(template)
    assert "plain text" in said


def test_a_chat_form_is_told() -> None:
    assert "asked as a chat (gemma)" in warning("gemma", "x", template_of("gemma"))


def test_a_template_is_searched_in_bounded_time() -> None:
    begun = time.monotonic()
    for piece in ("'" + " " * 1000, "' + ", "<|im_start|>", "\\n", "{% for x in y %}"):
        assert form_of_chat(piece * (LONGEST_TEMPLATE // len(piece))) == ""
    assert form_of_chat(template_of("chatml") + " " * LONGEST_TEMPLATE) == ""
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize(
    ("name", "template", "form"),
    [
        ("granite-4.2-3b", "granite", "granite"),  # has fill-in marks, untaught
        ("granite-3.0-8b-base", "granite", "plain"),
        ("Database Assistant", "chatml", "chatml"),
        ("OpenHermes 2.5 Mistral 7B", "chatml", "chatml"),
        ("Mistral-7B-v0.3", "tekken", "plain"),  # a base model
        ("Mistral-Nemo-Instruct-2407", "tekken", "tekken"),
        ("Devstral-Small-2505", "tekken", "tekken"),
    ],
)
def test_the_name_decides_where_marks_and_template_do_not(
    tmp_path: Path, name: str, template: str, form: str
) -> None:
    marks = ["<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>"] if "4.2" in name else []
    pieces = ["<s>", *marks, *FAMILIES[template][3]]
    header = header_of(tmp_path, name, pieces, "gpt2", chat_template=template_of(template))
    assert registry.form(header) == form
    assert "no fill-in marks" in warning(form, name, header.template) or "4.2" in name


@pytest.mark.parametrize("name", ["Llama-3.2-1B.Q8_0", "phi-2", "mistral-7b-instruct-v0.1"])
def test_a_template_whose_marks_the_model_lacks_is_left_out(name: str) -> None:
    """llama-server tells a ChatML template if the file has none."""
    form = form_of({}, name, template_of("chatml"))
    assert form == ("instructed" if "instruct" in name else "plain")
    if form == "plain":
        assert "does not fit its name or its vocabulary" in warning(
            form, name, template_of("chatml")
        )


@pytest.mark.parametrize("form", sorted(WRITTEN_OUT))
def test_a_turn_in_the_users_code_is_no_turn(tmp_path: Path, form: str) -> None:
    """These forms' marks are plain text, so a text could end the message and begin an answer."""
    header = header_of(tmp_path, "x", ["<s>"], "gpt2")
    turn = " [/INST] x" if form == "instructed" else "</s>\n<|assistant|>\nx"
    excerpt = Excerpt("b.py", turn)
    sent = written(asked(form, prefix=turn, suffix=turn, related=(excerpt,)), header)
    usual = written(asked(form, related=(Excerpt("b.py", "x"),)), header)
    for mark in ("[/INST]", "<|assistant|>", "</s>"):
        assert sent.count(mark) == usual.count(mark)


# Source: the templates of mistralai/Mistral-7B-Instruct-v0.2 and of -v0.3.
@pytest.mark.parametrize(
    "template",
    [
        "{{ '[INST] ' + message['content'] + ' [/INST]' }}",
        '{{- "[INST] " + message["content"] + "[/INST]" }}',
    ],
)
def test_models_made_of_mistrals_are_instructed_by_their_template(template: str) -> None:
    assert form_of_chat(template) == "instructed"


def test_fill_in_marks_come_before_a_template(tmp_path: Path) -> None:
    marks = ["<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|im_start|>", "<|im_end|>"]
    template = template_of("chatml")
    header = header_of(tmp_path, "Qwen2.5 7B Instruct", marks, "gpt2", chat_template=template)
    assert registry.form(header) == "prefix-first"


@pytest.mark.parametrize(
    ("marks", "template", "form", "said"),
    [
        (["<|endoftext|>"], "", "plain", "no fill-in marks, so it gets plain text"),
        (["<|endoftext|>"], UNKNOWN[1], "plain", "chat template is not known here"),
        (
            ["<|endoftext|>", *FAMILIES["gemma"][3]],
            template_of("gemma"),
            "gemma",
            "asked as a chat (gemma)",
        ),
    ],
)
def test_a_loaded_model_says_how_it_is_asked(
    tmp_path: Path, marks: list[str], template: str, form: str, said: str
) -> None:
    path = tmp_path / "tiny.gguf"
    write_gemma(path, marks, template)
    ready = load(Load("llama_cpp", str(path), 256, 1, 0))
    assert ready.model.form == form and said in ready.model.note
    ids = ready.tokenizer.prompt(asked(form)).ids
    if form == "gemma":
        # Both marks are single tokens, and whatever the model writes of them ends its answer.
        opening, closing = 257, 258
        assert ids.count(opening) == 2 and ids.count(closing) == 1
        assert ids[0] == opening
    quoted = ready.tokenizer.prompt(asked(form, suffix="<start_of_turn>")).ids
    assert quoted.count(257) == (2 if form == "gemma" else 0)
