/** What a handshake has settled. */
import type { Compression } from './compression.js'
import type { Format } from './format.js'
import type { FrameReader, FrameWriter } from './frame.js'
import type { WishedBits } from './offers.js'
import type { WireSettings } from './options.js'
import type { Choices } from './server-hello.js'
import type { PublicKey, ServerKeyId } from './signer.js'

export interface Agreement {
  readonly version: number
  /** Key size of AES; 0 in clear. */
  readonly bits: WishedBits
  readonly format: Format
  readonly compression: Compression | undefined
  /** What the client believes to have dialled. */
  readonly target: string
  /** 32 bytes that no other connection has; what is signed with them belongs to this one. */
  readonly transcript: Uint8Array
  /** Undefined in clear. */
  readonly serverKey: ServerKeyId | undefined
  /** Keys that the client has shown to have. Known to both sides. */
  readonly provenKeys: readonly PublicKey[]
}

/** The connection's own: nobody else writes or reads frames. */
export interface Line {
  readonly writer: FrameWriter
  readonly reader: FrameReader
}

/** The format and compression of this side that were chosen; the choices are among its offers. */
export function chosenMeans(
  settings: WireSettings,
  choices: Choices,
): { format: Format; compression: Compression | undefined } | undefined {
  const format = settings.formats.find(({ id }) => id === choices.format)
  const compression = settings.compressions.find(({ id }) => id === choices.compression)
  return format === undefined ? undefined : { format, compression }
}
