/* SPDX-License-Identifier: BSD-2-Clause */
/* The connections of libcurl's multi interface, as one descriptor to wait for. What is to be done costs the same,
 * however many connections there are: curl_multi_poll would look at all of them each time. */
#ifndef XC_LAMBDA_REQUESTS_SOCKETS_H
#define XC_LAMBDA_REQUESTS_SOCKETS_H

#include <curl/curl.h>
#include <stdbool.h>

bool sockets_start(CURLM *multi);
/* Can be read when something has happened to a connection. */
int sockets_descriptor(void);
/* In how many milliseconds a time ends that libcurl has set; -1: there is none. */
int sockets_timeout(void);
/* Has libcurl see to all that has happened. */
void sockets_go_on(void);

#endif
