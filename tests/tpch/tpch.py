#!/usr/bin/python3
"""TPC-H: the 22 queries over tables in memory, in files, in SQLite and spread over three sources, beside DuckDB.

usage: tpch.py --tributary PROGRAM --connectors DIR --work DIR [--scale 0.01] [--mysql-socket PATH] [--mysql-port N]
               [--places memory,files,sqlite,federated] [--queries 1,2,...] [--quick]

The TPC-H generator of the Python package duckdb 1.1.3 makes the data once per scale, in --work. DuckDB's answers are
what ours are compared with, as typed values: exactly, but for averages and quotients of decimals, which DuckDB gives
as double and Trino as decimal: there ours must be its value, rounded. Each place is asked with push-down exact and
off, 64 MB of memory and the default, one thread and two; --quick: two of these eight ways. --data-only makes the
files and prints their folder. TRIB_TEST_MYSQL_USER and TRIB_TEST_MYSQL_PASSWORD are the account that reads.
"""
import argparse
import csv
import itertools
import json
import os
import sqlite3
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import duckdb

from texts import IN_MYSQL, KEYS, TABLES, query_text, setup_of

MARKER = "tpch_marker"


# ---------------------------------------------------------------- data and answers

def make_data(folder, scale):
    """CSV files, one per table."""
    done = folder / "complete"
    if done.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect()
    connection.execute("LOAD tpch")
    connection.execute(f"CALL dbgen(sf={scale})")
    for table in TABLES:
        connection.execute(f"COPY {table} TO '{folder}/{table}.csv' (HEADER, DELIMITER ',')")
    done.write_text("")


def duckdb_answers(folder, numbers):
    connection = duckdb.connect()
    for table, columns in TABLES.items():
        types = ", ".join(f"{c} {t}" for c, t in columns.items())
        connection.execute(f"CREATE TABLE {table} ({types})")
        connection.execute(f"COPY {table} FROM '{folder}/{table}.csv' (HEADER, DELIMITER ',')")
    answers = {}
    for number in numbers:
        answers[number] = connection.execute(query_text(number)).fetchall()
    return answers


def make_sqlite(folder):
    path = folder / "tpch.db"
    if path.exists():
        return path
    half = folder / "tpch.db.half"
    half.unlink(missing_ok=True)
    connection = sqlite3.connect(half)
    for table, columns in TABLES.items():
        types = ", ".join(f"{c} {t.replace('varchar', 'text')} NOT NULL" for c, t in columns.items())
        connection.execute(f"CREATE TABLE {table} ({types}, PRIMARY KEY ({KEYS[table]}))")
        with open(folder / f"{table}.csv", newline="") as file:
            rows = csv.reader(file)
            next(rows)
            connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns))})", rows)
    connection.execute("ANALYZE")
    connection.commit()
    connection.close()
    half.rename(path)
    return path


def mysql(args, sql):
    subprocess.run(["mariadb", f"--socket={args.mysql_socket}", "-u", "root", "--local-infile=1",
                    "--default-character-set=utf8mb4", "-e", sql], check=True, stdout=subprocess.DEVNULL)


def make_mysql(args, folder, schema):
    user = os.environ["TRIB_TEST_MYSQL_USER"]
    sql = [f"CREATE DATABASE IF NOT EXISTS {schema} DEFAULT CHARSET utf8mb4 COLLATE utf8mb4_bin; USE {schema};"]
    for table in IN_MYSQL:
        types = ", ".join(f"{c} {t.replace('varchar', 'varchar(200)')} NOT NULL" for c, t in TABLES[table].items())
        sql.append(f"DROP TABLE IF EXISTS {table}; CREATE TABLE {table} ({types}, PRIMARY KEY ({KEYS[table]}));"
                   f"LOAD DATA LOCAL INFILE '{folder}/{table}.csv' INTO TABLE {table} CHARACTER SET utf8mb4 FIELDS "
                   "TERMINATED BY ',' OPTIONALLY ENCLOSED BY '\"' ESCAPED BY '' LINES TERMINATED BY '\\n' IGNORE 1 LINES;"
                   f"ANALYZE TABLE {table};")
    sql.append(f"GRANT SELECT ON {schema}.* TO '{user}'@'127.0.0.1';")
    mysql(args, "\n".join(sql))


# ---------------------------------------------------------------- places

def catalogs_of(args, folder, schema):
    files = {"type": "lake", "path": str(folder),
             "tables": {t: {"path": f"{t}.csv", "columns": c} for t, c in TABLES.items()}}
    catalogs = {"files": files, "mem": {"type": "memory"}, "lite": {"type": "sqlite", "path": str(folder / "tpch.db")}}
    if args.mysql_port:
        catalogs["maria"] = {"type": "mysql", "host": "127.0.0.1", "port": args.mysql_port,
                             "user": os.environ["TRIB_TEST_MYSQL_USER"], "password": "${env:TRIB_TEST_MYSQL_PASSWORD}",
                             "database": schema}
    return catalogs


