"""Finds strings that are given to a name which calls for a secret, in any language's notation."""

from __future__ import annotations

import re

from mistral_lsp.prompt.blotting.line import Expected, Line, Paired, Until
from mistral_lsp.prompt.blotting.literals import QUOTE, read_literal
from mistral_lsp.prompt.blotting.names import Kind
from mistral_lsp.prompt.blotting.values import Manner

# Every repetition is bounded, so that no text is read over and over.
_W = r"[ \t]{0,40}"
CLOSED = r"""(?:\\{0,3}["'`]|&quot;|%22)?[\])}]{0,3}"""
"""What ends a name that was a string, or stood in brackets."""
_SET = r"(?:=>|:=|\?\?=|\|\|=|\+=|\?=|<-|->|=(?![=~])|:(?![:=]))"
_TYPE = r"(?:[\w.&'*|? ]|\[[^\[\]]{0,40}(?:\[[^\[\]]{0,20}\])?\]|<[^<>]{0,40}>){1,40}?"
_TYPED = rf"[?!]?(?:[ \t]?:[ \t]?{_TYPE}|(?<=\w)[ \t](?:as[ \t]|for[ \t])?[\w.*\[\]<>&@'-]{{1,40}}[ \t]?|[ \t]\{{[\w; ]{{1,40}}\}}|\[\d*\]){_W}=(?![=>])"
_OPENED = rf"(?:(?:await|new|return|const|static|ref|&|\*|[&!][\w!-]{{1,30}}){_W}){{0,3}}[(\[{{<]{{0,3}}{_W}"
_WRAPPED = (
    r"(?:[\w.:$]{0,60}?\b(?:str|bytes|bytearray|secret\w*|string|from\w*|of|some|just|text|field|"
    r"encode\w*|quote|b64\w*|unhexlify|decode\w*|hash\w*|column|default\w*|ok|wrap|value\w*|const\w*|"
    r"to\w+|sensitive|atob|btoa|base64\w*|parse\w*|password\w*|securestring|concat|q)"
    rf"!?\({_W}(?:[^\"'()]{{0,40}}?\b(?:default|value|text)[ \t]?[=:]{_W})?){{0,3}}"
)
_GIVEN = re.compile(rf"(?i){CLOSED}{_W}(?:{_SET}|{_TYPED}){_W}{_OPENED}{_WRAPPED}(?={QUOTE})")
_UNPACKED = re.compile(rf"(?:{_W},{_W}\w{{1,30}}){{1,4}}{_W}[)\]]?{_W}:?={_W}[(\[]?{_W}(?={QUOTE})")
_STATEMENT = re.compile(r"\s*(?:(?:let|var|const|my|local)\s{1,9})?[(\[]?[\w\s,]*")
_COMPARED = re.compile(rf"{CLOSED}{_W}(?:[!=]==?|\bis\b|\beq\b|=~){_W}(?={QUOTE})")
_ELSE = re.compile(
    rf"{CLOSED}\)?{_W}(?:{_SET}{_W}[^\"'`=;,\s][^\"'`=;,]{{0,60}}?(?:[\"'][\w.-]{{1,60}}[\"'][\])]{{1,2}})?{_W})?"
    rf"(?:\|\|=?|\?\??=?|\?:|\bor\b|\belse\b|:-|//){_W}(?={QUOTE})"
)
_SECOND = re.compile(
    rf"(?i){CLOSED}{_W},{_W}(?:[\w.]{{1,20}}{_W}[=:]{_W})?{_OPENED}{_WRAPPED}(?={QUOTE})"
)
_TAKES_TWO = re.compile(
    r"(?i)(?:env|get|set|define|put|add|fetch|prop|param|default|header|config|option|attr|with|append|"
    r"insert|const|field|let|var|secret)\w{0,30}[!?]?\s?\(\s{0,9}\\{0,3}[\"'`:]$"
)
_CALLED = re.compile(rf"{CLOSED}{_W}[({{]{_W}{_WRAPPED}(?={QUOTE})")
_ASKS = re.compile(
    r"(?i)^(?:get|prompt|ask|read|input|find|is|has|expect|next|peek|match|consume|accept|eat|request|"
    r"fetch|load|lookup|parse|emit|use|no|needs?|forgot)(?![a-z])"
)
_BESIDE = re.compile(rf"[ \t]{_W}(?={QUOTE})")
_COMMAND = re.compile(r"(?i)(?:^|[\s(;])(?:#?define|set\w*|export|env|arg|def\w*|const|let|var)[\s-]+$")
_FLAG = re.compile(r"(?<![\w-])--?$")
_MORE = re.compile(rf"{_W}(?:\+|\.\.?|&|~|\\)?{_W}(?={QUOTE})")
_NEXT = re.compile(rf"{_W},{_W}(?={QUOTE})")
_TAKES_NEXT = re.compile(rf"{CLOSED}{_W}(?P<set>{_SET}){_W}[([{{]?{_W}(?:\\)?{_W}$")
_HERE = re.compile(rf"{CLOSED}{_W}(?:{_SET}){_W}[$(]{{0,3}}(?:cat{_W})?<<[<~-]?{_W}[\"']?(\w+)[\"']?")
KEYED = re.compile(
    r"(?i)(?:\b(?:name|key|id|property|variable|field|param|parameter|header|env|setting)"
    r"(?:\\{0,3}[\"'])?\s?[=:]\s{0,5}|^\s*variable\s+)(?:\\{0,3}[\"'])?$"
)
_VALUE = r"(?:\\{0,3}[\"'])?\b(?:value|default|defaultvalue|default_value|content|secret)(?:\\{0,3}[\"'])?"
_PAIRED = re.compile(rf"(?i)[^<>]{{0,120}}?{_VALUE}{_W}[=:]{_W}(?={QUOTE})")
PAIRED_LINE = re.compile(rf"(?i)^[\s{{,-]*{_VALUE}{_W}[=:]{_W}")
_PAIRED_BEFORE = re.compile(r"(?i)\bvalue(?:[\"'])?\s?[=:]\s?([\"'])([^\"']{1,200})\1[^<>{}]{0,80}$")


