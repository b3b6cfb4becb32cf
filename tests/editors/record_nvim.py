"""Makes the animation of the plugin's README: a real Neovim with the embedded model.

Run as `python -m tests.editors.record_nvim editors/nvim/media/ghost-text.gif`.

Needs tmux, Pillow and the font DejaVu Sans Mono. The last two come with matplotlib.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont
from rich.color import Color
from rich.console import Console
from rich.text import Text

from tests.editors.nvim_driver import PLUGIN, find_neovim
from tests.editors.terminal import Terminal

SHOWN_LINES = 15
SIZE = 15
FRAME_SECONDS = 0.05
BACKGROUND, FOREGROUND = "#14161b", "#e0e2ea"

CODE = '''\
class Stack:
    """A stack of numbers."""

    def __init__(self):
        self.items = []

    def push(self, item):
        self.items.append(item)

    def pop(self):
        return self.items.pop()

'''
INIT = """
vim.g.loaded_python3_provider = 0
vim.o.swapfile, vim.o.ruler, vim.o.showmode, vim.o.showcmd = false, false, false, false
vim.o.laststatus, vim.o.termguicolors = 0, true
vim.opt.runtimepath:prepend("%s")
require("mistral_lsp").setup({ cmd = { "%s", "-m", "mistral_lsp" } })
"""
# What is typed, and for how long the picture then goes on.
STEPS = [
    ("G", "o    def ", 1.0),
    ("", "size(self):", 1.2),
    ("Enter", "", 1.5),
    ("C-Right", "", 0.8),
    ("Tab", "", 1.0),
    ("Enter", "", 1.5),
]


class Painter:
    """Draws a terminal's screen as a picture."""

    def __init__(self) -> None:
        path = font_manager.findfont("DejaVu Sans Mono")
        self.font = ImageFont.truetype(path, SIZE)
        self.cell = (self.font.getlength("M"), SIZE + 4)
        self.console = Console(color_system="truecolor")

    def paint(self, styled: str, cursor: tuple[int, int]) -> Image.Image:
        """Draws a screen from tmux's text with escape sequences. The cursor is a bar."""
        width, height = self.cell
        image = Image.new("RGB", (int(80 * width) + 16, SHOWN_LINES * height + 16), BACKGROUND)
        draw = ImageDraw.Draw(image)
        for row, line in enumerate(styled.splitlines()[:SHOWN_LINES]):
            text = Text.from_ansi(line)
            for column, character in enumerate(text.plain):
                style = text.get_style_at_offset(self.console, column)
                colour = _hex(style.color) or FOREGROUND
                place = (8 + column * width, 8 + row * height)
                draw.text(place, character, colour, self.font)
        left, top = 8 + cursor[0] * width, 8 + cursor[1] * height
        draw.rectangle((left, top, left + 1, top + height - 2), FOREGROUND)
        return image


def _hex(colour: Color | None) -> str | None:
    if colour is None or colour.is_default:
        return None
    return colour.get_truecolor().hex


def record(target: Path) -> None:
    """Types the example in Neovim, and writes the animated screens to `target`."""
    with tempfile.TemporaryDirectory(prefix="mistral-lsp-") as folder:
        home = Path(folder)
        (home / "stack.py").write_text(CODE)
        (home / "init.lua").write_text(INIT % (PLUGIN, sys.executable))
        own = {"PYTHONPATH": os.pathsep.join(sys.path), "COLORTERM": "truecolor"}
        neovim = find_neovim()
        assert neovim, "install Neovim, or name it by MISTRAL_LSP_NVIM"
        editor = Terminal([neovim, "--clean", "-u", "init.lua", "stack.py"], home, own)
        try:
            editor.wait(lambda screen: "class Stack" in screen[0])
            time.sleep(20)  # the first load of a model measures the machine
            frames = play(editor)
        finally:
            editor.close()
    target.parent.mkdir(parents=True, exist_ok=True)
    images, durations = merged(frames)
    images[0].save(
        target, save_all=True, append_images=images[1:], duration=durations, loop=0, optimize=True
    )


Frame = tuple[float, str, tuple[int, int]]


def play(editor: Terminal) -> list[Frame]:
    """Types at a person's pace; gives the screens, with the time of each."""
    frames: list[Frame] = []

    def look(seconds: float) -> None:
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            frames.append((time.perf_counter(), editor.styled_screen(), editor.cursor()))
            time.sleep(FRAME_SECONDS)

    for key, text, seconds in STEPS:
        if key:
            editor.keys(key)
            look(0.1)
        for character in text:
            editor.type(character)
            look(0.12)
        look(seconds)
    return frames


def merged(frames: list[Frame]) -> tuple[list[Image.Image], list[int]]:
    """Draws equal successive screens once; gives the images and their durations in ms."""
    painter = Painter()
    images: list[Image.Image] = []
    starts: list[float] = []
    last: tuple[str, tuple[int, int]] | None = None
    for at, screen, cursor in frames:
        if (screen, cursor) != last:
            images.append(painter.paint(screen, cursor).quantize(64))
            starts.append(at)
            last = (screen, cursor)
    ends = [*starts[1:], frames[-1][0] + 1.5]
    return images, [round((end - start) * 1000) for start, end in zip(starts, ends)]


if __name__ == "__main__":
    record(Path(sys.argv[1]))