class Way:
    def __init__(self, pushdown, memory, threads):
        self.settings = {"pushdown": pushdown, "threads": threads}
        if memory:
            self.settings["memory_limit"] = memory
        self.name = f"pushdown={pushdown}, memory_limit={memory or 'default'}, threads={threads}"


WAYS = [Way(p, m, t) for p, m, t in itertools.product(("exact", "off"), (None, "64MB"), ("1", "2"))]
QUICK = [WAYS[1], Way("off", "64MB", "2")]


# ---------------------------------------------------------------- asking

def split_output(text):
    """The rows of each query: CSV documents with a marker's document behind each."""
    results, current = [], []
    rows = iter(csv.reader(text.splitlines(keepends=True)))
    for row in rows:
        if row == [MARKER]:
            next(rows, None)
            results.append(current[1:])  # without the header
            current = []
        else:
            current.append(row or [""])  # one column, NULL
    return results


def ask(args, config, setup, numbers):
    """Rows or the error of each query, in as few processes as there are failures."""
    answers, left = {}, list(numbers)
    while left:
        statements = list(setup)
        for number in left:
            statements += [query_text(number), f"SELECT {number} AS {MARKER}"]
        done = subprocess.run([args.tributary, "query", "--config", str(config), "--format", "csv", "-"], text=True,
                              input=";\n".join(statements), capture_output=True, timeout=args.timeout)
        results = split_output(done.stdout)
        for number, rows in zip(left, results):
            answers[number] = rows
        if len(results) == len(left):
            break
        answers[left[len(results)]] = " | ".join(done.stderr.strip().splitlines())[:600] or f"exit status {done.returncode}"
        left = left[len(results) + 1:]
    return answers


# ---------------------------------------------------------------- comparing

def same_value(ours, theirs):
    if theirs is None:
        return ours == ""
    if isinstance(theirs, float):
        slack = 1e-9 * abs(theirs)
        if "E" not in ours and "." in ours:  # a decimal: rounded half up at its scale
            slack += 0.5000001 * 10 ** -len(ours.split(".")[1])
        return abs(float(ours) - theirs) <= slack
    if isinstance(theirs, (int, Decimal)):
        return Decimal(ours) == Decimal(theirs)
    return ours == str(theirs)


def difference(rows, wanted):
    if isinstance(rows, str):
        return rows
    if len(rows) != len(wanted):
        return f"{len(rows)} rows instead of {len(wanted)}"
    for n, (ours, theirs) in enumerate(zip(rows, wanted), 1):
        if len(ours) != len(theirs) or not all(map(same_value, ours, theirs)):
            return f"row {n} is {ours}, DuckDB has {[str(v) for v in theirs]}"
    return None


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--tributary")
    parser.add_argument("--connectors")
    parser.add_argument("--work", required=True)
    parser.add_argument("--scale", default="0.01")
    parser.add_argument("--mysql-socket")
    parser.add_argument("--mysql-port", type=int)
    parser.add_argument("--places", default="memory,files,sqlite,federated")
    parser.add_argument("--queries", default=",".join(map(str, range(1, 23))))
    parser.add_argument("--timeout", type=float, default=1800)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--data-only", action="store_true")
    args = parser.parse_args()
    numbers = [int(n) for n in args.queries.split(",")]
    folder = Path(args.work).resolve() / f"sf{args.scale}"
    schema = "tpch_" + args.scale.replace(".", "_")
    make_data(folder, args.scale)
    if args.data_only:
        print(folder)
        return 0
    answers = duckdb_answers(folder, numbers)
    make_sqlite(folder)
    places = args.places.split(",")
    if "federated" in places:
        make_mysql(args, folder, schema)
    config = folder / "tributary.json"
    passed = failed = 0
    for place, way in itertools.product(places, QUICK if args.quick else WAYS):
        started = time.time()
        config.write_text(json.dumps({"settings": {"connector_path": args.connectors, "metastore": ":memory:", **way.settings},
                                      "catalogs": catalogs_of(args, folder, schema)}))
        os.chmod(config, 0o600)
        got = ask(args, config, setup_of(place, schema), numbers)
        wrong = {n: difference(got[n], answers[n]) for n in numbers}
        bad = {n: d for n, d in wrong.items() if d}
        passed += len(numbers) - len(bad)
        failed += len(bad)
        print(f"{'FAIL' if bad else 'ok  '} {place}, {way.name}: {len(numbers) - len(bad)} of {len(numbers)} queries, "
              f"{time.time() - started:.1f} s", flush=True)
        for number, what in bad.items():
            print(f"     q{number:02}: {what}", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
