/*
 * test_spill.c - spill files: round trips, tampering, a full disk, the limit, cancellation, many
 * threads.
 *
 * Files are found through /proc/self/fd, where an unnamed file shows as "FOLDER/#inode (deleted)",
 * and changed behind the module's back through their descriptors.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/os.h"
#include "engine/spill/spill.h"

typedef struct Fixture {
    char dir[64];
    SpillSpace *space;
    SpillFile *file;
    CancelToken *cancel;
    Error err;
} Fixture;

static uint64_t state = 88172645463325252u;
static uint64_t next_random(void) {
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

static void begin(Fixture *self, bool encrypt, int64_t limit) {
    memset(self, 0, sizeof *self);
    snprintf(self->dir, sizeof self->dir, "/tmp/test_spill_XXXXXX");
    assert_non_null(mkdtemp(self->dir));
    self->cancel = cancel_new();
    assert_int_equal(spill_space_new(str_from(self->dir), limit, encrypt, self->cancel,
                                     &self->space, &self->err),
                     TRIB_OK);
    assert_int_equal(spill_file_new(self->space, &self->file, &self->err), TRIB_OK);
}

static void end(Fixture *self) {
    spill_file_free(self->file);
    spill_space_free(self->space);
    cancel_release(self->cancel);
    assert_int_equal(rmdir(self->dir), 0); /* nothing was left in it */
}

static void fill(uint8_t *data, size_t bytes, bool compressible) {
    for (size_t i = 0; i < bytes; i++)
        data[i] = compressible ? (uint8_t)(i / 64) : (uint8_t)next_random();
}

/* The descriptor of the spill file in the folder. */
static int find_fd(const char *dir) {
    DIR *fds = opendir("/proc/self/fd");
    int found = -1;
    for (struct dirent *entry; (entry = readdir(fds)) != NULL;) {
        char path[300], target[512];
        snprintf(path, sizeof path, "/proc/self/fd/%s", entry->d_name);
        ssize_t length = readlink(path, target, sizeof target - 1);
        if (length < 0) continue;
        target[length] = 0;
        if (strncmp(target, dir, strlen(dir)) == 0) found = (int)strtol(entry->d_name, NULL, 10);
    }
    closedir(fds);
    return found;
}

/* ---------------------------------------------------------------- round trips */

static void round_trips(bool encrypt) {
    Fixture f;
    begin(&f, encrypt, 0);
    enum { BLOCKS = 200 };
    static uint8_t *plain[BLOCKS];
    SpillBlock blocks[BLOCKS];
    for (int i = 0; i < BLOCKS; i++) {
        uint32_t bytes = i == 0 ? 1 : i == 1 ? 4u << 20 : 1 + (uint32_t)(next_random() % 100000);
        plain[i] = malloc(bytes);
        fill(plain[i], bytes, i % 2);
        assert_int_equal(spill_write(f.file, plain[i], bytes, &blocks[i], &f.err), TRIB_OK);
        assert_int_equal(blocks[i].plain, bytes);
    }
    assert_true(spill_space_bytes(f.space) > 0);
    uint8_t *out = malloc(4u << 20);
    for (int n = 0; n < 3 * BLOCKS; n++) {
        int i = (int)(next_random() % BLOCKS);
        assert_int_equal(spill_read(f.file, &blocks[i], out, &f.err), TRIB_OK);
        assert_memory_equal(out, plain[i], blocks[i].plain);
    }
    for (int i = 0; i < BLOCKS; i++) free(plain[i]);
    free(out);
    end(&f);
}

static void test_round_trip(void **unused) {
    (void)unused;
    round_trips(true);
    round_trips(false);
}

