/*
 * statement.c - statements: prepare, bind, execute, fetch, cancel.
 *
 * A request (prepare, execute, fetch) is a job of the session's crew; fetching from a running execution
 * needs no thread but the caller's, which waits for a batch. The token of a statement lives as long as
 * the statement and is reset when a request starts; statement_cancel only sets it, without any lock, and
 * only while a request is under way.
 *
 * Warnings may come from any thread; they are collected here and handed to the caller's sink on the
 * thread that is inside the API call.
 */
#include "engine/runtime/session.h"

#include <math.h>

#include "engine/base/log.h"
#include "engine/base/os.h"

#define MAX_WARNINGS 100

/* ---------------------------------------------------------------- warnings */

static void statement_warn(void *context, const char *catalog, const char *sqlstate,
                           const char *text) {
    Statement *self = context;
    Warning *warning = heap_alloc(sizeof *warning);
    if (!warning) return; /* a warning is not worth failing for */
    error_set(&warning->error, ERR_GENERAL_WARNING, "%s", text);
    if (sqlstate && strlen(sqlstate) == 5) memcpy(warning->error.sqlstate, sqlstate, 6);
    if (catalog) error_source(&warning->error, catalog);
    pthread_mutex_lock(&self->warning_lock);
    bool known = self->nwarnings >= MAX_WARNINGS;
    for (Warning *w = self->warnings; w && !known; w = w->next)
        known = strcmp(w->error.message, warning->error.message) == 0;
    if (!known) {
        if (self->last_warning) {
            self->last_warning->next = warning;
        } else {
            self->warnings = warning;
        }
        self->last_warning = warning;
        self->nwarnings++;
        warning = NULL;
    }
    pthread_mutex_unlock(&self->warning_lock);
    heap_free(warning);
}

void statement_deliver_warnings(Statement *self) {
    pthread_mutex_lock(&self->warning_lock);
    Warning *list = self->warnings;
    self->warnings = self->last_warning = NULL;
    self->nwarnings = 0;
    pthread_mutex_unlock(&self->warning_lock);
    while (list) {
        Warning *next = list->next;
        if (self->sink) self->sink(self->sink_context, &list->error);
        heap_free(list);
        list = next;
    }
}

/* ---------------------------------------------------------------- life */

Status statement_new(Session *session, Statement **out, Error *err) {
    Statement *self;
    *out = NULL;
    TRY_ALLOC(self, heap_alloc(sizeof *self), err);
    self->session = session;
    pthread_mutex_init(&self->warning_lock, NULL);
    self->row_count = -1;
    self->cancel = cancel_new();
    self->prepared = arena_new(NULL);
    self->run = arena_new(NULL);
    self->binding_arena = arena_new(NULL);
    if (!self->cancel || !self->prepared || !self->run || !self->binding_arena) {
        statement_free(self);
        return error_out_of_memory(err);
    }
    *out = self;
    return TRIB_OK;
}

void statement_free(Statement *self) {
    if (!self) return;
    if (self->request != REQUEST_NONE) {
        cancel_set(self->cancel, CANCEL_CLOSED);
        if (self->request != REQUEST_FETCH) crew_wait(self->session->crew, &self->job, -1);
    }
    statement_close(self);
    self->sink = NULL;
    statement_deliver_warnings(self);
    if (self->cancel) cancel_release(self->cancel);
    arena_free(self->prepared);
    arena_free(self->run);
    arena_free(self->binding_arena);
    arena_free(self->sets_arena);
    pthread_mutex_destroy(&self->warning_lock);
    heap_free(self);
}

static int64_t seconds_from_now(int64_t seconds) {
    return seconds > 0 ? os_now_ns() + seconds * INT64_C(1000000000) : INT64_MAX;
}

void statement_cancel(Statement *self) {
    if (atomic_load(&self->busy)) cancel_set(self->cancel, CANCEL_REQUESTED);
}

void statement_watch_cancel(Statement *self, const _Atomic bool *wanted) {
    self->cancel_wanted = wanted;
}

