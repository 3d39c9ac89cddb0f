-- TPC-DS query 21
SELECT
  *
FROM (
  SELECT
    w_warehouse_name,
    i_item_id,
    sum(
      CASE
        WHEN (
          CAST(d_date AS date) < DATE '2000-03-11'
        )
        THEN inv_quantity_on_hand
        ELSE 0
      END
    ) AS inv_before,
    sum(
      CASE
        WHEN (
          CAST(d_date AS date) >= DATE '2000-03-11'
        )
        THEN inv_quantity_on_hand
        ELSE 0
      END
    ) AS inv_after
  FROM inventory, warehouse, item, date_dim
  WHERE
    i_current_price BETWEEN 0.99 AND 1.49
    AND i_item_sk = inv_item_sk
    AND inv_warehouse_sk = w_warehouse_sk
    AND inv_date_sk = d_date_sk
    AND d_date BETWEEN DATE '2000-02-10' AND DATE '2000-04-10'
  GROUP BY
    w_warehouse_name,
    i_item_id
) AS x
WHERE
  (
    CASE WHEN inv_before > 0 THEN CAST((
      inv_after * 1.000
    ) AS double) / inv_before ELSE NULL END
  ) BETWEEN CAST(2e0 AS double) / 3e0 AND CAST(3e0 AS double) / 2e0
ORDER BY
  w_warehouse_name NULLS FIRST,
  i_item_id NULLS FIRST
LIMIT 100
