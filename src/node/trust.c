/* SPDX-License-Identifier: MIT */
#include "node/trust.h"

#include <fnmatch.h>
#include <string.h>

#include "pki/certificate.h"

/* Of "DNS:a.example" that is "a.example". */
static const char *without_kind(const char *san)
{
    const char *colon = strchr(san, ':');
    return colon != NULL ? colon + 1 : san;
}

static bool fits(const char *pattern, const fay_certificate *certificate)
{
    if (fnmatch(pattern, certificate->name, 0) == 0)
        return true;
    for (char **san = certificate->sans; san != NULL && *san != NULL; san++) {
        if (fnmatch(pattern, without_kind(*san), 0) == 0)
            return true;
    }
    return false;
}

static bool fits_any(char *const *patterns, X509 *x509)
{
    FAY_CLEANUP(fay_certificate_deinit) fay_certificate certificate = {0};
    if (patterns == NULL || fay_certificate_describe(x509, &certificate, NULL) != 0)
        return false;
    for (char *const *pattern = patterns; *pattern != NULL; pattern++) {
        if (fits(*pattern, &certificate))
            return true;
    }
    return false;
}

unsigned fay_trusted_roles(const fay_trusted *trusted, bool ours, unsigned roles, X509 *x509)
{
    if (ours)
        return roles;
    return trusted->all || fits_any(trusted->patterns, x509) ? FAY_ROLES_HOST
                                                             : (unsigned)FAY_ROLE_OBSERVER;
}
