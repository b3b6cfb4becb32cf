"""Finds strings that are assigned to the name of a secret, in any language's notation."""

from __future__ import annotations

import re

from mistral_lsp.prompt.blotting.line import Expected, Line, Named, Paired, Until
from mistral_lsp.prompt.blotting.literals import QUOTE, read_literal
from mistral_lsp.prompt.blotting.values import Manner

# Every repetition is bounded, to bound backtracking.
_W = r"[ \t]{0,40}"
CLOSED = r"""(?:\\{0,3}["'`]|&quot;|%22)?[\])}]{0,3}"""
"""Matches the closing marks after a name that is written as a string or in brackets."""
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
_ARGUMENT = r"(?:\"[^\"]{0,80}\"|'[^']{0,80}'|[\w.]{1,40})"
_ARGUMENTS = rf"(?:{_W},{_W}\w{{1,20}}{_W}[=:]{_W}{_ARGUMENT}){{0,3}}?"

_GIVEN = re.compile(rf"(?i){CLOSED}{_W}(?:{_SET}|{_TYPED}){_W}{_OPENED}{_WRAPPED}(?={QUOTE})")
_UNPACKED = re.compile(
    rf"(?i)(?:{_W},{_W}\w{{1,30}}){{1,4}}{_W}[)\]]?{_W}:?={_W}[(\[]?{_W}{_WRAPPED}(?={QUOTE})"
)
_COMPARED = re.compile(rf"{CLOSED}{_W}(?:[!=]==?|\bis\b|\beq\b|=~){_W}(?={QUOTE})")
_GIVEN_FIRST = (
    rf"(?:{_SET}{_W}[^\"'`=;,\s][^\"'`=;,]{{0,60}}?(?:[\"'][\w.-]{{1,60}}[\"'][\])]{{1,2}})?{_W})?"
    r"(?:if\b[^\"'`=;,]{1,60}?)?"
)
"""Matches a value that is tried before the default value, such as an environment variable."""
_ELSE = re.compile(
    rf"{CLOSED}\)?{_W}{_GIVEN_FIRST}"
    rf"(?:\|\|=?|\?\??=?|\?:|\bor\b|\belse\b|:-|//|\|{_W}default{_W}\("
    r"|\.(?:unwrap_or\w*|or_?[eE]lse\w*|get_?[oO]r_?[eE]lse|or_?[dD]efault)"
    rf"\({_W}(?:\|_?\w*\||\(\){_W}->)?){_W}(?={QUOTE})"
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
_COMMAND = re.compile(
    r"(?i)(?:^|[\s(;])(?:#?define|set\w*|export|env|arg|def\w*|const|let|var)[\s-]+$"
)
_FLAG = re.compile(r"(?<![\w-])--?$")
_STATEMENT = re.compile(r"\s*(?:(?:let|var|const|my|local)\s{1,9})?[(\[]?[\w\s,]*")
_MORE = re.compile(rf"{_W}(?:\+|\.\.?|&|~|\\)?{_W}(?={QUOTE})")
_NEXT = re.compile(rf"{_W}(?:,|:|=>){_W}(?={QUOTE})")
_TAKES_NEXT = re.compile(rf"{CLOSED}{_W}(?P<set>{_SET}){_W}[([{{]?{_W}(?:\\)?{_W}$")
_HERE = re.compile(
    rf"{CLOSED}{_W}(?:{_SET}){_W}[$(]{{0,3}}(?:cat{_W})?<<[<~-]?{_W}[\"']?([A-Za-z]\w*)[\"']?;?$"
)
_KEYED = re.compile(
    r"(?i)(?:\b(?:name|key|id|type|property|variable|field|param|parameter|header|env|setting)"
    r"(?:\\{0,3}[\"'])?\s?[=:]\s{0,5}|(?:^|\s)variable\s{1,9}|<key>)(?:\\{0,3}[\"'])?$"
)


def read_assigned(line: Line, named: Named) -> int:
    """Hides the strings assigned to a name. Gives the offset at which to continue."""
    for pattern, manner_of in _WAYS:
        if pattern is _PAIRED and not is_value_apart(named):
            continue
        glue = pattern.match(line.text, named.end)
        if glue is not None and not _closes(line, named, glue):
            manner = manner_of(named)
            if manner is not None:
                return _take(line, glue.end(), named, manner)
    _look_below(line, named)
    return named.end


def is_value_apart(named: Named) -> bool:
    """Whether the name is the value of a key such as `name`, as in `name: password`.

    The secret is then the value of another key.
    """
    return named.before[-1:] in "\"'`=: \t>" and _KEYED.search(named.before[-24:]) is not None


def _closes(line: Line, named: Named, glue: re.Match[str]) -> bool:
    """Whether the string that contains the name ends after its `=` or `:`.

    An example is `"password=" + x`.
    """
    quote = line.quote_at(named.start)
    return bool(quote) and line.text.startswith(quote, glue.end()) and not glue[0].startswith(quote)


def _given(named: Named) -> Manner | None:
    return Manner.QUOTED


def _compared(named: Named) -> Manner | None:
    return Manner.COMPARED


def _otherwise(named: Named) -> Manner | None:
    return Manner.PROSE if named.in_prose else Manner.QUOTED


def _unpacked(named: Named) -> Manner | None:
    whole = len(named.before) == named.start  # the line up to the name
    return Manner.QUOTED if whole and _STATEMENT.fullmatch(named.before) else None


def _second(named: Named) -> Manner | None:
    opened = named.before.rstrip("-")
    if opened != named.before and _FLAG.search(named.before):
        return Manner.QUOTED
    if _TAKES_TWO.search(opened) or _EXPECTED.search(named.before):
        return Manner.QUOTED
    return Manner.PROSE if named.is_password and _FIRST.search(opened) else None


def _called(named: Named) -> Manner | None:
    if _ASKS.match(named.name):
        return None
    return Manner.QUOTED if named.is_password else Manner.COMPARED


def _beside(named: Named) -> Manner | None:
    if not named.is_password and not named.name.isupper():
        is_command = _COMMAND.search(named.before) or _FLAG.search(named.before)
        return Manner.QUOTED if is_command else None
    return Manner.PROSE if named.in_prose or named.name == "pass" else Manner.QUOTED


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
"""Patterns for the text between a name and a string, the most reliable first. Each pattern has a
function, which judges by the text before the name. The function gives the string's `Manner`, or
None if the string is not the name's value. Patterns are tried first, because most fail at once.
"""


def _take(line: Line, place: int, named: Named, manner: Manner) -> int:
    """Hides the string at `place`, and strings joined to it.

    Gives the offset at which to continue.
    """
    literal = read_literal(line.text, place)
    is_list = named.is_password and named.name.lower().endswith("s") and named.name[-4:] != "pass"
    is_list = is_list or named.before.rstrip().endswith(",")
    while literal is not None:
        hidden = line.hide_if_secret(literal.start, literal.end, named.kind, manner, named.name)
        if literal.goes_on and (hidden or literal.start == literal.end):
            line.after = Until(literal.goes_on)
            return literal.behind
        if not hidden and not is_list:
            return literal.start  # it may hold names, too
        place = literal.behind
        more = _MORE.match(line.text, place) or (_NEXT.match(line.text, place) if is_list else None)
        literal = read_literal(line.text, more.end()) if more else None
    return place


def _look_below(line: Line, named: Named) -> None:
    """Notes that the value may be in the lines below. If it is before the name, hides it."""
    here = _HERE.match(line.text, named.end)
    below = _TAKES_NEXT.match(line.text, named.end)
    if here is not None:
        line.after = Until(here[1], word=True)
    elif below and (
        # In code a colon alone begins a block; after a string it belongs to a key.
        below["set"] != ":" or line.style == "config" or below[0][0] in "\\\"'"
    ):
        line.after = Expected(named.name, named.kind, line.indentation)
    elif is_value_apart(named):
        line.after = Paired(named.name, named.kind)
        first = max(0, named.start - 300)
        earlier = _PAIRED_BEFORE.search(line.text[first : named.start])
        if earlier is not None:
            start, end = (first + place for place in earlier.span(2))
            line.hide_if_secret(start, end, named.kind, Manner.QUOTED, named.name)
