/*
 * info_table.c - SQLGetInfo as rows.
 *
 * Bitmaps of functions, aggregates and conversions are derived from the engine's registries through
 * the ODBC tokens of ids.def: a bit is claimed only where the engine has a kernel. Everything else is
 * a constant of this driver or a fact of the connection.
 */
#include "driver/dbc.h"

#include <stdio.h>

#include "driver/stmt.h"

typedef enum InfoKind {
    INFO_TEXT,
    INFO_16,
    INFO_32,
    INFO_TEXT_OF,
    INFO_16_OF,
    INFO_32_OF
} InfoKind;

/* What a row's function fills in: a text (on the call's scratch, or constant) or a number. */
typedef struct InfoOut {
    Dbc *dbc;
    SQLUSMALLINT type;
    Str text;
    uint32_t number;
} InfoOut;

typedef struct InfoRow {
    SQLUSMALLINT type;
    uint8_t kind;
    uint32_t number;
    const char *text;
    void (*of)(InfoOut *out);
} InfoRow;

/* ---- from the registries */

enum { GROUP_STR = 1, GROUP_NUM, GROUP_TD, GROUP_SYS, GROUP_AF };

typedef struct FunctionBit {
    uint16_t function;
    uint8_t group;
    uint32_t bit;
} FunctionBit;

#define BIT_NONE(name, bit)
#define BIT_STR(name, bit) {TRIB_FN_##name, GROUP_STR, SQL_FN_STR_##bit},
#define BIT_NUM(name, bit) {TRIB_FN_##name, GROUP_NUM, SQL_FN_NUM_##bit},
#define BIT_TD(name, bit)  {TRIB_FN_##name, GROUP_TD, SQL_FN_TD_##bit},
#define BIT_SYS(name, bit) {TRIB_FN_##name, GROUP_SYS, SQL_FN_SYS_##bit},
#define SQL_AF_NONE        0

static const FunctionBit function_bits[] = {
#define FN(number, name, odbc_group, odbc_bit) BIT_##odbc_group(name, odbc_bit)
#define AGG(number, name, odbc_bit)            {TRIB_AGG_##name, GROUP_AF, SQL_AF_##odbc_bit},
#include "connectors/ids.def"
};

/* Functions that {fn} rewrites (engine/sql/escapes.c), and what they are made of. */
static const FunctionBit escape_bits[] = {
    {TRIB_FN_codepoint, GROUP_STR, SQL_FN_STR_ASCII},
    {TRIB_FN_chr, GROUP_STR, SQL_FN_STR_CHAR},
    {TRIB_FN_substr, GROUP_STR, SQL_FN_STR_INSERT},
    {TRIB_FN_strpos, GROUP_STR, SQL_FN_STR_LOCATE_2 | SQL_FN_STR_POSITION},
    {TRIB_FN_length, GROUP_STR, SQL_FN_STR_CHAR_LENGTH | SQL_FN_STR_CHARACTER_LENGTH},
    {TRIB_FN_to_utf8, GROUP_STR, SQL_FN_STR_OCTET_LENGTH | SQL_FN_STR_BIT_LENGTH},
    {TRIB_FN_rpad, GROUP_STR, SQL_FN_STR_SPACE},
    {TRIB_FN_soundex, GROUP_STR, SQL_FN_STR_SOUNDEX},
    {TRIB_FN_tan, GROUP_NUM, SQL_FN_NUM_COT},
    {TRIB_FN_date_format, GROUP_TD, SQL_FN_TD_DAYNAME | SQL_FN_TD_MONTHNAME},
    {TRIB_FN_current_date, GROUP_TD, SQL_FN_TD_CURRENT_DATE},
    {TRIB_FN_localtime, GROUP_TD, SQL_FN_TD_CURRENT_TIME},
    {TRIB_FN_localtimestamp, GROUP_TD, SQL_FN_TD_CURRENT_TIMESTAMP},
    {TRIB_FN_year, GROUP_TD, SQL_FN_TD_EXTRACT},
};

static uint32_t bits_in(const FunctionBit *rows, size_t count, uint8_t group) {
    uint32_t bits = 0;
    for (size_t i = 0; i < count; i++)
        if (rows[i].group == group && engine_has_function((TribFunctionId)rows[i].function))
            bits |= rows[i].bit;
    return bits;
}

static uint32_t group_bits(uint8_t group) {
    return bits_in(function_bits, COUNT_OF(function_bits), group) |
           bits_in(escape_bits, COUNT_OF(escape_bits), group);
}

