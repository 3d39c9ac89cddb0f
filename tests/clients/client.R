# R: RODBC. usage: client.R DSN
library(RODBC)
dsn <- commandArgs(TRUE)[1]
check <- function(name, got, want) if (!isTRUE(all.equal(got, want))) { cat(name, ": got", format(got), "wanted", format(want), "\n"); quit(status = 1) }
c <- odbcConnect(dsn)
r <- sqlQuery(c, "SELECT * FROM (VALUES (1, DECIMAL '1.50', 'a', 0.5E0), (2, NULL, 'b', NULL)) AS t (i, n, s, f) ORDER BY i", stringsAsFactors = FALSE)
check("names", names(r), c("i", "n", "s", "f"))
check("integers", r$i, 1:2)
check("decimals", r$n, c(1.5, NA))
check("texts", r$s, c("a", "b"))
check("doubles", r$f, c(0.5, NA))
check("tables", nrow(sqlTables(c, catalog = "mysql_catalog", schema = "analytics_db", tableName = "sample_orders")), 1L)
e <- sqlQuery(c, "SELECT nothing FROM (VALUES 1) t(x)")
check("state", substr(e[1], 1, 5), "42S22")
check("after an error", sqlQuery(c, "SELECT 42 AS x")$x, 42L)
odbcClose(c)
