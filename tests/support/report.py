"""Writes what a run measured into a document, between `<!-- name -->` and `<!-- /name -->`."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
RELIABILITY = ROOT / "docs" / "reliability.md"


def replace_section(document: Path, name: str, text: str) -> None:
    """Put `text` in place of what stands between the marks of `name`; ValueError if the document has no such marks."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, found, rest = document.read_text(encoding="utf-8").partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"{document.name} has no marks {begin} … {end}")
    document.write_text(f"{before}{begin}\n{text.strip()}\n{end}{after}", encoding="utf-8")
