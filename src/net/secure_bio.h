/* SPDX-License-Identifier: MIT */
/* What OpenSSL calls back: between tls.c, which sets it up, and secure.c, which has it. */
#ifndef FAY_NET_SECURE_BIO_H
#define FAY_NET_SECURE_BIO_H

#include <openssl/ssl.h>

/* Where a connection's records come from and go to; BIO_meth_free(). */
BIO_METHOD *fay_secure_bio(void);

/* Whether the chain that the other end shows is believed. */
int fay_secure_verify(X509_STORE_CTX *context, void *nothing);

/* The dialler is given a ticket. 1: it is kept. */
int fay_secure_keep_ticket(SSL *ssl, SSL_SESSION *session);
/* The acceptor makes one, and puts into it what it is to know again. */
int fay_secure_write_ticket(SSL *ssl, void *nothing);
/* The acceptor is shown one that it has made: whether it is as good as the certificate in it. */
SSL_TICKET_RETURN fay_secure_read_ticket(SSL *ssl, SSL_SESSION *session, const unsigned char *name,
                                         size_t name_size, SSL_TICKET_STATUS status, void *nothing);

#endif /* FAY_NET_SECURE_BIO_H */
