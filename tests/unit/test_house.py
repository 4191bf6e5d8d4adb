"""The house's own rules that no linter knows (docs/design.md, "The house")."""

from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("bench", "contract", "courier", "handler", "infra", "local")


def test_at_most_twelve_files_stand_side_by_side() -> None:
    files = (path for package in PACKAGES for path in (ROOT / package).rglob("*.py") if path.name != "__init__.py")
    crowded = {str(folder): count for folder, count in Counter(path.parent for path in files).items() if count > 12}
    assert crowded == {}


def test_a_unit_tests_path_mirrors_its_modules() -> None:
    folders = {
        path.parent.relative_to(ROOT / "tests" / "unit") for path in (ROOT / "tests" / "unit").rglob("test_*.py")
    }
    assert [str(folder) for folder in folders if not (ROOT / folder).is_dir()] == []
