/*
 * tls_problem.c - why TLS failed, in words that say what to do about it.
 */
#include "core/net/tls_inner.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <string.h>

/* Reasons whose own text would puzzle. What the peer says is an "alert". */
static const struct row {
    int reason;
    const char *text;
} rows[] = {
    {SSL_R_WRONG_VERSION_NUMBER, "the server answers, but not in TLS"},
    {SSL_R_PACKET_LENGTH_TOO_LONG, "the server answers, but not in TLS"},
    {SSL_R_HTTP_REQUEST, "the server answers, but not in TLS"},
    {SSL_R_UNEXPECTED_EOF_WHILE_READING, "the server closed the connection during the handshake"},
    {SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED,
     "the server requires a client certificate (cert_file, key_file)"},
    {SSL_R_TLSV1_ALERT_UNKNOWN_CA, "the server does not know the CA of our certificate"},
    {SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, "the server refuses our certificate"},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, "our certificate has expired, says the server"},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED, "our certificate was revoked, says the server"},
    {SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, "the server does not speak a version of TLS we accept"},
    {SSL_R_UNSUPPORTED_PROTOCOL, "the server does not speak a version of TLS we accept"},
    {SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE,
     "the server refuses the handshake: no cipher in common, or it requires a client certificate"},
};

static int is_name_problem(long result)
{
    return result == X509_V_ERR_HOSTNAME_MISMATCH || result == X509_V_ERR_IP_ADDRESS_MISMATCH;
}

static int is_unknown_issuer(long result)
{
    return result == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN ||
           result == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT ||
           result == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
           result == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE;
}

static void explain_certificate(evs__tls *tls, long result)
{
    if (is_name_problem(result))
        snprintf(tls->problem, sizeof tls->problem, "the server's certificate is not for %s",
                 evs__tls_peer(tls->login));
    else
        snprintf(tls->problem, sizeof tls->problem, "the server's certificate is refused: %s%s",
                 is_unknown_issuer(result) ? "it is from no CA we trust, " : "",
                 X509_verify_cert_error_string(result));
}

static const char *text_of(unsigned long code)
{
    for (size_t i = 0; ERR_GET_LIB(code) == ERR_LIB_SSL && i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].reason == ERR_GET_REASON(code))
            return rows[i].text;
    }
    return ERR_reason_error_string(code);
}

void evs__tls_explain(evs__tls *tls)
{
    unsigned long code = ERR_peek_error();
    long result = SSL_get_verify_result(tls->ssl);
    const char *text = "the server closed the connection during the handshake";
    if (ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED && result != X509_V_OK) {
        explain_certificate(tls, result);
    } else {
        if (code != 0)
            text = text_of(code);
        else if (tls->os_error != 0)
            text = strerror(tls->os_error);
        snprintf(tls->problem, sizeof tls->problem, "%s", text == NULL ? "unknown reason" : text);
    }
    ERR_clear_error();
}
