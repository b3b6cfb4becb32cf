"""Finds secrets whose place alone tells: in addresses, headers, commands, and calls that log in."""

from __future__ import annotations

import re

from mistral_lsp.prompt.blotting.line import Line
from mistral_lsp.prompt.blotting.names import Kind
from mistral_lsp.prompt.blotting.values import Manner

_BARE = r"([^\s\"'`|;&<>\\]+)"
_STRING = r"(?:\"[^\"\n]{0,200}\"|'[^'\n]{0,200}')"
_LAST = r"(?:\"([^\"\n]{1,200})(?:\"|$)|'([^'\n]{1,200})(?:'|$))"

_PLACES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (hint, re.compile(pattern))
    for hint, pattern in (
        # scheme://user:password@host, where a password may have a "/" or "@"; scheme://token@host
        ("://", r"://[^\s/:@\"'`<>?#]{0,200}:(?!\d{1,5}/)([^\s\"'`<>]{1,200})@(?=[\w.{$\[%-])"),
        ("://", r"://(?=[^/@]{0,200}[\d_])([^\s/:@\"'`<>?#]{8,200})@"),
        # HTTP headers
        ("uthorization", r"(?i)authorization\W{1,8}(?:\w{1,20}[ \t]{1,4}){0,2}([^\s\"'`\\]{3,})"),
        ("ookie", r"(?i)\b(?:set-)?cookie\\?[\"']?\s?[:,]\s?\\?[\"']?\w[\w.-]{0,60}=([^\s\"'`;\\]{4,})"),
        # commands
        ("-u", r"(?<![\w-])-u[ =]?\\?[\"']?[^\s:\"'/]{1,80}:([^\s\"'`\\]{1,200})"),
        ("-user", r"(?<![\w-])--(?:proxy-)?user[ =]\\?[\"']?[^\s:\"'/]{1,80}:([^\s\"'`\\]{1,200})"),
        ("-U", rf"(?<![\w-])-U[ =]?[\"']?[^\s%\"']{{1,80}}%{_BARE}"),
        ("-p", rf"\b(?:mysql|maria)\w*\b[^\n|;]{{0,200}}?\s-p{_BARE}"),
        ("-p", rf"\bsshpass\s{{1,4}}-p[ ]?[\"']?{_BARE}"),
        ("-p", rf"\blogin\b[^\n|;]{{0,160}}?\s-p[ ]?[\"']?{_BARE}"),
        ("-a", rf"\bredis-cli\b[^\n|;]{{0,160}}?\s(?:-a|--pass)[ ]{_BARE}"),
        ("-w", rf"\bldap\w{{1,12}}\b[^\n|;]{{0,200}}?\s-w[ ]?[\"']?{_BARE}"),
        ("-", rf"\b(?:7z\w?|zip|unzip|rar|unrar|qpdf|pdftk)\b[^\n|;]{{0,160}}?\s-{{1,2}}[pP](?:assword=?)?[ ]?{_BARE}"),
        ("pass:", rf"\bpass:{_BARE}"),
        ("htpasswd", rf"\bhtpasswd\s{{1,4}}-\w{{0,8}}b\w{{0,8}}\s+\S{{1,200}}\s+\S{{1,80}}\s+{_BARE}"),
        ("sqlplus", r"\bsqlplus\s{1,4}[\w-]{1,60}/([^\s@\"']+)"),
        ("net", rf"(?i)\bnet\s{{1,4}}use[r]?\b[^\n]{{0,100}}?/user:\S{{1,60}}\s{{1,4}}{_BARE}"),
        ("net ", rf"(?i)\bnet\s{{1,4}}user\s{{1,4}}[\w.-]{{1,60}}\s{{1,4}}(?!/){_BARE}"),
        ("echo", r"\b(?:echo|printf)\s{1,4}(?:-\w{1,3}\s{1,4})?[\"']?([^\s\"'|]{1,200})[\"']?\s{0,4}\|\s{0,4}"
                 r"(?:sudo|passwd|docker|podman|helm|gh|glab|kinit|cryptsetup|gpg|openssl|su|vault|base64)\b"),
        ("chpasswd", r"[\"'\s]\w[\w.-]{0,60}:([^\s\"'|]{1,200})[\"']?\s{0,4}\|\s{0,4}(?:sudo\s{1,4})?chpasswd"),
        ("ConvertTo-SecureString", rf"ConvertTo-SecureString\s{{1,4}}(?:-String\s{{1,4}})?{_LAST}"),
        # files of logins, as part of other files
        ("password", rf"\b(?:login|account|user)\s{{1,4}}\S{{1,100}}\s{{1,4}}password\s{{1,4}}{_BARE}"),
        (":", r"^[\w.*-]{1,200}:(?:\d{2,5}|\*):[\w*-]{1,60}:[\w*-]{1,60}:(\S+)$"),
        ("IDENTIFIED", rf"(?i)\bidentified\s{{1,4}}(?:with\s{{1,4}}\w{{1,40}}\s{{1,4}})?(?:by|as)\s{{1,4}}(?:password\s{{1,4}})?{_LAST}"),
        ("identified", rf"(?i)\bidentified\s{{1,4}}(?:with\s{{1,4}}\w{{1,40}}\s{{1,4}})?(?:by|as)\s{{1,4}}(?:password\s{{1,4}})?{_LAST}"),
        # calls that log in
        ("(", rf"(?i)(?:basic_?auth|login|log_?in|sign_?in|authenticate|credentials?|authentication|\bauth)\w{{0,20}}\s?(?:=\s?)?"
              rf"\(\s?{_STRING}\s?,\s?{_LAST}"),
        ("(", rf"(?i)(?:mysqli|\bpdo|getconnection|mysql_connect|mysqli_connect|sql\.connect)\s?\("
              rf"[^()\"']{{0,40}}{_STRING}\s?,\s?{_STRING}\s?,\s?{_LAST}"),
    )
)
_SAID = re.compile(r"(?i)\b(?:basic|bearer|token|apikey|api-key|ssws|splunk|negotiate|ntlm)[ \t]{1,4}([\w+/=.~-]{8,})")
_HALF_LOGIN = re.compile(r"://[^\s/:@\"'`<>?#]{0,200}:(?!\d{0,5}(?:$|[/\"'\s]))([^\s/@\"'`<>{$%]{1,200})")


def read_places(line: Line) -> None:
    """Hides what stands where only a secret does."""
    for hint, pattern in _PLACES:
        if hint in line.text:
            for found in pattern.finditer(line.text):
                group = found.lastindex or 0
                line.hide_if_secret(*found.span(group), Kind.PASSWORD, "", Manner.BARE)
    for found in _SAID.finditer(line.text):
        line.hide_if_secret(*found.span(1), Kind.LOOKS, "", Manner.BARE)
    if line.cursor is not None:
        for found in _HALF_LOGIN.finditer(line.text):
            if line.is_typed(*found.span(1)):
                line.hide_if_secret(*found.span(1), Kind.PASSWORD, "", Manner.PROSE)
