"""The part `odbc` of tests/bench/run: the driver beside psqlODBC, MariaDB Connector/ODBC and libsqliteodbc.

One C program (fetch.c) and one Python program (pyodbc_fetch.py) read the same rows through each driver: ours from a
table in memory, the others from PostgreSQL and MariaDB on loopback and from an SQLite file. Each round runs all of
them one after the other; the table shows medians. A peer that has two ways of reading is measured in both, and the
faster one counts.
"""
import glob
import json
import os
import shutil
import socket
import statistics
import subprocess
import time
from pathlib import Path

PYTHON = "/usr/bin/python3"  # the one that Debian's pyodbc belongs to
COLUMNS = [
    ("orderkey", "BIGINT", "i / 4"), ("partkey", "INTEGER", "(i * 7919) % 200000"),
    ("suppkey", "INTEGER", "(i * 104729) % 10000"), ("linenumber", "INTEGER", "i % 7"),
    ("quantity", "DOUBLE", "(i * 31) % 50 + 1.0"), ("extendedprice", "DOUBLE", "((i * 7907) % 9000000) / 100.0"),
    ("discount", "DOUBLE", "(i % 11) / 100.0"), ("tax", "DECIMAL(12,2)", "(i % 9) / 100.0"),
    ("returnflag", "CHAR(1)", "substr('ANR', i * 13 % 3 + 1, 1)"), ("linestatus", "CHAR(1)", "substr('FO', i * 17 % 2 + 1, 1)"),
    ("shipdate", "DATE", "date('1992-01-01', '+' || ((i * 37) % 2500) || ' days')"),
    ("commitdate", "DATE", "date('1992-01-31', '+' || ((i * 41) % 2500) || ' days')"),
    ("receiptdate", "DATE", "date('1992-01-15', '+' || ((i * 37) % 2500) || ' days')"),
    ("shipinstruct", "VARCHAR(25)", "substr('DELIVER IN PERSONCOLLECT COD      TAKE BACK RETURN NONE             ', i * 19 % 4 * 17 + 1, 17)"),
    ("shipmode", "VARCHAR(10)", "substr('AIR    SHIP   RAIL   TRUCK  MAIL   FOB    REG AIR', i * 23 % 7 * 7 + 1, 7)"),
    ("comment", "VARCHAR(44)", "substr('furiously final deposits sleep quickly among the blithely regular requests; carefully even packages "
     "haggle slyly above the ironic accounts', i * 29 % 90 + 1, 10 + i % 34)"),
]
PY_COLUMNS = "orderkey, partkey, linenumber, quantity, extendedprice, tax, returnflag, shipdate, shipmode, comment"


def as_postgres(command):
    drop = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.getuid() == 0 else []
    return drop + command


