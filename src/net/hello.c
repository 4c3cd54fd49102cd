/* SPDX-License-Identifier: MIT */
#include "net/hello.h"

#include <string.h>

#include "base/limits.h"
#include "wire/codec.h"

#define LABEL "faymora hello 1"

enum {
    VERSION = 1,
    CLIENT = 0,
    MEMBER = 1
};

static void write_signed(const fay_hello_session *s, const fay_node_id *id, uint64_t boot,
                         fay_buffer *out)
{
    fay_buffer_append(out, LABEL, sizeof LABEL - 1);
    fay_write8(out, (uint8_t)s->side);
    fay_buffer_append(out, s->preamble, sizeof s->preamble);
    fay_buffer_append(out, s->exporter, sizeof s->exporter);
    fay_buffer_append(out, s->dialler.bytes, sizeof s->dialler.bytes);
    fay_buffer_append(out, s->acceptor.bytes, sizeof s->acceptor.bytes);
    fay_buffer_append(out, id->bytes, sizeof id->bytes);
    fay_write64(out, boot);
}

void fay_hello_write(const fay_hello_session *session, const fay_hello_member *member,
                     fay_buffer *out)
{
    fay_write8(out, VERSION);
    fay_write8(out, member != NULL ? MEMBER : CLIENT);
    if (member == NULL)
        return;
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
    uint8_t signature[FAY_RECORD_SIGNATURE_SIZE];
    write_signed(session, &member->id, member->boot, &text);
    fay_record_key_sign(member->record_key, fay_buffer_data(&text), fay_buffer_size(&text),
                        signature);
    fay_write_bytes(out, member->certification, member->size);
    fay_buffer_append(out, signature, sizeof signature);
}

int fay_hello_parse(const void *payload, size_t size, fay_hello *ret)
{
    fay_reader reader = fay_reader_of(payload, size);
    fay_hello hello = {0};
    unsigned version = fay_read8(&reader), kind = fay_read8(&reader);
    hello.member = kind == MEMBER;
    if (hello.member) {
        hello.certification = fay_read_bytes(&reader, FAY_CERTIFICATION_MAX, &hello.size);
        const uint8_t *signature = fay_read_raw(&reader, sizeof hello.signature);
        if (signature != NULL)
            memcpy(hello.signature, signature, sizeof hello.signature);
    }
    if (fay_reader_done(&reader) != 0 || version != VERSION || kind > MEMBER)
        return FAY_E_PEER;
    *ret = hello;
    return 0;
}

bool fay_hello_holds(const fay_hello *hello, const fay_hello_session *session,
                     const fay_certification *certification)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
    write_signed(session, &certification->id, certification->boot, &text);
    return fay_record_key_verify(certification->record_key, fay_buffer_data(&text),
                                 fay_buffer_size(&text), hello->signature);
}
