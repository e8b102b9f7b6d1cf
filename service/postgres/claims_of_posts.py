"""The claims of the start step in SQL: whom a post is sent for next, and what dead replicas have left."""

from sqlalchemy import text

#: The claim of invites to be posted for.
_CLAIM_POSTS = """
with
-- invites whose lost post is to be repeated now
again as (
    select i.* from zenhire.interview_sessions s
    join zenhire.candidate_invites i on i.id = s.invite_id
    where s.account = :account and s.repost_at <= (select zenhire.clock())
      and s.current and i.status = 'starting'
      and (i.stop_after is null or i.stop_after > (select zenhire.clock()))
      and not zenhire.has_working_link(i.id)
    order by s.repost_at
    limit :limit
    for update of i, s skip locked -- both: two replicas that see the same repost must not both claim it
),
-- invites whose turn it is, and whose persona is at hand (or refused, which they must be told)
fresh as (
    select i.* from zenhire.candidate_invites i
    where i.account = :account and i.status = 'pending'
      and i.start_after <= (select zenhire.clock())
      and (i.stop_after is null or i.stop_after > (select zenhire.clock()))
      and (i.persona_id is not null or exists (
          select from zenhire.personas p
          where p.account = i.account and p.state in ('ready', 'refused')
            and zenhire.persona_key(p.role_name, p.language) = zenhire.persona_key(i.role_name, i.language)))
      and not zenhire.has_working_link(i.id) and {only}
    order by i.priority desc, i.start_after, i.id
    offset :skip
    limit :limit
    for update of i skip locked
),
chosen as (select * from again union all select * from fresh limit :limit),
-- the post before this one is no longer the invite's current post
retired as (
    update zenhire.interview_sessions s set current = false, repost_at = null
    from chosen c where s.invite_id = c.id and s.current
    returning s.invite_id
),
moved as (
    update zenhire.candidate_invites i set status = 'starting'
    from chosen c where i.id = c.id and i.status = 'pending'
    returning i.id, i.account, i.version
),
-- the intent: committed before anything is sent
posted as (
    insert into zenhire.interview_sessions
        (account, invite_id, link_number, post_number, persona_id, lease_token, lease_until, lease_holder)
    select c.account, c.id, c.link_number + 1,
           coalesce((select max(s.post_number) from zenhire.interview_sessions s
                     where s.invite_id = c.id and s.link_number = c.link_number + 1), 0) + 1,
           coalesce(c.persona_id, p.persona_id), gen_random_uuid(), zenhire.clock() + :lease, :holder
    from chosen c
    left join zenhire.personas p on c.persona_id is null and p.account = c.account
         and zenhire.persona_key(p.role_name, p.language) = zenhire.persona_key(c.role_name, c.language)
    left join retired r on r.invite_id = c.id
    returning post_id, account, invite_id, link_number, persona_id, posted_at, lease_token
),
noted as (
    insert into zenhire.invite_events (account, invite_id, post_id, kind, from_status, to_status, version, replica)
    select m.account, m.id, p.post_id, 'start_claimed', 'pending', 'starting', m.version, :holder
    from moved m join posted p on p.invite_id = m.id
)
select p.post_id, p.account, p.lease_token as token, p.posted_at, p.invite_id, p.link_number, p.persona_id,
       c.candidate_ref, c.consent_mode, c.metadata, c.tags, zenhire.clock() as claimed_at,
       (select count(*) from zenhire.interview_sessions s
        where s.invite_id = c.id and s.link_number = p.link_number and s.counted
          and s.state in ('lost', 'orphan')) as counted_posts,
       case when p.persona_id is null then coalesce(
           (select q.error_code from zenhire.personas q
            where q.account = c.account
              and zenhire.persona_key(q.role_name, q.language) = zenhire.persona_key(c.role_name, c.language)),
           'PERSONA_REFUSED') end as persona_refusal,
       exists (select from zenhire.account_state a
               where a.account = p.account and p.persona_id = any (a.blamed_personas)) as blamed,
       (select h.look_every from zenhire.list_state h
        where h.account = p.account and h.status_filter = 'honoured') as look_every
from posted p join chosen c on c.id = p.invite_id
order by c.priority desc, c.start_after, c.id
"""

CLAIM_POSTS = text(_CLAIM_POSTS.format(only="true"))

#: For a probe: an invite whose persona has not yet met the refusal that stopped the account. It tells whom to blame.
_UNTRIED = """
      -- once for the whole statement, before any invite is read
      (select k.persona_ids <> '{}' from zenhire.account_streaks k where k.account = :account and k.lane = 'start')
      and coalesce(i.persona_id,
              (select p.persona_id from zenhire.personas p
               where p.account = i.account and zenhire.persona_key(p.role_name, p.language)
                     = zenhire.persona_key(i.role_name, i.language)))
          <> all (coalesce((select k.persona_ids from zenhire.account_streaks k
                            where k.account = :account and k.lane = 'start'), '{}'))
"""
CLAIM_UNTRIED = text(_CLAIM_POSTS.format(only=_UNTRIED))

CLAIM_ABANDONED = text("""
with
-- posts whose replica stopped between intent and answer
over as (
    select s.post_id from zenhire.interview_sessions s
    where s.state = 'posting' and s.lease_until <= (select zenhire.clock())
    order by s.lease_until
    limit :limit
    for update of s skip locked
)
update zenhire.interview_sessions s
set lease_token = gen_random_uuid(), lease_until = zenhire.clock() + :lease, lease_holder = :holder
from over, zenhire.candidate_invites i
where s.post_id = over.post_id and i.id = s.invite_id
returning s.post_id, s.account, s.lease_token as token, s.posted_at, s.invite_id, s.link_number, s.persona_id,
          i.candidate_ref, i.consent_mode, i.metadata, i.tags, zenhire.clock() as claimed_at,
          (select count(*) from zenhire.interview_sessions o
           where o.invite_id = s.invite_id and o.link_number = s.link_number and o.counted
             and o.state in ('lost', 'orphan')) as counted_posts,
          null as persona_refusal
""")
