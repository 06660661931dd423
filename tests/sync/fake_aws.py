"""The SESv2 API, an ECS agent and EC2's metadata on loopback, as far as `sesame sync` and botocore ask them.

Signatures are checked with botocore's own implementation over what arrived."""

import base64
import collections
import http.server
import json
import ssl
import sys
import threading
import time
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.credentials

KEY_ID = "AKIDEXAMPLE"
SECRET = "secret/Key+of=the:tests"
IDENTITIES = "/v2/email/identities"


def identity(**members):
    """GetEmailIdentity of a healthy domain; a member given as None is left out."""
    answer = {
        "IdentityType": "DOMAIN",
        "FeedbackForwardingStatus": True,
        "VerifiedForSendingStatus": True,
        "VerificationStatus": "SUCCESS",
        "VerificationInfo": {"LastCheckedTimestamp": 1767225600.125, "LastSuccessTimestamp": 1767225600.125,
                             "SOARecord": {"PrimaryNameServer": "ns1.example.com", "SerialNumber": 2026010101}},
        "DkimAttributes": {"SigningEnabled": True, "Status": "SUCCESS", "SigningAttributesOrigin": "AWS_SES",
                           "Tokens": ["aaa", "bbb", "ccc"], "SigningHostedZone": "dkim.amazonses.com",
                           "CurrentSigningKeyLength": "RSA_2048_BIT", "NextSigningKeyLength": "RSA_2048_BIT",
                           "LastKeyGenerationTimestamp": 1767225600.5},
        "MailFromAttributes": {"BehaviorOnMxFailure": "USE_DEFAULT_VALUE"},
        "Policies": {},
        "Tags": [],
        **members,
    }
    return {name: value for name, value in answer.items() if value is not None}


ACCOUNT = {"DedicatedIpAutoWarmupEnabled": False, "EnforcementStatus": "HEALTHY", "ProductionAccessEnabled": True,
           "SendingEnabled": True, "SendQuota": {"Max24HourSend": -1.0, "MaxSendRate": 14.0, "SentLast24Hours": 1.0}}


