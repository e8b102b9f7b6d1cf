from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.model import InviteStatus
from service.operate.words import (
    STATUS_WORDS,
    WIDTH,
    ago,
    counted,
    due,
    plain,
    safe,
    shortened,
    span,
    times,
    wrapped,
    wrapped_sql,
)

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (-5, "0 s"),
        (1.9, "1 s"),
        (119.9, "119 s"),
        (120, "2 min"),
        (7199, "119 min"),
        (7200, "2 h"),
        (48 * 3600 - 1, "47 h"),
        (48 * 3600, "2 days"),
        (3650 * 86400, "3,650 days"),
    ],
)
def test_a_span_is_told_in_the_unit_in_which_it_is_at_least_two(seconds: float, words: str) -> None:
    assert span(timedelta(seconds=seconds)) == words


def test_what_is_past_is_rounded_down_and_what_comes_is_rounded_up() -> None:
    nearly_three_hours = timedelta(hours=3) - timedelta(seconds=2)
    assert ago(NOW - nearly_three_hours, NOW) == "2 h ago"
    assert due(NOW + nearly_three_hours, NOW) == "in 3 h"
    assert due(NOW + timedelta(seconds=119.5), NOW) == "in 2 min"


def test_this_moment_and_what_is_late_have_no_number() -> None:
    assert ago(NOW, NOW) == "just now"
    assert due(NOW, NOW) == "now"
    assert due(NOW - timedelta(days=1), NOW) == "now"


def test_one_and_many_are_told_apart() -> None:
    assert [counted(n, "invite") for n in (0, 1, 1000)] == ["0 invites", "1 invite", "1,000 invites"]
    assert [times(n) for n in (1, 2, 3)] == ["once", "twice", "3 times"]


def test_every_status_has_its_words() -> None:
    assert STATUS_WORDS.keys() == set(InviteStatus)


def test_a_terminal_is_shown_nothing_that_it_would_obey() -> None:
    assert plain("a\x1b[31mred\nnext\u202eline") == "a [31mred next line"


def test_keys_and_link_tokens_are_hidden_in_messages() -> None:
    assert safe("key zh_api_0123456789abcdef at https://interview.example/#t=secret") == (
        "key [hidden] at https://interview.example/#t=[hidden]"
    )


def test_a_text_in_wide_letters_is_cut_by_the_columns_that_it_takes() -> None:
    assert shortened("候选人" * 10, 9) == "候选人候…"
    assert shortened("short", 5) == "short"


@given(st.text(max_size=400), st.integers(0, 20))
def test_a_paragraph_never_is_wider_than_the_screen(text: str, indent: int) -> None:
    assert all(len(line) <= WIDTH for line in wrapped(text, indent=indent))


def test_a_statement_is_broken_between_its_words_and_never_within_a_literal() -> None:
    reason = "'it''s a long reason, with blanks, that goes on and on and on and on and on and on and on and on'"
    lines = wrapped_sql(f"select zenhire.retry_invite('018f2c1e-7d3a-7c11-9a55-3f1f2a6f8c01', {reason});", indent=4)
    assert lines == [
        "    select zenhire.retry_invite('018f2c1e-7d3a-7c11-9a55-3f1f2a6f8c01',",
        f"      {reason});",
    ]


@given(
    st.lists(
        st.sampled_from(["select", "f('a  b',", "'it''s'", "x = 1", "a_rather_long_name_of_a_column,"]), min_size=1
    )
)
def test_a_statement_keeps_every_word(words: list[str]) -> None:
    statement = " ".join(words)
    assert " ".join(line.strip() for line in wrapped_sql(statement, indent=5)) == statement
