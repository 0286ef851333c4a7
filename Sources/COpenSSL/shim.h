// The system's OpenSSL 3 for Swift: its headers, and a static inline function for each macro that
// Swift cannot import (function-like macros, and SSL_OP_*, which expand to a cast of a shift).
// A shim is called copenssl_ and the macro's own name. No logic lives here.

#ifndef WALLETPUSH_COPENSSL_SHIM_H
#define WALLETPUSH_COPENSSL_SHIM_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

// Keys

static inline int copenssl_EVP_PKEY_PUBLIC_KEY(void) { return EVP_PKEY_PUBLIC_KEY; }

// Contexts

static inline long copenssl_SSL_CTX_set_mode(SSL_CTX *context, long mode) {
  return SSL_CTX_set_mode(context, mode);
}

static inline int copenssl_SSL_CTX_set_min_proto_version(SSL_CTX *context, int version) {
  return (int)SSL_CTX_set_min_proto_version(context, version);
}

static inline int copenssl_SSL_CTX_set_max_proto_version(SSL_CTX *context, int version) {
  return (int)SSL_CTX_set_max_proto_version(context, version);
}

static inline long copenssl_SSL_CTX_set_session_cache_mode(SSL_CTX *context, long mode) {
  return SSL_CTX_set_session_cache_mode(context, mode);
}

static inline long copenssl_SSL_CTX_sess_set_cache_size(SSL_CTX *context, long sessions) {
  return SSL_CTX_sess_set_cache_size(context, sessions);
}

static inline int copenssl_SSL_CTX_set1_groups_list(SSL_CTX *context, const char *groups) {
  return (int)SSL_CTX_set1_groups_list(context, groups);
}

/// 1 when the certificate was taken; it keeps its own reference to it.
static inline int copenssl_SSL_CTX_add1_chain_cert(SSL_CTX *context, X509 *certificate) {
  return (int)SSL_CTX_add1_chain_cert(context, certificate);
}

/// The macro casts its function to one without arguments, which Swift cannot say.
static inline int copenssl_SSL_CTX_set_tlsext_ticket_key_evp_cb(
    SSL_CTX *context,
    int (*callback)(SSL *, unsigned char *, unsigned char *, EVP_CIPHER_CTX *, EVP_MAC_CTX *, int)) {
  return SSL_CTX_set_tlsext_ticket_key_evp_cb(context, callback);
}

/// The parameters of an HMAC are a list that ends with a mark, each entry made by a function of its own.
static inline int copenssl_EVP_MAC_CTX_set_hmac_sha256_key(EVP_MAC_CTX *context, const void *key,
                                                           size_t count) {
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)(uintptr_t)key, count),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)(uintptr_t)"SHA256", 0),
      OSSL_PARAM_construct_end()};
  return EVP_MAC_CTX_set_params(context, parameters);
}

// Sessions

static inline void copenssl_SSL_set_msg_callback_arg(SSL *session, void *argument) {
  SSL_set_msg_callback_arg(session, argument);
}

static inline long copenssl_SSL_set_mode(SSL *session, long mode) {
  return SSL_set_mode(session, mode);
}

/// 1 when the name was taken, 0 otherwise. The name is copied.
static inline int copenssl_SSL_set_tlsext_host_name(SSL *session, const char *name) {
  return (int)SSL_set_tlsext_host_name(session, name);
}

/// How many certificates there are in a chain.
static inline int copenssl_sk_X509_num(const STACK_OF(X509) *chain) { return sk_X509_num(chain); }

/// The peer's certificate with its own reference (free it), or NULL.
static inline X509 *copenssl_SSL_get1_peer_certificate(const SSL *session) {
  return SSL_get1_peer_certificate(session);
}

// Errors

static inline int copenssl_ERR_GET_LIB(unsigned long code) { return ERR_GET_LIB(code); }

static inline int copenssl_ERR_GET_REASON(unsigned long code) { return ERR_GET_REASON(code); }

// Options, as SSL_CTX_set_options and SSL_set_options take them

static inline uint64_t copenssl_SSL_OP_ALL(void) { return SSL_OP_ALL; }
static inline uint64_t copenssl_SSL_OP_CIPHER_SERVER_PREFERENCE(void) {
  return SSL_OP_CIPHER_SERVER_PREFERENCE;
}
static inline uint64_t copenssl_SSL_OP_ENABLE_KTLS(void) { return SSL_OP_ENABLE_KTLS; }
static inline uint64_t copenssl_SSL_OP_IGNORE_UNEXPECTED_EOF(void) {
  return SSL_OP_IGNORE_UNEXPECTED_EOF;
}
static inline uint64_t copenssl_SSL_OP_NO_COMPRESSION(void) { return SSL_OP_NO_COMPRESSION; }
static inline uint64_t copenssl_SSL_OP_NO_RENEGOTIATION(void) { return SSL_OP_NO_RENEGOTIATION; }
static inline uint64_t copenssl_SSL_OP_NO_TICKET(void) { return SSL_OP_NO_TICKET; }
static inline uint64_t copenssl_SSL_OP_NO_TLSv1(void) { return SSL_OP_NO_TLSv1; }
static inline uint64_t copenssl_SSL_OP_NO_TLSv1_1(void) { return SSL_OP_NO_TLSv1_1; }
static inline uint64_t copenssl_SSL_OP_PRIORITIZE_CHACHA(void) { return SSL_OP_PRIORITIZE_CHACHA; }
static inline uint64_t copenssl_SSL_OP_SINGLE_DH_USE(void) { return SSL_OP_SINGLE_DH_USE; }
static inline uint64_t copenssl_SSL_OP_SINGLE_ECDH_USE(void) { return SSL_OP_SINGLE_ECDH_USE; }

#endif
