#!/usr/bin/env python3
"""A join with 200 keys beside a table of a million items: 200 items are read, not the table.

usage: large.py TRIBUTARY LIBS FIXTURES [--items N] [--seconds N]
The server is TRIB_TEST_DYNAMODB_ENDPOINT (tests/dynamodb/with_local starts one), FIXTURES tests/fixtures/dynamodb.py.
Loading stops after --seconds: the table is then as large as it has become, which is said.
"""
import argparse
import importlib.util
import json
import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
import time

WRITERS, BATCH = 4, 25
LEAST = 100000  # a table smaller than that shows nothing


def fixtures(path):
    spec = importlib.util.spec_from_file_location("fixtures", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write(path, endpoint, table, count, until, writer):
    """Every WRITERS-th batch, in order, so that the first items are there whenever it stops."""
    module = fixtures(path)
    client = module.Client(endpoint)
    written = 0
    for first in range(writer * BATCH, count, WRITERS * BATCH):
        if time.monotonic() > until:
            break
        ids = range(first, min(first + BATCH, count))
        module.put(client, table, ({"id": {"N": str(i)}, "name": {"S": f"item {i}"}} for i in ids))
        written += len(ids)
    return written


def load(arguments, endpoint):
    module = fixtures(arguments.fixtures)
    client = module.Client(endpoint)
    module.create(client, "large", {"id": "N"}, "id")
    begun = time.monotonic()
    with multiprocessing.Pool(WRITERS) as pool:
        work = [(arguments.fixtures, endpoint, "large", arguments.items, begun + arguments.seconds, w) for w in range(WRITERS)]
        written = sum(pool.starmap(write, work))
    client = module.Client(endpoint)  # the server has closed the connection that was idle meanwhile
    counted = client.call("DescribeTable", TableName="large")["Table"]["ItemCount"]
    print(f"{written} of {arguments.items} items loaded in {time.monotonic() - begun:.0f} s; the server counts {counted}", flush=True)
    return written, counted


def analyze(arguments, config, sql):
    begun = time.monotonic()
    out = subprocess.run([arguments.tributary, "--config", config, "explain", "--analyze", sql], capture_output=True, text=True, timeout=300)
    if out.returncode:
        sys.exit(f"{sql}: {out.stderr}")
    scan = next(line for line in out.stdout.splitlines() if "items looked at" in line)
    requests, items = (int(re.search(rf"(\d+) {what}", scan).group(1)) for what in ("requests", "items looked at"))
    print(f"{sql}\n    {requests} requests, {items} items looked at, {time.monotonic() - begun:.2f} s with the start of the program")
    return out.stdout, requests, items


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tributary")
    parser.add_argument("libs")
    parser.add_argument("fixtures")
    parser.add_argument("--items", type=int, default=1000000)
    parser.add_argument("--seconds", type=float, default=300)
    arguments = parser.parse_args()
    endpoint = os.environ["TRIB_TEST_DYNAMODB_ENDPOINT"]
    written, counted = load(arguments, endpoint)
    if written != counted or written < min(LEAST, arguments.items):
        sys.exit("FAIL the table is not what was written, or too small")
    digits = ", ".join(f"({d})" for d in range(10))
    keys = f"CREATE TABLE keys AS SELECT a.n * 4000 + b.n * 10 + c.n AS id FROM (VALUES (0), (1)) a(n), (VALUES {digits}) b(n), (VALUES {digits}) c(n)"
    with tempfile.NamedTemporaryFile("w", suffix=".json") as config:
        json.dump({"settings": {"connector_path": arguments.libs, "metastore": ":memory:"}, "catalogs": {
            "mem": {"type": "memory", "script": keys},
            "d": {"type": "dynamodb", "endpoint": endpoint, "region": "us-east-1"}}}, config)
        config.flush()
        join = "SELECT count(*), min(m.name), max(m.id) FROM mem.default.keys k JOIN d.default.large m ON m.id = k.id"
        text, requests, items = analyze(arguments, config.name, join)
        rows = subprocess.run([arguments.tributary, "query", "--config", config.name, "--format", "csv", join], capture_output=True, text=True,
                              check=True, timeout=300).stdout
    # two of 100 keys; one more each where a server leaves keys over
    good = "BatchGetItem by a join's keys" in text and requests <= 4 and items == 200 and "200,item 0,4099" in rows
    print("ok" if good else f"FAIL\n{text}\n{rows}")
    sys.exit(0 if good else 1)


main()