/* Either the one who cancels sees `busy`, or this sees what he wants. */
void statement_enter_busy(Statement *self) {
    cancel_reset(self->cancel);
    cancel_set_deadline(self->cancel, seconds_from_now(self->timeout_seconds));
    atomic_store(&self->busy, true);
    if (self->cancel_wanted && atomic_load(self->cancel_wanted))
        cancel_set(self->cancel, CANCEL_REQUESTED);
}

void statement_leave_busy(Statement *self) {
    atomic_store(&self->busy, false);
    cancel_set_deadline(self->cancel, INT64_MAX);
}

void statement_set_timeout(Statement *self, int64_t seconds) {
    self->timeout_seconds = seconds;
}

void statement_set_warning_sink(Statement *self, WarningSink sink, void *context) {
    self->sink = sink;
    self->sink_context = context;
}

SourceCall statement_call(Statement *self, int64_t deadline_ns) {
    return (SourceCall){.cancel = self->cancel,
                        .deadline_ns = deadline_ns,
                        .warn = statement_warn,
                        .warn_context = self,
                        .owner = self->session,
                        .transaction = self->transaction};
}

void statement_take_part(Statement *self, SourceTx *transaction) {
    source_tx_release(self->transaction);
    self->transaction = transaction;
}

LookupContext statement_lookup(Statement *self, const StatementSettings *settings) {
    return (LookupContext){.catalogs = self->session->catalogs,
                           .catalog = settings->catalog,
                           .schema = settings->schema,
                           .call = statement_call(self, seconds_from_now(settings->login_timeout)),
                           .ttl_seconds = settings->metadata_ttl};
}

/* ---------------------------------------------------------------- requests */

/* A query without parameters is executed with its preparation: one change of threads instead of two. */
static void execute_ahead(Statement *self) {
    if (self->bound->kind != BOUND_QUERY || self->nparameters > 0) return;
    self->ahead_status = statement_execute_now(self, &self->request_error);
    self->ahead = true;
}

static void request_run(void *context) {
    Statement *self = context;
    error_clear(&self->request_error);
    if (self->request == REQUEST_EXECUTE) {
        self->request_status = statement_execute_now(self, &self->request_error);
        return;
    }
    self->request_status = statement_prepare_now(self, self->sql, &self->request_error);
    if (self->request_status == TRIB_OK && self->request == REQUEST_DIRECT) execute_ahead(self);
}

static Status request_begin(Statement *self, RequestKind kind, Error *err) {
    if (self->request != REQUEST_NONE) {
        return error_set(err, ERR_SEQUENCE, "the statement is still working on an earlier call");
    }
    self->request = kind;
    self->failed_parameter = 0;
    statement_enter_busy(self);
    return TRIB_OK;
}

static void request_end(Statement *self) {
    statement_leave_busy(self);
    self->request = REQUEST_NONE;
    statement_deliver_warnings(self);
}

static Status request_submit(Statement *self, RequestKind kind, Error *err) {
    TRY(request_begin(self, kind, err));
    self->job = (Job){.run = request_run, .context = self};
    if (self->light || (kind == REQUEST_EXECUTE && statement_sets_are_light(self))) {
        request_run(self);
        self->job.done = true;
        return TRIB_OK;
    }
    Status status = crew_submit(self->session->crew, &self->job, err);
    if (status != TRIB_OK) request_end(self);
    return status;
}

static Status prepare_start(Statement *self, RequestKind kind, Str sql, Error *err) {
    statement_close(self);
    sets_forget(self);
    arena_reset(self->prepared);
    self->bound = NULL;
    self->target = NULL;
    self->target_reason = NULL;
    self->kind = STATEMENT_NONE;
    self->ncolumns = self->nparameters = 0;
    statement_clear_bindings(self);
    self->bindings = NULL;
    self->is_bound = NULL;
    if (sql.len > SQL_MAX_TEXT) {
        return error_set(err, ERR_LIMIT, "the statement has %zu bytes; the limit is %u", sql.len,
                         SQL_MAX_TEXT);
    }
    char *copy;
    TRY_ALLOC(copy, str_dup(self->prepared, sql), err);
    self->sql = (Str){copy, sql.len};
    self->light = statement_text_is_light(self->sql);
    return request_submit(self, kind, err);
}

