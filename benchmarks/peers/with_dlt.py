"""
Outcomes loaded by dlt: its REST source reads the vendor's list of sessions and merges it into Postgres by session id.

It asks for what has ended, made since seven days before the newest session that it knows: a link may be used that long,
so the cursor on `created_at` alone would pass by every interview that ends later than a newer one was made. It rests on
the vendor's list honouring `status` and `created_after`, which the vendor has not written down; where it does not, each
load reads the whole list.

What it cannot do: start sessions, so it can neither get a link nor keep one; tell that the list is wrong or incomplete,
and look at a single session then; follow a limit of requests (it backs off after a 429); share the work with a second
process. What it loads is its own table: the statement that brings an outcome to its invite is ours.
"""

import tempfile
import time

import dlt
from dlt.sources.rest_api import rest_api_source

from benchmarks.peers.options import Options, read_options

LINK_LIFETIME_SECONDS = 7 * 24 * 3600
PAGE = 100
LONG_AGO = "2020-01-01T00:00:00Z"
OUTCOMES = """
update peer.invites i set status = s.status, outcome = to_jsonb(s), done_at = clock_timestamp()
from vendor.sessions s where s.id = i.session_id and i.status = 'open'
"""


def make_source(options: Options) -> dlt.sources.DltSource:
    return rest_api_source(
        {
            "client": {
                "base_url": options.url,
                "auth": {"type": "api_key", "name": "X-API-Key", "api_key": options.key, "location": "header"},
                "paginator": {"type": "offset", "limit": PAGE, "total_path": None, "has_more_path": "has_more"},
            },
            "resources": [
                {
                    "name": "sessions",
                    "primary_key": "id",
                    "write_disposition": "merge",
                    "max_table_nesting": 0,
                    "endpoint": {
                        "path": "sessions",
                        "data_selector": "data",
                        "params": {"status": "completed,failed"},
                        "incremental": {
                            "cursor_path": "created_at",
                            "start_param": "created_after",
                            "initial_value": LONG_AGO,
                            "lag": LINK_LIFETIME_SECONDS,
                        },
                    },
                }
            ],
        }
    )


def run(options: Options) -> None:
    with tempfile.TemporaryDirectory() as directory:
        pipeline = dlt.pipeline(
            "outcomes",
            pipelines_dir=directory,
            destination=dlt.destinations.postgres(options.database),
            dataset_name="vendor",
        )
        while True:
            next_at = time.monotonic() + options.interval
            pipeline.run(make_source(options))
            if pipeline.last_trace.last_normalize_info.row_counts.get("sessions"):
                with pipeline.sql_client() as client:
                    client.execute_sql(OUTCOMES)
            time.sleep(max(next_at - time.monotonic(), 0))


if __name__ == "__main__":
    run(read_options())
