# connectors/memory
