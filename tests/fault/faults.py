"""Faults of sources and disks: the right rows or an error, never fewer rows without one.

usage: faults.py DSN   with TRIB_TEST_MYSQL_HOST, _PORT, _SOCKET. Ends with N passed, N failed.
A small proxy stands between the driver and MariaDB and cuts connections after N bytes.
"""
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pyodbc

DSN, CONFIG_PROXY = sys.argv[1], sys.argv[2]
HOST, PORT = os.environ["TRIB_TEST_MYSQL_HOST"], int(os.environ["TRIB_TEST_MYSQL_PORT"])
PROXY_PORT = int(os.environ["TRIB_TEST_PROXY_PORT"])
QUERY = "SELECT id, v, t FROM mysql_catalog.analytics_db.numbers"
ROWS = 300000
tests = []


def test(function):
    tests.append(function)
    return function


class Proxy:
    """Forwards to MariaDB; after `cut` bytes from the server both sides are closed, and where the client sends `word`:
    before that reaches the server (`swallow`), or when it has."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", PROXY_PORT))
        self.cut = self.word = None
        self.swallow = False
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            server = socket.create_connection((HOST, PORT))
            mute = threading.Event()
            threading.Thread(target=self.pump, args=(client, server, False, mute), daemon=True).start()
            threading.Thread(target=self.pump, args=(server, client, True, mute), daemon=True).start()

    def pump(self, source, target, counted, mute):
        sent = 0
        try:
            while data := source.recv(16384):
                if counted and self.cut is not None and sent + len(data) >= self.cut:
                    target.sendall(data[: max(0, self.cut - sent)])
                    break
                if not counted and self.word and self.word in data:
                    if not self.swallow:
                        mute.set()
                        target.sendall(data)
                        time.sleep(0.3)  # the server does what it is told
                    break
                if counted and mute.is_set():
                    continue
                target.sendall(data)
                sent += len(data)
        except OSError:
            pass
        for s in (source, target):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


proxy = Proxy()


def read_through_proxy():
    """Rows, or the error."""
    c = pyodbc.connect(f"Driver=Tributary;Config={CONFIG_PROXY}", autocommit=True)
    try:
        return len(c.execute(QUERY).fetchall()), None
    except pyodbc.Error as e:
        return None, e
    finally:
        c.close()


@test
def cut_connection_at_20_points():
    proxy.cut = None
    assert read_through_proxy()[0] == ROWS
    for i in range(20):
        proxy.cut = int(60 * 1.9 ** i)  # 60 bytes .. about 12 MB, spread evenly by their logarithm
        rows, error = read_through_proxy()
        assert error is not None or rows == ROWS, f"cut after {proxy.cut} bytes: {rows} rows without an error"
    proxy.cut = None
    assert read_through_proxy()[0] == ROWS


@test
def killed_connection_mid_fetch():
    with pyodbc.connect(f"DSN={DSN}", autocommit=True) as c:
        cursor = c.cursor()
        cursor.execute(QUERY)
        got = len(cursor.fetchmany(10))
        admin = ["mariadb", f"--socket={os.environ['TRIB_TEST_MYSQL_SOCKET']}", "-u", "root", "-N", "-e"]
        ids = subprocess.run(admin + ["SELECT id FROM information_schema.processlist WHERE user = 'trib'"],
                             capture_output=True, text=True).stdout.split()
        for i in ids:
            subprocess.run(admin + [f"KILL {i}"], capture_output=True)
        try:
            while rows := cursor.fetchmany(1000):
                got += len(rows)
            assert got == ROWS, f"{got} rows without an error"
        except pyodbc.Error as e:
            assert e.args[0] in ("08S01", "HY000", "08007"), e.args
        assert c.execute("SELECT count(*) FROM mysql_catalog.analytics_db.sample_orders").fetchone()[0] == 6


def through_proxy(**more):
    return pyodbc.connect(f"Driver=Tributary;Config={CONFIG_PROXY}", **more)


def admin(sql):
    return subprocess.run(["mariadb", f"--socket={os.environ['TRIB_TEST_MYSQL_SOCKET']}", "-u", "root", "-N", "-e", sql],
                          capture_output=True, text=True, check=True).stdout.strip()


def await_rows(count):
    until = time.monotonic() + 30
    while admin("SELECT count(*) FROM analytics_db.lost") != count and time.monotonic() < until:
        time.sleep(0.1)


def state_of(function):
    """The SQLSTATE of what it raises; None: it succeeds."""
    try:
        function()
    except pyodbc.Error as error:
        return error.args[0]
    return None


@test
def lost_while_committing():
    """The outcome is unknown, and said to be: whether the server has committed or not."""
    admin("CREATE OR REPLACE TABLE analytics_db.lost (id INT PRIMARY KEY)")
    for swallow in (True, False):
        for manual in (True, False):
            admin("TRUNCATE analytics_db.lost")
            proxy.word = None
            c = through_proxy(autocommit=not manual)
            insert = "INSERT INTO write_mysql.analytics_db.lost VALUES (1), (2)"
            c.execute("SELECT count(*) FROM write_mysql.analytics_db.lost").fetchone()
            proxy.word, proxy.swallow = b"COMMIT", swallow
            if manual:
                assert c.execute(insert).rowcount == 2
                state = state_of(c.commit)
            else:
                state = state_of(lambda: c.execute(insert))
            proxy.word = None
            assert state == "08007", (swallow, manual, state)
            if not swallow:  # what the server was told before the cut it does, however late
                await_rows("2")
            assert admin("SELECT count(*) FROM analytics_db.lost") == ("0" if swallow else "2"), "it was tried again"
            # the connection to the driver goes on, with a new one to the server
            c.rollback()
            assert c.execute("SELECT count(*) FROM write_mysql.analytics_db.lost").fetchone()[0] == (0 if swallow else 2)
            c.close()


@test
def lost_while_inserting():
    """Before COMMIT all is undone, and a transaction knows that it is."""
    admin("CREATE OR REPLACE TABLE analytics_db.lost (id INT PRIMARY KEY)")
    c = through_proxy(autocommit=False)
    assert c.execute("INSERT INTO write_mysql.analytics_db.lost VALUES (1)").rowcount == 1
    proxy.word, proxy.swallow = b"SAVEPOINT", True
    assert state_of(lambda: c.execute("INSERT INTO write_mysql.analytics_db.lost VALUES (2)")) == "08S01"
    proxy.word = None
    assert state_of(lambda: c.execute("INSERT INTO write_mysql.analytics_db.lost VALUES (4)")) == "25000"
    # nor does it read: what it would see is not what it has written
    for read in ("SELECT count(*) FROM write_mysql.analytics_db.lost", "SELECT 1", "EXPLAIN ANALYZE SELECT 1", "SHOW CATALOGS"):
        assert state_of(lambda: c.execute(read)) == "25000", read
    assert state_of(c.commit) == "40001", "COMMIT of a transaction that was undone"
    assert admin("SELECT count(*) FROM analytics_db.lost") == "0"
    c.rollback()
    assert c.execute("SELECT count(*) FROM write_mysql.analytics_db.lost").fetchone()[0] == 0
    c.execute("INSERT INTO write_mysql.analytics_db.lost VALUES (3)")
    c.commit()
    assert admin("SELECT id FROM analytics_db.lost") == "3"
    c.close()


@test
def cut_while_storing_at_20_points():
    """INSERT ... SELECT through a connection that is cut: all rows or none."""
    admin("CREATE OR REPLACE TABLE analytics_db.lost (id BIGINT, text VARCHAR(40))")
    insert = ("INSERT INTO write_mysql.analytics_db.lost SELECT sequential_number, 'row' FROM TABLE(sequence(1, 20000))")
    for i in range(20):
        admin("TRUNCATE analytics_db.lost")
        proxy.cut = int(80 * 1.25 ** i)
        with_error = None
        try:
            c = through_proxy(autocommit=True)
            with_error = state_of(lambda: c.execute(insert))
            c.close()
        except pyodbc.Error as error:
            with_error = error.args[0]
        rows = admin("SELECT count(*) FROM analytics_db.lost")
        proxy.cut = None
        if with_error is None:
            assert rows == "20000", rows
        elif with_error == "08007":
            assert rows in ("0", "20000"), rows
        else:
            assert rows == "0", (with_error, rows)


@test
def full_disk_while_spilling():
    folder = os.environ.get("TRIB_TEST_SMALL_FOLDER")
    if not folder:
        raise unittest_skip("no small file system (needs root)")
    with pyodbc.connect(f"DSN={DSN};SpillDir={folder};ForceSpill=true", autocommit=True) as c:
        try:
            c.execute("SELECT count(*) FROM (SELECT v, t FROM mysql_catalog.analytics_db.numbers ORDER BY t, v LIMIT 299999) x, "
                      "(VALUES 1, 2, 3) y").fetchall()
        except pyodbc.Error as e:
            assert "space" in str(e) or "full" in str(e), e.args
        assert os.listdir(folder) == []
        assert c.execute("SELECT 1").fetchone()[0] == 1


@test
def fork_refuses_old_handles_and_takes_new_ones():
    c = pyodbc.connect(f"DSN={DSN}", autocommit=True)
    assert c.execute("SELECT 1").fetchone()[0] == 1
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            d = pyodbc.connect(f"DSN={DSN}", autocommit=True)
            code = 0 if d.execute("SELECT count(*) FROM mysql_catalog.analytics_db.sample_orders").fetchone()[0] == 6 else 2
        except pyodbc.Error:
            code = 3
        os._exit(code)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            break
        time.sleep(0.05)
    else:
        os.kill(pid, signal.SIGKILL)
        raise AssertionError("the child hangs")
    assert os.waitstatus_to_exitcode(status) == 0, status
    assert c.execute("SELECT 2").fetchone()[0] == 2


@test
def exit_while_fetching():
    script = (f"import pyodbc; c = pyodbc.connect('DSN={DSN}', autocommit=True); k = c.cursor(); "
              f"k.execute('{QUERY}'); k.fetchmany(5); import os, sys; sys.exit(0)")
    for _ in range(5):
        done = subprocess.run([sys.executable, "-c", script], timeout=30, capture_output=True, text=True)
        assert done.returncode == 0 and done.stderr == "", (done.returncode, done.stderr[-300:])


class unittest_skip(Exception):
    pass


passed = failed = skipped = 0
for function in tests:
    try:
        function()
        passed += 1
    except unittest_skip as reason:
        skipped += 1
        print(f"SKIPPED {function.__name__}: {reason}")
    except Exception as error:
        failed += 1
        print(f"FAILED {function.__name__}: {type(error).__name__}: {str(error)[:600]}")
print(f"{passed} passed, {failed} failed, {skipped} skipped")
sys.exit(failed != 0)