Status statement_prepare_start(Statement *self, Str sql, Error *err) {
    return prepare_start(self, REQUEST_PREPARE, sql, err);
}

Status statement_direct_start(Statement *self, Str sql, Error *err) {
    return prepare_start(self, REQUEST_DIRECT, sql, err);
}

/* What was executed with its preparation is there already; its outcome is told by the wait. */
static Status take_ahead(Statement *self, Error *err) {
    TRY(request_begin(self, REQUEST_EXECUTE, err));
    self->ahead = false;
    self->request_status = self->ahead_status;
    return TRIB_OK;
}

Status statement_execute_start(Statement *self, Error *err) {
    if (!self->bound) return error_set(err, ERR_NOT_PREPARED, "no statement has been prepared");
    if (self->ahead) return take_ahead(self, err);
    statement_close(self);
    self->light = self->light && statement_text_is_light(self->sql);
    return request_submit(self, REQUEST_EXECUTE, err);
}

void statement_set_scrollable(Statement *self, bool on) {
    self->scrollable = on;
}

Status statement_seek_start(Statement *self, uint64_t row, Error *err) {
    if (!self->scrollable) return error_set(err, ERR_FETCH_TYPE, "the rows go forward only");
    self->seek = row;
    return statement_fetch_start(self, err);
}

Status statement_fetch_start(Statement *self, Error *err) {
    if (!self->execution && !self->rows && !self->ended) {
        return error_set(err, ERR_CURSOR_STATE, "the statement has no open cursor");
    }
    return request_begin(self, REQUEST_FETCH, err);
}

/* ---------------------------------------------------------------- fetching */

static Status statement_view(Statement *self, Batch *batch, Error *err);

static Status fetch_batch(Statement *self, int64_t timeout_ns, bool *done, Error *err) {
    Batch *batch = NULL;
    *done = true;
    self->view.rows = 0;
    if (self->scrollable) {
        TRY(scroll_fetch(self, timeout_ns, done, &batch, err));
        return batch ? statement_view(self, batch, err) : TRIB_OK;
    }
    if (self->ended) return TRIB_OK;
    if (self->rows_left == 0) {
        statement_close(self);
        self->ended = true;
        return TRIB_OK;
    }
    if (self->rows) {
        TRY(rowset_next(self->rows, &batch, err));
    } else {
        TRY(execution_next(self->execution, timeout_ns, done, &batch, err));
    }
    if (!*done) return TRIB_OK;
    cursor_touch(self);
    if (!batch) {
        self->ended = true;
        return TRIB_OK;
    }
    TRY(statement_view(self, batch, err));
    if (self->rows_left > 0) {
        if (self->view.rows > (uint64_t)self->rows_left)
            self->view.rows = (uint32_t)self->rows_left;
        self->rows_left -= self->view.rows;
    }
    self->rows_out += self->view.rows;
    return TRIB_OK;
}

/* Execution on a thread with a deep stack: an inline execution evaluates expressions in the caller. */
typedef struct InlineFetch {
    Statement *statement;
    bool done;
    Status status;
    Error *err;
} InlineFetch;

static void inline_fetch_run(void *context) {
    InlineFetch *fetch = context;
    fetch->status = fetch_batch(fetch->statement, -1, &fetch->done, fetch->err);
}

static Status fetch_anywhere(Statement *self, int64_t timeout_ns, bool *done, Error *err) {
    if (!self->execution || !execution_is_inline(self->execution) || self->batch ||
        (self->light && statement_text_is_light(self->sql))) {
        return fetch_batch(self, timeout_ns, done, err);
    }
    InlineFetch fetch = {.statement = self, .err = err};
    Job job = {.run = inline_fetch_run, .context = &fetch};
    TRY(crew_submit(self->session->crew, &job, err));
    crew_wait(self->session->crew, &job, -1);
    *done = fetch.done;
    return fetch.status;
}

