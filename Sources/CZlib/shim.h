// The system's zlib for Swift: its header, and a static inline function for each macro that Swift
// cannot import. A shim is called czlib_ and the macro's own name. No logic lives here.

#ifndef WALLETPUSH_CZLIB_SHIM_H
#define WALLETPUSH_CZLIB_SHIM_H

#include <zlib.h>

static inline int czlib_inflateInit2(z_stream *stream, int windowBits) {
  return inflateInit2(stream, windowBits);
}

static inline int czlib_deflateInit2(z_stream *stream, int level, int method, int windowBits, int memLevel,
                                     int strategy) {
  return deflateInit2(stream, level, method, windowBits, memLevel, strategy);
}

#endif