static void test_file_is_private(void **unused) {
    (void)unused;
    Fixture f;
    begin(&f, true, 0);
    SpillBlock block;
    const char secret[] = "the canary sings at dawn, the canary sings at dawn";
    assert_int_equal(spill_write(f.file, secret, sizeof secret, &block, &f.err), TRIB_OK);
    int fd = find_fd(f.dir);
    assert_true(fd >= 0);
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(st.st_nlink, 0);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    char raw[512];
    ssize_t got = pread(fd, raw, sizeof raw, 0);
    assert_true(got > 0);
    assert_null(memmem(raw, (size_t)got, "canary", 6));
    end(&f);
}

/* ---------------------------------------------------------------- tampering */

static void expect_damage(Fixture *f, const SpillBlock *block) {
    static uint8_t out[8192];
    error_clear(&f->err);
    assert_int_equal(spill_read(f->file, block, out, &f->err), TRIB_IO);
    assert_string_equal(f->err.sqlstate, "HY000");
    assert_non_null(strstr(f->err.message, "damaged"));
}

static void test_flips_are_found(void **unused) {
    (void)unused;
    for (int encrypt = 0; encrypt < 2; encrypt++) {
        Fixture f;
        begin(&f, encrypt, 0);
        static uint8_t data[4096];
        SpillBlock block;
        fill(data, sizeof data, encrypt);
        assert_int_equal(spill_write(f.file, data, sizeof data, &block, &f.err), TRIB_OK);
        int fd = find_fd(f.dir);
        for (int n = 0; n < 1000; n++) {
            uint64_t at = next_random() % block.stored;
            uint8_t byte, changed;
            assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
            changed = byte ^ (uint8_t)(1u << (next_random() % 8));
            assert_int_equal(pwrite(fd, &changed, 1, (off_t)at), 1);
            expect_damage(&f, &block);
            assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
        }
        static uint8_t out[4096];
        assert_int_equal(spill_read(f.file, &block, out, &f.err), TRIB_OK);
        end(&f);
    }
}

static void test_exchanged_blocks_are_found(void **unused) {
    (void)unused;
    Fixture f;
    begin(&f, true, 0);
    static uint8_t a[4096], b[4096], raw_a[8192], raw_b[8192];
    SpillBlock block_a, block_b;
    fill(a, sizeof a, false);
    fill(b, sizeof b, false);
    assert_int_equal(spill_write(f.file, a, sizeof a, &block_a, &f.err), TRIB_OK);
    assert_int_equal(spill_write(f.file, b, sizeof b, &block_b, &f.err), TRIB_OK);
    assert_int_equal(block_a.stored, block_b.stored);
    int fd = find_fd(f.dir);
    assert_int_equal(pread(fd, raw_a, block_a.stored, (off_t)block_a.offset), block_a.stored);
    assert_int_equal(pread(fd, raw_b, block_b.stored, (off_t)block_b.offset), block_b.stored);
    assert_int_equal(pwrite(fd, raw_b, block_b.stored, (off_t)block_a.offset), block_b.stored);
    assert_int_equal(pwrite(fd, raw_a, block_a.stored, (off_t)block_b.offset), block_a.stored);
    expect_damage(&f, &block_a);
    expect_damage(&f, &block_b);
    end(&f);
}

/* A block of another file of the same query, at the same place and with the same number. */
static void test_replayed_blocks_are_found(void **unused) {
    (void)unused;
    Fixture f;
    begin(&f, true, 0);
    static uint8_t a[4096], raw[8192];
    SpillBlock old, fresh;
    fill(a, sizeof a, false);
    assert_int_equal(spill_write(f.file, a, sizeof a, &old, &f.err), TRIB_OK);
    int fd = find_fd(f.dir);
    assert_int_equal(pread(fd, raw, old.stored, 0), old.stored);
    spill_file_free(f.file);
    assert_int_equal(spill_file_new(f.space, &f.file, &f.err), TRIB_OK);
    assert_int_equal(spill_write(f.file, a, sizeof a, &fresh, &f.err), TRIB_OK);
    fd = find_fd(f.dir);
    assert_int_equal(pwrite(fd, raw, old.stored, 0), old.stored);
    expect_damage(&f, &fresh);
    end(&f);
}

