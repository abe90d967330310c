/** The file of a replica that tells of its server (`client-state.ts`): a directory that has one is the copy of a served chain. */
export const REMOTE_FILE = 'remote'
