"""Tells from a name whether its value is a secret."""

from __future__ import annotations

import re
from enum import IntEnum
from functools import lru_cache


class Kind(IntEnum):
    """The kind of secret that a name stands for.

    A `KEY` is a random word made by a program. A `PASSWORD` may be any text.
    """

    NOTHING = 0
    KEY = 1
    PASSWORD = 2


LONGEST = 80
"""Maximum number of characters of a name that are read, from its end."""

_WORDS = re.compile(r"[A-Z]+(?![^\W\d_A-Z])|[A-Z]?[^\W\d_A-Z]+|\d+")


def word_set(words: str) -> frozenset[str]:
    """Splits a text at blanks, and gives the set of its words."""
    return frozenset(words.split())


_QUALIFIERS = word_set(
    """
    value val values text txt string str plain plaintext raw clear base64 b64 hex encoded enc
    encrypted hash hashed pem prod production dev development test testing stage staging live
    sandbox local global default old new current previous prev next again repeat confirm
    confirmation confirmed base primary secondary main backup admin root user me my here const
    constant literal material bytes data arg param property prop attr setting config option
    override read write rw ro a b c x y v master
    """,
)
"""Words at the end of a name that do not change the kind of its value."""

_PASSWORDS = word_set(
    """
    password passwords passwd passwds passphrase passphrases passcode passcodes pwd pwds psw pswd
    passw pword pw pass secret secrets credential credentials cred creds psk passkey passkeys
    passwort passwoert kennwort losungswort masterauth contrasena contraseña clave motdepasse mdp
    senha parola wachtwoord lösenord losenord salasana adgangskode heslo hasło haslo jelszó jelszo
    parole şifre sifre пароль 密码 密碼 口令 パスワード 비밀번호 mnemonic
    """,
)
_ENDS = ("password", "passwd", "passphrase", "passcode", "pwd", "secret", "passwort", "kennwort")
"""Words for a password. They may also be the end of a compound word, such as dbpassword."""
_TOKENS = word_set(
    """
    token tokens jwt bearer apikey apikeys salt pepper sessionid phpsessid jsessionid csrftoken totp
    """
)
_OF_PARSERS = word_set(
    """
    next page continuation pagination sync max num special start end eos bos pad unk mask stop
    first last current prev previous look lookahead peek open close begin left right separator
    comment string number operator keyword punctuator punctuation literal delimiter cancellation
    cancel syntax text css lex error eof expected actual unexpected new raw input output
    completion prompt total cached no not is has get parse count per public
    """
)
"""Words that, before `token`, name things other than secrets, such as pieces of text."""
_KEYS_OF = word_set(
    """
    api app application access private secret encryption encrypt decryption decrypt signing sign
    signature auth authorization authentication account storage shared service client consumer
    server crypto cipher aes rsa des ssh gpg pgp ssl tls hmac jwt license licence activation
    subscription deploy deployment wallet stripe aws azure gcp google openai anthropic mistral
    cohere gemini github gitlab twilio sendgrid mailgun mailchimp algolia maps firebase fernet
    vault unseal recovery rails flask django webhook vapid integration security symmetric sas
    cosmos instrumentation ingest ingestion datadog newrelic sentry pagerduty opsgenie cloudflare
    heroku slack discord telegram paypal square plaid huggingface hf pinecone supabase posthog
    segment mapbox weather openweather tmdb rapidapi bot developer dev partner merchant payment
    enc verification validation credential oauth session cookie token user admin root write
    ingress db database redis
    """
)
_PASSES_OF = word_set(
    """
    db database user usr my root admin smtp mail email imap pop pop3 ftp sftp ssh sql mysql pg
    postgres postgresql mariadb mongo mongodb redis rabbit rabbitmq amqp mqtt ldap bind proxy http
    https basic auth login account acct wifi wlan key store keystore truststore cert host server
    sudo become su vpn api app service client default system os ansible vault jenkins oracle
    tomcat jdbc jms kafka elastic es web site test old new enable sasl ssl tls zip pdf rar gpg pgp
    wp remote local registry require docker git nexus artifactory repo svn snmp router x default
    tmp temp initial
    """
)
_OF_NGINX = "proxy_pass"
"""A directive of nginx that looks like a password's name, but names a server."""
_PHRASES = word_set("seed recovery backup secret pass wallet mnemonic")
_SECRET_IDS = word_set("secret role")
_NOT = word_set(
    "no not is has can use show hide need needs require requires public without invalid forgot"
)
"""Words that begin the names of things other than secrets, such as flags."""


_SPEAKING = (
    _PASSWORDS | _TOKENS | _KEYS_OF | _PASSES_OF | word_set("key keys refresh id code csrf xsrf")
)


def is_name(text: str) -> bool:
    """Whether a text is itself a usual name for a secret, such as "access_token"."""
    words = [word.lower() for word in _WORDS.findall(text[: LONGEST + 1])]
    return len(text) <= LONGEST and bool(words) and all(word in _SPEAKING for word in words)


_PARTS = word_set(
    """
    pass pwd psw pw secret token key cred psk jwt bearer salt pepper phrase mnemonic sessid
    sessionid mdp kennwort losungs masterauth contrase clave senha wachtwoord parol senord
    salasana kode heslo hasł haslo jelsz ifre totp role пароль 密 口令 パスワード 비밀번호
    """
)


def may_name(line: str) -> bool:
    """Whether a line may contain the name of a secret. The line must be in lower case."""
    return any(part in line for part in _PARTS)


@lru_cache(maxsize=8_192)
def kind(name: str) -> Kind:
    """Gives the kind of secret that a name stands for.

    The name may have any spelling: dbPassword, DB_PASSWORD, db.password, --api-key.
    """
    words = [word.lower() for word in _WORDS.findall(name[-LONGEST:])]
    while len(words) > 1 and (words[-1] in _QUALIFIERS or words[-1].isdigit()):
        words.pop()
    if not words or (len(words) > 1 and words[0] in _NOT) or name == _OF_NGINX:
        return Kind.NOTHING
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    return _of_words(last, before)


def _of_words(last: str, before: str) -> Kind:
    if last == "pass" and before:
        return Kind.PASSWORD if before in _PASSES_OF else Kind.NOTHING
    if last in _PASSWORDS or last.endswith(_ENDS) or before + last in _PASSWORDS:
        return Kind.PASSWORD
    if last.endswith(("pass", "pw")) and last.removesuffix("pass").removesuffix("pw") in _PASSES_OF:
        return Kind.PASSWORD
    if last == "phrase":
        return Kind.PASSWORD if before in _PHRASES else Kind.NOTHING
    if last.endswith(("token", "tokens")) or last in _TOKENS:
        return Kind.NOTHING if before in _OF_PARSERS else Kind.KEY
    if last.endswith(("key", "keys")):
        return _of_key(last, before)
    is_secret_id = last == "id" and before in _SECRET_IDS
    return Kind.KEY if is_secret_id else Kind.NOTHING


def _of_key(last: str, before: str) -> Kind:
    of = last.removesuffix("s").removesuffix("key") or before
    if of == "public":
        return Kind.NOTHING
    return Kind.KEY if of in _KEYS_OF else Kind.NOTHING
