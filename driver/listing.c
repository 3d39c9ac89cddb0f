/*
 * listing.c - rows in memory: filled row by row, sorted, then laid out in columns.
 *
 * Memory: one arena; a text equal to the one above it in its column shares its bytes (catalog and
 * schema names repeat). Threads: one statement's.
 */
#include "driver/listing.h"
#include "engine/base/bitmap.h"

#define LISTING_MAX_COLUMNS 24
#define LISTING_MAX_KEYS    6

typedef struct RowCell {
    Str text; /* data NULL and !is_number: NULL */
    int64_t number;
    bool is_number;
} RowCell;

struct Listing {
    Arena *arena;
    const RowColumn *columns;
    uint32_t count;
    ColumnInfo infos[LISTING_MAX_COLUMNS];
    ColumnView views[LISTING_MAX_COLUMNS];
    BatchView batch;
    RowCell **rows;
    uint32_t nrows, capacity, current; /* current: row that cells go into */
    bool failed;
    uint32_t keys[LISTING_MAX_KEYS], nkeys;
};

static TribType column_type(const RowColumn *column) {
    switch (column->kind) {
    case ROW_SMALLINT: return (TribType){.id = TRIB_TYPE_SMALLINT};
    case ROW_INTEGER: return (TribType){.id = TRIB_TYPE_INTEGER};
    default: return (TribType){.id = TRIB_TYPE_VARCHAR, .length = column->length};
    }
}

Listing *listing_new(const RowColumn *columns, uint32_t count) {
    Arena *arena = arena_new(NULL);
    Listing *self = arena && count <= LISTING_MAX_COLUMNS ? ARENA_NEW(arena, Listing) : NULL;
    if (!self) {
        arena_free(arena);
        return NULL;
    }
    self->arena = arena;
    self->columns = columns;
    self->count = count;
    for (uint32_t i = 0; i < count; i++) {
        self->infos[i] = (ColumnInfo){.name = str_from(columns[i].name),
                                      .type = column_type(&columns[i]),
                                      .nullable = columns[i].nullable,
                                      .case_sensitive = true};
    }
    return self;
}

void listing_free(Listing *self) {
    if (self) arena_free(self->arena);
}

void listing_rename(Listing *self, uint32_t column, const char *name) {
    self->infos[column].name = str_from(name);
}

void listing_row(Listing *self) {
    if (self->failed) return;
    if (self->nrows == self->capacity) {
        uint32_t capacity = self->capacity ? self->capacity * 2 : 64;
        RowCell **rows = ARENA_ARRAY(self->arena, RowCell *, capacity);
        if (!rows) {
            self->failed = true;
            return;
        }
        if (self->nrows) memcpy(rows, self->rows, self->nrows * sizeof *rows);
        self->rows = rows;
        self->capacity = capacity;
    }
    RowCell *row = ARENA_ARRAY(self->arena, RowCell, self->count);
    if (row) {
        self->current = self->nrows;
        self->rows[self->nrows++] = row;
    } else {
        self->failed = true;
    }
}

void listing_select(Listing *self, uint32_t row) {
    self->current = row;
}

void listing_text(Listing *self, uint32_t column, Str text) {
    if (self->failed || !text.data) return;
    RowCell *cell = &self->rows[self->current][column];
    if (self->current > 0) {
        Str above = self->rows[self->current - 1][column].text;
        if (above.data && str_equal(above, text)) {
            cell->text = above;
            return;
        }
    }
    char *copy = arena_copy(self->arena, text.data, text.len);
    if (copy)
        cell->text = (Str){copy, text.len};
    else
        self->failed = true;
}

void listing_integer(Listing *self, uint32_t column, int64_t value) {
    if (self->failed) return;
    RowCell *cell = &self->rows[self->current][column];
    cell->number = value;
    cell->is_number = true;
}

Str listing_get_text(const Listing *self, uint32_t row, uint32_t column) {
    return self->rows[row][column].text;
}

int64_t listing_get_integer(const Listing *self, uint32_t row, uint32_t column) {
    return self->rows[row][column].number;
}

