/*
 * spill.c - encrypted, compressed blocks in unnamed files.
 *
 * A block on disk is   payload | trailer
 *   payload  the plain bytes, or their LZ4 compression where that is at least 1/16 smaller;
 *   trailer  the 16-byte tag of AES-256-GCM, or, without encryption, an 8-byte XXH3 of the payload.
 * The key is random per query and never leaves memory. The nonce is file id (4 bytes) and block
 * number (8 bytes); a number is never used twice in a file, a file id never twice under one key.
 * The associated data is the nonce with both lengths: a block that was changed, moved, exchanged
 * with another or taken from another query does not authenticate.
 *
 * Writing: compress into the thread's buffer, encrypt in place, pwrite. Cipher contexts, compressor
 * state and buffers are kept per thread (freed when the thread ends) and reused for every block.
 *
 * Threads: a space is safe from any thread; of a file one writer at a time, any number of readers
 * of blocks that were written before. Positions in the file are kept here, not by the descriptor.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <lz4.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "engine/base/map.h"
#include "engine/base/os.h"
#include "engine/spill/spill.h"

#define KEY_BYTES      32
#define NONCE_BYTES    12
#define TAG_BYTES      16
#define CHECKSUM_BYTES 8
#define BLOCK_MAX      (UINT32_C(4) << 20)
#define DIR_MAX        4096
/* A file whose blocks did not shrink is tried again every so many blocks. */
#define INCOMPRESSIBLE_SKIP 15

struct SpillSpace {
    int64_t limit;
    bool encrypt;
    CancelToken *cancel; /* retained */
    uint8_t key[KEY_BYTES];
    _Atomic uint64_t bytes;
    _Atomic uint32_t files;
    char dir[];
};

struct SpillFile {
    SpillFile *next; /* in the list of its owner */
    SpillSpace *space;
    uint32_t id;
    int fd;          /* -1 until the first write */
    uint64_t end;    /* writer only */
    uint64_t blocks; /* writer only: number of the next block */
    uint32_t skip;   /* writer only: blocks to store without trying to compress */
};

/* ---------------------------------------------------------------- what each thread keeps */

typedef struct ThreadState {
    EVP_CIPHER_CTX *cipher;
    void *lz4;
    uint8_t *buffer;
    size_t capacity;
} ThreadState;

static pthread_once_t process_once = PTHREAD_ONCE_INIT;
static pthread_key_t thread_key;
static bool thread_key_made;
static EVP_CIPHER *gcm; /* fetched once: an implicit fetch per block takes a lock */

static void thread_state_free(void *memory) {
    ThreadState *state = memory;
    EVP_CIPHER_CTX_free(state->cipher);
    if (state->buffer) OPENSSL_cleanse(state->buffer, state->capacity);
    heap_free(state->buffer);
    heap_free(state->lz4);
    heap_free(state);
}

static void process_start(void) {
    thread_key_made = pthread_key_create(&thread_key, thread_state_free) == 0;
    gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
}

void spill_process_start(void) {
    (void)OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL); /* remembers by itself */
}

/* This thread's state with a buffer of at least `capacity` bytes. */
static Status thread_state(size_t capacity, ThreadState **out, Error *err) {
    pthread_once(&process_once, process_start);
    if (!thread_key_made) return error_out_of_memory(err);
    ThreadState *state = pthread_getspecific(thread_key);
    if (!state) {
        TRY_ALLOC(state, heap_alloc(sizeof *state), err);
        if (pthread_setspecific(thread_key, state) != 0) {
            heap_free(state);
            return error_out_of_memory(err);
        }
    }
    if (!state->cipher) TRY_ALLOC(state->cipher, EVP_CIPHER_CTX_new(), err);
    if (!state->lz4) TRY_ALLOC(state->lz4, heap_alloc((size_t)LZ4_sizeofState()), err);
    if (state->capacity < capacity) {
        uint8_t *buffer;
        TRY_ALLOC(buffer, heap_alloc(capacity), err);
        heap_free(state->buffer);
        state->buffer = buffer;
        state->capacity = capacity;
    }
    *out = state;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- encryption */

typedef struct BlockHeader {
    uint8_t nonce[NONCE_BYTES];
    uint8_t lengths[8];
} BlockHeader; /* the associated data, in this order, without padding */

static void header_fill(BlockHeader *header, const SpillFile *file, uint64_t number,
                        uint32_t payload, uint32_t plain) {
    for (int i = 0; i < 4; i++) {
        header->nonce[i] = (uint8_t)(file->id >> (8 * i));
        header->lengths[i] = (uint8_t)(payload >> (8 * i));
        header->lengths[4 + i] = (uint8_t)(plain >> (8 * i));
    }
    for (int i = 0; i < 8; i++) header->nonce[4 + i] = (uint8_t)(number >> (8 * i));
}

static Status crypto_failed(Error *err) {
    return error_set(err, ERR_GENERAL, "the encryption of spill files failed");
}

/* Encrypts in place and writes the tag behind the payload. */
static Status block_encrypt(EVP_CIPHER_CTX *cipher, const uint8_t *key, const BlockHeader *header,
                            uint8_t *payload, uint32_t bytes, Error *err) {
    int done = 0, rest = 0;
    if (!gcm || EVP_EncryptInit_ex2(cipher, gcm, key, header->nonce, NULL) != 1 ||
        EVP_EncryptUpdate(cipher, NULL, &done, (const uint8_t *)header, sizeof *header) != 1 ||
        EVP_EncryptUpdate(cipher, payload, &done, payload, (int)bytes) != 1 ||
        EVP_EncryptFinal_ex(cipher, payload + done, &rest) != 1 ||
        EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, payload + bytes) != 1)
        return crypto_failed(err);
    return TRIB_OK;
}

