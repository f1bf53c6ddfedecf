"""Tests of infra/template.yaml, on the CloudFormation template that SAM transforms it to.

    python -m unittest discover --start-directory infra/checks
"""

import json
import re
import sys
import unittest
from pathlib import Path

INFRA = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(INFRA / "local" / "python"))

import transform  # noqa: E402

SAM = transform.load(INFRA / "template.yaml")
# Logical id of each function -> its name, such as `tick`.
NAMES = {
    name: resource["Properties"]["FunctionName"]["Fn::Sub"].removeprefix("${AWS::StackName}-")
    for name, resource in SAM["Resources"].items()
    if resource["Type"] == "AWS::Serverless::Function"
}
# Logical id of each function -> its binary. The engine function runs the snapshot function's binary.
BINARIES = transform.functions(SAM)
TEMPLATE = transform.transformed(transform.load(INFRA / "template.yaml"))
RESOURCES = TEMPLATE["Resources"]

# The permissions of each function. The test fails for a permission that is missing here, and for one that is only here.
# Statements are (actions, resources). A resource is written as in the template, without the ARN around it.
LEDGER = "dynamodb:ConditionCheckItem dynamodb:GetItem dynamodb:PutItem dynamodb:UpdateItem"
RECEIVE = "sqs:DeleteMessage sqs:GetQueueAttributes sqs:ReceiveMessage"
SECRETS = ("secretsmanager:GetSecretValue secretsmanager:PutSecretValue", "secret:${AWS::StackName}/connections/*")
STARTS_RUNS = [
    ("dynamodb:GetItem dynamodb:Query", "CatalogTable"),
    (LEDGER, "LedgerTable"),
    ("sqs:SendMessage", "ChunkQueue FinishQueue SnapshotQueue"),
]
MAY = {
    "tick": [*STARTS_RUNS[::2], (LEDGER + " dynamodb:Query", "LedgerTable")],
    "api": [
        (LEDGER + " dynamodb:DeleteItem dynamodb:Query", "CatalogTable"),
        ("secretsmanager:CreateSecret " + SECRETS[0], SECRETS[1]),
        (LEDGER + " dynamodb:Query", "LedgerTable"),
        ("dynamodb:DeleteItem", "LedgerTable"),
        ("sqs:SendMessage", "ChunkQueue EngineQueue FinishQueue PersonQueue SnapshotQueue"),
        ("s3:GetObject", "DataBucket/reports/*"),
        ("s3:GetObject", "DataBucket/dry-runs/*"),
        ("s3:GetObject s3:PutObject", "DataBucket/previews/*"),
        ("s3:GetObject s3:PutObject", "DataBucket/people/*"),
        ("s3:GetObject", "DataBucket/data-usage/*"),
        ("s3:ListBucket", "DataBucket"),
    ],
    "upload": [
        *STARTS_RUNS,
        ("s3:GetObject", "DataBucket/uploads/*"),
        ("s3:GetObject s3:PutObject", "DataBucket/uploaded/*"),
        ("s3:ListBucket", "DataBucket"),
        # For notifications that failed three times.
        ("events:PutEvents", "event-bus/${EventBusName}"),
    ],
    "snapshot": [
        (RECEIVE, "SnapshotQueue"),
        ("s3:GetObject", "${LakeBucketName}/${LakePrefix}*"),
        ("s3:ListBucket", "${LakeBucketName}"),
        ("s3:GetObject s3:PutObject", "DataBucket/previews/* DataBucket/snapshots/*"),
        ("s3:PutObject", "DataBucket/data-usage/*"),
        ("s3:GetObject", "DataBucket/uploaded/*"),
        ("s3:GetObject", "DataBucket/exclusions/*"),
        ("s3:ListBucket", "DataBucket"),
        ("dynamodb:GetItem dynamodb:Query", "CatalogTable"),
        ("dynamodb:GetItem dynamodb:Query dynamodb:UpdateItem", "LedgerTable"),
        ("sqs:SendMessage", "ChunkQueue FinishQueue"),
        ("kms:Decrypt", "LakeKeyArn"),
    ],
    "engine": [
        (RECEIVE, "EngineQueue"),
        ("s3:GetObject", "${LakeBucketName}/${LakePrefix}*"),
        ("s3:ListBucket", "${LakeBucketName}"),
        ("s3:GetObject s3:PutObject", "DataBucket/previews/*"),
        ("s3:PutObject", "DataBucket/data-usage/*"),
        ("s3:GetObject", "DataBucket/uploaded/*"),
        ("s3:GetObject", "DataBucket/exclusions/*"),
        ("s3:ListBucket", "DataBucket"),
        ("dynamodb:GetItem dynamodb:Query", "CatalogTable"),
        ("dynamodb:GetItem dynamodb:Query", "LedgerTable"),
        ("kms:Decrypt", "LakeKeyArn"),
    ],
    "chunk": [
        (RECEIVE + " sqs:ChangeMessageVisibility", "ChunkQueue"),
        ("s3:GetObject", "DataBucket/deltas/* DataBucket/delivered/* DataBucket/results/* DataBucket/snapshots/*"),
        ("s3:PutObject", "DataBucket/deltas/* DataBucket/dry-runs/* DataBucket/results/*"),
        ("s3:ListBucket", "DataBucket"),
        ("dynamodb:GetItem", "CatalogTable"),
        ("dynamodb:GetItem dynamodb:Query dynamodb:UpdateItem", "LedgerTable"),
        SECRETS,
        ("sqs:SendMessage", "FinishQueue PushCampaignMonitorQueue PushDynamics365SalesQueue PushMarketoQueue PushOmnisendQueue"),
        ("events:PutEvents", "event-bus/${EventBusName}"),
    ],
    "push-campaign-monitor": [
        (RECEIVE + " sqs:ChangeMessageVisibility", "PushCampaignMonitorQueue"),
        ("s3:GetObject", "DataBucket/deltas/* DataBucket/results/*"),
        ("s3:PutObject", "DataBucket/results/*"),
        ("s3:ListBucket", "DataBucket"),
        ("dynamodb:GetItem", "CatalogTable"),
        ("dynamodb:GetItem dynamodb:UpdateItem", "LedgerTable"),
        SECRETS,
        ("sqs:SendMessage", "FinishQueue"),
    ],
    "push-marketo": [
        (RECEIVE + " sqs:ChangeMessageVisibility", "PushMarketoQueue"),
        ("s3:GetObject", "DataBucket/deltas/* DataBucket/results/*"),
        ("s3:PutObject", "DataBucket/results/*"),
        ("s3:ListBucket", "DataBucket"),
        ("dynamodb:GetItem", "CatalogTable"),
        ("dynamodb:GetItem dynamodb:UpdateItem", "LedgerTable"),
        SECRETS,
        ("sqs:SendMessage", "FinishQueue"),
    ],
    "push-omnisend": [
        (RECEIVE + " sqs:ChangeMessageVisibility", "PushOmnisendQueue"),
        ("s3:GetObject", "DataBucket/deltas/* DataBucket/results/*"),
        ("s3:PutObject", "DataBucket/results/*"),
        ("s3:ListBucket", "DataBucket"),
        ("dynamodb:GetItem", "CatalogTable"),
        ("dynamodb:GetItem dynamodb:UpdateItem", "LedgerTable"),
        SECRETS,
        ("sqs:SendMessage", "FinishQueue"),
    ],
    "push-dynamics365-sales": [
        (RECEIVE + " sqs:ChangeMessageVisibility", "PushDynamics365SalesQueue"),
        ("s3:GetObject", "DataBucket/deltas/* DataBucket/results/*"),
        ("s3:PutObject", "DataBucket/results/*"),
        ("s3:ListBucket", "DataBucket"),
        ("dynamodb:GetItem", "CatalogTable"),
        ("dynamodb:GetItem dynamodb:UpdateItem", "LedgerTable"),
        SECRETS,
        ("sqs:SendMessage", "FinishQueue"),
    ],
    "finish": [
        (RECEIVE, "FinishQueue"),
        ("s3:GetObject", "DataBucket/deltas/* DataBucket/delivered/* DataBucket/exclusions/* DataBucket/results/*"),
        ("s3:PutObject", "DataBucket/delivered/* DataBucket/reports/*"),
        ("s3:DeleteObject", "DataBucket/delivered/*"),
        ("s3:ListBucket", "DataBucket"),
        ("dynamodb:GetItem dynamodb:Query dynamodb:UpdateItem", "LedgerTable"),
        ("events:PutEvents", "event-bus/${EventBusName}"),
        ("sqs:SendMessage", "SnapshotQueue"),
    ],
    "person": [
        *STARTS_RUNS[::2],
        (LEDGER + " dynamodb:Query", "LedgerTable"),
        (RECEIVE, "PersonQueue"),
        ("s3:GetObject", "DataBucket/uploaded/*"),
        ("s3:GetObject s3:PutObject", "DataBucket/delivered/* DataBucket/exclusions/* DataBucket/people/* DataBucket/reports/*"),
        ("s3:DeleteObject", "DataBucket/delivered/* DataBucket/people/*"),
        ("s3:ListBucket", "DataBucket"),
    ],
}

