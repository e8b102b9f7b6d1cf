"""The report as one HTML file: its style inside, no script, nothing loaded from anywhere."""

from datetime import timedelta
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from service.operate.report.facts import PersonaFunnel, Report, together
from service.operate.report.plots import (
    funnel_rows,
    lag_columns,
    moments,
    outcome_rows,
    percent,
    span_rows,
    usage_columns,
)
from service.operate.words import counted, moment, plain, shortened, span

PERSONAS_SHOWN_MAX = 30
ATTENTION_SHOWN_MAX = 10
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
LAG_SERIES = ("half of them", "95 of 100", "99 of 100")
USAGE_SERIES = ("outcomes", "starts", "transcripts, recordings", "nets")


def page(report: Report) -> str:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= _FILTERS
    style = Markup(_file("page.css"))  # noqa: S704 - a file of ours
    return environment.from_string(_file("page.html")).render(_shown(report), style=style).lstrip() + "\n"


def _file(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _shown(report: Report) -> dict[str, Any]:
    funnel = report.all_invites
    per_minute = sum(account.per_minute for account in report.accounts)
    return {
        "report": report,
        "funnel": funnel,
        "headline": _headline(report),
        "good": report.status.all_right and report.status.is_served,
        "attention": report.status.attention[:ATTENTION_SHOWN_MAX],
        "attention_hidden": max(report.status.attention_count - ATTENTION_SHOWN_MAX, 0),
        "funnel_rows": funnel_rows(funnel),
        "outcome_rows": outcome_rows(funnel),
        "finished": percent(funnel.completed, funnel.invites - funnel.open),
        "personas": _personas(report),
        "accounts": _accounts(report),
        "begun_rows": span_rows(report.begun),
        "completed_rows": span_rows(report.completed),
        "lag_plot": lag_columns(report.lag_by_day, moments(report.since, report.at, DAY)),
        "lag_series": LAG_SERIES,
        "usage_plot": usage_columns(report.usage, moments(report.usage_since, report.at, HOUR), limit=60 * per_minute),
        "usage_series": USAGE_SERIES,
        "per_minute": per_minute,
        "usages": [(account, percent(account.fullest, account.per_minute)) for account in report.accounts],
    }


def _headline(report: Report) -> str:
    count = report.status.attention_count
    needs = (
        "Nothing needs a person."
        if not count
        else f"{counted(count, 'thing')} {'needs' if count == 1 else 'need'} a person."
    )
    served = "" if report.status.is_served else " No replica of the service has ticked for a minute."
    return f"{needs}{served}"


def _personas(report: Report) -> list[PersonaFunnel]:
    """The largest, and the others in one line."""
    shown, others = report.personas[:PERSONAS_SHOWN_MAX], report.personas[PERSONAS_SHOWN_MAX:]
    if not others:
        return list(shown)
    rest = together(one.funnel for one in others)
    return [*shown, PersonaFunnel(account="", persona=f"{len(others):,} others", funnel=rest)]


def _accounts(report: Report) -> list[dict[str, Any]]:
    names = sorted({one.account for one in report.personas} | {account.account for account in report.accounts})
    return [
        {
            "name": name,
            "funnel": together(one.funnel for one in report.personas if one.account == name),
            "begun": report.begun.median_by_account.get(name),
            "completed": report.completed.median_by_account.get(name),
            "lag": report.lag_by_account.get(name),
        }
        for name in names
    ]


def _span(seconds: float | None) -> str:
    return "-" if seconds is None else span(timedelta(seconds=seconds))


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 600 else span(timedelta(seconds=seconds))


def _clean(text: str | None) -> str:
    """Other people's words: on one line, and of a length that a page can hold."""
    return shortened(plain(text), 80) if text else ""


_FILTERS = {
    "moment": moment,
    "day": "{:%d %b %Y}".format,
    "hour": "{:%d %b %H:%M}".format,
    "span": _span,
    "seconds": _seconds,
    "number": "{:,}".format,
    "clean": _clean,
}
