"""Parses the command line and runs the command that it names."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mistral_lsp import __version__, config
from mistral_lsp.system.memory import no_garbage
from mistral_lsp.text import shown
from mistral_lsp.types import UserError

logger = logging.getLogger(__name__)

LEVELS = ("debug", "info", "warning", "error")

Record = dict[str, Any]
"""The result of a command, in types that JSON can represent."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and gives the exit code. A UserError becomes a message on stderr."""
    options = _parser().parse_args(arguments)
    _start_log(options)
    try:
        return asyncio.run(_run(options))
    except UserError as error:
        sys.stderr.write(f"mistral-lsp: {error}\n")
        return 2
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mistral-lsp",
        description="Ghost text from a model on your own machine. No command: serve an editor.",
    )
    parser.add_argument("--version", action="version", version=f"mistral-lsp {__version__}")
    parser.set_defaults(run=_serve, tcp=None)
    _add_settings(parser, argparse.SUPPRESS)
    _add_tcp(parser)
    commands = parser.add_subparsers(title="commands")
    serve = commands.add_parser("serve", help="serve an editor over stdin and stdout")
    _add_tcp(serve)
    serve.set_defaults(run=_serve)
    _add_settings(serve, argparse.SUPPRESS)
    for name, run, purpose in (
        ("complete", _complete, "complete at FILE:LINE:COL (from 1)"),
        ("explain", _explain, "show the prompt for FILE:LINE:COL, part by part"),
        ("trace", _trace, "show what happens when at FILE:LINE:COL"),
    ):
        command = commands.add_parser(name, help=purpose)
        command.add_argument("place", metavar="FILE:LINE:COL")
        command.add_argument("--json", action="store_true", help="print one JSON object")
        command.set_defaults(run=run)
        _add_settings(command, argparse.SUPPRESS)
    doctor = commands.add_parser("doctor", help="check this machine and this installation")
    doctor.add_argument("--json", action="store_true", help="print one JSON object")
    doctor.add_argument("--bundle", metavar="FILE", help="write a report for a bug; no code in it")
    doctor.set_defaults(run=_doctor)
    _add_settings(doctor, argparse.SUPPRESS)
    _add_models(commands.add_parser("models", help="list, download and choose models"))
    demo = commands.add_parser("demo", help="show ghost text in this terminal")
    demo.set_defaults(run=_demo)
    _add_settings(demo, argparse.SUPPRESS)
    return parser


def _add_tcp(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--tcp",
        metavar="[HOST:]PORT",
        help="serve over TCP, on loopback unless told; clients bring the token of "
        "MISTRAL_LSP_TOKEN, or of a file that stderr names, in initializationOptions.token",
    )


