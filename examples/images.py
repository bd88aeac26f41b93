"""200 images with the standard library of Python 3.9 or newer alone: send, wait, download, verify.

GRSAI_JOBS_API is the address of the service, GRSAI_JOBS_KEY the API key. Started again after a crash, it goes on with the
same batch and fetches only what is missing.
"""

import gzip
import hashlib
import http.client
import json
import os
import random
import time
import urllib.error
import urllib.request

API = os.environ.get("GRSAI_JOBS_API", "http://127.0.0.1:8080")
KEY = os.environ["GRSAI_JOBS_KEY"]
COUNT = int(os.environ.get("COUNT", "200"))
PATIENCE_S = 600


def ask(path, body=None, headers=None):
    """The answer of the service. What may pass is asked again; a POST has an Idempotency-Key, so that makes no second batch."""
    since = time.monotonic()
    for attempt in range(100):
        request = urllib.request.Request(API + path, body, {"Authorization": f"Bearer {KEY}", **(headers or {})})
        wait_s = random.uniform(0, min(8, 0.5 * 2**attempt))
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.read()
        except urllib.error.HTTPError as refusal:
            problem = refusal.read().decode()
            may_pass = refusal.code in (408, 429) or refusal.code >= 500 or "idempotency_key_in_use" in problem
            if not may_pass or time.monotonic() - since > PATIENCE_S:
                raise SystemExit(f"{path}: {refusal.code} {problem}")
            wait_s += float(refusal.headers.get("Retry-After") or 0)
        except (OSError, http.client.HTTPException):
            if time.monotonic() - since > PATIENCE_S:
                raise
        time.sleep(wait_s)


def send(items, key):
    lines = "".join(json.dumps(item) + "\n" for item in items)
    headers = {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip", "Idempotency-Key": key}
    # Without a time in it, the same items are the same bytes.
    return json.loads(ask("/v1/batches", gzip.compress(lines.encode(), mtime=0), headers))


def wait(batch_id):
    while True:
        batch = json.loads(ask(f"/v1/batches/{batch_id}"))
        print(f"{batch['counts']['succeeded']} of {batch['counts']['total']}", flush=True)
        if batch["status"] in ("completed", "canceled", "expired"):
            return batch
        time.sleep(2)


def download(job_id, image, path):
    """Stores an image, whole or not at all; its bytes are those that the service has stored."""
    if os.path.exists(path):
        return
    for _ in range(5):
        # This way a link is always fresh; the redirect leads to the store, which must not see the key.
        content = ask(f"/v1/jobs/{job_id}/images/{image['index']}", headers={"Accept": "*/*"})
        if hashlib.sha256(content).hexdigest() == image["sha256"]:
            with open(path + ".part", "wb") as file:
                file.write(content)
            os.replace(path + ".part", path)
            return
    raise SystemExit(f"{path} does not come as it was stored")


class NoKeyElsewhere(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, request, file, code, message, headers, url):
        elsewhere = super().redirect_request(request, file, code, message, headers, url)
        elsewhere.remove_header("Authorization")
        return elsewhere


urllib.request.install_opener(urllib.request.build_opener(NoKeyElsewhere))



items = [
    {"custom_id": f"boat-{n}", "type": "image", "input": {"model": "nano-banana-2", "prompt": f"a paper boat, number {n}"}}
    for n in range(COUNT)
]
batch = send(items, key="boats-1")
wait(batch["id"])
os.makedirs("boats", exist_ok=True)
for line in ask(f"/v1/batches/{batch['id']}/results", headers={"Accept": "application/x-ndjson"}).splitlines():
    row = json.loads(line)
    for image in (row["result"] or {}).get("images", []):
        download(row["job_id"], image, f"boats/{row['custom_id']}-{image['index']}.{image['content_type'].split('/')[1]}")
    if row["error"]:
        print(row["custom_id"], row["error"]["code"], row["error"]["message"])
