-- shop.sql - a small shop as an SQLite database: customers, products, orders and their items.
-- Made by recursive queries, so that it is the same everywhere.
PRAGMA journal_mode = DELETE;
BEGIN;
CREATE TABLE customers (
  customer_id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  country VARCHAR(20) NOT NULL,
  since DATE NOT NULL
);
CREATE TABLE products (
  product_id INTEGER PRIMARY KEY,
  name VARCHAR(40) NOT NULL,
  category VARCHAR(20) NOT NULL,
  price DECIMAL(10,2) NOT NULL
);
CREATE TABLE orders (
  order_id INTEGER PRIMARY KEY,
  customer_id INTEGER NOT NULL REFERENCES customers,
  order_date DATE NOT NULL,
  shipped BOOLEAN NOT NULL
);
CREATE TABLE order_items (
  order_id INTEGER NOT NULL REFERENCES orders,
  product_id INTEGER NOT NULL REFERENCES products,
  quantity INTEGER NOT NULL,
  PRIMARY KEY (order_id, product_id)
);
CREATE INDEX orders_date ON orders (order_date);

INSERT INTO products VALUES
  (1, 'Laptop Pro 15', 'computers', 1299.99), (2, 'Wireless Mouse', 'accessories', 29.99),
  (3, 'Mechanical Keyboard', 'accessories', 129.99), (4, '4K Monitor', 'displays', 399.99),
  (5, 'Noise-Canceling Headphones', 'audio', 249.99), (6, 'USB-C Hub', 'accessories', 79.99),
  (7, 'Desk Lamp', 'office', 44.50), (8, 'Studio Microphone', 'audio', 189.00),
  (9, 'Tablet 11', 'computers', 549.00), (10, 'Portable SSD', 'storage', 119.95);

INSERT INTO customers
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)
SELECT i,
       CASE i % 5 WHEN 0 THEN 'Zoë' WHEN 1 THEN 'Ada' WHEN 2 THEN 'Jörg' WHEN 3 THEN 'Mei' ELSE 'Tomás' END || ' ' || i,
       CASE i % 7 WHEN 0 THEN 'Japan' WHEN 1 THEN 'Germany' WHEN 2 THEN 'Brazil' WHEN 3 THEN 'Germany'
                  WHEN 4 THEN 'France' WHEN 5 THEN 'Canada' ELSE 'France' END,
       date('2019-01-01', '+' || (i * 9) || ' days')
FROM n;

INSERT INTO orders
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
SELECT i, 1 + (i * 37) % 200, date('2023-01-01', '+' || (i * 11 % 730) || ' days'), i % 9 <> 0
FROM n;

INSERT INTO order_items
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 7499)
SELECT DISTINCT 1 + i % 3000, 1 + (i * 7 + i / 3000 * 3) % 10, 1 + (i * 13) % 4
FROM n;
COMMIT;
ANALYZE;