Status statement_wait(Statement *self, int64_t timeout_ns, bool *done, Error *err) {
    *done = true;
    if (self->request == REQUEST_NONE) return error_set(err, ERR_SEQUENCE, "no call is under way");
    Status status;
    if (self->request == REQUEST_FETCH) {
        status = fetch_anywhere(self, timeout_ns, done, err);
    } else {
        *done = crew_wait(self->session->crew, &self->job, timeout_ns);
        status = *done ? self->request_status : TRIB_OK;
        if (status != TRIB_OK) *err = self->request_error;
    }
    if (!*done) return TRIB_OK;
    bool was_fetch = self->request == REQUEST_FETCH;
    request_end(self);
    if (status != TRIB_OK && was_fetch) {
        Error kept = *err;
        statement_close(self);
        *err = kept;
    }
    return status;
}

static Status wait_all(Statement *self, Error *err) {
    bool done;
    return statement_wait(self, -1, &done, err);
}

Status statement_prepare(Statement *self, Str sql, Error *err) {
    TRY(statement_prepare_start(self, sql, err));
    return wait_all(self, err);
}

Status statement_execute(Statement *self, Error *err) {
    TRY(statement_execute_start(self, err));
    return wait_all(self, err);
}

Status statement_fetch(Statement *self, const BatchView **out, Error *err) {
    *out = &self->view;
    TRY(statement_fetch_start(self, err));
    return wait_all(self, err);
}

const BatchView *statement_batch(const Statement *self) {
    return &self->view;
}

/* The columns are of these types while the execution lasts: price * ? has as many digits as its value asks for. */
static void columns_retype(Statement *self, const Type *types) {
    for (uint32_t c = 0; c < self->bound->ncolumns; c++) {
        self->retyped |= !type_equal(types[c], self->columns[c].type);
        self->columns[c].type = types[c];
    }
}

void statement_close(Statement *self) {
    cursor_close(self);
    scroll_close(self);
    execution_free(self->execution);
    self->execution = NULL;
    statement_take_part(self, NULL);
    self->rows = NULL;
    self->ahead = false;
    self->batch = NULL;
    self->view = (BatchView){0};
    self->ended = false;
    self->plan = NULL;
    self->physical = NULL;
    if (self->retyped) columns_retype(self, self->bound->types);
    self->retyped = false;
    if (self->run) arena_reset(self->run); /* none yet: statement_new failed */
}

/* ---------------------------------------------------------------- views of batches */

static Status column_view(Arena *arena, const Vector *vector, ColumnView *out, Error *err) {
    *out = (ColumnView){.type = vector->type,
                        .physical = (PhysicalType)vector->physical,
                        .data = vector->data,
                        .validity = vector->validity};
    switch ((VectorForm)vector->form) {
    case VECTOR_FLAT: out->form = COLUMN_FLAT; break;
    case VECTOR_CONSTANT: out->form = COLUMN_CONSTANT; break;
    case VECTOR_DICTIONARY:
        out->form = COLUMN_DICTIONARY;
        out->indices = vector->indices;
        out->row_validity = vector->validity;
        out->data = vector->children[0].data;
        out->validity = vector->children[0].validity;
        vector = &vector->children[0]; /* nested values: of the entries */
        break;
    }
    if (vector->nchildren == 0) return TRIB_OK;
    ColumnView *children;
    TRY_ALLOC(children, ARENA_ARRAY(arena, ColumnView, vector->nchildren), err);
    for (uint32_t i = 0; i < vector->nchildren; i++)
        TRY(column_view(arena, &vector->children[i], &children[i], err));
    out->nchildren = vector->nchildren;
    out->children = children;
    return TRIB_OK;
}

static Status statement_view(Statement *self, Batch *batch, Error *err) {
    ColumnView *columns;
    self->batch = batch;
    TRY_ALLOC(columns, ARENA_ARRAY(batch->arena, ColumnView, batch->ncolumns), err);
    for (uint32_t i = 0; i < batch->ncolumns; i++)
        TRY(column_view(batch->arena, &batch->columns[i], &columns[i], err));
    self->view = (BatchView){.rows = batch->selected,
                             .selection = batch->selection,
                             .ncolumns = batch->ncolumns,
                             .columns = columns};
    return TRIB_OK;
}

/* ---------------------------------------------------------------- prepare */

