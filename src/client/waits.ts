/** How long a client waits for what, in milliseconds. */

/** How long a server that is away may come back before that is told. */
export const PATIENCE_MS = 5000
/** How long others may have the turn. */
export const TURN_MS = 60_000
/** For the answer to one who asks for the turn: the server gives it, or says that it cannot, long before. */
export const ASK_MS = 600_000
/** The opening looks so often, whatever comes. */
export const LOOK_MS = 200
/** How long a commit waits for the server while that is there. */
export const ACCEPT_MS = 60_000
/** The server gives a turn to nobody else for 10 seconds behind its answer to who has it: so long it is certain, with a margin. */
export const LEASE_MS = 5000
