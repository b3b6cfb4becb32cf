"""More secrets for `bench.checks.secrets`: keys of known issuers, random strings, secret files."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Mapping
from random import Random

from bench.checks.secrets.kinds import BASE32, CAPITALS, HEX, LETTERS, SMALL, URL_SAFE, Draw, drawn

BECH32 = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"
DIGITS = "0123456789"


def shaped(*parts: str | tuple[int, str]) -> Draw:
    """Gives a function that draws keys made of fixed and random parts.

    A random part is given by its length and its possible characters.
    """
    return lambda chance: "".join(
        part if isinstance(part, str) else drawn(*part)(chance) for part in parts
    )


def encoded(size: int) -> Draw:
    """Gives a function that draws `size` random bytes in base64."""
    return lambda chance: base64.b64encode(chance.randbytes(size)).decode()


def identified(prefix: str = "") -> Draw:
    """Gives a function that draws `prefix` followed by a UUID, which some issuers use as key."""
    return lambda chance: prefix + str(uuid.UUID(bytes=chance.randbytes(16), version=4))


ISSUED: Mapping[str, Draw] = {
    "aws": shaped("AKIA", (16, CAPITALS)),
    "aws-session": shaped("ASIA", (16, CAPITALS)),
    "github": shaped("ghp_", (36, LETTERS)),
    "github-oauth": shaped("gho_", (36, LETTERS)),
    "github-fine": shaped("github_pat_", (22, LETTERS), "_", (59, LETTERS)),
    "gitlab": shaped("glpat-", (20, URL_SAFE)),
    "gitlab-runner": shaped("glrt-", (20, URL_SAFE)),
    "gitlab-deploy": shaped("gldt-", (20, URL_SAFE)),
    "bitbucket": shaped("ATBB", (32, LETTERS)),
    "atlassian": shaped("ATATT3xFfGF0", (150, URL_SAFE), "=", (8, CAPITALS)),
    "slack-bot": shaped("xoxb-", (11, DIGITS), "-", (12, DIGITS), "-", (24, LETTERS)),
    "slack-user": shaped("xoxp-", (11, DIGITS), "-", (12, DIGITS), "-", (32, HEX)),
    "slack-app": shaped("xapp-1-A", (10, CAPITALS), "-", (12, DIGITS), "-", (64, HEX)),
    "slack-hook": shaped(
        "https://hooks.slack.com/services/T", (8, CAPITALS), "/B", (8, CAPITALS), "/", (24, LETTERS)
    ),
    "discord-hook": shaped("https://discord.com/api/webhooks/", (18, DIGITS), "/", (68, URL_SAFE)),
    "discord-bot": shaped("M", (23, LETTERS), ".", (6, URL_SAFE), ".", (38, URL_SAFE)),
    "telegram": shaped((10, DIGITS), ":AA", (33, URL_SAFE)),
    "google": shaped("AIza", (35, URL_SAFE)),
    "google-oauth": shaped("ya29.", (120, URL_SAFE)),
    "google-client": shaped("GOCSPX-", (28, URL_SAFE)),
    "stripe": shaped("sk_live_", (24, LETTERS)),
    "stripe-restricted": shaped("rk_live_", (24, LETTERS)),
    "stripe-hook": shaped("whsec_", (32, LETTERS)),
    "openai": shaped("sk-", (48, LETTERS)),
    "openai-project": shaped("sk-proj-", (80, URL_SAFE)),
    "anthropic": shaped("sk-ant-api03-", (93, URL_SAFE), "AA"),
    "groq": shaped("gsk_", (52, LETTERS)),
    "xai": shaped("xai-", (80, LETTERS)),
    "perplexity": shaped("pplx-", (48, LETTERS)),
    "replicate": shaped("r8_", (37, LETTERS)),
    "huggingface": shaped("hf_", (34, LETTERS)),
    "openrouter": shaped("sk-or-v1-", (64, HEX)),
    "nvidia": shaped("nvapi-", (64, URL_SAFE)),
    "pinecone": shaped("pcsk_", (6, LETTERS), "_", (63, LETTERS)),
    "langsmith": shaped("lsv2_pt_", (32, HEX), "_", (10, HEX)),
    "twilio": shaped("SK", (32, HEX)),
    "sendgrid": shaped("SG.", (22, URL_SAFE), ".", (43, URL_SAFE)),
    "mailgun": shaped("key-", (32, SMALL)),
    "mailchimp": shaped((32, HEX), "-us12"),
    "brevo": shaped("xkeysib-", (64, HEX), "-", (16, LETTERS)),
    "npm": shaped("npm_", (36, LETTERS)),
    "pypi": shaped("pypi-AgEIcHlwaS5vcmc", (150, URL_SAFE)),
    "rubygems": shaped("rubygems_", (48, HEX)),
    "nuget": shaped("oy2", (43, SMALL)),
    "docker": shaped("dckr_pat_", (27, URL_SAFE)),
    "digitalocean": shaped("dop_v1_", (64, HEX)),
    "heroku": shaped("HRKU-", (58, URL_SAFE)),
    "fly": shaped("fo1_", (43, URL_SAFE)),
    "vercel": shaped("vcp_", (56, LETTERS)),
    "netlify": shaped("nfp_", (36, LETTERS)),
    "supabase": shaped("sbp_", (40, HEX)),
    "planetscale": shaped("pscale_tkn_", (43, URL_SAFE)),
    "databricks": shaped("dapi", (32, HEX)),
    "datadog": shaped((40, HEX)),
    "newrelic": shaped("NRAK-", (27, CAPITALS)),
    "grafana": shaped("glsa_", (32, LETTERS), "_", (8, HEX)),
    "sentry": shaped("sntrys_eyJ", (80, LETTERS), "_", (43, LETTERS)),
    "dynatrace": shaped("dt0c01.", (24, CAPITALS), ".", (64, CAPITALS)),
    "shopify": shaped("shpat_", (32, HEX)),
    "square": shaped("sq0csp-", (43, URL_SAFE)),
    "plaid": identified("access-production-"),
    "linear": shaped("lin_api_", (40, LETTERS)),
    "notion": shaped("ntn_", (46, LETTERS)),
    "figma": shaped("figd_", (40, URL_SAFE)),
    "airtable": shaped("pat", (14, LETTERS), ".", (64, HEX)),
    "hubspot": identified("pat-na1-"),
    "postman": shaped("PMAK-", (24, HEX), "-", (34, HEX)),
    "vault": shaped("hvs.", (90, URL_SAFE)),
    "terraform": shaped((14, LETTERS), ".atlasv1.", (67, URL_SAFE)),
    "pulumi": shaped("pul-", (40, HEX)),
    "doppler": shaped("dp.pt.", (43, LETTERS)),
    "tailscale": shaped("tskey-auth-", (17, LETTERS), "-", (32, LETTERS)),
    "age": shaped("AGE-SECRET-KEY-1", (58, BECH32)),
    "azure-client": shaped((3, LETTERS), "8Q~", (34, URL_SAFE)),
    "azure-storage": encoded(64),
    "jwt": shaped("eyJ", (33, LETTERS), ".eyJ", (60, LETTERS), ".", (43, URL_SAFE)),
    "bcrypt": shaped("$2b$12$", (53, LETTERS)),
    "crypt": shaped("$6$", (12, LETTERS), "$", (86, LETTERS)),
    "bitcoin": shaped("5K", (49, "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")),
    "ethereum": shaped("0x", (64, HEX)),
    "mapbox": shaped("sk.eyJ", (60, LETTERS), ".", (22, URL_SAFE)),
    "sonar": shaped("squ_", (40, HEX)),
    "circleci": shaped("CCIPAT_", (22, LETTERS), "_", (40, HEX)),
    "artifactory": shaped("AKCp", (69, LETTERS)),
    "alibaba": shaped("LTAI", (20, LETTERS)),
    "facebook": shaped("EAA", (60, LETTERS)),
}
"""Keys in the fixed shape of their issuer. The shape is mostly a prefix."""

RANDOM: Mapping[str, Draw] = {
    "hex-20": drawn(20, HEX),
    "hex-32": drawn(32, HEX),
    "hex-40": drawn(40, HEX),
    "hex-64": drawn(64, HEX),
    "hex-capitals": drawn(32, HEX.upper()),
    "letters-16": drawn(16),
    "letters-20": drawn(20),
    "letters-24": drawn(24),
    "letters-32": drawn(32),
    "letters-43": drawn(43, URL_SAFE),
    "letters-64": drawn(64),
    "small-20": drawn(20, SMALL),
    "small-32": drawn(32, SMALL),
    "small-52": drawn(52, SMALL),
    "no-digits-24": drawn(24, LETTERS[:52]),
    "no-digits-40": drawn(40, LETTERS[:52]),
    "base32-16": drawn(16, BASE32),
    "base32-32": drawn(32, BASE32),
    "capitals-20": drawn(20, CAPITALS),
    "base64-16": encoded(16),
    "base64-24": encoded(24),
    "base64-32": encoded(32),
    "base64-48": encoded(48),
    "uuid": identified(),
    "three-parts": shaped((8, SMALL), "-", (8, SMALL), "-", (16, SMALL)),
}
"""Random strings, for templates in which no name tells that the value is a secret."""

PLACES: tuple[tuple[str, str], ...] = (
    ("app.py", 'client = Client("§")'),
    ("app.py", "VALUE = '§'"),
    ("app.py", "# see §"),
    ("app.ts", "start({ value: '§' });"),
    ("main.go", 'client := New("§")'),
    ("compose.yaml", "  value: §"),
    ("run.sh", "VALUE=§"),
    ("notes.md", "Take `§` for it."),
)
"""Templates by file name, for keys and random strings. No name in them tells of a secret."""


def armoured(chance: Random) -> str:
    """Draws the lines of a private key."""
    text = base64.b64encode(chance.randbytes(400)).decode()
    return "\n".join(text[place : place + 64] for place in range(0, len(text), 64))


BLOCKS: Mapping[str, tuple[str, str]] = {
    "pem": (
        "app.py",
        'KEY = """-----BEGIN RSA PRIVATE KEY-----\n§\n-----END RSA PRIVATE KEY-----"""',
    ),
    "pem-yaml": (
        "compose.yaml",
        "  key: |\n    -----BEGIN PRIVATE KEY-----\n§\n    -----END PRIVATE KEY-----",
    ),
    "ssh": (
        "deploy.sh",
        "cat <<EOF\n-----BEGIN OPENSSH PRIVATE KEY-----\n§\n-----END OPENSSH PRIVATE KEY-----\nEOF",
    ),
    "pgp": (
        "notes.md",
        "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n§\n=aB3x\n-----END PGP PRIVATE KEY BLOCK-----",
    ),
}
"""Templates by file name, for private keys of several lines.

