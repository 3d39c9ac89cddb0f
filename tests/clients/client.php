<?php
// PHP: the odbc functions and PDO_ODBC. usage: client.php DSN ROWS.SQL
[, $dsn, $file] = $argv;
$sql = file_get_contents($file);
function check($name, $got, $want) { if ($got !== $want) { fwrite(STDERR, "$name: got " . var_export($got, true) . ", wanted " . var_export($want, true) . "\n"); exit(1); } }

$c = odbc_connect($dsn, "", "");
$r = odbc_prepare($c, $sql);
check("execute", odbc_execute($r, [1]), true);
check("type", odbc_field_type($r, 2), "decimal");
$rows = [];
while ($row = odbc_fetch_array($r)) $rows[] = $row;
check("rows", count($rows), 3);
check("row", $rows[0], ["i" => "1", "n" => "1.50", "s" => "Grüße", "d" => "2024-02-29", "f" => "0.5", "b" => "1", "w" => "2024-01-01 10:00:00.123456"]);
check("nulls", $rows[1]["n"], null);
$r = odbc_exec($c, "SELECT x FROM (VALUES 10, 20, 30) t(x) ORDER BY x");
odbc_fetch_row($r, 3); check("row 3", odbc_result($r, 1), "30");
odbc_fetch_row($r, 1); check("row 1", odbc_result($r, 1), "10");
check("bad statement", @odbc_exec($c, "SELECT nothing FROM (VALUES 1) t(x)"), false);
check("state", odbc_error($c), "S0022");
$t = odbc_tables($c, "mysql_catalog", "analytics_db", "sample_orders", "TABLE");
check("tables", odbc_fetch_row($t), true);

$p = new PDO("odbc:$dsn");
$p->setAttribute(PDO::ATTR_ERRMODE, PDO::ERRMODE_EXCEPTION);
$s = $p->prepare($sql);
$s->execute([2]);
$rows = $s->fetchAll(PDO::FETCH_NUM);
check("PDO rows", count($rows), 2);
check("PDO row", $rows[1], ["3", "-3.25", "", "1999-12-31", "-1.0E10", null, "1970-01-01 00:00:00.000000"]);
$s = $p->prepare("SELECT x FROM (VALUES 10, 20, 30) t(x) ORDER BY x", [PDO::ATTR_CURSOR => PDO::CURSOR_SCROLL]);
$s->execute();
check("last", $s->fetch(PDO::FETCH_NUM, PDO::FETCH_ORI_LAST)[0], "30");
check("prior", $s->fetch(PDO::FETCH_NUM, PDO::FETCH_ORI_PRIOR)[0], "20");
check("absolute", $s->fetch(PDO::FETCH_NUM, PDO::FETCH_ORI_ABS, 1)[0], "10");
try { $p->query("SELECT nothing FROM (VALUES 1) t(x)"); check("error", "none", "42S22"); }
catch (PDOException $e) { check("PDO state", $e->getCode(), "42S22"); }
check("after an error", $p->query("SELECT 42")->fetchColumn(), "42");

// storing and transactions
$c = odbc_connect("DSN=$dsn;Catalog=mem", "", "");
odbc_exec($c, "CREATE TABLE php_rows (id integer, text varchar(20))");
odbc_autocommit($c, false);
$r = odbc_prepare($c, "INSERT INTO php_rows VALUES (?, ?)");
foreach ([[1, "Grüße"], [2, null]] as $values) check("insert", odbc_execute($r, $values), true);
check("num_rows", odbc_num_rows($r), 1);
check("rollback", odbc_rollback($c), true);
check("insert again", odbc_execute($r, [3, "drei"]), true);
check("commit", odbc_commit($c), true);
odbc_autocommit($c, true);
$p = new PDO("odbc:DSN=$dsn;Catalog=mem");
$p->setAttribute(PDO::ATTR_ERRMODE, PDO::ERRMODE_EXCEPTION);
check("PDO reads", $p->query("SELECT id, text FROM php_rows")->fetchAll(PDO::FETCH_NUM), [["3", "drei"]]);
$p->beginTransaction();
$s = $p->prepare("INSERT INTO php_rows VALUES (?, ?)");
check("PDO insert", $s->execute([4, "vier"]), true);
check("PDO rowCount", $s->rowCount(), 1);
$p->rollBack();
check("PDO rolled back", $p->query("SELECT count(*) FROM php_rows")->fetchColumn(), "1");
$p->exec("DROP TABLE php_rows");
