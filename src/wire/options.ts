/** What both sides can be told. */
import type { CryptoProvider } from '../engine/crypto/provider.js'
import { AteError } from '../engine/error.js'
import { type Compression, COMPRESSION_NONE } from './compression.js'
import { type Format, type FormatName, formatNamed, FORMATS } from './format.js'
import { MAX_UNREAD_BYTES, MAX_UNSENT_BYTES, WIRE_VERSION } from './limits.js'
import { type Cipher, ciphersFor, type Offers, type Versions, type WishedBits } from './offers.js'
import { systemTimers, type Timers } from './timers.js'
import type { KeyLimits } from './traffic-key.js'

export interface WireOptions {
  readonly crypto: CryptoProvider
  /** Key size in bits that this side wants at least; 0 does not mind. The default is 128. */
  readonly encryption?: WishedBits
  /** The preferred format first; the default is MessagePack, then JSON. */
  readonly formats?: readonly FormatName[]
  /** Used when the other side has the same. The default is none. */
  readonly compressions?: readonly Compression[]
  /** Bytes of messages that wait for a slow reader before `send` fails with LAGGED. */
  readonly maxUnsentBytes?: number
  /** Bytes of messages that wait to be taken here before reading stops. */
  readonly maxUnreadBytes?: number
  /** Gives up. ABORTED while connecting; closes afterwards. */
  readonly signal?: AbortSignal | undefined
  readonly timers?: Timers
  /** For tests: both sides must have the same. */
  readonly keyLimits?: KeyLimits
  /** For tests: versions that this side speaks. */
  readonly versions?: Versions
}

/** The same with nothing left open. */
export interface WireSettings {
  readonly crypto: CryptoProvider
  readonly versions: Versions
  readonly offers: Offers & { readonly ciphers: readonly Cipher[] }
  readonly formats: readonly Format[]
  readonly compressions: readonly Compression[]
  readonly maxUnsentBytes: number
  readonly maxUnreadBytes: number
  readonly signal: AbortSignal | undefined
  readonly timers: Timers
  readonly keyLimits: KeyLimits | undefined
}

/** BAD_ARGUMENT for a list of formats that is empty. */
export function settle(options: WireOptions): WireSettings {
  const formats = options.formats?.map(formatNamed) ?? FORMATS
  if (formats.length === 0) throw new AteError('BAD_ARGUMENT', 'A connection needs a format.')
  const compressions = options.compressions ?? []
  return {
    crypto: options.crypto,
    versions: options.versions ?? { lowest: WIRE_VERSION, highest: WIRE_VERSION },
    offers: {
      ciphers: ciphersFor(options.encryption ?? 128),
      formats: formats.map(({ id }) => id),
      compressions: [...compressions.map(({ id }) => id), COMPRESSION_NONE],
    },
    formats,
    compressions,
    maxUnsentBytes: options.maxUnsentBytes ?? MAX_UNSENT_BYTES,
    maxUnreadBytes: options.maxUnreadBytes ?? MAX_UNREAD_BYTES,
    signal: options.signal,
    timers: options.timers ?? systemTimers,
    keyLimits: options.keyLimits,
  }
}
