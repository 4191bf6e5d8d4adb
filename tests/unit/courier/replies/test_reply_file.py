import io

import pytest

from courier.replies.reply_file import Entry, replies


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", [(1, "")]),
        (b'{"a": 1}', [(1, '{"a": 1}')]),
        (b'{\n "a": [\n  {}\n ]\n}\n', [(1, '{\n "a": [\n  {}\n ]\n}\n')]),
        (b'{"a": 1}\n\n{"b": 2}\n', [(1, '{"a": 1}'), (3, '{"b": 2}')]),
        (b'{"a": \n{"b": 2}', [(1, '{"a":'), (2, '{"b": 2}')]),
        (b'{"a": 1}\n{"b": \xff}\n', [(1, '{"a": 1}'), (2, None)]),
        (b"{\n nonsense\n}", [(1, "{\n nonsense\n}")]),
    ],
)
def test_a_file_is_one_document_or_json_lines(content: bytes, found: list[tuple[int, str | None]]) -> None:
    assert list(replies(io.BytesIO(content))) == [Entry(*each) for each in found]