# The environment variables of each function: the ones that it needs and no others.
VARIABLES = {
    "tick": "CATALOG_TABLE CHUNK_QUEUE_URL FINISH_QUEUE_URL LEDGER_TABLE SNAPSHOT_QUEUE_URL",
    "api": "ADMINISTRATOR_ROLE CAMPAIGN_MONITOR_ENDPOINT CATALOG_TABLE CHUNK_QUEUE_URL CONTRIBUTOR_ROLE DATA_BUCKET"
    " ENGINE_QUEUE_URL FINISH_QUEUE_URL LEDGER_TABLE PERSON_QUEUE_URL ROLES_CLAIM SECRET_PREFIX SNAPSHOT_QUEUE_URL VIEWER_ROLE",
    # The notification names the data bucket.
    "upload": "CATALOG_TABLE CHUNK_QUEUE_URL FINISH_QUEUE_URL LEDGER_TABLE SNAPSHOT_QUEUE_URL",
    "snapshot": "CATALOG_TABLE CHUNK_QUEUE_URL DATA_BUCKET FINISH_QUEUE_URL LEDGER_TABLE",
    "engine": "CATALOG_TABLE DATA_BUCKET LEDGER_TABLE",
    "chunk": "CAMPAIGN_MONITOR_ENDPOINT CATALOG_TABLE CHUNK_QUEUE_URL DATA_BUCKET EVENT_BUS_NAME FINISH_QUEUE_URL LEDGER_TABLE"
    " PUSH_CAMPAIGN_MONITOR_QUEUE_URL PUSH_DYNAMICS365_SALES_QUEUE_URL PUSH_MARKETO_QUEUE_URL PUSH_OMNISEND_QUEUE_URL",
    "push-campaign-monitor": "CAMPAIGN_MONITOR_ENDPOINT CATALOG_TABLE DATA_BUCKET FINISH_QUEUE_URL LEDGER_TABLE"
    " PUSH_CAMPAIGN_MONITOR_QUEUE_URL",
    "push-marketo": "CATALOG_TABLE DATA_BUCKET FINISH_QUEUE_URL LEDGER_TABLE PUSH_MARKETO_QUEUE_URL",
    "push-omnisend": "CATALOG_TABLE DATA_BUCKET FINISH_QUEUE_URL LEDGER_TABLE PUSH_OMNISEND_QUEUE_URL",
    "push-dynamics365-sales": "CATALOG_TABLE DATA_BUCKET FINISH_QUEUE_URL LEDGER_TABLE PUSH_DYNAMICS365_SALES_QUEUE_URL",
    "finish": "DATA_BUCKET EVENT_BUS_NAME LEDGER_TABLE SNAPSHOT_QUEUE_URL",
    "person": "CATALOG_TABLE CHUNK_QUEUE_URL DATA_BUCKET FINISH_QUEUE_URL LEDGER_TABLE REPORT_RETENTION_DAYS"
    " RUN_DATA_RETENTION_DAYS SNAPSHOT_QUEUE_URL",
}

