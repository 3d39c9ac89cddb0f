/*
 * failure.c - maps error codes.
 *
 * Codes below 2000 and from 3000 on are the server's, those between the client library's. What stands
 * in no row is a general error of the source, with the server's text. The text comes from a machine
 * that is not trusted: it is cleaned before it reaches a message.
 */
#include "connectors/mysql/failure.h"

#include <errmsg.h>
#include <stdio.h>
#include <string.h>

typedef struct FailureRow {
    uint32_t code;
    ErrorCode error;
    bool lost, retryable;
    const char *hint;
} FailureRow;

static const FailureRow failures[] = {
    {1005, ERR_CONSTRAINT, false, false, NULL},
    {1007, ERR_TABLE_EXISTS, false, false, NULL},
    {1008, ERR_SCHEMA_NAME, false, false, NULL},
    {1020, ERR_SERIALIZATION, false, true, NULL},
    {1021, ERR_SOURCE, false, false, "the server's disk is full"},
    {1022, ERR_CONSTRAINT, false, false, NULL},
    {1037, ERR_SOURCE, false, true, "the server is out of memory"},
    {1038, ERR_SOURCE, false, false,
     "raise sort_buffer_size in the server, or SET SESSION push_down = 'off'"},
    {1040, ERR_THROTTLED, false, true,
     "the server has no connection left: lower max_connections here or raise it there"},
    {1041, ERR_SOURCE, false, true, "the server is out of memory"},
    {1044, ERR_AUTHORIZATION, false, false, NULL},
    {1045, ERR_AUTHORIZATION, false, false, "check user and password of the catalog"},
    {1048, ERR_CONSTRAINT, false, false, NULL},
    {1049, ERR_SCHEMA_NAME, false, false, NULL},
    {1050, ERR_TABLE_EXISTS, false, false, NULL},
    {1051, ERR_TABLE_NOT_FOUND, false, false, NULL},
    {1053, ERR_CONNECTION_LOST, true, true, "the server is shutting down"},
    {1054, ERR_COLUMN_NOT_FOUND, false, false, "the table may have changed since it was described"},
    {1059, ERR_LIMIT, false, false, NULL},
    {1060, ERR_COLUMN_EXISTS, false, false, NULL},
    {1061, ERR_INDEX_EXISTS, false, false, NULL},
    {1062, ERR_CONSTRAINT, false, false, NULL},
    {1064, ERR_SYNTAX, false, false, NULL},
    {1067, ERR_INVALID_ARGUMENT, false, false, NULL},
    {1068, ERR_SYNTAX, false, false, NULL},
    {1069, ERR_LIMIT, false, false, NULL},
    {1070, ERR_LIMIT, false, false, NULL},
    {1071, ERR_LIMIT, false, false,
     "the columns of a key may have 3,072 bytes together, four for each character"},
    {1072, ERR_COLUMN_NOT_FOUND, false, false, NULL},
    {1074, ERR_LIMIT, false, false, NULL},
    {1078, ERR_CONNECTION_LOST, true, true, NULL},
    {1090, ERR_SYNTAX, false, false, NULL},
    {1091, ERR_INDEX_NOT_FOUND, false, false, NULL},
    {1114, ERR_SOURCE, false, false, "the table, or the disk of the server, is full"},
    {1117, ERR_LIMIT, false, false, NULL},
    {1118, ERR_LIMIT, false, false,
     "a row may have 65,535 bytes, four for each character of a VARCHAR: make long columns TEXT"},
    {1129, ERR_CONNECTION_REJECTED, true, false,
     "the server blocks this host after many failed connects: FLUSH HOSTS"},
    {1130, ERR_CONNECTION_REJECTED, true, false, "the account does not exist for this host"},
    {1142, ERR_AUTHORIZATION, false, false, "the account lacks a privilege on the table"},
    {1143, ERR_AUTHORIZATION, false, false, "the account lacks a privilege on a column"},
    {1146, ERR_TABLE_NOT_FOUND, false, false,
     "the table may have been dropped since it was described"},
    {1152, ERR_CONNECTION_LOST, true, true, NULL},
    {1153, ERR_LIMIT, true, false, "raise max_allowed_packet in the server"},
    {1158, ERR_CONNECTION_LOST, true, true, NULL},
    {1159, ERR_CONNECTION_LOST, true, true, NULL},
    {1160, ERR_CONNECTION_LOST, true, true, NULL},
    {1161, ERR_CONNECTION_LOST, true, true, NULL},
    {1169, ERR_CONSTRAINT, false, false, NULL},
    {1170, ERR_UNSUPPORTED, false, false,
     "give the column a length: VARCHAR(n) can be part of a key"},
    {1184, ERR_CONNECTION_LOST, true, true, NULL},
    {1203, ERR_THROTTLED, false, true,
     "the account has too many connections: lower max_connections"},
    {1205, ERR_TIMEOUT, false, false, "a lock was not granted in time (lock_timeout)"},
    {1213, ERR_SERIALIZATION, false, true, NULL},
    {1216, ERR_CONSTRAINT, false, false, NULL},
    {1217, ERR_CONSTRAINT, false, false, NULL},
    {1226, ERR_THROTTLED, false, true, "the account has used up a limit"},
    {1227, ERR_AUTHORIZATION, false, false, NULL},
    {1251, ERR_AUTHORIZATION, false, false, NULL},
    {1263, ERR_CONSTRAINT, false, false, NULL},
    {1264, ERR_OUT_OF_RANGE, false, false, NULL},
    {1265, ERR_VALUE_TOO_LONG, false, false, NULL},
    {1288, ERR_UNSUPPORTED, false, false, NULL},
    {1290, ERR_READ_ONLY, false, false, NULL},
    {1292, ERR_DATETIME_FORMAT, false, false, NULL},
    {1301, ERR_LIMIT, false, false, "raise max_allowed_packet in the server"},
    {1305, ERR_SERIALIZATION, false, false, NULL},
    {1317, ERR_SOURCE, false, false, "somebody killed the statement in the server"},
    {1347, ERR_UNSUPPORTED, false, false, NULL},
    {1348, ERR_UNSUPPORTED, false, false, NULL},
    {1364, ERR_CONSTRAINT, false, false, NULL},
    {1365, ERR_DIVISION_BY_ZERO, false, false, NULL},
    {1366, ERR_INVALID_ENCODING, false, false,
     "the character set of the column does not have this character"},
    {1406, ERR_VALUE_TOO_LONG, false, false, NULL},
    {1411, ERR_DATETIME_FORMAT, false, false, NULL},
    {1412, ERR_SERIALIZATION, false, true, "the table's definition changed"},
    {1425, ERR_LIMIT, false, false, NULL},
    {1426, ERR_LIMIT, false, false, NULL},
    {1451, ERR_CONSTRAINT, false, false, NULL},
    {1452, ERR_CONSTRAINT, false, false, NULL},
    {1471, ERR_UNSUPPORTED, false, false, NULL},
    {1553, ERR_CONSTRAINT, false, false, NULL},
    {1557, ERR_CONSTRAINT, false, false, NULL},
    {1568, ERR_TRANSACTION_STATE, false, false, NULL},
    {1586, ERR_CONSTRAINT, false, false, NULL},
    {1690, ERR_OUT_OF_RANGE, false, false, NULL},
    {1698, ERR_AUTHORIZATION, false, false, "check user and password of the catalog"},
    {1701, ERR_CONSTRAINT, false, false, NULL},
    {1761, ERR_CONSTRAINT, false, false, NULL},
    {1762, ERR_CONSTRAINT, false, false, NULL},
    {1792, ERR_READ_ONLY, false, false, NULL},
    {1820, ERR_AUTHORIZATION, false, false, "the password has expired"},
    {1829, ERR_CONSTRAINT, false, false, NULL},
    {1830, ERR_CONSTRAINT, false, false, NULL},
    {1832, ERR_CONSTRAINT, false, false, NULL},
    {1833, ERR_CONSTRAINT, false, false, NULL},
    {1834, ERR_CONSTRAINT, false, false, NULL},
    {1836, ERR_READ_ONLY, false, false, NULL},
    {1859, ERR_CONSTRAINT, false, false, NULL},
    {1862, ERR_AUTHORIZATION, false, false, "the password has expired"},
    {1873, ERR_AUTHORIZATION, false, false, NULL},
    {1906, ERR_UNSUPPORTED, false, false, NULL},
    {1907, ERR_UNSUPPORTED, false, false, NULL},
    {1916, ERR_OUT_OF_RANGE, false, false, NULL},
    {1927, ERR_CONNECTION_LOST, true, true, "somebody killed the connection in the server"},
    {1965, ERR_UNSUPPORTED, false, false, NULL},
    {1969, ERR_TIMEOUT, false, false, "the server's max_statement_time has passed"},
    {CR_SOCKET_CREATE_ERROR, ERR_CONNECT_FAILED, true, false, NULL},
    {CR_CONNECTION_ERROR, ERR_CONNECT_FAILED, true, true,
     "is the server running, and are host and port, or the socket's path, right?"},
    {CR_CONN_HOST_ERROR, ERR_CONNECT_FAILED, true, true,
     "is the server running, and are host and port right?"},
    {CR_UNKNOWN_HOST, ERR_CONNECT_FAILED, true, false, "check the host's name"},
    {CR_SERVER_GONE_ERROR, ERR_CONNECTION_LOST, true, true, NULL},
    {CR_VERSION_ERROR, ERR_CONNECT_FAILED, true, false, NULL},
    {CR_OUT_OF_MEMORY, ERR_OUT_OF_MEMORY, true, false, NULL},
    {CR_SERVER_HANDSHAKE_ERR, ERR_CONNECT_FAILED, true, false, NULL},
    {CR_SERVER_LOST, ERR_CONNECTION_LOST, true, true, NULL},
    {CR_COMMANDS_OUT_OF_SYNC, ERR_GENERAL, true, false, NULL},
    {CR_NET_PACKET_TOO_LARGE, ERR_LIMIT, true, false, "raise max_packet of the catalog"},
    {CR_SSL_CONNECTION_ERROR, ERR_CONNECT_FAILED, true, false,
     "check tls, tls_ca and the server's certificate"},
    {CR_MALFORMED_PACKET, ERR_IO, true, false, NULL},
    {CR_SERVER_LOST_EXTENDED, ERR_CONNECTION_LOST, true, true, NULL},
    {CR_AUTH_PLUGIN_CANNOT_LOAD, ERR_AUTHORIZATION, true, false,
     "the account uses an authentication that this connection does not offer"},
    {CR_AUTH_PLUGIN_ERR, ERR_AUTHORIZATION, true, false,
     "the account uses an authentication that this connection does not offer; a clear-text "
     "password needs tls=verify"},
    {3024, ERR_TIMEOUT, false, false, "the server's max_execution_time has passed"},
    {3105, ERR_UNSUPPORTED, false, false, NULL},
    {3118, ERR_AUTHORIZATION, false, false, "the account is locked"},
    {3730, ERR_CONSTRAINT, false, false, NULL},
    {3819, ERR_CONSTRAINT, false, false, NULL},
    {4025, ERR_CONSTRAINT, false, false, NULL},
    {4092, ERR_UNSUPPORTED, false, false, NULL},
    {4151, ERR_AUTHORIZATION, false, false, "the account is locked"},
};

