"""Made-up secrets, and templates of code around them, for `bench.checks.secrets`.

In a template, `§` stands for the secret. A template may have several lines.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping
from random import Random

Draw = Callable[[Random], str]

HEX = "0123456789abcdef"
LETTERS = string.ascii_letters + string.digits
CAPITALS = string.ascii_uppercase + string.digits
BASE32 = string.ascii_uppercase + "234567"
SMALL = string.ascii_lowercase + string.digits
URL_SAFE = LETTERS + "-_"
WORDS = (
    *("tulip", "marble", "gravel", "moth", "copper", "lantern", "willow", "saddle", "pepper"),
    *("violin", "harbor", "cactus", "falcon", "ribbon", "thunder", "velvet", "walnut", "zebra"),
    *("anchor", "barley", "candle", "dragon", "ember", "flint", "garnet", "hazel", "island"),
)


def drawn(length: int, characters: str = LETTERS) -> Draw:
    """Gives a function that draws secrets of `length` random characters, as machines make them."""
    return lambda chance: "".join(chance.choice(characters) for _ in range(length))


def password(chance: Random) -> str:
    """Draws a password as people choose them."""
    one, two = chance.sample(WORDS, 2)
    forms = (
        f"{one}{chance.randrange(10, 9999)}",
        f"{one.capitalize()}{chance.randrange(10, 99)}{chance.choice('!?#%')}",
        f"{one}{two}",
        f"{one.capitalize()}-{two}{chance.randrange(9)}",
        "".join(chance.choice(LETTERS) for _ in range(12)),
    )
    return chance.choice(forms)


def sentence(chance: Random) -> str:
    """Draws a password that consists of several words."""
    return " ".join(chance.sample(WORDS, 4))


NAMED: Mapping[str, tuple[str, ...]] = {
    "app.py": (
        'password = "§"',
        "DB_PASSWORD = '§'",
        'password: str = "§"',
        'password: Optional[str] = "§"',
        'password = b"§"',
        'password = r"§"',
        'password = """§"""',
        'password = """\n§\n"""',
        'password = (\n    "§"\n)',
        'password = \\\n    "§"',
        'os.environ["DB_PASSWORD"] = "§"',
        'host = os.environ.get("DB_PASSWORD", "§")',
        'value = os.getenv("SMTP_PASS", default="§")',
        'value = os.getenv("DB_PASSWORD") or "§"',
        'self._password = "§"',
        'config["database"]["password"] = "§"',
        'settings = {"user": "me", "password": "§"}',
        'connect(host="db", user="me", password="§", port=5432)',
        'def connect(user, password="§"):',
        'def connect(user: str, passwd: str = "§") -> None:',
        'db_pass = "§"',
        'pwd = "§"',
        'credential = "§"',
        'client_secret = "§"',
        'encryption_key = "§"',
        'api_key = "§"',
        'access_token = "§"',
        'auth = ("me", "§")',
        'session.auth = HTTPBasicAuth("me", "§")',
        'smtp.login("me@example.org", "§")',
        'headers = {"Authorization": "Bearer §"}',
        'headers["X-Api-Key"] = "§"',
        'if password == "§":',
        'user, password = "me", "§"',
        'password = SecretStr("§")',
        'password: str = Field(default="§")',
        'password = "§".encode()',
        'parser.add_argument("--password", default="§")',
        'monkeypatch.setenv("DB_PASSWORD", "§")',
        'url = "postgres://me:§@db/base"',
        'dsn = "Server=db;Uid=me;Pwd=§;"',
        'dsn = "host=db user=me password=§ port=5432"',
        "# password: §",
        'run("mysql -u root -p§ base")',
        'run("curl -u me:§ https://host/")',
        'run("PGPASSWORD=§ psql base")',
        'passwords = ["§", "other"]',
    ),
    "app.ts": (
        "const password = '§';",
        'let password: string = "§";',
        "const password = `§`;",
        "password: '§',",
        "const { password = '§' } = options;",
        "const password = process.env.DB_PASSWORD || '§';",
        "const password = process.env.DB_PASSWORD ?? '§';",
        "private readonly apiKey: string = '§';",
        "client.setPassword('§');",
        "headers: { Authorization: 'Basic §' },",
        "axios.get(url, { auth: { username: 'me', password: '§' } });",
        "fetch('https://host/items?api_key=§&page=2');",
        "const clientSecret = Buffer.from('§');",
        "config.set('password', '§');",
        'export const SESSION_SECRET = "§";',
    ),
    "Main.java": (
        'String password = "§";',
        'private static final String DB_PASSWORD = "§";',
        'dataSource.setPassword("§");',
        'builder.password("§")',
        'props.put("password", "§");',
        'DriverManager.getConnection(url, "me", "§");',
        '@Value("${db.password:§}")',
        'char[] password = "§".toCharArray();',
        'new UsernamePasswordCredentials("me", "§");',
    ),
    "main.go": (
        'password := "§"',
        'var password string = "§"',
        'const apiToken = "§"',
        'Password: "§",',
        "secret := `§`",
        'os.Setenv("DB_PASSWORD", "§")',
        'req.SetBasicAuth("me", "§")',
        'req.Header.Set("Authorization", "Bearer §")',
    ),
    "lib.rs": (
        'let password = "§";',
        'let password: &str = "§";',
        'const API_KEY: &\'static str = "§";',
        'let password = String::from("§");',
        'password: "§".to_string(),',
        'let secret = r#"§"#;',
    ),
    "App.cs": (
        'string password = "§";',
        'var password = @"§";',
        'public string Password { get; set; } = "§";',
        'new NetworkCredential("me", "§");',
        'var cs = "Server=db;User Id=me;Password=§;";',
    ),
    "index.php": (
        "$password = '§';",
        "define('DB_PASSWORD', '§');",
        "'password' => '§',",
        "$conn = new mysqli('host', 'me', '§');",
        "'password' => env('DB_PASSWORD', '§'),",
        "$secret = getenv('APP_SECRET') ?: '§';",
    ),
    "app.rb": (
        "password = '§'",
        "password: '§',",
        ":password => '§',",
        "ENV['DB_PASSWORD'] = '§'",
        "ENV.fetch('DB_PASSWORD', '§')",
        "password = ENV['DB_PASSWORD'] || '§'",
        "config.secret_key_base = '§'",
        "password = %q(§)",
    ),
    "App.kt": ('val password = "§"', 'val password: String = "§"', 'private const val TOKEN = "§"'),
    "main.c": (
        '#define DB_PASSWORD "§"',
        'const char *password = "§";',
        'char password[32] = "§";',
    ),
    "main.cpp": ('std::string password = "§";', 'std::string password{"§"};'),
    "init.lua": ('local password = "§"', "password = [[§]]"),
    "App.swift": ('let password = "§"', 'var apiKey: String = "§"'),
    "main.scala": ('val password: String = "§"', '"password" -> "§"'),
    "script.pl": ("my $password = '§';", "password => '§',"),
    "model.R": ('password <- "§"',),
    "form.vb": ('Dim password As String = "§"',),
    "schema.sql": (
        "CREATE USER me WITH PASSWORD '§';",
        "ALTER USER 'me'@'localhost' IDENTIFIED BY '§';",
        "SET PASSWORD FOR 'me' = '§';",
        "SELECT PASSWORD('§');",
    ),
    "compose.yaml": (
        "password: §",
        "  - POSTGRES_PASSWORD=§",
        "    POSTGRES_PASSWORD: §",
        'password: "§"',
        "password: '§'",
        "password: |\n  §",
        "password: >-\n  §",
        "password:\n  §",
        "password: §  # of the database",
        "- name: DB_PASSWORD\n  value: §",
        "- {name: DB_PASSWORD, value: §}",
        "command: redis-server --requirepass §",
        "command: app --password §",
        "db: {user: me, password: §}",
        "clientSecret: §",
    ),
    "app.ini": ("password = §", "password=§", "db.password: §", "secret_key=§", "; password = §"),
    "app.properties": ("spring.datasource.password=§", "db.password = §", "api.token=§"),
    "app.toml": ('password = "§"', "password = '§'", 'token = """§"""'),
    "settings.json": (
        '"password": "§",',
        '"ConnectionString": "Server=db;Password=§;Database=base"',
        '{"name": "DB_PASSWORD", "value": "§"}',
        '"name": "DB_PASSWORD",\n"value": "§"',
        '"args": ["--password", "§"],',
        '"body": "{\\"password\\": \\"§\\"}",',
    ),
    "deploy.sh": (
        "PASSWORD=§",
        "export DB_PASSWORD=§",
        'export DB_PASSWORD="§"',
        "DB_PASSWORD='§' ./run",
        "PASSWORD=${PASSWORD:-§}",
        "mysql -u root -p§ base",
        "sshpass -p § ssh host",
        "curl -u me:§ https://host/",
        "curl --user 'me:§' https://host/",
        'curl -H "Authorization: Bearer §" https://host/',
        "app --password § --verbose",
        "app --password=§",
        "docker login -u me -p § registry",
        "redis-cli -a § ping",
        "git clone https://me:§@host/repo.git",
        "echo § | docker login -u me --password-stdin",
        "wget --password='§' https://host/",
        "openssl rsa -passin pass:§ -in key",
        "cat > file <<EOF\nmachine host login me password §\nEOF",
    ),
    "Dockerfile": (
        "ENV DB_PASSWORD=§",
        "ENV DB_PASSWORD §",
        "ARG TOKEN=§",
        "ENV A=b DB_PASSWORD=§ C=d",
    ),
    "Makefile": ("PASSWORD := §", "TOKEN ?= §"),
    "main.tf": (
        'password = "§"',
        'variable "db_password" {\n  type = string\n  default = "§"\n}',
        "secret = <<EOT\n§\nEOT",
    ),
    "pom.xml": (
        "<password>§</password>",
        '<property name="password" value="§"/>',
        '<add key="Password" value="§"/>',
        '<string name="api_key">§</string>',
        '<db password="§" user="me"/>',
        '<entry key="password">§</entry>',
        "<settings:password>§</settings:password>",
    ),
    "index.html": (
        '<input type="password" name="password" value="§">',
        '<meta name="api-key" content="§">',
    ),
    "notes.md": ("Password: `§`", "- password: §", "The password is `§`", "    export TOKEN=§"),
    "request.http": (
        "Authorization: Basic §",
        "X-Api-Key: §",
        "Cookie: session=§",
    ),
    "nginx.conf": ('proxy_set_header Authorization "Bearer §";', "requirepass §", "password §"),
    "run.ps1": (
        '$password = "§"',
        '$env:DB_PASSWORD = "§"',
        'ConvertTo-SecureString "§" -AsPlainText -Force',
    ),
    "run.bat": ("set DB_PASSWORD=§", "net use x: \\\\host\\share /user:me §"),
    "config.fish": ("set -gx DB_PASSWORD §",),
    "init.el": ('(setq password "§")',),
}
"""Templates by file name. In them, only the surrounding code shows that the value is a secret."""

DRAWN_ONLY = (
    "Basic §",
    "Bearer §",
    "encryption_key",
    "api_key",
    "api-key",
    "access_token",
    "X-Api-Key",
    "TOKEN",
    "apiToken",
    "apiKey",
    "API_KEY",
    "Token",
    "session=§",
)
"""If a template contains one of these, its secret is random, not a password chosen by a person."""

OF_SENTENCES: Mapping[str, tuple[str, ...]] = {
    "app.py": ('password = "§"', 'passphrase = "§"', 'os.environ["DB_PASSWORD"] = "§"'),
    "compose.yaml": ("password: §", 'password: "§"'),
    "app.ini": ("password = §", "password=§"),
    "app.ts": ("const passphrase = '§';",),
    "pom.xml": ("<password>§</password>",),
}
"""Templates for passwords that consist of several words, by file name."""