/* Decrypts in place; *genuine = false if the tag does not fit. */
static Status block_decrypt(EVP_CIPHER_CTX *cipher, const uint8_t *key, const BlockHeader *header,
                            uint8_t *payload, uint32_t bytes, bool *genuine, Error *err) {
    int done = 0, rest = 0;
    if (!gcm || EVP_DecryptInit_ex2(cipher, gcm, key, header->nonce, NULL) != 1 ||
        EVP_DecryptUpdate(cipher, NULL, &done, (const uint8_t *)header, sizeof *header) != 1 ||
        EVP_DecryptUpdate(cipher, payload, &done, payload, (int)bytes) != 1 ||
        EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, payload + bytes) != 1)
        return crypto_failed(err);
    *genuine = EVP_DecryptFinal_ex(cipher, payload + done, &rest) == 1;
    return TRIB_OK;
}

static uint64_t block_checksum(const BlockHeader *header, const uint8_t *payload, uint32_t bytes) {
    return hash_bytes(payload, bytes, hash_bytes(header, sizeof *header, 0));
}

/* ---------------------------------------------------------------- spaces */

Status spill_space_new(Str dir, int64_t limit, bool encrypt, CancelToken *cancel, SpillSpace **out,
                       Error *err) {
    if (dir.len == 0) {
        const char *temporary = os_env("TMPDIR");
        dir = str_from(temporary ? temporary : "/tmp");
    }
    if (dir.len >= DIR_MAX || memchr(dir.data, 0, dir.len))
        return error_set(err, ERR_CONFIGURATION, "SpillDir is not a valid path");
    SpillSpace *self;
    TRY_ALLOC(self, heap_alloc(sizeof *self + dir.len + 1), err);
    if (encrypt && !os_random(self->key, sizeof self->key)) {
        heap_free(self);
        return error_set(err, ERR_GENERAL, "no random key for spill files could be made");
    }
    memcpy(self->dir, dir.data, dir.len);
    self->limit = limit;
    self->encrypt = encrypt;
    self->cancel = cancel;
    if (cancel) cancel_retain(cancel);
    *out = self;
    return TRIB_OK;
}

void spill_space_free(SpillSpace *self) {
    if (!self) return;
    if (self->cancel) cancel_release(self->cancel);
    OPENSSL_cleanse(self->key, sizeof self->key);
    heap_free(self);
}

uint64_t spill_space_bytes(const SpillSpace *self) {
    return atomic_load_explicit(&self->bytes, memory_order_relaxed);
}

/* ---------------------------------------------------------------- files */

/* File systems without O_TMPFILE (NFS, older overlays): a random name that is gone before a byte
 * is written. */
static int open_unlinked(const char *dir) {
    char path[DIR_MAX + 64];
    for (int attempt = 0; attempt < 16; attempt++) {
        uint64_t name[2];
        if (!os_random(name, sizeof name)) break;
        int length = snprintf(path, sizeof path, "%s/.tributary-%016llx%016llx", dir,
                              (unsigned long long)name[0], (unsigned long long)name[1]);
        if (length < 0 || (size_t)length >= sizeof path) {
            errno = ENAMETOOLONG;
            return -1;
        }
        int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd >= 0) {
            if (unlink(path) == 0) return fd;
            int saved = errno;
            close(fd);
            errno = saved;
            return -1;
        }
        if (errno != EEXIST) return -1;
    }
    errno = EEXIST;
    return -1;
}

