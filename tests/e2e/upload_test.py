"""Output that goes to s3://, on two S3 servers of other makers, and with a proxy between that fails as networks and
servers do: whatever happens, what ends up there is what a run on disk writes."""

import contextlib
import http.client
import http.server
import json
import pathlib
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
import unittest
import uuid

from s3_servers import SECRET_KEY, moto_server, rclone_server, s3_client, s3_variables
from support import (ANY_NUMBER_MAY_FAIL, BINARY, LONGEST_RUN_S, MODEL_FLAGS, EndToEndTest, content_of, environment,
                     pairs, write_tar)

NUM_PAIRS = 3  # of each shard
LARGE_BYTES = 20 << 20  # of a member that makes its shard go up in three parts

TAR = r"/00000\.tar$"
SLOW_PART_S = 3
ANY_PART = r"/00000\.tar\?partNumber="
PART = r"/00000\.tar\?partNumber=2&"
COMPLETE = r"/00000\.tar\?uploadId="
STATS = r"/00000\.aitqe\.stats\.json$"

ERROR_BODY = "<Error><Code>{}</Code><Message>of the test</Message></Error>"


# --- a proxy that fails ----------------------------------------------------------------------------


class Fault:
    """What happens to the first `times` requests of this method whose path matches."""

    def __init__(self, method, path, action, times=1):
        self.method, self.path, self.action, self.times = method, re.compile(path), action, times

    def strikes(self, method, path):
        if method != self.method or self.times <= 0 or not self.path.search(path):
            return False
        self.times -= 1
        return True


def answers(status, code, headers=()):
    """An action: the server is not asked."""
    def act(handler):
        handler.read_body()
        handler.answer(status, headers, ERROR_BODY.format(code).encode())

    return act


