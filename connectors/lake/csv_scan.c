/*
 * csv_scan.c - the structural scan: 64 bytes at a time through bit masks.
 *
 * Stage one compares a group of 64 blocks of 64 bytes with the delimiter, LF, the quote and the escape
 * character and keeps one mask each (AVX2 where the processor has it, else SSE2, else plain C). Stage two
 * walks the masks. A block without quotes is settled by its masks alone. In a block with quotes a prefix
 * XOR over the quote mask tells what lies between quotes, as in Langdale and Lemire, "Parsing gigabytes
 * of JSON per second" (2019); that is right only where every opening quote begins a field and every
 * closing one ends it, which two more mask operations prove. What they cannot prove goes byte by byte
 * through the state machine, which defines the rules.
 *
 * Threads: none shared; the choice of the instruction set is made per scanner. Memory: from the host.
 */
#include "connectors/lake/csv_scan.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { GROUP = 64, BLOCK = 64 };

typedef struct Masks {
    uint64_t delimiter[GROUP], newline[GROUP], quote[GROUP], escape[GROUP], cr[GROUP];
    uint64_t high;
} Masks;

/* ---------------------------------------------------------------- stage one */

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void masks_avx2(const CsvDialect *dialect, const char *data,
                                                       size_t blocks, Masks *out) {
    __m256i delimiter = _mm256_set1_epi8(dialect->delimiter), newline = _mm256_set1_epi8('\n');
    __m256i quote = _mm256_set1_epi8(dialect->quote), high = _mm256_setzero_si256();
    for (size_t i = 0; i < blocks; i++) {
        __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)(data + i * BLOCK));
        __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(data + i * BLOCK + 32));
#define MASK(with)                                                          \
    ((uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(a, with)) | \
     (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(b, with)) << 32)
        out->delimiter[i] = MASK(delimiter);
        out->newline[i] = MASK(newline);
        out->quote[i] = dialect->has_quote ? MASK(quote) : 0;
        high = _mm256_or_si256(high, _mm256_or_si256(a, b));
        out->escape[i] = out->cr[i] = 0;
        if (dialect->has_escape) out->escape[i] = MASK(_mm256_set1_epi8(dialect->escape));
        if (out->quote[i]) out->cr[i] = MASK(_mm256_set1_epi8('\r'));
#undef MASK
    }
    out->high = (uint32_t)_mm256_movemask_epi8(high);
}

static void masks_plain(const CsvDialect *dialect, const char *data, size_t blocks, Masks *out) {
    __m128i delimiter = _mm_set1_epi8(dialect->delimiter), newline = _mm_set1_epi8('\n');
    __m128i quote = _mm_set1_epi8(dialect->quote), escape = _mm_set1_epi8(dialect->escape);
    __m128i cr = _mm_set1_epi8('\r'), high = _mm_setzero_si128();
    for (size_t i = 0; i < blocks; i++) {
        uint64_t d = 0, n = 0, q = 0, e = 0, r = 0;
        for (int k = 0; k < 4; k++) {
            __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(data + i * BLOCK + k * 16));
#define MASK(with) ((uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v, with)) << (k * 16))
            d |= MASK(delimiter);
            n |= MASK(newline);
            q |= MASK(quote);
            e |= MASK(escape);
            r |= MASK(cr);
#undef MASK
            high = _mm_or_si128(high, v);
        }
        out->delimiter[i] = d;
        out->newline[i] = n;
        out->quote[i] = dialect->has_quote ? q : 0;
        out->escape[i] = dialect->has_escape ? e : 0;
        out->cr[i] = r;
    }
    out->high = (uint32_t)_mm_movemask_epi8(high);
}
#else
static void masks_plain(const CsvDialect *dialect, const char *data, size_t blocks, Masks *out) {
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < blocks; i++) {
        for (size_t k = 0; k < BLOCK; k++) {
            char c = data[i * BLOCK + k];
            uint64_t bit = UINT64_C(1) << k;
            if (c == dialect->delimiter) out->delimiter[i] |= bit;
            if (c == '\n') out->newline[i] |= bit;
            if (c == '\r') out->cr[i] |= bit;
            if (dialect->has_quote && c == dialect->quote) out->quote[i] |= bit;
            if (dialect->has_escape && c == dialect->escape) out->escape[i] |= bit;
            out->high |= (unsigned char)c >> 7;
        }
    }
}
#endif

/* ---------------------------------------------------------------- stage two */

static inline void row_end(CsvScanner *self, size_t next, size_t nends) {
    self->nrows++;
    self->rows[self->nrows] = (CsvRow){(uint32_t)next, (uint32_t)nends};
}

