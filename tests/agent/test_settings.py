"""Which backend, whose token, where things are kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import SettingsError
from agent.settings import Settings

HOME = Path("/home/somebody/reelchat")


@pytest.mark.parametrize(
    ("flag", "environ", "name", "url"),
    [
        (None, {}, "studio", None),
        (None, {"NEMO_TOKEN": "x"}, "nemo", "https://mega-api-prod.nemovideo.ai"),
        (None, {"NEMO_API_URL": "http://127.0.0.1:9/"}, "nemo", "http://127.0.0.1:9"),
        ("studio", {"NEMO_TOKEN": "x"}, "studio", None),
        ("nemo", {}, "nemo", "https://mega-api-prod.nemovideo.ai"),
        ("https://edit.example:8443/", {}, "edit.example:8443", "https://edit.example:8443"),
        ("https://me:secret@edit.example/", {}, "edit.example", "https://me:secret@edit.example"),
    ],
)
def test_the_flag_wins_then_the_environment_then_the_studio(
    flag: str | None, environ: dict[str, str], name: str, url: str | None
) -> None:
    settings = Settings.load(backend=flag, home=HOME, environ=environ)
    assert (settings.backend, settings.base_url) == (name, url)


def test_a_token_never_goes_to_the_studio_and_never_shows() -> None:
    assert Settings.load(backend="studio", home=HOME, environ={"NEMO_TOKEN": "nmv_usr_x"}).token is None
    cloud = Settings.load(home=HOME, environ={"NEMO_TOKEN": "nmv_usr_canary"})
    assert cloud.token is not None
    assert "canary" not in repr(cloud)


@pytest.mark.parametrize("wrong", ["ftp://x", "just words", "http://", "cloud"])
def test_what_is_no_backend_is_refused_by_name(wrong: str) -> None:
    with pytest.raises(SettingsError) as raised:
        Settings.load(backend=wrong, home=HOME, environ={})
    assert raised.value.key == "error.settings_error.backend"
    assert raised.value.values == {"value": wrong}


def test_two_backends_share_no_folder() -> None:
    folders = {Settings.load(backend=b, home=HOME, environ={}).data for b in ("studio", "nemo", "http://a:1")}
    assert len(folders) == 3


@pytest.mark.parametrize(
    ("environ", "lang"),
    [({}, "en"), ({"LANG": "zh_CN.UTF-8"}, "zh"), ({"LANG": "zh_CN", "LC_ALL": "de_DE"}, "en"), ({"LANG": "C"}, "en")],
)
def test_the_language_before_the_first_word_is_the_systems(environ: dict[str, str], lang: str) -> None:
    assert Settings.load(home=HOME, environ=environ).lang == lang


def test_an_address_never_shows_its_password() -> None:
    settings = Settings.load(backend="https://me:canary@edit.example/x", home=HOME, environ={})
    assert settings.host == "https://edit.example/x"
    assert "canary" not in repr(settings)
    with pytest.raises(SettingsError) as raised:
        Settings.load(backend="ftp://me:canary@edit.example", home=HOME, environ={})
    assert "canary" not in repr(raised.value.values) + str(raised.value)


@pytest.mark.parametrize(
    ("flag", "environ", "limit"),
    [(None, {}, None), (None, {"REELCHAT_MAX_SPEND": " 30 "}, 30), (5.0, {"REELCHAT_MAX_SPEND": "30"}, 5)],
)
def test_the_limit_is_the_flags_then_the_environments(
    flag: float | None, environ: dict[str, str], limit: float | None
) -> None:
    assert Settings.load(home=HOME, max_spend=flag, environ=environ).max_spend == limit


def test_a_limit_of_zero_is_a_limit() -> None:
    assert Settings.load(home=HOME, max_spend=0.0, environ={}).max_spend == 0


@pytest.mark.parametrize("wrong", ["-1", "lots", "nan", "inf"])
def test_what_is_no_sum_of_credits_is_refused(wrong: str) -> None:
    with pytest.raises(SettingsError) as raised:
        Settings.load(home=HOME, environ={"REELCHAT_MAX_SPEND": wrong})
    assert raised.value.key == "error.settings_error.max_spend"


@pytest.mark.parametrize(("said", "asks"), [("1", True), ("yes", True), ("0", False), ("no", False), ("", False)])
def test_asking_first_can_be_set_for_good(said: str, asks: bool) -> None:
    assert Settings.load(home=HOME, environ={"REELCHAT_ASK_BEFORE_SPENDING": said}).ask_before_spending is asks