# The variables that no permission refers to.
WORDS = (
    "ADMINISTRATOR_ROLE CAMPAIGN_MONITOR_ENDPOINT CONTRIBUTOR_ROLE REPORT_RETENTION_DAYS ROLES_CLAIM RUN_DATA_RETENTION_DAYS"
    " SECRET_PREFIX VIEWER_ROLE"
).split()


def of_type(kind):
    return {name: r["Properties"] for name, r in RESOURCES.items() if r["Type"] == kind}


def as_list(value):
    return value if isinstance(value, list) else [value]


def default(value):
    """A number of the template, or the default of the parameter that it refers to."""
    if isinstance(value, dict):
        return TEMPLATE["Parameters"][value["Ref"]]["Default"]
    return value


def short(resource):
    """A resource of a statement, as the tables above write it."""
    if isinstance(resource, dict) and "Ref" in resource:
        return resource["Ref"]
    if isinstance(resource, dict) and "Fn::GetAtt" in resource:
        return resource["Fn::GetAtt"][0]
    if isinstance(resource, dict) and "Fn::Sub" in resource:
        text = resource["Fn::Sub"].replace("${DataBucket.Arn}", "DataBucket")
        return re.sub(r"^arn:\$\{AWS::Partition\}:(s3:::|[a-z]+:\$\{AWS::Region\}:\$\{AWS::AccountId\}:)", "", text)
    return resource


