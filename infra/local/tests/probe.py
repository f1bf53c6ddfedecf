"""A function for the tests of the local cloud. What it does is in the message or event that it gets.

announce: try to put an event on the bus; sleep: seconds to wait; fail: report the message as failed; say: text for the log; hide: seconds for
ChangeMessageVisibility of the message; environment: give the own environment's names back.
"""

import hashlib
import hmac
import json
import os
import sys
import time
import urllib.error
import urllib.request

RUNTIME = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation"


def announce():
    """Signed by hand, as the role's key: the standard library is all there is for certain."""
    body = json.dumps({"Entries": [{"Source": "probe", "DetailType": "Probe", "Detail": "{}", "EventBusName": "default"}]})
    at = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    host = os.environ["AWS_ENDPOINT_URL"].removeprefix("http://")
    signed = {
        "host": host,
        "x-amz-date": at,
        "x-amz-security-token": os.environ["AWS_SESSION_TOKEN"],
        "x-amz-target": "AWSEvents.PutEvents",
    }
    names = ";".join(signed)
    lines = "".join(f"{name}:{value}\n" for name, value in signed.items())
    request = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(body.encode()).hexdigest()}"
    scope = f"{at[:8]}/{os.environ['AWS_REGION']}/events/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{at}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = ("AWS4" + os.environ["AWS_SECRET_ACCESS_KEY"]).encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.new(key, text.encode(), "sha256").hexdigest()
    credential = f"Credential={os.environ['AWS_ACCESS_KEY_ID']}/{scope}"
    headers = {k: v for k, v in signed.items() if k != "host"} | {
        "content-type": "application/x-amz-json-1.1",
        "authorization": f"AWS4-HMAC-SHA256 {credential}, SignedHeaders={names}, Signature={signature}",
    }
    try:
        urllib.request.urlopen(urllib.request.Request(os.environ["AWS_ENDPOINT_URL"], body.encode(), headers)).read()
        return True
    except urllib.error.HTTPError as refused:
        said = refused.read().decode()
        print(said, flush=True)
        return False if "AccessDenied" in said else said


def post(url, body, headers=None):
    urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), headers or {})).read()


def hide(record, seconds):
    scope = f"{os.environ['AWS_ACCESS_KEY_ID']}/20260101/{os.environ['AWS_REGION']}/sqs/aws4_request"
    url = os.environ["PUSH_CAMPAIGN_MONITOR_QUEUE_URL"]
    headers = {
        "x-amz-target": "AmazonSQS.ChangeMessageVisibility",
        "content-type": "application/x-amz-json-1.0",
        "authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=none",
    }
    request = {"QueueUrl": url, "ReceiptHandle": record["receiptHandle"], "VisibilityTimeout": seconds}
    post(os.environ["AWS_ENDPOINT_URL"], request, headers)


def work(order, record):
    if "say" in order:
        print(json.dumps({
            "said": order["say"], "at": time.time(), "pid": os.getpid(),
            "receives": (record or {}).get("attributes", {}).get("ApproximateReceiveCount"),
        }), flush=True)
    time.sleep(order.get("sleep", 0))
    if "hide" in order:
        hide(record, order["hide"])
    return bool(order.get("fail"))


while True:
    with urllib.request.urlopen(RUNTIME + "/next") as answer:
        event = json.load(answer)
        headers = answer.headers
    deadline_ms = int(headers["Lambda-Runtime-Deadline-Ms"])
    if "Records" in event:
        failed = [r["messageId"] for r in event["Records"] if work(json.loads(r["body"]), r)]
        result = {"batchItemFailures": [{"itemIdentifier": i} for i in failed]}
    else:
        work(event if isinstance(event, dict) else {}, None)
        announced = announce() if isinstance(event, dict) and event.get("announce") else None
        left_ms = deadline_ms - int(time.time() * 1000)
        result = {"left_ms": left_ms, "environment": sorted(os.environ), "path": event.get("rawPath"),
                  "announced": announced}
    post(f"{RUNTIME}/{headers['Lambda-Runtime-Aws-Request-Id']}/response", result)
    sys.stdout.flush()
