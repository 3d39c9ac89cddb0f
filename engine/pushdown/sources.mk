# engine/pushdown
