from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from makers import rules, settings_of

from lotseal.trace import settings
from lotseal.trace.errors import Invalid
from lotseal.trace.system import open_system

LONG = "a passphrase of some length"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    return folder


def load(data: Path, **environ: str) -> settings.Settings:
    return settings.load({"LOTSEAL_DATA": str(data), **environ})


def test_every_setting_has_a_default(data: Path) -> None:
    found = load(data)
    assert (found.mode, found.timezone, found.threads, found.processes) == ("production", "Asia/Shanghai", 8, 1)
    assert found.sqlite
    assert found.keys_folder == data / "keys"
    assert found.files_folder == data / "files"
    assert str(found.zone) == "Asia/Shanghai"


def test_every_setting_says_its_name_and_what_it_is_for() -> None:
    assert all(name.isupper() and words for name, words in settings.names().items())
    assert len(settings.names()) == len(settings.Settings.model_fields)


def test_secrets_do_not_show_when_settings_are_printed(data: Path) -> None:
    assert LONG not in repr(load(data, LOTSEAL_KEY_PASSPHRASE=LONG, LOTSEAL_SECRET_KEY=LONG))


def test_a_secret_can_lie_in_a_file(data: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(LONG + "\n", encoding="utf-8")
    found = load(data, LOTSEAL_KEY_PASSPHRASE_FILE=str(tmp_path / "secret"))
    assert found.key_passphrase.get_secret_value() == LONG


def test_the_value_itself_goes_before_its_file(data: Path, tmp_path: Path) -> None:
    (tmp_path / "zone").write_text("Europe/Oslo")
    found = load(data, LOTSEAL_TIMEZONE="Asia/Tokyo", LOTSEAL_TIMEZONE_FILE=str(tmp_path / "zone"))
    assert found.timezone == "Asia/Tokyo"


def test_time_stamp_authorities_are_a_few_addresses_of_different_hosts(data: Path) -> None:
    assert load(data).tsa_urls == ()
    found = load(data, LOTSEAL_TSA_URL=" https://a.example/tsr\n https://b.example:8443/ ")
    assert found.tsa_urls == ("https://a.example/tsr", "https://b.example:8443/")
    for wrong in ("https://a.example/1 https://A.example/2", " ".join(f"https://{n}.example/" for n in range(5))):
        with pytest.raises(Invalid) as refused:
            load(data, LOTSEAL_TSA_URL=wrong)
        assert rules(refused) == [("LOTSEAL_TSA_URL", "setting.invalid")]


def test_the_environment_goes_before_the_data_folder_and_that_before_the_default(data: Path) -> None:
    (data / settings.ENV_FILE).write_text("LOTSEAL_TIMEZONE=Europe/Oslo\nLOTSEAL_THREADS=3\n")
    found = load(data, LOTSEAL_TIMEZONE="Asia/Tokyo")
    assert (found.timezone, found.threads, found.processes) == ("Asia/Tokyo", 3, 1)


def test_an_argument_goes_before_the_environment(data: Path) -> None:
    assert settings.load({"LOTSEAL_DATA": "/elsewhere"}, data=data).data == data


def test_a_relative_file_in_the_data_folder_is_meant_from_there(data: Path) -> None:
    (data / "passphrase").write_text(LONG)
    (data / settings.ENV_FILE).write_text("LOTSEAL_KEY_PASSPHRASE_FILE=passphrase\n")
    assert load(data).key_passphrase.get_secret_value() == LONG


def test_a_dollar_sign_in_the_data_folders_file_means_itself(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/root")
    (data / settings.ENV_FILE).write_text("LOTSEAL_KEY_PASSPHRASE='four ${HOME} words'\n")
    assert load(data).key_passphrase.get_secret_value() == "four ${HOME} words"


def test_the_data_folder_is_always_a_full_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert settings.load({"LOTSEAL_DATA": "here"}).data == tmp_path / "here"
    monkeypatch.setenv("HOME", str(tmp_path))
    assert settings.load({"LOTSEAL_DATA": "~/here"}).data == tmp_path / "here"


def test_a_final_slash_of_the_address_is_forgiven(data: Path) -> None:
    found = load(data, LOTSEAL_PUBLIC_URL="https://t.example.cn/")
    assert (found.public_url, found.public_host) == ("https://t.example.cn", "t.example.cn")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LOTSEAL_TIMEZONE", "Mars/Olympus"),
        ("LOTSEAL_TIMEZONE", ""),
        ("LOTSEAL_TIMEZONE", "../../etc/passwd"),
        ("LOTSEAL_MODE", "prod"),
        ("LOTSEAL_TRUSTED_PROXIES", "-1"),
        ("LOTSEAL_TRUSTED_PROXIES", "6"),
        ("LOTSEAL_TRUSTED_PROXIES", "one"),
        ("LOTSEAL_PROCESSES", "0"),
        ("LOTSEAL_THREADS", "257"),
        ("LOTSEAL_PUBLIC_URL", "t.example.cn"),
        ("LOTSEAL_PUBLIC_URL", "ftp://t.example.cn"),
        ("LOTSEAL_PUBLIC_URL", "https://t.example.cn/codes"),
        ("LOTSEAL_PUBLIC_URL", "https://t.example.cn?x=1"),
        ("LOTSEAL_PUBLIC_URL", "https://t.example.cn#x"),
        ("LOTSEAL_PUBLIC_URL", "https://user:word@t.example.cn"),
        ("LOTSEAL_PUBLIC_URL", "https://t.example.cn:99999"),
        ("LOTSEAL_PUBLIC_URL", "https://t.example.cn:443"),
        ("LOTSEAL_PUBLIC_URL", "https://溯印.cn"),
        ("LOTSEAL_PUBLIC_URL", "https://[::1"),
        ("LOTSEAL_PUBLIC_URL", "https:///"),
        ("LOTSEAL_DATA", "~no-such-user-here/data"),
    ],
)
def test_a_wrong_value_is_refused_under_the_settings_name(data: Path, name: str, value: str) -> None:
    with pytest.raises(Invalid) as error:
        settings.load({"LOTSEAL_DATA": str(data), name: value})
    assert rules(error) == [(name, "setting.invalid")]


