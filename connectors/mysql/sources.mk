# connectors/mysql
