/** Limits of messages (`docs/protocol.md`, section 8); each is enforced before memory is allocated. */

/** What a batch travels in: all parts of one but the last have exactly this. */
export const MAX_PART_BYTES = 512 * 1024
/** Requests of one connection that are not answered. */
export const MAX_UNANSWERED = 256
/** Channels of one connection besides its own. */
export const MAX_CHANNELS = 256
export const MAX_CHAIN_NAME_LENGTH = 1024
/** The file with the slots of a chain's passphrases: a hundred of them take some 20 KiB. */
export const MAX_SENT_KEYRING_BYTES = 512 * 1024
/** Ranges of numbers in one drop. */
export const MAX_DROP_RANGES = 8192
/** Bodies asked for at once. */
export const MAX_ASKED_BODIES = 64
/** Of all bodies in one answer; a larger one is never sent by itself. */
export const MAX_SENT_BODY_BYTES = 512 * 1024
/** Chains in one answer to `list`. */
export const MAX_LISTED_CHAINS = 512
export const MAX_TYPE_LENGTH = 32
export const MAX_FAILURE_LENGTH = 1000
/** `address:port`. */
export const MAX_SERVER_LENGTH = 300
export const SESSION_BYTES = 16
/** The name of a file among those that are locked, and of a lease. */
export const LOCK_FILE_BYTES = 16
export const LEASE_BYTES = 16
export const MAX_LOCK_OWNER_BYTES = 16
/** Of one session. Taking a piece out of one makes two. */
export const MAX_LOCKS = 4096