A key counts as leaked if part of one of its lines is.
"""

FILES: tuple[str, ...] = (
    "~/.aws/credentials",
    "~/.aws/config",
    "~/.ssh/config",
    "~/.ssh/work_key",
    "~/.gnupg/secring.gpg",
    "~/.kube/config",
    "~/.docker/config.json",
    ".ENV",
    "ID_RSA",
    "server.PEM",
    "Secrets.toml",
    ".envrc",
    ".env~",
    ".env.local",
    ".env.bak",
    "prod.tfvars",
    "terraform.tfstate",
    "terraform.tfstate.backup",
    "kubeconfig",
    "admin.kubeconfig",
    ".dockercfg",
    ".vault-token",
    ".my.cnf",
    ".s3cfg",
    ".boto",
    "key.ppk",
    "_netrc",
    ".netrc",
    ".yarnrc.yml",
    "secret.yml",
    "secrets/db.txt",
    "client_secret.json",
    ".git/config",
    "office.ovpn",
    ".bash_history",
    ".zsh_history",
    ".python_history",
    ".psql_history",
    ".npmrc",
    ".pypirc",
    ".pgpass",
    ".htpasswd",
    ".git-credentials",
    "app.keystore",
    "release.jks",
    "vault.kdbx",
    "cert.p12",
    "cert.pfx",
    "config/master.key",
    "config/credentials.yml.enc",
    "service-account.json",
    "~/.config/gh/hosts.yml",
    "~/.config/gcloud/application_default_credentials.json",
    "~/.azure/accessTokens.json",
    "~/.m2/settings.xml",
    "~/.gradle/gradle.properties",
    "~/.cargo/credentials.toml",
    "~/.gem/credentials",
    "~/.composer/auth.json",
    "~/.config/rclone/rclone.conf",
    "~/.age/key.txt",
    "~/.config/sops/age/keys.txt",
    "vault_pass.txt",
    ".vault_pass",
    "keystore.properties",
    "wg0.conf",
    "id_ed25519",
    "id_ecdsa.bak",
    "credentials.json",
    "credentials",
    "~/.local/share/keyrings/login.keyring",
)
"""Names of files that contain secrets."""
