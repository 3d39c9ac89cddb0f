# connectors/sqlite
