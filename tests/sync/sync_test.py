#!/usr/bin/python3
"""`sesame sync`: what it asks, how it signs and waits, what it keeps, and what it says when it cannot."""

import json
import os
import pathlib
import pty
import signal
import stat
import subprocess
import threading
import time
import unittest

import botocore.client
import botocore.config
import botocore.session

import harness
from fake_aws import ACCOUNT, IDENTITIES, KEY_ID, SECRET, Reply, identity
from harness import KEYS, SyncTest

HOUR = 3600
WORLD = {
    "us-east-1": {
        "example.com": identity(),
        "news.example.com": identity(ConfigurationSetName="news"),
        "user@example.com": identity(IdentityType="EMAIL_ADDRESS"),
    },
    "eu-west-1": {"example.org": identity()},
}


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def names(aws):
    """The identities asked for, in turn, as they stand in the path."""
    return [path.removeprefix(IDENTITIES + "/") for _, path in aws.requests if path.startswith(IDENTITIES + "/")]


class Oracle(SyncTest):
    """The server these tests rely on is one that botocore's own client can use."""

    world = WORLD

    def client(self):
        session = botocore.session.Session()
        return session.create_client("sesv2", region_name="us-east-1", endpoint_url=self.aws.url,
                                     aws_access_key_id=KEY_ID, aws_secret_access_key=SECRET,
                                     config=botocore.config.Config(retries={"max_attempts": 1}))

    def test_botocore_lists_gets_and_reads_the_account(self):
        self.aws.page = 2
        client = self.client()
        first = client.list_email_identities(PageSize=1000)
        second = client.list_email_identities(PageSize=1000, NextToken=first["NextToken"])
        listed = [each["IdentityName"] for each in first["EmailIdentities"] + second["EmailIdentities"]]
        self.assertEqual(listed, sorted(WORLD["us-east-1"]))
        self.assertNotIn("NextToken", second)
        answer = client.get_email_identity(EmailIdentity="user@example.com")
        self.assertEqual(answer["DkimAttributes"]["Tokens"], ["aaa", "bbb", "ccc"])
        self.assertTrue(client.get_account()["SendingEnabled"])
        with self.assertRaises(client.exceptions.NotFoundException):
            client.get_email_identity(EmailIdentity="example.net")
        self.assertEqual(self.aws.wrong, [])

    def test_a_wrong_signature_is_seen(self):
        self.aws.sessions[KEY_ID] = ("another", "")
        with self.assertRaises(botocore.exceptions.ClientError):
            self.client().get_account()
        self.assertEqual(len(self.aws.wrong), 1)