class Reply:
    """What to answer instead of the truth."""

    def __init__(self, status=200, body=b"", headers=(), delay=0.0, cut=0):
        self.status, self.headers, self.delay, self.cut = status, dict(headers), delay, cut
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()

    @staticmethod
    def error(status, kind, message="said by SES"):
        return Reply(status, {"message": message}, {"x-amzn-ErrorType": kind + ":http://internal.amazon.com/coral/"})


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Who asked may go away at any time; anything else is a fault of ours, and told."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class FakeAws:
    """One server for all; `world` is {region: {name: answer}}. Used as a context."""

    def __init__(self, world, page=1000, tls=None):
        self.world = world
        self.account = dict(ACCOUNT)
        self.page = page
        self.sessions = {KEY_ID: (SECRET, "")}  # key id -> (secret, session token)
        self.expired = set()
        self.requests = []  # (method, path with query) that arrived with a right signature
        self.key_ids = []   # whose it was
        self.wrong = []     # those without one, and why
        self.metadata = {}  # path -> Reply or function of the headers
        self.metadata_requests = []
        # path (without query) or "*" -> replies to be given, in turn, before the truth
        self.script = collections.defaultdict(collections.deque)
        self.on_request = lambda path: None
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # header and body in one packet

            def do_GET(self):
                server.handle(self)

            do_PUT = do_GET

            def log_message(self, *_):
                pass

        self.http = Server(("127.0.0.1", 0), Handler)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.http.socket = context.wrap_socket(self.http.socket, server_side=True)
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.http.server_port}"

    def __enter__(self):
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.http.server_close()

    def handle(self, request):
        path = urllib.parse.urlsplit(request.path).path
        if path.startswith("/v2/"):
            reply = self.api(request, path)
        else:
            self.metadata_requests.append(request.path)
            reply = self.metadata.get(path, Reply(404))
            reply = reply(request) if callable(reply) else reply
        time.sleep(reply.delay)
        try:
            request.send_response(reply.status)
            for name, value in reply.headers.items():
                request.send_header(name, value)
            request.send_header("Content-Length", str(len(reply.body)))
            request.end_headers()
            request.wfile.write(reply.body[:len(reply.body) - reply.cut])
            request.wfile.flush()
            if reply.cut:
                request.close_connection = True
        except OSError:
            request.close_connection = True  # who asked has gone

    def api(self, request, path):
        self.on_request(path)
        fault, region, key_id = self.verify(request)
        if fault:
            self.wrong.append((request.path, fault))
            return Reply.error(403, "InvalidSignatureException", "The request signature we calculated does not match")
        self.requests.append((request.command, request.path))
        self.key_ids.append(key_id)
        if key_id in self.expired:
            return Reply.error(403, "ExpiredTokenException", "The security token included in the request is expired")
        for place in (path, "*"):
            if self.script[place]:
                return self.script[place].popleft()
        return self.truth(region, path, urllib.parse.parse_qs(urllib.parse.urlsplit(request.path).query))

    def verify(self, request):
        """Why the signature is wrong ("" = it is right), the region and the key id of its scope."""
        words = request.headers.get("Authorization", "").replace(",", " ").split()
        if not words or words[0] != "AWS4-HMAC-SHA256":
            return "not signed", "", ""
        parts = dict(word.split("=", 1) for word in words[1:])
        key_id, _, region, service, _ = parts["Credential"].split("/")
        secret, token = self.sessions.get(key_id, ("", ""))
        if service != "ses":
            return f"signed for {service}", region, key_id
        if request.headers.get("X-Amz-Security-Token", "") != token:
            return "another session token", region, key_id
        signed = parts["SignedHeaders"].split(";")
        needed = {"host", "x-amz-date"} | ({"x-amz-security-token"} if token else set())
        if not needed <= set(signed):
            return f"signed only {signed}", region, key_id
        date = request.headers["X-Amz-Date"]
        if abs(time.time() - botocore.auth.calendar.timegm(time.strptime(date, "%Y%m%dT%H%M%SZ"))) > 300:
            return f"signed at {date}", region, key_id
        arrived = botocore.awsrequest.AWSRequest(
            method=request.command, url=f"{self.url}{request.path}",
            headers={name: request.headers[name] for name in signed})
        arrived.context["timestamp"] = date
        signer = botocore.auth.SigV4Auth(botocore.credentials.Credentials(key_id, secret, token or None), "ses", region)
        canonical = signer.canonical_request(arrived)
        wanted = signer.signature(signer.string_to_sign(arrived, canonical), arrived)
        return "" if wanted == parts["Signature"] else f"signature differs for {canonical!r}", region, key_id

    def truth(self, region, path, query):
        identities = self.world.get(region, {})
        if path == "/v2/email/account":
            return Reply(200, self.account)
        if path == IDENTITIES:
            return self.list(identities, query)
        name = urllib.parse.unquote(path.removeprefix(IDENTITIES + "/"))
        if name not in identities:
            return Reply.error(404, "NotFoundException", f"Email identity <{name}> does not exist.")
        return Reply(200, identities[name])

    def list(self, identities, query):
        """Tokens are such as need care in a query: "/", "+" and "=" of base64."""
        names = sorted(identities)
        start = 0
        if "NextToken" in query:
            token = base64.b64decode(query["NextToken"][0])
            start = int(token.strip(b"\xfb\xff>?"))
        size = min(self.page, int(query["PageSize"][0]))
        listed = [{"IdentityType": identities[name].get("IdentityType", "DOMAIN"), "IdentityName": name,
                   "SendingEnabled": True, "VerificationStatus": "SUCCESS"} for name in names[start:start + size]]
        answer = {"EmailIdentities": listed}
        if start + size < len(names):
            token = b"\xfb\xff>?" + str(start + size).encode() + b"\xfb\xff\xfb"
            answer["NextToken"] = base64.b64encode(token).decode()
        return Reply(200, answer)
