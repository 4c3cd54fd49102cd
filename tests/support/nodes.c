/* SPDX-License-Identifier: MIT */
#include "support/nodes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "pki/certification.h"
#include "pki/key.h"
#include "pki/role.h"
#include "pki/settings.h"

static void must(int r, const fay_error *err)
{
    if (r < 0)
        fail_msg("%s", err->message);
}

static fay_authority opened(void)
{
    fay_authority authority;
    fay_error err = {0};
    must(fay_authority_open("tls", &authority, &err), &err);
    return authority;
}

void nodes_make_ca(void)
{
    fay_issue host = {.name = "seed", .roles = FAY_ROLES_HOST, .now = (int64_t)time(NULL)};
    fay_error err = {0};
    must(fay_authority_create("tls", FAY_P256, &host, &err), &err);
}

char *nodes_make_host(const char *name)
{
    fay_issue host = {.name = name, .roles = FAY_ROLES_HOST, .now = (int64_t)time(NULL)};
    fay_authority authority = opened();
    char *path = NULL;
    fay_error err = {0};
    must(fay_authority_host(&authority, FAY_P256, &host, &path, &err), &err);
    fay_authority_close(&authority);
    return path;
}

void nodes_revoke(const char *name)
{
    fay_authority authority = opened();
    size_t count;
    uint64_t number;
    fay_error err = {0};
    must(fay_authority_revoke(&authority, name, (int64_t)time(NULL), &count, &number, &err), &err);
    fay_authority_close(&authority);
}

fay_identity nodes_identity(const char *directory)
{
    fay_tls_flags flags = {.directory = directory};
    fay_tls_settings settings;
    fay_identity identity;
    fay_error err = {0};
    must(fay_tls_settings_resolve(&flags, NULL, NULL, &settings, &err), &err);
    must(fay_identity_load(&settings, FAY_NEEDS_SERVER | FAY_NEEDS_CLIENT, (int64_t)time(NULL),
                           &identity, &err),
         &err);
    fay_tls_settings_deinit(&settings);
    return identity;
}

void node_keys_init(node_keys *node, const char *directory, const char *name, uint64_t boot)
{
    fay_error err = {0};
    *node = (node_keys){.identity = nodes_identity(directory)};
    fay_record_key_make(&node->record_key);
    must(fay_certification_make(&node->identity.server, name, boot, node->record_key.public_key,
                                &node->certification, &err),
         &err);
    fay_digest key = fay_key_fingerprint(node->identity.server.key);
    node->keys = (fay_peers_keys){.identity = &node->identity,
                                  .record_key = &node->record_key,
                                  .certification = fay_buffer_data(&node->certification),
                                  .certification_size = fay_buffer_size(&node->certification),
                                  .id = fay_node_id_of(&key, name),
                                  .boot = boot};
}

void node_keys_deinit(node_keys *node)
{
    fay_identity_deinit(&node->identity);
    fay_record_key_deinit(&node->record_key);
    fay_buffer_deinit(&node->certification);
}