static Status file_open(SpillFile *self, Error *err) {
    const char *dir = self->space->dir;
    int fd = -1;
    if (heap_fault_due())
        errno = EMFILE;
    else
        fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL))
        fd = open_unlinked(dir);
    if (fd < 0) {
        int number = errno;
        char what[DIR_MAX + 64];
        snprintf(what, sizeof what, "cannot create a spill file in \"%.400s\"", dir);
        error_errno(err, ERR_IO, number, what);
        return error_hint(err, "Set SpillDir to a folder that can be written to.");
    }
    self->fd = fd;
    return TRIB_OK;
}

Status spill_file_new(SpillSpace *space, SpillFile **out, Error *err) {
    SpillFile *self;
    TRY_ALLOC(self, heap_alloc(sizeof *self), err);
    self->space = space;
    self->id = atomic_fetch_add(&space->files, 1);
    self->fd = -1;
    if (self->id == UINT32_MAX) {
        heap_free(self);
        return error_set(err, ERR_LIMIT, "a query may not have more than 4294967295 spill files");
    }
    *out = self;
    return TRIB_OK;
}

void spill_file_free(SpillFile *self) {
    if (!self) return;
    if (self->fd >= 0) close(self->fd);
    heap_free(self);
}

void spill_files_add(SpillFile **list, SpillFile *file) {
    if (!file) return;
    file->next = *list;
    *list = file;
}

void spill_files_free(SpillFile **list) {
    for (SpillFile *file = *list, *next; file; file = next) {
        next = file->next;
        spill_file_free(file);
    }
    *list = NULL;
}

static Status write_failed(const SpillFile *self, int number, Error *err) {
    const SpillSpace *space = self->space;
    char what[512];
    snprintf(what, sizeof what, "cannot write to a spill file in \"%.400s\"", space->dir);
    error_errno(err, ERR_IO, number, what);
    struct statvfs fs;
    if (fstatvfs(self->fd, &fs) == 0) {
        error_detail(err, "%llu bytes are free there; this query has spilled %llu bytes.",
                     (unsigned long long)fs.f_bavail * fs.f_frsize,
                     (unsigned long long)spill_space_bytes(space));
    }
    if (number == ENOSPC || number == EDQUOT)
        return error_hint(
            err, "Free space there, set SpillDir to another folder, or raise MemoryLimit.");
    return err->status;
}

static Status pwrite_all(const SpillFile *self, const uint8_t *data, size_t bytes, uint64_t offset,
                         Error *err) {
    if (heap_fault_due()) return write_failed(self, ENOSPC, err);
    while (bytes > 0) {
        ssize_t wrote = pwrite(self->fd, data, bytes, (off_t)offset);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) return write_failed(self, wrote < 0 ? errno : ENOSPC, err);
        data += wrote;
        offset += (uint64_t)wrote;
        bytes -= (size_t)wrote;
    }
    return TRIB_OK;
}

/* Charges the bytes to the query's limit, or gives the error. */
static Status space_charge(SpillSpace *self, uint32_t bytes, Error *err) {
    uint64_t after = atomic_fetch_add(&self->bytes, bytes) + bytes;
    if (self->limit <= 0 || after <= (uint64_t)self->limit) return TRIB_OK;
    atomic_fetch_sub(&self->bytes, bytes);
    error_set(err, ERR_LIMIT,
              "the query needs more than SpillLimit = %lld bytes of temporary files in \"%.400s\"",
              (long long)self->limit, self->dir);
    return error_hint(err, "Raise SpillLimit or MemoryLimit.");
}

/* The payload of a block in the thread's buffer; compressed where that helps. */
static uint32_t block_pack(SpillFile *self, ThreadState *thread, const void *data, uint32_t bytes) {
    if (self->skip > 0) {
        self->skip--;
    } else {
        uint32_t worthwhile = bytes - bytes / 16;
        int packed = bytes < 64
                         ? 0
                         : LZ4_compress_fast_extState(thread->lz4, data, (char *)thread->buffer,
                                                      (int)bytes, (int)worthwhile, 1);
        if (packed > 0 && (uint32_t)packed < bytes) return (uint32_t)packed;
        if (bytes >= 4096) self->skip = INCOMPRESSIBLE_SKIP;
    }
    memcpy(thread->buffer, data, bytes);
    return bytes;
}

