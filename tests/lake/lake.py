#!/usr/bin/python3
"""Files as tables, from end to end: a local folder, a real S3 server that checks signatures, a server that fails.

usage: lake.py TRIBUTARY CONNECTORS SCRATCH [S3-ENDPOINT S3-LOG]
TRIB_TEST_MYSQL_* and TRIB_TEST_MYSQL_SOCKET: the database that orders in S3 are joined with.
"""
import gzip
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(__file__))
import mock  # noqa: E402

program, connectors, scratch = sys.argv[1:4]
s3_endpoint, s3_log = (sys.argv[4:6] + ["", ""])[:2]
config = os.path.join(scratch, "lake.json")
failures = []


def configure(catalogs):
    with open(config, "w") as f:
        json.dump({"settings": {"connector_path": connectors, "metastore": ":memory:"}, "catalogs": catalogs}, f)
    os.chmod(config, 0o600)


def query(sql, timeout=120):
    done = subprocess.run([program, "query", "--config", config, "--format", "csv", sql], capture_output=True, text=True, timeout=timeout)
    return done.returncode, done.stdout, done.stderr


def expect(name, sql, rows):
    code, out, err = query(sql)
    good = code == 0 and out.split("\n")[1:-1] == rows
    report(name, good, "%s\n%s%s\nwanted %s" % (sql, out, err, rows))


def expect_error(name, sql, *parts, seconds=60):
    begun = time.time()
    code, out, err = query(sql)
    good = code != 0 and all(p in err for p in parts) and time.time() - begun < seconds
    report(name, good, "%s\n%s%s\nwanted %s" % (sql, out, err, parts))


def report(name, good, text):
    print("%s %s" % ("ok  " if good else "FAIL", name), flush=True)
    if not good:
        failures.append(name)
        print("    " + text.replace("\n", "\n    "), flush=True)


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data if isinstance(data, bytes) else data.encode())


# ---------------------------------------------------------------- local folders

def local_tables(root):
    write(root + "/orders/year=2024/a.csv", "orderId,totalAmount\n1,10.50\n2,20.00\n")
    write(root + "/orders/year=2025/b.csv", "totalAmount,orderId\n1.25,3\n")  # other order of columns
    write(root + "/orders/year=__HIVE_DEFAULT_PARTITION__/c.csv", "orderId,totalAmount\n9,9.00\n")
    write(root + "/orders/_SUCCESS", "")
    write(root + "/orders/.hidden.csv", "not,read\n")
    write(root + "/cities.tsv", "name\tpopulation\nZ\u00fcrich\t443037\n\"New\nYork\"\t8258035\n")
    write(root + "/logs/1.jsonl.gz", gzip.compress(b'{"t":"2024-01-01T00:00:00","n":1}\n{"n":2,"x":[1]}\n'))
    write(root + "/logs/2.jsonl", '{"n":3}\n')
    os.makedirs(root + "/empty")
    configure({"f": {"type": "lake", "path": root}})
    expect("tables", "SHOW TABLES IN f.default", ["cities", "empty", "logs", "orders"])
    expect("partitions", "SELECT orderId, totalAmount, year FROM f.orders ORDER BY 1", ["1,10.50,2024", "2,20.00,2024", "3,1.25,2025", "9,9.00,"])
    expect("pruning", "SELECT orderId FROM f.orders WHERE year = '2025'", ["3"])
    expect("null partition", "SELECT orderId FROM f.orders WHERE year IS NULL", ["9"])
    expect("not in", "SELECT count(*) FROM f.orders WHERE year NOT IN ('2025')", ["2"])
    expect("path", "SELECT count(*) FROM f.orders WHERE \"$path\" LIKE '%2024%'", ["2"])
    expect("size", "SELECT DISTINCT \"$file_size\" FROM f.orders WHERE year = '2025'", ["27"])
    expect("tabs and line ends", "SELECT length(name), population FROM f.cities ORDER BY 2", ["6,443037", "8,8258035"])
    expect("json", "SELECT n, x, t FROM f.logs ORDER BY n", ["1,,2024-01-01 00:00:00.000000", "2,[1],", "3,,"])
    expect("count", "SELECT count(*) FROM f.logs", ["3"])
    expect_error("empty folder", "SELECT * FROM f.empty", "has no files", "declared")
    expect_error("no table", "SELECT * FROM f.nothing", "42S02")
    # A file that nobody may read because of its partition is not opened at all.
    os.chmod(root + "/orders/year=2024/a.csv", 0)
    if os.getuid() != 0:
        expect("unreadable file that is not needed", "SELECT orderId FROM f.orders WHERE year = '2025'", ["3"])
    os.chmod(root + "/orders/year=2024/a.csv", 0o600)