uint32_t listing_rows(const Listing *self) {
    return self->nrows;
}

static int cell_compare(const RowCell *a, const RowCell *b) {
    if (a->is_number || b->is_number) {
        if (a->is_number != b->is_number) return a->is_number ? 1 : -1;
        return (a->number > b->number) - (a->number < b->number);
    }
    if (!a->text.data || !b->text.data) return (a->text.data != NULL) - (b->text.data != NULL);
    return str_compare(a->text, b->text);
}

static int row_compare(const Listing *self, const RowCell *a, const RowCell *b) {
    for (uint32_t k = 0; k < self->nkeys; k++) {
        int order = cell_compare(&a[self->keys[k]], &b[self->keys[k]]);
        if (order) return order;
    }
    return 0;
}

/* A stable bottom-up merge sort: equal rows stay in the order of the visit. */
static Status rows_sort(Listing *self, Error *err) {
    RowCell **from = self->rows, **to;
    TRY_ALLOC(to, ARENA_ARRAY(self->arena, RowCell *, self->nrows + 1), err);
    for (uint32_t width = 1; width < self->nrows; width *= 2) {
        for (uint32_t low = 0; low < self->nrows; low += 2 * width) {
            uint32_t middle = low + width < self->nrows ? low + width : self->nrows;
            uint32_t high = middle + width < self->nrows ? middle + width : self->nrows;
            uint32_t a = low, b = middle;
            for (uint32_t n = low; n < high; n++) {
                bool left = a < middle && (b >= high || row_compare(self, from[a], from[b]) <= 0);
                to[n] = left ? from[a++] : from[b++];
            }
        }
        RowCell **swap = from;
        from = to;
        to = swap;
        if (width > UINT32_MAX / 4) break;
    }
    self->rows = from;
    return TRIB_OK;
}

static void cell_put(const RowColumn *column, const RowCell *cell, uint32_t row, void *data) {
    if (column->kind == ROW_TEXT)
        ((StrView *)data)[row] = strview_of(cell->text.data ? cell->text.data : "", cell->text.len);
    else if (column->kind == ROW_SMALLINT)
        ((int16_t *)data)[row] = (int16_t)cell->number;
    else
        ((int32_t *)data)[row] = (int32_t)cell->number;
}

static Status column_lay(Listing *self, uint32_t index, Error *err) {
    const RowColumn *column = &self->columns[index];
    ColumnView *view = &self->views[index];
    view->type = self->infos[index].type;
    view->physical = type_physical(view->type);
    view->form = COLUMN_FLAT;
    uint64_t *validity;
    void *data;
    TRY_ALLOC(validity, ARENA_ARRAY(self->arena, uint64_t, bitmap_words(self->nrows) + 1), err);
    TRY_ALLOC(data,
              arena_array(self->arena, (size_t)self->nrows + 1, physical_size(view->physical)),
              err);
    for (uint32_t row = 0; row < self->nrows; row++) {
        const RowCell *cell = &self->rows[row][index];
        if (!cell->is_number && !cell->text.data) continue;
        bitmap_set(validity, row);
        cell_put(column, cell, row, data);
    }
    view->validity = validity;
    view->data = data;
    return TRIB_OK;
}

Status listing_finish(Listing *self, const uint32_t *keys, uint32_t nkeys, Error *err) {
    if (self->failed) return error_out_of_memory(err);
    self->nkeys = nkeys;
    if (nkeys) {
        memcpy(self->keys, keys, nkeys * sizeof *keys);
        TRY(rows_sort(self, err));
    }
    for (uint32_t i = 0; i < self->count; i++) TRY(column_lay(self, i, err));
    self->batch = (BatchView){.rows = self->nrows, .ncolumns = self->count, .columns = self->views};
    return TRIB_OK;
}

uint32_t listing_column_count(const Listing *self) {
    return self->count;
}

const ColumnInfo *listing_column(const Listing *self, uint32_t index) {
    return &self->infos[index];
}

const BatchView *listing_batch(const Listing *self) {
    return &self->batch;
}
