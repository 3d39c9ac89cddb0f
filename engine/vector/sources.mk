# engine/vector
