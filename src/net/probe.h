/* SPDX-License-Identifier: MIT */
/*
 * Which certificates a Node shows, whoever has signed them: for people who look why it is not
 * believed. A handshake without a certificate of ours and without a look at its own, which the Node
 * then ends. Blocks; nothing is said to the Node but the preamble.
 */
#ifndef FAY_PROBE_H
#define FAY_PROBE_H

#include "pki/ossl.h"

/* The chain as it is shown, its own first. FAY_E_INVAL: no HOST:PORT; FAY_E_IO: not reached;
 * FAY_E_TIMEOUT; FAY_E_TLS: what listens there is no Node. */
int fay_probe(const char *address, fay_ns timeout, STACK_OF(X509) * *ret_chain, fay_error *err);

#endif /* FAY_PROBE_H */