void failure_text(const char *text, char *out, size_t size) {
    size_t length = strnlen(text, size - 1);
    bool valid = utf8_valid(text, strnlen(text, 4096));
    length = valid ? utf8_cut(text, strlen(text), size - 1) : length;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        out[i] = c < 0x20 || c == 0x7f || (!valid && c >= 0x80) ? '?' : (char)c;
    }
    out[length] = '\0';
}

static const FailureRow *failure_row(uint32_t code) {
    for (size_t i = 0; i < COUNT_OF(failures); i++) {
        if (failures[i].code == code) return &failures[i];
    }
    return NULL;
}

/* Codes that say nothing about a statement leave the connection in an unknown state. */
static bool code_is_client(uint32_t code) {
    return (code >= 2000 && code < 3000) || (code >= 5000 && code < 6000);
}

static bool failure_store(uint32_t code, const char *sqlstate, const char *text, Error *err) {
    char clean[512];
    failure_text(text && *text ? text : "no message", clean, sizeof clean);
    const FailureRow *row = failure_row(code);
    if (row) {
        error_set(err, row->error, "%s", clean);
        if (row->hint) error_hint(err, "%s", row->hint);
        err->retryable = row->retryable;
    } else {
        error_set(err, code_is_client(code) ? ERR_IO : ERR_SOURCE, "%s", clean);
    }
    err->native = (int32_t)code;
    if (sqlstate && *sqlstate && strcmp(sqlstate, "00000") != 0) {
        char state[8];
        failure_text(sqlstate, state, sizeof state);
        error_detail(err, "error %u, SQLSTATE %s of the source", code, state);
    }
    return row ? row->lost : code_is_client(code);
}

