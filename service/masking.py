"""Takes secrets out of text: the last line of defence before a log line or an error message leaves the process."""

import re

HIDDEN = "[hidden]"

_SECRETS = (
    # API keys: `zh_api_…` and the older prefixes (contract §1).
    (re.compile(r"(?<![A-Za-z0-9])zh_[A-Za-z0-9_\-]+"), HIDDEN),
    # The token of a candidate link `https://…/#t=<token>` (contract §2.2), also percent-encoded.
    (re.compile(r"(#|%23)t(=|%3D)[^\s\"'<>\\)\]}]+", re.IGNORECASE), rf"\1t\2{HIDDEN}"),
    # `scheme://user:password@host`; a password may hold an unescaped `@` or `/`, so it ends at the word's last `@`.
    (re.compile(r"(\b[a-z][a-z0-9+.\-]*://[^\s:@/]*):[^\s\"'<>]*@", re.IGNORECASE), rf"\1:{HIDDEN}@"),
    # `password=…` of a connection string or URL.
    (re.compile(r"(password\s*=\s*)('(?:[^'\\]|\\.)*'|[^\s&\"']+)", re.IGNORECASE), rf"\1{HIDDEN}"),
    # What Postgres and SQLAlchemy quote of a row in their errors may be a link, metadata or a transcript.
    (re.compile(r"(Failing row contains ).*", re.DOTALL), rf"\1{HIDDEN}"),
    (re.compile(r"(CONTEXT:\s+JSON data, line \d+: ).*"), rf"\1{HIDDEN}"),
    (re.compile(r"(\[parameters: ).*?(?=\n\(Background on this error|\Z)", re.DOTALL), rf"\1{HIDDEN}]"),
    (re.compile(r"(x-api-key['\"]?\s*[:=,]\s*b?['\"]?)[^\s'\",;)\]}]+", re.IGNORECASE), rf"\1{HIDDEN}"),
)


def mask(text: str) -> str:
    """The same text with everything that looks like a key, a link's token or a password hidden."""
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text
