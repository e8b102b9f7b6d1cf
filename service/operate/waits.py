"""Why a pending invite waits: one rule in SQL, which follows the order in which the service itself would find out."""

from enum import StrEnum
from typing import LiteralString


class WaitReason(StrEnum):
    TIME = "time"  #: its `start_after` has not come
    NO_KEY = "no_key"
    PAUSED = "paused"
    STOPPED = "stopped"
    TOLD_TO_WAIT = "told_to_wait"  #: the vendor asked the account to wait
    PERSONA = "persona"  #: the persona of its role and language is being found or created
    TURN = "turn"  #: nothing stands in its way but the request budget and those before it


#: For a query over `zenhire.candidate_invites i`: adds a, b, p and `w.reason`, `w.next_at`.
WAIT_JOINS: LiteralString = """
left join zenhire.account_state a on a.account = i.account
left join zenhire.request_budget b on b.account = i.account
left join zenhire.personas p on i.persona_id is null and p.account = i.account
     and zenhire.persona_key(p.role_name, p.language) = zenhire.persona_key(i.role_name, i.language)
cross join lateral (
    select case
        when i.start_after > %(now)s then 'time'
        when not coalesce(a.key_present, false) then 'no_key'
        when a.paused_at is not null then 'paused'
        when a.stop_code is not null then 'stopped'
        when b.paused_until > %(now)s then 'told_to_wait'
        when i.persona_id is null and coalesce(p.state, 'wanted') = 'wanted' then 'persona'
        else 'turn' end as reason
) found
cross join lateral (
    select found.reason, case found.reason
        when 'time' then i.start_after
        when 'stopped' then case when not a.needs_person then a.probe_at end
        when 'told_to_wait' then b.paused_until
        when 'persona' then p.next_try_at end as next_at
) w
"""