static void of_string_functions(InfoOut *out) {
    out->number = group_bits(GROUP_STR);
}

static void of_numeric_functions(InfoOut *out) {
    out->number = group_bits(GROUP_NUM);
}

static void of_timedate_functions(InfoOut *out) {
    out->number = group_bits(GROUP_TD);
}

static void of_system_functions(InfoOut *out) {
    out->number = group_bits(GROUP_SYS);
}

static void of_aggregates(InfoOut *out) {
    out->number = group_bits(GROUP_AF) | SQL_AF_DISTINCT | SQL_AF_ALL;
}

static void of_add_intervals(InfoOut *out) {
    bool has = engine_has_function(out->type == SQL_TIMEDATE_ADD_INTERVALS ? TRIB_FN_date_add
                                                                           : TRIB_FN_date_diff);
    out->number = has ? SQL_FN_TSI_SECOND | SQL_FN_TSI_MINUTE | SQL_FN_TSI_HOUR | SQL_FN_TSI_DAY |
                            SQL_FN_TSI_WEEK | SQL_FN_TSI_MONTH | SQL_FN_TSI_QUARTER |
                            SQL_FN_TSI_YEAR
                      : 0;
}

static uint32_t bit_if(TribFunctionId id, uint32_t bit) {
    return engine_has_function(id) ? bit : 0;
}

static void of_datetime92(InfoOut *out) {
    out->number = bit_if(TRIB_FN_current_date, SQL_SDF_CURRENT_DATE) |
                  bit_if(TRIB_FN_current_time, SQL_SDF_CURRENT_TIME) |
                  bit_if(TRIB_FN_current_timestamp, SQL_SDF_CURRENT_TIMESTAMP);
}

static void of_numeric92(InfoOut *out) {
    out->number = bit_if(TRIB_FN_length, SQL_SNVF_CHAR_LENGTH | SQL_SNVF_CHARACTER_LENGTH) |
                  bit_if(TRIB_FN_year, SQL_SNVF_EXTRACT) |
                  bit_if(TRIB_FN_strpos, SQL_SNVF_POSITION);
}

static void of_string92(InfoOut *out) {
    out->number =
        bit_if(TRIB_FN_lower, SQL_SSF_LOWER) | bit_if(TRIB_FN_upper, SQL_SSF_UPPER) |
        bit_if(TRIB_FN_substr, SQL_SSF_SUBSTRING) | bit_if(TRIB_FN_trim, SQL_SSF_TRIM_BOTH) |
        bit_if(TRIB_FN_ltrim, SQL_SSF_TRIM_LEADING) | bit_if(TRIB_FN_rtrim, SQL_SSF_TRIM_TRAILING);
}

/* SQL_CONVERT_<type>: to which types a value of it can be cast. */
typedef struct ConvertRow {
    SQLUSMALLINT type;
    uint8_t id;
    uint32_t bit;
} ConvertRow;

