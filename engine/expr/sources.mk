# engine/expr
