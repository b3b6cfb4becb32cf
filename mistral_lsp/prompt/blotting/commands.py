"""Finds secrets whose place alone tells: in addresses, headers, commands, and calls that log in."""

from __future__ import annotations

import re

from mistral_lsp.prompt.blotting.line import Line
from mistral_lsp.prompt.blotting.names import Kind, kind
from mistral_lsp.prompt.blotting.values import Manner

_BARE = r"([^\s\"'`|;&<>\\]+)"
_NEXT = r"[ \t]{1,4}"
_STRING = r"(?:\"[^\"\n]{0,200}\"|'[^'\n]{0,200}')"
_LAST = r"(?:\"([^\"\n]{1,200})(?:\"|$)|'([^'\n]{1,200})(?:'|$))"
_SET = r"\\{0,3}[\"']?\]?\s?[:=,]\s?\\{0,3}[\"'`]?"
_USER = r"\\?[\"']?[^\s:\"'/]{1,80}:([^\s\"'`\\]{1,200})"

_PLACES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (part, re.compile(pattern, re.IGNORECASE))
    for part, pattern in (
        # scheme://user:password@host, where a password may have a "/" or "@"; scheme://token@host
        ("://", r"://[^\s/:@\"'`<>?#]{0,200}:(?!\d{1,5}/)([^\s\"'`<>]{1,200})@(?=[\w.{$\[%-])"),
        ("://", r"://(?=[^/@]{0,200}[\d_])([^\s/:@\"'`<>?#]{8,200})@"),
        # HTTP headers
        ("authorization", rf"authorization{_SET}\w{{1,20}}{_NEXT}([^\s\"'`\\]{{3,}})"),
        ("cookie", rf"\b(?:set-)?cookie{_SET}\w[\w.-]{{0,60}}=([^\"'`\\]{{4,}})"),
        # commands
        ("-u", rf"(?<![\w-])-u[ =]?{_USER}"),
        ("-user", rf"(?<![\w-])--(?:proxy-)?user[ =]{_USER}"),
        ("-u", rf"(?<![\w-])-U[ =]?[\"']?[^\s%\"']{{1,80}}%{_BARE}"),
        ("-p", rf"\b(?:mysql|maria)\w{{0,20}}\b[^\n|;]{{0,200}}?[\s\"']-p{_BARE}"),
        ("-p", rf"\b(?:mongo\w{{0,12}}|cqlsh|rdesktop|az)\b[^\n|;]{{0,200}}?\s-p[ ]{_BARE}"),
        ("-p", rf"\b(?:sqlcmd|bcp|osql|mosquitto_\w{{1,9}}|ipmitool|ssh-keygen)\b[^\n|;]{{0,200}}?\s-P[ ]?{_BARE}"),
        ("ssh-keygen", rf"\bssh-keygen\b[^\n|;]{{0,200}}?\s-N[ ]?[\"']?{_BARE}"),
        ("openssl", rf"\bopenssl\b[^\n|;]{{0,200}}?\s-k[ ][\"']?{_BARE}"),
        ("lftp", rf"\blftp\b[^\n|;]{{0,100}}?\s-u[ ][^\s,]{{1,80}},{_BARE}"),
        ("/p", rf"\s/p(?:ass(?:word)?)?:[\"']?{_BARE}"),
        ("_user", rf"\b(?:add_user|createuser){_NEXT}[\w.-]{{1,60}}{_NEXT}[\"']?{_BARE}"),
        ("change_password", rf"\bchange_password{_NEXT}[\w.-]{{1,60}}{_NEXT}[\"']?{_BARE}"),
        ("login=", rf"\blogin=[^\s:]{{1,80}}:{_BARE}"),
        ("stats auth", rf"\bstats{_NEXT}auth{_NEXT}[^\s:]{{1,80}}:{_BARE}"),
        ("<<<", rf"\bchpasswd\b[^\n|;]{{0,60}}?<<<\s?[\"']?\w[\w.-]{{0,60}}:{_BARE}"),
        ("<<<", rf"\b(?:sudo|passwd|login|kinit)\b[^\n|;]{{0,80}}?<<<\s?[\"']?{_BARE}"),
        ("sshpass", rf"\bsshpass{_NEXT}-p[ ]?[\"']?{_BARE}"),
        ("login", rf"\blogin\b[^\n|;]{{0,160}}?\s-p[ ]?[\"']?{_BARE}"),
        ("redis-cli", rf"\bredis-cli\b[^\n|;]{{0,160}}?\s(?:-a|--pass)[ ]{_BARE}"),
        ("ldap", rf"\bldap\w{{1,12}}\b[^\n|;]{{0,200}}?\s-w[ ]?[\"']?{_BARE}"),
        ("zip", rf"\b(?:7z\w?|un)?zip\b[^\n|;]{{0,160}}?\s-P[ ]?{_BARE}"),
        ("7z", rf"\b7z\w?\b[^\n|;]{{0,160}}?\s-p{_BARE}"),
        ("pass:", rf"\bpass:{_BARE}"),
        ("htpasswd", rf"\bhtpasswd{_NEXT}-\w{{0,8}}b\w{{0,8}}\s+\S{{1,200}}\s+\S{{1,80}}\s+{_BARE}"),
        ("sqlplus", rf"\bsqlplus{_NEXT}[\w-]{{1,60}}/([^\s@\"']+)"),
        ("/user:", rf"\bnet{_NEXT}use\b[^\n]{{0,100}}?/user:\S{{1,60}}{_NEXT}{_BARE}"),
        ("net user", rf"\bnet{_NEXT}user{_NEXT}[\w.-]{{1,60}}{_NEXT}(?!/){_BARE}"),
        (
            "|",
            rf"\b(?:echo|printf{_NEXT}\S{{2,9}}){_NEXT}(?:-\w{{1,3}}{_NEXT})?[\"']?([^\s\"'|]{{1,200}})[\"']?\s{{0,4}}\|\s{{0,4}}"
            r"(?:sudo|passwd|docker|podman|helm|gh|glab|kinit|cryptsetup|gpg|openssl|su|vault|base64)\b",
        ),
        ("chpasswd", r"[\"'\s]\w[\w.-]{0,60}:([^\s\"'|]{1,200})[\"']?\s{0,4}\|[\w ]{0,9}chpasswd"),
        ("securestring", rf"ConvertTo-SecureString{_NEXT}(?:-String{_NEXT})?{_LAST}"),
        # what files of logins have, within other files
        ("login", rf"(?:^|machine{_NEXT}\S{{1,100}})\s{{0,8}}login{_NEXT}\S{{1,100}}{_NEXT}password{_NEXT}{_BARE}"),
        (":", r"^[\w.*-]{1,200}:(?:\d{2,5}|\*):[\w*-]{1,60}:[\w*-]{1,60}:([^\s:]+)$"),
        (
            "identified",
            rf"\bidentified{_NEXT}(?:with{_NEXT}\w{{1,40}}{_NEXT})?(?:by|as){_NEXT}(?:password{_NEXT})?{_LAST}",
        ),
        # calls that log in
        ("auth", rf"(?:basic_?auth|authentication|\bauth)\s?(?:=\s?)?\(\s?{_STRING}\s?,\s?{_LAST}"),
        ("authenticate", rf"authenticate\s?\(\s?{_STRING}\s?,\s?{_LAST}"),
        ("login", rf"login\s?\(\s?{_STRING}\s?,\s?{_LAST}"),
        ("sign", rf"sign_?in\s?\(\s?{_STRING}\s?,\s?{_LAST}"),
        ("credential", rf"credentials?\s?\(\s?{_STRING}\s?,\s?{_LAST}"),
        (
            "sql",
            rf"(?:mysqli|mysqli?_connect)\s?\((?:(?:{_STRING}|[^()\"',]{{1,60}})\s?,\s?){{2}}{_LAST}",
        ),
        ("connection", rf"getconnection\s?\((?:(?:{_STRING}|[^()\"',]{{1,60}})\s?,\s?){{2}}{_LAST}"),
        ("wifi", rf"wifi\w{{0,20}}\.begin\s?\((?:{_STRING}|[^()\"',]{{1,60}})\s?,\s?{_LAST}"),
        ("pdo", rf"\bpdo\s?\((?:(?:{_STRING}|[^()\"',]{{1,60}})\s?,\s?){{2}}{_LAST}"),
    )
)
"""What a line has, in small letters, where one of the places may be, and the places."""

