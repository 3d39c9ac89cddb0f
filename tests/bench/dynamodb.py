#!/usr/bin/env python3
"""DynamoDB: a scan in 1, 2 and 4 segments, and Queries of 64 keys.

usage: tests/bench/dynamodb.py [--build DIR] [--repeats N] [--items N] [--pages N] [--delay MS] [--server ENDPOINT]

Beside a mock: a peer of this program, a process per connection, that answers each request after --delay milliseconds with a
page of 0.9 MiB made beforehand. It costs no time but its delay, so that the segments show. With --server (or
TRIB_TEST_DYNAMODB_ENDPOINT, as tests/dynamodb/with_local sets it) also beside a real one, whose table of --items items is
made first; its own CPU time is printed, because it shares this machine's cores: what it takes no segment can win.
"""
import argparse
import importlib.util
import json
import multiprocessing
import os
import socket
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
SEGMENTS = (1, 2, 4)
CONNECTIONS = (1, 4, 8)
KEYS = 64
DESCRIBED = {"Table": {"TableName": "lines", "ItemCount": 0, "TableSizeBytes": 0, "TableStatus": "ACTIVE",
                       "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}, {"AttributeName": "n", "KeyType": "RANGE"}],
                       "AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "S"}, {"AttributeName": "n", "AttributeType": "N"}]}}


# ------------------------------------------------------------------ the mock

def page(size):
    items, used = [], 0
    while used < size:
        i = len(items)
        items.append({"k": {"S": f"key {i:06d}"}, "n": {"N": str(i)}, "price": {"N": f"{i % 997}.{i % 100:02d}"},
                      "note": {"S": "x" * 90}})
        used += 160
    return json.dumps({"Items": items, "Count": len(items), "ScannedCount": len(items)}, separators=(",", ":")).encode()[:-1], len(items)


class Mock:
    """Pages of a table: --pages in all, shared by the segments; one small page for each key that is queried."""

    def __init__(self, pages, delay):
        self.pages, self.delay = pages, delay / 1000
        self.body, self.items = page(900 << 10)
        self.small = page(10000)[0]
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.endpoint = "http://127.0.0.1:%d" % self.listener.getsockname()[1]
        self.process = multiprocessing.Process(target=self.accept, daemon=False)
        self.process.start()

    def accept(self):
        while True:
            connection, _ = self.listener.accept()
            if os.fork() == 0:
                self.serve(connection)
                os._exit(0)
            connection.close()
            try:
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            except ChildProcessError:
                pass

    def serve(self, connection):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream = connection.makefile("rb")
        while True:
            head = {}
            for line in iter(stream.readline, b"\r\n"):
                if not line:
                    return
                name, _, value = line.partition(b":")
                head[name.lower()] = value.strip()
            request = json.loads(stream.read(int(head[b"content-length"])))
            for part in self.answer(head[b"x-amz-target"].rsplit(b".")[-1], request):
                connection.sendall(part)

    def answer(self, operation, request):
        if operation == b"DescribeTable":
            parts = [json.dumps(DESCRIBED).encode()]
        elif operation == b"ListTables":
            parts = [b'{"TableNames":["lines"]}']
        else:
            time.sleep(self.delay)
            at = int(request.get("ExclusiveStartKey", {"n": {"N": "0"}})["n"]["N"])
            last = operation == b"Query" or at + 1 >= self.pages // request.get("TotalSegments", 1)
            key = {"LastEvaluatedKey": {"k": {"S": "k"}, "n": {"N": str(at + 1)}}}
            parts = [self.small if operation == b"Query" else self.body, b"}" if last else b"," + json.dumps(key).encode()[1:]]
        return [b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % sum(map(len, parts)), *parts]

    def stop(self):
        self.process.terminate()
        self.process.join()


# ------------------------------------------------------------------ the server

def server_pid(endpoint):
    """Who listens there, if that is to be seen."""
    port = ":%04X" % int(endpoint.rsplit(":", 1)[1])
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[1].endswith(port) and fields[3] == "0A":
                inodes.add("socket:[%s]" % fields[9])
    for folder in Path("/proc").glob("[0-9]*/fd"):
        try:
            if any(os.readlink(fd) in inodes for fd in folder.iterdir()):
                return folder.parent.name
        except OSError:
            continue
    return None


def cpu_seconds(pid):
    if pid is None:
        return 0.0
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def fill(endpoint, count):
    spec = importlib.util.spec_from_file_location("fixtures", TOP / "tests" / "fixtures" / "dynamodb.py")
    fixtures = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fixtures)
    client = fixtures.Client(endpoint)
    fixtures.create(client, "lines", {"k": "S", "n": "N"}, "k", "n")
    fixtures.put(client, "lines", ({"k": {"S": f"key {i // 60:06d}"}, "n": {"N": str(i % 60)}, "price": {"N": f"{i % 997}.{i % 100:02d}"},
                                "note": {"S": "x" * 90}} for i in range(count)))


# ------------------------------------------------------------------ ours

class Ours:
    def __init__(self, build, endpoint):
        self.program, self.endpoint, self.build = build / "tributary", endpoint, build
        self.columns = {"k": "varchar", "n": "bigint", "price": "decimal(10,2)", "note": "varchar"}

    def run(self, sql, **options):
        """Seconds of the whole process, and the row that it prints."""
        catalog = {"type": "dynamodb", "endpoint": self.endpoint, "region": "us-east-1", "access_key_id": "test",
                   "secret_access_key": "test", "tables": {"lines": self.columns}, **options}
        with tempfile.NamedTemporaryFile("w", suffix=".json") as config:
            json.dump({"settings": {"connector_path": str(self.build / ".libs"), "metastore": ":memory:", "threads": 4},
                       "catalogs": {"d": catalog}}, config)
            config.flush()
            begun = time.monotonic()
            done = subprocess.run([self.program, "query", "--config", config.name, "--format", "csv", sql], capture_output=True, text=True)
            if done.returncode:
                raise SystemExit(f"{sql}: {done.stderr}")
            return time.monotonic() - begun, done.stdout.split("\n")[1]


def measure(ours, repeats, sql, cases, pid=None):
    """Cases take turns, so that a server that grows faster with use favours none: median seconds, share and row of each."""
    seconds, shares, rows = ([[] for _ in cases] for _ in range(3))
    for _ in range(repeats + 1):
        for i, options in enumerate(cases):
            before = cpu_seconds(pid)
            taken, row = ours.run(sql, **options)
            seconds[i].append(taken)
            shares[i].append((cpu_seconds(pid) - before) / taken)
            rows[i].append(row)
    return [(statistics.median(s[1:]), statistics.median(p[1:]), r) for s, p, r in zip(seconds, shares, rows)]


def line(name, seconds, first, note=""):
    print(name.ljust(40) + f"{seconds:7.2f} s   ratio {first / seconds:5.2f}{note}", flush=True)


def scans(name, ours, repeats, expected, target, pid=None):
    sql = "SELECT count(n), sum(price), max(note) FROM d.default.lines"
    cases = [{"segments": n, "max_connections": max(SEGMENTS)} for n in SEGMENTS]
    results = measure(ours, repeats, sql, cases, pid)
    for segments, (seconds, share, rows) in zip(SEGMENTS, results):
        if not all(row.startswith(f"{expected},") for row in rows):
            raise SystemExit(f"{name}: {rows} instead of {expected} items")
        note = f"   target {target:.1f}" if segments == SEGMENTS[-1] else " " * 13
        note += f"   the server's own share {share:.2f} cores" if pid else ""
        line(f"{name}, {segments} segments", seconds, results[0][0], note.rstrip())


def queries(ours, repeats):
    sql = "SELECT count(n) FROM d.default.lines WHERE k IN (%s)" % ", ".join(f"'{i}'" for i in range(KEYS))
    results = measure(ours, repeats, sql, [{"max_connections": n} for n in CONNECTIONS])
    for connections, (seconds, _, rows) in zip(CONNECTIONS, results):
        if len(set(rows)) != 1 or int(rows[0]) % KEYS:
            raise SystemExit(f"Queries: {rows}")
        line(f"a mock, {KEYS} Queries, {connections} connections", seconds, results[0][0])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=Path, default=TOP / "build")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--items", type=int, default=60000)
    parser.add_argument("--pages", type=int, default=32)
    parser.add_argument("--delay", type=int, default=60)
    parser.add_argument("--server", default=os.environ.get("TRIB_TEST_DYNAMODB_ENDPOINT"))
    arguments = parser.parse_args()
    mock = Mock(arguments.pages, arguments.delay)
    try:
        ours = Ours(arguments.build, mock.endpoint)
        scans(f"a mock, {arguments.delay} ms a page", ours, arguments.repeats, mock.items * arguments.pages, 2)
        queries(ours, arguments.repeats)
    finally:
        mock.stop()
    if arguments.server:
        fill(arguments.server, arguments.items)
        scans("the server", Ours(arguments.build, arguments.server), arguments.repeats, arguments.items, 2, server_pid(arguments.server))


if __name__ == "__main__":
    main()
