/* SPDX-License-Identifier: MIT */
/* Files of keys: nobody else's, whole or not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/texts.h"
#include "pki/store.h"
#include "support/scratch.h"

static unsigned mode_of(const char *path)
{
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    return (unsigned)status.st_mode & 07777;
}

static void assert_text(const char *path, const char *expected)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
    assert_int_equal(fay_store_read(path, 100, &text, NULL), 0);
    assert_string_equal(fay_buffer_text(&text), expected);
}

static void modes_do_not_depend_on_the_umask(void **state)
{
    (void)state;
    mode_t before = umask(0);
    assert_int_equal(fay_store_write("key", "k", 1, FAY_STORE_PRIVATE, NULL), 0);
    (void)umask(0777);
    assert_int_equal(fay_store_make("a/b", NULL), 0);
    assert_int_equal(fay_store_write("cert", "c", 1, FAY_STORE_PUBLIC, NULL), 0);
    (void)umask(before);
    assert_int_equal(mode_of("key"), 0600);
    assert_int_equal(mode_of("cert"), 0644);
    assert_int_equal(mode_of("a"), 0700);
    assert_int_equal(mode_of("a/b"), 0700);
}

static void a_file_is_replaced_whole(void **state)
{
    (void)state;
    assert_int_equal(fay_store_write("f", "old", 3, FAY_STORE_PRIVATE, NULL), 0);
    assert_int_equal(fay_store_write("f.new", "left by the dead", 4, FAY_STORE_PUBLIC, NULL), 0);
    assert_int_equal(fay_store_write("f", "new", 3, FAY_STORE_PRIVATE, NULL), 0);
    assert_text("f", "new");
    assert_false(fay_store_has("f.new"));
}

/* A limit on the size of files stands for a disk that is full: it holds for root, too. */
static void on_a_full_disk_the_old_file_stays(void **state)
{
    (void)state;
    fay_error err = {0};
    struct rlimit before;
    assert_int_equal(fay_store_write("f", "old", 3, FAY_STORE_PRIVATE, NULL), 0);
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit tiny = {.rlim_cur = 2, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tiny), 0);
    int r = fay_store_write("f", "newer", 5, FAY_STORE_PRIVATE, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    (void)signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(r, FAY_E_IO);
    assert_non_null(strstr(err.message, "cannot write f"));
    assert_text("f", "old");
    assert_false(fay_store_has("f.new"));
}

static void a_secret_that_others_may_read_is_refused(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
    fay_error err = {0};
    assert_int_equal(fay_store_write("key", "k", 1, 0604, NULL), 0);
    assert_int_equal(fay_store_read_secret("key", 100, &text, &err), FAY_E_DENIED);
    assert_non_null(strstr(err.message, "mode 0604"));
    assert_non_null(strstr(err.hint, "chmod 600 key"));
    assert_int_equal(chmod("key", 0620), 0);
    assert_int_equal(fay_store_read_secret("key", 100, &text, &err), FAY_E_DENIED);
    assert_int_equal(chmod("key", 0640), 0); /* a group such as Debian's ssl-cert */
    assert_int_equal(fay_store_read_secret("key", 100, &text, &err), 0);
}

static void what_cannot_be_read_is_told_apart(void **state)
{
    (void)state;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
    fay_error err = {0};
    assert_int_equal(fay_store_read("none", 100, &text, &err), FAY_E_NOTFOUND);
    assert_int_equal(fay_store_read(".", 100, &text, &err), FAY_E_IO);
    assert_int_equal(fay_store_write("f", "123", 3, FAY_STORE_PUBLIC, NULL), 0);
    assert_int_equal(fay_store_read("f", 2, &text, &err), FAY_E_NORES);
}

static void a_directory_that_others_may_write_to_is_refused(void **state)
{
    (void)state;
    fay_error err = {0};
    assert_int_equal(mkdir("open", 0700), 0);
    assert_int_equal(chmod("open", 0777), 0);
    assert_int_equal(fay_store_make("open", &err), FAY_E_DENIED);
    assert_int_equal(fay_store_write("file", "", 0, FAY_STORE_PUBLIC, NULL), 0);
    assert_int_equal(fay_store_make("file", &err), FAY_E_IO);
    assert_int_equal(fay_store_make("file/below", &err), FAY_E_IO);
    assert_int_equal(fay_store_make("/proc/nothing", &err), FAY_E_IO);
    assert_int_equal(fay_store_make("", &err), FAY_E_IO);
}

static void names_are_listed_in_order(void **state)
{
    (void)state;
    fay_error err = {0};
    char **names = NULL;
    assert_int_equal(fay_store_list("none", ".pem", 2, &names, &err), 0);
    assert_null(names[0]);
    fay_texts_free(names);
    assert_int_equal(fay_store_make("d", NULL), 0);
    assert_int_equal(fay_store_write("d/b.pem", "", 0, FAY_STORE_PUBLIC, NULL), 0);
    assert_int_equal(fay_store_write("d/a.pem", "", 0, FAY_STORE_PUBLIC, NULL), 0);
    assert_int_equal(fay_store_write("d/x.pem.new", "", 0, FAY_STORE_PUBLIC, NULL), 0);
    assert_int_equal(fay_store_list("d", ".pem", 2, &names, &err), 0);
    assert_string_equal(names[0], "a.pem");
    assert_string_equal(names[1], "b.pem");
    assert_null(names[2]);
    fay_texts_free(names);
    assert_int_equal(fay_store_list("d", ".pem", 1, &names, &err), FAY_E_NORES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(modes_do_not_depend_on_the_umask),
        IN_SCRATCH(a_file_is_replaced_whole),
        IN_SCRATCH(on_a_full_disk_the_old_file_stays),
        IN_SCRATCH(a_secret_that_others_may_read_is_refused),
        IN_SCRATCH(what_cannot_be_read_is_told_apart),
        IN_SCRATCH(a_directory_that_others_may_write_to_is_refused),
        IN_SCRATCH(names_are_listed_in_order),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
