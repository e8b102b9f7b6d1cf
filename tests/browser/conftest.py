"""A real Chromium: the one that is named, that is installed here, or playwright's own."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

VARIABLE = "TEST_BROWSER"
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        kept = Path(playwright.chromium.executable_path)
        program = os.environ.get(VARIABLE) or next(filter(None, map(shutil.which, _NAMES)), None)
        if program is None and not kept.exists():
            pytest.fail(f"no browser here: install one (apt-get install chromium), or name it in {VARIABLE}")
        # In a container the tests are root, for whom Chromium wants to be told that it needs no sandbox.
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()
