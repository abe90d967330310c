/** Every format version and every limit in one place; each is enforced before memory is allocated. */

/** Version of the log's byte format (`docs/format.md`). Readers refuse a newer one. */
export const FORMAT_VERSION = 1

/** Content sealed as one unit. Smaller costs a seal and 110 bytes more often; larger makes a random 4 KiB read open more. */
export const MAX_BODY_BYTES = 64 * 1024
/** Small contents (files, objects) of up to this share bodies of this size: reading one at random opens as much. */
export const SHARED_BODY_BYTES = 12 * 1024
/** Record metadata sealed as one unit (one record may exceed it). */
export const METADATA_GROUP_BYTES = 16 * 1024
/** One record's value: a 64 KiB extended attribute and room. */
export const MAX_RECORD_VALUE_BYTES = 68 * 1024
/** One batch on disk: bounds what a reader must hold to verify it. */
export const MAX_BATCH_BYTES = 256 * 1024 * 1024
/** Groups of one batch. */
export const MAX_BATCH_GROUPS = 65_536
/** Keys that sign one batch, or batches that share signatures: what an authentication has room for. */
export const MAX_PROOF_KEYS = 12
/** Batches that share signatures. */
export const MAX_PROOF_SHARE = 64
/** What batches that share signatures have together: they are written, carried and taken in at once. */
export const MAX_PROOF_RUN_BYTES = 8 * 1024 * 1024
/** Records of a batch whose signatures come with a later one: bounds what a reader keeps until it has those. */
export const MAX_UNPROVEN_BYTES = 256 * 1024
/** Bodies that one drop names: bounds what replaying it changes at once. */
export const MAX_DROPPED_BODIES = 65_536

/** A segment is closed above this. */
export const SEGMENT_BYTES = 64 * 1024 * 1024

export const MAX_MANIFEST_BYTES = 16 * 1024 * 1024
export const MAX_KEYRING_BYTES = 1024 * 1024

/** Fields of one object. */
export const MAX_OBJECT_BYTES = 16 * 1024 * 1024
/** What transformers may add to the fields of an object. */
export const MAX_TRANSFORM_GROWTH_BYTES = 1024
/** Fields as they are stored: with what transformers add, and sealed for their readers. */
export const MAX_STORED_OBJECT_BYTES = MAX_OBJECT_BYTES + 4096
/** Transformers that one object has gone through, and the letters of an id. */
export const MAX_TRANSFORMERS = 8
export const MAX_TRANSFORMER_NAME = 32
/** Labels of one object, and what their names and values have together. */
export const MAX_LABELS = 16
export const MAX_LABELS_BYTES = 1024
/** Fields of up to this lie in the object's record; the index holds a second copy of those. */
export const OBJECT_INLINE_BYTES = 256
/** A name in a map, in bytes: names that share a hash share a record. */
export const MAX_CHILD_NAME_BYTES = 1024
/** What the links of one object take in its record. */
export const MAX_LINK_BYTES = 48 * 1024
/** Links of one object, and targets of one foreign link. */
export const MAX_OBJECT_LINKS = 256
/** Fields that objects of one type are found by. */
export const MAX_INDEXED_FIELDS = 256
/** Keys of one rule, and root keys of a chain. */
export const MAX_RULE_KEYS = 256
