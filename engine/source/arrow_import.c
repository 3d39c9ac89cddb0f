/*
 * arrow_import.c - a connector's batch as vectors.
 *
 * Values of fixed width are taken where they lie. Rewritten are: booleans (bits to bytes), text (views
 * of block and offset to views with pointers, 16 bytes a row), list offsets (to offset and length),
 * validity that does not begin at a word or does not fill its last one (the interface promises no
 * padding). A Buffer of the batch owns the array and releases it with the batch.
 *
 * Nothing that a connector says is trusted: shapes, lengths, offsets and block numbers are checked
 * before use; what cannot be checked, the size of its buffers, the interface does not tell. Text must
 * be UTF-8, unless the connector guarantees it. Values under a NULL are not looked at; text under a
 * NULL becomes empty.
 */
#include "engine/source/internal.h"

#define MAX_DEPTH 64

Status arrow_fault(ArrowImport *self, const char *format, ...) {
    char what[256];
    va_list arguments;
    va_start(arguments, format);
    (void)text_vformat(what, sizeof what, format, arguments);
    va_end(arguments);
    (void)error_set(self->err, ERR_SOURCE, "the connector gave a malformed batch: %s", what);
    return error_detail(self->err, "output column %u", self->column + 1);
}

/* Not zeroed; lives as long as the batch. */
static void *scratch(ArrowImport *self, size_t bytes) {
    size_t need = (bytes + 63) & ~(size_t)63;
    if (!self->slab || need > self->slab->size - self->slab->used)
        return arena_alloc(self->arena, bytes);
    void *memory = self->slab->data + self->slab->used;
    self->slab->used += need;
    return memory;
}

/* ---------------------------------------------------------------- validity */

/* 64 bits from bit `at` on; reads only bytes that hold one of the `count` bits wanted. */
static uint64_t bits_word(const uint8_t *bits, uint64_t at, uint32_t count) {
    const uint8_t *bytes = bits + (at >> 3);
    unsigned shift = at & 7, needed = (shift + count + 7) / 8;
    uint64_t low = 0;
    memcpy(&low, bytes, needed < 8 ? needed : 8);
    if (shift == 0) return low;
    uint64_t word = low >> shift;
    if (needed > 8) word |= (uint64_t)bytes[8] << (64 - shift);
    return word;
}

