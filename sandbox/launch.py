"""From arguments to a serving sandbox."""

import argparse
import sys

from sandbox.clock import SystemClock
from sandbox.model import KeySpec
from sandbox.plans import Script
from sandbox.platform import Platform
from sandbox.profile import COMMAND_LINE_SPEED, Profile
from sandbox.profiles import BUILT_IN, changed, load, parse_settings
from sandbox.server import base_url, listen, serve


def launch(args: argparse.Namespace) -> int:
    if args.profiles:
        sys.stdout.writelines(f"{name:<10} {named.about}\n" for name, named in BUILT_IN.items())
        return 0
    try:
        profile, keys, script = _profile(args), _keys(args.keys), _script(args.plans)
    except ValueError as problem:
        return _complain(str(problem), 2)
    try:
        sock = listen(args.host, args.port)
    except OSError as problem:
        return _complain(f"cannot listen on {args.host}:{args.port}: {problem}", 1)
    line = (
        f"sandbox: listening on {base_url(sock)}, key {', '.join(spec.value for spec in keys)}; "
        f"a stand-in, not ZenHire (profile {args.profile}, {profile.speed:g} times faster)\n"
    )
    serve(Platform(profile, SystemClock(), args.seed, keys=keys, script=script), sock, ready=lambda: _say(line))
    return 0


def _say(line: str) -> None:
    sys.stdout.write(line)
    sys.stdout.flush()


def _complain(problem: str, code: int) -> int:
    sys.stderr.write(f"sandbox: {problem}\n")
    return code


def _profile(args: argparse.Namespace) -> Profile:
    profile = load(args.profile)
    settings = parse_settings(args.settings)
    if args.speed is not None:
        settings["speed"] = args.speed
    elif profile.speed == 1:
        settings.setdefault("speed", COMMAND_LINE_SPEED)
    if args.faults:
        settings["faults.rules"] = args.faults
    return changed(profile, settings)


def _keys(texts: list[str]) -> tuple[KeySpec, ...]:
    specs = tuple(_key(text) for text in texts) or (KeySpec(),)
    if any(not spec.value for spec in specs):
        raise ValueError("--key: write it as KEY or KEY=CLIENT")
    return specs


def _key(text: str) -> KeySpec:
    value, _, client = text.partition("=")
    return KeySpec(value=value, client=client)


def _script(plans: list[str]) -> Script:
    pairs = [plan.partition("=") for plan in plans]
    if any(not equals for _, equals, _ in pairs):
        raise ValueError("--plan: write it as PATTERN=PLAN, such as 'anna-*=never'")
    return Script([(pattern, plan) for pattern, _, plan in pairs])