class Fetching(SyncTest):
    world = WORLD

    def test_answers_are_stored_as_they_came(self):
        begun = int(time.time())
        self.sync(0)
        snapshot = self.snapshot()
        self.assertEqual(snapshot["version"], 1)
        part = snapshot["regions"][0]
        self.assertEqual((part["account"], part["region"]), ("", "us-east-1"))
        self.assertEqual(part["GetAccount"], ACCOUNT)
        self.assertLessEqual(stamp(begun), part["fetched"])
        for name, found in self.identities().items():
            self.assertEqual(found["GetEmailIdentity"], WORLD["us-east-1"][name])
            self.assertEqual(found["status_since"], found["fetched"])
            self.assertLessEqual(stamp(begun), found["fetched"])
        self.assertEqual(set(self.identities()), set(WORLD["us-east-1"]))
        self.assertEqual(self.aws.wrong, [])

    def test_the_file_is_for_owner_and_group_and_nothing_is_left_beside_it(self):
        self.sync(0)
        self.assertEqual(stat.S_IMODE(self.file.stat().st_mode), 0o640)
        self.assertEqual(sorted(each.name for each in self.directory.iterdir()), ["ses.json", "ses.json.lock"])

    @unittest.skipUnless(os.geteuid() == 0, "only root gives files away")
    def test_owner_and_group_of_the_old_file_are_kept(self):
        self.sync(0)
        os.chown(self.file, 12345, 23456)
        self.sync(0)
        self.assertEqual((self.file.stat().st_uid, self.file.stat().st_gid), (12345, 23456))

    @unittest.skipUnless(os.geteuid() == 0, "only root gives files away")
    def test_without_an_old_file_the_directory_says_whose_it_is(self):
        os.chown(self.directory, 12345, 23456)
        self.sync(0)
        for path in self.directory.iterdir():
            self.assertEqual((path.stat().st_uid, path.stat().st_gid), (12345, 23456), path)

    def test_a_symbolic_link_is_neither_replaced_nor_followed(self):
        target = self.directory / "elsewhere.json"
        target.write_text('{"version": 1, "regions": []}')
        for leads_to in (target, self.directory / "absent.json"):
            self.file.symlink_to(leads_to)
            _, err = self.sync(2)
            self.assertIn(f"is a symbolic link to {leads_to}", err)
            self.assertTrue(self.file.is_symlink())
            self.file.unlink()
        self.assertEqual(target.read_text(), '{"version": 1, "regions": []}')
        self.assertEqual(self.aws.requests, [])

    def test_all_pages_with_tokens_that_need_encoding(self):
        self.aws.world["us-east-1"] = {f"d{number}.example.com": identity() for number in range(7)}
        self.aws.page = 3
        answer = self.sync_json()
        self.assertEqual(answer["regions"], [{"region": "us-east-1", "identities": 7, "kept": 0}])
        self.assertEqual(answer["requests"], 1 + 3 + 7)
        self.assertEqual(len(self.identities()), 7)
        self.assertEqual(self.aws.wrong, [])
        queries = [path for _, path in self.aws.requests if "NextToken" in path]
        self.assertEqual(len(queries), 2)
        self.assertIn("%2B", queries[0])

    def test_names_with_odd_characters_are_signed_as_they_are_asked_for(self):
        odd = ["user+tag@example.com", "a/b@example.com", "per%cent@example.com", "o'brien@example.com",
               "a=b&c?d@example.com", "tilde~_-@example.com", "a b@example.com", "\u00fcmlaut@example.com"]
        self.aws.world["us-east-1"] = {name: identity(IdentityType="EMAIL_ADDRESS") for name in odd}
        self.sync(0)
        self.assertEqual(set(self.identities()), set(odd))
        self.assertEqual(self.aws.wrong, [])
        self.assertIn("user%2Btag%40example.com", names(self.aws))

    def test_every_region_asked_for(self):
        answer = self.sync_json(regions=("us-east-1", "eu-west-1", "us-east-1"))
        self.assertEqual([each["region"] for each in answer["regions"]], ["eu-west-1", "us-east-1"])
        self.assertEqual(set(self.identities("eu-west-1")), {"example.org"})

    def test_regions_file_and_account_of_the_configuration(self):
        config = self.directory / "sesame.toml"
        config.write_text(f'''
[ses]
account = "main"
region = "us-east-1"
snapshot = "{self.file}"
[[ses.route]]
from = "example.org"
region = "eu-west-1"
[[ses.route]]
from = "example.net"
account = "other"
region = "ap-south-1"
''')
        command = [harness.BIN / "sesame", "sync", "--config", config, "--interval", "0.005",
                   "--endpoint", self.aws.url]
        for arguments, wanted in (([], [("main", "eu-west-1"), ("main", "us-east-1")]),
                                  (["--account", "other"], [("main", "eu-west-1"), ("main", "us-east-1"),
                                                            ("other", "ap-south-1")])):
            done = subprocess.run([*command, *arguments], env=self.environment(KEYS), capture_output=True, timeout=60)
            self.assertEqual(done.returncode, 0, done.stderr)
            parts = [(part["account"], part["region"]) for part in self.snapshot()["regions"]]
            self.assertEqual(sorted(parts), wanted)

    def test_an_account_that_got_its_name_takes_over_what_was_stored_without(self):
        self.aws.world["us-east-1"] = {"example.com": identity()}
        self.sync(0, regions=("us-east-1", "eu-west-1"))
        self.aws.world["us-east-1"]["example.com"] = identity(DkimAttributes={"Status": "PENDING"})
        config = self.directory / "sesame.toml"
        config.write_text('[ses]\naccount = "main"\nregion = "us-east-1"\n')

        def parts():
            return sorted((part["account"], part["region"]) for part in self.snapshot()["regions"])

        nameless = [("", "eu-west-1"), ("", "us-east-1")]
        self.sync(0, "--config", str(config), "--account", "other")
        self.assertEqual(parts(), nameless + [("other", "us-east-1")])
        answer = self.sync_json("--config", str(config))
        self.assertEqual(parts(), [("", "eu-west-1"), ("main", "us-east-1"), ("other", "us-east-1")])
        self.assertIn("DkimAttributes.Status", [each["member"] for each in answer["changes"]])
        self.assertIn("last_success", self.identities()["example.com"])

    def test_parts_of_other_accounts_and_regions_and_unknown_members_stay(self):
        other = {"account": "other", "region": "us-east-1", "fetched": "2026-01-01T00:00:00Z", "GetAccount": {},
                 "identities": [{"IdentityName": "example.net", "GetEmailIdentity": {"New": [1.5, None]}}], "x": "y"}
        self.file.write_text(json.dumps({"version": 1, "regions": [other], "remark": "by hand"}))
        self.sync(0)
        snapshot = self.snapshot()
        self.assertEqual(snapshot["remark"], "by hand")
        self.assertEqual(snapshot["regions"][0], other)
        self.assertEqual(len(snapshot["regions"]), 2)

    def test_unknown_words_and_missing_or_new_members_are_kept(self):
        strange = {"DkimAttributes": {"Status": "PONDERING", "SigningEnabled": True, "NewThing": {"a": [1, 2]}},
                   "VerificationInfo": {"ErrorType": "MOON_PHASE"}, "IdentityType": "MANAGED_GALAXY"}
        self.aws.world["us-east-1"] = {"example.com": strange, "example.net": {}}
        self.aws.account = {"EnforcementStatus": "PUZZLED"}
        self.sync(0)
        found = self.identities()
        self.assertEqual(found["example.com"]["GetEmailIdentity"], strange)
        self.assertEqual(found["example.net"]["GetEmailIdentity"], {})
        self.assertNotIn("status_since", found["example.net"])
        self.assertEqual(self.snapshot()["regions"][0]["GetAccount"], {"EnforcementStatus": "PUZZLED"})

    def test_an_entry_of_the_list_without_a_name_is_passed_over_and_told_of(self):
        self.aws.script[IDENTITIES].append(Reply(200, {"EmailIdentities": [{"IdentityName": "example.com"}, {}, 7]}))
        _, err = self.sync(0)
        self.assertIn("2 identities in the list have no IdentityName", err)
        self.assertEqual(set(self.identities()), {"example.com"})

    def test_an_identity_deleted_meanwhile_is_left_out(self):
        self.aws.script[IDENTITIES + "/news.example.com"].append(Reply.error(404, "NotFoundException"))
        self.sync(0)
        self.assertEqual(set(self.identities()), {"example.com", "user@example.com"})

    def test_no_identities_is_an_answer(self):
        self.aws.world["us-east-1"] = {}
        self.sync(0)
        self.assertEqual(self.identities(), {})

    def test_one_request_in_an_interval(self):
        begun = time.monotonic()
        self.assertEqual(self.sync_json("--interval", "0.2")["requests"], 5)
        self.assertGreaterEqual(time.monotonic() - begun, 4 * 0.2)