static const ConvertRow convert_rows[] = {
    {SQL_CONVERT_CHAR, TRIB_TYPE_CHAR, SQL_CVT_CHAR},
    {SQL_CONVERT_VARCHAR, TRIB_TYPE_VARCHAR, SQL_CVT_VARCHAR},
    {SQL_CONVERT_LONGVARCHAR, TRIB_TYPE_VARCHAR, SQL_CVT_LONGVARCHAR},
    {SQL_CONVERT_WCHAR, TRIB_TYPE_CHAR, SQL_CVT_WCHAR},
    {SQL_CONVERT_WVARCHAR, TRIB_TYPE_VARCHAR, SQL_CVT_WVARCHAR},
    {SQL_CONVERT_WLONGVARCHAR, TRIB_TYPE_VARCHAR, SQL_CVT_WLONGVARCHAR},
    {SQL_CONVERT_BIT, TRIB_TYPE_BOOLEAN, SQL_CVT_BIT},
    {SQL_CONVERT_TINYINT, TRIB_TYPE_TINYINT, SQL_CVT_TINYINT},
    {SQL_CONVERT_SMALLINT, TRIB_TYPE_SMALLINT, SQL_CVT_SMALLINT},
    {SQL_CONVERT_INTEGER, TRIB_TYPE_INTEGER, SQL_CVT_INTEGER},
    {SQL_CONVERT_BIGINT, TRIB_TYPE_BIGINT, SQL_CVT_BIGINT},
    {SQL_CONVERT_DECIMAL, TRIB_TYPE_DECIMAL, SQL_CVT_DECIMAL},
    {SQL_CONVERT_NUMERIC, TRIB_TYPE_DECIMAL, SQL_CVT_NUMERIC},
    {SQL_CONVERT_REAL, TRIB_TYPE_REAL, SQL_CVT_REAL},
    {SQL_CONVERT_FLOAT, TRIB_TYPE_DOUBLE, SQL_CVT_FLOAT},
    {SQL_CONVERT_DOUBLE, TRIB_TYPE_DOUBLE, SQL_CVT_DOUBLE},
    {SQL_CONVERT_BINARY, TRIB_TYPE_VARBINARY, SQL_CVT_BINARY},
    {SQL_CONVERT_VARBINARY, TRIB_TYPE_VARBINARY, SQL_CVT_VARBINARY},
    {SQL_CONVERT_LONGVARBINARY, TRIB_TYPE_VARBINARY, SQL_CVT_LONGVARBINARY},
    {SQL_CONVERT_DATE, TRIB_TYPE_DATE, SQL_CVT_DATE},
    {SQL_CONVERT_TIME, TRIB_TYPE_TIME, SQL_CVT_TIME},
    {SQL_CONVERT_TIMESTAMP, TRIB_TYPE_TIMESTAMP, SQL_CVT_TIMESTAMP},
    {SQL_CONVERT_INTERVAL_YEAR_MONTH, TRIB_TYPE_INTERVAL_YM, SQL_CVT_INTERVAL_YEAR_MONTH},
    {SQL_CONVERT_INTERVAL_DAY_TIME, TRIB_TYPE_INTERVAL_DS, SQL_CVT_INTERVAL_DAY_TIME},
    {SQL_CONVERT_GUID, TRIB_TYPE_UUID, SQL_CVT_GUID},
};

static void of_convert(InfoOut *out) {
    for (size_t from = 0; from < COUNT_OF(convert_rows); from++) {
        if (convert_rows[from].type != out->type) continue;
        for (size_t to = 0; to < COUNT_OF(convert_rows); to++)
            if (engine_can_cast((TribTypeId)convert_rows[from].id, (TribTypeId)convert_rows[to].id))
                out->number |= convert_rows[to].bit;
        return;
    }
}

/* ---- facts of the connection */

static void text_copy(InfoOut *out, Str text) {
    Arena *scratch = handle_scratch(&out->dbc->base);
    char *copy = scratch && text.data ? str_dup(scratch, text) : NULL;
    out->text = copy ? (Str){copy, text.len} : STR("");
}

static void of_dsn(InfoOut *out) {
    text_copy(out, out->dbc->dsn);
}

static void of_server(InfoOut *out) {
    text_copy(out, out->dbc->server);
}

static void of_database(InfoOut *out) {
    if (out->dbc->state == DBC_CONNECTED) text_copy(out, session_catalog(out->dbc->session));
}

static void of_user(InfoOut *out) {
    if (out->dbc->state == DBC_CONNECTED) text_copy(out, session_user(out->dbc->session));
}

static bool writes_refused(const Dbc *dbc) {
    return dbc->writes_refused || dbc->options.access_mode == SQL_MODE_READ_ONLY;
}

/* Of a catalog; one whose connector cannot be loaded takes no writes. */
static void catalog_facts(Dbc *dbc, Str name, TransactionFacts *out) {
    Error ignored;
    if (session_transaction_facts(dbc->session, name, out, &ignored) != TRIB_OK)
        *out = (TransactionFacts){0};
}

/* What the default catalog can do; without one, what any can. */
static void writing_facts(Dbc *dbc, TransactionFacts *out) {
    const CatalogSummary *catalogs;
    *out = (TransactionFacts){0};
    if (session_catalog(dbc->session).len > 0) {
        catalog_facts(dbc, STR(""), out);
        return;
    }
    uint32_t count = session_catalogs(dbc->session, &catalogs);
    for (uint32_t i = 0; i < count; i++) {
        TransactionFacts facts;
        catalog_facts(dbc, str_from(catalogs[i].name), &facts);
        out->writable |= facts.writable;
        out->makes_schemas |= facts.makes_schemas;
    }
}

static bool takes_writes(Dbc *dbc) {
    TransactionFacts facts;
    writing_facts(dbc, &facts);
    return facts.writable;
}

static void of_read_only(InfoOut *out) {
    bool writes = !writes_refused(out->dbc) && takes_writes(out->dbc);
    out->text = writes ? STR("N") : STR("Y");
}

