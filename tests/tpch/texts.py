"""TPC-H: columns and keys of the tables, the texts of the queries, what is said before them."""
import re
from pathlib import Path

HERE = Path(__file__).resolve().parent
D, I, V = "decimal(15,2)", "bigint", "varchar"
TABLES = {
    "region": {"r_regionkey": I, "r_name": V, "r_comment": V},
    "nation": {"n_nationkey": I, "n_name": V, "n_regionkey": I, "n_comment": V},
    "supplier": {"s_suppkey": I, "s_name": V, "s_address": V, "s_nationkey": I, "s_phone": V, "s_acctbal": D, "s_comment": V},
    "customer": {"c_custkey": I, "c_name": V, "c_address": V, "c_nationkey": I, "c_phone": V, "c_acctbal": D,
                 "c_mktsegment": V, "c_comment": V},
    "part": {"p_partkey": I, "p_name": V, "p_mfgr": V, "p_brand": V, "p_type": V, "p_size": I, "p_container": V,
             "p_retailprice": D, "p_comment": V},
    "partsupp": {"ps_partkey": I, "ps_suppkey": I, "ps_availqty": I, "ps_supplycost": D, "ps_comment": V},
    "orders": {"o_orderkey": I, "o_custkey": I, "o_orderstatus": V, "o_totalprice": D, "o_orderdate": "date",
               "o_orderpriority": V, "o_clerk": V, "o_shippriority": I, "o_comment": V},
    "lineitem": {"l_orderkey": I, "l_partkey": I, "l_suppkey": I, "l_linenumber": I, "l_quantity": D, "l_extendedprice": D,
                 "l_discount": D, "l_tax": D, "l_returnflag": V, "l_linestatus": V, "l_shipdate": "date",
                 "l_commitdate": "date", "l_receiptdate": "date", "l_shipinstruct": V, "l_shipmode": V, "l_comment": V},
}
KEYS = {"region": "r_regionkey", "nation": "n_nationkey", "supplier": "s_suppkey", "customer": "c_custkey",
        "part": "p_partkey", "partsupp": "ps_partkey, ps_suppkey", "orders": "o_orderkey",
        "lineitem": "l_orderkey, l_linenumber"}
IN_MYSQL, IN_SQLITE = ("lineitem", "orders"), ("customer", "nation", "region")


def query_text(number):
    text = (HERE / "queries" / f"q{number:02}.sql").read_text()
    return re.sub(r"(?m)^--.*\n", "", text).strip()


def setup_of(place, schema):
    """What is said before the queries: tables made, or names spread over the sources by views."""
    if place == "memory":
        return [f"CREATE TABLE mem.default.{t} AS SELECT * FROM files.default.{t}" for t in TABLES] + ["USE mem.default"]
    if place == "files":
        return ["USE files.default"]
    if place == "sqlite":
        return ["USE lite.main"]
    where = {t: f"maria.{schema}" if t in IN_MYSQL else "lite.main" if t in IN_SQLITE else "files.default" for t in TABLES}
    return [f"CREATE OR REPLACE VIEW views.default.{t} AS SELECT * FROM {w}.{t}" for t, w in where.items()] + ["USE views.default"]