def declared_tables(root):
    write(root + "/x/day=1/a.txt", "# made up\n1|a|NULL\n2||3.5\n")
    write(root + "/x/day=02/b.txt", "# made up\n7|b|1.5\n")
    write(root + "/bad.csv", "id,amount\n" + "".join("%d,%d\n" % (i, i) for i in range(30000)) + "30000,oops\n")
    tables = {
        "x": {"path": "x/**/*.txt", "format": "csv", "delimiter": "|", "header": False, "skip_lines": 1, "null_text": "NULL",
              "columns": {"id": "integer", "name": "varchar(10)", "v": "decimal(5,1)"}, "partitions": {"day": "integer"}},
        "none": {"path": "not/there", "columns": {"a": "bigint"}, "format": "json"},
        "bad": {"path": "bad.csv", "sample_rows": 100, "columns": {"id": "bigint", "amount": "bigint"}},
        "bad_null": {"path": "bad.csv", "columns": {"id": "bigint", "amount": "bigint"}, "on_mismatch": "null"},
        "cased": {"path": "bad.csv", "columns": {"AMOUNT": "varchar", "Id": "integer"}},
        "bad_text": {"path": "bad.csv", "on_mismatch": "varchar"},
    }
    configure({"d": {"type": "lake", "path": root, "tables": tables}})
    expect("declared", "SELECT id, name, v, day FROM d.x ORDER BY id", ["1,a,,1", '2,"",3.5,1', "7,b,1.5,2"])
    expect("declared partition", "SELECT id FROM d.x WHERE day > 1", ["7"])
    expect("declared empty", "SELECT count(*) FROM d.none", ["0"])
    expect_error("mismatch", "SELECT sum(amount) FROM d.bad", "bad.csv, line 30002", 'column "amount"', "'oops'")
    expect("mismatch unseen", "SELECT count(id) FROM d.bad", ["30001"])
    expect("mismatch as null", "SELECT count(*), count(amount) FROM d.bad_null", ["30001,30000"])
    expect("names in another case", "SELECT amount, id FROM d.cased WHERE id = 30000", ["oops,30000"])
    expect("mismatch as text", "SELECT amount FROM d.bad_text WHERE id = '30000'", ["oops"])


def broken_files(root):
    whole = gzip.compress(b"a,b\n" + b"1,2\n" * 50000)
    files = {
        "cut.csv.gz": whole[:-20], "crc.csv.gz": whole[:-8] + b"\0\0\0\0" + whole[-4:],
        "ragged.csv": "a,b\n1,2\n3\n", "utf8.csv": b"a,b\n1,\xff\n", "utf16.csv": "a,b\n".encode("utf-16"),
        "nul.csv": b"a,b\n1,x\0y\n", "deep.json": '{"a":' + "[" * 10000 + "]" * 10000 + "}\n",
        "large.csv": b"a,b\n1,\"" + b"x" * (100 << 20) + b"\"\n",
    }
    for name, data in files.items():
        write("%s/%s" % (root, name), data)
    configure({"b": {"type": "lake", "path": root}})
    expect_error("gzip cut off", "SELECT count(a) FROM b.cut", "cut off")
    expect_error("gzip checksum", "SELECT count(a) FROM b.crc", "damaged")
    expect_error("ragged", "SELECT * FROM b.ragged", "ragged.csv, line 3", "1 fields, not 2")
    expect_error("not UTF-8", "SELECT * FROM b.utf8", "utf8.csv, line 2", "0xFF")
    expect_error("UTF-16", "SELECT * FROM b.utf16", "UTF-16")
    expect("NUL", "SELECT a, length(b) FROM b.nul", ["1,3"])
    expect_error("deep JSON", "SELECT * FROM b.deep", "deeper than 1000 levels")
    expect_error("100 MB field", "SELECT * FROM b.large", "max_value_size", "line 2")


