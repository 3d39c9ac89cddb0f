# connectors/template
