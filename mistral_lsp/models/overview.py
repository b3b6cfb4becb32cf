"""Describes the known models to the user: their sizes, and which are here, in use, or too large."""

from __future__ import annotations

from typing import Any

import psutil

from mistral_lsp.models import registry, store
from mistral_lsp.models.marks import warning
from mistral_lsp.system import processor


def listed(used: str | None) -> list[dict[str, Any]]:
    """Describes each known model.

    `used` is the name or the path of the model in use; "" is the embedded model. None means that no
    model of this machine is in use. A model fits if the memory of the machine or that of its GPUs
    can hold it.
    """
    name_in_use = None if used is None else store.known_name(used)
    memory = max(psutil.virtual_memory().total / 1e9, processor.gpu_memory())
    return [
        {
            "name": name,
            "parameters": entry.parameters,
            "gigabytes": entry.gigabytes,
            "licence": entry.licence,
            "form": entry.form,
            "window": entry.window or None,
            "warning": warning(entry.form, entry.model),
            "here": name == registry.EMBEDDED or store.file_of(name).is_file(),
            "used": name == name_in_use,
            "fits": entry.fits(memory),
        }
        for name, entry in registry.entries().items()
    ]
