"""Finds secrets by their place alone: in addresses, headers, commands and login calls."""

from __future__ import annotations

import re

from mistral_lsp.prompt.blotting.line import Line
from mistral_lsp.prompt.blotting.names import Kind, kind
from mistral_lsp.prompt.blotting.values import Manner

_NEXT = r"[ \t]{1,4}"
_BARE = r"[\"']?([^\s\"'`|;&<>\\]+)"
_SET = r"\\{0,3}[\"']?\]?\s?[:=,]\s?\\{0,3}[\"'`]?"
_STRING = r"(?:\"[^\"\n]{0,200}\"|'[^'\n]{0,200}')"
_ARGUMENT = rf"(?:{_STRING}|[^()\"',]{{1,60}})\s?,\s?"
_LAST = r"(?:\"([^\"\n]{1,200})(?:\"|$)|'([^'\n]{1,200})(?:'|$))"

_PIPED = (
    r"[\"']?\s{0,4}\|\s?"
    r"(?:sudo|passwd|docker|podman|helm|gh|glab|kinit|cryptsetup|gpg|openssl|su|vault|base64)\b"
)

_OPTIONS = (
    ("-p", "(?:mysql|maria)\\w{0,20}|7z\\w?", "-p"),
    ("-p", "mongo\\w{0,12}|cqlsh|rdesktop|az|sshpass|login", "-p ?"),
    ("-p", "sqlcmd|bcp|osql|mosquitto_\\w{1,9}|ipmitool|ssh-keygen|zip|unzip", "-P ?"),
    ("-n", "ssh-keygen", "-N "),
    ("-k", "openssl", "-k "),
    ("-a", "redis-cli", "-a "),
    ("-w", "ldap\\w{1,12}", "-w ?"),
    ("-u", "lftp", "-u [^\\s,]{1,80},"),
    ("/user:", "net use", "/user:\\S{1,60} {1,4}"),
    ("<<<", "sudo|passwd|login|kinit", "<<< ?"),
    ("<<<", "chpasswd", "<<< ?[\"']?\\w[\\w.-]{0,60}:"),
    ("-b", "htpasswd", "-\\w{0,8}b\\w{0,8}\\s\\S{1,200}\\s\\S{1,80}\\s"),
)
"""Options of commands that are followed by a password. Each has a lower-case text that is in all
lines with the option, the pattern of the command, and the pattern of the text before the password.
"""
_PLACES = (
    # The password in an address may have a "/" or "@". A token may stand alone before the "@".
    ("://", r"://[^\s/:@\"'`<>?#]{0,200}:(?!\d{1,5}/)([^\s\"'`<>]{1,200})@(?=[\w.{$\[%-])"),
    ("://", r"://(?=[^/@]{0,200}[\d_])([^\s/:@\"'`<>?#]{8,200})@"),
    ("authorization", rf"authorization{_SET}\w{{1,20}}{_NEXT}([^\s\"'`\\]{{3,}})"),
    ("cookie", rf"\b(?:set-)?cookie{_SET}\w[\w.-]{{0,60}}=([^\"'`\\]{{4,}})"),
    ("-u", r"(?<![\w-])-u[ =]?\\?[\"']?[^\s:\"'/]{1,80}:([^\s\"'`\\]{1,200})"),
    ("-u", r"(?<![\w-])--(?:proxy-)?user[ =]\\?[\"']?[^\s:\"'/]{1,80}:([^\s\"'`\\]{1,200})"),
    ("-u", rf"(?<![\w-])-U[ =]?[\"']?[^\s%\"']{{1,80}}%{_BARE}"),
    ("/p", rf"\s/p(?:ass(?:word)?)?:{_BARE}"),
    ("pass:", rf"\bpass:{_BARE}"),
    ("login=", rf"\blogin=[^\s:]{{1,80}}:{_BARE}"),
    ("stats auth", rf"\bstats{_NEXT}auth{_NEXT}[^\s:]{{1,80}}:{_BARE}"),
    ("net user", rf"\bnet{_NEXT}user{_NEXT}[\w.-]{{1,60}}{_NEXT}(?!/){_BARE}"),
    ("_user", rf"\b(?:add_user|createuser){_NEXT}[\w.-]{{1,60}}{_NEXT}{_BARE}"),
    ("change_pass", rf"\bchange_password{_NEXT}[\w.-]{{1,60}}{_NEXT}{_BARE}"),
    ("sqlplus", rf"\bsqlplus{_NEXT}[\w-]{{1,60}}/([^\s@\"']+)"),
    ("echo", rf"\becho{_NEXT}(?:-\w{{1,3}}{_NEXT})?{_BARE}{_PIPED}"),
    ("printf", rf"\bprintf{_NEXT}\S{{2,9}}{_NEXT}{_BARE}{_PIPED}"),
    ("chpasswd", r"[\"'\s]\w[\w.-]{0,60}:([^\s\"'|]{1,200})[\"']?\s{0,4}\|[\w ]{0,9}chpasswd"),
    ("securestring", rf"ConvertTo-SecureString{_NEXT}(?:-String{_NEXT})?{_LAST}"),
    # Entries of login files, within other files
    (
        "login",
        rf"(?:^|machine{_NEXT}\S{{1,100}})\s{{0,8}}login{_NEXT}\S{{1,100}}{_NEXT}password{_NEXT}{_BARE}",
    ),
    (":", r"^[\w.*-]{1,200}:(?:\d{2,5}|\*):[\w*-]{1,60}:[\w*-]{1,60}:([^\s:]+)$"),
    (
        "identified",
        rf"\bidentified{_NEXT}(?:with{_NEXT}\w{{1,40}}{_NEXT})?"
        rf"(?:by|as){_NEXT}(?:password{_NEXT})?{_LAST}",
    ),
    # Login calls
    (
        "auth",
        rf"(?:basic_?auth|authentication|authenticate|\bauth)\s?(?:=\s?)?"
        rf"\(\s?{_STRING}\s?,\s?{_LAST}",
    ),
    *(
        (part, rf"(?:login|sign_?in|credentials?)\s?\(\s?{_STRING}\s?,\s?{_LAST}")
        for part in ("login", "sign", "credential")
    ),
    ("wifi", rf"wifi\w{{0,20}}\.begin\s?\({_ARGUMENT}{_LAST}"),
    *(
        (part, rf"(?:\bpdo|mysqli|mysqli?_connect|getconnection)\s?\((?:{_ARGUMENT}){{2}}{_LAST}")
        for part in ("pdo", "mysql", "getconnection")
    ),
)
"""Places that contain a secret. Each has a lower-case text that is in all lines with such a place,
and a pattern whose group is the secret.
"""
_MAYBE = (
    ("authorization", rf"authorization{_SET}([^\s\"'`\\]{{6,}})"),
    ("connect", rf"\bconnect\w{{0,12}}\s?\((?:{_ARGUMENT}){{2}}{_LAST}"),
    ("ftp", rf"\bftp\s?\((?:{_ARGUMENT}){{2}}{_LAST}"),
)
"""Places that often contain a secret, in the same form as those in _PLACES."""