class Remembering(SyncTest):
    world = {"us-east-1": {"example.com": identity()}}

    def change(self, **dkim):
        before = self.aws.world["us-east-1"]["example.com"]
        after = {name: value for name, value in {**before["DkimAttributes"], **dkim}.items() if value is not None}
        self.aws.world["us-east-1"]["example.com"] = {**before, "DkimAttributes": after}

    def backdate(self, seconds):
        """As if the snapshot had been made that long ago."""
        snapshot = self.snapshot()
        then = stamp(time.time() - seconds)
        for part in snapshot["regions"]:
            part["fetched"] = then
            for each in part["identities"]:
                each["fetched"] = then
                if "status_since" in each:
                    each["status_since"] = then
        self.file.write_text(json.dumps(snapshot))
        return then

    def test_the_status_is_known_since_it_was_first_seen(self):
        self.sync(0)
        then = self.backdate(10 * HOUR)
        self.sync(0)
        found = self.identities()["example.com"]
        self.assertEqual(found["status_since"], then)
        self.assertGreater(found["fetched"], then)
        self.change(Status="TEMPORARY_FAILURE")
        self.sync(0)
        found = self.identities()["example.com"]
        self.assertEqual(found["status_since"], found["fetched"])

    def test_a_snapshot_made_by_hand_tells_since_when_by_its_own_time(self):
        self.file.write_text(json.dumps({"version": 1, "regions": [{
            "region": "us-east-1", "identities": [{"IdentityName": "example.com", "fetched": "2026-01-02T00:00:00Z",
                                                   "GetEmailIdentity": identity()}]}]}))
        self.sync(0)
        self.assertEqual(self.identities()["example.com"]["status_since"], "2026-01-02T00:00:00Z")

    def test_what_was_before_other_tokens_is_remembered_and_carried_on(self):
        self.sync(0)
        self.assertNotIn("former", self.identities()["example.com"])
        self.change(Tokens=["ddd", "eee", "fff"], Status="PENDING")
        self.sync(0)
        former = self.identities()["example.com"]["former"]
        self.assertEqual((former["SigningAttributesOrigin"], former["Tokens"]), ("AWS_SES", ["aaa", "bbb", "ccc"]))
        self.assertEqual(former["until"], self.identities()["example.com"]["fetched"])
        self.change(Status="SUCCESS")
        self.sync(0)
        self.assertEqual(self.identities()["example.com"]["former"], former)

    def test_what_is_not_told_is_no_change_of_set_up(self):
        self.sync(0)
        told = {"SigningAttributesOrigin": "AWS_SES", "Tokens": ["aaa", "bbb", "ccc"]}
        for absent in ({"SigningAttributesOrigin": None}, {"Tokens": None}, {"Tokens": []},
                       {"SigningAttributesOrigin": None, "Tokens": None}):
            for dkim in (absent, told):
                self.change(Status="PENDING", **dkim)
                self.sync(0)
                self.assertNotIn("former", self.identities()["example.com"], dkim)

    def test_a_change_of_set_up_behind_an_answer_that_tells_none_is_seen(self):
        self.sync(0)
        self.change(Status="PENDING", SigningAttributesOrigin=None, Tokens=None)
        self.sync(0)
        self.change(SigningAttributesOrigin="EXTERNAL", Tokens=["selector1"])
        self.sync(0)
        found = self.identities()["example.com"]
        self.assertEqual({**found["former"], "until": ""}, {"SigningAttributesOrigin": "AWS_SES",
                                                            "Tokens": ["aaa", "bbb", "ccc"], "until": ""})
        self.assertNotIn("last_success", found)

    def test_a_change_from_what_was_never_told_has_no_former(self):
        self.change(SigningAttributesOrigin=None)
        self.sync(0)
        self.change(SigningAttributesOrigin="EXTERNAL", Tokens=["selector1"], Status="PENDING")
        self.sync(0)
        self.assertNotIn("former", self.identities()["example.com"])
        self.assertNotIn("last_success", self.identities()["example.com"])

    def test_the_last_success_is_remembered_while_the_set_up_stays(self):
        self.sync(0)
        then = self.backdate(10 * HOUR)
        for status in ("PENDING", "TEMPORARY_FAILURE", "PENDING"):
            self.change(Status=status)
            self.sync(0)
            self.assertEqual(self.identities()["example.com"]["last_success"], then)
        self.change(Status="SUCCESS")
        self.sync(0)
        self.assertNotIn("last_success", self.identities()["example.com"])
        self.change(Status="PENDING", Tokens=["ddd", "eee", "fff"])
        self.sync(0)
        self.assertNotIn("last_success", self.identities()["example.com"])

    def test_the_doctor_sees_by_it_that_dkim_was_lost(self):
        self.aws.world["us-east-1"]["example.com"] = identity(VerificationInfo=None)
        self.sync(0)
        self.backdate(10 * HOUR)
        self.change(Status="PENDING", LastKeyGenerationTimestamp=None)
        self.sync(0)
        config = self.directory / "sesame.toml"
        config.write_text(f'[ses]\nregion = "us-east-1"\nsnapshot = "{self.file}"\n')
        done = subprocess.run([harness.BIN / "sesame", "--dns", "127.0.0.1:1", "doctor", "--config", config, "--json",
                               "example.com"], env=self.environment({}), capture_output=True, timeout=60, text=True)
        self.assertIn("dkim-lost", done.stdout)

    def test_another_origin_is_a_change_of_set_up(self):
        self.sync(0)
        self.change(SigningAttributesOrigin="EXTERNAL", Tokens=["selector1"])
        self.sync(0)
        self.assertEqual(self.identities()["example.com"]["former"]["SigningAttributesOrigin"], "AWS_SES")

    def test_the_same_tokens_in_another_order_are_no_change(self):
        self.sync(0)
        self.change(Tokens=["ccc", "aaa", "bbb"])
        answer = self.sync_json()
        self.assertNotIn("former", self.identities()["example.com"])
        self.assertEqual(answer["changes"], [])

    def test_changes_are_told(self):
        self.aws.world["us-east-1"]["gone.example"] = identity()
        self.assertEqual(self.sync_json()["changes"], [])
        self.change(Status="FAILED")
        del self.aws.world["us-east-1"]["gone.example"]
        self.aws.world["us-east-1"]["new.example"] = identity()
        self.aws.account["EnforcementStatus"] = "PROBATION"
        out, _ = self.sync(0)
        self.assertIn("  example.com: DkimAttributes.Status SUCCESS -> FAILED\n", out)
        self.assertIn("  gone.example: gone\n", out)
        self.assertIn("  new.example: new\n", out)
        self.assertIn("  the account: EnforcementStatus HEALTHY -> PROBATION\n", out)
        self.assertIn("us-east-1: 2 identities\n", out)
        self.change(Status="SUCCESS")
        self.assertEqual(self.sync_json()["changes"], [
            {"region": "us-east-1", "identity": "example.com", "member": "DkimAttributes.Status", "before": "FAILED",
             "after": "SUCCESS"}])


