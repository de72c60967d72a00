/* The AWS credentials and region of the user. */
#ifndef XC_LAMBDA_CREDENTIALS_H
#define XC_LAMBDA_CREDENTIALS_H

struct credentials {
    const char *id, *secret, *region;
    const char *token; /* or NULL */
};

/* Takes them from the environment, or else from the files that `aws configure` writes. Returns NULL, or the text of an
 * error. */
const char *credentials_find(struct credentials *credentials);

#endif
