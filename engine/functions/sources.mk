# engine/functions
