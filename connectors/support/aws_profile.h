/*
 * aws_profile.h - the files ~/.aws/credentials and ~/.aws/config (or where AWS_SHARED_CREDENTIALS_FILE
 * and AWS_CONFIG_FILE say), read only.
 */
#ifndef TRIB_SUPPORT_AWS_PROFILE_H
#define TRIB_SUPPORT_AWS_PROFILE_H

#include "engine/base/text.h"

typedef struct AwsProfiles {
    Str credentials, config; /* the files' text; empty if there is no such file */
} AwsProfiles;

/* Files that do not exist are empty; one that cannot be read is an error. */
Status aws_profiles_read(AwsProfiles *self, Arena *arena, Error *err) WARN_UNUSED;
/* The value of a key of a profile, the credentials file first; data NULL if there is none. */
Str aws_profile_value(const AwsProfiles *self, Str profile, const char *key);
bool aws_profile_exists(const AwsProfiles *self, Str profile);
/* The profile in force: `option`, else AWS_PROFILE, else "default". */
Str aws_profile_name(const char *option);

#endif
