"""An account's trouble in sentences, and the statement that ends it."""

from datetime import datetime

from service.operate.account_facts import Account
from service.operate.words import ago, clause, due, span

WHERE_KEYS_ARE = "ZENHIRE_API_KEY (account default) or a file of its name in ZENHIRE_API_KEYS_DIR"


def in_short(account: Account) -> str:
    if account.works:
        return "works"
    if not account.key_present:
        return "HAS NO KEY"
    if account.stop_code is not None:
        return "STOPPED, looks go on" if account.looks else "STOPPED"
    return "PAUSED, looks go on"


def troubles(account: Account, now: datetime) -> list[str]:
    """Why it does not work, each reason a sentence; empty if it works."""
    found = []
    if not account.key_present:
        found.append(f"No replica has a key for it: {WHERE_KEYS_ARE}.")
    if account.stopped_at is not None:
        found.append(_stop(account, account.stopped_at, now))
    if account.paused_at is not None:
        reason = clause(account.pause_reason or "no reason on record")
        found.append(f"Paused {ago(account.paused_at, now)} by {account.paused_by}: {reason}.")
    return found


def _stop(account: Account, stopped_at: datetime, now: datetime) -> str:
    said = clause(account.stop_message or "no reason on record")
    code = "" if account.stop_code is None or account.stop_code in said else f"{account.stop_code}, "
    next_step = " A person must accept it." if account.needs_person else ""
    if account.probe_at is not None:
        next_step = f" Next probe {due(account.probe_at, now)}."
    return f"Stopped for {span(now - stopped_at)}: {code}{said}.{next_step}"


def resume_statement(account: Account) -> str | None:
    """What ends its pause or stop; a missing key no statement can give."""
    if account.paused_at is None and account.stop_code is None:
        return None
    reason = "the cause is mended" if account.stop_code else "the pause is over"
    return f"select zenhire.resume_account('{account.account}', '{reason}');"
