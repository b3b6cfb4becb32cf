"""Recognises files that contain secrets, by their folders and names."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from functools import cache

from mistral_lsp.text import uris

NAMES = """
    .env .env.* .env-* .env_* *.env .envrc .envrc.* env.local env.prod* env.stag* .dev.vars
    .dev.vars.*

    *.pem *.key *.p12 *.pfx *.p8 *.pk8 *.pvk *.ppk *.snk *.jks *.jceks *.bks *.keystore *.keytab
    *.psk *.gpg *.age *.kdb *.kdbx *.1pif *.1pux *.opvault *.agilekeychain *.keychain
    *.keychain-db *.keyring *.kwl *.ovpn *.nmconnection *.remmina *.rdp *.pcf *.publishsettings
    *.mobileprovision *.otp id_rsa* id_dsa* id_ecdsa* id_ed25519* id_xmss* *_rsa *_dsa *_ecdsa
    *_ed25519 ssh_host_*_key secring.* private.asc private-key* private_key* privkey* age-key*
    age.key krb5cc_* utc--* wallet.dat wallet.json mnemonic*.txt seed.txt seed-phrase*
    .google_authenticator recovery-codes* recovery_codes* backup-codes* backup_codes* *.mnemonic

    secret secret.* secrets secrets.* .secret .secret.* .secrets .secrets.* *.secret *.secrets
    credential credential.* credentials credentials.* .credentials .credentials.* *.credentials
    client_secret* client-secret* hudson.util.secret *credentials*.json *.creds creds creds.*
    password passwords passwd .password .passwords .passwd .pass *.passwd lastpass*.csv
    bitwarden*.json token .token *.token *[-_]token apikey .apikey *.apikey accesstokens.json
    key.json *[-_]key.json *[-_]keys.json keys.txt key.txt service-account*.json
    service_account*.json serviceaccount*.json *firebase-adminsdk*.json
    application_default_credentials.json google-services.json googleservice-info.plist auth.json

    .netrc _netrc netrc .netrc.* .authinfo .authinfo.* .git-credentials .cvspass .p4tickets .arcrc
    .hgrc .gist .github_token .npmrc .yarnrc .yarnrc.yml .pnpmrc .pypirc pip.conf pip.ini .condarc
    .gem .gemrc .dockercfg .dockerconfigjson *.dockerconfigjson dockerconfig.json
    settings-security.xml local.properties keystore.properties key.properties signing.properties
    *-users.properties tomcat-users.xml .s3cfg .boto .passwd-s3fs passwd-s3fs .databrickscfg
    .bigqueryrc kaggle.json rclone.conf clouds.yaml secure.yaml *openrc.sh ngrok.yml .ngrok
    .snowsql *.tfvars *.tfvars.json *.tfstate *.tfstate.* .terraformrc terraform.rc
    credentials.tfrc.json .vault-token vault_pass* vault-pass* .vault_pass* .vault-pass* vault.yml
    vault.yaml vault.json *.vault .consul-token .nomad-token kubeconfig kubeconfig.* *.kubeconfig
    *kubeconfig*.yml *kubeconfig*.yaml kube.config admin.conf kubelet.conf k3s.yaml talosconfig
    .my.cnf .mylogin.cnf .pgpass pgpass.conf .pg_service.conf .odbc.ini cqlshrc .mongorc.js
    .dbshell .rediscli_auth connectionstrings.config wp-config.php wp-config-*.php parameters.yml
    config.inc.php localsettings.php unattend.xml autounattend.xml .htpasswd htpasswd *.htpasswd
    .htdigest shadow shadow- gshadow master.passwd opasswd smbpasswd sasl_passwd .smbcredentials
    .cifscreds chap-secrets pap-secrets ipsec.secrets swanctl.conf wg[0-9]*.conf
    wpa_supplicant*.conf hostapd.conf .vpnc .fetchmailrc .msmtprc .mailrc .muttrc .offlineimaprc
    .mbsyncrc .esmtprc accounts.conf sitemanager.xml recentservers.xml filezilla.xml winscp.ini
    .ftpconfig sftp-config.json sftp.json webservers.xml datasources.local.xml logins.json key3.db
    key4.db signons.sqlite login?data cookies cookies.txt cookies.sqlite *cookies.txt cookiejar
    bitcoin.conf

    .*_history fish_history consolehost_history.txt .histfile .history .zhistory .rhistory
    .viminfo .lesshst .octave_hist
    """
"""Globs for the names of files that contain secrets. The globs are in lower case."""

_DATA = re.compile(
    r"""(?x)(?:.*[-_.])?
    (?:secrets? | credentials? | creds | passwords? | passwd | passphrase | token
     | (?:access|auth|refresh|api|bearer|session)[-_]?tokens?
     | (?:api|access|private|secret)[-_]?keys?)
    (?:[-_.](?:prod|production|dev|development|staging|test|local|live|default|enc|plain|\d+))*
    \.(?:txt|json[5c]?|ya?ml|toml|ini|cfg|conf|config|properties|xml|[ct]sv|dat|enc|plist|lst|list|b64
    |hcl|edn|tpl|key|hex)"""
)
"""Matches names of data files that suggest secrets. Names of code files don't match, since
code files often have such names.
"""

FOLDERS = """
    .ssh .gnupg .aws .azure .kube .oci .aliyun .tccli .bluemix .ibmcloud .config/gcloud
    .config/doctl .config/gh .config/hub .config/glab-cli .config/op .config/rclone .config/sops
    .config/scw .config/linode-cli .config/hcloud .config/stripe .config/ngrok .config/netlify
    .config/wandb .config/configstore .config/github-copilot .config/anthropic .config/openai
    .config/solana .config/remmina .config/filezilla .config/openstack .config/containers
    .config/helm .config/age .config/hub.yml .config/vultr-cli.yaml .config/fly .config/heroku
    .config/git/credentials .password-store .vault.d .terraform.d .pulumi .age .secrets secrets
    .ngrok2 .cloudflared .fly .railway .jfrog .databricks .snowsql .snowflake .dbt .kaggle
    .huggingface .openai .mc .chef .vagrant.d .jupyter .subversion/auth .purple .irssi .weechat
    .mutt .davfs2 .vnc .lftp .electrum .bitcoin .ethereum .near-credentials .jira.d .getmail
    .gem/credentials .bundle/config .docker/config.json .docker/contexts .git/config
    .git/credentials .m2/settings.xml .gradle/gradle.properties .ivy2/.credentials
    .cargo/credentials .cargo/credentials.toml .composer/auth.json .pub-cache/credentials.json
    .hex/hex.config .cabal/config .nuget/nuget .netlify/config.json .circleci/cli.yml
    .travis/config.yml .codex/auth.json .gemini .claude/.credentials.json .claude.json
    .idea/datasources.xml .influxdbv2/configs keyrings keychains kwalletd system-connections
    etc/wireguard etc/openvpn .mozilla .config/google-chrome .config/chromium .thunderbird
    com.vercel.cli huggingface/token bazaar/authentication.conf
    """
"""Folders that contain only secrets, and single files that are secret in their folder."""

_BACKUP = re.compile(
    r"""(?x)
    (?: ~ | \# | \.~\d+~ | [ _-]?\(\d+\) | [ ]-?[ ]?copy | [._-]\d{4}-\d\d-\d\d | [._-]\d{1,8}
     | [._-](?:bak|backup|old|orig|original|saved?|copy|te?mp|new|prev|sw[n-px]|un~|rej|disabled|off
              |mine|theirs|dist|example|sample|template|tpl|defaults?)\d* )$
    """
)


@cache
def _named() -> re.Pattern[str]:
    return re.compile("|".join(fnmatch.translate(glob) for glob in NAMES.split()))


@cache
def _inside() -> re.Pattern[str]:
    return re.compile(rf"(?:^|/)(?:{'|'.join(map(re.escape, FOLDERS.split()))})(?:/|$)")


def is_secret(path: str) -> bool:
    """Whether a file seems to contain secrets, judged by its whole path.

    Upper and lower case count as equal. Copies and examples of such files count, too, since people
    write secrets into them.
    """
    plain = path.replace("\\", "/").lower()
    folder, _, name = plain.rpartition("/")
    return any(
        _named().match(called) or _DATA.fullmatch(called) or _inside().search(f"{folder}/{called}")
        for called in _originals(name)
    )


def _originals(name: str) -> Iterator[str]:
    """Gives a file's name. If the file may be a backup, also gives possible original names."""
    yield name
    for mark in (".#", "#", "copy of "):
        if name.startswith(mark):
            name = name[len(mark) :]
            yield name
    while (shorter := _BACKUP.sub("", name)) not in (name, ""):
        name = shorter
        yield name
        if name.startswith("."):
            yield name[1:]  # .server.key.swp
        else:
            yield f".{name}"  # env.bak


def paths_of(uri: str) -> Iterator[str]:
    """Gives the path in a URI of any scheme, and the real path behind symbolic links."""
    path = uris.parse(uri).path
    if path:
        yield path
        with suppress(OSError, ValueError, RecursionError):
            yield os.path.realpath(path)
