/**
 * What a program adds to a chain: hooks that see what is stored before it is kept, or change how its bytes are kept. They get
 * names, fields and bytes, never keys of the chain or of a session.
 */
import type { Change } from './change.js'
import type { ProposedCommit, Who } from './proposed-commit.js'

/**
 * A bundle of hooks with a life of its own. With every commit come, each in the order of the plugins: linters, validators,
 * transformers. Readers undo transformers in the reverse order.
 */
export interface PluginOf<C> {
  /** For people, in errors. */
  readonly name: string
  /** Give labels to objects that are created or changed. */
  readonly linters?: readonly Linter[]
  /** Judge whole commits. */
  readonly validators?: readonly Validator[]
  /** Change the bytes of fields before they are sealed, and back. */
  readonly transformers?: readonly Transformer[]
  /** Called when the chain is open. When it fails, the chain is closed again. */
  readonly open?: (chain: C, signal: AbortSignal) => Promise<void> | void
  /** Called, in the reverse order, before the chain is closed: it can be used as ever. */
  readonly close?: (chain: C, signal: AbortSignal) => Promise<void> | void
  /** How long each call of a validator, `open` and `close` may take. The default is 10 seconds. */
  readonly timeoutMs?: number
}

/** What a validator thinks of a commit: yes, no and why, or that it knows nothing of what is in it. */
export type Vote =
  { readonly kind: 'allow' } | { readonly kind: 'abstain' } | { readonly kind: 'deny'; readonly reason: string }

/** The votes there are. */
export interface Votes {
  /** It may be kept. */
  readonly allow: Vote
  /** There is nothing in it to judge. */
  readonly abstain: Vote
  /** `reason`, a sentence or a part of one, comes with the error. */
  readonly deny: (reason: string) => Vote
}

/** `vote.allow`, `vote.abstain`, `vote.deny('why')`. */
export const vote: Votes = {
  allow: { kind: 'allow' },
  abstain: { kind: 'abstain' },
  deny: (reason) => ({ kind: 'deny', reason }),
}

/**
 * Judges a commit before anything of it is kept. One that denies refuses all of it; where validators are, one of them must
 * allow it. `signal`: the time is over, or the commit was given up. Called again when something was merged in meanwhile.
 */
export type Validator = (commit: ProposedCommit, signal: AbortSignal) => Vote | Promise<Vote>

/** Gives labels to an object that is about to be stored; undefined takes one away, and what it does not name stays. */
export type Linter = (change: Change, who: Who) => Readonly<Record<string, string | undefined>> | undefined

/** Changes the bytes of fields before they are sealed, and back. */
export interface Transformer {
  /** Stored with each object, so that it is known how to read it: must mean the same for ever. At most 32 characters. */
  readonly id: string
  /** Must not change `bytes`. Undefined: these are better left as they are. */
  readonly encode: (bytes: Uint8Array) => Uint8Array | undefined
  /** Throws for what is not its own, and before it makes more than `maxBytes`. */
  readonly decode: (bytes: Uint8Array, maxBytes: number) => Uint8Array
}