#define FORWARD_ATTRIBUTES \
    (SQL_CA1_NEXT | SQL_CA1_LOCK_NO_CHANGE | SQL_CA1_POS_POSITION | SQL_CA1_POS_REFRESH)
#define FORWARD_WRITES                                                                        \
    (SQL_CA1_POS_UPDATE | SQL_CA1_POS_DELETE | SQL_CA1_BULK_ADD | SQL_CA1_POSITIONED_UPDATE | \
     SQL_CA1_POSITIONED_DELETE)
#define STATIC_ATTRIBUTES                                                          \
    (FORWARD_ATTRIBUTES | SQL_CA1_ABSOLUTE | SQL_CA1_RELATIVE | SQL_CA1_BOOKMARK | \
     SQL_CA1_BULK_FETCH_BY_BOOKMARK)
#define STATIC_WRITES \
    (FORWARD_WRITES | SQL_CA1_BULK_UPDATE_BY_BOOKMARK | SQL_CA1_BULK_DELETE_BY_BOOKMARK)
#define ATTRIBUTES2 \
    (SQL_CA2_READ_ONLY_CONCURRENCY | SQL_CA2_MAX_ROWS_SELECT | SQL_CA2_MAX_ROWS_CATALOG)
#define WRITES2 (SQL_CA2_OPT_VALUES_CONCURRENCY | SQL_CA2_SIMULATE_UNIQUE)

#define INSERTS     (SQL_IS_INSERT_LITERALS | SQL_IS_INSERT_SEARCHED)
#define INDEXES     (SQL_DI_CREATE_INDEX | SQL_DI_DROP_INDEX)
#define TABLE_DROPS (SQL_DT_DROP_TABLE | SQL_DT_CASCADE | SQL_DT_RESTRICT)
#define TABLE_ALTERS                                                     \
    (SQL_AT_ADD_COLUMN | SQL_AT_DROP_COLUMN | SQL_AT_ADD_COLUMN_SINGLE | \
     SQL_AT_ADD_COLUMN_DEFAULT | SQL_AT_DROP_COLUMN_CASCADE | SQL_AT_DROP_COLUMN_RESTRICT)
#define TABLE_CREATES                                                                    \
    (SQL_CT_CREATE_TABLE | SQL_CT_TABLE_CONSTRAINT | SQL_CT_CONSTRAINT_NAME_DEFINITION | \
     SQL_CT_COLUMN_CONSTRAINT | SQL_CT_COLUMN_DEFAULT)

/* What is so of every catalog, and of those that take writes besides. */
typedef struct ChangeBits {
    SQLUSMALLINT type;
    uint32_t always, written;
} ChangeBits;

static const ChangeBits change_bits[] = {
    {SQL_SCROLL_CONCURRENCY, SQL_SCCO_READ_ONLY, SQL_SCCO_OPT_VALUES},
    {SQL_POS_OPERATIONS, SQL_POS_POSITION | SQL_POS_REFRESH,
     SQL_POS_UPDATE | SQL_POS_DELETE | SQL_POS_ADD},
    {SQL_POSITIONED_STATEMENTS, 0, SQL_PS_POSITIONED_DELETE | SQL_PS_POSITIONED_UPDATE},
    {SQL_STATIC_SENSITIVITY, 0, SQL_SS_UPDATES},
    {SQL_FORWARD_ONLY_CURSOR_ATTRIBUTES1, FORWARD_ATTRIBUTES, FORWARD_WRITES},
    {SQL_FORWARD_ONLY_CURSOR_ATTRIBUTES2, ATTRIBUTES2, WRITES2},
    {SQL_STATIC_CURSOR_ATTRIBUTES1, STATIC_ATTRIBUTES, STATIC_WRITES},
    {SQL_STATIC_CURSOR_ATTRIBUTES2, ATTRIBUTES2, WRITES2 | SQL_CA2_SENSITIVITY_UPDATES},
    {SQL_INSERT_STATEMENT, 0, INSERTS},
    {SQL_CREATE_TABLE, 0, TABLE_CREATES},
    {SQL_ALTER_TABLE, 0, TABLE_ALTERS},
    {SQL_DROP_TABLE, 0, TABLE_DROPS},
    {SQL_DDL_INDEX, 0, INDEXES},
};

static void of_changes(InfoOut *out) {
    bool written = !writes_refused(out->dbc) && takes_writes(out->dbc);
    for (size_t i = 0; i < COUNT_OF(change_bits); i++) {
        if (change_bits[i].type != out->type) continue;
        out->number = change_bits[i].always | (written ? change_bits[i].written : 0);
    }
}

