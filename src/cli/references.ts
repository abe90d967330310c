/** Which bodies the records of a chain refer to, whatever it holds. Loaded by name where chains are compacted. */
import type { FindReferences } from '../engine/chain/compaction/live-bodies.js'
import { OBJECT_KIND } from '../engine/dio/kinds.js'
import { findReferences as ofObjects } from '../engine/dio/references.js'
import { findReferences as ofFiles } from '../fs/vfs/records/references.js'

/** Kinds below those of objects are the file system's. Throws BAD_FORMAT for a record that cannot be read. */
export const findReferences: FindReferences = (record, refer, keys) =>
  (record.kind < OBJECT_KIND ? ofFiles : ofObjects)(record, refer, keys)
