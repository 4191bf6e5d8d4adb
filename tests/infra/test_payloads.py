from tests.infra.conftest import KEY, Synthesise, Template, referred, resources, the_one

FOUR_LIVES = 4 * 14


def test_the_bucket_is_private_encrypted_and_outlives_the_stack(template: Template) -> None:
    bucket = the_one(template, "AWS::S3::Bucket")
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    (encryption,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    for part in ("PayloadBucketName",):
        assert template["Resources"][referred(template, part)]["DeletionPolicy"] == "RetainExceptOnCreate"
    (policy,) = (part for part in template["Resources"].values() if part["Type"] == "AWS::S3::BucketPolicy")
    assert policy["DeletionPolicy"] == "RetainExceptOnCreate"


def test_the_bucket_refuses_whoever_comes_without_tls_and_lets_nobody_else_in(template: Template) -> None:
    (statement,) = the_one(template, "AWS::S3::BucketPolicy")["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Action"], statement["Principal"]) == ("Deny", "s3:*", {"AWS": "*"})
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_an_object_outlives_its_message_and_dead_letter_twice(template: Template) -> None:
    (rule,) = the_one(template, "AWS::S3::Bucket")["LifecycleConfiguration"]["Rules"]
    assert rule["ExpirationInDays"] > FOUR_LIVES
    assert rule["Status"] == "Enabled"
    assert "Prefix" not in rule  # producers choose their keys


def test_a_customers_key_encrypts_the_objects(synthesise: Synthesise) -> None:
    bucket = the_one(synthesise(kmsKeyArn=KEY), "AWS::S3::Bucket")
    (encryption,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}
    assert encryption["BucketKeyEnabled"] is True


def test_producers_of_other_accounts_may_put_objects(synthesise: Synthesise) -> None:
    template = synthesise(producers="222233334444")
    allowed = [
        s for s in the_one(template, "AWS::S3::BucketPolicy")["PolicyDocument"]["Statement"] if s["Effect"] == "Allow"
    ]
    bucket = {"Fn::GetAtt": [referred(template, "PayloadBucketName"), "Arn"]}
    assert allowed == [
        {
            "Sid": "AllowProducersToPut",
            "Effect": "Allow",
            "Principal": {"AWS": {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":iam::222233334444:root"]]}},
            "Action": "s3:PutObject",
            "Resource": {"Fn::Join": ["", [bucket, "/*"]]},
        }
    ]
    assert len(resources(template, "AWS::S3::Bucket")) == 1