class Trouble(SyncTest):
    """What goes wrong is tried again where that helps, and leaves the snapshot as it was where it does not."""

    world = {"us-east-1": {"example.com": identity()}}
    PATH = IDENTITIES + "/example.com"

    def setUp(self):
        super().setUp()
        self.file.write_text('{"version": 1, "regions": []}\n')

    def test_throttling_server_errors_and_torn_answers_are_tried_again(self):
        whole = json.dumps(identity()).encode()
        for reply in (Reply.error(429, "TooManyRequestsException"), Reply.error(400, "ThrottlingException"),
                      Reply(503, b"<html>"), Reply(500), Reply(200, whole, cut=40), Reply(200, whole[:-40]),
                      Reply(200, b"[]"), Reply(429)):
            with self.subTest(status=reply.status, body=reply.body):
                self.aws.script[self.PATH].extend([reply, reply])
                self.assertEqual(self.sync_json()["requests"], 3 + 2)
                self.assertEqual(set(self.identities()), {"example.com"})

    def test_throttling_is_known_by_a_name_in_a_name_space(self):
        for headers in ({"x-amzn-ErrorType": "com.amazonaws.sesv2#TooManyRequestsException"},
                        {"X-Amzn-Errortype": "com.amazonaws.sesv2#ThrottlingException:http://internal.amazon.com/x#y"}):
            self.aws.script[self.PATH].append(Reply(400, {"message": "slower"}, headers))
            self.assertEqual(self.sync_json()["requests"], 3 + 1)

    def test_the_name_of_an_error_holds_no_secret(self):
        self.aws.sessions[KEY_ID] = (SECRET, "session-token")
        for name in (f"ns#Odd {SECRET} session-token", f"{SECRET}:x", "session-token#x"):
            for reply in (Reply(400, {}, {"x-amzn-ErrorType": name}), Reply(400, {"__type": name})):
                self.aws.script["*"].append(reply)
                err = self.assert_kept(75, "SES answered 400", env={**KEYS, "AWS_SESSION_TOKEN": "session-token"})
                self.assertNotIn("secret/Key+of=the", err)

    def test_retry_after_is_heeded_within_bounds(self):
        for value, least in (("1", 1), ("99999999999", 2), ("99999999999999999999999", 0), ("soon", 0)):
            self.aws.script[self.PATH].append(Reply(429, {}, {"Retry-After": value}))
            begun = time.monotonic()
            self.assertEqual(self.sync_json("--timeout", "0.2")["requests"], 3 + 1)
            self.assertGreaterEqual(time.monotonic() - begun, least)

    def test_tries_end(self):
        for path in ("/v2/email/account", IDENTITIES, self.PATH):
            with self.subTest(path=path):
                self.aws.requests.clear()
                self.aws.script[path].extend([Reply.error(429, "TooManyRequestsException", "Rate exceeded")] * 20)
                self.assert_kept(75, "429 TooManyRequestsException: Rate exceeded; so ended 6 tries", "is as it was")
                self.assertEqual(sum(each.split("?")[0] == path for _, each in self.aws.requests), 6)
                self.aws.script.clear()

    def test_tries_wait_longer_and_longer(self):
        self.aws.script[self.PATH].extend([Reply(500)] * 5)
        begun = time.monotonic()
        self.assertEqual(self.sync_json("--interval", "0.05")["requests"], 8)
        # Beside the seven intervals, waits of random lengths up to 0.1, 0.2, 0.4, 0.8 and 1.6 s; that all of them
        # together come to less than a tenth happens once in 100,000 runs.
        self.assertGreater(time.monotonic() - begun, 7 * 0.05 + 0.1)

    def test_access_denied_names_the_action(self):
        for path, action in (("/v2/email/account", "GetAccount"), (IDENTITIES, "ListEmailIdentities"),
                             (self.PATH, "GetEmailIdentity")):
            with self.subTest(action=action):
                self.aws.script[path].append(Reply.error(403, "AccessDeniedException", "User x is not authorized"))
                self.assert_kept(75, f"must allow ses:{action}", "User x is not authorized", "sesame(1)")
                self.aws.script.clear()

    def test_a_wrong_secret_is_told_from_a_lack_of_rights(self):
        self.assert_kept(75, "InvalidSignatureException", "the secret key is not that of the key id",
                         env={**KEYS, "AWS_SECRET_ACCESS_KEY": "mistyped"})

    def test_what_ses_says_of_a_signature_may_hold_secrets(self):
        self.aws.sessions[KEY_ID] = (SECRET, "session-token")
        told = f"does not match session-token\n\nshould have been 'x-amz-security-token:session-token {SECRET}'"
        self.aws.script["*"].append(Reply.error(403, "SignatureDoesNotMatch", told))
        err = self.assert_kept(75, "does not match", env={**KEYS, "AWS_SESSION_TOKEN": "session-token"})
        self.assertNotIn("should have been", err)

    def test_unknown_keys(self):
        self.aws.script["*"].append(Reply.error(403, "UnrecognizedClientException", "The security token is invalid"))
        self.assert_kept(75, "AWS does not know these keys")

    def test_errors_named_in_the_body(self):
        self.aws.script["*"].append(Reply(403, {"__type": "com.amazonaws.ses#AccessDeniedException", "Message": "no"}))
        self.assert_kept(75, "403 AccessDeniedException: no", "must allow ses:GetAccount")

    def test_expired_keys_of_the_environment(self):
        self.aws.expired.add(KEY_ID)
        self.assert_kept(75, "ExpiredTokenException", "the environment gave them: renew them")
        self.assertEqual(len(self.aws.requests), 2)

    def test_a_404_that_is_not_of_ses_drops_nothing(self):
        self.aws.script[self.PATH].append(Reply(404, b"<html>no such page</html>"))
        self.assert_kept(75, "example.com: GetEmailIdentity in us-east-1: SES answered 404")

    def test_a_list_that_is_none(self):
        for body in ({}, {"EmailIdentities": {}}, {"EmailIdentities": [], "NextToken": 5}):
            with self.subTest(body=body):
                self.aws.script[IDENTITIES].append(Reply(200, body))
                self.assert_kept(75, "ListEmailIdentities in us-east-1: the answer has no")

    def test_a_list_that_does_not_end(self):
        page = Reply(200, {"EmailIdentities": [], "NextToken": "again"})
        self.aws.script[IDENTITIES].extend([page] * 5)
        self.assert_kept(75, "the list does not end")

    def test_redirections_are_not_followed(self):
        self.aws.script["*"].append(Reply(302, b"", {"Location": self.aws.url + "/elsewhere"}))
        self.assert_kept(75, "SES answered 302")
        self.assertEqual(self.aws.metadata_requests, [])

    def test_huge_and_deep_answers_are_bounded(self):
        for body, words in ((b" " * (5 << 20), "larger than"), (b"[" * 200000, "beyond all bounds"),
                            (b'{"a":' * 200000, "beyond all bounds"),
                            (json.dumps({str(n): n for n in range(30000)}).encode(), "beyond all bounds")):
            with self.subTest(words=words):
                self.aws.script[self.PATH].extend([Reply(200, body)] * 6)
                self.assert_kept(75, words)
                self.aws.script.clear()

    def test_a_slow_server_is_not_waited_for(self):
        self.aws.script["/v2/email/account"].extend([Reply(200, {}, delay=2 * harness.RUN_S)] * 6)
        before = self.file.read_bytes()
        _, err = self.sync(75, "--timeout", "0.2")
        self.assertIn("so ended 6 tries", err)
        self.assertEqual(self.file.read_bytes(), before)

    def test_nobody_there(self):
        self.assert_kept(75, "GetAccount in us-east-1: ", "so ended 6 tries", endpoint="http://127.0.0.1:1")

    def test_a_certificate_that_nobody_vouches_for(self):
        key, certificate = self.directory / "key.pem", self.directory / "certificate.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test",
                        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
                       check=True, capture_output=True)
        server = self.serve(tls=(certificate, key))
        err = self.assert_kept(75, "certificate", endpoint=server.url)
        self.assertNotIn("tries", err)
        self.assertEqual(server.requests, [])
        self.sync(0, env={**KEYS, "AWS_CA_BUNDLE": str(certificate)}, endpoint=server.url)
        self.assertEqual(server.wrong, [])

    def test_a_damaged_snapshot_is_not_written_over(self):
        for text in ('{"version": 1, "regions"', '{"version": 2, "regions": []}', '{"version": 1}', "[]", ""):
            with self.subTest(text=text):
                self.file.write_text(text)
                self.assert_kept(75, "move it away")
        self.assertEqual(self.aws.requests, [])

    def test_no_place_to_write(self):
        self.file = self.directory / "absent" / "ses.json"
        self.assert_kept(2, "cannot be opened")
        self.assertEqual(self.aws.requests, [])

    def test_one_region_at_fault_keeps_all(self):
        self.aws.world["eu-west-1"] = {"example.org": identity()}
        self.aws.script["/v2/email/account"].extend([Reply(200, ACCOUNT), Reply.error(403, "AccessDeniedException")])
        self.assert_kept(75, "must allow ses:GetAccount", regions=("eu-west-1", "us-east-1"))

    def test_bad_arguments(self):
        for arguments, words in ((["--region", "US-EAST-1"], "is no region"), (["--region", "x.example/"], "no region"),
                                 (["--interval", "0"], "--interval"), (["extra"], "extra"),
                                 (["--config", str(self.directory / "absent.toml")], "cannot be read")):
            with self.subTest(arguments=arguments):
                _, err = self.sync(2, *arguments)
                self.assertIn(words, err)
        self.assertEqual(self.aws.requests, [])

    def test_without_region_or_file(self):
        config = self.directory / "empty.toml"
        config.write_text("")
        for arguments, words in (([], "no region"), (["--region", "us-east-1"], "no file")):
            done = subprocess.run([harness.BIN / "sesame", "sync", "--config", config, *arguments], capture_output=True,
                                  env=self.environment(KEYS), timeout=60, text=True)
            self.assertEqual(done.returncode, 2)
            self.assertIn(words, done.stderr)


