/* SPDX-License-Identifier: BSD-2-Clause */
#include "endpoint.h"

#include <stdio.h>
#include <string.h>

#include "settings.h"

/* Partitions, by the regions' prefixes, with the DNS suffixes of their usual and of their dual-stack endpoints. Source:
 * botocore's partitions.json. In partitions that are not in this list nothing of ours has been tried. */
static const struct partition {
    const char *regions, *suffix, *dual_suffix;
} partitions[] = {
    { "cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn" },
    { "us-gov-", "amazonaws.com", "api.aws" },
    { "eusc-", "amazonaws.eu", "api.amazonwebservices.eu" },
    { "us-iso", NULL, NULL },
    { "eu-iso", NULL, NULL },
    { "", "amazonaws.com", "api.aws" },
};

static const struct partition *partition_of(const char *region)
{
    const struct partition *partition = partitions;
    while (strncmp(region, partition->regions, strlen(partition->regions)) != 0) {
        partition++;
    }
    return partition;
}

static const char *of_aws(char url[static ENDPOINT_SIZE], const char *service, const char *region)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    const struct partition *partition = partition_of(region);
    const bool fips = settings_is_on(SETTING_FIPS), dual = settings_is_on(SETTING_DUAL_STACK);
    const bool s3 = !strcmp(service, "s3"); /* its dual-stack endpoints are older, and have names of their own */
    if (strspn(region, plain) != strlen(region)) {
        return "AWS_REGION: is not a region";
    }
    if (!partition->suffix) {
        return "AWS_REGION: is in an isolated partition, which is not supported; set AWS_ENDPOINT_URL_S3 and "
               "AWS_ENDPOINT_URL_LAMBDA";
    }
    if (fips && strncmp(region, "us-", 3) != 0 && strncmp(region, "ca-", 3) != 0) {
        return "AWS_USE_FIPS_ENDPOINT: only regions in the USA and in Canada have FIPS endpoints";
    }
    snprintf(url, ENDPOINT_SIZE, "https://%s%s%s.%s.%s", service, fips ? "-fips" : "", dual && s3 ? ".dualstack" : "",
             region, dual && !s3 ? partition->dual_suffix : partition->suffix);
    return NULL;
}

const char *endpoint_find(char url[static ENDPOINT_SIZE], const char *service, const char *region)
{
    const char *given = settings_get(!strcmp(service, "s3") ? SETTING_ENDPOINT_S3 : SETTING_ENDPOINT_LAMBDA);
    if (!given) {
        given = settings_get(SETTING_ENDPOINT);
    }
    if (!given) {
        return of_aws(url, service, region);
    }
    const size_t length = strlen(given);
    if (length >= ENDPOINT_SIZE) {
        return "AWS_ENDPOINT_URL: is too long";
    }
    snprintf(url, ENDPOINT_SIZE, "%.*s", (int)(length - (given[length - 1] == '/')), given);
    return NULL;
}
