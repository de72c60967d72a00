/* Who we are to AWS, and in which region. */
#ifndef XC_LAMBDA_CREDENTIALS_H
#define XC_LAMBDA_CREDENTIALS_H

struct credentials {
    char id[129], secret[129], token[3900]; /* token: "" if there is none */
    char region[65];
};

/* From the environment, or else from the files that `aws configure` writes. Returns NULL, or what is wrong. */
const char *credentials_find(struct credentials *credentials);

#endif
