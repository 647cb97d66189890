"""Shards that lie on servers: http and s3, against two S3 servers of other makers, and with a proxy
between that breaks what they send."""

import contextlib
import datetime
import ipaddress
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import threading
import unittest
import unittest.mock

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from file_server import file_server
from s3_servers import ACCESS_KEY, SECRET_KEY, moto_server, rclone_server, s3_client, s3_variables
from support import (ANY_NUMBER_MAY_FAIL, BINARY, EXAMPLES, LONGEST_RUN_S, MODEL_FLAGS, EndToEndTest, content_of,
                     environment, pairs, write_tar)


# --- servers ---------------------------------------------------------------------------------------


def write_certificate(path):
    """A certificate for 127.0.0.1 that vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "aitqe's tests")])
    now = datetime.datetime.now(datetime.timezone.utc)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
                   .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
                   .not_valid_after(now + datetime.timedelta(days=1))
                   .add_extension(x509.SubjectAlternativeName([address]), critical=False)
                   .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
                   .sign(key, hashes.SHA256()))
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                       serialization.NoEncryption())
                     + certificate.public_bytes(serialization.Encoding.PEM))
    return path


class Proxy:
    """Passes connections on to a port of this machine. `faults`: for the first connections, what
    happens after so many bytes of the answer: (bytes, "reset" | "close" | "hang"), or None."""

    def __init__(self, port, faults, then=None):
        self.target, self.faults, self.then = port, list(faults), then
        self.hangs = threading.Event()
        self.ended = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.ended.set()
        self.listener.close()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                fault = self.faults.pop(0) if self.faults else self.then
                threading.Thread(target=self.pass_on, args=(client, fault), daemon=True).start()

    def pass_on(self, client, fault):
        with client, socket.create_connection(("127.0.0.1", self.target)) as server:
            request = b""
            while not request.endswith(b"\r\n\r\n"):
                request += client.recv(65536)
            server.sendall(request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
            left = fault[0] if fault else None
            while more := server.recv(65536 if left is None else max(1, min(left, 65536))):
                if left is not None and left <= 0:
                    break
                client.sendall(more)
                left = None if left is None else left - len(more)
            if fault:
                self.break_off(client, fault[1])

    def break_off(self, client, how):
        if how == "hang":
            self.hangs.set()
            self.ended.wait()
        if how == "reset":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


# --- tests -----------------------------------------------------------------------------------------


class NetworkTest(EndToEndTest):
    """Two shards in bucket/in, and what a run over them as files gives."""

    @classmethod
    def setUpClass(cls):
        maker = EndToEndTest()
        maker.setUp()
        cls.addClassCleanup(maker.doCleanups)
        cls.root = maker.folder / "root"
        for number in range(2):
            write_tar(cls.root / f"bucket/in/0000{number}.tar", pairs(3, key=f"{number}-{{}}"))
        maker.enhance(cls.root / "bucket/in")
        cls.expected = without_place(content_of(maker.folder / "out"))
        cls.length = (cls.root / "bucket/in/00000.tar").stat().st_size

    def variables(self, port, **changes):
        return s3_variables(port, self.folder) | changes

    def enhance_from(self, port, *inputs, expect=0, **changes):
        return self.enhance(*inputs, expect=expect, env=self.variables(port, **changes))

    def assert_as_from_files(self):
        self.assertEqual(without_place(content_of(self.folder / "out")), self.expected)

    def committed(self):
        return sorted(p.name for p in (self.folder / "out").glob("*.stats.json"))


def without_place(content):
    """Of files as content_of gives them: what stats and the run's record say of where the input lay is left out."""
    return {name: re.sub(rb'"(url|etag)": "([^"\\]|\\.)*"', rb'"\1": ""', data) if name.endswith(".stats.json") else data
            for name, data in content.items() if not name.startswith("_aitqe/")}


