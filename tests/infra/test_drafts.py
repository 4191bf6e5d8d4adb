from tests.infra.conftest import KEY, Synthesise, Template, referred, the_one

TABLE = {
    "KeySchema": [{"AttributeName": "TokenHash", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "TokenHash", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
    "DeletionProtectionEnabled": True,
    "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
    "TimeToLiveSpecification": {"AttributeName": "DeleteAt", "Enabled": True},
}


def test_the_table_is_protected_can_be_restored_and_has_no_name_of_its_own(template: Template) -> None:
    assert the_one(template, "AWS::DynamoDB::Table") == TABLE


def test_the_table_outlives_the_stack_and_a_first_deployment_that_fails(template: Template) -> None:
    """CloudFormation can't delete a table with deletion protection, so it must not try."""
    table = template["Resources"][referred(template, "DraftTableName")]
    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_a_key_of_the_customers_encrypts_the_table(synthesise: Synthesise) -> None:
    encrypted = {"SSESpecification": {"SSEEnabled": True, "KMSMasterKeyId": KEY, "SSEType": "KMS"}}
    assert the_one(synthesise(kmsKeyArn=KEY), "AWS::DynamoDB::Table") == TABLE | encrypted
