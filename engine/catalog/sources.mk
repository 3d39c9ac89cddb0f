# engine/catalog
