# engine/optimise
