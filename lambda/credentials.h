/* Who we are to AWS, and in which region. */
#ifndef XC_LAMBDA_CREDENTIALS_H
#define XC_LAMBDA_CREDENTIALS_H

struct credentials {
    const char *id, *secret, *token, *region; /* token: NULL if there is none. All of them live as long as the program */
};

/* From the environment, or else from the files that `aws configure` writes. Returns NULL, or what is wrong. */
const char *credentials_find(struct credentials *credentials);

#endif
