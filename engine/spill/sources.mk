# engine/spill