static void eval_session(Statement *self, const StatementSettings *settings) {
    self->eval = (EvalSession){.now_us = os_realtime_us(),
                               .zone = settings->zone,
                               .user = self->session->user,
                               .catalog = settings->catalog,
                               .schema = settings->schema,
                               .random_seed = (uint64_t)os_now_ns(),
                               .max_value_size = (uint64_t)settings->max_value_size,
                               .max_recursion_depth = settings->max_recursion_depth,
                               .cancel = self->cancel};
}

static Str catalog_of(const TableRef *table) {
    return str_from(catalog_name(table->catalog));
}

void statement_describe_column(const LogicalPlan *plan, ColumnId id, ColumnInfo *out) {
    const PlanColumn *column = plan_column(&plan->columns, id);
    out->nullable = column->nullable;
    if (!column->table || column->table->statement) return;
    const TribTable *table = &column->table->table;
    out->base_name = str_from(table->columns[column->table_column].name);
    out->table = str_from(table->name);
    out->schema = str_from(table->schema);
    out->catalog = catalog_of(column->table);
    const TribColumn *own = &table->columns[column->table_column];
    out->table_writable =
        table->writable && updatable_type(column->type) && !own->hidden && !own->generated;
    out->auto_increment = table->identity == column->table_column + 1;
}

static Status describe_columns(Statement *self, Error *err) {
    const BoundStatement *bound = self->bound;
    self->ncolumns = bound->ncolumns - (self->target ? self->target->nkeys : 0);
    TRY_ALLOC(self->columns, ARENA_ARRAY(self->prepared, ColumnInfo, bound->ncolumns), err);
    for (uint32_t i = 0; i < bound->ncolumns; i++) {
        ColumnInfo *info = &self->columns[i];
        *info = (ColumnInfo){.name = bound->labels[i], .type = bound->types[i], .nullable = true};
        info->case_sensitive = type_is_text(info->type) || info->type.id == TRIB_TYPE_JSON;
        if (bound->kind == BOUND_QUERY)
            statement_describe_column(bound->plan, bound->plan->root->output[i], info);
        info->writable = self->target && info->table_writable;
    }
    self->nparameters = bound->nparameters;
    TRY_ALLOC(self->parameters, ARENA_ARRAY(self->prepared, ParameterInfo, bound->nparameters),
              err);
    TRY_ALLOC(self->bindings, ARENA_ARRAY(self->prepared, Value, bound->nparameters), err);
    TRY_ALLOC(self->is_bound, ARENA_ARRAY(self->prepared, bool, bound->nparameters), err);
    for (uint32_t i = 0; i < bound->nparameters; i++) {
        self->parameters[i] =
            (ParameterInfo){bound->parameter_types[i], true, bound->parameter_inferred[i]};
    }
    return TRIB_OK;
}

Status statement_prepare_now(Statement *self, Str sql, Error *err) {
    static const StatementKind kinds[] = {[BOUND_QUERY] = STATEMENT_QUERY,
                                          [BOUND_WRITE] = STATEMENT_WRITE,
                                          [BOUND_EXPLAIN] = STATEMENT_QUERY,
                                          [BOUND_ROWS] = STATEMENT_QUERY,
                                          [BOUND_COMMAND] = STATEMENT_COMMAND};
    if (self->session->internal) { /* scripts come here directly */
        statement_close(self);
        arena_reset(self->prepared);
    }
    StatementSettings settings;
    TRY(session_settings(self->session, self->prepared, &settings, err));
    eval_session(self, &settings);
    AstStatement *ast;
    statement_take_part(self, transaction_borrow(self->session));
    TRY(sql_parse(self->prepared, sql, &ast, err));
    TRY(prepared_expand(self->session, self->prepared, &ast, err));
    if (ast->kind == AST_QUERY || ast->kind == AST_EXPLAIN)
        TRY(transaction_usable(self->session, err));
    BindContext context = {.lookup = statement_lookup(self, &settings), .session = &self->eval};
    BoundStatement *bound;
    TRY(updatable_bind(self, &context, ast, &bound, err));
    self->bound = bound;
    self->kind = kinds[bound->kind];
    return describe_columns(self, err);
}

StatementKind statement_kind(const Statement *self) {
    return self->kind;
}

uint32_t statement_column_count(const Statement *self) {
    return self->ncolumns;
}

