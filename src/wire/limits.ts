/** Versions and limits of the wire (`docs/protocol.md`); each limit is enforced before memory is allocated. */

export const WIRE_VERSION = 1

/** Kind, numbers and messages of one frame, as they are before compression. */
export const MAX_PAYLOAD_BYTES = 1024 * 1024
/** One value as its format spells it. */
export const MAX_MESSAGE_BYTES = 1_048_000
/** Small messages share a frame up to this: a larger one would keep what comes after it waiting. */
export const SHARED_FRAME_BYTES = 64 * 1024
/** Bounds what a frame of tiny messages makes its reader allocate. */
export const MAX_FRAME_MESSAGES = 4096

export const MAX_CLIENT_HELLO_BYTES = 2048
export const MAX_SERVER_HELLO_BYTES = 8192
export const MAX_OFFERS = 16
export const MAX_TARGET_BYTES = 512
export const MAX_PROOFS = 16
/** What goes wrong, for people. */
export const MAX_REASON_BYTES = 300

/** A key of a frame is followed by the next after so many frames, or so many bytes: far from where AES-GCM wears out. */
export const FRAMES_PER_KEY = 2 ** 20
export const BYTES_PER_KEY = 2 ** 30

/** Compressing less than this costs more than it saves. */
export const MIN_COMPRESSED_BYTES = 256

export const HANDSHAKE_TIMEOUT_MS = 10_000
export const HEARTBEAT_MS = 15_000
export const SILENCE_MS = 45_000
export const CLOSE_TIMEOUT_MS = 3_000

/** What a reader has not taken yet, before reading stops. */
export const MAX_UNREAD_BYTES = 1024 * 1024
/** What a slow reader makes its writer hold. */
export const MAX_UNSENT_BYTES = 8 * 1024 * 1024