/* Room for a whole group was made: no checks here. */
static inline __attribute__((always_inline)) void fields_emit(CsvScanner *self, size_t base,
                                                              uint64_t ends, uint64_t newlines) {
    uint32_t *out = self->ends + self->nends;
    size_t count = (size_t)__builtin_popcountll(ends);
    for (uint64_t left = newlines; left; left &= left - 1) {
        size_t at = (size_t)__builtin_ctzll(left);
        size_t before = (size_t)__builtin_popcountll(ends & ((UINT64_C(1) << at) - 1));
        row_end(self, base + at + 1, self->nends + before + 1);
    }
    self->nends += count;
    for (; ends; ends &= ends - 1) *out++ = (uint32_t)(base + (size_t)__builtin_ctzll(ends));
}

/* The rules themselves: one byte. false: it breaks them. */
static inline bool byte_step(CsvScanner *self, size_t at) {
    const CsvDialect *d = &self->dialect;
    char c = self->data[at];
    switch (self->state) {
    case CSV_START:
        if (d->has_quote && c == d->quote) {
            self->state = CSV_QUOTED;
            return true;
        }
        /* fall through */
    case CSV_FIELD:
        if (!d->has_quote && d->has_escape && c == d->escape) {
            self->state = CSV_FIELD_ESCAPE;
            return true;
        }
        break;
    case CSV_FIELD_ESCAPE: self->state = CSV_FIELD; return true;
    case CSV_QUOTED_ESCAPE: self->state = CSV_QUOTED; return true;
    case CSV_QUOTED:
        if (c == d->quote)
            self->state = CSV_CLOSED;
        else if (d->has_escape && c == d->escape)
            self->state = CSV_QUOTED_ESCAPE;
        return true;
    case CSV_CLOSED:
        if (c == d->quote && !d->has_escape) {
            self->state = CSV_QUOTED;
            return true;
        }
        if (c == '\r') {
            self->state = CSV_CR;
            return true;
        }
        if (c != '\n' && c != d->delimiter) return false;
        break;
    case CSV_CR:
        if (c != '\n') return false;
        break;
    }
    self->state = CSV_FIELD;
    if (c != '\n' && c != d->delimiter) return true;
    self->ends[self->nends++] = (uint32_t)at;
    if (c == '\n') row_end(self, at + 1, self->nends);
    self->state = CSV_START;
    return true;
}

static CsvScanResult bytes_step(CsvScanner *self, size_t base, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (byte_step(self, base + i)) continue;
        self->fault = base + i;
        return CSV_BAD_QUOTE;
    }
    return CSV_OK;
}

static inline uint64_t prefix_xor(uint64_t bits) {
    bits ^= bits << 1;
    bits ^= bits << 2;
    bits ^= bits << 4;
    bits ^= bits << 8;
    bits ^= bits << 16;
    return bits ^ bits << 32;
}

/* A block with quotes in which all of them stand at the edges of fields; false: not provably so. */
static inline __attribute__((always_inline)) bool quotes_settle(CsvScanner *self, size_t base,
                                                                uint64_t quote, uint64_t separator,
                                                                uint64_t newline, uint64_t cr) {
    uint64_t inside = prefix_xor(quote) ^ (self->state == CSV_QUOTED ? ~UINT64_C(0) : 0);
    uint64_t opening = quote & inside, closing = quote & ~inside;
    uint64_t ends = separator & ~inside;
    uint64_t behind_end = ends << 1 | (self->state == CSV_START);
    uint64_t behind_close = closing << 1 | (self->state == CSV_CLOSED);
    uint64_t doubled = self->dialect.has_escape ? 0 : behind_close;
    if (opening & ~(behind_end | doubled)) return false;
    uint64_t cr_close = behind_close & cr & ~inside;
    if (behind_close & ~(ends | opening | cr_close)) return false;
    if ((cr_close >> 63) || (cr_close << 1 & ~newline)) return false;
    fields_emit(self, base, ends, newline & ~inside);
    if (inside >> 63)
        self->state = CSV_QUOTED;
    else if (ends >> 63)
        self->state = CSV_START;
    else
        self->state = closing >> 63 ? CSV_CLOSED : CSV_FIELD;
    return true;
}

static inline __attribute__((always_inline)) CsvScanResult
blocks_walk(CsvScanner *self, const Masks *masks, size_t blocks) {
    for (size_t i = 0; i < blocks; i++) {
        size_t base = self->at;
        uint64_t quote = masks->quote[i], escape = masks->escape[i], newline = masks->newline[i];
        uint64_t separator = masks->delimiter[i] | newline;
        CsvState state = self->state;
        if (__builtin_expect((quote | escape) == 0 && state <= CSV_QUOTED, 1)) {
            if (state != CSV_QUOTED) {
                fields_emit(self, base, separator, newline);
                self->state = separator >> 63 ? CSV_START : CSV_FIELD;
            }
        } else if (escape || state > CSV_CLOSED ||
                   !quotes_settle(self, base, quote, separator, newline, masks->cr[i])) {
            CsvScanResult result = bytes_step(self, base, BLOCK);
            if (result != CSV_OK) return result;
        }
        self->at += BLOCK;
    }
    return CSV_OK;
}