def documents(properties):
    """Every policy document within a resource's properties, wherever it is."""
    if isinstance(properties, dict):
        if "Statement" in properties:
            yield properties
        for value in properties.values():
            yield from documents(value)
    elif isinstance(properties, list):
        for value in properties:
            yield from documents(value)


def statements(document):
    """Its statements; conditional ones as if their condition held."""
    for statement in document["Statement"]:
        if "Fn::If" in statement:
            _, statement, otherwise = statement["Fn::If"]
            assert otherwise == {"Ref": "AWS::NoValue"}
        yield statement


def role_of(properties):
    return RESOURCES[properties["Role"]["Fn::GetAtt"][0]]["Properties"]


def policies(properties):
    """The policies of a function's role: its own, and those that are given to it."""
    role = properties["Role"]["Fn::GetAtt"][0]
    given = [p for p in of_type("AWS::IAM::Policy").values() if {"Ref": role} in p["Roles"]]
    return [*role_of(properties)["Policies"], *given]


def permissions(function):
    properties = of_type("AWS::Lambda::Function")[next(name for name, f in NAMES.items() if f == function)]
    return {
        (" ".join(sorted(as_list(s["Action"]))), " ".join(sorted(map(short, as_list(s["Resource"])))))
        for policy in policies(properties)
        for s in statements(policy["PolicyDocument"])
        if s["Sid"] != "WriteLog"
    }


class Permissions(unittest.TestCase):
    def test_each_function_has_the_permissions_of_the_table(self):
        for function, table in MAY.items():
            with self.subTest(function):
                expected = {tuple(" ".join(sorted(words.split())) for words in row) for row in table}
                self.assertEqual(permissions(function), expected)

    def test_each_function_writes_its_own_log_only(self):
        for name, properties in of_type("AWS::Lambda::Function").items():
            with self.subTest(name):
                log = properties["LoggingConfig"]["LogGroup"]["Ref"]
                written = [
                    (s["Action"], s["Resource"])
                    for s in statements(role_of(properties)["Policies"][0]["PolicyDocument"])
                    if s["Sid"] == "WriteLog"
                ]
                self.assertEqual(
                    written, [(["logs:CreateLogStream", "logs:PutLogEvents"], {"Fn::GetAtt": [log, "Arn"]})]
                )

    def test_nothing_is_allowed_with_a_star(self):
        for name, resource in RESOURCES.items():
            for document in documents(resource["Properties"]):
                for statement in statements(document):
                    if statement["Effect"] == "Deny":
                        continue
                    with self.subTest(name, statement=statement):
                        for action in as_list(statement["Action"]):
                            self.assertNotIn("*", action)
                        for target in as_list(statement.get("Resource", [])):
                            self.assertNotIn(target, ("*", "arn:aws:s3:::*"))
                        self.assertNotEqual(statement.get("Principal"), "*")
                        self.assertFalse({"NotAction", "NotResource", "NotPrincipal"} & statement.keys())

    def test_no_role_has_a_managed_policy(self):
        for name, properties in of_type("AWS::IAM::Role").items():
            self.assertNotIn("ManagedPolicyArns", properties, name)

    def test_each_policy_beside_the_roles_is_one_functions(self):
        for name, properties in of_type("AWS::IAM::Policy").items():
            self.assertEqual(len(properties["Roles"]), 1, name)

    def test_only_the_data_bucket_of_this_account_calls_upload(self):
        function = next(name for name, f in NAMES.items() if f == "upload")
        calls = [p for p in of_type("AWS::Lambda::Permission").values() if p["FunctionName"] == {"Ref": function}]
        self.assertEqual([p["Principal"] for p in calls], ["s3.amazonaws.com"])
        self.assertEqual(calls[0]["SourceAccount"], {"Ref": "AWS::AccountId"})
        notified = of_type("AWS::S3::Bucket")["DataBucket"]["NotificationConfiguration"]["LambdaConfigurations"]
        rules = [rule for entry in notified for rule in entry["Filter"]["S3Key"]["Rules"]]
        self.assertEqual(rules, [{"Name": "prefix", "Value": "uploads/"}])
        self.assertNotIn("DataBucket/uploads/*", " ".join(r for a, r in permissions("upload") if "Put" in a))

    def test_no_two_functions_share_a_role(self):
        roles = [json.dumps(p["Role"]) for p in of_type("AWS::Lambda::Function").values()]
        self.assertEqual(len(roles), len(set(roles)))


