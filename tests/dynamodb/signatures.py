#!/usr/bin/env python3
"""Signatures, checked by moto: right keys read, wrong ones are refused with 28000.

usage: signatures.py TRIBUTARY CONNECTORS ENDPOINT FIXTURES
The server was started with INITIAL_NO_AUTH_ACTION_COUNT=3: three calls for free make a user and its key.
"""
import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request

tool, connectors, endpoint, fixtures = sys.argv[1:5]
spec = importlib.util.spec_from_file_location("fixtures", fixtures)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)


def iam(action, **arguments):
    body = urllib.parse.urlencode({"Action": action, "Version": "2010-05-08", **arguments}).encode()
    request = urllib.request.Request(endpoint, body, {
        "Authorization": "AWS4-HMAC-SHA256 Credential=none/20240101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0",
        "Content-Type": "application/x-www-form-urlencoded"})
    return urllib.request.urlopen(request, timeout=30).read().decode()


iam("CreateUser", UserName="reader")
iam("PutUserPolicy", UserName="reader", PolicyName="all", PolicyDocument=json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}]}))
answer = iam("CreateAccessKey", UserName="reader")
key = re.search("<AccessKeyId>(.*?)</AccessKeyId>", answer).group(1)
secret = re.search("<SecretAccessKey>(.*?)</SecretAccessKey>", answer).group(1)
module.orders(module.Client(endpoint, key, secret))


def query(key_id, secret_key, sql, region="us-east-1", **environment):
    catalog = {"type": "dynamodb", "endpoint": endpoint, "region": region}
    if key_id:
        catalog |= {"access_key_id": key_id, "secret_access_key": "${env:TEST_SECRET}"}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as config:
        json.dump({"settings": {"connector_path": connectors, "metastore": ":memory:"}, "catalogs": {"d": catalog}}, config)
        config.flush()
        clean = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        clean |= {"TEST_SECRET": secret_key, "HOME": "/nonexistent", **environment}
        return subprocess.run([tool, "--config", config.name, "query", "--format", "csv", sql], env=clean,
                              capture_output=True, text=True, timeout=60)


failed = 0


def check(name, good, out):
    global failed
    print("ok  " if good else "FAIL", name)
    if not good:
        failed += 1
        print(out.stdout, out.stderr)


sql = "SELECT status FROM d.default.Orders WHERE order_id = '1003'"
out = query(key, secret, sql)
check("right keys", "delivered" in out.stdout, out)
out = query(None, "", sql, AWS_ACCESS_KEY_ID=key, AWS_SECRET_ACCESS_KEY=secret)
check("keys of the environment", "delivered" in out.stdout, out)
with tempfile.NamedTemporaryFile("w") as profile:
    profile.write(f"[default]\naws_access_key_id = wrong\naws_secret_access_key = wrong\n[team]\naws_access_key_id={key}\n"
                  f"aws_secret_access_key={secret}\n")
    profile.flush()
    out = query(None, "", sql, AWS_SHARED_CREDENTIALS_FILE=profile.name, AWS_PROFILE="team")
    check("keys of a profile", "delivered" in out.stdout, out)
out = query(key, "wrong-secret-of-mine", sql)
check("wrong secret", out.returncode != 0 and "28000" in out.stderr and "wrong-secret-of-mine" not in out.stderr + out.stdout, out)
out = query("AKIAWRONG", secret, sql)
check("wrong key", out.returncode != 0 and "28000" in out.stderr, out)
out = query(None, "", sql)
check("no keys", out.returncode != 0 and "28000" in out.stderr and "no AWS credentials were found" in out.stderr, out)
out = query(key, secret, "SELECT * FROM d.default.Nothing")
check("wrong table", out.returncode != 0 and "42S02" in out.stderr, out)
out = query(key, secret, sql, region="eu-west-1")
check("wrong region", out.returncode != 0 and "42S02" in out.stderr and "region" in out.stderr, out)
sys.exit(1 if failed else 0)
