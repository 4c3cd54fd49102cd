/* SPDX-License-Identifier: MIT */
/* The whole public API of Faymora. */
#ifndef FAYMORA_H
#define FAYMORA_H

#include <faymora/base.h>
#include <faymora/item.h>
#include <faymora/worker.h>

#endif /* FAYMORA_H */