class Functions(unittest.TestCase):
    def test_every_binary_is_deployed_and_every_function_has_a_binary(self):
        binaries = set()
        for manifest in (INFRA.parent / "functions").glob("*/Cargo.toml"):
            several = {path.stem for path in (manifest.parent / "src" / "bin").glob("*.rs")}
            binaries |= several or {manifest.parent.name}
        self.assertEqual(set(BINARIES.values()), binaries)
        self.assertEqual(set(NAMES.values()) - binaries, {"engine"})

    def test_the_tables_have_every_function(self):
        self.assertEqual(set(MAY), set(NAMES.values()))
        self.assertEqual(set(VARIABLES), set(NAMES.values()))

    def test_each_function_has_the_variables_of_the_table(self):
        for name, properties in of_type("AWS::Lambda::Function").items():
            variables = properties["Environment"]["Variables"]
            self.assertEqual(" ".join(sorted(variables)), VARIABLES[NAMES[name]], name)

    def test_each_variable_refers_to_something_that_exists(self):
        for name, properties in of_type("AWS::Lambda::Function").items():
            for variable, value in properties["Environment"]["Variables"].items():
                if variable == "SECRET_PREFIX":
                    self.assertEqual(value, {"Fn::Sub": SECRETS[1].removeprefix("secret:").removesuffix("*")}, name)
                else:
                    self.assertIn(value["Ref"], RESOURCES.keys() | TEMPLATE["Parameters"].keys(), f"{name} {variable}")

    def test_each_function_may_use_the_resources_of_its_variables(self):
        for name, properties in of_type("AWS::Lambda::Function").items():
            allowed = " ".join(resources for _, resources in permissions(NAMES[name]))
            for variable, value in properties["Environment"]["Variables"].items():
                if variable not in WORDS:
                    self.assertIn(value["Ref"], allowed, f"{name} {variable}")

    def test_each_has_the_runtime_of_a_rust_binary(self):
        for name, properties in of_type("AWS::Lambda::Function").items():
            self.assertEqual((properties["Runtime"], properties["Handler"]), ("provided.al2023", "bootstrap"), name)

    def test_each_log_is_kept_as_long_as_the_administrator_says(self):
        groups = of_type("AWS::Logs::LogGroup")
        for name, properties in of_type("AWS::Lambda::Function").items():
            self.assertIn(properties["LoggingConfig"]["LogGroup"]["Ref"], groups, name)
        for name, properties in groups.items():
            self.assertEqual(properties["RetentionInDays"], {"Ref": "LogRetentionDays"}, name)


