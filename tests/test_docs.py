"""Documents under test: what they name must be there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import click
import pytest

from pteroassets.cli import main
from pteroassets.landing.sources import PASSES
from pteroassets.settings import CHECKOUT, PresetName, Settings
from pteroassets.warehouse.migrate import LEAST_MAJOR

DOCUMENTS = sorted([CHECKOUT / "README.md", CHECKOUT / "CHANGELOG.md", *CHECKOUT.glob("docs/**/*.md")])
_PLACEHOLDER = re.compile(r"[<>*…{}]")
_TOP_LEVEL = {
    "pteroassets", "dbt_project", "tests", "docs", "benchmarks", "requirements", "workspace.yaml", "dagster.yaml",
    "pyproject.toml", "Makefile", ".ci", ".env.example", "deploy",
}  # fmt: skip


def inline_code(text: str) -> list[str]:
    without_blocks = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"`([^`\n]+)`", without_blocks)


def named_paths(text: str) -> set[str]:
    words = {word.rstrip("/") for code in inline_code(text) for word in code.split()}
    return {
        word for word in words if "/" in word and word.split("/")[0] in _TOP_LEVEL and not _PLACEHOLDER.search(word)
    }


def code_lines(text: str) -> list[str]:
    blocks = re.findall(r"^```(?:sh|bash|console)?\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    lines = [line.removeprefix("$ ").strip() for block in blocks for line in block.splitlines()]
    return [*lines, *inline_code(text)]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_every_path_a_document_names_exists(document: Path) -> None:
    missing = [path for path in sorted(named_paths(document.read_text())) if not (CHECKOUT / path).exists()]
    # the files that the guide for a new source has one write: another test writes them
    written = [path for path in missing if document.name == "adding-a-source.md" and "arena" in path]
    assert sorted(set(missing) - set(written)) == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_every_link_to_a_file_leads_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", document.read_text())
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_every_make_target_a_document_names_exists(document: Path) -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", (CHECKOUT / "Makefile").read_text(), flags=re.MULTILINE))
    named = {match for line in code_lines(document.read_text()) for match in re.findall(r"^make ([a-z-]+)", line)}
    assert named - targets == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_every_command_a_document_names_exists_with_its_options(document: Path) -> None:
    wrong = []
    for line in code_lines(document.read_text()):
        match = re.match(r"(?:.* \| )?(?:\.venv/bin/)?pteroassets ([a-z-]+)(.*)", line)
        if match is None:
            continue
        command, rest = main.commands.get(match[1]), match[2]
        if isinstance(command, click.Group) and rest.strip():
            name, _, rest = rest.strip().partition(" ")
            command = command.commands.get(name)
        options = {option for parameter in (command.params if command else []) for option in parameter.opts}
        if command is None or not set(re.findall(r"--[a-z-]+", rest)) <= options | {"--help"}:
            wrong.append(line)
    assert wrong == []


def test_every_command_has_help_and_stands_in_the_operating_guide() -> None:
    guide = (CHECKOUT / "docs" / "operating.md").read_text()
    for name, command in main.commands.items():
        assert command.help, f"{name} has no help"
        assert f"pteroassets {name}" in guide, f"docs/operating.md does not mention {name}"


def test_the_example_of_the_settings_is_complete_and_names_nothing_else() -> None:
    text = (CHECKOUT / ".env.example").read_text()
    named = set(re.findall(r"^#?([A-Z_]+)=", text, flags=re.MULTILINE))
    assert named == {field.upper() for field in Settings.model_fields}


def test_the_example_of_the_settings_is_accepted_once_it_is_filled_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for field in Settings.model_fields:
        monkeypatch.delenv(field.upper(), raising=False)
    text = (CHECKOUT / ".env.example").read_text()
    everything = re.sub(r"^#([A-Z_]+=)", r"\1", text, flags=re.MULTILINE)
    (tmp_path / "config.ini").write_text("[postgres]\nport = 5433\n")  # .env goes before it
    everything = everything.replace("/etc/pteroassets/config.ini", str(tmp_path / "config.ini"))
    (tmp_path / ".env").write_text(everything.replace("PTEROASSETS_PII_KEY=", "PTEROASSETS_PII_KEY=" + "0" * 32))
    settings = Settings(_env_file=tmp_path / ".env")  # type: ignore[call-arg]
    assert settings.pteroassets_log_timezones == {"7d0c7a0e-53a5-4c8f-8f3f-0d4f2c5a9e01": "America/New_York"}
    assert settings.postgres_port == 5432


def test_the_example_of_the_settings_shows_what_holds_where_nothing_is_set() -> None:
    text = (CHECKOUT / ".env.example").read_text()
    shown = dict(re.findall(r"^#?([A-Z_]+)=(.*)", text, flags=re.MULTILINE))
    defaults = {name.upper(): field.default for name, field in Settings.model_fields.items()}
    plain = {name: str(value).lower() for name, value in defaults.items() if isinstance(value, str | int | float)}
    assert {name: shown[name].lower() for name in plain} == plain


def test_every_field_of_the_settings_says_what_it_is() -> None:
    plain = {"postgres_port", "postgres_username", "postgres_password"}
    assert [name for name, field in Settings.model_fields.items() if not field.description and name not in plain] == []


def test_the_changelog_opens_with_what_is_not_released() -> None:
    assert re.search(r"^## \[(.+)\]", (CHECKOUT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)[1] == "Unreleased"


def test_the_versions_that_are_asked_for_are_the_same_wherever_they_are_named() -> None:
    least, after = re.findall(r'requires-python = ">=3\.(\d+),<3\.(\d+)"', (CHECKOUT / "pyproject.toml").read_text())[0]
    for name in ("README.md", "docs/operating.md", "Makefile", ".ci/interpreter"):
        named = set(re.findall(r"3\.(\d+) to 3\.(\d+)", (CHECKOUT / name).read_text()))
        assert named == {(least, str(int(after) - 1))}, name
    assert f"version {LEAST_MAJOR} or later" in (CHECKOUT / ".env.example").read_text()


IN_WORDS = {
    "0 * * * *": "hourly",
    "*/30 * * * *": "every 30 minutes",
    "*/15 * * * *": "every 15 minutes",
    "*/5 * * * *": "every 5 minutes",
    "0 6,12,18 * * *": "06:00, 12:00, 18:00",
    "0 7 * * *": "07:00",
}


@pytest.mark.parametrize("preset", get_args(PresetName))
def test_the_times_of_a_preset_are_told_as_they_are(preset: PresetName) -> None:
    times = [IN_WORDS[PASSES[name].rhythms[preset].cron] for name in ("entities", "logs", "utilization")]
    sentence = "{}: entities {}, logs {}, consumption {}".format(preset, *times)
    assert sentence in str(Settings.model_fields["pteroassets_schedules"].description)
    assert sentence in (CHECKOUT / ".env.example").read_text()
    guide = (CHECKOUT / "docs" / "operating.md").read_text()
    row = re.search(rf"^\| `{preset}`[^|]*\| (.*) \|$", guide, flags=re.MULTILINE)
    assert row is not None
    assert row[1].split(" | ") == times


def test_the_glossary_has_each_word_once_and_in_order() -> None:
    rows = re.findall(r"^\| ([^|]+?) \|", (CHECKOUT / "docs/glossary.md").read_text(), flags=re.MULTILINE)
    words = [row.removeprefix("to ") for row in rows if row != "Word"]
    assert len(words) > 30
    assert words == sorted(set(words))


def test_every_file_that_make_and_ci_name_exists() -> None:
    scripts = [CHECKOUT / "Makefile", *(path for path in (CHECKOUT / ".ci").iterdir() if path.is_file())]
    pattern = r"(?<![\w./-])(?:tests|benchmarks|docs|dbt_project|pteroassets)/[\w/.-]+"
    named = {path for script in scripts for path in re.findall(pattern, script.read_text())}
    assert "benchmarks/log_accuracy.py" in named
    assert sorted(path for path in named if not (CHECKOUT / path).exists()) == []
