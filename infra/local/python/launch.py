"""Starts MiniStack for one owner and ends it, with all of its functions, when the owner exits.

The owner holds the other end of standard input and writes nothing to it: the pipe closes however the owner ends,
by SIGKILL too. The owner has put this process in a process group of its own, so the group is all that has to end.
Nothing in it is worth an orderly end: the state is in a folder that goes as well.

Three things are added to MiniStack, and a few that it does otherwise than AWS are mended. Nagle's algorithm is off, because each invocation of a function waited 40 ms for a
delayed acknowledgement. The calls of the functions are counted, and what they wrote to queues, tables and
the event bus is kept in a journal, so that a test can look at everything that left a function. And a call of a
function can be held on its way, so that a test can end the function, or look around, at exactly that point.
"""

import asyncio
import base64
import hashlib
import json
import os
import re
import shutil
import signal
import socketserver
import sys
import threading

socketserver.StreamRequestHandler.disable_nagle_algorithm = True

FOLDER = os.environ.pop("LOCAL_CLOUD_FOLDER")
JOURNAL = os.environ.pop("LOCAL_CLOUD_JOURNAL")
ENFORCED = os.environ["AUTH"] == "true"
SCOPE = re.compile(r"Credential=([^/]+)/\d+/[^/]+/([^/]+)/")
# Functions call with the account's number as their access key, or with temporary ones where permissions are enforced;
# clients outside of the cloud use another one.
FUNCTIONS_KEY = "000000000000"
KEPT_SERVICES = {"sqs", "dynamodb", "events"}
READS = {"ReceiveMessage", "GetItem", "Query", "Scan", "BatchGetItem", "TransactGetItems", "GetQueueAttributes"}


def end_with_owner():
    while sys.stdin.buffer.read(4096):
        pass
    shutil.rmtree(FOLDER, ignore_errors=True)
    if os.getpgid(0) == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)


def action_of(service, scope, headers):
    target = headers.get(b"x-amz-target", b"").decode("latin-1")
    if target:
        return target.rsplit(".", 1)[-1]
    if service == "s3":
        depth = "Object" if scope["path"].strip("/").count("/") else "Bucket"
        return f"{scope['method']} {depth}"
    return scope["method"]


async def whole_body(receive):
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


async def signed(scope, receive, headers, service):
    """Signs the request with the account's root key, for a caller that cannot sign it."""
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    body = await whole_body(receive)
    unsigned = {k.decode("latin-1"): v.decode("latin-1") for k, v in headers.items() if k != b"authorization"}
    path = scope.get("raw_path", scope["path"].encode()).decode("latin-1")
    url = f"http://{unsigned['host']}{path}"
    request = AWSRequest(scope["method"], url, unsigned, body)
    owner = Credentials(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])
    SigV4Auth(owner, service, os.environ["AWS_DEFAULT_REGION"]).add_auth(request)
    changed = [(k.lower().encode("latin-1"), str(v).encode("latin-1")) for k, v in request.headers.items()]
    return {**scope, "headers": changed}, replayed(body, receive)


def replayed(body, receive):
    """Replays a body that was already read, followed by later messages."""
    messages = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def again():
        return next(messages, None) or await receive()

    return again


