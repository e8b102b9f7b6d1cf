// Handle every change of an invite at least once: new links, outcomes, transcripts.
//
// Each row carries its own `version`, and `seen_version` is your mark on it. So it does not matter in which order
// transactions commit: a row is new for as long as its version is greater than the mark.

import { once } from 'node:events';
import { argv } from 'node:process';
import { setTimeout as after } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import pg from 'pg';

const CHANGED = `
select id, version, request_key, candidate_ref, status, candidate_link, link_expires_at, transcript_state, error_message
from zenhire.candidate_invites
where version > seen_version
order by updated_at
limit 100
for update skip locked
`;

const SEEN = 'update zenhire.candidate_invites set seen_version = $1 where id = $2';

const EVERY_MS = 10_000;

/**
 * Hand what is new to `handle`, and mark it; how many rows that were.
 *
 * Where `handle` throws, or the process dies, nothing is marked and the rows come again. Several consumers share the
 * work: a row that one of them holds is skipped by the others. `version` is a string, as bigint does not fit a number.
 */
export async function handleChanges(client, handle) {
  await client.query('begin');
  try {
    const { rows } = await client.query(CHANGED);
    for (const invite of rows) {
      await handle(invite);
      await client.query(SEEN, [invite.version, invite.id]);
    }
    await client.query('commit');
    return rows.length;
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
}

/** Handle changes as they come, within a moment where notifications arrive and within ten seconds where not. */
export async function consume(connectionString, handle, { signal }) {
  const listening = new pg.Client({ connectionString });
  const working = new pg.Client({ connectionString });
  await Promise.all([listening.connect(), working.connect()]);
  try {
    await listening.query('listen zenhire_changes');
    while (!signal.aborted) {
      const woken = new AbortController();
      const next = once(listening, 'notification', { signal: woken.signal }).catch(() => {}); // before the look: none is missed
      while (await handleChanges(working, handle)) { /* until nothing is new */ }
      await Promise.race([next, after(EVERY_MS, undefined, { signal }).catch(() => {})]);
      woken.abort();
    }
  } finally {
    await Promise.all([listening.end(), working.end()]);
  }
}

// As a program it prints each change as a line of JSON, until it is asked to stop.
if (argv[1] === fileURLToPath(import.meta.url)) {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM']) process.once(name, () => stop.abort());
  await consume(process.env.DATABASE_URL, (invite) => console.log(JSON.stringify(invite)), { signal: stop.signal });
}
