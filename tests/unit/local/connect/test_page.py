"""The page at /, as HTML."""

import re
from typing import Any

import pytest

from local.connect.page import breakable
from local.connect.routes import answer_to
from local.http_server import Answer
from tests.samples import BODY, SUBJECT, raw_message, template_message
from tests.unit.local.connect.lab import Lab

DAY = 24 * 3600.0
SCRIPT = "<script>alert(1)</script>"


def got(lab: Lab, path: str) -> Answer:
    return answer_to(lab.connect, "GET", path, b"")


def page(lab: Lab, path: str = "/") -> str:
    return got(lab, path).body.decode()


def rows(html: str) -> list[str]:
    return re.findall(r"<a id=.*?</a>", html, re.DOTALL)


def test_a_row_shows_the_time_and_on_later_days_the_date(lab: Lab) -> None:
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


def test_a_subject_and_a_body_have_their_own_text_direction(lab: Lab) -> None:
    lab.send("a", "t-1", EmailMessage=raw_message(Subject="שלום", Body="תודה"))

    html = page(lab, "/?open=1")

    assert '<span class="subject" dir="auto">שלום</span>' in html
    assert '<h2 dir="auto">שלום</h2>' in html
    assert '<pre dir="auto">תודה</pre>' in html


def test_the_page_lists_the_newest_200_entries_and_the_total(lab: Lab) -> None:
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
    attributes = {"CustomAttributes": {"order": "4711"}, "CustomerProfileAttributes": '{"vip": true}'}
    lab.send("a", "t-1", EmailMessage=template_message(TemplateAttributes=attributes))
    lab.send("b", "t-2", EmailMessage=template_message())
    heading = "<h3>The template's attributes</h3>"

    shown = page(lab, "/?open=1")
    assert all(each in shown.split(heading)[0] for each in ("kb-1", "template-1"))
    assert all(each in shown.split(heading)[1] for each in ("order", "4711", "vip"))
    assert heading not in page(lab, "/?open=2")


def test_up_to_three_cc_are_shown_and_more_are_folded(lab: Lab) -> None:
    def cc(count: int) -> dict[str, object]:
        return {"CcEmailAddresses": [{"EmailAddress": f"cc-{n}@example.com"} for n in range(count)]}

    lab.send("a", "t-1", AdditionalRecipients=cc(3))
    lab.send("b", "t-2", AdditionalRecipients=cc(4))

    assert "<details>" not in page(lab, "/?open=1")
    four = page(lab, "/?open=2")
    assert " and 3 more</summary>" in four
    assert all(f"cc-{n}@" in four[four.index("<details>") : four.index("</details>")] for n in range(4))
    assert all(re.search("CC .*? and [23] more", row) for row in rows(four))


def test_an_empty_page_shows_how_to_send(lab: Lab) -> None:
    empty = page(lab)
    lab.send("nobody", "t-1")

    assert '<body class="empty">' in empty
    assert all(command in empty for command in ("python -m courier send -", "CreateContact", "dlq list"))
    assert '<body class="">' in page(lab)


def test_the_page_escapes_everything_in_an_email(lab: Lab) -> None:
    address = {"EmailAddress": "<b>@customer.example", "DisplayName": SCRIPT}
    lab.control("PUT", "settings", {"email_addresses": ["<b>@customer.example"]})
    people: dict[str, Any] = {
        "DestinationEmailAddress": address,
        "FromEmailAddress": address,
        "AdditionalRecipients": {"CcEmailAddresses": [address]},
    }
    lab.send("a", SCRIPT, EmailMessage=raw_message(Subject=SCRIPT, Body=SCRIPT), **people)

    html, policy = page(lab, "/?open=1"), got(lab, "/?open=1").headers["Content-Security-Policy"]

    assert SCRIPT not in html
    assert "<b>" not in html
    assert html.count("&lt;script&gt;alert(1)&lt;/script&gt;") > 5
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_an_html_body_is_shown_in_a_sandbox_from_its_own_url(lab: Lab) -> None:
    body = f"<h1>Hello</h1>{SCRIPT}"
    lab.send("a", EmailMessage=raw_message(Body=body, ContentType="text/html"))

    html, framed = page(lab, "/?open=1"), got(lab, "/emails/1/body")

    assert '<iframe sandbox="" src="/emails/1/body"' in html
    assert "<h1>Hello" not in html
    assert framed.body.decode() == body
    policy = framed.headers["Content-Security-Policy"]
    assert policy == "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def test_a_lone_surrogate_in_an_email_does_not_break_the_page(lab: Lab) -> None:
    lab.send("a", EmailMessage=raw_message(Subject="broken \ud800"))

    assert "broken ?" in page(lab, "/?open=1")


@pytest.mark.parametrize(
    ("path", "status"),
    [("/page.css", 200), ("/page.js", 200), ("/nothing", 404), ("/emails/99/body", 404), ("/../page.py", 404)],
)
def test_the_page_serves_its_own_files_and_no_others(lab: Lab, path: str, status: int) -> None:
    assert got(lab, path).status == status


def test_the_page_escapes_everything_in_a_refused_call(lab: Lab) -> None:
    lab.send(SCRIPT, SCRIPT, EmailMessage=raw_message(Subject=SCRIPT, Body=SCRIPT))
    answer_to(lab.connect, "PUT", "/contact/outbound-email", SCRIPT.encode())

    for path in ("/?open=1", "/?open=2"):
        html = page(lab, path)
        assert "<h2>Not sent: " in html
        assert "&lt;script&gt;" in html
        assert SCRIPT not in html


def test_the_page_lists_refused_calls_but_no_dropped_or_throttled_ones(lab: Lab) -> None:
    lab.control("POST", "faults", [{"fault": "throttle"}, {"fault": "drop_before"}])
    for _ in range(3):
        lab.send("nobody", "t-1", EmailMessage=raw_message())

    html, opened = page(lab), page(lab, "/?open=3")

    (row,) = rows(html)
    assert 'class="refused"' in row
    assert "404 ResourceNotFoundException" in html
    assert "Not sent: Contact not found" in html
    assert all(each in opened for each in (SUBJECT, "nobody"))


def test_emails_are_shown_newest_first_with_the_faults_and_the_quota(lab: Lab) -> None:
    lab.control("POST", "faults", {"fault": "throttle", "times": None, "contact_id": "contact-9"})
    lab.send("a", "t-1", EmailMessage=raw_message())
    lab.send("b", "t-2", EmailMessage=template_message(MessageTemplateId="welcome"))

    html = page(lab)

    assert html.index("welcome") < html.index(SUBJECT)
    assert "throttle" in html
    assert "1000/s, burst 1000" in html
    assert BODY in page(lab, "/?open=1")


def test_an_address_breaks_after_its_at_and_full_stops_and_is_escaped() -> None:
    assert breakable("ana.silva@example.com") == "ana.<wbr>silva@<wbr>example.<wbr>com"
    assert breakable("<b>@x") == "&lt;b&gt;@<wbr>x"


def test_the_page_shows_active_emails_of_the_capacity_and_a_form_for_inbound_ones(lab: Lab) -> None:
    lab.control("PUT", "settings", {"capacity": 5})
    lab.control("POST", "inbound", {"count": 3})

    html = page(lab)

    assert 'title="3 drafts, 2 inbound, 0 sent">5 of 5</dd>' in html
    assert "2, 1 refused" in html
    assert '<form id="inbound">' in html
    assert '"/_local/inbound"' in got(lab, "/page.js").body.decode()
