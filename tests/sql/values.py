"""Values of random tables: hostile texts, and how tests/sql/runner shows a value."""
import datetime
import decimal

D = decimal.Decimal
TEXTS = ["", "a", "A", "a ", " a", "b", "B", "ab", "aB", "ä", "Ä", "ß", "ss", "İ", "i", "😀", "ｚ", "e\u0301", "é", "%", "_", "a%b",
         "a_b", "\\", "'", "\"", "0", "10", "9", "NULL", "zzzzzzzzzzzzzzzzzzzz", "aaaaaaaaaaaaaaaaaaab", "12 chars..12", "13 chars...13"]


def java_double(value):
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    sign = "-" if str(value)[0] == "-" else ""
    digits = D(repr(abs(value))).as_tuple()
    text = "".join(map(str, digits.digits)).rstrip("0") or "0"
    exponent = len(digits.digits) + digits.exponent - 1
    if value == 0:
        return sign + "0.0"
    if -3 <= exponent < 7:
        whole = text[:exponent + 1].ljust(exponent + 1, "0") if exponent >= 0 else "0"
        rest = text[exponent + 1:] if exponent >= 0 else "0" * (-exponent - 1) + text
        return f"{sign}{whole}.{rest or '0'}"
    return f"{sign}{text[0]}.{text[1:] or '0'}E{exponent}"


def cell(value):
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return java_double(value)
    if isinstance(value, datetime.datetime):
        return value.isoformat(" ", "microseconds")
    if isinstance(value, bytes):
        return value.hex() or "(empty)"
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, D):
        return f"{value:f}"
    if isinstance(value, str):
        return "".join(c if c >= " " else f"\\x{ord(c):02x}" for c in value) or "(empty)"
    return str(value)
