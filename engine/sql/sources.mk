# engine/sql: text to syntax tree and back
ENGINE_SOURCES += \
	engine/sql/ast.h engine/sql/parser.h engine/sql/parse.h engine/sql/print.h \
	engine/sql/keywords.def engine/sql/lexer.c engine/sql/lexer.h \
	engine/sql/parser.c engine/sql/parse_expr.c engine/sql/parse_call.c engine/sql/parse_type.c \
	engine/sql/parse_json.c engine/sql/parse_query.c engine/sql/parse_relation.c \
	engine/sql/parse_statement.c engine/sql/parse_ddl.c engine/sql/parse_hive.c engine/sql/escapes.c \
	engine/sql/printer.c engine/sql/print_query.c engine/sql/print_statement.c
