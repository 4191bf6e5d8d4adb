import re

from local.connect.page import breakable
from local.connect.routes import answer_to
from tests.unit.local.connect.lab import Lab

DAY = 24 * 3600.0
SCRIPT = "<script>alert(1)</script>"


def page(lab: Lab, path: str = "/") -> str:
    return (answer_to(lab.connect, "GET", path, b"").body or b"").decode()


def rows(html: str) -> list[str]:
    return re.findall(r"<a id=.*?</a>", html, re.DOTALL)


def raw(subject: str = "s", body: str = "b") -> dict[str, object]:
    return {
        "MessageSourceType": "RAW",
        "RawMessage": {"Subject": subject, "Body": body, "ContentType": "text/plain"},
    }


def test_a_row_shows_the_time_alone_today_and_the_date_too_on_other_days(lab: Lab) -> None:
    lab.send("a", "t-1")
    (today,) = rows(page(lab))
    lab.now += 2 * DAY
    (later,) = rows(page(lab))

    assert re.search(r">\d\d:\d\d:\d\d</time>", today)
    assert re.search(r">\d\d [A-Z]\w+ \d\d:\d\d</time>", later)


def test_a_row_shows_the_address_of_a_person_without_a_name(lab: Lab) -> None:
    lab.send("a", "t-1")
    lab.send("b", "t-2", DestinationEmailAddress={"EmailAddress": "anna@example.com", "DisplayName": "Anna"})

    named, nameless = rows(page(lab))

    assert ">anna@example.com</bdi>" in nameless
    assert ">Anna</bdi>" in named
    assert "@" not in named


def test_a_right_to_left_subject_and_body_say_their_own_direction(lab: Lab) -> None:
    lab.send("a", "t-1", EmailMessage=raw("שלום", "תודה"))

    html = page(lab, "/?open=1")

    assert '<span class="subject" dir="auto">שלום</span>' in html
    assert '<h2 dir="auto">שלום</h2>' in html
    assert '<pre dir="auto">תודה</pre>' in html


def test_the_newest_200_are_listed_and_the_page_says_of_how_many(lab: Lab) -> None:
    contacts = [f"contact-{n}" for n in range(199)]
    lab.control("POST", "drafts", {"contact_ids": contacts})
    lab.send("a", "first")
    for contact in contacts:
        lab.send(contact, contact)
    all_of_200 = page(lab)
    lab.send("nobody", "refused")
    newest_of_201 = page(lab)

    assert len(rows(all_of_200)) == 200
    assert "Showing the newest" not in all_of_200
    assert len(rows(newest_of_201)) == 200
    assert "Showing the newest 200 of 201" in newest_of_201
    assert 'id="entry-201"' in newest_of_201
    assert 'id="entry-1"' not in newest_of_201


def test_a_template_has_a_heading_for_attributes_only_if_it_has_some(lab: Lab) -> None:
    def template(**attributes: object) -> dict[str, object]:
        config = {"KnowledgeBaseId": "kb-1", "MessageTemplateId": "m-1", "TemplateAttributes": attributes}
        return {"MessageSourceType": "TEMPLATE", "TemplatedMessageConfig": config}

    lab.send("a", "t-1", EmailMessage=template(CustomAttributes={"order": "4711"}))
    lab.send("b", "t-2", EmailMessage=template())
    heading = "<h3>The template's attributes</h3>"

    assert "4711" in page(lab, "/?open=1").split(heading)[1]
    assert heading not in page(lab, "/?open=2")


def test_up_to_three_cc_are_shown_and_more_are_folded(lab: Lab) -> None:
    def cc(count: int) -> dict[str, object]:
        return {"CcEmailAddresses": [{"EmailAddress": f"cc-{n}@example.com"} for n in range(count)]}

    lab.send("a", "t-1", AdditionalRecipients=cc(3))
    lab.send("b", "t-2", AdditionalRecipients=cc(4))

    assert "<details>" not in page(lab, "/?open=1")
    assert " and 3 more</summary>" in page(lab, "/?open=2")


def test_a_page_is_laid_out_as_empty_until_its_first_entry_even_a_refused_one(lab: Lab) -> None:
    empty = page(lab)
    lab.send("nobody", "t-1")

    assert '<body class="empty">' in empty
    assert "courier dlq list" in empty
    assert '<body class="">' in page(lab)


def test_nothing_in_a_refused_call_comes_through_as_markup(lab: Lab) -> None:
    lab.send(SCRIPT, SCRIPT, EmailMessage=raw(SCRIPT, SCRIPT))
    answer_to(lab.connect, "PUT", "/contact/outbound-email", SCRIPT.encode())

    for path in ("/?open=1", "/?open=2"):
        html = page(lab, path)
        assert "<h2>Not sent: " in html
        assert "&lt;script&gt;" in html
        assert SCRIPT not in html


def test_a_call_that_was_dropped_or_throttled_is_not_listed_as_refused(lab: Lab) -> None:
    lab.control("POST", "faults", [{"fault": "throttle"}, {"fault": "drop_before"}])
    lab.send("a", "t-1")
    lab.send("a", "t-1")

    assert rows(page(lab)) == []


def test_an_address_may_break_after_its_at_and_its_full_stops_and_stays_escaped() -> None:
    assert breakable("ana.silva@example.com") == "ana.<wbr>silva@<wbr>example.<wbr>com"
    assert breakable("<b>@x") == "&lt;b&gt;@<wbr>x"