Status spill_write(SpillFile *self, const void *data, uint32_t bytes, SpillBlock *out, Error *err) {
    SpillSpace *space = self->space;
    if (bytes == 0 || bytes > BLOCK_MAX)
        return error_set(err, ERR_GENERAL, "a spill block of %u bytes", bytes);
    if (space->cancel) TRY(cancel_check(space->cancel, err));
    if (self->blocks >= UINT32_MAX)
        return error_set(err, ERR_LIMIT, "a spill file may not have more than 4294967295 blocks");
    if (self->fd < 0) TRY(file_open(self, err));
    ThreadState *thread;
    TRY(thread_state((size_t)bytes + TAG_BYTES, &thread, err));
    uint32_t payload = block_pack(self, thread, data, bytes), stored = payload;
    BlockHeader header;
    header_fill(&header, self, self->blocks, payload, bytes);
    if (space->encrypt) {
        TRY(block_encrypt(thread->cipher, space->key, &header, thread->buffer, payload, err));
        stored += TAG_BYTES;
    } else {
        uint64_t checksum = block_checksum(&header, thread->buffer, payload);
        memcpy(thread->buffer + payload, &checksum, sizeof checksum);
        stored += CHECKSUM_BYTES;
    }
    TRY(space_charge(space, stored, err));
    TRY(pwrite_all(self, thread->buffer, stored, self->end, err));
    *out = (SpillBlock){
        .offset = self->end, .stored = stored, .plain = bytes, .number = (uint32_t)self->blocks};
    self->end += stored;
    self->blocks++;
    return TRIB_OK;
}

static Status block_damaged(const SpillFile *self, const SpillBlock *block, Error *err) {
    error_set(err, ERR_IO, "a spill file in \"%.400s\" was damaged or changed by somebody else",
              self->space->dir);
    return error_detail(err, "file %u, block %u at offset %llu", self->id, block->number,
                        (unsigned long long)block->offset);
}

static Status read_failed(const SpillFile *self, int number, Error *err) {
    char what[512];
    snprintf(what, sizeof what, "cannot read a spill file in \"%.400s\"", self->space->dir);
    return error_errno(err, ERR_IO, number, what);
}

static Status pread_all(const SpillFile *self, uint8_t *data, size_t bytes, const SpillBlock *block,
                        Error *err) {
    uint64_t offset = block->offset;
    if (heap_fault_due()) return read_failed(self, EIO, err);
    while (bytes > 0) {
        ssize_t got = pread(self->fd, data, bytes, (off_t)offset);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return read_failed(self, errno, err);
        if (got == 0) return block_damaged(self, block, err);
        data += got;
        offset += (uint64_t)got;
        bytes -= (size_t)got;
    }
    return TRIB_OK;
}

Status spill_read(SpillFile *self, const SpillBlock *block, void *out, Error *err) {
    const SpillSpace *space = self->space;
    if (space->cancel) TRY(cancel_check(space->cancel, err));
    uint32_t trailer = space->encrypt ? TAG_BYTES : CHECKSUM_BYTES;
    if (self->fd < 0 || block->stored <= trailer || block->stored - trailer > block->plain ||
        block->plain > BLOCK_MAX)
        return block_damaged(self, block, err);
    uint32_t payload = block->stored - trailer;
    ThreadState *thread;
    TRY(thread_state((size_t)block->plain + TAG_BYTES, &thread, err));
    TRY(pread_all(self, thread->buffer, block->stored, block, err));
    BlockHeader header;
    header_fill(&header, self, block->number, payload, block->plain);
    bool genuine = false;
    if (space->encrypt) {
        TRY(block_decrypt(thread->cipher, space->key, &header, thread->buffer, payload, &genuine,
                          err));
    } else {
        uint64_t checksum;
        memcpy(&checksum, thread->buffer + payload, sizeof checksum);
        genuine = checksum == block_checksum(&header, thread->buffer, payload);
    }
    if (!genuine) return block_damaged(self, block, err);
    if (payload == block->plain) {
        memcpy(out, thread->buffer, payload);
        return TRIB_OK;
    }
    int plain =
        LZ4_decompress_safe((const char *)thread->buffer, out, (int)payload, (int)block->plain);
    return plain == (int)block->plain ? TRIB_OK : block_damaged(self, block, err);
}

void spill_discard(SpillFile *self, const SpillBlock *block) {
    /* Only whole file system blocks go; a file system that cannot punch holes keeps them until
     * the end. */
    if (self->fd >= 0)
        (void)fallocate(self->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)block->offset,
                        block->stored);
}
