"""When which step has something to do next, so that a run need not tick through the quiet hours between."""

from datetime import datetime, timedelta

from tests.simulation.database import SimulatedDatabase

#: The earliest time at which each step can find work; a time that has passed means now. An account that is paused,
#: stopped or asked to wait puts its work off; an invite that has a link which works waits for a look to tell its end.
DUE = """
with
account as (
    select a.account, a.paused_at is not null as paused,
           greatest(b.paused_until, b.next_slot_at - interval '1 second') as from_budget,
           case when a.stop_code is null then '-infinity'
                when a.needs_person then 'infinity' else a.probe_at end as from_stop,
           a.stop_scope is distinct from 'everything' as looks_go_on
    from zenhire.account_state a join zenhire.request_budget b using (account)
),
session as (
    select s.*, coalesce(s.lease_until, '-infinity') as free_at,
           greatest(a.from_budget, case when a.looks_go_on then '-infinity' else a.from_stop end) as may_at
    from zenhire.interview_sessions s join account a using (account)
)
select 'start' as step, min(greatest(i.start_after, a.from_budget, a.from_stop, p.next_try_at, p.lease_until)) as at
from zenhire.candidate_invites i
join account a on a.account = i.account and not a.paused
left join zenhire.personas p on i.persona_id is null and p.account = i.account and p.state = 'wanted'
     and zenhire.persona_key(p.role_name, p.language) = zenhire.persona_key(i.role_name, i.language)
where i.status = 'pending' and not zenhire.has_working_link(i.id)
union all
select 'start', min(i.stop_after) from zenhire.candidate_invites i where i.status in ('pending', 'starting')
union all
select 'start', min(greatest(s.repost_at, s.may_at)) from session s
join zenhire.candidate_invites i on i.id = s.invite_id and i.status = 'starting'
join account a on a.account = s.account and not a.paused
where s.repost_at is not null and not zenhire.has_working_link(i.id)
union all
select 'start', min(s.lease_until) from session s where s.state = 'posting'
union all
select 'watch', min(greatest(s.next_look_at, s.free_at, s.may_at)) from session s where s.next_look_at is not null
union all
select 'collect', min(greatest(s.next_collect_at, s.free_at, s.may_at)) from session s
where s.next_collect_at is not null
union all
select 'settle', min(greatest(s.next_search_at, s.free_at, s.may_at)) from session s
where s.next_search_at is not null
union all
select 'sweep', min(greatest(w.next_at, a.from_budget, case when a.looks_go_on then '-infinity' else a.from_stop end))
from account a cross join (values ('all'), ('completed'), ('failed')) k (walk)
left join zenhire.sweeps w on w.account = a.account and w.walk = k.walk
where w.position is not null
   or k.walk = 'all' and exists (select from zenhire.interview_sessions s where s.account = a.account
                                 and s.posted_at > greatest(w.next_at, zenhire.clock()) - %(memory)s)
   or exists (select from zenhire.list_state h where h.account = a.account and h.status_filter = 'honoured')
      and exists (select from zenhire.interview_sessions s where s.account = a.account and s.next_look_at is not null)
union all
select 'running',
       min(greatest(h.next_at, a.from_budget, case when a.looks_go_on then '-infinity' else a.from_stop end))
from account a left join zenhire.list_state h using (account)
where exists (select from zenhire.interview_sessions s where s.account = a.account and s.next_look_at is not null)
"""


def due_times(database: SimulatedDatabase, *, memory: timedelta, lists_running: bool) -> dict[str, datetime]:
    """By step; a step that is not named has nothing to do, now or later. Lists are read for sessions up to `memory`."""
    times: dict[str, datetime] = {}
    for row in database.fetch(DUE, {"memory": memory}):
        at = row["at"]
        if at is not None and (lists_running or row["step"] != "running"):
            times[row["step"]] = min(times.get(row["step"], at), at)
    return times
