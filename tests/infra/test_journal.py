from tests.infra.conftest import Template, referred


def test_the_journal_is_kept_for_ten_years_and_outlives_the_stack(template: Template) -> None:
    journal = template["Resources"][referred(template, "JournalLogGroupName")]
    assert journal["Properties"] == {"RetentionInDays": 3653}
    assert journal["DeletionPolicy"] == "RetainExceptOnCreate"
    assert journal["UpdateReplacePolicy"] == "Retain"
