import pytest

from tests.unit.local.connect.lab import Lab


@pytest.fixture
def lab() -> Lab:
    return Lab()
