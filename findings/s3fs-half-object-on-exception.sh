#!/bin/sh
# s3fs 2026.4.0 (fsspec 2026.4.0): an exception inside `with fs.open(path, "wb")` publishes the half object.
#
# Seen: a page is in a bucket; its next edition is written within a `with` block, and the writer raises after its first
# bytes. S3 makes an object visible only when its upload is completed, so one would expect the upload to be abandoned
# and the old page to stay. Leaving the block closes the file, closing completes the upload, and readers get the half
# page. Within `with fs.transaction:` the same writer leaves the old page as it was.
# Exits 0 while s3fs does so, and 1 when it no longer does.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "fsspec==2026.4.0" "s3fs==2026.4.0" "aiobotocore==3.10.0" "boto3==1.43.117" "moto[server]==5.2.5"
cd "$folder"
cat > shown.py <<'P'
import contextlib
import logging

import boto3
import fsspec
import s3fs
from moto.server import ThreadedMotoServer

logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
server.start()
host, port = server.get_host_and_port()
place = f"http://{host}:{port}"
keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret", "region_name": "us-east-1"}
boto3.client("s3", endpoint_url=place, **keys).create_bucket(Bucket="pages")
files = s3fs.S3FileSystem(key="key", secret="secret", endpoint_url=place, client_kwargs={"region_name": "us-east-1"})


def what_readers_get(around):
    files.pipe("pages/index.html", b"the old page, whole")
    with contextlib.suppress(RuntimeError), around, files.open("pages/index.html", "wb") as page:
        page.write(b"the new pa")
        raise RuntimeError("the writer fails half way")
    files.invalidate_cache()
    return files.cat("pages/index.html")


plain = what_readers_get(contextlib.nullcontext())
within = what_readers_get(files.transaction)
print(f"s3fs {s3fs.__version__}, fsspec {fsspec.__version__}")
print(f"with open(...):                    {plain}")
print(f"with transaction, with open(...):  {within}")
server.stop()
assert plain == b"the new pa", plain
assert within == b"the old page, whole", within
P
"$folder/venv/bin/python" shown.py
