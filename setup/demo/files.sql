-- files.sql - the demo's files, written by sqlite3 from the shop's database: one CSV file of shipments per
-- year, in folders as other engines make them, and a file of JSON lines.
CREATE TEMP VIEW shipments AS
SELECT order_id, CASE order_id % 3 WHEN 0 THEN 'FedEx' WHEN 1 THEN 'UPS' ELSE 'USPS' END AS carrier,
       date(order_date, '+' || (1 + order_id % 4) || ' days') AS shipped_on,
       printf('%.2f', 4 + order_id % 7 * 0.75) AS cost
FROM orders WHERE shipped;
.mode csv
.headers on
.once files/shipments/year=2023/shipments.csv
SELECT order_id, carrier, shipped_on, cost FROM shipments WHERE shipped_on < '2024-01-01';
.once files/shipments/year=2024/shipments.csv
SELECT order_id, carrier, shipped_on, cost FROM shipments WHERE shipped_on >= '2024-01-01';
.mode list
.headers off
.once files/returns/returns.jsonl
SELECT json_object('order_id', order_id, 'returned_on', date(order_date, '+' || (8 + order_id % 20) || ' days'),
                   'reason', CASE order_id % 3 WHEN 0 THEN 'damaged' WHEN 1 THEN 'too late' ELSE 'changed my mind' END)
FROM orders WHERE shipped AND order_id % 23 = 0;