const ColumnInfo *statement_column(const Statement *self, uint32_t index) {
    return index < self->ncolumns ? &self->columns[index] : NULL;
}

uint32_t statement_parameter_count(const Statement *self) {
    return self->nparameters;
}

const ParameterInfo *statement_parameter(const Statement *self, uint32_t index) {
    return index < self->nparameters ? &self->parameters[index] : NULL;
}

Status statement_bind(Statement *self, uint32_t index, const Value *value, Error *err) {
    if (index >= self->nparameters) {
        return error_set(err, ERR_DESCRIPTOR_INDEX,
                         "the statement has %u parameters; there is no number %u",
                         self->nparameters, index + 1);
    }
    TRY(value_copy(self->binding_arena, value, &self->bindings[index], err));
    self->is_bound[index] = true;
    return TRIB_OK;
}

void statement_clear_bindings(Statement *self) {
    for (uint32_t i = 0; i < self->nparameters && self->is_bound; i++) self->is_bound[i] = false;
    arena_reset(self->binding_arena);
}

/* ---------------------------------------------------------------- execute */

/* The exact type of a number given as text: as many digits after the point as were written. */
static Type written_type(Str text) {
    const char *point = memchr(text.data, '.', text.len);
    bool plain = text.len > 0;
    for (size_t i = 0; i < text.len; i++) plain &= strchr("+-.0123456789", text.data[i]) != NULL;
    if (!plain) return TYPE(DOUBLE);
    size_t scale = point ? text.len - (size_t)(point - text.data) - 1 : 0;
    return type_decimal(DECIMAL_MAX_DIGITS, scale < DECIMAL_MAX_DIGITS ? (uint8_t)scale : 0);
}

/* Types to which a conversion may drop digits or a time of day without an error. */
static bool may_lose(Type to) {
    return type_is_integer(to) || to.id == TRIB_TYPE_DECIMAL || to.id == TRIB_TYPE_DATE ||
           to.id == TRIB_TYPE_TIME || to.id == TRIB_TYPE_TIMESTAMP ||
           to.id == TRIB_TYPE_TIMESTAMP_TZ;
}

/*
 * Converts a value to the parameter's type. What would lose digits on the way (1.5 for an integer
 * column, 1.234 for decimal(10,2)) or does not fit is not converted: *own gets the type that holds it,
 * and the statement is bound again with that, so that it is compared as what it is.
 */
static Status convert_parameter(Statement *self, uint32_t i, Type *own, Value *out, Error *err) {
    const Value *given = &self->bindings[i];
    Type type = self->parameters[i].type, from = given->type;
    Value back;
    Error ignored;
    *own = TYPE(UNKNOWN);
    if (type_is_text(type)) type.length = 0; /* what is reported, not a limit */
    if (given->is_null) { /* fits everywhere, whatever type the program has declared for it */
        *out = (Value){.type = self->parameters[i].type, .is_null = true};
        return TRIB_OK;
    }
    Status status = value_cast(self->run, &self->eval, given, type, out, err);
    out->type = self->parameters[i].type;
    bool number = type_is_numeric(type) && (type_is_numeric(from) || from.id == TRIB_TYPE_VARCHAR);
    bool infinite = status == TRIB_OK && type.id == TRIB_TYPE_REAL && from.id == TRIB_TYPE_DOUBLE &&
                    isinf(out->as.real) && !isinf(given->as.real);
    if ((!may_lose(type) && !infinite) || status == TRIB_MEMORY) return status;
    if (type_is_numeric(type) && from.id == TRIB_TYPE_VARCHAR)
        from = written_type((Str){given->as.text.data, given->as.text.length});
    if (!number && (!type_is_datetime(type) || !type_is_datetime(from))) return status;
    Value exact;
    if (value_cast(self->run, &self->eval, given, from, &exact, &ignored) != TRIB_OK)
        return ignored.status == TRIB_MEMORY ? error_out_of_memory(err) : status;
    Value narrow = *out;
    narrow.type = type;
    if (status == TRIB_OK) {
        Status returned = value_cast(self->run, &self->eval, &narrow, from, &back, &ignored);
        if (returned == TRIB_MEMORY) return error_out_of_memory(err);
        if (returned == TRIB_OK && value_equal(&back, &exact)) return TRIB_OK;
    }
    if (status != TRIB_OK && !number) return status;
    *own = from;
    *out = exact;
    return TRIB_OK;
}

