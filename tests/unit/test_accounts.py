"""Accounts: one key from the environment, or one file per account in a directory that may change at any time."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from service.accounts import Accounts


def keys(accounts: Accounts) -> dict[str, str]:
    return {account: key.get_secret_value() for account, key in accounts.current().items()}


@pytest.fixture
def accounts(tmp_path: Path) -> Accounts:
    (tmp_path / "acme").write_text("zh_api_acme\n")
    (tmp_path / "globex").write_text("zh_api_globex\n")
    return Accounts(api_key=None, keys_dir=tmp_path)


def test_a_single_key_belongs_to_the_account_default() -> None:
    assert keys(Accounts(api_key=SecretStr("zh_api_x"), keys_dir=None)) == {"default": "zh_api_x"}


def test_each_file_of_the_directory_is_an_account(accounts: Accounts) -> None:
    assert keys(accounts) == {"acme": "zh_api_acme", "globex": "zh_api_globex"}


def test_a_new_file_is_a_new_account(accounts: Accounts, tmp_path: Path) -> None:
    keys(accounts)
    (tmp_path / "initech").write_text("zh_api_initech")

    assert keys(accounts)["initech"] == "zh_api_initech"


def test_a_changed_file_is_read_again(accounts: Accounts, tmp_path: Path) -> None:
    keys(accounts)
    (tmp_path / "acme").write_text("zh_api_rotated")

    assert keys(accounts)["acme"] == "zh_api_rotated"


def test_an_account_whose_file_is_gone_has_no_key(accounts: Accounts, tmp_path: Path) -> None:
    keys(accounts)
    (tmp_path / "acme").unlink()

    assert keys(accounts) == {"globex": "zh_api_globex"}


@pytest.mark.parametrize("content", ["", "two words", "zh_api_\x00"])
def test_an_account_whose_file_no_longer_holds_a_key_has_none(accounts: Accounts, tmp_path: Path, content: str) -> None:
    keys(accounts)
    (tmp_path / "acme").write_text(content)

    assert keys(accounts) == {"globex": "zh_api_globex"}


def test_a_directory_that_vanished_leaves_no_keys_and_its_return_brings_them_back(tmp_path: Path) -> None:
    directory = tmp_path / "keys"
    directory.mkdir()
    (directory / "acme").write_text("zh_api_acme")
    accounts = Accounts(api_key=None, keys_dir=directory)
    keys(accounts)

    directory.rename(tmp_path / "elsewhere")
    assert keys(accounts) == {}

    (tmp_path / "elsewhere").rename(directory)
    assert keys(accounts) == {"acme": "zh_api_acme"}


def test_the_links_of_a_kubernetes_secret_are_followed_through_a_swap(tmp_path: Path) -> None:
    for generation in ("one", "two"):
        (tmp_path / f"..{generation}").mkdir()
        (tmp_path / f"..{generation}" / "acme").write_text(f"zh_api_{generation}")
    (tmp_path / "..data").symlink_to("..one")
    (tmp_path / "acme").symlink_to("..data/acme")
    accounts = Accounts(api_key=None, keys_dir=tmp_path)
    assert keys(accounts) == {"acme": "zh_api_one"}

    (tmp_path / "..new").symlink_to("..two")
    (tmp_path / "..new").rename(tmp_path / "..data")

    assert keys(accounts) == {"acme": "zh_api_two"}


def test_files_are_not_read_again_while_nothing_changed(accounts: Accounts, tmp_path: Path) -> None:
    keys(accounts)
    (tmp_path / "acme").chmod(0o600)  # a change of the file's own times is noticed ...
    before = accounts._fingerprint
    keys(accounts)
    after = accounts._fingerprint
    keys(accounts)

    assert before != after
    assert accounts._fingerprint is not None
    assert accounts._fingerprint == after


def test_what_current_returns_is_the_callers_own(accounts: Accounts) -> None:
    accounts.current().clear()

    assert len(accounts.current()) == 2