_SURE = (
    *(
        (part, re.compile(rf"\b(?:{command})\b[^\n|;]{{0,200}}?[\s\"']{option}{_BARE}"))
        for part, command, option in _OPTIONS
    ),
    *((part, re.compile(place, re.IGNORECASE)) for part, place in _PLACES),
)
_UNSURE = tuple((part, re.compile(place, re.IGNORECASE)) for part, place in _MAYBE)
_SAID = re.compile(
    r"(?i)\b(?:basic|bearer|token|api-?key|ssws|splunk|negotiate|ntlm)[ \t]{1,4}([\w+/=.~-]{8,})"
)
"""Matches a word such as `bearer`. The group is the text after it, which may be a key."""
_BEGUN_ADDRESS = re.compile(
    r"://[^\s/:@\"'`<>?#]{0,200}:(?!\d{0,5}(?:$|[/\"'\s]))([^\s/@\"'`<>{$%]{1,200})"
)
_ROWS = re.compile(
    r"(?i)\binsert\s{1,4}into\s{1,4}[^\s()]{1,80}\s{0,4}\(([^()]{1,400})\)\s{0,4}values\s{0,4}\("
)
_FIELD = re.compile(
    r"\s{0,9}(?:'([^']*)(?:'|$)|\"([^\"]*)(?:\"|$)|[^,'\"()]{0,80})\s{0,9}(,|\)\s{0,4},\s{0,4}\()?"
)


def read_places(line: Line, small: str) -> None:
    """Hides the secrets recognised by their place. `small` is the line in lower case."""
    for places, manner in ((_SURE, Manner.BARE), (_UNSURE, Manner.PROSE)):
        for part, place in places:
            if part in small:
                _hide_all(line, place, Kind.PASSWORD, manner)
    _hide_all(line, _SAID, Kind.KEY, Manner.PROSE)
    if "insert" in small:
        for rows in _ROWS.finditer(line.text):
            _read_rows(line, rows)
    if line.cursor is not None:
        for begun in _BEGUN_ADDRESS.finditer(line.text):
            if line.is_typed(*begun.span(1)):
                line.hide(*begun.span(1))


def _hide_all(line: Line, place: re.Pattern[str], kind: Kind, manner: Manner) -> None:
    for found in place.finditer(line.text):
        line.hide_if_secret(*found.span(found.lastindex or 0), kind, manner)


def _read_rows(line: Line, rows: re.Match[str]) -> None:
    """Hides the values of secret columns in SQL.

    An example is `INSERT INTO a (name, password) VALUES ('me', 'it')`.
    """
    columns = [kind(column.strip('`"[] \t')) for column in rows[1].split(",")]
    place, column = rows.end(), 0
    while column < len(columns) and (field := _FIELD.match(line.text, place)):
        for group in (1, 2):
            if columns[column] and field[group]:
                line.hide_if_secret(*field.span(group), columns[column], Manner.QUOTED)
        if not field[3]:
            return
        column = column + 1 if field[3] == "," else 0
        place = field.end()