/* Binds again with the types of values that the context's types do not hold. */
static Status bind_again(Statement *self, const Type *given, const BoundStatement **bound,
                         Error *err) {
    BindContext context = {.lookup = statement_lookup(self, &self->settings),
                           .session = &self->eval,
                           .given_types = given};
    BoundStatement *again;
    TRY(bind_statement(&context, self->run, self->bound->ast, &again, err));
    if (arena_exhausted(self->run)) return error_out_of_memory(err);
    if (again->ncolumns != self->bound->ncolumns) {
        (void)error_set(err, ERR_GENERAL, "what the statement reads has changed its columns");
        return error_hint(err, "prepare it again");
    }
    columns_retype(self, again->types);
    *bound = *bound == self->bound ? again : again->inner;
    return TRIB_OK;
}

/* The bound values, converted to the statement's parameter types; *bound may be replaced. */
static Status convert_parameters(Statement *self, const BoundStatement **bound, const Value **out,
                                 Error *err) {
    Value *values;
    Type *own;
    bool again = false;
    TRY_ALLOC(values, ARENA_ARRAY(self->run, Value, self->nparameters), err);
    TRY_ALLOC(own, ARENA_ARRAY(self->run, Type, self->nparameters), err);
    for (uint32_t i = 0; i < self->nparameters; i++) {
        if (!self->is_bound[i]) {
            return error_set(err, ERR_PARAM_COUNT, "parameter %u of %u has no value", i + 1,
                             self->nparameters);
        }
        Status status = convert_parameter(self, i, &own[i], &values[i], err);
        if (status == TRIB_DATA) self->failed_parameter = i + 1;
        if (status != TRIB_OK) return error_detail(err, "in parameter %u", i + 1);
        again |= own[i].id != TRIB_TYPE_UNKNOWN;
    }
    *out = values;
    return again ? bind_again(self, own, bound, err) : TRIB_OK;
}

Status statement_plan(Statement *self, const BoundStatement *bound, Error *err) {
    const Value *values;
    TRY(convert_parameters(self, &bound, &values, err));
    OptimiseContext context = {.session = &self->eval,
                               .call = statement_call(self, INT64_MAX),
                               .disabled_rules = self->settings.disabled_rules,
                               .mode = self->settings.mode,
                               .verify = self->settings.verify,
                               .runtime_filters = self->settings.runtime_filters,
                               .nparams = self->nparameters,
                               .params = values};
    TRY(optimise(&context, self->run, bound->plan, &self->plan, err));
    if (self->plan->root->modify) return TRIB_OK; /* nothing is run here */
    return physical_lower(self->run, self->plan, &self->eval, self->settings.runtime_filters,
                          &self->physical, err);
}

Status statement_start(Statement *self, bool measure, Error *err) {
    const StatementSettings *s = &self->settings;
    ExecutionParams params = {.plan = self->physical,
                              .session = &self->eval,
                              .cancel = self->cancel,
                              .call = statement_call(self, INT64_MAX),
                              .workers = (uint32_t)s->threads,
                              .force_spill = s->force_spill,
                              .buffer_result = s->buffer_result,
                              .memory_limit = s->memory_limit,
                              .spill_limit = s->spill_limit,
                              .spill_dir = s->spill_dir,
                              .spill_encryption = s->spill_encryption,
                              .measure = measure,
                              .stall_ns = s->stall_seconds * INT64_C(1000000000)};
    TRY(execution_new(&params, &self->execution, err));
    cursor_open(self);
    return execution_start(self->execution, err);
}

/* The source does it alone. */
Status statement_modify(Statement *self, const LogicalNode *write, Error *err) {
    Source *source;
    TribModify request = *write->modify;
    SourceCall call = statement_call(self, INT64_MAX);
    TRY(catalog_source(write->write_catalog, &source, err));
    request.transaction = source_tx_handle(source_call_tx(source, &call));
    TRY(source_modify(source, &call, &request, err));
    if (request.verdict.kind != TRIB_EXACT)
        return error_set(err, ERR_GENERAL, "the source took the statement back: %s",
                         request.verdict.reason);
    self->row_count = (int64_t)request.rows;
    return TRIB_OK;
}

