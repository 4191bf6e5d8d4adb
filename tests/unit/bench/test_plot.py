from pathlib import Path

from bench.plot import Panel, over_time, plot


def test_the_picture_has_the_panels_side_by_side(tmp_path: Path) -> None:
    accepted = {"this project": [1.0, 2.0], "plain peer": [3.0]}
    called = {"this project": [1.0, 2.0], "plain peer": [1.0, 2.0, 3.0, 11.0]}
    panel = Panel("alone", 10, lambda at: 5 + 2 * at, accepted, called)
    for count in (1, 3):
        image = tmp_path / f"{count}.png"
        plot(image, "A surge", [panel] * count)
        assert image.read_bytes().startswith(b"\x89PNG")
    assert width(tmp_path / "3.png") == 3 * width(tmp_path / "1.png")


def test_a_count_rises_at_each_moment_until_the_end() -> None:
    assert over_time([3.0, 1.0, 11.0], 10) == ([0, 1, 3, 10], [0, 1, 2, 2])


def width(image: Path) -> int:
    """From the PNG's header."""
    return int.from_bytes(image.read_bytes()[16:20])
