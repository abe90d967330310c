/** Small files that a server keeps beside the log of a chain. No part of a chain's name may be one of them, nor what is made of it on the way. */
export const KEYRING_NAME = 'keyring'
export const TURN_NAME = 'turn'
export const WRITER_NAME = 'writer'
export const LOCKS_NAME = 'locks'
export const DROPPED_NAME = 'dropped'

export const SERVED_FILES: readonly string[] = [KEYRING_NAME, TURN_NAME, WRITER_NAME, LOCKS_NAME, DROPPED_NAME]
