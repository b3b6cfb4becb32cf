"""Lists the signatures of the definitions around the place where the prompt's window starts."""

from __future__ import annotations

from mistral_lsp.document import Snapshot


def introduce(snapshot: Snapshot, anchor: int) -> str:
    """Gives the signatures of the definitions around `anchor`, outermost first.

    They tell the model, for example, in which class the window starts.
    """
    if snapshot.tree is None or anchor == 0:
        return ""
    lines = []
    covered = -1
    for scope in snapshot.tree.scopes(anchor):
        header = scope.header
        if header.start >= anchor or header.start < covered:
            continue
        covered = header.end
        line_start = snapshot.text.rfind("\n", 0, header.start) + 1
        lines.append(snapshot.text[line_start : min(header.end, anchor)].rstrip())
    return "\n".join(lines)