static Status write_rows_now(Statement *self, Error *err) {
    if (self->sets.columns)
        TRY(sets_plan(self, err));
    else
        TRY(statement_plan(self, self->bound, err));
    if (!self->sets.columns && self->plan->root->modify)
        return statement_modify(self, self->plan->root, err);
    TRY(statement_start(self, false, err));
    Status status = execution_finish(self->execution, err);
    if (status == TRIB_OK) self->row_count = (int64_t)execution_written(self->execution);
    /* what reads must be over before a transaction ends */
    cursor_close(self);
    execution_free(self->execution);
    self->execution = NULL;
    return status;
}

static Status run_write(Statement *self, Error *err) {
    const LogicalNode *target = self->bound->plan->root;
    WriteScope scope;
    bool creates = target->write == TRIB_WRITE_CREATE;
    TRY(write_begin(self, target->write_catalog, creates, &scope, err));
    Status status = write_rows_now(self, err);
    status = write_end(self, &scope, target->write_schema, target->write_name, status, err);
    if (status != TRIB_OK) self->row_count = -1;
    return status;
}

/* A query in a transaction is read to its end at once: its connection answers one question at a time, and the
 * transaction may end before the application has taken the rows. So is one whose rows are to be changed: the
 * writer must not wait for this reader. */
static Status run_query(Statement *self, Error *err) {
    TRY(statement_plan(self, self->bound, err));
    bool inside =
        self->target ||
        (self->transaction && physical_reads(self->physical, source_tx_source(self->transaction)));
    if (inside) self->settings.buffer_result = true;
    TRY(statement_start(self, false, err));
    return inside ? execution_settle(self->execution, err) : TRIB_OK;
}

static Status run_bound(Statement *self, Error *err) {
    /* After a transaction that an error has undone a read would show what was there before it, or after. */
    if (self->kind == STATEMENT_QUERY) TRY(transaction_usable(self->session, err));
    switch (self->bound->kind) {
    case BOUND_QUERY: return run_query(self, err);
    case BOUND_WRITE: return run_write(self, err);
    case BOUND_EXPLAIN: return explain_run(self, self->bound, err);
    case BOUND_ROWS: return command_rows(self, self->bound, err);
    case BOUND_COMMAND: return command_run(self, self->bound, err);
    }
    return error_set(err, ERR_GENERAL, "a statement of kind %d cannot be run",
                     (int)self->bound->kind);
}

Status statement_execute_now(Statement *self, Error *err) {
    self->row_count = -1;
    self->rows_out = 0;
    self->started_ns = os_now_ns();
    TRY(session_settings(self->session, self->run, &self->settings, err));
    eval_session(self, &self->settings);
    statement_take_part(self, transaction_borrow(self->session));
    self->rows_left =
        self->settings.max_rows > 0 && self->kind == STATEMENT_QUERY ? self->settings.max_rows : -1;
    Status status = run_bound(self, err);
    if (status != TRIB_OK) blame_sets(self, err);
    self->sets = (ParameterSets){0};
    if (status != TRIB_OK || self->kind != STATEMENT_QUERY) {
        int64_t written = self->row_count;
        statement_close(self);
        self->row_count = written;
    }
    return status;
}

int64_t statement_row_count(const Statement *self) {
    return self->row_count;
}

void statement_progress(const Statement *self, Progress *out) {
    *out = (Progress){
        .rows_out = self->rows_out, .fraction = -1, .elapsed_ns = os_now_ns() - self->started_ns};
    if (!self->execution) return;
    const NodeCounters *counters = execution_counters(self->execution);
    for (uint32_t i = 0; i < self->physical->nnodes; i++) {
        if (self->physical->nodes[i]->kind != PHYS_SCAN) continue;
        uint32_t id = self->physical->nodes[i]->id;
        out->rows_read += counters[id].scan.rows;
        out->bytes_read += counters[id].scan.bytes;
    }
    out->spilled_bytes = execution_spilled(self->execution);
    out->memory_bytes = execution_memory(self->execution);
}
