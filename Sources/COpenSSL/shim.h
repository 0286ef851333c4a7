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

// Sessions

static inline long copenssl_SSL_set_mode(SSL *session, long mode) {
  return SSL_set_mode(session, mode);
}

/// 1 when the name was taken, 0 otherwise. The name is copied.
static inline int copenssl_SSL_set_tlsext_host_name(SSL *session, const char *name) {
  return (int)SSL_set_tlsext_host_name(session, name);
}

/// The peer's certificate with its own reference (free it), or NULL.
static inline X509 *copenssl_SSL_get1_peer_certificate(const SSL *session) {
  return SSL_get1_peer_certificate(session);
}

// BIOs

/// The bytes a memory BIO holds, without taking them; valid until the BIO changes.
static inline long copenssl_BIO_get_mem_data(BIO *bio, char **bytes) {
  return BIO_get_mem_data(bio, bytes);
}

static inline int copenssl_BIO_pending(BIO *bio) { return (int)BIO_pending(bio); }

static inline int copenssl_BIO_wpending(BIO *bio) { return (int)BIO_wpending(bio); }

static inline int copenssl_BIO_reset(BIO *bio) { return (int)BIO_reset(bio); }

static inline int copenssl_BIO_flush(BIO *bio) { return (int)BIO_flush(bio); }

static inline int copenssl_BIO_should_retry(BIO *bio) { return BIO_should_retry(bio); }

static inline long copenssl_BIO_set_mem_eof_return(BIO *bio, int value) {
  return BIO_set_mem_eof_return(bio, value);
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
