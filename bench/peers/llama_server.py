"""Runs llama.cpp's own HTTP server, from the wheel xllamacpp, until it is killed.

The options follow llama.vim's documentation: batches of 1,024 tokens, reuse of moved cache chunks
of at least 256 tokens, the model's own context, and one slot. With more slots, the slots share the
context.
"""

from __future__ import annotations

import argparse
import threading


def main() -> None:
    """Serves until the process is killed."""
    import xllamacpp

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--context", type=int, default=0, help="0: the model's own")
    parser.add_argument("--slots", type=int, default=1, help="prompts that it works at together")
    options = parser.parse_args()
    params = xllamacpp.CommonParams()
    params.model.path = options.model
    params.hostnames = ["127.0.0.1"]
    params.port = options.port
    params.n_ctx = options.context
    params.n_batch = params.n_ubatch = 1024
    params.n_cache_reuse = 256
    params.n_parallel = options.slots
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = options.threads
    params.endpoint_metrics = True
    server = xllamacpp.Server(params)
    assert server.listening_address.endswith(f":{options.port}")
    threading.Event().wait()


if __name__ == "__main__":
    main()
