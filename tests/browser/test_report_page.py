"""The report as a person sees it: on a phone, on a desk, in the dark, on paper."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from service.cli.root import main
from tests.support.database import Database
from tests.support.history import write_history
from tests.support.postgres import Server

pytestmark = pytest.mark.browser

PHONE, DESK = 390, 1440
HEIGHT = 900

#: What sticks out of the page, or of the box that cuts it off, but for what a box lets one scroll to.
STICKING_OUT = """
() => [...document.querySelectorAll('body *')].filter(one => {
    const box = one.getBoundingClientRect();
    return box.width && !one.closest('.scroll, pre, .skip, .unseen')
        && (box.right > document.documentElement.clientWidth + 0.5 || box.left < -0.5);
}).map(one => one.outerHTML.slice(0, 120))
"""
CUT_OFF = """
() => [...document.querySelectorAll('body *')].filter(one =>
    one.scrollWidth > one.clientWidth + 1 && one.clientWidth && !one.matches('.unseen, svg, svg *')
    && getComputedStyle(one).overflowX !== 'auto' && getComputedStyle(one).display !== 'inline'
).map(one => one.outerHTML.slice(0, 120))
"""
OVERLAPPING = """
() => [...document.querySelectorAll('tr')].flatMap(row => {
    const cells = [...row.children].map(cell => cell.getBoundingClientRect());
    const overlaps = (box, index) => box.left < cells[index].right - 0.5;
    return cells.slice(1).filter(overlaps).map(() => row.outerHTML.slice(0, 120));
})
"""


@pytest.fixture(scope="module", params=[0, 3000], ids=["empty", "four weeks"])
def path(
    request: pytest.FixtureRequest,
    postgres_server: Server,
    migrated_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    out = tmp_path_factory.mktemp("report") / "report.html"
    with postgres_server.database(template=migrated_template) as name:
        database = Database(postgres_server.url_of(name))
        if request.param:
            write_history(database, invites=request.param)
        assert main(["report", "--out", str(out)], {"DATABASE_URL": database.url}) == 0
    return out


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture(
    params=[(PHONE, "light"), (PHONE, "dark"), (DESK, "light"), (DESK, "dark")],
    ids=lambda given: f"{given[0]}-{given[1]}",
)
def page(request: pytest.FixtureRequest, browser: Browser, path: Path, complaints: list[str]) -> Iterator[Page]:
    width, scheme = request.param
    context = browser.new_context(viewport={"width": width, "height": HEIGHT}, color_scheme=scheme, offline=True)
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda sent: complaints.append(sent.url) if sent.url != path.as_uri() else None)
    page.goto(path.as_uri())
    yield page
    context.close()


def test_it_opens_without_an_error_asks_for_nothing_and_nothing_overflows(page: Page, complaints: list[str]) -> None:
    assert page.evaluate("[document.documentElement.scrollWidth, innerWidth]") == [page.evaluate("innerWidth")] * 2
    assert page.evaluate(STICKING_OUT) == []
    assert page.evaluate(CUT_OFF) == []
    assert page.evaluate(OVERLAPPING) == []
    assert complaints == []


def test_letters_are_large_enough_and_dark_is_dark(page: Page) -> None:
    smallest = page.evaluate(
        "Math.min(...[...document.querySelectorAll('body *')].filter(one => one.innerText?.trim())"
        ".map(one => parseFloat(getComputedStyle(one).fontSize)))"
    )
    assert smallest >= 12
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    assert ground == ("rgb(20, 23, 27)" if dark else "rgb(255, 255, 255)")


def test_what_scrolls_can_be_reached_by_keyboard_and_is_named(page: Page) -> None:
    wanted = page.locator("a, .scroll, pre").count()
    reached = []
    for _ in range(wanted):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("document.activeElement.getAttribute('aria-label') || document.activeElement.innerText")
        )
    assert reached[0] == "To the report"
    assert all(reached)
    assert len(reached) == wanted
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement === document.body")


def test_on_paper_everything_is_there_on_white(browser: Browser, path: Path) -> None:
    context = browser.new_context(viewport={"width": 700, "height": 1000}, color_scheme="dark")
    page = context.new_page()
    page.emulate_media(media="print")
    page.goto(path.as_uri())
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    hidden = "[...document.querySelectorAll('.scroll')].filter(one => one.scrollHeight > one.clientHeight + 1).length"
    assert page.evaluate(hidden) == 0
    assert page.pdf(format="A4").startswith(b"%PDF")
    context.close()
