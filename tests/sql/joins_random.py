"""Random joins of two to six tables: our rows, with rules switched off and spilled, against DuckDB's.

usage: joins_random.py --tributary PROGRAM --connectors FOLDER --work FOLDER [--count N] [--seed N]

Small tables with NULLs and repeated values are joined by commas, INNER, LEFT, RIGHT and FULL joins, EXISTS, IN and
their negations, on equalities, ranges, IS NOT DISTINCT FROM and OR, with further conditions in ON and WHERE. differential.py
has wider queries; this one has more relations, so that their order matters. The same seed gives the same queries.
"""
import argparse
import csv
import json
import os
import random
import subprocess
import sys

import duckdb

TABLES = 6
MARKER = "joins_random_marker"
WAYS = [["threads = 2"], ["disabled_rules = 'join_order'"], ["disabled_rules = 'infer_conditions,factor_conditions'"],
        ["disabled_rules = 'push_filters'"], ["force_spill = true", "threads = 2"]]
TYPES = (("a", "bigint"), ("b", "integer"), ("c", "bigint"), ("s", "varchar"))


def literal(value):
    return "NULL" if value is None else f"'{value}'" if isinstance(value, str) else str(value)


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def rows(self):
        pick = self.random.choice
        return [(pick([None, 0, 1, 2, 3, 4, 5]), pick([None, 1, 2, 3]), pick([0, 1, 5, 9, 100000]), pick([None, "x", "y", "zz", ""]))
                for _ in range(pick([0, 3, 8, 15, 30]))]

    def between(self, there, table):
        """A condition between one of the tables that are there and another."""
        k, kind = self.random.choice(there), self.random.random()
        x, y = self.random.choice("abc"), self.random.choice("abc")
        if kind < 0.55:
            return f"{x}{k} = {y}{table}"
        if kind < 0.65:
            return f"s{k} = s{table}"
        if kind < 0.72:
            return f"{x}{k} < {y}{table}"
        if kind < 0.78:
            return f"{x}{k} BETWEEN {y}{table} AND c{table}"
        if kind < 0.84:
            return f"{x}{k} IS NOT DISTINCT FROM {y}{table}"
        if kind < 0.92:
            return f"({x}{k} = {y}{table} OR (a{table} = 2 AND {x}{k} = 1))"
        return f"a{table} > 1"

    def single(self, there):
        k = self.random.choice(there)
        return self.random.choice([f"a{k} > 1", f"b{k} = 2", f"s{k} IS NULL", f"a{k} IN (1, 2, 3)", f"c{k} <= 5", f"s{k} LIKE 'z%'",
                                   f"a{k} IS NOT NULL", f"(a{k} = 1 OR b{k} IS NULL)"])

    def subquery(self, kind, there, table):
        pick = self.random.choice
        if kind in ("EXISTS", "NOT EXISTS"):
            text = f"{kind} (SELECT 1 FROM t{table} WHERE {self.between(there, table)})"
        else:
            some = pick([f"c{table} < 50", f"a{table} IS NOT NULL", f"c{table} > 3"])
            text = f"a{pick(there)} {kind} (SELECT {pick('ac')}{table} FROM t{table} WHERE {some})"
        return f"({text} OR {self.single(there)})" if self.random.random() < 0.25 else text

    def query(self):
        order = self.random.sample(range(TABLES), self.random.randint(2, TABLES))
        there, where, text = [order[0]], [], f"t{order[0]}"
        for table in order[1:]:
            kind = self.random.choices(["INNER", "LEFT", "RIGHT", "FULL", "CROSS", "EXISTS", "NOT EXISTS", "IN", "NOT IN"],
                                       [5, 3, 1.5, 0.7, 3, 1.2, 1.2, 0.8, 0.6])[0]
            if kind in ("EXISTS", "NOT EXISTS", "IN", "NOT IN"):
                where.append(self.subquery(kind, there, table))
                continue
            condition = self.between(there, table)
            there.append(table)
            if kind == "CROSS":
                text += f" CROSS JOIN t{table}"
                where.append(condition)
                continue
            if self.random.random() < 0.4:
                condition += " AND " + self.between(there[:-1], table)
            if self.random.random() < 0.2:
                condition += " AND " + self.single(there)
            text += f" {kind} JOIN t{table} ON {condition}"
        where += [self.single(there) for _ in range(self.random.choice([0, 0, 1, 2]))]
        columns = [f"{c}{t}" for t in there for c in self.random.sample("abcs", 2)]
        if self.random.random() < 0.2:
            columns = ["count(*)", f"sum(c{there[0]})"]
        return f"SELECT {', '.join(columns)} FROM {text}" + (" WHERE " + " AND ".join(where) if where else "")


