/* SPDX-License-Identifier: MIT */
#include "pki/host_names.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/texts.h"
#include "pki/names.h"
#include "pki/store.h"

typedef struct collection {
    char **names;
    size_t most;
} collection;

static bool is_among(char *const *names, const char *name)
{
    for (; *names != NULL; names++) {
        if (strcasecmp(*names, name) == 0)
            return true;
    }
    return false;
}

static void add(collection *c, const char *name)
{
    if (fay_san_valid(name) && !is_among(c->names, name) && fay_texts_count(c->names) < c->most)
        fay_texts_push(&c->names, fay_strdup(name));
}

/* "10.0.0.7 a.example.org a  # comment": all names of a line that has this one. */
static void add_line(collection *c, const char *hostname, char *line)
{
    char **words = fay_texts_new();
    line[strcspn(line, "#\r")] = '\0';
    for (char *word; (word = strsep(&line, " \t")) != NULL;) {
        if (word[0] != '\0')
            fay_texts_push(&words, fay_strdup(word));
    }
    if (words[0] != NULL && is_among(words + 1, hostname)) {
        for (char **word = words + 1; *word != NULL; word++)
            add(c, *word);
    }
    fay_texts_free(words);
}

static void add_hosts_file(collection *c, const char *hostname, const char *path)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
    if (fay_store_read(path, FAY_HOSTS_FILE_MAX, &text, NULL) < 0)
        return; /* there need not be one */
    FAY_CLEANUP(fay_freep)
    char *copy = fay_strndup((const char *)fay_buffer_data(&text), fay_buffer_size(&text));
    char *rest = copy;
    for (char *line; (line = strsep(&rest, "\n")) != NULL;)
        add_line(c, hostname, line);
}

static void add_address(collection *c, const struct sockaddr *address)
{
    char text[INET6_ADDRSTRLEN];
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        if (inet_ntop(AF_INET, &in.sin_addr, text, sizeof text) != NULL)
            add(c, text);
    } else if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in;
        memcpy(&in, address, sizeof in);
        bool one_link = IN6_IS_ADDR_LINKLOCAL(&in.sin6_addr);
        if (!one_link && inet_ntop(AF_INET6, &in.sin6_addr, text, sizeof text) != NULL)
            add(c, text);
    }
}

static void add_interfaces(collection *c)
{
    struct ifaddrs *all = NULL;
    if (getifaddrs(&all) != 0)
        return;
    for (const struct ifaddrs *at = all; at != NULL; at = at->ifa_next) {
        if (at->ifa_addr != NULL)
            add_address(c, at->ifa_addr);
    }
    freeifaddrs(all);
}

char **fay_host_names(const char *hostname, const char *hosts_file, size_t most)
{
    collection c = {fay_texts_new(), most};
    FAY_CLEANUP(fay_freep) char *short_name = fay_strndup(hostname, strcspn(hostname, "."));
    add(&c, hostname);
    add(&c, short_name);
    add_hosts_file(&c, hostname, hosts_file);
    add(&c, "localhost");
    add(&c, "127.0.0.1");
    add(&c, "::1");
    add_interfaces(&c);
    return c.names;
}