def changing_file(root):
    path = root + "/grow.csv"
    line = b"1,some text that makes the file long enough\n"
    write(path, b"a,b\n" + line * 2000000)
    configure({"c": {"type": "lake", "path": root}})
    stop = threading.Event()

    def touch():
        while not stop.wait(0.02):
            with open(path, "ab") as f:
                f.write(line)

    thread = threading.Thread(target=touch)
    thread.start()
    expect_error("file that grows", "SELECT max(b), count(*) FROM c.grow", "changed while it was read")
    stop.set()
    thread.join()


def split_everywhere(root):
    """Ranges of a large file with quoted line ends: every row once, whatever the threads."""
    rng = random.Random(7)
    with open(root + "/quoted.csv", "w", newline="") as f:
        f.write("id,text\n")
        for i in range(200000):
            f.write('%d,"%s"\n' % (i, rng.choice(['a\n1,"",x', 'plain', '"",""\n""', ',\n,\n'])))
    configure({"q": {"type": "lake", "path": root}})
    expect("quoted line ends", "SELECT count(*), sum(id), count(DISTINCT id) FROM q.quoted", ["200000,19999900000,200000"])


def large_file(root):
    """10 GB through SELECT * within 64 MiB."""
    path, rows = root + "/large.csv", 0
    block = "".join("%d,2024-01-%02d,%d.25,some text of row %d,true\n" % (i, i % 28 + 1, i, i) for i in range(200000)).encode()
    with open(path, "wb") as f:
        f.write(b"id,day,amount,text,flag\n")
        while f.tell() < 10 << 30:
            f.write(block)
            rows += 200000
    configure({"l": {"type": "lake", "path": root}})
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    with open(os.devnull, "w") as null:
        code = subprocess.run([program, "query", "--config", config, "--format", "csv", "SELECT * FROM l.large"], stdout=null).returncode
    usage = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    report("10 GB within 64 MiB", code == 0 and usage <= max(before, 64 * 1024), "exit %d, %d KB" % (code, usage))
    expect("10 GB counted", "SELECT count(*) FROM l.large", [str(rows)])


# ---------------------------------------------------------------- S3

def s3_catalog(path, **more):
    options = {"type": "lake", "path": path, "endpoint": s3_endpoint, "region": "us-east-1", "access_key_id": "test:tester", "secret_access_key": "testing"}
    options.update(more)
    return options


def s3_quiet():
    """The length of the server's log, once a second has passed in which nothing was added."""
    size, since = -1, time.time()
    while time.time() - since < 1:
        now = os.path.getsize(s3_log)
        if now != size:
            size, since = now, time.time()
        time.sleep(0.1)
    return size


def s3_requests(since, *parts):
    """What was added to the log since then; what must be there may come late."""
    until = time.time() + 30
    while True:
        s3_quiet()
        with open(s3_log, errors="replace") as f:
            f.seek(since)
            log = f.read()
        if all(p in log for p in parts) or time.time() > until:
            return log


