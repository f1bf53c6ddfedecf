"""Puts the stack on the local cloud: buckets, code, template. Request on standard input, answer on standard output.

Request: {endpoint, region, stack_name, template, lake_bucket, archives: {folder: path}, parameters: {name: value}}
Answer:  {outputs: {name: value}, resources, transform_seconds, deploy_seconds}
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import boto3
from botocore.config import Config

import transform

ARTIFACTS = "artifacts"


def client(request, service):
    return boto3.client(
        service,
        endpoint_url=request["endpoint"],
        region_name=request["region"],
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}, read_timeout=120),
    )


def put_code(s3, archives):
    s3.create_bucket(Bucket=ARTIFACTS)

    def put(entry):
        folder, path = entry
        s3.upload_file(path, ARTIFACTS, f"{folder}.zip")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(put, archives.items()))


def failures(cloudformation, stack):
    events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
    found = [
        f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'no reason given')}"
        for event in events
        if "FAILED" in event.get("ResourceStatus", "")
    ]
    return "; ".join(found) or "no reason given"


def deploy(cloudformation, s3, request, template):
    stack = request["stack_name"]
    # A template of more than 51,200 bytes is taken from a bucket only, as in an account.
    s3.put_object(Bucket=ARTIFACTS, Key="template.json", Body=json.dumps(template).encode())
    cloudformation.create_stack(
        StackName=stack,
        TemplateURL=f"{request['endpoint']}/{ARTIFACTS}/template.json",
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in request["parameters"].items()],
    )
    ends = time.monotonic() + 120
    while time.monotonic() < ends:
        described = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
        if described["StackStatus"] == "CREATE_COMPLETE":
            return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}
        if described["StackStatus"] != "CREATE_IN_PROGRESS":
            sys.exit(f"the stack is {described['StackStatus']}: {failures(cloudformation, stack)}")
        time.sleep(0.1)
    sys.exit("the stack was not complete after 120 s")


def main():
    request = json.load(sys.stdin)
    started = time.monotonic()
    template = transform.localized(transform.transformed(transform.load(request["template"]), ARTIFACTS))
    transform_seconds = time.monotonic() - started
    s3 = client(request, "s3")
    s3.create_bucket(Bucket=request["lake_bucket"])
    put_code(s3, request["archives"])
    outputs = deploy(client(request, "cloudformation"), s3, request, template)
    answer = {
        "outputs": outputs,
        "resources": len(template["Resources"]),
        "transform_seconds": transform_seconds,
        "deploy_seconds": time.monotonic() - started - transform_seconds,
    }
    json.dump(answer, sys.stdout)


main()
