/** The records of data objects (`docs/objects.md`). Kinds 16 to 31 are the file system's. */
export const OBJECT_KIND = 32
/** Blocks of keys that were given out for objects without a parent: high 0, low = the block. Listing them lists these. */
export const KEY_BLOCK_KIND = 33
/** Root objects whose key lies in no block of roots: high 0, low = the key's low part. */
export const ROOT_KIND = 34
/** What a collection belongs to: high = the collection, low 0. */
export const COLLECTION_KIND = 35
/** The children of a collection in order (high = the collection, low = position), or by the hash of their name. */
export const CHILD_KIND = 36
/** Objects by the value of an indexed field: high = hash of type, field and value, low = the key's low part. */
export const FIELD_INDEX_KIND = 37
/** Access keys, sealed for who may read: high = the ring, low = the epoch. */
export const ACCESS_KEY_KIND = 38
/** Low 0: the root keys. Low 1: there are rules in the chain. High 0. */
export const TRUST_KIND = 39
/** High 0, low 0: the latest time that was given to objects of the chain. */
export const CLOCK_KIND = 40