static void test_cut_files_are_found(void **unused) {
    (void)unused;
    Fixture f;
    begin(&f, true, 0);
    static uint8_t a[4096];
    SpillBlock block;
    fill(a, sizeof a, false);
    assert_int_equal(spill_write(f.file, a, sizeof a, &block, &f.err), TRIB_OK);
    assert_int_equal(ftruncate(find_fd(f.dir), 100), 0);
    expect_damage(&f, &block);
    end(&f);
}

static void test_false_directory_is_found(void **unused) {
    (void)unused;
    Fixture f;
    begin(&f, true, 0);
    static uint8_t a[4096];
    SpillBlock block;
    fill(a, sizeof a, false);
    assert_int_equal(spill_write(f.file, a, sizeof a, &block, &f.err), TRIB_OK);
    SpillBlock wrong = block;
    wrong.number++;
    expect_damage(&f, &wrong);
    wrong = block;
    wrong.plain++;
    expect_damage(&f, &wrong);
    wrong = block;
    wrong.stored--;
    expect_damage(&f, &wrong);
    wrong = block;
    wrong.stored = 3;
    expect_damage(&f, &wrong);
    end(&f);
}

/* ---------------------------------------------------------------- limits and failures */

static void test_limit(void **unused) {
    (void)unused;
    Fixture f;
    begin(&f, true, 10000);
    static uint8_t a[4096];
    SpillBlock block;
    fill(a, sizeof a, false);
    assert_int_equal(spill_write(f.file, a, sizeof a, &block, &f.err), TRIB_OK);
    assert_int_equal(spill_write(f.file, a, sizeof a, &block, &f.err), TRIB_OK);
    assert_int_equal(spill_write(f.file, a, sizeof a, &block, &f.err), TRIB_LIMIT);
    assert_non_null(strstr(f.err.message, "SpillLimit"));
    assert_non_null(strstr(f.err.message, f.dir));
    end(&f);
}

static void test_cancelled(void **unused) {
    (void)unused;
    Fixture f;
    begin(&f, true, 0);
    static uint8_t a[4096];
    SpillBlock block;
    assert_int_equal(spill_write(f.file, a, sizeof a, &block, &f.err), TRIB_OK);
    cancel_set(f.cancel, CANCEL_REQUESTED);
    assert_int_equal(spill_write(f.file, a, sizeof a, &block, &f.err), TRIB_CANCELLED);
    assert_int_equal(spill_read(f.file, &block, a, &f.err), TRIB_CANCELLED);
    end(&f);
}

static void test_no_folder(void **unused) {
    (void)unused;
    Error err;
    SpillSpace *space;
    SpillFile *file;
    SpillBlock block;
    assert_int_equal(spill_space_new(STR("/nonexistent/folder"), 0, true, NULL, &space, &err),
                     TRIB_OK);
    assert_int_equal(spill_file_new(space, &file, &err), TRIB_OK);
    assert_int_equal(spill_write(file, "x", 1, &block, &err), TRIB_IO);
    assert_non_null(strstr(err.message, "/nonexistent/folder"));
    assert_non_null(strstr(err.hint, "SpillDir"));
    spill_file_free(file);
    spill_space_free(space);
}

