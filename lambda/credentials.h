/* Who we are to AWS, and in which region. */
#ifndef XC_LAMBDA_CREDENTIALS_H
#define XC_LAMBDA_CREDENTIALS_H

struct credentials {
    const char *id, *secret, *region;
    const char *token; /* or NULL */
};

/* From the environment, or else from the files that `aws configure` writes. Returns NULL, or what is wrong. */
const char *credentials_find(struct credentials *credentials);

#endif