def read_assigned(line: Line, start: int, end: int, kind: Kind, name: str) -> int:
    """Hides the strings that the name at `start` to `end` is given; tells where to read on."""
    before = line.text[max(0, start - 60) : start]
    for pattern, manner in _ways(before, kind, name, line.is_prose(start)):
        glue = pattern.match(line.text, end)
        if glue is not None and not _closes(line, start, glue):
            return _take(line, glue.end(), kind, name, manner, before)
    _look_below(line, start, end, kind, name, before)
    return end


def _closes(line: Line, start: int, glue: re.Match[str]) -> bool:
    """Whether the quote behind the glue ends the string that the name stands in."""
    quote = line.quote_at(start)
    return bool(quote) and line.text.startswith(quote, glue.end()) and not glue[0].startswith(quote)


def _ways(
    before: str, kind: Kind, name: str, in_prose: bool
) -> list[tuple[re.Pattern[str], Manner]]:
    """How a string may follow a name, the surest first."""
    ways = [(_GIVEN, Manner.QUOTED), (_COMPARED, Manner.COMPARED)]
    if not in_prose:
        ways.append((_ELSE, Manner.QUOTED))
    if len(before) < 60 and _STATEMENT.fullmatch(before):
        ways.append((_UNPACKED, Manner.QUOTED))
    if KEYED.search(before):
        ways.append((_PAIRED, Manner.QUOTED))
    flag = _FLAG.search(before)
    opened = before[: flag.start()] if flag else before
    if opened.endswith(("'", '"', "`", ":")) and (flag or _TAKES_TWO.search(opened)):
        ways.append((_SECOND, Manner.QUOTED))
    elif flag:
        ways.append((_BESIDE, Manner.QUOTED))
    if not _ASKS.match(name):
        ways.append((_CALLED, Manner.QUOTED if kind is Kind.PASSWORD else Manner.COMPARED))
    if kind is Kind.PASSWORD or name.isupper() or _COMMAND.search(before):
        manner = Manner.PROSE if in_prose or name == "pass" else Manner.QUOTED
        ways.append((_BESIDE, manner))
    return ways


def _take(line: Line, place: int, kind: Kind, name: str, manner: Manner, before: str) -> int:
    """Hides the string at a place, and those that go on with it."""
    literal = read_literal(line.text, place)
    is_list = kind is Kind.PASSWORD and name.lower().endswith("s") or before.rstrip().endswith(",")
    while literal is not None:
        hidden = line.hide_if_secret(literal.start, literal.end, kind, name, manner)
        if literal.goes_on and (hidden or (literal.start == literal.end and kind is not Kind.LOOKS)):
            line.after = Until(literal.goes_on)
            return literal.behind
        if not hidden and not is_list:
            return literal.start  # names may stand in it, too
        place = literal.behind
        more = _MORE.match(line.text, place) or (_NEXT.match(line.text, place) if is_list else None)
        literal = read_literal(line.text, more.end()) if more else None
    return place


def _look_below(line: Line, start: int, end: int, kind: Kind, name: str, before: str) -> None:
    """Notes that the value may stand in the lines below."""
    text = line.text
    here = _HERE.match(text, end)
    if here is not None:
        line.after = Until(here[1], word=True)
    elif (next_ := _TAKES_NEXT.match(text, end)) and (
        # In code a colon alone begins a block; behind a string it belongs to a key.
        next_["set"] != ":" or line.style == "config" or next_[0][0] in "\"'"
    ):
        line.after = Expected(name, kind, line.indentation)
    elif KEYED.search(before):
        line.after = Paired(name, kind)
        earlier = _PAIRED_BEFORE.search(text[max(0, start - 300) : start])
        if earlier is not None:
            base = max(0, start - 300)
            line.hide_if_secret(base + earlier.start(2), base + earlier.end(2), kind, name, Manner.QUOTED)