class Hold:
    """A hold on one call of a function: before it is carried out, or before its response is returned."""

    def __init__(self, service, action, contains, moment):
        self.service, self.action, self.contains, self.moment = service, action, contains, moment
        self.is_spent = False
        self.is_reached = False
        self.released = asyncio.Event()

    def is_for(self, service, action):
        return not self.is_spent and (service, action) == (self.service, self.action)

    async def keep(self, receive):
        """Waits until the call is released or its client disconnects. Returns whether the client still waits."""
        self.is_reached = True
        released = asyncio.ensure_future(self.released.wait())
        gone = asyncio.ensure_future(disconnected(receive))
        done, waiting = await asyncio.wait({released, gone}, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        return gone not in done


async def disconnected(receive):
    while (await receive())["type"] != "http.disconnect":
        pass


class Watched:
    """Wraps the emulator's application: counts calls, records writes, and holds some calls."""

    def __init__(self, app):
        self.app = app
        self.calls = {}
        self.holds = []
        self.journal = open(JOURNAL, "a", buffering=1, encoding="utf-8")

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        if scope["path"] == "/_local/calls":
            return await self.answer(send, self.calls)
        if scope["path"] == "/_local/holds":
            return await self.answer(send, self.change_holds(json.loads(await whole_body(receive))))
        headers = dict(scope.get("headers", []))
        match = SCOPE.search(headers.get(b"authorization", b"").decode("latin-1"))
        if not match:
            return await self.app(scope, receive, send)
        caller = "function" if match[1] == FUNCTIONS_KEY or match[1].startswith("ASIA") else "outside"
        service = match[2]
        if ENFORCED and headers[b"authorization"].endswith(b"Signature=none"):
            scope, receive = await signed(scope, receive, headers, service)
        action = action_of(service, scope, headers)
        counted = self.calls.setdefault(caller, {}).setdefault(service, {})
        counted[action] = counted.get(action, 0) + 1
        if caller == "function" and any(hold.is_for(service, action) for hold in self.holds):
            return await self.perhaps_held(scope, receive, send, service, action)
        await self.kept(scope, receive, send, caller, service, action)

    def change_holds(self, asked):
        """Requests a hold (returns its number), queries whether it is reached, or releases it."""
        if "hold" in asked:
            self.holds.append(Hold(**asked["hold"]))
            return len(self.holds) - 1
        hold = self.holds[asked["number"]]
        if asked["release"]:
            hold.released.set()
        return hold.is_reached

    async def perhaps_held(self, scope, receive, send, service, action):
        body = await whole_body(receive)
        text = scope["path"] + "\n" + body.decode("utf-8", "replace")
        hold = next((h for h in self.holds if h.is_for(service, action) and h.contains in text), None)
        if hold:
            hold.is_spent = True
        if hold and hold.moment == "before" and not await hold.keep(receive):
            return
        if not hold or hold.moment == "before":
            return await self.kept(scope, replayed(body, receive), send, "function", service, action)
        answers = []

        async def collect(message):
            answers.append(message)

        await self.kept(scope, replayed(body, receive), collect, "function", service, action)
        if await hold.keep(receive):
            for message in answers:
                await send(message)

    async def kept(self, scope, receive, send, caller, service, action):
        if service not in KEPT_SERVICES or action in READS:
            return await self.app(scope, receive, send)
        body = bytearray()

        async def read():
            message = await receive()
            body.extend(message.get("body", b""))
            return message

        await self.app(scope, read, send)
        entry = {"caller": caller, "service": service, "action": action, "body": body.decode("utf-8", "replace")}
        self.journal.write(json.dumps(entry, ensure_ascii=False) + "\n")

    async def answer(self, send, value):
        body = json.dumps(value).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": body})


def authorize_as_aws():
    """Authorizes a batch by the permission for a single message, as SQS does. MiniStack requires a separate one."""
    from ministack.core import iam_actions

    original = iam_actions.extract_iam_action

    def action_of_permission(*args, **kwargs):
        action = original(*args, **kwargs)
        return action.removesuffix("Batch") if action and action.startswith("sqs:") else action

    iam_actions.extract_iam_action = action_of_permission


def run_groups_apart():
    """Lets a FIFO mapping handle several batches concurrently if they share no message group, as on AWS. MiniStack
    handles them one by one."""
    from ministack.services import lambda_svc

    original = lambda_svc._sqs_esm_concurrency

    def concurrency(esm, function, config, queue=None):
        # A number that a parameter of the template gives is kept as text, and one that is given with no parameter is not.
        scaling = {name: int(value) for name, value in (esm.get("ScalingConfig") or {}).items()}
        return original({**esm, "ScalingConfig": scaling}, function, config)

    lambda_svc._sqs_esm_concurrency = concurrency


def match_every_path():
    """Routes paths with an (encoded) line break, which MiniStack does not match. The parameter then has a space instead;
    the path that the function reads is unchanged."""
    from ministack.services import apigateway

    original = apigateway._extract_path_params

    def parameters(route_path, request_path):
        return original(route_path, request_path.replace("\n", " "))

    apigateway._extract_path_params = parameters


# DER of "SHA-256, and its 32 bytes follow": https://www.rfc-editor.org/rfc/rfc8017#section-9.2
SHA256_FOLLOWS = bytes.fromhex("3031300d060960864801650304020105000420")


def is_signed_with(token, key):
    """Returns whether a token is signed (RS256) with this key (a JWK)."""
    signed, _, signature = token.rpartition(".")
    signature = base64.urlsafe_b64decode(signature + "==")
    modulus, exponent = (int.from_bytes(base64.urlsafe_b64decode(key[name] + "=="), "big") for name in ("n", "e"))
    length = (modulus.bit_length() + 7) // 8
    ending = b"\x00" + SHA256_FOLLOWS + hashlib.sha256(signed.encode()).digest()
    expected = b"\x00\x01" + b"\xff" * (length - 2 - len(ending)) + ending
    number = int.from_bytes(signature, "big")
    return len(signature) == length and number < modulus and pow(number, exponent, modulus) == int.from_bytes(expected, "big")


def check_tokens_as_aws():
    """Verifies tokens here, because MiniStack needs a package that it does not install, and refuses every token without
    it. It also fails on tokens with JSON parts that are not objects, for which AWS returns 401."""
    from ministack.services import apigateway

    original = apigateway._validate_jwt_authorizer

    async def validated(route, authorizer, headers, query_params):
        try:
            return await original(route, authorizer, headers, query_params)
        except (AttributeError, TypeError, ValueError):
            return None, None, apigateway._jwt_unauthorized()

    def verified(token, key):
        try:
            return is_signed_with(token, key)
        except (KeyError, ValueError):
            return False

    apigateway._validate_jwt_authorizer = validated
    apigateway._verify_rs256_signature = verified


def main():
    threading.Thread(target=end_with_owner, daemon=True).start()
    import ministack.app

    authorize_as_aws()
    run_groups_apart()
    match_every_path()
    check_tokens_as_aws()
    ministack.app.app = Watched(ministack.app.app)
    ministack.app.main()


main()
