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
_TYPED = (
    rf"[?!]?(?:[ \t]?:[ \t]?{_TYPE}|(?<=\w)[ \t](?:as[ \t]|for[ \t])?[\w.*\[\]<>&@'-]{{1,40}}[ \t]?"
    rf"|[ \t]\{{[\w; ]{{1,40}}\}}|\[\d*\]){_W}:?=(?![=>])"
)
_OPENED = (
    rf"(?:(?:await|new|return|const|static|ref|&|\*|[&!][\w!-]{{1,30}}){_W}){{0,3}}"
    rf"[(\[{{<]{{0,3}}{_W}(?:[\w.$]{{1,40}}{_W}[+.]{_W})?"
)
_MAKERS = (
    r"str|bytes|bytearray|secret\w*|string|from\w*|of|some|just|text|field|encode\w*|quote|b64\w*|"
    r"unhexlify|decode\w*|hash\w*|column|default\w*|ok|wrap|value\w*|const\w*|to\w+|sensitive|atob|btoa|"
    r"base64\w*|parse\w*|securestring|concat|q|crypt|md5|sha\d*|\w*bcrypt\w*|usestate|ref|signal|"
    r"(?!get|ask|prompt|read|input)\w*password\w*"
)
_WRAPPED = (
    rf"(?:(?=[\w.:$]{{1,60}}!?\()[\w.:$]{{0,60}}?\b(?:{_MAKERS})!?\({_W}"
    rf"(?:[^\"'()]{{0,40}}?\b(?:default|value|text)[ \t]?[=:]{_W})?){{0,3}}"
)
_ARGUMENTS = rf"(?:{_W},{_W}\w{{1,20}}{_W}[=:]{_W}(?:\"[^\"]{{0,80}}\"|'[^']{{0,80}}'|[\w.]{{1,40}})){{0,3}}?"

_GIVEN = re.compile(rf"(?i){CLOSED}{_W}(?:{_SET}|{_TYPED}){_W}{_OPENED}{_WRAPPED}(?={QUOTE})")
_UNPACKED = re.compile(
    rf"(?i)(?:{_W},{_W}\w{{1,30}}){{1,4}}{_W}[)\]]?{_W}:?={_W}[(\[]?{_W}{_WRAPPED}(?={QUOTE})"
)
_COMPARED = re.compile(rf"{CLOSED}{_W}(?:[!=]==?|\bis\b|\beq\b|=~){_W}(?={QUOTE})")
_ELSE = re.compile(
    rf"{CLOSED}\)?{_W}(?:{_SET}{_W}[^\"'`=;,\s][^\"'`=;,]{{0,60}}?(?:[\"'][\w.-]{{1,60}}[\"'][\])]{{1,2}})?{_W})?(?:if\b[^\"'`=;,]{{1,60}}?)?"
    rf"(?:\|\|=?|\?\??=?|\?:|\bor\b|\belse\b|:-|//|\|{_W}default{_W}\("
    rf"|\.(?:unwrap_or\w*|or_?[eE]lse\w*|get_?[oO]r_?[eE]lse|or_?[dD]efault)\({_W}(?:\|_?\w*\||\(\){_W}->)?)"
    rf"{_W}(?={QUOTE})"
)
_SECOND = re.compile(
    rf"(?i){CLOSED}(?:{_ARGUMENTS}{_W},{_W}(?:default\w*|value|fallback){_W}[=:]{_W}|{_W},{_W})"
    rf"{_OPENED}{_WRAPPED}(?={QUOTE})"
)
_FILLED = re.compile(
    rf"{CLOSED}{_W}\.{_W}(?:type|fill|send_?[kK]eys|set\w*|val|input|enter\w*|to_?[bB]e\w*|to_?[eE]q\w*|"
    rf"eq\w*|isEqualTo)\({_W}(?={QUOTE})"
)
_EXPECTED = re.compile(r"(?i)(?:assert|equal|expect)\w*[( ][^()\"']{0,40}$")
_CALLED = re.compile(rf"(?i){CLOSED}{_W}[({{]{_W}{_WRAPPED}(?={QUOTE})")
_BESIDE = re.compile(rf"[ \t]{_W}(?={QUOTE})")
_PAIRED = re.compile(
    r"(?i)(?=[\"'\\,}\s])[^<>]{0,120}?(?:\\{0,3}[\"'])?\b(?:value|default|defaultvalue|default_value|content)"
    rf"(?:\\{{0,3}}[\"'])?{_W}[=:]{_W}(?={QUOTE})"
)
PAIRED_LINE = re.compile(
    rf"(?i)^[\s{{,-]{{0,80}}(?:[\"']?(?:value|default|default_?value|content)[\"']?{_W}[=:]{_W}"
    r"|<(?:string|value|data)>)"
)
_PAIRED_BEFORE = re.compile(r"(?i)\bvalue[\"']?\s?[=:]\s?([\"'])([^\"']{1,200})\1[^<>{}]{0,80}$")

