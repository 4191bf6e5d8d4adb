from courier.terminal.view import printable


def test_what_others_wrote_cannot_control_the_terminal() -> None:
    assert printable("a\x1b[2J\x07b\nc\td\x9b\u202e") == "a\ufffd[2J\ufffdb\nc\td\ufffd\ufffd"