def test_all_wrong_values_are_told_at_once(data: Path) -> None:
    with pytest.raises(Invalid) as error:
        load(data, LOTSEAL_TIMEZONE="Mars/Olympus", LOTSEAL_THREADS="many")
    assert {field for field, _ in rules(error)} == {"LOTSEAL_TIMEZONE", "LOTSEAL_THREADS"}


def test_the_refusal_of_a_time_zone_says_what_to_write(data: Path) -> None:
    with pytest.raises(Invalid, match="Asia/Shanghai"):
        load(data, LOTSEAL_TIMEZONE="Mars/Olympus")


def test_a_file_that_is_not_there_is_refused_with_its_path(data: Path) -> None:
    with pytest.raises(Invalid, match="/no/such/file") as error:
        load(data, LOTSEAL_SECRET_KEY_FILE="/no/such/file")
    assert rules(error) == [("LOTSEAL_SECRET_KEY_FILE", "setting.file")]


def test_a_file_that_is_no_text_is_refused(data: Path) -> None:
    (data / "bytes").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Invalid) as error:
        load(data, LOTSEAL_SECRET_KEY_FILE=str(data / "bytes"))
    assert rules(error) == [("LOTSEAL_SECRET_KEY_FILE", "setting.file")]


def test_a_data_folders_file_that_is_no_text_is_refused(data: Path) -> None:
    (data / settings.ENV_FILE).write_bytes(b"LOTSEAL_MODE=\xff\xfe\n")
    with pytest.raises(Invalid) as error:
        load(data)
    assert rules(error) == [(settings.ENV_FILE, "setting.file")]


SOUND = {"LOTSEAL_PUBLIC_URL": "https://t.example.cn", "LOTSEAL_KEY_PASSPHRASE": LONG}


def test_sound_settings_of_production_are_not_refused(data: Path) -> None:
    assert settings.refusals(load(data, **SOUND)) == []


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"LOTSEAL_PUBLIC_URL": ""}, "LOTSEAL_PUBLIC_URL"),
        ({"LOTSEAL_PUBLIC_URL": "http://t.example.cn"}, "LOTSEAL_PUBLIC_URL"),
        ({"LOTSEAL_PUBLIC_URL": "https://localhost"}, "LOTSEAL_PUBLIC_URL"),
        ({"LOTSEAL_PUBLIC_URL": "https://127.0.0.1"}, "LOTSEAL_PUBLIC_URL"),
        ({"LOTSEAL_KEY_PASSPHRASE": "eleven char"}, "at least 12"),
        ({"LOTSEAL_KEY_PASSPHRASE": ""}, "LOTSEAL_KEY_PASSPHRASE_FILE"),
        ({"LOTSEAL_SECRET_KEY": "x" * 31}, "at least 32"),
        (
            {"LOTSEAL_PROCESSES": "2", "DATABASE_URL": "postgresql://localhost/lotseal"},
            "LOTSEAL_RATE_LIMIT_STORAGE",
        ),
        ({"LOTSEAL_PROCESSES": "2", "LOTSEAL_RATE_LIMIT_STORAGE": "redis://localhost"}, "DATABASE_URL"),
    ],
)
def test_each_unsafe_setting_is_refused_in_production_with_what_to_set(
    data: Path, changed: dict[str, str], words: str
) -> None:
    [sentence] = settings.refusals(load(data, **(SOUND | changed)))
    assert words in str(sentence)


def test_a_data_folder_that_others_may_read_is_refused(data: Path) -> None:
    data.chmod(0o750)
    [sentence] = settings.refusals(load(data, **SOUND))
    assert str(sentence).startswith(f"Run chmod 700 {data}")


@pytest.mark.parametrize("mode", ["development", "demo"])
def test_nothing_is_refused_outside_of_production(data: Path, mode: str) -> None:
    data.chmod(0o755)
    assert settings.refusals(load(data, LOTSEAL_MODE=mode)) == []


def test_the_cookie_secret_is_made_once_and_kept_from_others(data: Path) -> None:
    system = open_system(settings_of(data))
    secret = system.secret_key()
    assert len(secret) >= 32
    assert system.secret_key() == secret
    assert (data / "secret_key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in data.glob("secret_key*")] == ["secret_key"]
    system.close()


def test_processes_that_start_together_have_one_cookie_secret(data: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    systems = [open_system(settings_of(data)) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda system: system.secret_key(), systems))
    assert len(found) == 1
    for system in systems:
        system.close()


def test_a_given_cookie_secret_is_taken(data: Path) -> None:
    system = open_system(settings_of(data, LOTSEAL_SECRET_KEY="x" * 32))
    assert system.secret_key() == "x" * 32
    assert not (data / "secret_key").exists()
    system.close()


def test_settings_cannot_be_changed_afterwards(data: Path) -> None:
    found: Any = load(data)
    with pytest.raises(ValueError, match="frozen"):
        found.mode = "demo"
