"""Letters by what went wrong."""

from dataclasses import replace

from courier.queues.letter_groups import groups
from tests.letters import NOW, letter


def test_letters_are_one_group_whatever_their_ids_and_numbers() -> None:
    letters = [
        replace(letter(Reason="NotFound", Detail=f"Contact c-{n}7 not found ({n})", sent_at=NOW + n), id=f"id-{n}")
        for n in (3, 1, 2)
    ]
    (group,) = groups(letters)
    assert (group.reason, group.words, group.count) == ("NotFound", "Contact … not found (N)", 3)
    assert (group.oldest_at, group.newest_at, group.letter_id) == (NOW + 1, NOW + 3, "id-3")
    assert group.to_json()["oldest_at"] == "2027-01-15T08:00:01.000+00:00"


def test_groups_are_by_reason_and_words_the_largest_first() -> None:
    found = groups(
        [
            letter(Reason="NotFound", Detail="Contact not found"),
            letter(Reason="NotFound", Detail="Template not found"),
            letter(Reason="Refused", Detail="Template not found"),
            letter(Reason="NotFound", Detail="Template not found"),
        ]
    )
    assert [(group.reason, group.words, group.count) for group in found] == [
        ("NotFound", "Template not found", 2),
        ("NotFound", "Contact not found", 1),
        ("Refused", "Template not found", 1),
    ]


def test_the_words_of_a_letter_that_sqs_moved_are_its_producers() -> None:
    (group,) = groups([replace(letter(Reason="NotFound", Detail="Contact not found"), was_moved=True)])
    assert (group.reason, group.words) == ("MovedBySqs", "")


def test_a_reason_that_could_be_anything_is_not_printed() -> None:
    (group,) = groups([letter(Reason="Dear Ada")])
    assert group.reason is None
    assert "Ada" not in str(group.to_json())
