# engine/source
