"""What every peer is told on its command line."""

import argparse
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The same for all peers."""

    url: str  #: of the vendor's API
    key: str
    database: str
    concurrency: int  #: requests in flight
    per_minute: int  #: requests; 0: no limit
    interval: float  #: seconds between two looks at the same session, or between two loads of the list
    adopt: bool  #: sessions stand open that no job looks at yet


def read_options() -> Options:
    parser = argparse.ArgumentParser()
    for name in ("--url", "--key", "--database"):
        parser.add_argument(name, required=True)
    for name in ("--concurrency", "--per-minute"):
        parser.add_argument(name, type=int, required=True)
    parser.add_argument("--interval", type=float, required=True)
    parser.add_argument("--adopt", action="store_true")
    return Options(**vars(parser.parse_args()))