#if defined(__x86_64__)
__attribute__((target("avx2,bmi,bmi2,popcnt"))) static CsvScanResult group_avx2(CsvScanner *self,
                                                                                size_t blocks) {
    Masks masks;
    masks_avx2(&self->dialect, self->data + self->at, blocks, &masks);
    self->high |= masks.high != 0;
    return blocks_walk(self, &masks, blocks);
}

static bool have_avx2(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") &&
           __builtin_cpu_supports("popcnt");
}
#else
static CsvScanResult group_avx2(CsvScanner *self, size_t blocks) {
    return CSV_OK;
}
static bool have_avx2(void) {
    return false;
}
#endif

static CsvScanResult group_plain(CsvScanner *self, size_t blocks) {
    Masks masks;
    masks_plain(&self->dialect, self->data + self->at, blocks, &masks);
    self->high |= masks.high != 0;
    return blocks_walk(self, &masks, blocks);
}

/* ---------------------------------------------------------------- life */

void csv_scan_init(CsvScanner *self, const TribHost *host, CsvDialect dialect) {
    *self = (CsvScanner){.dialect = dialect, .host = host};
    if (!dialect.has_quote) self->dialect.quote = '\n';
    if (!dialect.has_escape) self->dialect.escape = '\n';
}

void csv_scan_clear(CsvScanner *self) {
    host_free(self->host, self->ends);
    host_free(self->host, self->rows);
    self->ends = NULL;
    self->rows = NULL;
}

void csv_scan_reset(CsvScanner *self, const char *data, size_t len) {
    self->data = data;
    self->len = len;
    self->at = 0;
    self->state = CSV_START;
    self->high = false;
    self->nends = self->nrows = 0;
    if (self->rows) self->rows[0] = (CsvRow){0, 0};
}

void csv_scan_drop(CsvScanner *self, size_t count) {
    if (count == 0) return;
    uint32_t first = self->rows[count].first;
    memmove(self->ends, self->ends + first, (self->nends - first) * sizeof *self->ends);
    self->nends -= first;
    self->nrows -= count;
    for (size_t i = 0; i <= self->nrows; i++) {
        self->rows[i] = self->rows[i + count];
        self->rows[i].first -= first;
    }
}

static bool grow(const TribHost *host, void **array, size_t *room, size_t used, size_t need,
                 size_t size) {
    if (*room >= need) return true;
    size_t more = *room * 2 > need ? *room * 2 : need;
    void *larger = host_alloc(host, more * size);
    if (!larger) return false;
    if (used) memcpy(larger, *array, used * size);
    host_free(host, *array);
    *array = larger;
    *room = more;
    return true;
}

/* For the worst that a group can hold. */
static bool group_room(CsvScanner *self) {
    bool fresh = !self->rows;
    if (!grow(self->host, (void **)&self->ends, &self->ends_room, self->nends,
              self->nends + GROUP * BLOCK + 1, sizeof *self->ends) ||
        !grow(self->host, (void **)&self->rows, &self->rows_room, self->nrows + !fresh,
              self->nrows + GROUP * BLOCK + 2, sizeof *self->rows))
        return false;
    if (fresh) self->rows[0] = (CsvRow){0, 0};
    return true;
}

/* The end of everything ends the record that has begun, if any. */
static CsvScanResult last_record(CsvScanner *self) {
    const CsvRow *open = &self->rows[self->nrows];
    if (self->state == CSV_QUOTED || self->state == CSV_QUOTED_ESCAPE) {
        self->fault = open->start;
        return CSV_OPEN_QUOTE;
    }
    if (open->start == self->len) return CSV_MORE;
    self->ends[self->nends++] = (uint32_t)self->len;
    row_end(self, self->len, self->nends);
    self->state = CSV_START;
    return CSV_MORE;
}

CsvScanResult csv_scan(CsvScanner *self, size_t wanted, size_t max_fields, bool final) {
    bool avx2 = have_avx2();
    while (self->nrows < wanted) {
        if (!group_room(self)) return CSV_NO_MEMORY;
        size_t left = self->len - self->at, blocks = left / BLOCK;
        if (blocks > GROUP) blocks = GROUP;
        CsvScanResult result = CSV_OK;
        if (blocks) {
            result = avx2 ? group_avx2(self, blocks) : group_plain(self, blocks);
        } else {
            for (size_t i = 0; i < left; i++) self->high |= (self->data[self->at + i] & 0x80) != 0;
            result = bytes_step(self, self->at, left);
            self->at += result == CSV_OK ? left : 0;
        }
        if (result != CSV_OK) return result;
        if (self->nends - self->rows[self->nrows].first > max_fields) {
            self->fault = self->rows[self->nrows].start;
            return CSV_MANY_FIELDS;
        }
        if (self->at == self->len) return final ? last_record(self) : CSV_MORE;
    }
    return CSV_OK;
}
