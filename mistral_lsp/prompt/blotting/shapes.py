"""Finds keys by the shapes that their issuers give them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

_LETTERS = r"[0-9A-Za-z]"
_WORD = r"[\w-]"
_BASE64 = r"[\w+/=-]"
_REST = r"[\w+/=-]*(?:\.[\w+/=-]*){0,4}"
"""Matches the rest of a key, which may have up to four more parts after dots, as signed keys have.
"""

UNMISTAKABLE: Mapping[str, tuple[str, ...]] = {
    r"[0-9A-Z]": ("AKIA|ASIA|ABIA|ACCA|AROA|AIDA|AGPA|ANPA|ANVA|AIPA|APKA|ASCA|A3T[A-Z0-9]",),
    _WORD: (
        "LTAI|AKLT|AKCp|NRAK-|NRII-|NRJS-|NRRA-|NRIQ-|GR1348941|ATBB|CLOJARS_|RGAPI-|PMAK-|PMAT-",
        "xkeysib-|xsmtpsib-|AGE-SECRET-KEY-1|AGE-PLUGIN-|nsec1|shp(?:at|ca|pa|ss|ua|tka)_|npm_",
        "rubygems_|pul-|bkua_|wandb_v1_|sgp_|slk_|figd_|hf_|api_org_|r8_|gsk_|xai-|pplx-|nvapi-",
        "tvly-|csk-|rpa_|e2b_|lin_(?:api|oauth)_|aio_|ntn_|sbp_|zpka_|dckr_[po]at_|tfp_|phc_|phx_",
        "rzp_(?:live|test)_|shippo_(?:live|test)_|EZ[AT]K|mdb_sa_sk_|dapi(?=[0-9a-f]{4})|waka_",
        "gh[opusr]_|github_pat_|gl(?:pat|ptt|dt|rt|soat|ft|agent|imt|cbt|oas|ffct|wt|rtr)-|ATCTT3",
        "ATATT3|xox[abeoprs]-|xoxe\\.xox[bp]-|xapp-|AIza|ya29\\.|GOCSPX-|AQ\\.A|pypi-|dbt[cu]_",
        "[sr]k_(?:live|test|prod)_|sk-(?:proj|svcacct|admin|ant|or|lf)-|pk-lf-|whsec_|lsv2_[ps][tk]_",
        "pcsk_|jina_|tgp_v1_|do[opr]_v1_|fo1_|fm2_|HRKU-|CCIP(?:AT|RJ)_|snyk_\\w{2,6}[-_]|CFPAT-",
        "pscale_[a-z]+_|napi_|sb_(?:secret|publishable)_|sq0[a-z]{3}-|FLW(?:PUB|SEC)K(?:_TEST)?-",
        "duffel_(?:test|live)_|access-(?:sandbox|development|production)-|pdl_[a-z_]{3,12}_|glc_",
        "glsa_|sntry[su]_|hc[abi][a-z]{2}_|dt0[a-z]\\d\\d\\.|hv[sbr]\\.|tskey-|fio-u-|dnkey-|pn[ub]_",
        "ops_eyJ|AQVN|vk1\\.a\\.|dp\\.(?:pt|st|ct|sa|scim|audit)\\.|pat-(?:na|eu|ap)\\d-|ABSK",
        "bedrock-api-key-|bce-v3/|secret-(?:live|test)-",
    ),
    r"[\w~.-]": ("\\w{3}\\d[QR]~|\\d{8,10}:AA",),
    r"[\w/%.=&?@:-]": (  # an address that is the key
        "(?:https?://)?(?:[\\w-]{1,60}\\.)?(?:hooks\\.slack\\.com/(?:services|workflows|triggers)/"
        "|discord(?:app)?\\.com/api/webhooks/|hooks\\.zapier\\.com/hooks/catch/|ifttt\\.com/use/"
        "|office\\.com/webhook(?:b2)?/|make\\.com/(?=\\w{20})|api\\.telegram\\.org/bot)",
    ),
}
"""Patterns of beginnings that only secret keys have. They are grouped by the pattern for each of
the characters that follow.
"""

AMBIGUOUS: Mapping[str, tuple[str, ...]] = {
    _LETTERS + "{12,}": (
        "AKID|SCW|LSIO|ATTA|EAA[A-Z]|IGAA|IGQ[A-Z]|fc-|rnd_|rdme_|secret_|packagist_|figo_|key-",
        "pat[0-9A-Za-z]{14}\\.|re_[0-9A-Za-z]{5,12}_|vc[piark]_|nf[puobc]_|sq[uap]_|(?:live|test)_",
    ),
    _WORD + "{16,}": (
        "[sprw]k[-_](?:[a-z]{2,12}[-_]){0,3}|1//0|6L[ce]|ls__|fw_|pa-|fm1[ar]_|v1\\.0-|sess-|oauth:",
        "(?:sdk|mob|api|rel)-|akab-|tk-us-|oy2|cio|sl\\.(?:u\\.)?|[ps]at\\.\\w{8,30}\\.|st\\.\\w{8,40}\\.",
        "EAAA|ATOA|A21AA|(?:AC|SK|MG)(?=[0-9a-f]{32})|SG\\.[\\w-]{8,40}\\.",
        "[MNO][\\w-]{23,27}\\.[\\w-]{6}\\.",
    ),
    r"[\w-]{40,}": ("[0-9A-Za-z]{14}\\.atlasv1\\.",),
    # JSON in base64, such as JSON web tokens, and other formats known by their first bytes
    _BASE64 + "{10,}" + _REST: ("(?:[ps]k\\.)?eyJ|cmVmdGtuO",),
    # Hashes of passwords, and wallets
    r"[\w./+=,$-]{16,}": (
        "\\$(?:2[abxy]?|[1567y]|argon2\\w{1,2}|apr1|scrypt|pbkdf2[\\w-]{0,12})\\$",
    ),
    r"[1-9A-HJ-NP-Za-km-z]{40,}": ("[5KL]|[xyz]prv",),
}
"""Patterns of beginnings that secret keys share with other words. They are grouped by the pattern
for the rest of the word.
"""

LEAST = 10
"""Minimum number of characters after an unmistakable beginning. While the user types, one is
enough.
"""


def _pattern(shapes: Mapping[str, tuple[str, ...]], least: str) -> str:
    return "|".join(f"(?:{'|'.join(begins)}){body}{least}" for body, begins in shapes.items())


def _compiled(*patterns: str) -> re.Pattern[str]:
    # No pattern fails after a long match, which bounds backtracking.
    return re.compile(rf"(?<![0-9A-Za-z])(?:{'|'.join(patterns)})", re.ASCII)


_LONG = re.compile(r"[\w./+=~$-]{12,}")
_WHOLE = _compiled(_pattern(UNMISTAKABLE, f"{{{LEAST},}}{_REST}"), _pattern(AMBIGUOUS, ""))
_BEGUN = _compiled(_pattern(UNMISTAKABLE, "{1,}"))
_MIXED = re.compile(r"[A-Za-z]\W*\d|\d\W*[A-Za-z]|[a-z][A-Z].*[a-z][A-Z]", re.ASCII | re.DOTALL)
"""Matches a letter beside a digit, or two capitals that each follow a small letter. Keys usually
have these, and names don't.
"""


def issued_keys(line: str) -> Iterator[tuple[int, int]]:
    """Finds the ranges of keys in a line that have the shape of an issuer's keys."""
    if _LONG.search(line):
        yield from (found.span() for found in _WHOLE.finditer(line) if _MIXED.search(found[0]))


def begun_keys(line: str) -> Iterator[tuple[int, int]]:
    """Finds the ranges of beginnings of keys in a line. Used for a key that is being typed."""
    return (found.span() for found in _BEGUN.finditer(line))
