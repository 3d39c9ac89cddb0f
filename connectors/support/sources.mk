# connectors/support