class Queues(unittest.TestCase):
    def setUp(self):
        self.queues = of_type("AWS::SQS::Queue")
        # The dead-letter queue of the notifications. No function reads it.
        self.untold = self.queues.pop("UntoldQueue")
        self.mappings = of_type("AWS::Lambda::EventSourceMapping")
        self.dead = {
            properties["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]: name
            for name, properties in self.queues.items()
            if "RedrivePolicy" in properties
        }

    def test_all_are_fifo_and_encrypted(self):
        for name, properties in self.queues.items():
            self.assertTrue(properties["FifoQueue"] and properties["SqsManagedSseEnabled"], name)
        self.assertTrue(self.untold["SqsManagedSseEnabled"])

    def test_each_has_a_dead_letter_queue_of_its_own_that_keeps_longer(self):
        for name, properties in self.queues.items():
            if name in self.dead:
                continue
            with self.subTest(name):
                target = properties["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
                self.assertEqual(self.dead[target], name)
                self.assertEqual(self.queues[target]["MessageRetentionPeriod"], 14 * 24 * 3600)
                self.assertGreater(14 * 24 * 3600, properties["MessageRetentionPeriod"])
                self.assertGreaterEqual(properties["RedrivePolicy"]["maxReceiveCount"], 5)

    def test_each_is_read_by_one_function_that_reports_failed_messages(self):
        read = [p["EventSourceArn"]["Fn::GetAtt"][0] for p in self.mappings.values()]
        self.assertEqual(sorted(read), sorted(set(self.queues) - set(self.dead)))
        for name, properties in self.mappings.items():
            self.assertEqual(properties["FunctionResponseTypes"], ["ReportBatchItemFailures"], name)

    def test_batch_sizes(self):
        for properties in self.mappings.values():
            function = NAMES[properties["FunctionName"]["Ref"]]
            self.assertEqual(properties["BatchSize"], 10 if function.startswith("push-") else 1, function)

    def test_a_request_that_a_user_waits_for_never_waits_behind_a_snapshot(self):
        queues = {}
        for properties in self.mappings.values():
            queues[NAMES[properties["FunctionName"]["Ref"]]] = properties["EventSourceArn"]["Fn::GetAtt"][0]
        self.assertEqual((queues["engine"], queues["snapshot"]), ("EngineQueue", "SnapshotQueue"))
        (mapping,) = [p for p in self.mappings.values() if p["EventSourceArn"]["Fn::GetAtt"][0] == "EngineQueue"]
        self.assertEqual(mapping["ScalingConfig"], {"MaximumConcurrency": 10})
        # The longest request takes a minute, and its last attempt starts within 30 s (functions/snapshot/src/answer.rs).
        timeout = default(RESOURCES["EngineFunction"]["Properties"]["Timeout"])
        self.assertTrue(90 < timeout <= 120, timeout)

    # AWS recommends six times the timeout: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
    def test_a_message_stays_hidden_for_six_times_the_timeout_of_its_function(self):
        for name, properties in self.mappings.items():
            timeout = default(RESOURCES[properties["FunctionName"]["Ref"]]["Properties"]["Timeout"])
            hidden = default(self.queues[properties["EventSourceArn"]["Fn::GetAtt"][0]]["VisibilityTimeout"])
            self.assertGreaterEqual(hidden, 6 * timeout, name)

    def test_each_dead_letter_queue_has_an_alarm_at_the_first_message(self):
        watched = [
            alarm["Dimensions"][0]["Value"]["Fn::GetAtt"][0]
            for alarm in of_type("AWS::CloudWatch::Alarm").values()
            if alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
            and (alarm["Threshold"], alarm["ComparisonOperator"]) == (0, "GreaterThanThreshold")
        ]
        self.assertEqual(sorted(watched), sorted([*self.dead, "UntoldQueue"]))

    def test_each_function_has_an_alarm_at_the_first_error(self):
        watched = [
            alarm["Dimensions"][0]["Value"]["Ref"]
            for alarm in of_type("AWS::CloudWatch::Alarm").values()
            if alarm["MetricName"] == "Errors"
        ]
        self.assertEqual(sorted(watched), sorted(NAMES))


class Data(unittest.TestCase):
    def test_what_cannot_be_made_again_outlives_the_stack(self):
        kept = {n for n, r in RESOURCES.items() if r["Type"] in ("AWS::DynamoDB::Table", "AWS::S3::Bucket")}
        self.assertEqual(kept, {"CatalogTable", "LedgerTable", "DataBucket"})
        for name in kept:
            policies = RESOURCES[name].get("DeletionPolicy"), RESOURCES[name].get("UpdateReplacePolicy")
            self.assertEqual(policies, ("Retain", "Retain"), name)

    def test_tables_are_encrypted_and_can_be_restored(self):
        for name, properties in of_type("AWS::DynamoDB::Table").items():
            self.assertTrue(properties["SSESpecification"]["SSEEnabled"], name)
            self.assertTrue(properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], name)
            self.assertEqual(properties["BillingMode"], "PAY_PER_REQUEST", name)

    def test_keys_of_the_tables(self):
        def keys(name):
            return [(key["AttributeName"], key["KeyType"]) for key in of_type("AWS::DynamoDB::Table")[name]["KeySchema"]]

        self.assertEqual(keys("CatalogTable"), [("kind", "HASH"), ("id", "RANGE")])
        self.assertEqual(keys("LedgerTable"), [("pk", "HASH"), ("sk", "RANGE")])
        ledger = of_type("AWS::DynamoDB::Table")["LedgerTable"]
        self.assertEqual(ledger["TimeToLiveSpecification"], {"AttributeName": "expires_at", "Enabled": True})

    def test_the_bucket_is_private_and_encrypted(self):
        bucket = of_type("AWS::S3::Bucket")["DataBucket"]
        self.assertEqual(len(bucket["PublicAccessBlockConfiguration"]), 4)
        self.assertTrue(all(bucket["PublicAccessBlockConfiguration"].values()))
        self.assertIn("BucketEncryption", bucket)
        statement = of_type("AWS::S3::BucketPolicy")["DataBucketPolicy"]["PolicyDocument"]["Statement"][0]
        self.assertEqual(statement["Effect"], "Deny")
        self.assertEqual(statement["Condition"], {"Bool": {"aws:SecureTransport": "false"}})

    def test_everything_ends_by_itself_but_the_delivered_state(self):
        rules = of_type("AWS::S3::Bucket")["DataBucket"]["LifecycleConfiguration"]["Rules"]
        ends = {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules if "ExpirationInDays" in rule}
        of_a_run = dict.fromkeys(["snapshots/", "deltas/", "results/", "uploads/"], {"Ref": "RunDataRetentionDays"})
        # An upload's members stay for 90 days at the most.
        of_people = {"dry-runs/": 7, "previews/": 1, "people/": 7, "uploaded/": 100, "data-usage/": 30}
        self.assertEqual(ends, {**of_a_run, **of_people, "reports/": {"Ref": "ReportRetentionDays"}})
        written = {
            resource.removeprefix("DataBucket/").removesuffix("*")
            for function in MAY
            for actions, resources in permissions(function)
            for resource in resources.split()
            if "s3:PutObject" in actions.split()
        }
        # The key of the exclusions has to stay: without it, erased people would be exported again.
        self.assertEqual(written - ends.keys(), {"delivered/", "exclusions/"})

    def test_the_secret_is_made_without_a_value_under_the_prefix_that_roles_allow(self):
        for properties in of_type("AWS::SecretsManager::Secret").values():
            self.assertTrue(properties["Name"]["Fn::Sub"].startswith("${AWS::StackName}/connections/"))
            self.assertFalse({"SecretString", "GenerateSecretString"} & properties.keys())


class HttpApi(unittest.TestCase):
    def setUp(self):
        self.bodies = {name: p["Body"] for name, p in of_type("AWS::ApiGatewayV2::Api").items()}
        local = transform.localized(transform.transformed(transform.load(INFRA / "template.yaml")))["Resources"]
        self.local = {name: r for name, r in local.items() if r["Type"].startswith("AWS::ApiGatewayV2::")}

    def test_no_route_is_without_an_authorizer_that_reads_a_token(self):
        self.assertEqual(list(self.bodies), ["HttpApi"])
        body = self.bodies["HttpApi"]
        found = dict(transform.operations(body))
        # Two routes for everything: the function knows its own (functions/api/src/access.rs).
        self.assertEqual(sorted(found), ["ANY /", "ANY /{proxy+}"])
        for route, operation in found.items():
            self.assertEqual(operation["security"], [{"OpenIdConnect": []}], route)
        # Nothing of the body is a route that the line above does not see.
        self.assertEqual(sum(len(methods) for methods in body["paths"].values()), len(found))
        schemes = body["components"]["securitySchemes"]
        self.assertEqual(list(schemes), ["OpenIdConnect"])
        self.assertEqual(
            schemes["OpenIdConnect"]["x-amazon-apigateway-authorizer"],
            {
                "type": "jwt",
                "identitySource": "$request.header.Authorization",
                "jwtConfiguration": {"issuer": {"Ref": "JwtIssuer"}, "audience": {"Ref": "JwtAudience"}},
            },
        )

    def test_no_route_stands_beside_the_api(self):
        kinds = {r["Type"] for r in RESOURCES.values()}
        beside = {"AWS::ApiGatewayV2::Route", "AWS::ApiGatewayV2::Integration", "AWS::Lambda::Url", "AWS::ApiGateway::RestApi"}
        self.assertFalse(kinds & beside)

    def test_local_routes_are_the_same(self):
        def of(kind):
            return {n: r["Properties"] for n, r in self.local.items() if r["Type"] == f"AWS::ApiGatewayV2::{kind}"}

        keys = sorted(key for key, _ in transform.operations(self.bodies["HttpApi"]))
        self.assertEqual(sorted(r["RouteKey"] for r in of("Route").values()), keys)
        (authorizer,) = of("Authorizer")
        for route in of("Route").values():
            self.assertEqual((route["AuthorizationType"], route["AuthorizerId"]), ("JWT", {"Ref": authorizer}))
        properties = of("Authorizer")[authorizer]
        self.assertEqual(properties["AuthorizerType"], "JWT")
        self.assertEqual(
            properties["JwtConfiguration"], {"Issuer": {"Ref": "JwtIssuer"}, "Audience": {"Ref": "JwtAudience"}}
        )

    def test_a_route_without_an_authorizer_does_not_get_into_the_local_cloud(self):
        for broken in ({}, {"security": []}, {"security": [{"Unknown": []}]}):
            template = transform.transformed(transform.load(INFRA / "template.yaml"))
            operation = template["Resources"]["HttpApi"]["Properties"]["Body"]["paths"]["/"]["x-amazon-apigateway-any-method"]
            del operation["security"]
            operation.update(broken)
            with self.subTest(broken), self.assertRaises((ValueError, KeyError)):
                transform.localized(template)

    def test_calls_are_limited(self):
        stage = next(iter(of_type("AWS::ApiGatewayV2::Stage").values()))
        self.assertEqual(stage["DefaultRouteSettings"], {"ThrottlingBurstLimit": 50, "ThrottlingRateLimit": 20})

    def test_calls_are_logged_without_who_called_or_what_they_wrote(self):
        stage = next(iter(of_type("AWS::ApiGatewayV2::Stage").values()))
        log = stage["AccessLogSettings"]["Format"]
        self.assertEqual(
            sorted(json.loads(log)), ["authorizer_error", "error", "latency_ms", "method", "request_id", "status"]
        )
        for word in ("claims", "principal", "identity", "path", "header", "sourceIp"):
            self.assertNotIn(word, log)


class Telling(unittest.TestCase):
    def test_rules_wait_for_what_the_functions_say_and_tell_only_the_topic(self):
        said = set()
        for path in (INFRA.parent / "shared").rglob("*.rs"):
            said.update(re.findall(r'"(Run [A-Z][a-z]+)"', path.read_text()))
        rules = {name: r for name, r in RESOURCES.items() if r["Type"] == "AWS::Events::Rule"}
        rules = {name: rule for name, rule in rules.items() if "EventPattern" in rule["Properties"]}
        heard = set()
        for name, rule in rules.items():
            self.assertEqual(rule["Condition"], "HasAlarmTopic", name)
            properties = rule["Properties"]
            self.assertEqual(properties["EventBusName"], {"Ref": "EventBusName"}, name)
            self.assertEqual(properties["EventPattern"]["source"], ["segment-relay"], name)
            heard.update(properties["EventPattern"]["detail-type"])
            (target,) = properties["Targets"]
            self.assertEqual(target["Arn"], {"Ref": "AlarmTopicArn"}, name)
            self.assertEqual(target["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0], "UntoldQueue", name)
            # Whole, as JSON: a template would not escape the quotes of a text.
            self.assertEqual(target["InputPath"], "$.detail", name)
            self.assertNotIn("InputTransformer", target, name)
        self.assertEqual(heard, {"Run Finished", "Run Held"})
        self.assertLessEqual(heard, said)


class Parameters(unittest.TestCase):
    def test_each_is_described_and_only_the_lake_and_who_signs_in_must_be_given(self):
        for name, parameter in TEMPLATE["Parameters"].items():
            self.assertTrue(parameter.get("Description"), name)
        required = [name for name, parameter in TEMPLATE["Parameters"].items() if "Default" not in parameter]
        self.assertEqual(sorted(required), ["JwtAudience", "JwtIssuer", "LakeBucketName"])

    def test_what_they_take(self):
        def check(name, value, good):
            pattern = TEMPLATE["Parameters"][name]["AllowedPattern"]
            self.assertEqual(bool(re.fullmatch(pattern, value)), good, f"{name} {value!r}")

        check("JwtIssuer", "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Example", True)
        check("JwtIssuer", "https://example.okta.com/oauth2/default", True)
        check("JwtIssuer", "https://tenant.example.com/", True)
        check("JwtIssuer", "http://127.0.0.1:4000", True)
        check("JwtIssuer", "http://example.com", False)
        check("JwtIssuer", "http://127.0.0.1:4000.example.com", False)
        check("JwtIssuer", "https://example.com/?a=b", False)
        check("RolesClaim", "cognito:groups", True)
        check("RolesClaim", "https://example.com/roles", True)
        check("RolesClaim", "", False)
        for name in ("AdministratorRole", "ContributorRole", "ViewerRole"):
            check(name, "SegmentRelay.Administrators", True)
            # They separate the roles of a claim, so a role with one of them would never be found in it.
            for value in ("", "two words", "a,b", "[a", "a]", '"a"'):
                check(name, value, False)

    def test_each_is_in_a_group_of_the_console_or_is_the_architecture(self):
        groups = SAM["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
        grouped = [name for group in groups for name in group["Parameters"]]
        self.assertEqual(sorted(grouped), sorted(TEMPLATE["Parameters"]))


if __name__ == "__main__":
    unittest.main()