def _add_models(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(title="actions", required=True)
    lists = actions.add_parser("list", help="known models, and which of them are here")
    lists.add_argument("--json", action="store_true", help="print one JSON object")
    lists.set_defaults(run=_list_models)
    for name, purpose in (
        ("pull", "download; goes on where an earlier download broke off"),
        ("verify", "check the file against its sum"),
        ("remove", "delete the file"),
        ("use", "take this model from now on; also a GGUF file's path"),
    ):
        action = actions.add_parser(name, help=purpose)
        action.add_argument("model")
        action.set_defaults(run=_manage_model, action=name)


def _add_settings(parser: argparse.ArgumentParser, default: Any) -> None:
    """Adds options for settings. Their values override the settings from all other sources."""
    group = parser.add_argument_group("settings")
    group.add_argument(
        "--engine",
        type=_engine,
        default=default,
        help=f"what runs the model: {', '.join(config.ENGINES)}, or one that a package has added",
    )
    group.add_argument("--model", default=default, help="a downloaded one, or a GGUF file")
    group.add_argument("--window", type=int, default=default, help="tokens of prompt and answer")
    group.add_argument("--threads", type=int, default=default, help="threads that compute")
    group.add_argument("--log-file", default=default, help="write the log there, not to stderr")
    group.add_argument("--log-level", choices=LEVELS, default=default, help="default: warning")


def _engine(name: str) -> str:
    try:
        return config.check_engine(name)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


async def _run(options: argparse.Namespace) -> int:
    asyncio.get_running_loop().set_exception_handler(_log_unforeseen)
    code: int = await options.run(options)
    return code


def _log_unforeseen(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Logs an exception in a task that nobody awaits.

    Unlike asyncio's own handler, it leaves out the exception's message, which may contain code.
    """
    logger.error("%s", context["message"], exc_info=context.get("exception"))


def _start_log(options: argparse.Namespace) -> None:
    log_file = getattr(options, "log_file", None)
    handler = logging.FileHandler(log_file) if log_file else logging.StreamHandler()
    handler.setFormatter(shown.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    level = getattr(options, "log_level", "warning").upper()
    logging.basicConfig(handlers=[handler], level=level, force=True)
    # pygls logs messages and exceptions, which contain the user's code.
    logging.getLogger("pygls").setLevel(logging.CRITICAL)
    logging.getLogger("asyncio").setLevel(logging.WARNING)


def _overrides(options: argparse.Namespace) -> Mapping[str, Any]:
    """Gives the settings from the command line. Raises UserError for an invalid value."""
    given = {
        key: getattr(options, key)
        for key in ("engine", "model", "window", "threads")
        if getattr(options, key, None) is not None
    }
    settings, problems = config.read(given, config.Settings(), Path.cwd())
    if problems:
        raise UserError(" ".join(problems))
    chosen = {key: getattr(settings, key) for key in given}
    # A model named here is wanted, not the server that other settings name.
    return chosen if "engine" in given or "model" not in given else {**chosen, "httpUrl": ""}


async def _serve(options: argparse.Namespace) -> int:
    with no_garbage():
        from mistral_lsp.server.serve import serve_standard_streams, serve_tcp

    overrides = _overrides(options)
    if options.tcp is None:
        return await serve_standard_streams(overrides)
    host, _, port = options.tcp.rpartition(":")
    if not port.isdecimal():
        raise UserError(f"--tcp wants HOST:PORT or PORT, not {options.tcp!r}.")
    return await serve_tcp(host.strip("[]") or "127.0.0.1", int(port), overrides)


async def _complete(options: argparse.Namespace) -> int:
    from mistral_lsp.commands import one_request

    async with one_request.opened(options.place, _overrides(options)) as (request, workbench):
        result = await one_request.complete(request, workbench)
    _tell(result, options, _print_answer)
    return 0


def _print_answer(result: Record) -> None:
    if result["text"]:
        sys.stdout.write(result["text"] + "\n")
    else:
        sys.stderr.write(f"nothing: {result['reason']}\n")


def _tell(result: Record, options: argparse.Namespace, show: Callable[[Record], None]) -> None:
    """Prints a command's result: as one JSON object with --json, and otherwise by `show`."""
    if options.json:
        sys.stdout.write(json.dumps(result) + "\n")
    else:
        show(result)


async def _explain(options: argparse.Namespace) -> int:
    from mistral_lsp.commands import one_request
    from mistral_lsp.completion import explain

    async with one_request.opened(options.place, _overrides(options)) as (request, workbench):
        result = await explain.explain(request, workbench)
    _tell(result, options, one_request.print_explanation)
    return 0


async def _trace(options: argparse.Namespace) -> int:
    from mistral_lsp.commands import one_request, trace

    async with one_request.opened(options.place, _overrides(options)) as (request, workbench):
        result = await trace.follow(request, workbench)
    _tell(result, options, trace.print_trace)
    return 0


async def _doctor(options: argparse.Namespace) -> int:
    from mistral_lsp.commands import doctor

    findings = await doctor.examine(_overrides(options))
    if options.bundle:
        from mistral_lsp.commands import bundle

        bundle.write(findings, Path(options.bundle))
        sys.stdout.write(f"{options.bundle} can be attached to a bug; look through it before.\n")
        return 0
    _tell(findings, options, doctor.print_findings)
    return 0 if not findings["problems"] else 1


async def _list_models(options: argparse.Namespace) -> int:
    from mistral_lsp.commands import models

    if options.json:
        sys.stdout.write(json.dumps({"models": models.listed()}) + "\n")
    else:
        models.print_list(models.listed())
    return 0


async def _manage_model(options: argparse.Namespace) -> int:
    from mistral_lsp.commands import models

    if options.action == "pull":
        with models.shown_progress(options.model) as progress:
            path = models.pull(options.model, progress)
        sys.stdout.write(f"{path}\nTo take it: mistral-lsp models use {options.model}\n")
    elif options.action == "verify":
        sys.stdout.write(f"{models.verify(options.model)} is as it was published.\n")
    elif options.action == "remove":
        sys.stdout.write(f"{models.remove(options.model)} is gone.\n")
    else:
        path = models.use(options.model)
        sys.stdout.write(f"{path} now names {options.model}.{models.other_in_use()}\n")
    return 0


async def _demo(options: argparse.Namespace) -> int:
    from mistral_lsp.commands import demo

    return await demo.show(Path(__file__).with_name("document.py"), _overrides(options))
