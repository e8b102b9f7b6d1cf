"""What a process of a campaign holds on to between its seeds."""

import atexit
import os
import signal
import time
import traceback
from collections import Counter
from datetime import timedelta

from tests.simulation.journal import Short
from tests.simulation.run import Stage
from tests.support.postgres import Server

_stages: list[Stage] = []
_place: list[tuple[Server, str]] = []


def prepare(server: Server, template: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the campaign, which ends after this seed
    _place.append((server, template))
    _new_stage()
    atexit.register(_close)


def _close() -> None:
    for stage in _stages:
        stage.close()


def _new_stage() -> None:
    """A database that goes with its server."""
    server, template = _place[0]
    name = f"zenhire_simulation_{os.getpid()}_{len(_stages)}"
    server.execute(f"create database {name} template {template}")
    _stages.append(Stage(server.url_of(name)))


def play(seed: int) -> Short:
    """A run that breaks down leaves a stage that nobody can trust: the next one gets a new one."""
    began = time.monotonic()
    try:
        run = _stages[-1].play(seed)
    except Exception:  # noqa: BLE001 - one seed that breaks down must not end a night's run
        _new_stage()
        what = f"the simulation broke down: {traceback.format_exc()}"
        findings, counts, passed = [what], Counter[str](), timedelta()
    else:
        findings, counts, passed = run.findings, run.counts, run.passed
    return Short(seed=seed, findings=findings, counts=counts, passed=passed, took=time.monotonic() - began)
