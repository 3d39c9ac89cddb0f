"""kill -9 of the writing process: the target is as it was before, or whole.

usage: crash.py DSN TRIES   with TRIB_TEST_MYSQL_SOCKET. Ends with N passed, N failed.
A process of its own runs INSERT ... SELECT (or CREATE TABLE AS) into SQLite and MariaDB and is killed at a random moment.
"""
import os
import random
import signal
import subprocess
import sys
import time

import pyodbc

DSN, TRIES = sys.argv[1], int(sys.argv[2])
SEED = int(os.environ.get("TRIB_TEST_SEED", "20260101"))
TARGETS = {"SQLite": "write_lite.main", "MariaDB": "write_mysql.crash_test"}
ROWS = 100000
QUERY = f"SELECT sequential_number AS id, 'row ' || CAST(sequential_number AS VARCHAR(20)) AS text FROM TABLE(sequence(1, {ROWS}))"
CHILD = """
import sys, pyodbc
c = pyodbc.connect(sys.argv[1], autocommit=sys.argv[3] == "alone")
print("ready", flush=True)
c.execute(sys.argv[2])
if not c.autocommit:
    c.commit()
print("done", flush=True)
"""


def admin(sql):
    return subprocess.run(["mariadb", f"--socket={os.environ['TRIB_TEST_MYSQL_SOCKET']}", "-u", "root", "-N", "-e", sql],
                          capture_output=True, text=True, check=True).stdout.strip()


def count(cursor, table):
    try:
        return cursor.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    except pyodbc.Error as e:
        if e.args[0] != "42S02":
            raise
        return None


def server_forgets(newest):
    """Until MariaDB has noticed that the killed process is gone, and has undone what it did."""
    # The one connection of this process sleeps outside of a transaction; what was there before is not ours.
    busy = ("SELECT CONCAT_WS(' ', 'transaction', trx_mysql_thread_id, trx_state, trx_query) FROM information_schema.innodb_trx "
            f"WHERE trx_mysql_thread_id > {newest}; "
            "SELECT CONCAT_WS(' ', 'thread', id, command, state, LEFT(info, 80)) FROM information_schema.processlist "
            f"WHERE user = 'trib' AND command <> 'Sleep' AND id > {newest}")
    deadline = time.monotonic() + 60
    while rest := admin(busy):
        if time.monotonic() > deadline:
            raise AssertionError(f"MariaDB still works for a killed process: {rest}")
        time.sleep(0.2)  # innodb_trx is made anew only if nobody has read it for 0.1 s


def child(statement, how):
    process = subprocess.Popen([sys.executable, "-c", CHILD, f"DSN={DSN}", statement, how], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    return process, time.monotonic()


def took(statement, how):
    process, start = child(statement, how)
    assert process.stdout.readline() == "done\n"
    seconds = time.monotonic() - start
    assert process.wait() == 0
    return seconds


def killed(statement, how, after):
    process, start = child(statement, how)
    time.sleep(max(0, start + after - time.monotonic()))
    process.send_signal(signal.SIGKILL)
    process.wait()


def insert_is_whole(cursor, source, schema, draw, newest):
    table = f"{schema}.crashed"
    cursor.execute(f"DROP TABLE IF EXISTS {table}")
    cursor.execute(f"CREATE TABLE {table} (id BIGINT, text VARCHAR(40))")
    seconds = took(f"INSERT INTO {table} {QUERY}", "alone")
    before, whole = count(cursor, table), 0
    assert before == ROWS, before
    for i in range(TRIES):
        how = "alone" if i % 2 else "committed"
        killed(f"INSERT INTO {table} {QUERY}", how, draw.uniform(0, seconds * 1.3))
        if source == "MariaDB":
            server_forgets(newest)
        after = count(cursor, table)
        assert after in (before, before + ROWS), f"try {i}: {before} rows before, {after} afterwards"
        whole += after != before
        before = after
    print(f"{source}: INSERT killed {TRIES} times, {whole} whole")


def create_is_whole(cursor, source, schema, draw, newest):
    table, whole = f"{schema}.crashed_as", 0
    cursor.execute(f"DROP TABLE IF EXISTS {table}")
    statement = f"CREATE TABLE {table} AS {QUERY}"
    seconds = took(statement, "alone")
    for i in range(max(1, TRIES // 5)):
        cursor.execute(f"DROP TABLE IF EXISTS {table}")
        killed(statement, "alone", draw.uniform(0, seconds * 1.3))
        if source == "MariaDB":
            server_forgets(newest)
        after = count(cursor, table)
        assert after in (None, ROWS), f"try {i}: {after} rows"
        whole += after is not None
    print(f"{source}: CREATE TABLE AS killed {max(1, TRIES // 5)} times, {whole} whole")


def main():
    passed = failed = 0
    # what a killed CREATE TABLE AS may leave goes with the schema
    admin("DROP DATABASE IF EXISTS crash_test; CREATE DATABASE crash_test CHARACTER SET utf8mb4")
    newest = int(admin("SELECT MAX(id) FROM information_schema.processlist"))
    with pyodbc.connect(f"DSN={DSN}", autocommit=True) as c:
        cursor = c.cursor()
        for source, schema in TARGETS.items():
            for test in (insert_is_whole, create_is_whole):
                try:
                    test(cursor, source, schema, random.Random(SEED), newest)
                    passed += 1
                except Exception as error:
                    failed += 1
                    print(f"FAILED {test.__name__}, {source}: {type(error).__name__}: {str(error)[:600]}")
    admin("DROP DATABASE crash_test")
    print(f"{passed} passed, {failed} failed")
    return failed != 0


sys.exit(main())