def s3_real():
    import boto3
    from botocore.config import Config
    client = boto3.client("s3", endpoint_url=s3_endpoint, aws_access_key_id="test:tester", aws_secret_access_key="testing",
                          region_name="us-east-1", config=Config(s3={"addressing_style": "path"}))
    try:
        client.create_bucket(Bucket="lake")
    except client.exceptions.BucketAlreadyOwnedByYou:
        pass

    def put(key, data):
        client.put_object(Bucket="lake", Key=key, Body=data if isinstance(data, bytes) else data.encode())

    header = "orderId,customerId,totalAmount\n"
    put("db/orders/year=2024/a.csv", header + "1001,10,99.50\n1002,11,15.00\n")
    put("db/orders/year=2025/b.csv", header + "1003,10,1.50\n1004,12,7.00\n")
    put("db/orders/year=2025/c.csv.gz", gzip.compress((header + "1005,13,8.25\n").encode()))
    names = ["sp ace", "plus+", "eq=ual", "per%cent", "per%2Fcent", "uml\u00e4ut", "a&b", "q?m", "tilde~", "quote'\"", "semi;colon", "\u6f22\u5b57"]
    for name in names:
        put("db/odd/%s.csv" % name, "k\n\"%s\"\n" % name.replace('"', '""'))
    lines = "".join('{"id":%d,"text":"%s"}\n' % (i, "x" * 100) for i in range(60000))
    put("db/big.jsonl", lines)
    secrets = {"secret": s3_catalog("s3://lake/db", secret_access_key="wrong"), "key": s3_catalog("s3://lake/db", access_key_id="nobody"),
               "bucket": s3_catalog("s3://nowhere/db"), "closed": s3_catalog("s3://lake/db", endpoint="http://127.0.0.1:1"),
               "abroad": s3_catalog("s3://lake/db", region="eu-west-1")}
    hosts = "http://localhost:%s" % s3_endpoint.rsplit(":", 1)[1]  # BUCKET.localhost is loopback
    catalogs = {"s3_db": s3_catalog("s3://lake/db"), "hosted": s3_catalog("s3://lake/db", endpoint=hosts, url_style="virtual"), **secrets}
    mysql = mysql_catalog()
    if mysql:
        catalogs["rds_mysql_db"] = mysql
    configure(catalogs)
    expect("s3 tables", "SHOW TABLES IN s3_db.default", ["big", "odd", "orders"])
    expect("s3 odd keys", "SELECT k FROM s3_db.odd ORDER BY k", ['"%s"' % n.replace('"', '""') if '"' in n else n for n in sorted(names)])
    expect("s3 ranges", "SELECT count(*), sum(id), min(length(text)) FROM s3_db.big", ["60000,1799970000,100"])
    expect("s3 all", "SELECT orderId FROM s3_db.orders ORDER BY 1", ["1001", "1002", "1003", "1004", "1005"])
    since = s3_quiet()
    expect("s3 buckets in the host's name", "SELECT k FROM hosted.odd ORDER BY k LIMIT 1", [sorted(names)[0]])
    log = s3_requests(since, "/db/odd/")
    report("s3 no bucket in the path", "/db/odd/" in log and "/lake/db/odd/" not in log, log)
    if mysql:
        s3_join()
    for name in ("secret", "key"):
        expect_error("s3 wrong " + name, "SELECT * FROM %s.orders" % name, "28000")
    expect_error("s3 wrong bucket", "SELECT * FROM bucket.orders", "NoSuchBucket", "nowhere")
    expect_error("s3 wrong region", "SELECT * FROM abroad.orders", "region", "us-east-1")
    expect_error("s3 closed port", "SELECT * FROM closed.orders", "08001", seconds=30)


def mysql_catalog():
    socket = os.environ.get("TRIB_TEST_MYSQL_SOCKET")
    if not socket:
        return None
    user = os.environ["TRIB_TEST_MYSQL_USER"]
    sql = ("CREATE DATABASE IF NOT EXISTS rds; USE rds; CREATE OR REPLACE TABLE order_status(orderId INT PRIMARY KEY, status VARCHAR(20));"
           "INSERT INTO order_status VALUES(1001,'completed'),(1002,'open'),(1003,'completed'),(1004,'open'),(1005,'completed')")
    subprocess.run(["mariadb", "--socket", socket, "-u", "root", "-e", sql], check=True)
    return {"type": "mysql", "host": os.environ["TRIB_TEST_MYSQL_HOST"], "port": int(os.environ["TRIB_TEST_MYSQL_PORT"]), "user": user,
            "password": os.environ["TRIB_TEST_MYSQL_PASSWORD"], "default_schema": "rds"}


