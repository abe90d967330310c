/**
 * What the layers above see of the log: batches of groups go in, durable and verified batches come out.
 * The bytes are in `docs/format.md`.
 */

import type { SigningKey } from '../crypto/signature.js'
import type { Proof } from './format/proof-format.js'

/**
 * What a batch proves. `local`: that whoever wrote it has the chain's key. `distributed`: whose rights it uses, to everybody;
 * and whoever reads it refuses it when they do not suffice.
 */
export type ChainTrust = 'local' | 'distributed'

/**
 * 1 = sealed records (metadata), 2 = sealed content, 8 = bodies that are gone, 9 = records that are forgotten. Others are
 * reserved (`docs/format.md`, reserved kinds).
 */
export const GROUP_RECORDS = 1
export const GROUP_CONTENT = 2
export const GROUP_DROP = 8
export const GROUP_FORGET = 9
export type GroupKind = typeof GROUP_RECORDS | typeof GROUP_CONTENT | typeof GROUP_DROP | typeof GROUP_FORGET
/** Of every drop and forgetting: nothing ever refers to one. */
export const DROP_NUMBER = 0

/** One group to seal: its parts are sealed as one message. */
export interface GroupDraft {
  kind: GroupKind
  /**
   * Number of this group among those of this chain's writer: given by the caller, never reused (not even after a crash
   * or by a second writer of a copied directory: the group's id is this number and 64 random bits). DROP_NUMBER for drops and
   * forgettings.
   */
  number: number
  parts: readonly Uint8Array[]
}

/** One commit: all or nothing. */
export interface BatchDraft {
  groups: readonly GroupDraft[]
  /** Whose rights it uses, in distributed trust. */
  signers?: readonly SigningKey[] | undefined
}

/** Where a sealed group lies. `digest` is its Merkle leaf: SHA-256 over a zero byte and its stored bytes. */
export interface GroupPlace {
  kind: GroupKind
  number: number
  /** Low 48 of the group's random bits: tells it from a group of the same number that a copy of the chain made. */
  random: number
  segment: number
  position: number
  storedBytes: number
  digest: Uint8Array
}

export interface AppendedBatch {
  sequence: number
  /** Digest of the batch's link: identifies the whole history up to it. */
  digest: Uint8Array
  /** Where the batch's frame lies, and the position just behind it. */
  segment: number
  endPosition: number
  groups: GroupPlace[]
}

export interface ReplayedBatch extends AppendedBatch {
  /** Opened groups of kind GROUP_RECORDS, in order; none of a batch whose records are forgotten. */
  records: Uint8Array[]
  /** Numbers of the bodies that the batch's drops name. */
  dropped: NumberRange[]
  /** Records of batches up to this one are forgotten from here on: what counts of them is put again behind it. 0: none are. */
  forgets: number
  /** In distributed trust. */
  authorship: Authorship | undefined
}

/** What a batch says of who wrote it: nothing is verified but that the chain's key wrote it down. */
export interface Authorship {
  /** Digest of its header and table: what signatures cover. */
  readonly headDigest: Uint8Array
  readonly proof: Proof
}

/** The numbers from `from` to `to`, both included. */
export interface NumberRange {
  from: number
  to: number
}

/** A point of the log that a cache (the index) has taken in. */
export interface LogPoint {
  sequence: number
  digest: Uint8Array
  segment: number
  /** Position in the segment just behind the batch's frame. */
  position: number
}

/** The anchor outside the log: what this machine knows to be durable. Absent for temporary chains. */
export interface AnchorStore {
  read(): Promise<Uint8Array | undefined>
  /** In place, not synced: it must survive this process, not the machine. */
  write(content: Uint8Array): void
  /** Synced; at close. */
  sync(): void
  close(): void
}

export type FindingKind =
  | 'manifest'
  | 'segment'
  | 'frame'
  | 'link'
  | 'batch'
  | 'group'
  | 'record'
  | 'reference'
  | 'index'
  | 'rollback'
  | 'keyring'

/** One thing wrong, as fsck tells it. Never holds names or contents. */
export interface Finding {
  kind: FindingKind
  /** What is wrong, one sentence. */
  message: string
  segment?: number
  position?: number
  sequence?: number
  group?: number
}