class SignedTest(NetworkTest):
    """Against a server that checks signatures."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.port = cls.enterClassContext(rclone_server(cls.root))

    def test_a_folder_of_a_bucket(self):
        self.enhance_from(self.port, "s3://bucket/in/")
        self.assert_as_from_files()
        self.assertEqual(self.output("00001").stats["input"]["url"], "s3://bucket/in/00001.tar")

    def test_keys_of_a_profile(self):
        (self.folder / ".aws").mkdir()
        (self.folder / ".aws/credentials").write_text(
            f"[work]\naws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = {SECRET_KEY}\n")
        self.enhance_from(self.port, "s3://bucket/in/*.tar", AWS_PROFILE="work", AWS_ACCESS_KEY_ID="",
                          AWS_SECRET_ACCESS_KEY="")
        self.assert_as_from_files()

    def test_a_wrong_key_is_an_error_of_usage(self):
        wrong = "another-secret-of-forty-characters-00000"
        result = self.enhance_from(self.port, "s3://bucket/in/00000.tar", expect=2, AWS_SECRET_ACCESS_KEY=wrong)
        self.assertIn("s3://bucket/in/00000.tar: HTTP status 403", result.stderr)
        self.assertNotIn(wrong, result.stderr)
        self.assertEqual(self.committed(), [])

    def test_no_keys_are_an_error_of_usage(self):
        result = self.enhance_from(self.port, "s3://bucket/in/", expect=2, AWS_ACCESS_KEY_ID="",
                                   AWS_SECRET_ACCESS_KEY="")
        self.assertIn("AWS_ACCESS_KEY_ID", result.stderr)

    def test_a_missing_object_stops_no_other_shard(self):
        result = self.enhance_from(self.port, "s3://bucket/in/0000{0..2}.tar", expect=3)
        self.assertIn("s3://bucket/in/00002.tar: HTTP status 404", result.stderr)
        self.assert_as_from_files()

    def test_a_bucket_that_is_not_there(self):
        result = self.enhance_from(self.port, "s3://none/in/", expect=4)
        self.assertIn("s3://none/in/: HTTP status 404", result.stderr)

    def test_a_connection_that_breaks_is_taken_up_again(self):
        half = self.length // 2
        with Proxy(self.port, [None, (half, "reset"), (half, "close")]) as proxy:
            result = self.enhance_from(proxy.port, "s3://bucket/in/")
        self.assertIn("next try in", result.stderr)
        self.assert_as_from_files()

    def test_a_server_that_goes_away_ends_the_run_so_that_it_can_go_on(self):
        with Proxy(self.port, [None, (self.length // 2, "reset")], then=(0, "reset")) as proxy:
            result = self.enhance_from(proxy.port, "s3://bucket/in/00000.tar", "s3://bucket/in/00001.tar", expect=75)
        self.assertIn("the same command goes on from here", result.stderr)
        self.enhance_from(self.port, "s3://bucket/in/00000.tar", "s3://bucket/in/00001.tar")
        self.assert_as_from_files()

    def test_a_shard_that_always_ends_early_is_never_written_as_if_whole(self):
        part = self.length // 2
        with Proxy(self.port, [(part, "close")], then=(part // 2, "close")) as proxy:
            result = self.enhance_from(proxy.port, "s3://bucket/in/00000.tar", expect=3)
        self.assertRegex(result.stderr, r"00000\.tar: .* at byte \d+ of \d+")
        self.assertEqual([d["kind"] for d in self.output("00000").stats["summary"]["damage"]], ["source_failed"])

    def test_a_signal_ends_a_wait_for_the_network(self):
        with Proxy(self.port, [(self.length // 2, "hang")]) as proxy:
            command = [BINARY, "enhance", "s3://bucket/in/00000.tar", "-o", self.folder / "out", *MODEL_FLAGS,
                       *ANY_NUMBER_MAY_FAIL]
            with subprocess.Popen([str(a) for a in command], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                  env=environment(**self.variables(proxy.port))) as process:
                self.assertTrue(proxy.hangs.wait(LONGEST_RUN_S))
                process.send_signal(signal.SIGTERM)
                process.communicate(timeout=30)  # the server hangs for longer than that
                self.assertEqual(process.returncode, 75)
        self.assertEqual(self.committed(), [])


class PresignedTest(NetworkTest):
    """Against a server that gives out presigned URLs."""

    def test_a_presigned_url_is_read_and_shown_nowhere(self):
        with moto_server(self.root) as port:
            urls = [s3_client(port).generate_presigned_url("get_object", {"Bucket": "bucket", "Key": f"in/{name}.tar"})
                    for name in ("00000", "00001", "none")]
            secret = re.search(r"Signature=([^&]+)", urls[0])[1]
            result = self.enhance_from(port, *urls, "--log-format", "json", expect=3)
        self.assertIn("/bucket/in/none.tar: cannot be read, HTTP status 404", result.stderr)
        self.assert_as_from_files()
        written = "".join(p.read_bytes().decode("latin-1") for p in self.folder.rglob("*") if p.is_file())
        for text in (written, result.stderr, result.stdout):
            self.assertNotIn(secret, text)
            self.assertNotIn("Signature=", text)

    def test_a_list_of_several_pages(self):
        with unittest.mock.patch.dict(os.environ, MOTO_S3_DEFAULT_MAX_KEYS="1"), moto_server(self.root) as port:
            self.enhance_from(port, "s3://bucket/in/")
        self.assert_as_from_files()


class HttpTest(NetworkTest):
    """Against a server of plain files, which knows no ranges."""

    def test_braces_in_a_url(self):
        with file_server(self.root) as port:
            self.enhance_from(port, f"http://127.0.0.1:{port}/bucket/in/{{00000..00001}}.tar")
        self.assert_as_from_files()

    def test_a_connection_that_breaks_is_taken_up_again(self):
        with file_server(self.root) as port, Proxy(port, [(self.length // 2, "reset")]) as proxy:
            self.enhance_from(port, f"http://127.0.0.1:{proxy.port}/bucket/in/{{00000..00001}}.tar")
        self.assert_as_from_files()

    def test_https_with_a_certificate_of_ones_own(self):
        certificate = write_certificate(self.folder / "certificate.pem")
        with file_server(self.root, certificate) as port:
            url = f"https://127.0.0.1:{port}/bucket/in/{{00000..00001}}.tar"
            refused = self.enhance_from(port, url, expect=2)
            self.enhance_from(port, url, SSL_CERT_FILE=str(certificate))
        self.assertIn(f"https://127.0.0.1:{port}/bucket/in/00000.tar: SSL", refused.stderr)
        self.assert_as_from_files()

    def test_another_object_under_the_same_url_is_noticed(self):
        shutil.copytree(self.root, self.folder / "root")
        shard = self.folder / "root/bucket/in/00000.tar"
        with file_server(self.folder / "root") as port:
            url = f"http://127.0.0.1:{port}/bucket/in/{{00000..00001}}.tar"
            self.enhance_from(port, url)
            os.utime(shard, (1, 1))
            touched = self.enhance_from(port, url)
            self.assertIn("00000.tar: is another version now; read to compare it", touched.stderr)
            self.assertIn("2 done before", touched.stderr)
            shard.write_bytes(shard.read_bytes().replace(b"a", b"b"))
            changed = self.enhance_from(port, url, expect=2)
            self.assertRegex(changed.stderr, r"in/00000\.tar: has other bytes than http://.* had when .*--overwrite")
            shard.unlink()
            self.assertIn("2 done before", self.enhance_from(port, url).stderr)
        gone = self.enhance_from(port, url)
        self.assertIn("whether inputs of finished shards are still the same is not asked any more", gone.stderr)
        self.assert_as_from_files()

    def test_contrast_reads_it_twice(self):
        self.aitqe("contrast", EXAMPLES, "-o", "from-file")
        with file_server(EXAMPLES.parent) as port:
            self.aitqe("contrast", f"http://127.0.0.1:{port}/{EXAMPLES.name}", "-o", "from-server",
                       env=self.variables(port))
        self.assertEqual(content_of(self.folder / "from-server"), content_of(self.folder / "from-file"))

    def test_an_object_that_is_replaced_meanwhile_is_not_joined(self):
        shutil.copytree(self.root, self.folder / "root")
        shard = self.folder / "root/bucket/in/00000.tar"
        with file_server(self.folder / "root") as port, Proxy(port, [(self.length // 2, "hang")]) as proxy:
            command = [BINARY, "enhance", f"http://127.0.0.1:{proxy.port}/bucket/in/00000.tar", "-o",
                       self.folder / "out", *MODEL_FLAGS, *ANY_NUMBER_MAY_FAIL]
            with subprocess.Popen([str(a) for a in command], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                  env=environment(**self.variables(port))) as process:
                self.assertTrue(proxy.hangs.wait(LONGEST_RUN_S))
                write_tar(shard, pairs(4))
                proxy.ended.set()
                _, stderr = process.communicate(timeout=LONGEST_RUN_S)
                self.assertEqual(process.returncode, 75, stderr)
        self.assertIn(b"was replaced while it was read", stderr)
        self.assertEqual(self.committed(), [])

    def test_an_object_that_is_gone_meanwhile_costs_its_shard_alone(self):
        shutil.copytree(self.root, self.folder / "root")
        shard = self.folder / "root/bucket/in/00000.tar"
        with file_server(self.folder / "root") as port, Proxy(port, [(self.length // 2, "hang")]) as proxy:
            url = f"http://127.0.0.1:{proxy.port}/bucket/in/{{00000..00001}}.tar"
            command = [BINARY, "enhance", url, "-o", self.folder / "out", *MODEL_FLAGS, *ANY_NUMBER_MAY_FAIL]
            with subprocess.Popen([str(a) for a in command], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                  env=environment(**self.variables(port))) as process:
                self.assertTrue(proxy.hangs.wait(LONGEST_RUN_S))
                shard.rename(self.folder / "kept.tar")
                proxy.ended.set()
                _, stderr = process.communicate(timeout=LONGEST_RUN_S)
                self.assertEqual(process.returncode, 3, stderr)
            self.assertIn(b"HTTP status 404", stderr)
            damage = self.output("00000").stats["summary"]["damage"]
            self.assertEqual([found["kind"] for found in damage], ["source_failed"])
            self.assertEqual(self.output("00001").stats["summary"]["damage"], [])
            (self.folder / "kept.tar").rename(shard)
            self.enhance_from(port, url)
        self.assert_as_from_files()


if __name__ == "__main__":
    unittest.main()