class Reader:
    """A program that reads statements from its standard input and answers each with a line of JSON."""

    def __init__(self, command, env):
        self.process = subprocess.Popen([str(c) for c in command], env=env, text=True, bufsize=1, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{line[:60]}: {self.process.stderr.read().strip()[-400:]}")
        return json.loads(answer)

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()


class OdbcPeers:
    def __init__(self, bench):
        self.bench, self.work, self.rows, self.table = bench, bench.work, bench.args.rows, bench.table
        self.small = min(self.rows, 1000000)
        self.stops = []

    # ------------------------------------------------------------------ the same rows everywhere

    def make_sqlite(self):
        path = self.work / "peers.db"
        types = ", ".join(f"{n} {t}" for n, t, _ in COLUMNS)
        texts = ", ".join(e if not t.startswith(("VARCHAR", "CHAR")) or n == "comment" else f"rtrim({e})" for n, t, e in COLUMNS)
        sql = (f"PRAGMA journal_mode = off; PRAGMA synchronous = off; CREATE TABLE lineitem ({types}); CREATE TABLE small ({types}); "
               f"WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < {self.rows}) "
               f"INSERT INTO lineitem SELECT {texts} FROM r; INSERT INTO small SELECT * FROM lineitem LIMIT {self.small};")
        subprocess.run(["sqlite3", str(path), sql], check=True, stdout=subprocess.DEVNULL)
        csv = self.work / "peers.csv"
        with csv.open("w") as out:
            subprocess.run(["sqlite3", "-csv", str(path), "SELECT * FROM lineitem"], check=True, stdout=out)
        csv.chmod(0o644)
        return path, csv

    def fill(self, client, table_end, load):
        types = ", ".join(f"{n} {t.replace('DOUBLE', 'DOUBLE PRECISION')}" for n, t, _ in COLUMNS)
        for sql in (f"CREATE TABLE lineitem ({types}){table_end}", load,
                    f"CREATE TABLE small AS SELECT * FROM lineitem LIMIT {self.small}"):
            subprocess.run(client + [sql], check=True, stdout=subprocess.DEVNULL)

    @staticmethod
    def free_port():
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            return s.getsockname()[1]

    @staticmethod
    def wait_for(client):
        for _ in range(300):
            if subprocess.run(client + ["SELECT 1"], capture_output=True).returncode == 0:
                return
            time.sleep(0.1)
        raise RuntimeError(f"{client[0]}: the server does not answer")

    def start_mariadb(self, csv):
        data, port = self.work / "peers-mysql", self.free_port()
        data.mkdir()
        shutil.chown(data, "mysql", "mysql")
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run(["mariadb-install-db", "--user=mysql", f"--datadir={data}", "--auth-root-authentication-method=normal",
                        "--skip-test-db"], check=True, **quiet)
        server = subprocess.Popen(["mariadbd", "--no-defaults", "--user=mysql", f"--datadir={data}", f"--port={port}",
                                   "--bind-address=127.0.0.1", f"--socket={data}/s", "--innodb-buffer-pool-size=2G", "--skip-log-bin",
                                   "--innodb-flush-log-at-trx-commit=0"], **quiet)
        self.stops.append(lambda: (server.terminate(), server.wait()))
        client = ["mariadb", f"--socket={data}/s", "-u", "root", "--local-infile=1", "-e"]
        self.wait_for(client)
        subprocess.run(client + ["CREATE DATABASE bench; CREATE USER bench@'127.0.0.1' IDENTIFIED BY 'bench'; "
                                 "GRANT ALL ON bench.* TO bench@'127.0.0.1'"], check=True)
        self.fill(client[:-1] + ["-D", "bench", "-e"], " DEFAULT CHARSET utf8mb4",
                  f"LOAD DATA LOCAL INFILE '{csv}' INTO TABLE lineitem FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '\"' "
                  r"LINES TERMINATED BY '\n'")
        return f"Driver=MariaDB;Server=127.0.0.1;Port={port};User=bench;Password=bench;Database=bench"

    def start_postgresql(self, csv):
        binaries = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
        folder, port = self.work / "peers-postgres", self.free_port()
        folder.mkdir()
        if os.getuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run(as_postgres([f"{binaries}/initdb", "-D", f"{folder}/data", "-U", "tester", "-E", "UTF8", "--locale=C", "-A", "trust"]),
                       check=True, cwd=folder, **quiet)
        control = as_postgres([f"{binaries}/pg_ctl", "-D", f"{folder}/data"])
        options = (f"-k {folder} -p {port} -c listen_addresses=127.0.0.1 -c fsync=off -c shared_buffers=2GB -c max_wal_size=4GB "
                   "-c jit=off")
        self.stops.append(lambda: subprocess.run(control + ["-m", "immediate", "stop"], **quiet))
        subprocess.run(control + ["-w", "-l", f"{folder}/log", "-o", options, "start"], check=True, **quiet)
        client = ["psql", "-h", "127.0.0.1", "-p", str(port), "-U", "tester", "-d", "postgres", "-q", "-c"]
        self.fill(client, "", f"\\copy lineitem FROM '{csv}' (FORMAT csv)")
        subprocess.run(client + ["VACUUM ANALYZE"], check=True)
        return f"Driver=PostgreSQL;Servername=127.0.0.1;Port={port};Database=postgres;Uid=tester;Pwd=none"

    def start(self):
        self.work.chmod(0o755)
        (self.work / "odbcinst.ini").write_text("")
        self.env = self.bench.odbc()
        with (self.work / "odbcinst.ini").open("a") as ini:
            ini.write("[PostgreSQL]\nDriver=psqlodbcw.so\n[MariaDB]\nDriver=libmaodbc.so\n")
        path, csv = self.make_sqlite()
        self.peers = {}
        if shutil.which("mariadbd"):
            base = self.start_mariadb(csv)
            self.peers["MariaDB ODBC"] = [base]
        if glob.glob("/usr/lib/postgresql/*/bin/initdb"):
            base = self.start_postgresql(csv)
            self.peers["psqlODBC"] = [base, base + ";UseDeclareFetch=1;Fetch=1000"]
        base = f"Driver=SQLite3;Database={path}"
        self.peers["sqliteodbc"] = [base, base + ";StepAPI=1"]
        csv.unlink()
        # Only the table's memory may count beside a query's own.
        self.config = self.bench.config("odbc", {"mem": {"type": "memory"}, "source": {"type": "sqlite", "path": str(path)}},
                                        spill_dir=str(self.work), process_memory_limit="12GB")

    def open_ours(self, program, settings=""):
        reader = Reader(program + [f"Driver=Tributary;Config={self.config}{settings}", "--serve"], self.env)
        for table in ("lineitem", "small"):
            reader.ask(f"run CREATE TABLE mem.default.{table} AS SELECT * FROM source.main.{table}")
        return reader

    # ------------------------------------------------------------------ the figures

    def one(self, program, connection, line, rows):
        reader = Reader(program + [connection, "--serve"], self.env)
        try:
            result = reader.ask(line)
        finally:
            reader.close()
        if result["rows"] != rows:
            raise RuntimeError(f"{connection.split(';')[0]}: {result['rows']} rows instead of {rows}")
        return result["seconds"][0]

    def compare(self, program, ours, mode, columns, table, rows, names):
        """Medians: ours, and each peer's faster way."""
        mine, theirs = [], {(n, c): [] for n in names if n in self.peers for c in self.peers[n]}
        ours.ask(f"{mode} SELECT {columns} FROM mem.default.{table}")
        for _ in range(self.bench.args.repeats):
            for (name, connection), into in theirs.items():
                result = ours.ask(f"{mode} SELECT {columns} FROM mem.default.{table}")
                if result["rows"] != rows:
                    raise RuntimeError(f"{result['rows']} rows instead of {rows}")
                mine.append(result["seconds"][0])
                into.append(self.one(program, connection, f"{mode} SELECT {columns} FROM {table}", rows))
        best = {}
        for (name, _), seconds in theirs.items():
            best[name] = min(best.get(name, 1e9), statistics.median(seconds))
        return statistics.median(mine), best

    def rate(self, rows, seconds):
        return f"{rows / seconds / 1e6:.2f} M/s"

    def add(self, work, rows, mine, name, seconds, least):
        target = f">= {least}" if least else ""
        self.table.add(work, self.rate(rows, mine), f"{name} {self.rate(rows, seconds)}", seconds / mine, target,
                       least is None or seconds / mine >= least)

    def memory(self, work, result, limit):
        used = (result["peak_kib"] - result["before_kib"]) / 1024
        self.table.add(work, f"{used:.0f} MiB", "", None, f"<= {limit} MiB", used <= limit)

    def block(self, program, ours):
        mine, best = self.compare(program, ours, "block", "*", "lineitem", self.rows, ["psqlODBC", "MariaDB ODBC", "sqliteodbc"])
        for name, least in (("psqlODBC", 8), ("MariaDB ODBC", 5), ("sqliteodbc", None)):
            if name in best:
                self.add("block fetch, 16 columns", self.rows, mine, name, best[name], least)
        self.memory("  peak memory above the start", ours.ask("block SELECT * FROM mem.default.lineitem"), 64)

    def cells(self, program, ours):
        for mode, what in (("char", "SQLGetData as text"), ("typed", "SQLGetData by type")):
            mine, best = self.compare(program, ours, mode, "*", "small", self.small, list(self.peers))
            name = min(best, key=best.get)
            self.add(f"{what}, 16 columns", self.small, mine, name, best[name], 1.2)

    def static(self, program):
        ours = self.open_ours(program, ";MemoryLimit=256MB")
        result = ours.ask("static SELECT * FROM mem.default.lineitem")
        ours.close()
        if result["rows"] != self.rows:
            raise RuntimeError(f"static: {result['rows']} rows instead of {self.rows}")
        self.table.add("static cursor: last, first, all rows", f"{result['seconds'][0]:.1f} s", "", None, "", None)
        self.memory("  with MemoryLimit=256MB, above the start", result, 256 + 64)

    def pyodbc(self):
        if subprocess.run([PYTHON, "-c", "import pyodbc"], capture_output=True).returncode != 0:
            return self.table.skip("pyodbc", "package python3-pyodbc is not installed")
        program = [PYTHON, Path(__file__).with_name("pyodbc_fetch.py")]
        ours = self.open_ours(program)
        mine, best = self.compare(program, ours, "fetchall", PY_COLUMNS, "small", self.small, list(self.peers))
        ours.close()
        name = min(best, key=best.get)
        self.add("pyodbc fetchall, 10 columns", self.small, mine, name, best[name], 1.2)

    def run(self):
        try:
            self.start()
            program = [self.bench.program("fetch")]
            ours = self.open_ours(program)
            try:
                self.block(program, ours)
                self.cells(program, ours)
            finally:
                ours.close()
            self.static(program)
            self.pyodbc()
        finally:
            for stop in reversed(self.stops):
                stop()
