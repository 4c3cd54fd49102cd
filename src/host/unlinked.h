/* SPDX-License-Identifier: MIT */
/* Files without a name: nothing leaves them behind, however we end. */
#ifndef FAY_UNLINKED_H
#define FAY_UNLINKED_H

/* A new one in `directory`; NULL or "" = $TMPDIR, else /tmp. -1 with errno set. */
int fay_host_unlinked(const char *directory);

#endif /* FAY_UNLINKED_H */
