/* SPDX-License-Identifier: MIT */
/*
 * A PKI that is not ours: made by plain `openssl` in the working directory.
 *
 *     foreign_shell(FOREIGN_CA "sign a rsa:2048 '' ")   a.pem, a.key, signed by corp.pem
 */
#ifndef FAY_TEST_FOREIGN_H
#define FAY_TEST_FOREIGN_H

#include "pki/identity.h"

/*
 * Shell functions. `key FILE KIND`: rsa:2048, p256, ed25519, p224, rsa:1024. `ca NAME`: NAME.pem,
 * NAME.key. `sign NAME KIND EXTENSIONS [CA]`: NAME.pem, NAME.key; extensions as in openssl.cnf,
 * "\n" between. The CA `corp` is there already.
 */
#define FOREIGN_CA                                                                                 \
    "key() { case $2 in"                                                                           \
    "  rsa:*) openssl genrsa -out $1 ${2#rsa:};;"                                                  \
    "  p*) openssl ecparam -name $(echo $2 | sed s/p256/prime256v1/\\;s/p224/secp224r1/)"          \
    "    -genkey -noout -out $1;;"                                                                 \
    "  *) openssl genpkey -algorithm $2 -out $1;; esac; chmod 600 $1; };"                          \
    "ca() { key $1.key p256; openssl req -x509 -key $1.key -out $1.pem -subj /CN=$1 -days 3650"    \
    "  -addext keyUsage=critical,keyCertSign,cRLSign; };"                                          \
    "sign() { [ -e $1.key ] || key $1.key $2; openssl req -new -key $1.key -subj /CN=$1 -out r;"   \
    "  printf \"basicConstraints=CA:${5:-FALSE}\\n$3\\n\" >e;"                                     \
    "  openssl x509 -req -in r -CA ${4:-corp}.pem -CAkey ${4:-corp}.key -extfile e -days 365"      \
    "  -out $1.pem; };"                                                                            \
    "ca corp;"

/* Runs it by sh -e; fails the test if it fails. */
void foreign_shell(const char *script);

X509 *foreign_certificate(const char *file);
/* These CAs, and no list of revoked ones. */
fay_trust foreign_trust(const char *file);

/* CA.pem, SERVER.pem and .key, CLIENT.pem and .key; NULL = none. Fails the test if they do not go
 * together at that time. */
fay_identity foreign_identity(const char *ca, const char *server, const char *client, int64_t now);

#endif /* FAY_TEST_FOREIGN_H */
