# engine/base