static void of_schemas(InfoOut *out) {
    TransactionFacts facts;
    writing_facts(out->dbc, &facts);
    bool made = facts.makes_schemas && !writes_refused(out->dbc);
    out->number = !made                            ? 0
                  : out->type == SQL_CREATE_SCHEMA ? SQL_CS_CREATE_SCHEMA
                                                   : SQL_DS_DROP_SCHEMA;
}

static void of_several(InfoOut *out) {
    TransactionFacts facts;
    dbc_transaction_facts(out->dbc, &facts);
    out->text = facts.several ? STR("Y") : STR("N");
}

/* Transactions are those of the default catalog. */
static void of_transactions(InfoOut *out) {
    TransactionFacts facts;
    dbc_transaction_facts(out->dbc, &facts);
    out->number = !facts.capable ? SQL_TC_NONE : facts.ddl_commits ? SQL_TC_DDL_COMMIT : SQL_TC_ALL;
}

static void of_isolations(InfoOut *out) {
    TransactionFacts facts;
    dbc_transaction_facts(out->dbc, &facts);
    out->number = facts.capable ? facts.isolations : 0;
}

static void of_isolation(InfoOut *out) {
    TransactionFacts facts;
    dbc_transaction_facts(out->dbc, &facts);
    out->number = facts.capable ? facts.default_isolation : 0;
}

/* "0.1.0" as "00.01.0000" and what follows. */
static void of_version(InfoOut *out) {
    const char *version = engine_version();
    unsigned part[3] = {0, 0, 0}, n = 0;
    for (const char *c = version; *c && n < 3; c++) {
        if (*c == '.')
            n++;
        else if (*c >= '0' && *c <= '9')
            part[n] = part[n] * 10 + (unsigned)(*c - '0');
        else
            break;
    }
    Arena *scratch = handle_scratch(&out->dbc->base);
    char *text = scratch ? arena_printf(scratch, "%02u.%02u.%04u Tributary %s", part[0] % 100,
                                        part[1] % 100, part[2] % 10000, version)
                         : NULL;
    out->text = str_from(text ? text : "00.00.0000");
}

static bool is_odbc_keyword(const char *word) {
    static const char odbc[] = SQL_ODBC_KEYWORDS;
    size_t length = strlen(word);
    for (const char *at = odbc; *at;) {
        const char *end = at;
        while (*end && *end != ',') end++;
        if ((size_t)(end - at) == length && str_equal_fold((Str){at, length}, (Str){word, length}))
            return true;
        at = *end ? end + 1 : end;
    }
    return false;
}

static void of_keywords(InfoOut *out) {
    Buf text;
    Arena *scratch = handle_scratch(&out->dbc->base);
    if (!scratch) return;
    buf_init(&text, scratch, 64 * 1024);
    const char *word;
    for (uint32_t i = 0; (word = engine_reserved_word(i)) != NULL; i++) {
        if (is_odbc_keyword(word)) continue;
        if (text.len) buf_char(&text, ',');
        for (const char *c = word; *c; c++)
            buf_char(&text, *c >= 'a' && *c <= 'z' ? (char)(*c - 32) : *c);
    }
    out->text = buf_view(&text);
}

#define T(type, value)          {type, INFO_TEXT, 0, value, NULL},
#define N16(type, value)        {type, INFO_16, value, NULL, NULL},
#define N32(type, value)        {type, INFO_32, value, NULL, NULL},
#define TEXT_OF(type, function) {type, INFO_TEXT_OF, 0, NULL, function},
#define N16_OF(type, function)  {type, INFO_16_OF, 0, NULL, function},
#define BITS_OF(type, function) {type, INFO_32_OF, 0, NULL, function},

#define NAME_USAGE (SQL_CU_DML_STATEMENTS | SQL_CU_TABLE_DEFINITION | SQL_CU_INDEX_DEFINITION)
#define SCROLL_DIRECTIONS                                                              \
    (SQL_FD_FETCH_NEXT | SQL_FD_FETCH_FIRST | SQL_FD_FETCH_LAST | SQL_FD_FETCH_PRIOR | \
     SQL_FD_FETCH_ABSOLUTE | SQL_FD_FETCH_RELATIVE | SQL_FD_FETCH_BOOKMARK)
