# engine/types
