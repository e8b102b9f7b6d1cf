"""The command line of the sandbox. What it needs to run is imported only when it runs."""

import argparse

from sandbox.profile import COMMAND_LINE_SPEED


def add_arguments(parser: argparse.ArgumentParser) -> None:
    _add_vendor(parser)
    _add_behaviour(parser)


def _add_vendor(parser: argparse.ArgumentParser) -> None:
    """Where it listens, and which vendor it plays."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8080, help="0: any free one (default: %(default)s)")
    parser.add_argument(
        "--profile",
        default="likely",
        metavar="NAME|FILE.toml",
        help="which possible vendor to play: see --profiles (default: %(default)s)",
    )
    parser.add_argument("--profiles", action="store_true", help="list the built-in profiles and end")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        dest="settings",
        metavar="GROUP.NAME=VALUE",
        help="change one setting of the profile, such as listing.paging=cursor; repeatable",
    )
    parser.add_argument(
        "--speed",
        type=float,
        metavar="N",
        help="the vendor's durations pass N times faster: with 600 a link lives 17 minutes and an interview takes two "
        f"seconds. Timestamps stay real (default: the profile file's, else {COMMAND_LINE_SPEED:g})",
    )
    parser.add_argument(
        "--key",
        action="append",
        default=[],
        dest="keys",
        metavar="KEY[=CLIENT]",
        help="an API key, of a client of its own unless named; repeatable (default: zh_api_sandbox)",
    )


def _add_behaviour(parser: argparse.ArgumentParser) -> None:
    """What candidates do, and what goes wrong."""
    parser.add_argument("--seed", type=int, default=0, help="same seed, same candidates (default: %(default)s)")
    parser.add_argument(
        "--faults",
        action="append",
        default=[],
        metavar="KIND[@ENDPOINT]:HOW_OFTEN",
        help="such as any:0.3, lost_after@create_session:#3,#7 or slow_body:0.1:seconds=20; repeatable",
    )
    parser.add_argument(
        "--plan",
        action="append",
        default=[],
        dest="plans",
        metavar="PATTERN=PLAN",
        help="what candidates whose candidate_ref matches do, such as 'anna-*=never|completed'; repeatable",
    )


def run(args: argparse.Namespace) -> int:
    """Serve until a signal, then 0. 2: wrong usage; 1: the address cannot be had."""
    from sandbox.launch import launch  # noqa: PLC0415 - `--help` needs no web server

    return launch(args)
