/*
 * digest.c - rows and kernels of checksums, hashes and message authentication codes.
 *
 * Cryptographic ones are OpenSSL's. MurmurHash3 (x64, 128 bits, seed 0), SpookyHash V2 (seed 0) and
 * CRC-32 are computed here. Numbers become bytes as Trino has them: xxHash and SpookyHash with the most
 * significant byte first, MurmurHash3 in its own little-endian order.
 */
#include "engine/functions/helpers.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <xxhash.h>

/* ---------------------------------------------------------------- digests of OpenSSL */

static const char *digest_name(uint16_t id) {
    switch (id) {
    case TRIB_FN_md5:
    case TRIB_FN_hmac_md5: return "MD5";
    case TRIB_FN_sha1:
    case TRIB_FN_hmac_sha1: return "SHA1";
    case TRIB_FN_sha256:
    case TRIB_FN_hmac_sha256: return "SHA256";
    default: return "SHA512";
    }
}

static Status digest_rows(KernelCall *call, const EVP_MD *method, EVP_MD_CTX *context) {
    KERNEL_ROWS(call, row, {
        uint8_t out[EVP_MAX_MD_SIZE];
        unsigned len = 0;
        Str bytes = arg_text(call, 0, row);
        if (!EVP_DigestInit_ex(context, method, NULL) ||
            !EVP_DigestUpdate(context, bytes.data, bytes.len) ||
            !EVP_DigestFinal_ex(context, out, &len)) {
            return error_set(call->err, ERR_GENERAL, "the digest %s failed",
                             digest_name(call->function->id));
        }
        TRY(kernel_put_text(call, row, (const char *)out, len));
    });
    return TRIB_OK;
}

static Status kernel_digest(KernelCall *call) {
    const char *name = digest_name(call->function->id);
    EVP_MD *method = EVP_MD_fetch(NULL, name, NULL);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    Status status;
    if (method == NULL || context == NULL) {
        status = error_set(call->err, ERR_GENERAL, "the digest %s is not available", name);
    } else {
        status = digest_rows(call, method, context);
    }
    EVP_MD_CTX_free(context);
    EVP_MD_free(method);
    return status;
}

static Status hmac_rows(KernelCall *call, const EVP_MD *method) {
    KERNEL_ROWS(call, row, {
        uint8_t out[EVP_MAX_MD_SIZE];
        unsigned len = 0;
        Str bytes = arg_text(call, 0, row);
        Str key = arg_text(call, 1, row);
        if (key.len == 0) { /* as in Java: there is no empty key */
            row_error(call, row, ERR_INVALID_ARGUMENT);
            continue;
        }
        if (HMAC(method, key.data, (int)key.len, (const uint8_t *)bytes.data, bytes.len, out,
                 &len) == NULL) {
            return error_set(call->err, ERR_GENERAL, "%s() failed", call->function->name);
        }
        TRY(kernel_put_text(call, row, (const char *)out, len));
    });
    return TRIB_OK;
}

static Status kernel_hmac(KernelCall *call) {
    const char *name = digest_name(call->function->id);
    EVP_MD *method = EVP_MD_fetch(NULL, name, NULL);
    if (method == NULL) {
        return error_set(call->err, ERR_GENERAL, "the digest %s is not available", name);
    }
    Status status = hmac_rows(call, method);
    EVP_MD_free(method);
    return status;
}

/* ---------------------------------------------------------------- checksums */

static const uint32_t crc_table[256] = {
#include "engine/functions/crc32.def"
};

static Status kernel_crc32(KernelCall *call) {
    int64_t *out = call->result->data;
    KERNEL_ROWS(call, row, {
        Str bytes = arg_text(call, 0, row);
        uint32_t crc = UINT32_MAX;
        for (size_t i = 0; i < bytes.len; i++) {
            crc = crc_table[(uint8_t)(crc ^ (uint8_t)bytes.data[i])] ^ (crc >> 8);
        }
        out[row] = crc ^ UINT32_MAX;
    });
    return TRIB_OK;
}