class Credentials(SyncTest):
    """Where the keys come from, and in which order."""

    world = {"us-east-1": {"example.com": identity()}}
    ROLE = "/latest/meta-data/iam/security-credentials/"

    def setUp(self):
        super().setUp()
        self.aws.sessions["AKIDFILE"] = ("file/secret", "")
        self.aws.sessions["AKIDMAIL"] = ("mail/secret", "mail-token==")
        self.aws.sessions["ASIAROLE"] = ("role/secret", "role-token/+")

    def used(self):
        """The credentials of the last sync."""
        return self.aws.key_ids[-1]

    def shared_file(self, text, name=".aws/credentials"):
        path = self.directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    def profiles(self):
        return self.shared_file("[default]\naws_access_key_id = AKIDFILE\naws_secret_access_key = file/secret\n"
                                "[mail]\naws_access_key_id = AKIDMAIL\naws_secret_access_key = mail/secret\n"
                                "aws_session_token = mail-token==\n[sso]\nsso_session = x\n")

    def role(self, **members):
        return {"Code": "Success", "AccessKeyId": "ASIAROLE", "SecretAccessKey": "role/secret", "Token": "role-token/+",
                "Expiration": stamp(time.time() + 6 * HOUR), **members}

    def instance(self, role):
        """EC2's metadata, version 2: nothing without a token."""
        def guarded(reply):
            return lambda request: reply if request.headers["X-aws-ec2-metadata-token"] == "imds" else Reply(401)

        def token(request):
            asked = request.command == "PUT" and request.headers["X-aws-ec2-metadata-token-ttl-seconds"]
            return Reply(200, b"imds") if asked else Reply(400)

        self.aws.metadata = {"/latest/api/token": token, self.ROLE: guarded(Reply(200, b"mail-role\n")),
                             self.ROLE + "mail-role": guarded(role)}
        return {"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": self.aws.url + "/"}

    def container(self, role):
        self.aws.metadata["/keys"] = role
        return {"AWS_CONTAINER_CREDENTIALS_FULL_URI": self.aws.url + "/keys?of=mail"}

    def test_environment_with_a_session_token(self):
        self.sync(0, env={"AWS_ACCESS_KEY_ID": "ASIAROLE", "AWS_SECRET_ACCESS_KEY": "role/secret",
                          "AWS_SESSION_TOKEN": "role-token/+"})
        self.assertEqual(self.aws.wrong, [])

    def test_the_environment_goes_before_the_file_and_the_file_before_metadata(self):
        self.profiles()
        everything = {**self.instance(Reply(200, self.role())), **self.container(Reply(200, self.role()))}
        self.sync(0, env={**KEYS, **everything})
        self.assertEqual(self.used(), KEY_ID)
        self.sync(0, env=everything)
        self.assertEqual(self.used(), "AKIDFILE")
        self.assertEqual(self.aws.metadata_requests, [])

    def test_a_profile_asked_for_goes_before_the_environment(self):
        self.profiles()
        self.sync(0, "--profile", "mail", env=KEYS)
        self.assertEqual(self.used(), "AKIDMAIL")

    def test_the_profile_of_the_environment(self):
        self.profiles()
        self.sync(0, env={"AWS_PROFILE": "mail"})
        self.assertEqual(self.used(), "AKIDMAIL")
        self.sync(0, env={"AWS_PROFILE": "mail", **KEYS})
        self.assertEqual(self.used(), KEY_ID)

    def test_another_file(self):
        text = "[default]\naws_access_key_id=AKIDFILE\naws_secret_access_key=file/secret\n"
        path = self.shared_file(text, "elsewhere")
        self.sync(0, env={"AWS_SHARED_CREDENTIALS_FILE": str(path)})
        self.assertEqual(self.used(), "AKIDFILE")

    def test_what_is_wrong_with_a_profile(self):
        self.profiles()
        self.assert_kept(75, 'there is no profile "absent"', env={"AWS_PROFILE": "absent"})
        self.assert_kept(75, 'profile "sso"', "export-credentials", env={"AWS_PROFILE": "sso"})

    def test_half_a_pair_of_keys(self):
        for name in KEYS:
            self.assert_kept(75, f"{name} is set, but not", env={name: KEYS[name]})

    def test_keys_that_cannot_be(self):
        for value in ("two words", "line\nend", "caf\u00e9"):
            self.assert_kept(75, "the environment hold characters", env={**KEYS, "AWS_SECRET_ACCESS_KEY": value})

    def test_none_at_all(self):
        self.assert_kept(75, "no credentials: looked for", env={})
        self.shared_file("[default]\nregion = us-east-1\n")
        self.assert_kept(75, "no credentials: looked for", env={})
        self.assertEqual(self.aws.requests, [])

    def test_web_identity_is_named_where_nothing_else_is_found(self):
        env = {"AWS_WEB_IDENTITY_TOKEN_FILE": "/var/run/token", "AWS_ROLE_ARN": "arn:aws:iam::111122223333:role/x"}
        self.assert_kept(75, "AWS_WEB_IDENTITY_TOKEN_FILE is set, but", env=env)
        self.sync(0, env={**env, **KEYS})

    def test_container(self):
        self.sync(0, env=self.container(Reply(200, self.role())))
        self.assertEqual(self.used(), "ASIAROLE")
        self.assertEqual(self.aws.metadata_requests, ["/keys?of=mail"])
        self.assertEqual(self.aws.wrong, [])

    def test_container_with_authorization(self):
        seen = []

        def reply(request):
            seen.append(request.headers["Authorization"])
            return Reply(200, self.role())

        env = self.container(reply)
        self.sync(0, env={**env, "AWS_CONTAINER_AUTHORIZATION_TOKEN": "Bearer one"})
        token = self.shared_file("Bearer two\n", "token")
        self.sync(0, env={**env, "AWS_CONTAINER_AUTHORIZATION_TOKEN": "Bearer one",
                          "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(token)})
        self.assertEqual(seen, ["Bearer one", "Bearer two"])

    def test_keys_are_not_fetched_in_the_clear_from_elsewhere(self):
        for uri in ("http://192.0.2.1/keys", "http://127.0.0.1.example.com/keys", "http://127.0.0.1@example.com/",
                    "http://localhost:80@example.com/c", "http://localhost:80:x@example.com/c", "http://x@localhost/",
                    "http://[::1]@example.com/", "http://localhost.example.com/", "localhost/keys", "http://",
                    "file:///etc/passwd", "ftp://127.0.0.1/"):
            self.assert_kept(75, "names neither an https address nor this host",
                             env={"AWS_CONTAINER_CREDENTIALS_FULL_URI": uri})

    def test_container_without_an_answer(self):
        for reply, words in ((Reply(500), "status 500"), (Reply(200, b"{"), "is not JSON"),
                             (Reply(200, {"Token": "x"}), "holds no keys"),
                             (Reply(200, b" " * 100000), "larger than")):
            self.assert_kept(75, "no credentials: the container's agent gives no credentials", words,
                             env=self.container(reply))

    def test_instance(self):
        self.sync(0, env=self.instance(Reply(200, self.role())))
        self.assertEqual(self.used(), "ASIAROLE")
        self.assertEqual(self.aws.metadata_requests, ["/latest/api/token", self.ROLE, self.ROLE + "mail-role"])
        self.assertEqual(self.aws.wrong, [])

    def test_instance_without_a_role(self):
        env = self.instance(Reply(200, self.role()))
        del self.aws.metadata[self.ROLE]
        self.assert_kept(75, "the instance has no role", env=env)

    def test_instance_metadata_can_be_switched_off(self):
        env = self.instance(Reply(200, self.role()))
        self.assert_kept(75, "no credentials", env={**env, "AWS_EC2_METADATA_DISABLED": "TRUE"})
        self.assertEqual(self.aws.metadata_requests, [])

    def test_expiring_keys_are_fetched_again_in_time(self):
        soon = self.role(Expiration=stamp(time.time() + 60))
        self.sync(0, env=self.container(Reply(200, soon)))
        self.assertEqual(len(self.aws.metadata_requests), 3)

    def test_keys_that_cannot_be_had_anew_serve_to_their_end(self):
        for after in (Reply(500), Reply(200, self.role(Expiration=stamp(time.time() - 1)))):
            answers = [Reply(200, self.role(Expiration=stamp(time.time() + 200)))]
            self.sync(0, env=self.container(lambda request: answers.pop() if answers else after))
            self.assertEqual(self.used(), "ASIAROLE")

    def test_keys_that_cannot_be_had_anew_are_not_used_beyond_their_end(self):
        answers = [Reply(200, self.role(Expiration=stamp(time.time() + 2)))]
        self.aws.script[IDENTITIES].append(Reply(500, headers={"Retry-After": "4"}))
        self.assert_kept(75, "status 500", env=self.container(lambda request: answers.pop() if answers else Reply(500)))

    def test_keys_that_have_expired_are_not_used(self):
        self.assert_kept(75, "expired at", env=self.container(Reply(200, self.role(Expiration=stamp(time.time() - 1)))))
        self.assertEqual(self.aws.requests, [])

    def test_keys_refused_as_expired_are_fetched_again_once(self):
        self.aws.sessions["ASIANEXT"] = ("next/secret", "next-token")
        following = self.role(AccessKeyId="ASIANEXT", SecretAccessKey="next/secret", Token="next-token")
        answers = [Reply(200, self.role()), Reply(200, following), Reply(200, following)]
        self.aws.expired.add("ASIAROLE")
        self.sync(0, env=self.container(lambda request: answers.pop(0)))
        self.assertEqual((self.used(), len(answers)), ("ASIANEXT", 1))
        self.aws.expired.add("ASIANEXT")
        answers = [Reply(200, self.role()), Reply(200, following), Reply(200, following)]
        self.assert_kept(75, "ExpiredTokenException", "the container's agent gave them",
                         env=self.container(lambda request: answers.pop(0)))
        self.assertEqual(len(answers), 1)

    def test_endpoints_of_the_environment(self):
        command = [harness.BIN / "sesame", "sync", "--config", "/dev/null", "--snapshot", self.file,
                   "--region", "us-east-1", "--interval", "0.005"]
        for env in ({"AWS_ENDPOINT_URL": self.aws.url},
                    {"AWS_ENDPOINT_URL_SESV2": self.aws.url + "/", "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}):
            done = subprocess.run(command, env=self.environment({**KEYS, **env}), capture_output=True, timeout=60)
            self.assertEqual(done.returncode, 0, done.stderr)


class Interrupted(SyncTest):
    world = {"us-east-1": {f"d{number}.example.com": identity() for number in range(8)}}

    def interrupt_at(self, name, number=signal.SIGINT, env=KEYS):
        """A sync that gets a signal while it asks for this identity; (its standard error, the names asked for)."""
        processes = []
        self.aws.on_request = lambda path: path.endswith("/" + name) and processes[0].send_signal(number)
        self.aws.script[f"{IDENTITIES}/{name}"].append(Reply(200, identity(), delay=0.2))
        processes.append(self.start("--interval", "0.05", env=env))
        out, err = processes[0].communicate(timeout=60)
        self.assertEqual(processes[0].returncode, 75, out + err)
        self.aws.on_request = lambda path: None
        self.aws.script.clear()
        asked = names(self.aws)
        self.aws.requests.clear()
        return err, asked

    def test_what_was_fetched_is_not_fetched_again(self):
        self.file.write_text('{"version": 1, "regions": []}\n')
        err, asked = self.interrupt_at("d4.example.com")
        self.assertIn("interrupted", err)
        self.assertEqual(asked, [f"d{number}.example.com" for number in range(5)])
        self.assertEqual(self.file.read_text(), '{"version": 1, "regions": []}\n')
        self.assertEqual(len(self.identities(file=self.partial)), 4)
        self.assertEqual(stat.S_IMODE(self.partial.stat().st_mode), 0o640)
        answer = self.sync_json()
        self.assertEqual(names(self.aws), [f"d{number}.example.com" for number in range(4, 8)])
        self.assertEqual(answer["regions"], [{"region": "us-east-1", "identities": 8, "kept": 4}])
        self.assertEqual(len(self.identities()), 8)
        self.assertFalse(self.partial.exists())

    def test_every_signal_that_asks_to_end(self):
        for number in (signal.SIGTERM, signal.SIGHUP):
            err, _ = self.interrupt_at("d1.example.com", number)
            self.assertIn("interrupted", err)
            self.partial.unlink()

    def test_twice_interrupted_loses_nothing(self):
        self.interrupt_at("d4.example.com")
        self.interrupt_at("d6.example.com")
        self.sync(0)
        self.assertEqual(names(self.aws), ["d6.example.com", "d7.example.com"])

    def test_a_failure_keeps_what_was_fetched_too(self):
        self.aws.script[IDENTITIES + "/d3.example.com"].append(Reply.error(403, "AccessDeniedException"))
        self.sync(75)
        self.aws.requests.clear()
        self.sync(0)
        self.assertEqual(names(self.aws), [f"d{number}.example.com" for number in range(3, 8)])

    def test_what_is_too_old_deleted_or_of_tomorrow_is_not_taken(self):
        self.interrupt_at("d4.example.com")
        partial = json.loads(self.partial.read_text())
        kept = partial["regions"][0]["identities"]
        kept[0]["fetched"] = stamp(time.time() - 25 * HOUR)
        kept[1]["fetched"] = stamp(time.time() + 2 * HOUR)
        self.partial.write_text(json.dumps(partial))
        del self.aws.world["us-east-1"]["d2.example.com"]
        self.sync(0)
        self.assertEqual(names(self.aws), [f"d{number}.example.com" for number in (0, 1, 4, 5, 6, 7)])
        self.assertNotIn("d2.example.com", self.identities())

    def test_what_a_sweep_of_a_working_day_fetched_is_kept(self):
        self.interrupt_at("d4.example.com")
        self.partial.write_text(self.partial.read_text().replace(
            self.identities(file=self.partial)["d0.example.com"]["fetched"], stamp(time.time() - 20 * HOUR)))
        self.sync(0)
        self.assertEqual(names(self.aws), [f"d{number}.example.com" for number in range(4, 8)])

    def test_the_unit_lets_a_sweep_end(self):
        unit = pathlib.Path(__file__).parents[2] / "conf/systemd/sesame-sync.service.in"
        self.assertIn("\nTimeoutStartSec=infinity\n", unit.read_text())

    def test_what_other_keys_or_another_endpoint_fetched_is_not_taken(self):
        self.aws.sessions["AKIDOTHER"] = (SECRET, "")
        file = self.directory / "credentials"
        file.write_text("".join(f"[{name}]\naws_access_key_id={key}\naws_secret_access_key={SECRET}\n"
                                for name, key in (("one", KEY_ID), ("two", "AKIDOTHER"))))
        profile = {"AWS_SHARED_CREDENTIALS_FILE": str(file)}
        for arguments, options in ((["--profile", "two"], {"env": profile}), (["--profile", "one"], {"env": profile}),
                                   ([], {"env": {**KEYS, "AWS_ACCESS_KEY_ID": "AKIDOTHER"}}),
                                   ([], {"endpoint": self.aws.url.replace("127.0.0.1", "localhost")})):
            with self.subTest(arguments=arguments, **options):
                self.interrupt_at("d4.example.com")
                self.sync(0, *arguments, **options)
                self.assertEqual(len(names(self.aws)), 8)
                self.assertNotIn("origin", self.snapshot()["regions"][0])
                self.aws.requests.clear()

    def test_what_a_role_fetched_is_taken_with_its_next_keys_and_no_other_role_s(self):
        def role(number, arn):
            self.aws.sessions[f"ASIA{number}"] = ("role/secret", "token")
            self.aws.metadata["/keys"] = Reply(200, {"AccessKeyId": f"ASIA{number}", "SecretAccessKey": "role/secret",
                                                     "Token": "token", "RoleArn": arn})

        env = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": self.aws.url + "/keys"}
        for arn, fetched in (("arn:aws:iam::111122223333:role/x", 4), ("arn:aws:iam::444455556666:role/x", 8)):
            role(1, "arn:aws:iam::111122223333:role/x")
            self.interrupt_at("d4.example.com", env=env)
            role(2, arn)
            self.sync(0, env=env)
            self.assertEqual(len(names(self.aws)), fetched)
            self.aws.requests.clear()

    def test_max_age_says_what_is_too_old(self):
        self.interrupt_at("d4.example.com")
        self.sync(0, "--max-age", "0")
        self.assertEqual(len(names(self.aws)), 8)

    def test_a_damaged_partial_file_is_done_without(self):
        self.partial.write_text('{"version": 1, "reg')
        self.sync(0)
        self.assertEqual(len(self.identities()), 8)
        self.assertFalse(self.partial.exists())

    def test_the_part_of_another_account_is_left_to_its_next_sync(self):
        self.interrupt_at("d4.example.com")
        self.sync(0, "--account", "other")
        self.assertEqual(len(self.identities(file=self.partial)), 4)
        self.aws.requests.clear()
        self.sync(0)
        self.assertEqual(len(names(self.aws)), 4)
        self.assertFalse(self.partial.exists())

    def test_two_at_once(self):
        arrived, go_on = threading.Event(), threading.Event()

        def hold(_):
            arrived.set()
            go_on.wait(harness.RUN_S)

        self.aws.on_request = hold
        first = self.start()
        self.addCleanup(first.kill)
        self.assertTrue(arrived.wait(harness.RUN_S))
        self.assert_kept(75, "another sync is at work")
        go_on.set()
        out, err = first.communicate(timeout=60)
        self.assertEqual(first.returncode, 0, out + err)
        self.assertEqual(len(self.identities()), 8)

    def test_progress_is_for_terminals(self):
        _, err = self.sync(0)
        self.assertEqual(err, "")
        ours, theirs = pty.openpty()
        process = subprocess.Popen(self.command(), env=self.environment(KEYS), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=theirs)
        os.close(theirs)
        shown = b""
        try:
            while chunk := os.read(ours, 4096):
                shown += chunk
        except OSError:
            pass  # the other end was closed
        os.close(ours)
        self.assertEqual(process.wait(60), 0)
        self.assertIn(b"us-east-1: 5 of 8 identities, about ", shown)


if __name__ == "__main__":
    unittest.main()
