"""S3 servers of other makers on this machine, and the variables with which the program finds them."""

import contextlib
import logging
import pathlib
import re
import subprocess
import threading

import boto3
from moto.server import ThreadedMotoServer

RCLONE = pathlib.Path(boto3.__file__).parents[1] / "bin/rclone"
ACCESS_KEY = "AITQETESTKEY00000001"
SECRET_KEY = "aitqe-test-secret-of-forty-characters-00"


def s3_variables(port, home):
    """Of the environment; nothing of whoever runs the tests is left."""
    return {"HOME": str(home), "NO_PROXY": "127.0.0.1", "AWS_MAX_ATTEMPTS": "3", "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_REGION": "us-east-1", "AWS_PROFILE": "", "AWS_SESSION_TOKEN": "", "AWS_DEFAULT_REGION": "",
            "AWS_ENDPOINT_URL_S3": "", "XDG_CACHE_HOME": ""}


@contextlib.contextmanager
def rclone_server(folder):
    """An S3 server that checks signatures; its buckets are the folders in `folder`."""
    command = [RCLONE, "serve", "s3", folder, "--addr", "127.0.0.1:0", "--auth-key", f"{ACCESS_KEY},{SECRET_KEY}",
               "--config", "/dev/null"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            lines = iter(process.stderr.readline, "")
            port = next(found[1] for line in lines if (found := re.search(r"http://127\.0\.0\.1:(\d+)", line)))
            threading.Thread(target=process.stderr.read, daemon=True).start()  # or it would fill up
            yield int(port)
        finally:
            process.terminate()


@contextlib.contextmanager
def moto_server(folder):
    """An S3 server that knows pages and presigned URLs; `folder` is copied into its memory."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        port = server.get_host_and_port()[1]
        client = s3_client(port)
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            bucket, _, key = str(path.relative_to(folder)).partition("/")
            client.create_bucket(Bucket=bucket)
            client.put_object(Bucket=bucket, Key=key, Body=path.read_bytes())
        yield port
    finally:
        server.stop()


def s3_client(port):
    return boto3.client("s3", endpoint_url=f"http://127.0.0.1:{port}", aws_access_key_id=ACCESS_KEY,
                        aws_secret_access_key=SECRET_KEY, region_name="us-east-1")