_TAKES_TWO = re.compile(
    r"(?i)(?:env|get|set|define|put|add|fetch|prop|param|default|header|config|option|attr|with|append|"
    r"insert|pop|const|field|let|var|secret|string|flag|\bof|entry|pair|bind|fill|type|value|argument)"
    r"\w{0,30}[!?]?\s?\(?\s{0,9}(?:[\w.]{1,40},\s?|[\"']\w{1,20}[\"'],\s?)?\\{0,3}[\"'`:][#.]?$"
)
_FIRST = re.compile(r"[\w\])][(]\s{0,9}[\"'][#.]?$|[({\[]\s{0,9}[\"':]$|\{$")
_ASKS = re.compile(
    r"(?i)^(?:get|prompt|ask|read|input|find|is|has|expect|next|peek|match|consume|accept|eat|request|"
    r"fetch|load|lookup|parse|emit|use|no|needs?|forgot)(?![a-z])"
)
_COMMAND = re.compile(r"(?i)(?:^|[\s(;])(?:#?define|set\w*|export|env|arg|def\w*|const|let|var)[\s-]+$")
_FLAG = re.compile(r"(?<![\w-])--?$")
_STATEMENT = re.compile(r"\s*(?:(?:let|var|const|my|local)\s{1,9})?[(\[]?[\w\s,]*")
_MORE = re.compile(rf"{_W}(?:\+|\.\.?|&|~|\\)?{_W}(?={QUOTE})")
_NEXT = re.compile(rf"{_W}(?:,|:|=>){_W}(?={QUOTE})")
_TAKES_NEXT = re.compile(rf"{CLOSED}{_W}(?P<set>{_SET}){_W}[([{{]?{_W}(?:\\)?{_W}$")
_HERE = re.compile(rf"{CLOSED}{_W}(?:{_SET}){_W}[$(]{{0,3}}(?:cat{_W})?<<[<~-]?{_W}[\"']?([A-Za-z]\w*)[\"']?;?$")
_KEYED = re.compile(
    r"(?i)(?:\b(?:name|key|id|type|property|variable|field|param|parameter|header|env|setting)"
    r"(?:\\{0,3}[\"'])?\s?[=:]\s{0,5}|(?:^|\s)variable\s{1,9}|<key>)(?:\\{0,3}[\"'])?$"
)


def read_assigned(line: Line, start: int, end: int, kind: Kind, name: str) -> int:
    """Hides the strings that the name at `start` to `end` is given; tells where to read on."""
    before = line.text[max(0, start - 60) : start]
    is_keyed = is_value_apart(before)
    for pattern, manner_of in _WAYS:
        if pattern is _PAIRED and not is_keyed:
            continue
        glue = pattern.match(line.text, end)
        if glue is not None and not _closes(line, start, glue):
            manner = manner_of(before, kind, name, line.is_prose(start))
            if manner is not None:
                return _take(line, glue.end(), kind, name, manner, before)
    _look_below(line, start, end, kind, name, is_keyed)
    return end


def is_value_apart(before: str) -> bool:
    """Whether a name is itself the value of a word like `name`, and its own comes behind another."""
    return before[-1:] in "\"'`=: \t>" and _KEYED.search(before[-24:]) is not None