/* Over TLS a connection that breaks in use has the code of one that could not be made. */
static bool failure_in_use(bool lost, Error *err) {
    if (err->status != TRIB_CONNECT) return lost;
    Error inner = *err;
    error_set(err, ERR_CONNECTION_LOST, "%s", inner.message);
    err->native = inner.native;
    err->retryable = true;
    if (inner.detail[0]) error_detail(err, "%s", inner.detail);
    return true;
}

static bool failure_reported(MYSQL *mysql, MYSQL_STMT *statement, Error *err) {
    if (statement && mysql_stmt_errno(statement) != 0) {
        return failure_store(mysql_stmt_errno(statement), mysql_stmt_sqlstate(statement),
                             mysql_stmt_error(statement), err);
    }
    if (mysql_errno(mysql) != 0)
        return failure_store(mysql_errno(mysql), mysql_sqlstate(mysql), mysql_error(mysql), err);
    error_set(err, ERR_CONNECTION_LOST, "the connection to the server broke without an error code");
    err->retryable = true;
    return true;
}

bool failure_of(MYSQL *mysql, MYSQL_STMT *statement, Error *err) {
    return failure_in_use(failure_reported(mysql, statement, err), err);
}

Status failure_connect(const Settings *settings, MYSQL *mysql, Error *err) {
    failure_reported(mysql, NULL, err);
    if (err->status == TRIB_LOST) {
        /* Losing the connection before it stands is a failed connect. */
        Error inner = *err;
        error_set(err, ERR_CONNECT_FAILED, "%s", inner.message);
        err->native = inner.native;
        err->retryable = true;
        if (inner.detail[0]) error_detail(err, "%s", inner.detail);
    }
    return error_source(err, settings->catalog);
}
