# engine/plan