/* Eight bytes, the most significant first, seed 0. */
static Status kernel_xxhash64(KernelCall *call) {
    KERNEL_ROWS(call, row, {
        Str bytes = arg_text(call, 0, row);
        XXH64_canonical_t out;
        XXH64_canonicalFromHash(&out, XXH64(bytes.data, bytes.len, 0));
        row_view(call, row, (const char *)out.digest, sizeof(out.digest));
    });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- MurmurHash3 x64, 128 bits */

static uint64_t rotate(uint64_t x, int bits) {
    return (x << bits) | (x >> (64 - bits));
}

/* The first `bytes` (at most 8) bytes as a little-endian number. */
static uint64_t load_little(const uint8_t *data, size_t bytes) {
    uint64_t x = 0;
    for (size_t i = bytes; i-- > 0;) x = (x << 8) | data[i];
    return x;
}

static void store_little(uint8_t *out, uint64_t x) {
    for (int i = 0; i < 8; i++) out[i] = (uint8_t)(x >> (8 * i));
}

static uint64_t murmur_finish(uint64_t x) {
    x = (x ^ (x >> 33)) * UINT64_C(0xff51afd7ed558ccd);
    x = (x ^ (x >> 33)) * UINT64_C(0xc4ceb9fe1a85ec53);
    return x ^ (x >> 33);
}

static void murmur3(Str bytes, uint8_t out[16]) {
    const uint64_t c1 = UINT64_C(0x87c37b91114253d5), c2 = UINT64_C(0x4cf5ad432745937f);
    const uint8_t *at = (const uint8_t *)bytes.data;
    size_t left = bytes.len;
    uint64_t h1 = 0, h2 = 0;
    for (; left >= 16; at += 16, left -= 16) {
        h1 ^= rotate(load_little(at, 8) * c1, 31) * c2;
        h1 = (rotate(h1, 27) + h2) * 5 + 0x52dce729;
        h2 ^= rotate(load_little(at + 8, 8) * c2, 33) * c1;
        h2 = (rotate(h2, 31) + h1) * 5 + 0x38495ab5;
    }
    if (left > 8) h2 ^= rotate(load_little(at + 8, left - 8) * c2, 33) * c1;
    if (left > 0) h1 ^= rotate(load_little(at, left < 8 ? left : 8) * c1, 31) * c2;
    h1 ^= bytes.len;
    h2 ^= bytes.len;
    h1 += h2;
    h2 += h1;
    h1 = murmur_finish(h1);
    h2 = murmur_finish(h2);
    h1 += h2;
    h2 += h1;
    store_little(out, h1);
    store_little(out + 8, h2);
}

static Status kernel_murmur3(KernelCall *call) {
    KERNEL_ROWS(call, row, {
        uint8_t out[16];
        murmur3(arg_text(call, 0, row), out);
        TRY(kernel_put_text(call, row, (const char *)out, sizeof(out)));
    });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- SpookyHash V2 (Bob Jenkins) */

#define SPOOKY_CONSTANT UINT64_C(0xdeadbeefdeadbeef)
#define SPOOKY_NUMBERS  12
#define SPOOKY_BLOCK    ((size_t)SPOOKY_NUMBERS * 8)
#define SPOOKY_LONG     (2 * SPOOKY_BLOCK) /* shorter texts are hashed by the short form */

static void spooky_mix_short(uint64_t h[4]) {
    static const uint8_t bits[12] = {50, 52, 30, 41, 54, 48, 38, 37, 62, 34, 5, 36};
    for (int i = 0; i < 12; i++) {
        int a = (i + 2) % 4;
        h[a] = rotate(h[a], bits[i]) + h[(a + 1) % 4];
        h[(a + 2) % 4] ^= h[a];
    }
}

static void spooky_end_short(uint64_t h[4]) {
    static const uint8_t bits[11] = {15, 52, 26, 51, 28, 9, 47, 54, 32, 25, 63};
    for (int i = 0; i < 11; i++) {
        int a = (i + 3) % 4, b = (i + 2) % 4;
        h[a] ^= h[b];
        h[b] = rotate(h[b], bits[i]);
        h[a] += h[b];
    }
}

static uint64_t spooky_short(const uint8_t *at, size_t len) {
    uint64_t h[4] = {0, 0, SPOOKY_CONSTANT, SPOOKY_CONSTANT};
    size_t left = len;
    for (; left >= 32; at += 32, left -= 32) {
        h[2] += load_little(at, 8);
        h[3] += load_little(at + 8, 8);
        spooky_mix_short(h);
        h[0] += load_little(at + 16, 8);
        h[1] += load_little(at + 24, 8);
    }
    if (left >= 16) {
        h[2] += load_little(at, 8);
        h[3] += load_little(at + 8, 8);
        spooky_mix_short(h);
        at += 16;
        left -= 16;
    }
    h[3] += (uint64_t)len << 56;
    if (left == 0) {
        h[2] += SPOOKY_CONSTANT;
        h[3] += SPOOKY_CONSTANT;
    } else {
        h[2] += load_little(at, left < 8 ? left : 8);
        if (left > 8) h[3] += load_little(at + 8, left - 8);
    }
    spooky_end_short(h);
    return h[0];
}

static void spooky_mix(const uint8_t *block, uint64_t h[SPOOKY_NUMBERS]) {
    static const uint8_t bits[SPOOKY_NUMBERS] = {11, 32, 43, 31, 17, 28, 39, 57, 55, 54, 22, 46};
    for (int i = 0; i < SPOOKY_NUMBERS; i++) {
        int last = (i + 11) % SPOOKY_NUMBERS;
        h[i] += load_little(block + i * 8, 8);
        h[(i + 2) % SPOOKY_NUMBERS] ^= h[(i + 10) % SPOOKY_NUMBERS];
        h[last] ^= h[i];
        h[i] = rotate(h[i], bits[i]);
        h[last] += h[(i + 1) % SPOOKY_NUMBERS];
    }
}

static void spooky_end_part(uint64_t h[SPOOKY_NUMBERS]) {
    static const uint8_t bits[SPOOKY_NUMBERS] = {44, 15, 34, 21, 38, 33, 10, 13, 38, 53, 42, 54};
    for (int i = 0; i < SPOOKY_NUMBERS; i++) {
        int a = (i + 11) % SPOOKY_NUMBERS, b = (i + 1) % SPOOKY_NUMBERS,
            c = (i + 2) % SPOOKY_NUMBERS;
        h[a] += h[b];
        h[c] ^= h[a];
        h[b] = rotate(h[b], bits[i]);
    }
}

static uint64_t spooky_hash(Str bytes) {
    const uint8_t *at = (const uint8_t *)bytes.data;
    if (bytes.len < SPOOKY_LONG) return spooky_short(at, bytes.len);
    uint64_t h[SPOOKY_NUMBERS];
    for (int i = 0; i < SPOOKY_NUMBERS; i++) h[i] = i % 3 == 2 ? SPOOKY_CONSTANT : 0;
    size_t left = bytes.len;
    for (; left >= SPOOKY_BLOCK; at += SPOOKY_BLOCK, left -= SPOOKY_BLOCK) spooky_mix(at, h);
    uint8_t last[SPOOKY_BLOCK] = {0};
    memcpy(last, at, left);
    last[SPOOKY_BLOCK - 1] = (uint8_t)left;
    for (int i = 0; i < SPOOKY_NUMBERS; i++) h[i] += load_little(last + i * 8, 8);
    for (int i = 0; i < 3; i++) spooky_end_part(h);
    return h[0];
}

static Status kernel_spooky(KernelCall *call) {
    size_t bytes = call->function->id == TRIB_FN_spooky_hash_v2_32 ? 4 : 8;
    KERNEL_ROWS(call, row, {
        uint64_t hash = spooky_hash(arg_text(call, 0, row));
        char out[8];
        for (size_t i = 0; i < bytes; i++) out[i] = (char)(hash >> (8 * (bytes - 1 - i)));
        row_view(call, row, out, bytes);
    });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- rows */

#define DIGEST(ID, KERNEL, RESULT, HELP)                                                        \
    {                                                                                           \
        .id = TRIB_FN_##ID, .name = #ID, .signature = "varbinary -> " RESULT, .kernel = KERNEL, \
        .family = "binary", .help = HELP                                                        \
    }
#define HMAC_ROW(ID, HELP)                                                                 \
    {                                                                                      \
        .id = TRIB_FN_##ID, .name = #ID, .signature = "varbinary, varbinary -> varbinary", \
        .may_raise = true, .kernel = kernel_hmac, .family = "binary", .help = HELP         \
    }

static const Function rows[] = {
    DIGEST(md5, kernel_digest, "varbinary", "The MD5 digest, 16 bytes."),
    DIGEST(sha1, kernel_digest, "varbinary", "The SHA-1 digest, 20 bytes."),
    DIGEST(sha256, kernel_digest, "varbinary", "The SHA-256 digest, 32 bytes."),
    DIGEST(sha512, kernel_digest, "varbinary", "The SHA-512 digest, 64 bytes."),
    HMAC_ROW(hmac_md5, "The HMAC of the bytes with MD5 and a key."),
    HMAC_ROW(hmac_sha1, "The HMAC of the bytes with SHA-1 and a key."),
    HMAC_ROW(hmac_sha256, "The HMAC of the bytes with SHA-256 and a key."),
    HMAC_ROW(hmac_sha512, "The HMAC of the bytes with SHA-512 and a key."),
    DIGEST(crc32, kernel_crc32, "bigint", "The CRC-32 of the bytes, as zip has it."),
    DIGEST(xxhash64, kernel_xxhash64, "varbinary", "The 64-bit xxHash, 8 bytes."),
    DIGEST(murmur3, kernel_murmur3, "varbinary", "The 128-bit MurmurHash3, 16 bytes."),
    DIGEST(spooky_hash_v2_32, kernel_spooky, "varbinary", "The 32-bit SpookyHash V2, 4 bytes."),
    DIGEST(spooky_hash_v2_64, kernel_spooky, "varbinary", "The 64-bit SpookyHash V2, 8 bytes."),
};

FUNCTION_TABLE(functions_digest, rows);
