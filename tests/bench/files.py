#!/usr/bin/env python3
"""Files: Tributary beside DuckDB over the same CSV and JSON, and beside curl from an S3 server.

usage: tests/bench/files.py [--build DIR] [--rows N] [--repeats N] [--folder DIR] [--s3 ENDPOINT BUCKET] [--no-local]

Makes a table like TPC-H's lineitem (16 columns; 6 M rows are 800 MB of CSV) in DIR, once. Each figure is the median of the
repeats after one run to warm up, both with two threads; ours is a process of its own with everything that it does, DuckDB's
only the query. --s3: the same CSV in eight objects of a server at ENDPOINT (tests/lake/s3_server), against curl fetching
them with eight transfers at a time. Needs the Python package duckdb, for S3 also boto3.
"""
import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import duckdb

TOP = Path(__file__).resolve().parents[2]
NAMES = ["l_orderkey", "l_partkey", "l_suppkey", "l_linenumber", "l_quantity", "l_extendedprice", "l_discount", "l_tax", "l_returnflag",
         "l_linestatus", "l_shipdate", "l_commitdate", "l_receiptdate", "l_shipinstruct", "l_shipmode", "l_comment"]
ALL = "SELECT " + ", ".join("sum(%s)" % n for n in NAMES[:8]) + ", " + ", ".join("max(%s)" % n for n in NAMES[8:]) + " FROM "
ROWS = """SELECT (i//4)*8+(i%4)+1 AS l_orderkey, (hash(i)%200000+1)::int AS l_partkey, (hash(i*3)%10000+1)::int AS l_suppkey,
(i%4+1)::int AS l_linenumber, (hash(i*5)%50+1)::decimal(15,2) AS l_quantity, ((hash(i*7)%10000000+90000)/100.0)::decimal(15,2) AS l_extendedprice,
((hash(i*11)%11)/100.0)::decimal(15,2) AS l_discount, ((hash(i*13)%9)/100.0)::decimal(15,2) AS l_tax, ['A','N','R'][(hash(i*17)%3+1)::int] AS l_returnflag,
['O','F'][(hash(i*19)%2+1)::int] AS l_linestatus, (date '1992-01-01'+(hash(i*23)%2500)::int)::date AS l_shipdate,
(date '1992-01-01'+(hash(i*29)%2500)::int)::date AS l_commitdate, (date '1992-01-01'+(hash(i*31)%2500)::int)::date AS l_receiptdate,
['DELIVER IN PERSON','COLLECT COD','NONE','TAKE BACK RETURN'][(hash(i*37)%4+1)::int] AS l_shipinstruct,
['REG AIR','AIR','RAIL','SHIP','TRUCK','MAIL','FOB'][(hash(i*41)%7+1)::int] AS l_shipmode,
array_to_string(list_transform(range(0,(2+hash(i*43)%5)::bigint), x -> ['blithely','carefully','final','deposits','ironic','packages',
'quickly','regular','requests','special'][(hash(i*47+x)%10+1)::int]),' ') AS l_comment FROM range(0,{rows}) t(i)"""


def make(folder, rows, names):
    connection = duckdb.connect()
    folder.mkdir(parents=True, exist_ok=True)
    for name, options in (("lineitem.csv", "(header)"), ("lineitem.json", "")):
        if name in names and not (folder / name).exists():
            connection.execute("COPY (%s) TO '%s' %s" % (ROWS.format(rows=rows), folder / name, options))


def median(run, repeats):
    run()
    times = []
    for _ in range(repeats):
        begun = time.monotonic()
        run()
        times.append(time.monotonic() - begun)
    return statistics.median(times)


class Ours:
    def __init__(self, build, catalogs):
        self.program = build / "tributary"
        self.config = tempfile.NamedTemporaryFile("w", suffix=".json")
        json.dump({"settings": {"connector_path": str(build / ".libs"), "metastore": ":memory:", "threads": 2}, "catalogs": catalogs}, self.config)
        self.config.flush()

    def run(self, sql):
        subprocess.run([self.program, "query", "--config", self.config.name, "--format", "csv", sql], check=True, stdout=subprocess.DEVNULL)


def line(name, ours, peer, target):
    print("%-34s ours %7.2f s   peer %7.2f s   ratio %5.2f   target %.2f" % (name, ours, peer, peer / ours, target), flush=True)


def local(arguments):
    make(arguments.folder, arguments.rows, ("lineitem.csv", "lineitem.json"))
    ours = Ours(arguments.build, {"b": {"type": "lake", "path": str(arguments.folder), "tables": {
        "csv": {"path": "lineitem.csv"}, "json": {"path": "lineitem.json"}}}})
    connection = duckdb.connect()
    connection.execute("SET threads = 2")
    for kind in ("csv", "json"):
        file = "'%s'" % (arguments.folder / ("lineitem." + kind))
        for name, sql in (("all columns", ALL), ("count(*)", "SELECT count(*) FROM ")):
            line("%s, %s" % (kind, name), median(lambda: ours.run(sql + "b." + kind), arguments.repeats),
                 median(lambda: connection.execute(sql + file).fetchall(), arguments.repeats), 0.8)


def s3(arguments):
    import boto3
    from botocore.config import Config
    endpoint, bucket = arguments.s3
    make(arguments.folder, arguments.rows, ("lineitem.csv",))
    keys = {"aws_access_key_id": "test:tester", "aws_secret_access_key": "testing", "region_name": "us-east-1"}
    client = boto3.client("s3", endpoint_url=endpoint, config=Config(s3={"addressing_style": "path"}), **keys)
    if bucket not in [b["Name"] for b in client.list_buckets()["Buckets"]]:
        client.create_bucket(Bucket=bucket)
    urls = ""
    with open(arguments.folder / "lineitem.csv", "rb") as f:
        header, size = f.readline(), os.path.getsize(f.name)
        for i in range(8):
            client.put_object(Bucket=bucket, Key="li/p%d.csv" % i, Body=header + f.read(size // 8) + f.readline())
            url = client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "li/p%d.csv" % i}, ExpiresIn=36000)
            urls += 'url = "%s"\noutput = "/dev/null"\n' % url
    ours = Ours(arguments.build, {"s": {"type": "lake", "path": "s3://" + bucket, "endpoint": endpoint, "region": "us-east-1",
                                        "access_key_id": "test:tester", "secret_access_key": "testing"}})
    curl = median(lambda: subprocess.run(["curl", "-s", "--parallel", "--parallel-max", "8", "-K", "-"], input=urls, text=True, check=True,
                                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL), arguments.repeats)
    line("csv from S3, count(*)", median(lambda: ours.run("SELECT count(*) FROM s.li"), arguments.repeats), curl, 0.9)
    line("csv from S3, one column", median(lambda: ours.run("SELECT count(l_linenumber) FROM s.li"), arguments.repeats), curl, 0.9)
    line("csv from S3, all columns", median(lambda: ours.run(ALL + "s.li"), arguments.repeats), curl, 0.9)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=Path, default=TOP / "build")
    parser.add_argument("--folder", type=Path, default=TOP / "tests" / ".state" / "files")
    parser.add_argument("--rows", type=int, default=6000000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--s3", nargs=2, metavar=("ENDPOINT", "BUCKET"))
    parser.add_argument("--no-local", action="store_true")
    arguments = parser.parse_args()
    if not arguments.no_local:
        local(arguments)
    if arguments.s3:
        s3(arguments)


main()
