"""Which accounts a replica has keys for, and whether the base URL is still that at which their sessions were made."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

#: Whether a heartbeat has anything to write down: mostly it has not, and then one statement is all that it costs.
TO_REGISTER = text("""
select exists (
    select from unnest(cast(:accounts as text[])) g (account)
    left join zenhire.account_state a on a.account = g.account
    left join zenhire.request_budget b on b.account = g.account
    where a.account is null or b.account is null or not a.key_present or a.stop_code is not null
       or a.base_url is distinct from :base_url)
  or exists (select from zenhire.account_state where key_present and not account = any(cast(:accounts as text[])))
  as changes
""")

ENSURE_BUDGETS = text("""
insert into zenhire.request_budget (account)
select account from unnest(cast(:accounts as text[])) a (account) order by account
on conflict do nothing
""")

ENSURE_STATES = text("""
insert into zenhire.account_state as a (account, base_url)
select account, :base_url from unnest(cast(:accounts as text[])) g (account) order by account
on conflict (account) do update
set key_present = true, base_url = coalesce(a.base_url, excluded.base_url), updated_at = zenhire.clock()
where not a.key_present or a.base_url is null
""")

#: Somebody pointed a table that fed one platform at another: a person must say that this is meant.
STOP_MOVED = text("""
with moved as (
    update zenhire.account_state a
    set stop_code = 'BASE_URL_CHANGED', stop_scope = 'everything', needs_person = true,
        stopped_at = zenhire.clock(), probe_at = null, probe_seconds = null, updated_at = zenhire.clock(),
        stop_message = 'ZENHIRE_BASE_URL is now ' || cast(:base_url as text)
                       || ', but the sessions of this account were made at ' || a.base_url
    where a.account = any(cast(:accounts as text[])) and a.base_url <> :base_url
      and a.stop_code is distinct from 'BASE_URL_CHANGED'
      and exists (select from zenhire.interview_sessions s where s.account = a.account and s.state <> 'not_made')
    returning a.account, a.stop_message
)
insert into zenhire.invite_events (account, kind, reason, details, replica)
select account, 'account_stopped', stop_message, '{"code": "BASE_URL_CHANGED"}', :replica from moved
""")

#: Without sessions there is nothing to mix up.
FOLLOW_MOVED = text("""
update zenhire.account_state a set base_url = :base_url, updated_at = zenhire.clock()
where a.account = any(cast(:accounts as text[])) and a.base_url <> :base_url
  and not exists (select from zenhire.interview_sessions s where s.account = a.account and s.state <> 'not_made')
""")

WITHOUT_KEY = text("""
update zenhire.account_state set key_present = false, updated_at = zenhire.clock()
where key_present and not account = any(cast(:accounts as text[]))
""")


async def register(connection: AsyncConnection, accounts: Sequence[str], *, base_url: str, replica: UUID) -> bool:
    """Write down what is new; False: nothing is."""
    at = {"accounts": accounts, "base_url": base_url}
    if not (await connection.execute(TO_REGISTER, at)).scalar_one():
        return False
    await connection.execute(ENSURE_BUDGETS, {"accounts": accounts})
    await connection.execute(WITHOUT_KEY, {"accounts": accounts})
    await connection.execute(ENSURE_STATES, at)
    await connection.execute(FOLLOW_MOVED, at)
    await connection.execute(STOP_MOVED, at | {"replica": replica})
    return True