#define LITERALS                                                                                   \
    (SQL_DL_SQL92_DATE | SQL_DL_SQL92_TIME | SQL_DL_SQL92_TIMESTAMP | SQL_DL_SQL92_INTERVAL_YEAR | \
     SQL_DL_SQL92_INTERVAL_MONTH | SQL_DL_SQL92_INTERVAL_DAY | SQL_DL_SQL92_INTERVAL_HOUR |        \
     SQL_DL_SQL92_INTERVAL_MINUTE | SQL_DL_SQL92_INTERVAL_SECOND |                                 \
     SQL_DL_SQL92_INTERVAL_YEAR_TO_MONTH | SQL_DL_SQL92_INTERVAL_DAY_TO_HOUR |                     \
     SQL_DL_SQL92_INTERVAL_DAY_TO_MINUTE | SQL_DL_SQL92_INTERVAL_DAY_TO_SECOND |                   \
     SQL_DL_SQL92_INTERVAL_HOUR_TO_MINUTE | SQL_DL_SQL92_INTERVAL_HOUR_TO_SECOND |                 \
     SQL_DL_SQL92_INTERVAL_MINUTE_TO_SECOND)
#define JOINS                                                                                      \
    (SQL_SRJO_CROSS_JOIN | SQL_SRJO_EXCEPT_JOIN | SQL_SRJO_FULL_OUTER_JOIN | SQL_SRJO_INNER_JOIN | \
     SQL_SRJO_INTERSECT_JOIN | SQL_SRJO_LEFT_OUTER_JOIN | SQL_SRJO_NATURAL_JOIN |                  \
     SQL_SRJO_RIGHT_OUTER_JOIN)
#define PREDICATES                                                                                 \
    (SQL_SP_EXISTS | SQL_SP_ISNOTNULL | SQL_SP_ISNULL | SQL_SP_LIKE | SQL_SP_IN | SQL_SP_BETWEEN | \
     SQL_SP_COMPARISON | SQL_SP_QUANTIFIED_COMPARISON)
#define SUBQUERIES                                                       \
    (SQL_SQ_COMPARISON | SQL_SQ_EXISTS | SQL_SQ_IN | SQL_SQ_QUANTIFIED | \
     SQL_SQ_CORRELATED_SUBQUERIES)
#define ROW_VALUES (SQL_SRVC_VALUE_EXPRESSION | SQL_SRVC_NULL | SQL_SRVC_ROW_SUBQUERY)
#define OUTER_JOINS                                                                  \
    (SQL_OJ_LEFT | SQL_OJ_RIGHT | SQL_OJ_FULL | SQL_OJ_NESTED | SQL_OJ_NOT_ORDERED | \
     SQL_OJ_INNER | SQL_OJ_ALL_COMPARISON_OPS)

static const InfoRow info_rows[] = {
#include "driver/info.def"
};

static SQLRETURN number_out(SQLPOINTER value, SQLSMALLINT *length, uint32_t number, size_t size) {
    uint16_t narrow = (uint16_t)number;
    if (value) memcpy(value, size == 2 ? (void *)&narrow : (void *)&number, size);
    if (length) *length = (SQLSMALLINT)size;
    return SQL_SUCCESS;
}

SQLRETURN dbc_info(Dbc *self, SQLUSMALLINT type, SQLPOINTER value, SQLSMALLINT capacity,
                   SQLSMALLINT *length, bool wide) {
    const InfoRow *row = NULL;
    for (size_t i = 0; i < COUNT_OF(info_rows) && !row; i++)
        if (info_rows[i].type == type) row = &info_rows[i];
    if (!row)
        return diag_error(&self->base, ERR_INFORMATION_TYPE, "there is no information type %u",
                          (unsigned)type);
    if (self->state != DBC_CONNECTED && type != SQL_ODBC_VER)
        return diag_error(&self->base, ERR_CONNECTION_NOT_OPEN, "the connection is not open");
    InfoOut out = {.dbc = self,
                   .type = type,
                   .text = str_from(row->text ? row->text : ""),
                   .number = row->number};
    if (row->of) row->of(&out);
    if (row->kind == INFO_16 || row->kind == INFO_16_OF)
        return number_out(value, length, out.number, 2);
    if (row->kind == INFO_32 || row->kind == INFO_32_OF)
        return number_out(value, length, out.number, 4);
    if (value && capacity < 0)
        return diag_error(&self->base, ERR_STRING_LENGTH, "the buffer's length is negative");
    TextOut text = {.buffer = value,
                    .capacity = wide ? capacity / 2 : capacity,
                    .wide = wide,
                    .bytes = true,
                    .length16 = length};
    return call_text_out(&self->base, &text, out.text);
}