def s3_join():
    expect("files joined with MySQL",
           'SELECT s3.customerId, s3.totalAmount, rds.status FROM "s3_db"."orders" s3 JOIN "rds_mysql_db"."order_status" rds '
           "ON s3.orderId = rds.orderId WHERE s3.year='2025' AND rds.status='completed' ORDER BY 1", ["10,1.50,completed", "13,8.25,completed"])
    # The first look at the table samples files; with its columns declared only 2025 is asked for.
    catalogs = json.load(open(config))["catalogs"]
    catalogs["s3_db"]["tables"] = {"orders": {"header": "yes", "delimiter": ",", "format": "csv",
                                              "columns": {"orderId": "bigint", "customerId": "bigint", "totalAmount": "decimal(10,2)"}}}
    configure(catalogs)
    since = s3_quiet()
    expect("pruned in S3",
           'SELECT s3.customerId, s3.totalAmount, rds.status FROM "s3_db"."orders" s3 JOIN "rds_mysql_db"."order_status" rds '
           "ON s3.orderId = rds.orderId WHERE s3.year='2025' AND rds.status='completed' ORDER BY 1", ["10,1.50,completed", "13,8.25,completed"])
    log = s3_requests(since, "2025/b.csv", "2025/c.csv.gz")
    report("only objects of 2025 are requested", "2025/b.csv" in log and "2025/c.csv.gz" in log and "2024/a.csv" not in log, log)
    del catalogs["s3_db"]["tables"]
    configure(catalogs)


def s3_mock():
    server = mock.start()
    endpoint = "http://127.0.0.1:%d" % server.server_address[1]

    def catalog(bucket):
        return {"type": "lake", "path": "s3://" + bucket, "endpoint": endpoint, "region": "us-east-1", "credentials": "none",
                "connect_timeout": "30s", "read_timeout": "30s"}

    ways = ["fine", "denied", "nobucket", "region", "always503", "sometimes503", "junk", "endless", "changed", "gone", "norange",
            "otherrange", "truncated", "cutonce"]
    configure({way: catalog(way) for way in ways})
    for way in ("fine", "sometimes503", "cutonce"):
        expect("mock " + way, "SELECT count(*), sum(id), count(DISTINCT \"$path\") FROM %s.t" % way, ["500,124750,5"])
    expect_error("mock denied", "SELECT * FROM denied.t", "28000", "AccessDenied")
    expect_error("mock nobucket", "SELECT * FROM nobucket.t", "NoSuchBucket")
    expect_error("mock region", "SELECT * FROM region.t", "region", "eu-central-1")
    expect_error("mock always503", "SELECT * FROM always503.t", "SlowDown")
    expect_error("mock junk", "SELECT * FROM junk.t", "no list of objects")
    expect_error("mock endless", "SELECT * FROM endless.t", "repeats")
    expect_error("mock changed", "SELECT * FROM changed.t", "changed while it was read")
    expect_error("mock gone", "SELECT * FROM gone.t", "changed while it was read")
    expect_error("mock norange", "SELECT * FROM norange.t", "more of s3://norange/t/p0.csv")
    expect_error("mock otherrange", "SELECT * FROM otherrange.t", "another size")
    expect_error("mock truncated", "SELECT * FROM truncated.t", "08S01")
    denied = [entry for entry in mock.Handler.log if entry[0] == "denied"]
    report("a refusal is not repeated", len(denied) <= 6, str(denied))
    server.shutdown()


def main():
    shutil.rmtree(scratch, ignore_errors=True)
    os.makedirs(scratch)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    checks = [local_tables, declared_tables, broken_files, changing_file, split_everywhere]
    if os.environ.get("TRIB_TEST_FULL") == "yes":
        checks.insert(0, large_file)  # first: it measures the largest child
    for check in checks:
        root = os.path.join(scratch, check.__name__)
        os.makedirs(root)
        check(root)
        shutil.rmtree(root)
    s3_mock()
    if s3_endpoint:
        s3_real()
    else:
        print("skip a real S3 server: none was given")
    print("%d failures" % len(failures))
    return 1 if failures else 0


sys.exit(main())
