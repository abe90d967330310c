/** How long a client waits for what, in milliseconds. */

/** How long a server that is away may come back before that is told. */
export const PATIENCE_MS = 5000
/** How long others may have the turn. */
export const TURN_MS = 60_000
/** For the answer to one who asks for the turn: the server gives it, or says that it cannot, long before. */
export const ASK_MS = 600_000
/** A server that has no room is asked again after so long. */
export const FULL_MS = 1000
/** How long a read waits for content that lies at the server. */
export const FETCH_MS = 10_000
/** The opening looks so often, whatever comes. */
export const LOOK_MS = 200
/** How long a commit waits for the server while that is there. */
export const ACCEPT_MS = 60_000
/** The server gives a turn to nobody else for 10 seconds behind its answer to who has it: so long it is certain, with a margin. */
export const LEASE_MS = 5000
/** A server keeps the locks of a lost connection for 10 seconds: so long nobody else can have them. */
export const LOCK_LEASE_MS = 8000
/** Who has locks asks so often whether it has them still. */
export const RENEW_MS = 2000
/** A server that was started again gives no locks for 10 seconds. */
export const LOCK_ANSWER_MS = 15_000
