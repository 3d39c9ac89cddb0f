#!/usr/bin/env python3
"""How much is read: requests, pages and items, from EXPLAIN ANALYZE.

usage: reads.py TRIBUTARY CONFIG
"""
import re
import subprocess
import sys

tool, config = sys.argv[1:3]
failed = 0


def analyze(sql):
    out = subprocess.run([tool, "--config", config, "explain", "--analyze", sql], capture_output=True, text=True, timeout=120)
    if out.returncode:
        sys.exit(f"{sql}: {out.stderr}")
    return out.stdout


def check(sql, text, requests, items):
    """The remote text contains `text`; at most so many requests and items."""
    global failed
    out = analyze(sql)
    scan = next(line for line in out.splitlines() if "items looked at" in line)
    found = [int(re.search(rf"(\d+) {what}", scan).group(1)) for what in ("requests", "items looked at")]
    good = text in out and found[0] <= requests and found[1] <= items
    print("ok  " if good else "FAIL", sql, found)
    if not good:
        failed += 1
        print(out)


table = "dynamodb_catalog.default."
check(f"SELECT * FROM {table}Orders WHERE order_id = '1002'", "Query Orders key", 1, 1)
# paging stops with the tenth row: one page of 1 MB, of more than six
check(f"SELECT * FROM {table}parts WHERE category = 'engine' LIMIT 10", "filter (category", 1, 12000)
check(f"SELECT * FROM {table}parts_indexed WHERE category = 'engine' LIMIT 10", "Query parts_indexed index by_category", 1, 10)
check(f"SELECT * FROM {table}parts LIMIT 25", "limit 25", 1, 25)
check(f"SELECT name FROM {table}many WHERE id IN ({', '.join(map(str, range(150)))})", "BatchGetItem many", 2, 150)
check(f"SELECT r FROM {table}ranged WHERE h = 'a' ORDER BY r LIMIT 5", "in order limit 5", 1, 5)
# each page is asked for once, whoever asks ahead; four segments of 1.6 MB are eight pages
check(f"SELECT count(part_id), min(note) FROM {table}parts", "Scan parts", 8, 50000)
check(f"SELECT v FROM {table}ranged WHERE h IN ('a', 'b', 'c') AND r > 0", "Query ranged", 3, 60)
# a LIMIT that stays here stops the segments; what they have asked ahead is one page each at most
check(f"SELECT part_id FROM {table}parts WHERE price * 2 > 3 LIMIT 5", "Scan parts", 8, 50000)
# the build side's 200 keys are looked up; 10,000 items are not read
check(f"SELECT count(*) FROM mem.default.two_hundred k JOIN {table}many m ON m.id = k.id", "BatchGetItem by a join's keys", 4, 200)
sys.exit(1 if failed else 0)