_ARGUMENT = rf"(?:{_STRING}|[^()\"',]{{1,60}})"
_CONNECTS = re.compile(rf"(?i)\b(?:connect\w{{0,12}}|ftp)\s?\((?:{_ARGUMENT}\s?,\s?){{2}}{_LAST}")
_INSERTS = re.compile(r"(?i)\binsert\s{1,4}into\s{1,4}[^\s()]{1,80}\s{0,4}\(([^()]{1,400})\)\s{0,4}values\s{0,4}\(")
_VALUE = re.compile(r"\s{0,9}(?:'([^']*)(?:'|$)|\"([^\"]*)(?:\"|$)|[^,'\"()]{0,80})\s{0,9}(,|\)\s{0,4},\s{0,4}\()?")
_HEADER = re.compile(rf"(?i)authorization{_SET}([^\s\"'`\\]{{6,}})")
_SAID = re.compile(
    r"(?i)\b(?:basic|bearer|token|apikey|api-key|ssws|splunk|negotiate|ntlm)[ \t]{1,4}([\w+/=.~-]{8,})"
)
_HALF_LOGIN = re.compile(
    r"://[^\s/:@\"'`<>?#]{0,200}:(?!\d{0,5}(?:$|[/\"'\s]))([^\s/@\"'`<>{$%]{1,200})"
)


