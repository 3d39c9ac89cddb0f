-- The shop of the demo: an SQLite database with customers and orders.
CREATE TABLE customers (id INTEGER PRIMARY KEY, name VARCHAR(80) NOT NULL, city VARCHAR(40));
INSERT INTO customers VALUES (101, 'Ada Berg', 'Bergen'), (102, 'Bruno Costa', 'Porto'), (103, 'Chen Li', 'Xi''an'),
                             (104, 'Dana Novak', 'Brno'), (105, 'Emil Åkesson', NULL);
CREATE TABLE orders (order_id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL, product VARCHAR(80), quantity INTEGER,
                     price DECIMAL(10,2), order_date DATE);
INSERT INTO orders VALUES (1001, 101, 'Laptop Pro 15', 1, 1299.99, '2024-01-15'),
                          (1002, 102, 'Wireless Mouse', 2, 29.99, '2024-01-16'),
                          (1003, 103, 'Mechanical Keyboard', 1, 129.99, '2024-01-17'),
                          (1004, 101, '4K Monitor', 1, 399.99, '2024-01-18'),
                          (1005, 104, 'Noise-Canceling Headphones', 1, 249.99, '2024-01-19'),
                          (1006, 105, 'USB-C Hub', 3, 79.99, '2024-01-20');