def breaks_in_body(handler):
    """An action: the connection breaks while the request's body is sent."""
    handler.rfile.read(int(handler.headers["Content-Length"]) // 2)
    handler.reset()


def loses_answer(handler):
    """An action: the server does what it is asked, and nobody hears of it."""
    handler.ask_server(handler.read_body())
    handler.reset()


def takes_time(handler):
    """An action: it is done, later."""
    time.sleep(SLOW_PART_S)
    handler.answer(*handler.ask_server(handler.read_body()))


def hangs_in_body(handler):
    """An action: nothing more is read, until the proxy ends."""
    handler.rfile.read(int(handler.headers["Content-Length"]) // 2)
    handler.server.hangs.set()
    handler.server.ended.wait()
    handler.reset()


class ProxyHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_any(self):
        self.close_connection = True
        fault = self.server.note(self.command, self.path)
        with contextlib.suppress(ConnectionError):
            if fault:
                fault.action(self)
            else:
                self.answer(*self.ask_server(self.read_body()))

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_any

    def read_body(self):
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def ask_server(self, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.target, timeout=LONGEST_RUN_S)
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in ("expect", "connection"):
                connection.putheader(name, value)
        connection.endheaders(body or None)
        answer = connection.getresponse()
        found = answer.status, answer.getheaders(), answer.read()
        connection.close()
        return found

    def answer(self, status, headers, body):
        self.send_response_only(status)
        has_length = False
        for name, value in headers:
            if name.lower() not in ("transfer-encoding", "connection"):
                self.send_header(name, value)
                has_length |= name.lower() == "content-length"
        if not has_length:
            self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def log_message(self, *arguments):
        pass


class Proxy(http.server.ThreadingHTTPServer):
    """Between the program and the S3 server on port `target`."""

    daemon_threads = True

    def __init__(self, target, *faults):
        super().__init__(("127.0.0.1", 0), ProxyHandler)
        self.target, self.faults = target, faults
        self.port = self.server_address[1]
        self.lock = threading.Lock()
        self.requests = []  # (method, path)
        self.hangs, self.ended = threading.Event(), threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def __exit__(self, *exception):
        self.ended.set()
        self.shutdown()
        super().__exit__(*exception)

    def handle_error(self, request, client_address):
        pass  # the program went away

    def note(self, method, path):
        """@return the fault that strikes this request."""
        with self.lock:
            self.requests.append((method, path))
            return next((fault for fault in self.faults if fault.strikes(method, path)), None)

    def count(self, method, path):
        return sum(m == method and re.search(path, p) is not None for m, p in self.requests)


# --- tests -----------------------------------------------------------------------------------------


class UploadTest(EndToEndTest):
    """Two shards on disk, and what a run on disk makes of them. The first is larger than one PUT."""

    @classmethod
    def setUpClass(cls):
        maker = EndToEndTest()
        maker.setUp()
        cls.addClassCleanup(maker.doCleanups)
        cls.shards = maker.folder / "in"
        large = ("0-0.bin", random.Random(0).randbytes(LARGE_BYTES))
        write_tar(cls.shards / "00000.tar", [large, *pairs(NUM_PAIRS, key="0-{}")])
        write_tar(cls.shards / "00001.tar", pairs(NUM_PAIRS, key="1-{}"))
        maker.enhance(cls.shards)
        cls.expected = content_of(maker.folder / "out")
        cls.buckets = pathlib.Path(tempfile.mkdtemp(prefix="aitqe-buckets-"))
        cls.addClassCleanup(shutil.rmtree, cls.buckets)
        (cls.buckets / "first").mkdir()
        (cls.buckets / "first/there").write_text("a folder becomes a bucket with its first file")
        cls.port = cls.enterClassContext(cls.server(cls.buckets))
        cls.client = s3_client(cls.port)

    def setUp(self):
        super().setUp()
        self.bucket = f"bucket-{uuid.uuid4().hex}"
        self.client.create_bucket(Bucket=self.bucket)
        self.address = f"s3://{self.bucket}/some where/out"

    def variables(self, port=None, **changes):
        return s3_variables(port or self.port, self.folder) | changes

    def enhance_to(self, *arguments, port=None, machine="this", expect=0, **changes):
        """@param machine  each has a state folder of its own"""
        arguments = arguments or (self.shards,)
        return self.aitqe("enhance", *arguments, "-o", self.address, "--state", self.state(machine), *MODEL_FLAGS,
                          *ANY_NUMBER_MAY_FAIL, expect=expect, env=self.variables(port, **changes))

    def report(self, *arguments, port=None, expect=0):
        return self.aitqe("report", self.address, *ANY_NUMBER_MAY_FAIL, *arguments, expect=expect,
                          env=self.variables(port))

    def start(self, port):
        """The same in the background, with the shard that goes up in parts."""
        command = [BINARY, "enhance", self.shards / "00000.tar", "-o", self.address, "--state", self.state("this"),
                   *MODEL_FLAGS, *ANY_NUMBER_MAY_FAIL]
        return subprocess.Popen([str(a) for a in command], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                env=environment(**self.variables(port)))

    def state(self, machine):
        return self.folder / f"state-{machine}"

    def objects(self):
        """As content_of gives the files of a folder."""
        with tempfile.TemporaryDirectory(prefix="aitqe-objects-") as folder:
            for key in self.keys():
                path = pathlib.Path(folder) / key
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(self.client.get_object(Bucket=self.bucket, Key="some where/out/" + key)["Body"].read())
            return content_of(pathlib.Path(folder))

    def keys(self):
        found = self.client.list_objects_v2(Bucket=self.bucket, Prefix="some where/out/").get("Contents", [])
        return [entry["Key"].removeprefix("some where/out/") for entry in found]

    def put(self, name, data):
        self.client.put_object(Bucket=self.bucket, Key="some where/out/" + name, Body=data)

    def last_run(self):
        body = self.client.get_object(Bucket=self.bucket, Key="some where/out/_aitqe/run.json")["Body"]
        return json.loads(body.read())["last_run"]

    def pending_uploads(self):
        return self.client.list_multipart_uploads(Bucket=self.bucket).get("Uploads", [])

    def assert_as_on_disk(self):
        self.assertEqual(self.objects(), self.expected)
        self.assertEqual(self.pending_uploads(), [])

    def check_survives(self, *faults):
        """One run is enough. @return the finished run and the proxy"""
        with Proxy(self.port, *faults) as proxy:
            result = self.enhance_to(port=proxy.port)
        self.assertIn("next try in", result.stderr)
        self.assert_as_on_disk()
        return result, proxy

    def check_fails(self, *faults, expect):
        """It takes a second run, from another machine. @return the first"""
        with Proxy(self.port, *faults) as proxy:
            result = self.enhance_to(port=proxy.port, expect=expect)
        self.assertNotIn("00000.aitqe.stats.json", self.keys())
        self.assertEqual(self.pending_uploads(), [])
        self.enhance_to(machine="other")
        self.assert_as_on_disk()
        return result


class MotoTest(UploadTest):
    """On a server that has all of S3's multipart uploads, and checks no signatures."""

    server = staticmethod(moto_server)

    def test_the_objects_are_the_files_of_a_run_on_disk(self):
        result = self.enhance_to("--log-format", "json", self.shards)
        self.assert_as_on_disk()
        head = self.client.head_object(Bucket=self.bucket, Key="some where/out/00000.tar")
        self.assertTrue(head["ETag"].endswith('-3"'), "three parts")
        self.assertEqual([p for p in self.state("this").rglob("*") if p.is_file()], [])
        for text in (result.stdout, result.stderr, self.objects()["_aitqe/run.json"].decode()):
            self.assertNotIn(SECRET_KEY, text)

    def test_score_writes_rows_alone(self):
        self.aitqe("score", self.shards, "-o", self.address, *MODEL_FLAGS, *ANY_NUMBER_MAY_FAIL, env=self.variables())
        self.assertIn("00000.aitqe.jsonl", self.keys())
        self.assertNotIn("00000.tar", self.keys())
        state = list((self.folder / ".cache/aitqe").iterdir())
        self.assertEqual(len(state), 1, "the default state folder")
        self.assertTrue(state[0].name.startswith(self.bucket))

    def test_another_machine_sees_what_is_finished(self):
        self.enhance_to(self.shards / "00000.tar")
        with Proxy(self.port) as proxy:
            self.enhance_to(machine="other", port=proxy.port)
        self.assertEqual(self.last_run()["shards_done_before"], 1)
        self.assertEqual(proxy.count("PUT", r"/00000\."), 0)
        self.assert_as_on_disk()

    def test_what_was_answered_on_this_machine_is_not_asked_again(self):
        for machine, resumed in (("this", NUM_PAIRS), ("other", 0)):
            with self.subTest(machine=machine):
                self.setUp()
                with Proxy(self.port, Fault("PUT", PART, answers(503, "SlowDown"), times=99)) as proxy:
                    self.enhance_to(self.shards / "00000.tar", port=proxy.port, expect=75)
                self.enhance_to(self.shards / "00000.tar", machine=machine)
                self.assertEqual(self.last_run()["pairs_resumed"], resumed)
                self.enhance_to(machine=machine)
                self.assert_as_on_disk()

    def test_two_tasks_on_two_machines_make_one_job(self):
        for task in (0, 1):
            self.enhance_to(self.shards, "--task-index", task, "--task-count", 2, machine=f"of task {task}")
        refused = self.enhance_to(self.shards, "--task-index", 0, "--task-count", 3, expect=2)
        self.assertIn("2 tasks", refused.stderr)
        self.assertEqual([name for name in self.keys() if name.endswith(".stats.json")],
                         ["00000.aitqe.stats.json", "00001.aitqe.stats.json"])

    def test_another_configuration_is_refused(self):
        self.enhance_to()
        result = self.enhance_to(self.shards, "--full", expect=2)
        self.assertIn(f"{self.address}: was begun with another configuration", result.stderr)

    def test_a_shard_that_is_made_again_has_no_stats_meanwhile(self):
        self.enhance_to()
        with Proxy(self.port, Fault("PUT", PART, answers(403, "AccessDenied"), times=99)) as proxy:
            self.enhance_to(self.shards, "--overwrite", port=proxy.port, expect=5)
        self.assertNotIn("00000.aitqe.stats.json", self.keys())
        self.enhance_to()
        self.assert_as_on_disk()

    # --- faults of the network

    def test_a_connection_that_breaks_in_the_middle_of_a_part(self):
        _, proxy = self.check_survives(Fault("PUT", PART, breaks_in_body), Fault("PUT", STATS, breaks_in_body))
        self.assertEqual(proxy.count("PUT", PART), 2)
        self.assertEqual(proxy.count("POST", r"\?uploads"), 1, "the other parts are not sent again")

    def test_an_upload_that_takes_longer_than_a_stall_may(self):
        with Proxy(self.port, Fault("PUT", ANY_PART, takes_time, times=99)) as proxy:
            result = self.enhance_to(self.shards, "--stall-timeout", str(2 * SLOW_PART_S), port=proxy.port)
        self.assertGreater(proxy.count("PUT", ANY_PART) * SLOW_PART_S, 2 * SLOW_PART_S)
        self.assertNotIn("nothing has moved", result.stderr)
        self.assert_as_on_disk()

    def test_an_answer_that_is_lost(self):
        self.check_survives(Fault("PUT", PART, loses_answer), Fault("PUT", STATS, loses_answer))

    def test_the_answer_to_the_completion_that_is_lost(self):
        _, proxy = self.check_survives(Fault("POST", COMPLETE, loses_answer))
        self.assertLessEqual(proxy.count("POST", r"\?uploads"), 2)

    def test_the_answer_to_the_beginning_that_is_lost(self):
        self.check_survives(Fault("POST", r"\?uploads", loses_answer))

    def test_a_server_that_goes_away(self):
        for method, path in (("PUT", PART), ("POST", COMPLETE), ("PUT", r"/00000\.aitqe\.jsonl$"), ("PUT", STATS)):
            with self.subTest(path=path):
                self.setUp()
                with Proxy(self.port, Fault(method, path, lambda handler: handler.reset(), times=99)) as proxy:
                    result = self.enhance_to(port=proxy.port, expect=75)
                self.assertIn("the same command goes on from here", result.stderr)
                self.assertNotIn("00000.aitqe.stats.json", self.keys())
                self.enhance_to()
                self.assert_as_on_disk()

    # --- faults of the server

    def test_slow_down_is_heeded(self):
        result, _ = self.check_survives(Fault("PUT", PART, answers(503, "SlowDown", [("Retry-After", "1")])))
        self.assertIn("00000.tar: HTTP status 503; next try in 1.0 s", result.stderr)

    def test_slow_down_all_the_while(self):
        result = self.check_fails(Fault("PUT", PART, answers(503, "SlowDown"), times=99), expect=75)
        self.assertIn(f"{self.address}/00000.tar: HTTP status 503; gave up after 3 tries", result.stderr)

    def test_access_denied(self):
        result = self.check_fails(Fault("PUT", PART, answers(403, "AccessDenied"), times=99), expect=5)
        self.assertIn(f"{self.address}/00000.tar: HTTP status 403, AccessDenied: of the test", result.stderr)

    def test_expired_credentials(self):
        result = self.check_fails(Fault("PUT", PART, answers(400, "ExpiredToken"), times=99), expect=2)
        self.assertIn("with new keys the same command goes on from here", result.stderr)
        self.assertNotIn(SECRET_KEY, result.stderr)

    def test_f20_a_completion_that_fails_with_a_good_status(self):
        result, proxy = self.check_survives(Fault("POST", COMPLETE, answers(200, "InternalError")))
        self.assertIn("cannot be completed: HTTP status 200, InternalError: of the test", result.stderr)
        self.assertEqual(proxy.count("POST", COMPLETE), 2)

    def test_f20_all_the_while(self):
        result = self.check_fails(Fault("POST", COMPLETE, answers(200, "InternalError"), times=99), expect=75)
        self.assertIn("InternalError: of the test; gave up after 3 tries", result.stderr)

    def test_an_upload_that_somebody_aborts(self):
        _, proxy = self.check_survives(Fault("PUT", PART, answers(404, "NoSuchUpload")))
        self.assertEqual(proxy.count("POST", r"\?uploads"), 2)

    def test_a_bucket_that_is_not_there(self):
        self.address = "s3://no-such-bucket/out"
        result = self.enhance_to(expect=5)
        self.assertIn("s3://no-such-bucket/out/: HTTP status 404, NoSuchBucket", result.stderr)

    # --- the end of the program

    def kill(self, *faults):
        with Proxy(self.port, *faults) as proxy, self.start(proxy.port) as process:
            self.assertTrue(proxy.hangs.wait(LONGEST_RUN_S))
            process.send_signal(signal.SIGKILL)
            process.communicate()

    def test_killed_in_the_middle_of_a_part(self):
        self.kill(Fault("PUT", PART, hangs_in_body))
        self.assertEqual(len(self.pending_uploads()), 1)
        self.assertEqual(self.keys(), ["_aitqe/run.json"])
        self.enhance_to(machine="other")
        self.assert_as_on_disk()

    def test_killed_before_the_stats(self):
        for machine in ("this", "other"):
            with self.subTest(machine=machine):
                self.setUp()
                self.kill(Fault("PUT", STATS, hangs_in_body))
                self.assertIn("00000.tar", self.keys())
                self.assertNotIn("00000.aitqe.stats.json", self.keys())
                self.enhance_to(machine=machine)
                self.assert_as_on_disk()
                self.assertEqual([p for p in self.state(machine).rglob("*") if p.is_file()], [])

    def test_a_signal_ends_the_wait_for_a_busy_server(self):
        busy = Fault("PUT", PART, answers(503, "SlowDown", [("Retry-After", "250")]), times=99)
        with Proxy(self.port, busy) as proxy, self.start(proxy.port) as process:
            lines = iter(process.stderr.readline, b"")
            self.assertTrue(any(b"next try in 250.0 s" in line for line in lines))
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)
            self.assertEqual(process.returncode, 75)
        self.assertEqual(self.pending_uploads(), [])

    def test_the_model_goes_on_while_a_shard_is_uploaded(self):
        finished = []

        def waits_for_the_next_shard(handler):
            deadline = time.monotonic() + LONGEST_RUN_S
            while not handler.server.count("PUT", r"/00001\.aitqe\.stats\.json$") and time.monotonic() < deadline:
                time.sleep(0.01)
            finished.append(time.monotonic() < deadline)
            handler.answer(*handler.ask_server(handler.read_body()))

        with Proxy(self.port, Fault("PUT", PART, waits_for_the_next_shard)) as proxy:
            self.enhance_to(port=proxy.port)
        self.assertEqual(finished, [True])
        self.assert_as_on_disk()

    # --- looking at it

    def test_status_and_report_read_it(self):
        inputs = [f"s3://{self.bucket}/in/0000{number}.tar" for number in range(2)]
        self.client.put_object(Bucket=self.bucket, Key="in/00001.tar", Body=(self.shards / "00001.tar").read_bytes())
        self.enhance_to(*inputs, expect=3)
        status = json.loads(self.aitqe("status", self.address, "--json", env=self.variables()).stdout)
        self.assertEqual((status["folder"], status["shards_expected"], status["shards_done"]), (self.address, 2, 1))
        self.assertIn("00000.tar: HTTP status 404", status["missing"][0]["reason"])
        self.report(expect=3)
        self.client.put_object(Bucket=self.bucket, Key="in/00000.tar", Body=(self.shards / "00000.tar").read_bytes())
        self.enhance_to(*inputs, machine="other")
        self.assertNotIn("_aitqe/unreadable/00000.txt", self.keys())
        report = self.report("--json")
        self.assertEqual(json.loads(report.stdout)["verdict"], "complete")
        self.assertIn("report.html", self.keys())
        self.assertEqual(json.loads(self.objects()["sizes.json"]), {f"0000{n}.tar": NUM_PAIRS for n in range(2)})

    def test_report_finds_what_is_wrong(self):
        self.enhance_to()
        rows = self.objects()["00001.aitqe.jsonl"]
        self.report()
        self.put("00001.aitqe.jsonl", rows.replace(b"picture 1", b"picture 2"))
        report = self.report("--json", "--no-html", expect=3)
        self.assertIn("sha256", [problem["kind"] for problem in json.loads(report.stdout)["problems"]])
        self.assertNotIn("sizes.json", self.keys())
        self.put("00001.aitqe.jsonl", rows[:-1])
        status = self.aitqe("status", self.address, env=self.variables())
        self.assertIn("00001.aitqe.jsonl has", status.stdout)

    def test_an_outage_is_no_finding_of_report(self):
        self.enhance_to()
        with Proxy(self.port, Fault("GET", TAR, answers(503, "SlowDown"), times=99)) as proxy:
            self.report("--no-html", port=proxy.port, expect=75)

    def test_what_works_on_disk_alone_says_so(self):
        for command in (["select", self.address], ["contrast", self.shards, "-o", self.address],
                        ["enhance", self.shards, "-o", "out", "--scores", self.address]):
            result = self.aitqe(*command, env=self.variables(), expect=2)
            self.assertIn(f"{self.address}: ", result.stderr)
            self.assertIn("takes a folder on disk", result.stderr)

    def test_the_input_is_not_written_over(self):
        self.put("00001.tar", (self.shards / "00001.tar").read_bytes())
        result = self.enhance_to(f"{self.address}/", expect=2)
        self.assertIn("lies in this folder", result.stderr)


class RcloneTest(UploadTest):
    """On a server that checks signatures."""

    server = staticmethod(rclone_server)

    def test_the_objects_are_the_files_of_a_run_on_disk(self):
        self.enhance_to()
        self.assertEqual(self.objects(), self.expected)

    def test_input_and_output_in_buckets(self):
        for path in self.shards.iterdir():
            self.client.put_object(Bucket=self.bucket, Key=f"in/{path.name}", Body=path.read_bytes())
        self.enhance_to(f"s3://{self.bucket}/in/")
        rows = {name: data for name, data in self.expected.items() if not name.endswith("stats.json")}
        self.assertEqual({name: data for name, data in self.objects().items() if not name.endswith("stats.json")}, rows)

    def test_a_connection_that_breaks_in_the_middle_of_a_part(self):
        with Proxy(self.port, Fault("PUT", PART, breaks_in_body), Fault("PUT", STATS, breaks_in_body)) as proxy:
            self.enhance_to(port=proxy.port)
        self.assertEqual(self.objects(), self.expected)

    def test_f20_a_completion_that_fails_with_a_good_status(self):
        with Proxy(self.port, Fault("POST", COMPLETE, answers(200, "InternalError"))) as proxy:
            self.enhance_to(port=proxy.port)
        self.assertEqual(self.objects(), self.expected)

    def test_a_wrong_key_is_an_error_of_usage(self):
        wrong = "another-secret-of-forty-characters-00000"
        result = self.enhance_to(expect=2, AWS_SECRET_ACCESS_KEY=wrong)
        self.assertIn(f"{self.address}/", result.stderr)
        self.assertNotIn(wrong, result.stderr)
        self.assertEqual(self.keys(), [])

    def test_no_keys_are_an_error_of_usage(self):
        result = self.enhance_to(expect=2, AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
        self.assertIn("AWS_ACCESS_KEY_ID", result.stderr)


if __name__ == "__main__":
    unittest.main()