/* A tmpfs of 1 MiB fills up: a clear error, and what was written before can still be read. */
static void test_full_disk(void **unused) {
    (void)unused;
    char dir[] = "/tmp/test_spill_full_XXXXXX";
    assert_non_null(mkdtemp(dir));
    if (mount("none", dir, "tmpfs", 0, "size=1m") != 0) {
        rmdir(dir);
        skip(); /* needs the right to mount */
    }
    Error err;
    SpillSpace *space;
    SpillFile *file;
    static uint8_t data[100000], out[100000];
    SpillBlock first = {0}, block;
    fill(data, sizeof data, false);
    assert_int_equal(spill_space_new(str_from(dir), 0, true, NULL, &space, &err), TRIB_OK);
    assert_int_equal(spill_file_new(space, &file, &err), TRIB_OK);
    Status status = TRIB_OK;
    int written = 0;
    for (; written < 100 && status == TRIB_OK; written++) {
        status = spill_write(file, data, sizeof data, &block, &err);
        if (written == 0) first = block;
    }
    assert_int_equal(status, TRIB_IO);
    assert_true(written > 5 && written < 15);
    assert_non_null(strstr(err.message, dir));
    assert_non_null(strstr(err.message, "No space left"));
    assert_int_equal(spill_read(file, &first, out, &err), TRIB_OK);
    assert_memory_equal(data, out, sizeof data);
    spill_file_free(file);
    spill_space_free(space);
    assert_int_equal(umount(dir), 0);
    rmdir(dir);
}

/* ---------------------------------------------------------------- threads */

typedef struct Job {
    SpillSpace *space;
    uint64_t seed;
    bool ok;
} Job;

static void *job_run(void *context) {
    Job *job = context;
    Error err;
    SpillFile *file;
    SpillBlock blocks[64];
    uint8_t *data = malloc(64 * 5000), *out = malloc(5000);
    for (size_t i = 0; i < 64 * 5000; i++) data[i] = (uint8_t)((job->seed * (i + 1)) >> (i % 7));
    job->ok = spill_file_new(job->space, &file, &err) == TRIB_OK;
    for (int b = 0; b < 64 && job->ok; b++)
        job->ok = spill_write(file, data + b * 5000, 5000, &blocks[b], &err) == TRIB_OK;
    for (int b = 63; b >= 0 && job->ok; b--)
        job->ok = spill_read(file, &blocks[b], out, &err) == TRIB_OK &&
                  memcmp(out, data + b * 5000, 5000) == 0;
    spill_file_free(file);
    free(data);
    free(out);
    return NULL;
}

static void test_threads(void **unused) {
    (void)unused;
    Fixture f;
    begin(&f, true, 0);
    pthread_t threads[8];
    Job jobs[8];
    for (int t = 0; t < 8; t++) {
        jobs[t] = (Job){f.space, next_random(), false};
        assert_int_equal(pthread_create(&threads[t], NULL, job_run, &jobs[t]), 0);
    }
    for (int t = 0; t < 8; t++) {
        pthread_join(threads[t], NULL);
        assert_true(jobs[t].ok);
    }
    end(&f);
}

static void test_discard(void **unused) {
    (void)unused;
    Fixture f;
    begin(&f, true, 0);
    static uint8_t data[262144], out[262144];
    SpillBlock blocks[4];
    fill(data, sizeof data, false);
    for (int i = 0; i < 4; i++)
        assert_int_equal(spill_write(f.file, data, sizeof data, &blocks[i], &f.err), TRIB_OK);
    struct stat before, after;
    fstat(find_fd(f.dir), &before);
    spill_discard(f.file, &blocks[1]);
    fstat(find_fd(f.dir), &after);
    assert_true(after.st_blocks <= before.st_blocks);
    assert_int_equal(spill_read(f.file, &blocks[0], out, &f.err), TRIB_OK);
    assert_int_equal(spill_read(f.file, &blocks[2], out, &f.err), TRIB_OK);
    assert_memory_equal(data, out, sizeof data);
    end(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_file_is_private),
        cmocka_unit_test(test_flips_are_found),
        cmocka_unit_test(test_exchanged_blocks_are_found),
        cmocka_unit_test(test_replayed_blocks_are_found),
        cmocka_unit_test(test_cut_files_are_found),
        cmocka_unit_test(test_false_directory_is_found),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_cancelled),
        cmocka_unit_test(test_no_folder),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_discard),
    };
    return cmocka_run_group_tests_name("spill", tests, NULL, NULL);
}
