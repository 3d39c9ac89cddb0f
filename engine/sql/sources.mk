# engine/sql