static Status validity_import(ArrowImport *self, const struct ArrowArray *array, uint64_t at,
                              uint32_t count, uint64_t **out) {
    const uint8_t *bits = array->n_buffers > 0 ? array->buffers[0] : NULL;
    *out = NULL;
    if (!bits || array->null_count == 0 || count == 0) return TRIB_OK;
    size_t words = bitmap_words(count);
    const uint64_t *given = (const uint64_t *)(const void *)(bits + at / 8);
    if (at % 64 == 0 && count % 64 == 0 && (uintptr_t)given % sizeof(uint64_t) == 0) {
        if (bitmap_count(given, count) < count) *out = (uint64_t *)(uintptr_t)given;
        return TRIB_OK;
    }
    uint64_t *copy;
    TRY_ALLOC(copy, scratch(self, words * sizeof(uint64_t)), self->err);
    for (size_t i = 0; i < words; i++) {
        uint32_t left = count - (uint32_t)i * 64, now = left < 64 ? left : 64;
        copy[i] = bits_word(bits, at + i * 64, now);
        if (now < 64) copy[i] &= ((uint64_t)1 << now) - 1;
    }
    if (bitmap_count(copy, count) < count) *out = copy;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- fixed width */

static size_t physical_alignment(PhysicalType physical) {
    switch (physical) {
    case PHYS_INT16: return 2;
    case PHYS_INT32:
    case PHYS_FLOAT: return 4;
    case PHYS_INT64:
    case PHYS_DOUBLE:
    case PHYS_INSTANT:
    case PHYS_ZONED:
    case PHYS_TIMETZ: return 8;
    case PHYS_INT128: return 16;
    default: return 1;
    }
}

static Status fixed_import(ArrowImport *self, const struct ArrowArray *array, uint64_t at,
                           uint32_t count, Vector *out) {
    size_t width = physical_size((PhysicalType)out->physical);
    char *values = (char *)(uintptr_t)array->buffers[1] + at * width;
    if ((uintptr_t)values % physical_alignment((PhysicalType)out->physical) == 0) {
        out->data = values;
        return TRIB_OK;
    }
    TRY_ALLOC(out->data, scratch(self, count * width), self->err);
    memcpy(out->data, values, count * width);
    return TRIB_OK;
}

static Status bits_import(ArrowImport *self, const struct ArrowArray *array, uint64_t at,
                          uint32_t count, Vector *out) {
    uint8_t *bytes;
    TRY_ALLOC(bytes, scratch(self, ((size_t)count + 7) & ~(size_t)7), self->err);
    const uint8_t *bits = array->buffers[1];
    for (uint32_t i = 0; i < count; i += 64) {
        uint32_t now = count - i < 64 ? count - i : 64;
        uint64_t word = bits_word(bits, at + i, now);
        for (uint32_t k = 0; k < now; k += 8) {
            /* Eight bits into eight bytes: each byte keeps one bit of its copy. */
            uint64_t spread =
                ((word >> k & 0xff) * UINT64_C(0x0101010101010101)) & UINT64_C(0x8040201008040201);
            spread = ((spread + UINT64_C(0x7f7f7f7f7f7f7f7f)) | spread) >> 7 &
                     UINT64_C(0x0101010101010101);
            memcpy(bytes + i + k, &spread, sizeof spread);
        }
    }
    out->data = bytes;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- text */

/* Is text wanted to be UTF-8? */
static bool is_text(const Vector *vector) {
    return vector->type.id != TRIB_TYPE_VARBINARY;
}

#define HIGH_BITS UINT64_C(0x8080808080808080)

static inline uint64_t load8(const char *at) {
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

typedef uint64_t Lanes __attribute__((vector_size(32)));

/* Loads overlap at the end instead of going byte by byte. */
static inline bool ascii_only(const char *data, size_t length) {
    if (length <= 16) {
        if (length >= 8) return ((load8(data) | load8(data + length - 8)) & HIGH_BITS) == 0;
        uint64_t all = 0;
        for (size_t i = 0; i < length; i++) all |= (uint64_t)(uint8_t)data[i];
        return all < 0x80;
    }
    if (length <= 32) {
        uint64_t all =
            load8(data) | load8(data + 8) | load8(data + length - 16) | load8(data + length - 8);
        return (all & HIGH_BITS) == 0;
    }
    Lanes all = {0}, lanes;
    for (size_t i = 0; i + 32 <= length; i += 32) {
        memcpy(&lanes, data + i, sizeof lanes);
        all |= lanes;
    }
    memcpy(&lanes, data + length - 32, sizeof lanes);
    all |= lanes;
    return ((all[0] | all[1] | all[2] | all[3]) & HIGH_BITS) == 0;
}

/* Unused bytes of a short view are zero, or were not meant to be looked at. */
static inline bool view_ascii(const StrView *view) {
    if (view->len > STRVIEW_INLINE) return ascii_only(view->ptr, view->len);
    uint64_t head;
    uint32_t tail;
    memcpy(&head, view->inlined, sizeof head);
    memcpy(&tail, view->inlined + 8, sizeof tail);
    return ((head | tail) & HIGH_BITS) == 0;
}

static Status text_check(ArrowImport *self, const StrView *views, const uint64_t *validity,
                         uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (view_ascii(&views[i])) continue;
        if (utf8_valid(strview_data(&views[i]), views[i].len)) continue;
        if (validity && !bitmap_get(validity, i)) continue;
        (void)error_set(self->err, ERR_INVALID_ENCODING, "a text value is not valid UTF-8");
        return error_detail(self->err, "output column %u", self->column + 1);
    }
    return TRIB_OK;
}

/* An Arrow view: length, then 12 bytes, or prefix, block, offset. */
typedef struct ForeignView {
    uint32_t length;
    char prefix[4];
    uint32_t block;
    uint32_t offset;
} ForeignView;

static Status views_bad(ArrowImport *self, const ForeignView *in, const uint64_t *validity,
                        uint32_t count, int64_t nblocks, const int64_t *sizes) {
    for (uint32_t i = 0; i < count; i++) {
        if (validity && !bitmap_get(validity, i)) continue;
        if (in[i].length > INT32_MAX)
            return arrow_fault(self, "a text value has a negative length");
        if (in[i].length <= STRVIEW_INLINE) continue;
        if (in[i].block >= nblocks || in[i].offset > INT32_MAX ||
            (int64_t)in[i].offset + in[i].length > sizes[in[i].block])
            return arrow_fault(self, "a text value lies outside its block");
    }
    return TRIB_OK;
}

/* Text under a NULL: nobody promised that its view means anything. */
static void views_blank(StrView *views, const uint64_t *validity, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (!bitmap_get(validity, i)) memset(&views[i], 0, sizeof views[i]);
    }
}

/*
 * One block is the rule; then a view needs one comparison and one addition. Whether anything was wrong
 * is collected without branches and looked into afterwards.
 */
static bool views_rebase(StrView *out, const ForeignView *in, uint32_t count, int64_t nblocks,
                         const void *const *blocks, const int64_t *sizes) {
    static const int64_t no_sizes[1] = {0};
    static const void *const no_blocks[1] = {""};
    if (nblocks == 0) {
        blocks = no_blocks;
        sizes = no_sizes;
    }
    uint64_t bad = 0, last = nblocks > 0 ? (uint64_t)nblocks - 1 : 0;
    for (uint32_t i = 0; i < count; i++) {
        ForeignView view = in[i];
        uint64_t far = view.length > STRVIEW_INLINE;
        uint64_t block = far ? view.block : 0, offset = far ? view.offset : 0;
        bad |= block > last;
        block = block > last ? 0 : block;
        bad |= far & (uint64_t)((int64_t)(offset + view.length) > sizes[block]);
        bad |= (view.length | offset) >> 31;
        const char *pointer = (const char *)blocks[block] + offset;
        memcpy(&out[i], &view, sizeof view);
        if (far) out[i].ptr = pointer;
    }
    return bad == 0;
}

static Status views_import(ArrowImport *self, const struct ArrowArray *array, uint64_t at,
                           uint32_t count, Vector *out) {
    if (array->n_buffers < 3)
        return arrow_fault(self, "a column of string views has too few buffers");
    int64_t nblocks = array->n_buffers - 3;
    const int64_t *sizes = array->buffers[array->n_buffers - 1];
    if (nblocks > 0 && !sizes)
        return arrow_fault(self, "a column of string views lacks the sizes of its blocks");
    for (int64_t i = 0; i < nblocks; i++) {
        if (sizes[i] < 0 || (sizes[i] > 0 && !array->buffers[2 + i]))
            return arrow_fault(self, "a block of text has a wrong size");
    }
    const ForeignView *in = (const ForeignView *)array->buffers[1] + at, *from = in;
    StrView *views;
    TRY_ALLOC(views, scratch(self, (size_t)count * sizeof(StrView)), self->err);
    if (out->validity) {
        /* NULLs first: their views must not be followed. */
        ForeignView *clean = (ForeignView *)(void *)views;
        memcpy(clean, in, (size_t)count * sizeof *clean);
        views_blank(views, out->validity, count);
        from = clean;
    }
    if (!views_rebase(views, from, count, nblocks, &array->buffers[2], sizes))
        return views_bad(self, in, out->validity, count, nblocks, sizes);
    out->data = views;
    return self->valid_text || !is_text(out) ? TRIB_OK
                                             : text_check(self, views, out->validity, count);
}

static Status utf8_import(ArrowImport *self, const struct ArrowArray *array, uint64_t at,
                          uint32_t count, bool large, Vector *out) {
    if (array->n_buffers != 3)
        return arrow_fault(self, "a text column has the wrong number of buffers");
    const char *data = array->buffers[2] ? array->buffers[2] : "";
    const int32_t *small_offsets = (const int32_t *)array->buffers[1] + at;
    const int64_t *large_offsets = (const int64_t *)array->buffers[1] + at;
    StrView *views;
    TRY_ALLOC(views, scratch(self, (size_t)count * sizeof(StrView)), self->err);
    for (uint32_t i = 0; i < count; i++) {
        int64_t begin = large ? large_offsets[i] : small_offsets[i];
        int64_t end = large ? large_offsets[i + 1] : small_offsets[i + 1];
        if (begin < 0 || end < begin || end - begin > INT32_MAX || (end > 0 && !array->buffers[2]))
            return arrow_fault(self, "the offsets of a text column are wrong");
        bool null = out->validity && !bitmap_get(out->validity, i);
        views[i] = strview_of(data + begin, null ? 0 : (size_t)(end - begin));
    }
    out->data = views;
    return self->valid_text || !is_text(out) ? TRIB_OK
                                             : text_check(self, views, out->validity, count);
}

/* w:n as text or binary. */
static Status fixed_text_import(ArrowImport *self, const struct ArrowArray *array, uint64_t at,
                                uint32_t count, int64_t width, Vector *out) {
    const char *data = (const char *)array->buffers[1] + at * (uint64_t)width;
    StrView *views;
    TRY_ALLOC(views, scratch(self, (size_t)count * sizeof(StrView)), self->err);
    for (uint32_t i = 0; i < count; i++) {
        bool null = out->validity && !bitmap_get(out->validity, i);
        views[i] = strview_of(data + (size_t)i * (size_t)width, null ? 0 : (size_t)width);
    }
    out->data = views;
    return self->valid_text || !is_text(out) ? TRIB_OK
                                             : text_check(self, views, out->validity, count);
}

/* ---------------------------------------------------------------- nested */

static const struct ArrowSchema *schema_child(const struct ArrowSchema *schema, int64_t i) {
    return schema && schema->release && i < schema->n_children ? schema->children[i] : NULL;
}

/* The columns of a struct; `at` counts from the children's own offsets. */
static Status fields_import(ArrowImport *self, const struct ArrowArray *array,
                            const struct ArrowSchema *schema, const TribTypeFields *fields,
                            int64_t at, uint32_t count, uint32_t depth, Vector *children) {
    if (!fields || array->n_children != fields->count || !array->children)
        return arrow_fault(self, "a row value has the wrong number of fields");
    for (uint32_t i = 0; i < fields->count; i++)
        TRY(arrow_column(self, array->children[i], schema_child(schema, i), fields->field[i].type,
                         at, count, depth + 1, &children[i]));
    return TRIB_OK;
}

static Status entries_import(ArrowImport *self, const void *offsets, bool large, uint32_t count,
                             int64_t length, ListEntry *out, int64_t *first, uint32_t *elements) {
    const int32_t *small_offsets = offsets;
    const int64_t *large_offsets = offsets;
    int64_t begin = large ? large_offsets[0] : small_offsets[0], end = begin;
    *first = begin;
    for (uint32_t i = 0; i < count; i++) {
        int64_t next = large ? large_offsets[i + 1] : small_offsets[i + 1];
        if (begin < 0 || next < end || next > length || next - begin > INT32_MAX)
            return arrow_fault(self, "the offsets of a list column are wrong");
        out[i] = (ListEntry){.offset = (uint32_t)(end - begin), .length = (uint32_t)(next - end)};
        end = next;
    }
    *elements = (uint32_t)(end - begin);
    return TRIB_OK;
}

static Status list_import(ArrowImport *self, const struct ArrowArray *array,
                          const struct ArrowSchema *schema, bool large, uint64_t at, uint32_t count,
                          uint32_t depth, Vector *out) {
    const TribTypeFields *fields = out->type.fields;
    if (array->n_children != 1 || !array->children || !array->children[0] || !fields)
        return arrow_fault(self, "a list column has the wrong shape");
    const struct ArrowArray *child = array->children[0];
    const struct ArrowSchema *child_schema = schema_child(schema, 0);
    ListEntry *entries;
    int64_t first = 0;
    uint32_t elements = 0;
    TRY_ALLOC(entries, scratch(self, (size_t)count * sizeof(ListEntry)), self->err);
    const char *offsets =
        (const char *)array->buffers[1] + at * (large ? sizeof(int64_t) : sizeof(int32_t));
    if (count > 0)
        TRY(entries_import(self, offsets, large, count, child->length, entries, &first, &elements));
    out->data = entries;
    out->entries = elements;
    out->nchildren = fields->count;
    TRY_ALLOC(out->children, ARENA_ARRAY(self->arena, Vector, fields->count), self->err);
    if (out->type.id == TRIB_TYPE_ARRAY)
        return arrow_column(self, child, child_schema, fields->field[0].type, first, elements,
                            depth + 1, &out->children[0]);
    /* A map: a list of structs of key and value. */
    if (child->offset < 0 || child->length < 0 || fields->count != 2)
        return arrow_fault(self, "a map column has the wrong shape");
    return fields_import(self, child, child_schema, fields, child->offset + first, elements,
                         depth + 1, out->children);
}

/* ---------------------------------------------------------------- dictionaries */

static Status indices_import(ArrowImport *self, const struct ArrowArray *array, const char *format,
                             uint64_t at, uint32_t count, uint32_t entries,
                             const uint64_t *validity, uint32_t **out) {
    uint32_t *indices;
    TRY_ALLOC(indices, ARENA_ARRAY(self->arena, uint32_t, count), self->err);
    for (uint32_t i = 0; i < count; i++) {
        if (validity && !bitmap_get(validity, i)) continue; /* stays 0 */
        int64_t index;
        const void *values = array->buffers[1];
        switch (format[0]) {
        case 'c': index = ((const int8_t *)values)[at + i]; break;
        case 'C': index = ((const uint8_t *)values)[at + i]; break;
        case 's': index = ((const int16_t *)values)[at + i]; break;
        case 'S': index = ((const uint16_t *)values)[at + i]; break;
        case 'i': index = ((const int32_t *)values)[at + i]; break;
        case 'I': index = ((const uint32_t *)values)[at + i]; break;
        case 'l':
        case 'L': index = ((const int64_t *)values)[at + i]; break;
        default:
            return arrow_fault(self, "the indices of a dictionary have the format \"%s\"", format);
        }
        if (index < 0 || index >= entries)
            return arrow_fault(self, "an index points outside its dictionary");
        indices[i] = (uint32_t)index;
    }
    *out = indices;
    return TRIB_OK;
}

static Status dictionary_import(ArrowImport *self, const struct ArrowArray *array,
                                const struct ArrowSchema *schema, uint64_t at, uint32_t count,
                                uint32_t depth, Vector *out) {
    const struct ArrowArray *values = array->dictionary;
    if (!values || values->length < 0 || values->length > INT32_MAX)
        return arrow_fault(self, "a dictionary column has no dictionary");
    uint32_t entries = (uint32_t)values->length;
    Type type = out->type;
    uint32_t *indices = NULL;
    TRY(indices_import(self, array, schema->format, at, count, entries, out->validity, &indices));
    if (entries == 0)
        return vector_new(self->arena, type, count, out, self->err) /* every row is NULL */;
    TRY_ALLOC(out->children, ARENA_NEW(self->arena, Vector), self->err);
    TRY(arrow_column(self, values, schema->dictionary, type, 0, entries, depth + 1,
                     &out->children[0]));
    out->form = VECTOR_DICTIONARY;
    out->nchildren = 1;
    out->entries = entries;
    out->indices = indices;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- a column */

static Status canonical_import(ArrowImport *self, const struct ArrowArray *array,
                               const struct ArrowSchema *schema, uint64_t at, uint32_t count,
                               uint32_t depth, Vector *out) {
    switch (out->physical) {
    case PHYS_BOOL: return bits_import(self, array, at, count, out);
    case PHYS_STRING: return views_import(self, array, at, count, out);
    case PHYS_LIST: return list_import(self, array, schema, false, at, count, depth, out);
    default: return fixed_import(self, array, at, count, out);
    }
}

/* Which format string the canonical layout of a type has; NULL: w:16 or decimal, compared apart. */
static const char *canonical_format(Type type) {
    switch (type.id) {
    case TRIB_TYPE_BOOLEAN: return "b";
    case TRIB_TYPE_TINYINT: return "c";
    case TRIB_TYPE_SMALLINT: return "s";
    case TRIB_TYPE_INTEGER: return "i";
    case TRIB_TYPE_BIGINT: return "l";
    case TRIB_TYPE_REAL: return "f";
    case TRIB_TYPE_DOUBLE: return "g";
    case TRIB_TYPE_VARCHAR:
    case TRIB_TYPE_CHAR:
    case TRIB_TYPE_JSON: return "vu";
    case TRIB_TYPE_VARBINARY: return "vz";
    case TRIB_TYPE_DATE: return "tdD";
    case TRIB_TYPE_TIME: return "ttn";
    case TRIB_TYPE_TIMESTAMP: return type.precision <= 6 ? "tsu:" : "w:16";
    case TRIB_TYPE_TIMESTAMP_TZ:
    case TRIB_TYPE_TIME_TZ:
    case TRIB_TYPE_UUID: return "w:16";
    case TRIB_TYPE_INTERVAL_YM: return "tiM";
    case TRIB_TYPE_INTERVAL_DS: return "tDu";
    case TRIB_TYPE_ARRAY: return "+l";
    case TRIB_TYPE_MAP: return "+m";
    default: return NULL;
    }
}

static Status described_import(ArrowImport *self, const struct ArrowArray *array,
                               const struct ArrowSchema *schema, uint64_t at, uint32_t count,
                               uint32_t depth, Vector *out) {
    const char *format = schema->format, *canonical = canonical_format(out->type);
    if (!format) return arrow_fault(self, "a column's schema has no format");
    if (schema->dictionary) return dictionary_import(self, array, schema, at, count, depth, out);
    if (canonical && strcmp(format, canonical) == 0)
        return canonical_import(self, array, schema, at, count, depth, out);
    if (out->physical == PHYS_STRING) {
        if (strcmp(format, "vu") == 0 || strcmp(format, "vz") == 0)
            return views_import(self, array, at, count, out);
        if (strcmp(format, "u") == 0 || strcmp(format, "z") == 0)
            return utf8_import(self, array, at, count, false, out);
        if (strcmp(format, "U") == 0 || strcmp(format, "Z") == 0)
            return utf8_import(self, array, at, count, true, out);
        int64_t width;
        if (format[0] == 'w' && format[1] == ':') {
            width = 0;
            for (const char *digit = format + 2;
                 *digit >= '0' && *digit <= '9' && width < INT32_MAX / 16; digit++)
                width = width * 10 + (*digit - '0');
            return fixed_text_import(self, array, at, count, width, out);
        }
    }
    if (out->type.id == TRIB_TYPE_ARRAY && strcmp(format, "+L") == 0)
        return list_import(self, array, schema, true, at, count, depth, out);
    bool done = false;
    TRY(arrow_convert(self, array, format, (int64_t)at, count, out, &done));
    if (done) return TRIB_OK;
    Buf name;
    buf_init(&name, self->arena, 4096);
    type_print(&name, out->type);
    return arrow_fault(self, "the layout \"%s\" cannot be read as %s", format,
                       buf_view(&name).data);
}

static Status shape_check(ArrowImport *self, const struct ArrowArray *array, int64_t from,
                          uint32_t count) {
    if (!array || array->length < 0 || array->offset < 0 || from < 0 ||
        array->length - from < (int64_t)count || array->offset > INT64_MAX / 64 - array->length ||
        array->n_buffers < 0 || array->n_buffers > INT32_MAX || array->n_children < 0)
        return arrow_fault(self, "a column is shorter than its batch");
    if (array->n_buffers > 0 && !array->buffers)
        return arrow_fault(self, "a column has no buffers");
    return TRIB_OK;
}

Status arrow_column(ArrowImport *self, const struct ArrowArray *array,
                    const struct ArrowSchema *schema, Type type, int64_t from, uint32_t count,
                    uint32_t depth, Vector *out) {
    if (depth > MAX_DEPTH)
        return error_set(self->err, ERR_LIMIT, "a type is nested more than %d levels deep",
                         MAX_DEPTH);
    TRY(shape_check(self, array, from, count));
    uint64_t at = (uint64_t)(array->offset + from);
    *out = (Vector){.type = type, .physical = (uint8_t)type_physical(type), .form = VECTOR_FLAT};
    if (schema && schema->release && schema->format && strcmp(schema->format, "n") == 0) {
        /* The null layout: no buffers at all. */
        TRY(vector_new(self->arena, type, count, out, self->err));
        TRY_ALLOC(out->validity, ARENA_ARRAY(self->arena, uint64_t, bitmap_words(count)),
                  self->err);
        return TRIB_OK;
    }
    TRY(validity_import(self, array, at, count, &out->validity));
    if (out->physical == PHYS_ROW) {
        uint32_t fields = type.fields ? type.fields->count : 0;
        TRY_ALLOC(out->children, ARENA_ARRAY(self->arena, Vector, fields), self->err);
        out->nchildren = fields;
        return fields_import(self, array, schema, type.fields, (int64_t)at, count, depth,
                             out->children);
    }
    if (count > 0 && (array->n_buffers < 2 || !array->buffers[1]))
        return arrow_fault(self, "a column has no values");
    if (count == 0) return vector_new(self->arena, type, 0, out, self->err);
    if (!schema || !schema->release)
        return canonical_import(self, array, schema, at, count, depth, out);
    return described_import(self, array, schema, at, count, depth, out);
}

/* ---------------------------------------------------------------- a batch */

typedef struct Held {
    struct ArrowArray array;
    Slab *slab;
} Held;

static void held_release(void *context) {
    Held *self = context;
    if (self->array.release) self->array.release(&self->array);
    slab_give(self->slab);
    heap_free(self);
}

/* Scratch that the columns will need, nested ones aside; 0: none. */
static size_t scratch_needed(const struct ArrowArray *array, uint32_t ncolumns, const Type *types) {
    size_t bytes = 0,
           rows = array->length > 0 && array->length <= BATCH_ROWS ? (size_t)array->length : 0;
    for (uint32_t i = 0; i < ncolumns; i++) {
        PhysicalType physical = type_physical(types[i]);
        if (physical == PHYS_STRING) bytes += rows * sizeof(StrView) + 64;
        if (physical == PHYS_BOOL) bytes += rows + 128;
        if (physical == PHYS_LIST) bytes += rows * sizeof(ListEntry) + 64;
    }
    return bytes ? bytes + (size_t)ncolumns * (rows / 8 + 128) : 0;
}

static Status selection_check(ArrowImport *self, const TribBatch *batch) {
    if (batch->selected > batch->array.length)
        return arrow_fault(self, "the selection is longer than the batch");
    for (uint32_t i = 0; i < batch->selected; i++) {
        if (batch->selection[i] >= batch->array.length ||
            (i > 0 && batch->selection[i] <= batch->selection[i - 1]))
            return arrow_fault(self, "the selection is not ascending");
    }
    return TRIB_OK;
}

static Status batch_import(ArrowImport *self, const TribBatch *batch,
                           const struct ArrowSchema *schema, uint32_t ncolumns, const Type *types,
                           Batch *out) {
    const struct ArrowArray *array = &batch->array;
    if (array->length < 0 || array->length > BATCH_ROWS || array->offset < 0 ||
        array->offset > INT64_MAX / 64)
        return arrow_fault(self, "%lld rows where at most %d were asked for",
                           (long long)array->length, BATCH_ROWS);
    if (array->n_children != (int64_t)ncolumns || (ncolumns > 0 && !array->children))
        return arrow_fault(self, "%lld columns where %u were asked for",
                           (long long)array->n_children, ncolumns);
    if (array->null_count > 0) return arrow_fault(self, "the rows themselves are NULL");
    uint32_t count = (uint32_t)array->length;
    if (batch->selection) TRY(selection_check(self, batch));
    TRY(batch_columns(out, ncolumns, self->err));
    for (uint32_t i = 0; i < ncolumns; i++) {
        self->column = i;
        TRY(arrow_column(self, array->children[i], schema_child(schema, i), types[i], array->offset,
                         count, 0, &out->columns[i]));
    }
    out->count = count;
    out->selection = batch->selection;
    out->selected = batch->selection ? batch->selected : count;
    return TRIB_OK;
}

static Status batch_hold(Batch *out, TribBatch *batch, Slab *slab, Error *err) {
    Held *held = heap_alloc(sizeof *held);
    Buffer *buffer = held ? buffer_new(0, held_release, held) : NULL;
    if (!buffer) {
        heap_free(held);
        slab_give(slab);
        batch->array.release(&batch->array);
        return error_out_of_memory(err);
    }
    held->array = batch->array;
    held->slab = slab;
    batch->array.release = NULL;
    return batch_keep(out, buffer, err);
}

Status arrow_import_from(TribBatch *array, const struct ArrowSchema *schema, uint32_t ncolumns,
                         const Type *types, bool valid_text, Batch *out, Error *err) {
    ArrowImport self = {.arena = out->arena, .valid_text = valid_text, .err = err};
    if (!array->array.release)
        return error_set(err, ERR_GENERAL, "a batch that was released cannot be read");
    TribBatch batch = *array; /* shapes are looked at through this copy; the batch owns the array */
    size_t needed = scratch_needed(&batch.array, ncolumns, types);
    if (needed) self.slab = slab_take(needed);
    Status status = batch_hold(out, array, self.slab, err);
    if (status == TRIB_OK) status = batch_import(&self, &batch, schema, ncolumns, types, out);
    if (status != TRIB_OK) batch_clear(out);
    return status;
}

Status arrow_import(TribBatch *array, const struct ArrowSchema *schema, uint32_t ncolumns,
                    const Type *types, Batch *out, Error *err) {
    return arrow_import_from(array, schema, ncolumns, types, false, out, err);
}

/* ---------------------------------------------------------------- sizes */

uint64_t arrow_bytes(const struct ArrowArray *array, uint32_t ncolumns, const Type *types) {
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < ncolumns && i < array->n_children; i++) {
        const struct ArrowArray *column = array->children[i];
        PhysicalType physical = type_physical(types[i]);
        bytes +=
            (uint64_t)array->length * (physical == PHYS_BOOL ? 1 : physical_size(physical) + 1);
        if (physical != PHYS_STRING || column->n_buffers < 3 || !column->buffers[1]) continue;
        const ForeignView *views =
            (const ForeignView *)column->buffers[1] + column->offset + array->offset;
        for (int64_t k = 0; k < array->length && k < BATCH_ROWS; k++) {
            uint32_t length = views[k].length;
            bytes += length > STRVIEW_INLINE && length <= INT32_MAX ? length : 0;
        }
    }
    return bytes;
}
