"""The check of tests/conftest.py itself: a test whose output holds personal data fails."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import leaks
from tests.samples import ADDRESS, BODY, NAME, SUBJECT

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "personal", [ADDRESS, NAME, SUBJECT, BODY, "Nora Lind", "L\xe9a Dubois", "Canal Street", "anybody@else.example"]
)
def test_personal_data_is_found_as_text_and_as_json_spells_it(personal: str) -> None:
    assert leaks(f"before {personal} after")
    assert leaks(json.dumps({"message": personal}))


def test_ids_and_reasons_are_no_personal_data() -> None:
    assert leaks('{"message_id": "b8a1abcd-1a69-46c7-8da4-f9fc3c6da5d7", "reason": "NotFound"}') == []


@pytest.mark.parametrize("leak", ["print({!r})", "import sys; print({!r}, file=sys.stderr)", "logging.warning({!r})"])
def test_a_test_that_passes_fails_if_it_printed_personal_data(tmp_path: Path, leak: str) -> None:
    test = tmp_path / "test_leak.py"
    test.write_text(f"import logging\ndef test_leak():\n    {leak.format(NAME)}\n")
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "--rootdir", str(tmp_path), "-c", "/dev/null"]
    run = subprocess.run([*command, str(test)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "Personal data was printed" in run.stdout