def text_rows(rows):
    return sorted(tuple("" if v is None else str(v) for v in row) for row in rows)


def ask(args, config, setup, queries):
    """Sorted rows of each query, or the error."""
    answers, at = [], 0
    while at < len(queries):
        statements = list(setup)
        for query in queries[at:]:
            statements += [query, f"SELECT 1 AS {MARKER}"]
        done = subprocess.run([args.tributary, "query", "--config", config, "--format", "csv", "-"], text=True,
                              input=";\n".join(statements), capture_output=True, timeout=600)
        current, before = [], len(answers)
        lines = iter(csv.reader(done.stdout.splitlines(keepends=True)))
        for line in lines:
            if line == [MARKER]:
                next(lines)
                answers.append(sorted(map(tuple, current[1:])))
                current = []
            else:
                current.append(line)
        at += len(answers) - before
        if at < len(queries):
            answers.append(" | ".join(done.stderr.strip().splitlines()[-4:]) or f"exit status {done.returncode}")
            at += 1
    return answers


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    for name in ("--tributary", "--connectors", "--work"):
        parser.add_argument(name, required=True, type=os.path.abspath)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    os.makedirs(args.work, exist_ok=True)
    maker, reference, setup = Maker(args.seed), duckdb.connect(), []
    for t in range(TABLES):
        rows = maker.rows()
        reference.execute(f"CREATE TABLE t{t} ({', '.join(f'{c}{t} {k}' for c, k in TYPES)})")
        for row in rows:
            reference.execute(f"INSERT INTO t{t} VALUES (?, ?, ?, ?)", row)
        columns = ", ".join(f"CAST({c} AS {k}) AS {c}{t}" for c, k in TYPES)
        values = ", ".join(f"({', '.join(map(literal, row))})" for row in rows or [(None,) * 4])
        setup.append(f"CREATE TABLE mem.default.t{t} AS SELECT {columns} FROM (VALUES {values}) v(a, b, c, s)" +
                     ("" if rows else " WHERE 1 = 0"))
    setup.append("USE mem.default")
    queries, expected = [], []
    while len(queries) < args.count:
        query = maker.query()
        if reference.execute(f"SELECT count(*) FROM ({query}) q").fetchone()[0] > 20000:
            continue
        queries.append(query)
        expected.append(text_rows(reference.execute(query).fetchall()))
    config = os.path.join(args.work, "joins.json")
    with open(config, "w") as file:
        json.dump({"settings": {"connector_path": args.connectors, "metastore": ":memory:"}, "catalogs": {"mem": {"type": "memory"}}}, file)
    os.chmod(config, 0o600)
    failed = 0
    for way in WAYS:
        answers = ask(args, config, setup + [f"SET SESSION {s}" for s in way], queries)
        for query, got, wanted in zip(queries, answers, expected):
            if got == wanted:
                continue
            failed += 1
            what = got if isinstance(got, str) else f"{len(got)} rows instead of {len(wanted)}"
            print(f"FAIL {way}: {query}\n     {what}", flush=True)
    print("\n".join(setup) if failed else "", end="")
    print(f"seed {args.seed}: {len(WAYS) * len(queries)} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