def read_places(line: Line, small: str) -> None:
    """Hides what stands where only a secret does; `small` is the line in small letters."""
    for part, pattern in _PLACES:
        if part in small:
            for found in pattern.finditer(line.text):
                group = found.lastindex or 0
                line.hide_if_secret(*found.span(group), Kind.PASSWORD, "", Manner.BARE)
    if "authorization" in small:
        for found in _HEADER.finditer(line.text):
            line.hide_if_secret(*found.span(1), Kind.PASSWORD, "", Manner.PROSE)
    if "connect" in small or "ftp(" in small:
        for found in _CONNECTS.finditer(line.text):
            line.hide_if_secret(*found.span(found.lastindex or 0), Kind.PASSWORD, "", Manner.PROSE)
    inserts = _INSERTS.search(line.text) if "insert" in small else None
    if inserts is not None:
        _read_row(line, inserts)
    for found in _SAID.finditer(line.text):
        line.hide_if_secret(*found.span(1), Kind.KEY, "", Manner.PROSE)
    if line.cursor is not None:
        for found in _HALF_LOGIN.finditer(line.text):
            if line.is_typed(*found.span(1)):
                line.hide_if_secret(*found.span(1), Kind.PASSWORD, "", Manner.BARE)


def _read_row(line: Line, inserts: re.Match[str]) -> None:
    """Hides the values of secret columns: INSERT INTO users (name, password) VALUES ('me', 'it')."""
    columns = [kind(column.strip("`\"[] \t")) for column in inserts[1].split(",")]
    place, number = inserts.end(), 0
    while (found := _VALUE.match(line.text, place)) and number < len(columns):
        quoted = found.lastindex if found[1] is not None or found[2] is not None else 0
        group = 1 if found[1] is not None else 2
        if quoted and columns[number]:
            line.hide_if_secret(*found.span(group), columns[number], "", Manner.QUOTED)
        if not found[3]:
            return
        number = number + 1 if found[3] == "," else 0
        place = found.end()