def _closes(line: Line, start: int, glue: re.Match[str]) -> bool:
    """Whether the quote behind the glue ends the string that the name stands in."""
    quote = line.quote_at(start)
    return bool(quote) and line.text.startswith(quote, glue.end()) and not glue[0].startswith(quote)


# How a value stands, by what precedes its name; None where it is no value. The patterns above are
# tried first, as they fail at once.


def _given(before: str, kind: Kind, name: str, in_prose: bool) -> Manner | None:
    return Manner.QUOTED


def _compared(before: str, kind: Kind, name: str, in_prose: bool) -> Manner | None:
    return Manner.COMPARED


def _otherwise(before: str, kind: Kind, name: str, in_prose: bool) -> Manner | None:
    return Manner.PROSE if in_prose else Manner.QUOTED


def _unpacked(before: str, kind: Kind, name: str, in_prose: bool) -> Manner | None:
    return Manner.QUOTED if len(before) < 60 and _STATEMENT.fullmatch(before) else None


def _second(before: str, kind: Kind, name: str, in_prose: bool) -> Manner | None:
    opened = before.rstrip("-")
    if opened != before and _FLAG.search(before):
        return Manner.QUOTED
    if _TAKES_TWO.search(opened) or _EXPECTED.search(before):
        return Manner.QUOTED
    return Manner.PROSE if kind is Kind.PASSWORD and _FIRST.search(opened) else None


def _called(before: str, kind: Kind, name: str, in_prose: bool) -> Manner | None:
    if _ASKS.match(name):
        return None
    return Manner.QUOTED if kind is Kind.PASSWORD else Manner.COMPARED


def _beside(before: str, kind: Kind, name: str, in_prose: bool) -> Manner | None:
    if kind is not Kind.PASSWORD and not name.isupper():
        return Manner.QUOTED if _COMMAND.search(before) or _FLAG.search(before) else None
    return Manner.PROSE if in_prose or name == "pass" else Manner.QUOTED


_WAYS = (
    (_GIVEN, _given),
    (_COMPARED, _compared),
    (_ELSE, _otherwise),
    (_UNPACKED, _unpacked),
    (_PAIRED, _given),
    (_SECOND, _second),
    (_FILLED, _given),
    (_CALLED, _called),
    (_BESIDE, _beside),
)


def _take(line: Line, place: int, kind: Kind, name: str, manner: Manner, before: str) -> int:
    """Hides the string at a place, and those that go on with it."""
    literal = read_literal(line.text, place)
    is_list = (
        kind is Kind.PASSWORD and name.lower().endswith("s") and not name.lower().endswith("pass")
    ) or before.rstrip().endswith(",")
    while literal is not None:
        hidden = line.hide_if_secret(literal.start, literal.end, kind, name, manner)
        is_empty = literal.start == literal.end
        if literal.goes_on and (hidden or (is_empty)):
            line.after = Until(literal.goes_on)
            return literal.behind
        if not hidden and not is_list:
            return literal.start  # names may stand in it, too
        place = literal.behind
        more = _MORE.match(line.text, place) or (_NEXT.match(line.text, place) if is_list else None)
        literal = read_literal(line.text, more.end()) if more else None
    return place


def _look_below(line: Line, start: int, end: int, kind: Kind, name: str, is_keyed: bool) -> None:
    """Notes that the value may stand in the lines below."""
    text = line.text
    here = _HERE.match(text, end)
    below = _TAKES_NEXT.match(text, end)
    if here is not None:
        line.after = Until(here[1], word=True)
    elif below and (
        # In code a colon alone begins a block; behind a string it belongs to a key.
        below["set"] != ":" or line.style == "config" or below[0][0] in "\\\"'"
    ):
        line.after = Expected(name, kind, line.indentation)
    elif is_keyed:
        line.after = Paired(name, kind)
        earliest = max(0, start - 300)
        earlier = _PAIRED_BEFORE.search(text[earliest:start])
        if earlier is not None:
            first, last = (earliest + place for place in earlier.span(2))
            line.hide_if_secret(first, last, kind, name, Manner.QUOTED)
