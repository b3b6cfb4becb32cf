"""Loads a model into the backend named in the settings, or into the fastest one installed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mistral_lsp.engine.frames import Load
from mistral_lsp.engine.host import states
from mistral_lsp.engine.host.measure import Measured, default_threads, measure
from mistral_lsp.engine.unforeseen import told
from mistral_lsp.inference.backends.base import Backend, Branching
from mistral_lsp.inference.backends.registry import FASTEST_FIRST, Row, installed, rows
from mistral_lsp.inference.decode import Decoder
from mistral_lsp.inference.sequence import Sequence
from mistral_lsp.inference.sizes import most_suffix, read_again, sizes
from mistral_lsp.inference.splice import BRANCHES, Splice
from mistral_lsp.inference.tokenizer import Tokenizer
from mistral_lsp.models import gguf, registry, store
from mistral_lsp.models.forms import SUFFIX_SHARE, reads_suffix_last
from mistral_lsp.models.marks import warning
from mistral_lsp.text.shown import one_line
from mistral_lsp.types import EngineError, LoadedModel

MISSING_CONTEXT = 4096
"""The training context, in tokens, assumed if a model's header does not state one."""
MARKS = 64
"""Extra room in the KV cache, in tokens.

It is for the suffix's marks, and for new tokens until the tokens that they replace are removed.
"""
SMALLEST_WINDOW = 64
"""The smallest window in tokens. Below 8, llama.cpp aborts. Even 64 are too few for a prompt."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A loaded model with its tokenizer, sequence and decoder."""

    model: LoadedModel
    tokenizer: Tokenizer
    sequence: Sequence
    decoder: Decoder
    backend: Backend
    identity: str = ""
    """Identifies the model in KV states on disk; "" if its states can't be kept."""

    def leave(self, remember: bool) -> None:
        """Writes the KV states to disk if `remember` is set; otherwise erases all states there."""
        if remember and self.identity and self.backend.can_save:
            states.write(self.identity, self.sequence.states())
        else:
            states.erase()


def load(wanted: Load) -> Ready:
    """Loads the model. Raises UserError if the model's file or the engine is unsuitable."""
    if wanted.engine == "scripted":
        return _scripted(wanted)
    path = store.locate(wanted.model)
    header = gguf.read_header(path)
    trained = header.context_length or MISSING_CONTEXT
    window = max(SMALLEST_WINDOW, min(wanted.window or registry.window(header), trained))
    backend, note = _backend(wanted, path, window, header.old_flaw)
    tokenizer = Tokenizer(backend, header.specials)
    measured = measure(backend, tokenizer, path, wanted.threads)
    form = registry.form(header, path.name)
    sequence = _sequence(backend, form, window, measured)
    decoder = Decoder(sequence, header.controls, tokenizer.beginning)
    first, working = sizes(measured.reading_rate, window, bool(wanted.window))
    if not backend.can_rewind and not wanted.window:
        working = first  # each key reads all of it
    can_splice = isinstance(sequence, Splice)
    suffix = window if can_splice else most_suffix(measured.reading_rate)
    keys = _note_on_keys(backend, form, can_splice, suffix)
    advice = warning(form, header.name or path.name, header.template)
    model = LoadedModel(
        engine=backend.name,
        model=header.name or one_line(path.name),
        form=form,
        window=window,
        first_window=first if backend.can_save else working,
        working_window=working,
        note=" ".join(filter(None, [note, advice, keys])),
        can_abort=backend.can_abort,
        can_search=True,
        can_splice=can_splice,
        most_suffix=suffix,
    )
    identity = f"{backend.name} {path.name} {path.stat().st_size} {path.stat().st_mtime_ns}"
    if wanted.remember_windows and backend.can_save:
        sequence.remember(states.read(identity))
    return Ready(model, tokenizer, sequence, decoder, backend, identity)


def _sequence(backend: Backend, form: str, window: int, measured: Measured) -> Sequence:
    """Creates the kind of sequence that reads the fewest tokens per keystroke."""
    rates = (measured.threads, measured.reading_rate)
    if not reads_suffix_last(form) or not isinstance(backend, Branching):
        return Sequence(backend, *rates)
    more = int(window * SUFFIX_SHARE) + MARKS
    if not backend.make_branches(len(BRANCHES), more):
        return Sequence(backend, *rates)
    return Splice(backend, *rates)


def _note_on_keys(backend: Backend, form: str, can_splice: bool, suffix: int) -> str:
    """Gives a sentence on a keystroke's work besides reading its new tokens; "" for none."""
    if not backend.can_rewind:
        return (
            "This model has recurrent layers, which can't go back: each key reads the whole prompt "
            "again, so its window is small. A model without them answers faster."
        )
    if not reads_suffix_last(form):
        return ""
    if can_splice:
        return "The suffix is moved at each key, not read again."
    return f"{read_again(suffix)} This engine can't move them for this model."


def _backend(wanted: Load, path: Path, window: int, old_flaw: str) -> tuple[Backend, str]:
    """Opens a backend; gives the backend, and a sentence that explains the choice."""
    choices = [wanted.engine] if wanted.engine != "auto" else installed()
    if not choices:
        ways = " or ".join(row.install for row in rows().values())
        raise EngineError(f"No engine is installed. Run {ways}.")
    refusals = []
    for name in choices:
        try:
            row = _row(name)
            if row.reads_old_files_only and old_flaw:
                raise EngineError(
                    f"{name} can't load {path}: {old_flaw}. {FASTEST_FIRST[0].install} brings "
                    "an engine that reads more."
                )
            with told(f"The engine {name}"):
                threads = wanted.threads or default_threads()
                backend = row.open(path, window, threads, wanted.gpu_layers)
        except EngineError as error:
            refusals.append(str(error))
            continue
        why = "asked for" if wanted.engine != "auto" else "the fastest installed"
        return backend, " ".join([f"{name}: {why}.", *refusals])
    raise EngineError(" ".join(refusals))


def _row(name: str) -> Row:
    row = rows().get(name)
    if row is None:
        raise EngineError(f"There is no engine {name!r}. There are: {', '.join(rows())}.")
    return row


def _scripted(wanted: Load) -> Ready:
    from mistral_lsp.inference.backends import scripted

    backend = scripted.Scripted(scripted.read_script())
    controls = frozenset(scripted.SPECIALS.values())
    window = wanted.window or registry.DEFAULT_WINDOW
    model = LoadedModel(
        engine="scripted",
        model="script",
        form="suffix-first",
        window=window,
        first_window=window,
        working_window=window,
        note="scripted: asked for.",
        can_search=True,
    )
    tokenizer = Tokenizer(backend, scripted.SPECIALS, heals=False)
    sequence = Sequence(backend)
    return Ready(model, tokenizer, sequence, Decoder(sequence, controls), backend)
