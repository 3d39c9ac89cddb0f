# engine/runtime
